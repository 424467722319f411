"""Every heartbeat in every state of a group of the consumer protocol.

A legal way to another state, or an error that changes nothing.
"""

from collections.abc import Callable
from itertools import product

import pytest

from kafkasim.protocol import errors
from kafkasim.protocol.groups.coordinator.consumer_group import (
    TRANSITIONS,
    GroupState,
)
from kafkasim.protocol.groups.coordinator.reconciliation import GroupMember
from kafkasim.protocol.groups.group_messages import JOIN_EPOCH, ConsumerGroupBeaten
from tests.protocol.groups.coordinator.consumer_coordinator import (
    GROUP,
    Coordinator,
    two_members,
)

EPOCHS = (-3, -2, -1, 0, 1, 2, 3, 4, 9)
ALL = tuple(("t", number) for number in range(4))
OWNED = (None, (), ALL[:1], ALL)
INSTANCES = (None, "i", "j")
TOPICS = (None, ("t",), ("t", "gone"))


def without() -> tuple[Coordinator, int]:
    return Coordinator(), 0


def empty() -> tuple[Coordinator, int]:
    known = Coordinator()
    known.join("a")
    known.beat("a", -1, 1_000)
    return known, 9_000


def assigning() -> tuple[Coordinator, int]:
    """The last target is half a second old."""
    known = Coordinator()
    known.join("a", instance_id="i")
    known.join("b", 500)
    return known, 600


def reconciling() -> tuple[Coordinator, int]:
    """Member a, which is static, has to give up what is to be b's."""
    known = Coordinator()
    known.join("a", instance_id="i")
    known.join("b", 5_000)
    known.beat("a", 2, 5_100, instance_id="i")
    return known, 5_200


def stable() -> tuple[Coordinator, int]:
    return two_members(), 11_000


STATES: dict[str, tuple[Callable[[], tuple[Coordinator, int]], GroupState | None]] = {
    "none": (without, None),
    "empty": (empty, GroupState.EMPTY),
    "assigning": (assigning, GroupState.ASSIGNING),
    "reconciling": (reconciling, GroupState.RECONCILING),
    "stable": (stable, GroupState.STABLE),
}

FENCED = {errors.FENCED_MEMBER_EPOCH, errors.UNKNOWN_MEMBER_ID}
STATIC = {errors.FENCED_INSTANCE_ID, errors.UNRELEASED_INSTANCE_ID}
ALWAYS = {errors.NONE, errors.INVALID_REQUEST}
TOLD = {
    "none": ALWAYS | {errors.GROUP_ID_NOT_FOUND},
    "empty": ALWAYS | {errors.UNKNOWN_MEMBER_ID},
    "assigning": ALWAYS | FENCED | STATIC,
    "reconciling": ALWAYS | FENCED | STATIC,
    "stable": ALWAYS | FENCED,
}
"""What the heartbeats are answered in each; in the last one nobody is static."""


def reachable(before: GroupState) -> set[GroupState]:
    """The state itself, and those that are one or two legal ways away."""
    found = {before}
    for _ in range(2):
        found |= {to for at in found for to in TRANSITIONS[at]}
    return found - {GroupState.DEAD}


def state_of(known: Coordinator) -> GroupState | None:
    return known.state if known.groups.has(GROUP) else None


def members_of(known: Coordinator) -> dict[str, GroupMember]:
    has_any = known.groups.has(GROUP)
    return dict(known.groups.group(GROUP).members) if has_any else {}


@pytest.mark.parametrize("name", STATES)
def test_every_heartbeat_leads_to_a_legal_state_or_gets_an_error(name: str) -> None:
    make, before = STATES[name]
    told = set()
    for who, epoch, owned, instance, topics in product(
        ("a", "x", ""), EPOCHS, OWNED, INSTANCES, TOPICS
    ):
        known, now_ms = make()
        assert state_of(known) == before
        log, members = len(known.log), members_of(known)
        said = known.beat(
            who, epoch, now_ms, owned=owned, instance_id=instance, topics=topics,
            rebalance_timeout_ms=8_000,
        )  # fmt: skip
        place = f"{who!r} {epoch} {owned} {instance} {topics}: {said}"
        told.add(said.error)
        if said.error == errors.NONE:
            if epoch != JOIN_EPOCH:
                assert who in members, place
            if epoch > JOIN_EPOCH:
                assert epoch in (members[who].epoch, members[who].previous_epoch), place
            assert state_of(known) in reachable(before or GroupState.EMPTY), place
        else:
            refused = ConsumerGroupBeaten(error=said.error, heartbeat_interval_ms=0)
            assert said == refused, place
            assert state_of(known) == before, place
            assert len(known.log) == log, place
            assert members_of(known) == members, place
    assert told == TOLD[name]
