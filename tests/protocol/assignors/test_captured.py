"""The assignors against what Kafka's own classes answered, step by step."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from kafkasim.protocol.assignors import (
    CLIENT_ASSIGNORS,
    AssignorError,
    ClientAssignor,
    assign,
    assign_at_broker,
)
from kafkasim.protocol.assignors.client import StickyAssignor
from kafkasim.protocol.assignors.inputs import group_of
from kafkasim.protocol.assignors.server import uniform_maps
from kafkasim.protocol.assignors.server_group import Owned, server_group_of
from kafkasim.protocol.assignors.sticky import assign_sticky
from kafkasim.protocol.groups.group_messages import Assigned, Subscription

DATA = Path(__file__).parents[1] / "data"


def cases(file: str, side: str) -> list[dict[str, Any]]:
    return list(json.loads((DATA / file).read_text(encoding="utf-8"))[side])


def named(case: dict[str, Any]) -> str:
    return f"{case['case']}-{case['assignor']}"


def read(names: Iterable[str]) -> Assigned:
    pairs = [name.rsplit("-", 1) for name in names]
    return tuple((topic, int(number)) for topic, number in pairs)


def topic_id(name: str) -> int:
    """Return the id that the script gives a topic whose name is t and a digit."""
    high = 0x4B61666B614D4B61 * (ord(name[1]) - ord("/")) % 2**64
    return high << 64 | 0x1234567890ABCDEF + ord(name[1])


IDS = {name: topic_id(name) for name in map("t{}".format, range(10))}


def instances_of(step: dict[str, Any]) -> dict[str, str | None]:
    return {member: said.get("instance") for member, said in step["members"].items()}


@pytest.mark.parametrize("case", cases("assignors.json", "client"), ids=named)
def test_a_leader_assigns_as_kafka_did(case: dict[str, Any]) -> None:
    assignors: dict[str, ClientAssignor] = {}
    for step in case["steps"]:
        subscriptions = {}
        for member, said in step["members"].items():
            mine = assignors.setdefault(member, CLIENT_ASSIGNORS[case["assignor"]]())
            subscriptions[member] = Subscription(
                topics=tuple(said["topics"]),
                owned=read(said["owned"]),
                generation=said["generation"],
                user_data=mine.user_data(),
            )
        leader = assignors[min(step["members"])]
        got = leader.assign(
            subscriptions,
            step["partitions"],
            instances={
                id_: one.get("instance") for id_, one in step["members"].items()
            },
        )
        assert got == {id_: read(names) for id_, names in step["result"].items()}
        for member, assigned in got.items():
            assignors[member].on_assignment(assigned, step["generation"])


@pytest.mark.parametrize("case", cases("assignors.json", "server"), ids=named)
def test_a_coordinator_assigns_as_kafka_did(case: dict[str, Any]) -> None:
    maps: dict[str, Owned] = {}
    for step in case["steps"]:
        members = {
            member: Subscription(
                topics=tuple(said["topics"]),
                owned=tuple((t, n) for t, ns in said["owned"].items() for n in ns),
            )
            for member, said in step["members"].items()
        }
        instances = {id_: one.get("instance") for id_, one in step["members"].items()}
        ids = {topic: topic_id(topic) for topic in [*step["partitions"], "t9"]}
        ids |= {
            topic: topic_id(topic) for one in members.values() for topic in one.topics
        }
        group = server_group_of(members, step["partitions"], instances, ids)
        assert list(group.members) == step["member_order"]
        if case["assignor"] == "uniform":
            # the script hands the maps on as they are, without a record
            owned = {id_: maps.get(id_, Owned(IDS)) for id_ in group.members}
            maps = uniform_maps(group, owned)
            got = {id_: maps[id_].assigned() for id_ in maps}
        else:
            got = assign_at_broker(
                "range", members, step["partitions"], instances=instances
            )
        assert {member: sorted(one) for member, one in got.items()} == {
            member: [(topic, number) for topic in sorted(one) for number in one[topic]]
            for member, one in step["result"].items()
        }


def pairs(some: Iterable[Any]) -> Assigned:
    return tuple((topic, number) for topic, number in some)


def subscription(said: dict[str, Any]) -> Subscription:
    data = said.get("user_data")
    if data is not None:
        writer = StickyAssignor()
        writer.on_assignment(pairs(data[0]), data[1])
        data = writer.user_data()
    return Subscription(
        topics=tuple(said["topics"]),
        owned=pairs(said.get("owned", ())),
        generation=said.get("generation", -1),
        rack=said.get("rack"),
        user_data=data,
    )


@pytest.mark.parametrize("name", CLIENT_ASSIGNORS)
def test_random_groups_are_assigned_as_kafka_did_in_its_order(name: str) -> None:
    for case in cases("assignor_groups.json", "client"):
        if case["assignor"] != name:
            continue
        members = {said["id"]: subscription(said) for said in case["members"]}
        instances = {said["id"]: said.get("instance") for said in case["members"]}
        racks = case.get("racks")
        group = group_of(members, case["topics"], instances, racks)
        latest = case.get("max_generation", -1)
        try:
            if "sticky" in name:
                cooperative = name == "cooperative-sticky"
                lists, _ = assign_sticky(group, latest, cooperative=cooperative)
                got = {member: tuple(one) for member, one in lists.items()}
            else:
                got = assign(
                    name, members, case["topics"], instances=instances, racks=racks
                )
        except AssignorError:
            assert case.get("error"), case
        else:
            expected = {member: pairs(one) for member, one in case["result"].items()}
            assert got == expected, case


@pytest.mark.parametrize("name", ["uniform", "range"])
def test_targets_of_random_groups_are_as_kafka_s_in_its_order(name: str) -> None:
    for case in cases("assignor_groups.json", "server"):
        if case["assignor"] != name:
            continue
        got = assign_at_broker(
            name,
            {said["id"]: subscription(said) for said in case["members"]},
            case["topics"],
            instances={said["id"]: said.get("instance") for said in case["members"]},
            topic_ids={topic: int(id_, 16) for topic, id_ in case["topic_ids"].items()},
        )
        assert list(got) == case["member_order"]
        expected = {member: pairs(one) for member, one in case["result"].items()}
        if name == "range":  # numbers are in order, topics in that of a map
            expected = {member: tuple(sorted(one)) for member, one in expected.items()}
        assert got == expected, case
