"""What a coordinator of the consumer protocol writes and takes back.

And every state of a group with every request.
"""

from itertools import product
from typing import Any

import pytest

from kafkasim.protocol.errors import (
    COORDINATOR_NOT_AVAILABLE,
    ERRORS,
    FENCED_INSTANCE_ID,
    FENCED_MEMBER_EPOCH,
    GROUP_ID_NOT_FOUND,
    INVALID_REQUEST,
    NONE,
    NOT_COORDINATOR,
    NOT_ENOUGH_REPLICAS,
    NOT_LEADER_OR_FOLLOWER,
    REQUEST_TIMED_OUT,
    UNKNOWN_MEMBER_ID,
    UNRELEASED_INSTANCE_ID,
)
from kafkasim.protocol.groups.coordinator.consumer_group import TRANSITIONS, GroupState
from kafkasim.protocol.groups.group_messages import (
    Answer,
    ConsumerGroupBeaten,
    ConsumerGroupHeartbeat,
    WriteFailed,
    Written,
)
from tests.protocol.groups.coordinator.consumer_coordinator import (
    GROUP,
    Coordinator,
    two_members,
)


def seen(known: Coordinator) -> object:
    if not known.groups.has(GROUP):
        return None
    group = known.groups.group(GROUP)
    return (
        group.standing,
        dict(group.members),
        dict(group.targets),
        dict(group.owner_epochs),
        (group.target_epoch, group.target_at_ms, dict(group.static)),
    )


CHANGES: list[tuple[str, int, dict[str, Any]]] = [
    ("c", 0, {"topics": ("t",), "rebalance_timeout_ms": 1, "owned": ()}),
    ("a", 3, {"topics": ()}),
    ("a", -1, {}),
    ("s", -2, {"instance_id": "i"}),
]


@pytest.mark.parametrize(("member_id", "epoch", "said"), CHANGES)
@pytest.mark.parametrize(
    ("error", "heard"),
    [
        (NOT_ENOUGH_REPLICAS, COORDINATOR_NOT_AVAILABLE),
        (NOT_LEADER_OR_FOLLOWER, NOT_COORDINATOR),
    ],
)
def test_a_write_that_fails_is_taken_back(
    member_id: str, epoch: int, said: dict[str, Any], error: int, heard: int
) -> None:
    known = two_members()
    known.join("s", 10_000, instance_id="i")
    before = seen(known)
    assert known.beat(member_id, epoch, 11_000, **said).error == NONE
    assert known.last is not None and seen(known) != before
    (effect,) = known.groups.handle(WriteFailed(known.last, error), 11_001)
    assert isinstance(effect, Answer)
    assert isinstance(effect.response, ConsumerGroupBeaten)
    assert effect.response.error == heard
    assert seen(known) == before


def test_a_new_group_that_cannot_be_written_is_none() -> None:
    known = Coordinator()
    known.join("a")
    assert known.last is not None
    known.groups.handle(WriteFailed(known.last, NOT_ENOUGH_REPLICAS), 1)
    assert not known.groups.has(GROUP)


def test_what_is_in_the_log_stays_though_its_answer_fails() -> None:
    known = Coordinator()
    known.join("a")
    assert known.last is not None
    late = WriteFailed(known.last, REQUEST_TIMED_OUT, appended=True)
    (effect,) = known.groups.handle(late, 1)
    assert isinstance(effect, Answer)
    assert isinstance(effect.response, ConsumerGroupBeaten)
    assert effect.response.error == COORDINATOR_NOT_AVAILABLE
    assert known.groups.has(GROUP)


def test_an_answer_without_a_write_waits_for_those_before_it() -> None:
    known = Coordinator()
    known.join("a")
    assert known.last is not None
    assert known.groups.handle(Written(known.last), 1) == []
    request = ConsumerGroupHeartbeat(group=GROUP, member_id="a", member_epoch=2)
    (effect,) = known.groups.handle(request, 1_000)
    assert isinstance(effect, Answer) and effect.after_writes


def test_tombstones_delete_a_group() -> None:
    known = two_members()
    for record in known.groups.tombstones(GROUP):
        known.groups.replay(record, 20_000)
    assert not known.groups.has(GROUP)


def test_a_tombstone_that_comes_too_early_is_an_error() -> None:
    known = two_members()
    with pytest.raises(ValueError, match="deleted before"):
        known.groups.replay(known.groups.tombstones(GROUP)[-1], 20_000)


def test_topics_and_members_as_who_keeps_offsets_sees_them() -> None:
    known = Coordinator()
    known.join("a", topics=("t", "other"))
    assert known.groups.subscribed(GROUP) == ("other", "t")
    known.beat("a", -1, 1_000)
    assert known.groups.subscribed(GROUP) is None
    assert known.groups.empty_since_ms(GROUP) is None


# Every state with every request


def group_in(state: GroupState) -> Coordinator:
    known = Coordinator(partitions=2)
    if state is GroupState.DEAD:
        return known
    known.join("a", instance_id="i")
    if state is GroupState.EMPTY:
        known.beat("a", -1, 1, instance_id="i")
    elif state is GroupState.ASSIGNING:
        known.join("b", 10)
    elif state is GroupState.RECONCILING:
        known.join("b", 2_000)
    assert known.state == state
    return known


EPOCHS = (-3, -2, -1, 0, 1, 2, 3, 4)
SAID: tuple[dict[str, Any], ...] = (
    {},
    {"owned": ()},
    {"owned": (), "topics": ("t",), "rebalance_timeout_ms": 8_000},
    {"topics": ("other",), "owned": (("t", 0),)},
)


@pytest.mark.parametrize("state", GroupState)
def test_every_request_in_every_state_has_an_answer_and_a_legal_end(
    state: GroupState,
) -> None:
    allowed = {
        *(NONE, FENCED_MEMBER_EPOCH, UNKNOWN_MEMBER_ID, INVALID_REQUEST),
        *(UNRELEASED_INSTANCE_ID, FENCED_INSTANCE_ID, GROUP_ID_NOT_FOUND),
    }
    met = set()
    for member_id, epoch, said, instance_id, now_ms in product(
        ("a", "b", "x"), EPOCHS, SAID, (None, "i", "j"), (20, 5_000)
    ):
        known = group_in(state)
        log = list(known.log)
        answer = known.beat(member_id, epoch, now_ms, instance_id=instance_id, **said)
        assert answer.error in allowed, ERRORS[answer.error]
        met.add(answer.error)
        if answer.error != NONE:
            assert known.log == log
            continue
        after = known.state
        came_from = GroupState.EMPTY if state is GroupState.DEAD else state
        assert after == came_from or after in TRANSITIONS[came_from]
        if epoch >= 0:
            assert answer.member_epoch >= 2
    assert NONE in met and INVALID_REQUEST in met
