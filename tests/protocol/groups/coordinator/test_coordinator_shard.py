"""One coordinator for groups of both kinds and their offsets, at literal times."""

from typing import Any

import pytest

from kafkasim.protocol.errors import NOT_ENOUGH_REPLICAS, REQUEST_TIMED_OUT
from kafkasim.protocol.groups.coordinator_records import (
    ClassicGroupRecord,
    ConsumerGroupRecord,
    RawRecord,
)
from kafkasim.protocol.groups.group_messages import (
    Answer,
    CommittedOffset,
    ConsumerGroupHeartbeat,
    FindCoordinator,
    Heartbeat,
    JoinGroup,
    LeaveGroup,
    OffsetCommit,
    OffsetFetch,
    Request,
    SyncGroup,
    Write,
    WriteFailed,
)
from tests.protocol.groups.coordinator.sharded import (
    DAY_MS,
    RANGE,
    Sharded,
    beat,
    durable,
    joined,
    kinds,
    name,
)

WEEK_MS = 7 * DAY_MS
CHECK_MS = 600_000


# Commits and fetches


def test_anybody_may_keep_offsets_in_a_group_without_members() -> None:
    sharded = Sharded()
    assert sharded.committed("g") == -1
    assert sharded.commit("g", 7) == "NONE"
    assert sharded.commit("g", 3) == "NONE"
    assert sharded.committed("g") == 3
    assert sharded.committed("g", 1) == -1
    assert kinds(sharded, 2) == ["Offset", "Offset"]


def test_a_generation_of_a_group_that_is_not_there_is_refused() -> None:
    sharded = Sharded()
    refused = sharded.commit("g", 7, generation=1, member_id="m")
    assert refused == "GROUP_ID_NOT_FOUND"
    assert sharded.records() == []


def test_members_commit_and_others_do_not() -> None:
    sharded = Sharded()
    member, generation = joined(sharded)
    mine: dict[str, Any] = {"generation": generation, "member_id": member}
    assert sharded.commit("g", 7, **mine) == "NONE"
    assert sharded.commit("g", 8) == "UNKNOWN_MEMBER_ID"
    assert sharded.commit("g", 8, generation=9, member_id=member) == (
        "ILLEGAL_GENERATION"
    )
    assert sharded.committed("g") == 7


def test_a_commit_of_a_member_with_an_epoch_is_checked_by_its_group() -> None:
    sharded = Sharded()
    error, epoch = beat(sharded, "m1", 0)
    assert (error, epoch >= 1) == ("NONE", True)
    assert sharded.commit("g", 7, generation=epoch, member_id="m1") == "NONE"
    stale = sharded.commit("g", 8, generation=epoch + 1, member_id="m1")
    assert stale == "STALE_MEMBER_EPOCH"
    assert sharded.commit("g", 8) == "UNKNOWN_MEMBER_ID"
    assert sharded.committed("g") == 7
    asks: dict[str, Any] = {"member_id": "m1", "member_epoch": epoch}
    assert sharded.committed("g", **asks) == 7
    assert sharded.committed("g", **asks | {"member_epoch": epoch + 1}) == (
        "STALE_MEMBER_EPOCH"
    )


def test_one_stale_partition_refuses_the_whole_commit() -> None:
    sharded = Sharded()
    _, first = beat(sharded, "m1", 0)
    sharded.wait(2_000)
    beat(sharded, "m2", 0)
    _, epoch = beat(sharded, "m1", first, owned=(("orders", 0), ("orders", 2)))
    assert epoch > first
    both = tuple(
        CommittedOffset(topic="orders", partition=each, offset=5) for each in (0, 1)
    )
    request = OffsetCommit(group="g", generation=first, member_id="m1", offsets=both)
    errors = [name(error) for _, error in sharded.ask(request).errors]
    assert errors == ["STALE_MEMBER_EPOCH"] * 2
    assert sharded.committed("g") == -1
    kept = OffsetCommit(group="g", generation=first, member_id="m1", offsets=both[:1])
    assert [name(error) for _, error in sharded.ask(kept).errors] == ["NONE"]


def test_what_is_too_long_is_left_out_and_the_rest_is_stored() -> None:
    sharded = Sharded()
    offsets = (
        CommittedOffset(topic="orders", partition=0, offset=1, metadata="a" * 4_097),
        CommittedOffset(topic="orders", partition=1, offset=2),
    )
    response = sharded.ask(OffsetCommit(group="g", offsets=offsets))
    assert [name(error) for _, error in response.errors] == [
        "OFFSET_METADATA_TOO_LARGE",
        "NONE",
    ]
    assert [sharded.committed("g", each) for each in (0, 1)] == [-1, 2]


def test_a_commit_of_nothing_waits_like_any_other_answer() -> None:
    sharded = Sharded()
    request = OffsetCommit(group="g", offsets=())
    (answer,) = sharded.shard.handle(request, 0)
    assert isinstance(answer, Answer) and answer.after_writes


def test_a_fetch_waits_for_what_is_being_written() -> None:
    sharded = Sharded()
    fetch = OffsetFetch(group="g", partitions=(("orders", 0),))
    (answer,) = sharded.shard.handle(fetch, 0)
    assert isinstance(answer, Answer) and answer.after_writes


def test_a_commit_is_answered_when_it_is_replicated() -> None:
    sharded = Sharded()
    sharded.holds = True
    assert sharded.commit("g", 7) is None
    sharded.end()
    assert len(sharded.answers) == 1


# Writes that fail


def test_what_was_not_appended_was_never_committed() -> None:
    sharded = Sharded()
    sharded.commit("g", 7)
    sharded.fails = NOT_ENOUGH_REPLICAS
    assert sharded.commit("g", 8) == "COORDINATOR_NOT_AVAILABLE"
    assert sharded.committed("g") == 7
    sharded.fails = NOT_ENOUGH_REPLICAS
    sharded.commit("g", 8, partition=1)
    assert sharded.committed("g", 1) == -1
    assert durable(sharded.shard) == durable(sharded.reloaded())


def test_what_was_appended_and_not_replicated_in_time_stays() -> None:
    sharded = Sharded()
    sharded.holds = True
    sharded.commit("g", 7)
    sharded.end(REQUEST_TIMED_OUT)
    ((_, response),) = sharded.answers
    assert name(response.errors[0][1]) == "COORDINATOR_NOT_AVAILABLE"  # type: ignore[union-attr]
    assert sharded.committed("g") == 7


@pytest.mark.parametrize("first", [0, 1])
def test_two_commits_of_a_batch_that_fails_are_both_taken_back(first: int) -> None:
    sharded = Sharded()
    sharded.commit("g", 6)
    requests = [
        OffsetCommit(
            group="g",
            offsets=(CommittedOffset(topic="orders", partition=0, offset=each),),
        )
        for each in (7, 8)
    ]
    writes = [sharded.shard.handle(each, 0)[0] for each in requests]
    assert sharded.committed("g") == 8
    for number in (first, 1 - first):
        write = writes[number]
        assert isinstance(write, Write)
        sharded.tell(WriteFailed(write, NOT_ENOUGH_REPLICAS))
    assert sharded.committed("g") == 6


def test_a_group_that_could_not_be_deleted_is_there_again() -> None:
    sharded = Sharded()
    member, _ = joined(sharded)
    sharded.tell(LeaveGroup(group="g", member_id=member))
    _, epoch = beat(sharded, "m1", 0, group="h")
    sharded.commit("h", 4, generation=epoch, member_id="m1")
    beat(sharded, "m1", -1, group="h")
    before = durable(sharded.shard)
    sharded.fails = NOT_ENOUGH_REPLICAS
    sharded.take(sharded.shard._expire("g", 10 * WEEK_MS))
    sharded.fails = NOT_ENOUGH_REPLICAS
    sharded.take(sharded.shard._expire("h", 10 * WEEK_MS))
    assert sharded.shard.groups == ("g", "h")
    assert sharded.shard.classic.groups["g"].generation == 2
    assert durable(sharded.shard) == before


# Requests that are nobody's


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (JoinGroup(group="", protocols=RANGE), "INVALID_GROUP_ID"),
        (SyncGroup(group="", generation=1, member_id="m"), "INVALID_GROUP_ID"),
        (Heartbeat(group="", generation=1, member_id="m"), "INVALID_GROUP_ID"),
        (LeaveGroup(group="", member_id="m"), "INVALID_GROUP_ID"),
        (
            ConsumerGroupHeartbeat(group="", member_id="m", member_epoch=0),
            "INVALID_REQUEST",
        ),
        (
            JoinGroup(group="g", protocols=RANGE, session_timeout_ms=5_999),
            "INVALID_SESSION_TIMEOUT",
        ),
        (
            JoinGroup(group="g", protocols=RANGE, session_timeout_ms=1_800_001),
            "INVALID_SESSION_TIMEOUT",
        ),
    ],
)
def test_what_no_coordinator_takes(request_: Request, error: str) -> None:
    sharded = Sharded()
    assert name(sharded.ask(request_).error) == error
    assert sharded.records() == []


def test_the_empty_name_keeps_offsets() -> None:
    sharded = Sharded()
    assert sharded.commit("", 7) == "NONE"
    assert sharded.committed("") == 7


def test_who_coordinates_is_not_for_it_to_say() -> None:
    with pytest.raises(TypeError, match="known to every broker"):
        Sharded().tell(FindCoordinator(group="g"))


# Groups of both kinds


def test_members_of_the_other_protocol_are_refused() -> None:
    sharded = Sharded()
    joined(sharded)
    assert beat(sharded, "m1", 0) == ("GROUP_ID_NOT_FOUND", 0)
    beat(sharded, "m1", 0, group="h")
    joins = sharded.ask(JoinGroup(group="h", protocols=RANGE))
    assert name(joins.error) == "INCONSISTENT_GROUP_PROTOCOL"
    beats = sharded.ask(Heartbeat(group="h", generation=1, member_id="m1"))
    assert name(beats.error) == "UNKNOWN_MEMBER_ID"


def test_an_empty_classic_group_becomes_one_of_the_consumer_protocol() -> None:
    sharded = Sharded()
    member, generation = joined(sharded)
    sharded.commit("g", 7, generation=generation, member_id=member)
    sharded.tell(LeaveGroup(group="g", member_id=member))
    refused = beat(sharded, "m1", 3)
    assert refused == ("GROUP_ID_NOT_FOUND", 0)
    assert sharded.shard.classic.has("g")
    assert beat(sharded, "m1", 0)[0] == "NONE"
    assert not sharded.shard.classic.has("g")
    gone = sharded.records().index(ClassicGroupRecord("g", None))
    assert isinstance(sharded.records()[gone - 1], ClassicGroupRecord)
    assert sharded.committed("g") == 7
    assert durable(sharded.shard) == durable(sharded.reloaded())


def test_an_empty_group_of_the_consumer_protocol_becomes_a_classic_one() -> None:
    sharded = Sharded()
    _, epoch = beat(sharded, "m1", 0)
    sharded.commit("g", 7, generation=epoch, member_id="m1")
    beat(sharded, "m1", -1)
    known = JoinGroup(group="g", member_id="m9", protocols=RANGE)
    assert name(sharded.ask(known).error) != "NONE"
    assert sharded.shard.consumer.has("g")
    joined(sharded)
    assert not sharded.shard.consumer.has("g")
    assert ConsumerGroupRecord("g", None) in sharded.records()
    assert sharded.committed("g") == 7
    assert durable(sharded.shard) == durable(sharded.reloaded())


def test_a_group_that_kept_offsets_takes_members_of_either_kind() -> None:
    for join in (joined, lambda sharded: beat(sharded, "m1", 0)):
        sharded = Sharded()
        sharded.commit("g", 7)
        join(sharded)
        assert sharded.committed("g") == 7
        assert durable(sharded.shard) == durable(sharded.reloaded())


# Loading


def test_another_broker_goes_on_where_this_one_was() -> None:
    sharded = Sharded()
    member, generation = joined(sharded)
    _, epoch = beat(sharded, "m1", 0, group="h")
    sharded.commit("g", 7, generation=generation, member_id=member)
    moved = sharded.reloaded()
    sharded.shard = moved
    beats = Heartbeat(group="g", generation=generation, member_id=member)
    assert name(sharded.ask(beats).error) == "NONE"
    assert beat(sharded, "m1", epoch, group="h") == ("NONE", epoch)
    assert sharded.committed("g") == 7


def test_sessions_begin_anew_where_a_group_is_loaded() -> None:
    sharded = Sharded()
    member, _ = joined(sharded)
    sharded.wait(40_000)
    sharded.shard = sharded.reloaded()
    sharded.wait(44_999)
    assert member in sharded.shard.classic.groups["g"].members
    sharded.wait(1)
    assert member not in sharded.shard.classic.groups["g"].members


def test_records_of_other_kinds_of_groups_are_passed_over() -> None:
    sharded = Sharded()
    sharded.shard.replay(RawRecord(11, b"\0\x0b", b"\0\0"), 0)
    assert durable(sharded.shard) == {}


def test_one_that_stops_lets_nobody_wait() -> None:
    sharded = Sharded()
    first = sharded.ask(JoinGroup(group="g", protocols=RANGE))
    waits = JoinGroup(group="g", member_id=first.member_id, protocols=RANGE)
    assert sharded.ask(waits) is None
    sharded.take(sharded.shard.unload(sharded.now_ms))
    asked, response = sharded.answers[-1]
    assert asked is waits and name(response.error) == "NOT_COORDINATOR"  # type: ignore[union-attr]
    assert sharded.shard.next_deadline_ms is None
