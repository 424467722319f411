"""Assignors of two Python clients make of 1,000 random groups what these make of them.

Only where those follow Kafka's: `range` and `roundrobin` of aiokafka, `range` of
kafka-python, and `sticky` of aiokafka for a group that is new.
"""

import importlib
import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from kafkasim.protocol.assignors import assign
from kafkasim.protocol.groups.group_messages import Subscription

GROUPS = 1_000
Owned = dict[str, set[tuple[str, int]]]


def groups() -> list[tuple[dict[str, tuple[str, ...]], dict[str, int]]]:
    """Return what members read, and the partitions of the topics."""
    rng = np.random.default_rng(5)
    made = []
    for number in range(GROUPS):
        topics = {
            f"t{at}": int(rng.integers(1, 13)) for at in range(rng.integers(1, 5))
        }
        members = {}
        for at in rng.permutation(int(rng.integers(1, 13))).tolist():
            some = [one for one in topics if number % 2 or rng.random() < 0.6]
            members[f"m-{at}"] = tuple(some or [next(iter(topics))])
        made.append((members, topics))
    return made


class Cluster:
    """What an assignor asks of a client's metadata."""

    def __init__(self, topics: dict[str, int]) -> None:
        self._topics = topics

    def topics(self) -> set[str]:
        """Return the names of all topics."""
        return set(self._topics)

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        """Return the numbers of a topic's partitions."""
        return set(range(self._topics[topic])) if topic in self._topics else None


def of_aiokafka(
    module: str, name: str, members: dict[str, tuple[str, ...]], topics: dict[str, int]
) -> Owned:
    assignors = importlib.import_module(f"aiokafka.coordinator.assignors.{module}")
    protocol = importlib.import_module("aiokafka.coordinator.protocol")
    said = {
        member: protocol.ConsumerProtocolMemberMetadata(0, list(wanted), b"")
        for member, wanted in members.items()
    }
    got = getattr(assignors, name).assign(Cluster(topics), said)
    return pairs({member: one.assignment for member, one in got.items()})


def of_kafka_python(
    members: dict[str, tuple[str, ...]], topics: dict[str, int]
) -> Owned:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        assignors = importlib.import_module("kafka.coordinator.assignors.range")
    said = [
        SimpleNamespace(
            member_id=member,
            group_instance_id=None,
            metadata=SimpleNamespace(topics=list(wanted)),
        )
        for member, wanted in members.items()
    ]
    got = assignors.RangePartitionAssignor.assign(Cluster(topics), said)
    return pairs(
        {
            member: [(each[0], each[1]) for each in one.assigned_partitions]
            for member, one in got.items()
        }
    )


def pairs(assignment: dict[str, Any]) -> Owned:
    return {
        member: {(topic, number) for topic, numbers in one for number in numbers}
        for member, one in assignment.items()
    }


PEERS = {
    "range of aiokafka": ("range", "range", "RangePartitionAssignor"),
    "roundrobin of aiokafka": (
        "roundrobin",
        "roundrobin",
        "RoundRobinPartitionAssignor",
    ),
    "sticky of aiokafka": (
        "sticky",
        "sticky.sticky_assignor",
        "StickyPartitionAssignor",
    ),
    "range of kafka-python": ("range", "", ""),
}


@pytest.mark.parametrize("peer", PEERS)
def test_random_groups_are_assigned_as_another_client_does(peer: str) -> None:
    name, module, class_name = PEERS[peer]
    for members, topics in groups():
        if name == "sticky" and len(set(members.values())) > 1:
            continue
        if module:
            theirs = of_aiokafka(module, class_name, members, topics)
        else:
            theirs = of_kafka_python(members, topics)
        said = {
            member: Subscription(tuple(sorted(one))) for member, one in members.items()
        }
        ours = {member: set(one) for member, one in assign(name, said, topics).items()}
        assert ours == {member: theirs.get(member, set()) for member in members}
