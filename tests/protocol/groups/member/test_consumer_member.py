"""The client's side of the consumer protocol: literal times, and every state."""

import pytest

from kafkasim.protocol import errors
from kafkasim.protocol.errors import NONE
from kafkasim.protocol.groups.group_messages import (
    ConsumerGroupHeartbeat,
    CoordinatorFound,
    FindCoordinator,
    OffsetCommit,
    OffsetFetch,
    OffsetsFetched,
)
from kafkasim.protocol.groups.member.consumer_states import State
from kafkasim.protocol.groups.member.member_effects import (
    Answered,
    Assigned,
    CallbackDone,
    Close,
    Closed,
    Commit,
    CommitEnded,
    CoordinatorIs,
    Failed,
    HeldBack,
    Lost,
    OffsetsWanted,
    Outcome,
    Polled,
    Revoked,
)
from tests.protocol.groups.member.driven_consumer import (
    OFFSET,
    T0,
    T1,
    T2,
    Driven,
    joining,
    stable,
)


def test_a_member_joins_with_all_it_has_to_say_and_acknowledges_at_once() -> None:
    member = joining()
    assert member.beat() == ConsumerGroupHeartbeat(
        group="group",
        member_id="m",
        member_epoch=0,
        rebalance_timeout_ms=60_000,
        topics=("t",),
        owned=(),
    )
    assert member.beaten(2, 2, T0) == []
    assert member.state() is State.RECONCILING
    assert member.hear(Polled(), 10) == [Assigned((T0,), 2)]
    assert member.hear(CallbackDone(), 30) == []
    acknowledged = member.beat()
    assert (acknowledged.member_epoch, acknowledged.owned) == (2, (T0,))
    assert (acknowledged.topics, acknowledged.rebalance_timeout_ms) == (None, None)
    assert member.state() is State.STABLE


def test_heartbeats_go_out_at_the_interval_the_coordinator_tells() -> None:
    member = stable(T0)
    assert member.machine.next_deadline_ms == 5_010
    member.time_out(5_009)
    count = len(member.sent)
    member.time_out(5_010)
    assert len(member.sent) == count + 1
    beat = member.beat()
    assert (beat.member_epoch, beat.owned, beat.topics) == (2, None, None)


def test_partitions_are_given_up_in_poll_after_a_commit_and_before_others_come() -> (
    None
):
    member = stable(T0, T1, auto_commit_ms=5_000)
    member.time_out(5_010)
    assert member.beaten(5_012, 2, T1) == []
    assert member.hear(Polled(), 5_050) == [HeldBack((T0,))]
    commit = member.last()
    assert isinstance(commit, OffsetCommit)
    assert (commit.generation, commit.offsets) == (2, (OFFSET,))
    assert member.hear(Polled(), 5_051) == []
    assert member.committed(5_052) == []
    assert member.hear(Polled(), 5_060) == [Revoked((T0,))]
    assert member.owned() == (T0, T1)
    assert member.hear(CallbackDone(), 5_070) == [Assigned((), 2)]
    assert member.owned() == (T1,)
    assert member.hear(CallbackDone(), 5_071) == []
    assert member.beat().owned == (T1,)


def test_only_what_is_added_may_be_taken_while_the_application_works() -> None:
    member = stable(T0)
    member.time_out(5_010)
    assert member.beaten(5_012, 3, T0, T1) == []
    assert member.hear(Polled(), 9_000) == [Assigned((T1,), 3)]
    slow = stable(T0, auto_commit_ms=5_000)
    slow.time_out(5_010)
    slow.beaten(5_012, 3, T0, T1)
    assert not isinstance(slow.last(), OffsetCommit)


def test_a_commit_with_an_old_epoch_is_sent_again_with_the_new_one() -> None:
    member = stable(T0, T1, auto_commit_ms=5_000)
    member.time_out(5_010)
    member.beaten(5_012, 2, T1)
    member.hear(Polled(), 5_050)
    member.committed(5_052, errors.STALE_MEMBER_EPOCH)
    assert member.machine.next_deadline_ms == 5_152
    member.time_out(5_152)
    commit = member.last()
    assert isinstance(commit, OffsetCommit) and commit.generation == 2
    member.committed(5_153)
    assert member.hear(Polled(), 5_160) == [Revoked((T0,))]


def test_a_commit_that_fails_for_good_holds_nothing_up() -> None:
    for error in (errors.UNKNOWN_MEMBER_ID, errors.UNKNOWN_TOPIC_OR_PARTITION):
        member = stable(T0, T1, auto_commit_ms=5_000)
        member.time_out(5_010)
        member.beaten(5_012, 2, T1)
        member.hear(Polled(), 5_050)
        member.committed(5_052, error)
        assert member.hear(Polled(), 5_060) == [Revoked((T0,))]


@pytest.mark.parametrize(
    "error", [errors.FENCED_MEMBER_EPOCH, errors.UNKNOWN_MEMBER_ID]
)
def test_n8_8_one_that_is_expelled_loses_all_and_joins_again(error: int) -> None:
    member = stable(T0, T1)
    member.time_out(5_010)
    assert member.beaten(5_012, error=error) == [HeldBack((T0, T1))]
    assert member.state() is State.FENCED
    assert member.machine.generation == -1
    assert member.hear(Polled(), 5_050) == [Lost((T0, T1))]
    assert member.hear(CallbackDone(), 5_060) == []
    again = member.beat()
    assert (again.member_epoch, again.owned, again.topics) == (0, (), ("t",))
    assert member.owned() == ()


def test_a_slow_application_leaves_and_joins_again_when_it_polls() -> None:
    member = stable(T0)
    for now_ms in range(5_010, 60_010, 5_000):
        member.time_out(now_ms)
        member.beaten(now_ms + 1, tells=False)
    assert member.due_ms() == 60_010
    assert member.time_out(60_010) == [HeldBack((T0,))]
    assert member.beat().member_epoch == -1
    assert member.state() is State.STALE
    assert member.due_ms() is None
    assert member.hear(Polled(), 70_000) == [Lost((T0,))]
    member.hear(CallbackDone(), 70_001)
    assert (member.state(), member.beat().member_epoch) == (State.JOINING, 0)


def test_a_slow_static_member_leaves_for_a_while() -> None:
    member = stable(T0, instance_id="i")
    member.time_out(5_010)
    member.beaten(5_011, tells=False)
    member.time_out(60_010)
    assert member.beat().member_epoch == -2


@pytest.mark.parametrize(("instance_id", "epoch"), [(None, -1), ("i", -2)])
def test_close_commits_gives_up_and_leaves(instance_id: str | None, epoch: int) -> None:
    member = stable(T0, auto_commit_ms=5_000, instance_id=instance_id)
    assert member.hear(Close(), 1_000) == []
    assert member.committed(1_002) == [Revoked((T0,))]
    assert member.hear(CallbackDone(), 1_003) == []
    assert member.beat().member_epoch == epoch
    assert member.state() is State.UNSUBSCRIBED
    assert member.beaten(1_005, epoch, tells=False) == [Closed()]


def test_close_waits_no_longer_than_30_s() -> None:
    member = stable(T0)
    assert member.hear(Close(), 1_000) == [Revoked((T0,))]
    member.hear(CallbackDone(), 1_001)
    assert member.machine.next_deadline_ms == 31_000
    assert member.time_out(31_000) == [Closed()]


def test_one_that_never_polled_closes_at_once() -> None:
    member = Driven()
    assert member.hear(Close(), 1) == [Closed()]


def test_an_interval_commit_is_due_in_a_poll() -> None:
    member = stable(T0, auto_commit_ms=5_000)
    member.time_out(5_010)
    assert not isinstance(member.last(), OffsetCommit)
    member.hear(Polled(), 5_009)
    assert not isinstance(member.last(), OffsetCommit)
    member.hear(Polled(), 5_010)
    assert isinstance(member.last(), OffsetCommit)
    member.committed(5_012, errors.COORDINATOR_LOAD_IN_PROGRESS)
    count = len(member.sent)
    member.hear(Polled(), 5_111)
    assert len(member.sent) == count
    member.hear(Polled(), 5_112)
    assert len(member.sent) == count + 1


def test_while_a_commit_is_under_way_a_poll_does_not_begin_anew_for_the_next() -> None:
    """What answers it lets `poll()` go on; until then nothing is due."""
    member = stable(T0, T1, auto_commit_ms=5_000)
    member.time_out(5_010)
    member.beaten(5_012, 2, T1)
    member.hear(Polled(), 5_050)
    assert isinstance(member.last(), OffsetCommit)
    due_ms = member.machine.polls_again_ms
    assert due_ms is None or due_ms > 5_050


OUTCOMES = {
    NONE: Outcome.DONE,
    errors.STALE_MEMBER_EPOCH: Outcome.EXPELLED,
    errors.UNKNOWN_MEMBER_ID: Outcome.EXPELLED,
    errors.COORDINATOR_LOAD_IN_PROGRESS: Outcome.RETRIABLE,
    errors.NOT_COORDINATOR: Outcome.RETRIABLE,
    errors.OFFSET_METADATA_TOO_LARGE: Outcome.FATAL,
    errors.FENCED_INSTANCE_ID: Outcome.FATAL,
}


@pytest.mark.parametrize(("error", "outcome"), OUTCOMES.items())
def test_what_the_application_hears_of_its_commit(error: int, outcome: Outcome) -> None:
    member = stable(T0)
    assert member.hear(Commit(4, (OFFSET,)), 20) == []
    heard = member.committed(22, error)
    assert heard[-1] == CommitEnded(4, outcome, error)


def test_offsets_are_asked_for_with_the_epoch_and_again_if_that_is_old() -> None:
    member = stable(T0)
    member.hear(OffsetsWanted((T0,)), 20)
    asked = member.last()
    assert isinstance(asked, OffsetFetch)
    assert (asked.member_id, asked.member_epoch) == ("m", 2)
    stale = OffsetsFetched(error=errors.STALE_MEMBER_EPOCH)
    assert member.hear(Answered(asked, stale), 22) == []
    assert member.machine.next_deadline_ms == 122
    member.time_out(122)
    assert isinstance(member.last(), OffsetFetch)


def test_a_lost_coordinator_is_looked_for_and_told_all_again() -> None:
    member = stable(T0)
    member.time_out(5_010)
    lost = member.beat()
    assert member.hear(Failed(lost), 5_020) == [CoordinatorIs(None)]
    look = member.last()
    assert isinstance(look, FindCoordinator)
    member.hear(Answered(look, CoordinatorFound(node=2)), 5_022)
    member.time_out(5_120)
    beat = member.beat()
    assert beat is not lost
    assert (beat.member_epoch, beat.owned, beat.topics) == (2, (T0,), ("t",))


def test_one_that_is_overtaken_while_it_reconciles_begins_anew() -> None:
    member = stable(T0, T1)
    member.time_out(5_010)
    member.beaten(5_012, 2, T1)
    assert member.hear(Polled(), 5_050) == [HeldBack((T0,)), Revoked((T0,))]
    member.time_out(10_010)
    member.beaten(10_012, 3, T1, T2)
    assert member.hear(CallbackDone(), 12_000) == [Assigned((), 3)]
    assert member.hear(CallbackDone(), 12_001) == [Assigned((T2,), 3)]
    assert (member.beat().owned, member.state()) == ((T1,), State.RECONCILING)


def test_a_poll_that_waits_is_not_woken_for_what_it_cannot_do() -> None:
    member = stable(T0, auto_commit_ms=5_000)
    assert member.machine.polls_again_ms == 5_010
    member.time_out(5_010)
    member.hear(Polled(), 5_010)
    commit = member.last()
    assert isinstance(commit, OffsetCommit)
    assert member.machine.polls_again_ms == 65_010  # late with its poll: that is all
    lost = member.beat()
    member.hear(Failed(lost), 5_020)
    member.hear(Polled(), 12_000)
    assert member.machine.polls_again_ms is None  # nobody to be told a thing
