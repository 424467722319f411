"""What a classic group answers, and what it forgets, at literal times."""

import pytest

from kafkasim.protocol.errors import (
    NOT_ENOUGH_REPLICAS,
    REQUEST_TIMED_OUT,
)
from kafkasim.protocol.groups.coordinator_records import ClassicGroupRecord
from kafkasim.protocol.groups.group_messages import OffsetFetch, Subscription
from tests.protocol.groups.coordinator.classic_coordinator import (
    GROUP,
    Coordinated,
    name,
)

BOTH = (("range", Subscription(("orders",))), ("sticky", Subscription(("orders",))))
STICKY_FIRST = tuple(reversed(BOTH))
PAYMENTS = (("range", Subscription(("payments",))),)


# GR-7: heartbeats


def test_heartbeats_tell_of_a_rebalance_while_members_are_to_join() -> None:
    coordinated = Coordinated()
    m1, m2 = coordinated.grown("m1", "m2")
    assert coordinated.heartbeat(m2, 1) == "NONE"
    coordinated.join("m1", m1)
    assert coordinated.heartbeat(m2, 1) == "REBALANCE_IN_PROGRESS"
    coordinated.join("m2", m2)
    assert coordinated.state == "CompletingRebalance"
    assert coordinated.heartbeat(m2, 2) == "NONE"


def test_heartbeats_of_others_are_refused() -> None:
    coordinated = Coordinated()
    assert coordinated.heartbeat("m1-1", 1) == "UNKNOWN_MEMBER_ID"
    (m1,) = coordinated.grown("m1")
    assert coordinated.heartbeat(m1, 0) == "ILLEGAL_GENERATION"
    assert coordinated.heartbeat(m1, 2) == "ILLEGAL_GENERATION"
    assert coordinated.heartbeat("m9-9", 1) == "UNKNOWN_MEMBER_ID"
    assert coordinated.heartbeat(m1, 1, instance_id="one") == "UNKNOWN_MEMBER_ID"


# GR-9: sessions


def test_a_member_that_is_silent_for_its_session_is_removed() -> None:
    coordinated = Coordinated()
    m1, m2 = coordinated.grown("m1", "m2")
    began_ms = coordinated.now_ms
    coordinated.at(began_ms + 44_000).heartbeat(m1, 1)
    coordinated.at(began_ms + 44_999)
    assert coordinated.members == [m1, m2]
    coordinated.at(began_ms + 45_000)
    assert coordinated.members == [m1]
    assert coordinated.state == "PreparingRebalance"


@pytest.mark.parametrize(
    ("session_ms", "error"),
    [
        (5_999, "INVALID_SESSION_TIMEOUT"),
        (6_000, "MEMBER_ID_REQUIRED"),
        (1_800_000, "MEMBER_ID_REQUIRED"),
        (1_800_001, "INVALID_SESSION_TIMEOUT"),
    ],
)
def test_a_session_has_bounds(session_ms: int, error: str) -> None:
    coordinated = Coordinated()
    coordinated.join("m1", session_timeout_ms=session_ms)
    assert coordinated.joins()[0][2] == error
    assert coordinated.groups.has(GROUP) is (error == "MEMBER_ID_REQUIRED")


def test_a_member_whose_request_waits_needs_no_heartbeat() -> None:
    coordinated = Coordinated()
    long: dict[str, object] = {"session_timeout_ms": 200_000}
    m1 = coordinated.enter("m1")
    coordinated.enter("m2", **long)
    coordinated.at(6_000).settle()
    coordinated.join("m1", m1)
    coordinated.at(150_000)
    assert m1 in coordinated.members
    coordinated.at(206_000)
    assert (coordinated.state, coordinated.members) == ("CompletingRebalance", [m1])


def test_a_new_member_that_waits_for_5_minutes_is_sent_away() -> None:
    coordinated = Coordinated()
    m1, _ = coordinated.grown("m1", "m2", rebalance_timeout_ms=900_000)
    coordinated.at(10_000).enter("m3", rebalance_timeout_ms=900_000)
    for second in range(10, 311, 10):
        coordinated.at(1_000 * second)
        coordinated.heartbeat(m1, 1)
    assert coordinated.joins()[-1] == (310_000, "", "UNKNOWN_MEMBER_ID", -1)
    assert coordinated.members == [m1]


def test_after_a_load_all_sessions_begin_anew() -> None:
    coordinated = Coordinated()
    m1, m2 = coordinated.grown("m1", "m2")
    other = coordinated.at(40_000).reload()
    other.at(84_999)
    assert (other.state, other.members) == ("Stable", [m1, m2])
    other.at(85_000)
    assert (other.state, other.generation, other.members) == ("Empty", 2, [])


# GR-10, GR-11: commits


def test_commits_of_members_are_taken_unless_the_assignment_is_awaited() -> None:
    coordinated = Coordinated()
    m1, m2 = coordinated.grown("m1", "m2")
    assert coordinated.commit(m1, 1) == "NONE"
    assert coordinated.commit(m1, 0) == "ILLEGAL_GENERATION"
    coordinated.join("m1", m1)
    assert coordinated.commit(m2, 1) == "NONE"
    coordinated.join("m2", m2)
    assert coordinated.state == "CompletingRebalance"
    assert coordinated.commit(m2, 1) == "ILLEGAL_GENERATION"
    assert coordinated.commit(m2, 2) == "REBALANCE_IN_PROGRESS"
    assert coordinated.commit("m9-9", 2) == "UNKNOWN_MEMBER_ID"


def test_commits_from_outside_are_taken_only_without_members() -> None:
    coordinated = Coordinated()
    assert coordinated.commit("", -1) == "NONE"
    assert coordinated.commit("m1-1", 1) == "UNKNOWN_MEMBER_ID"
    (m1,) = coordinated.grown("m1")
    assert coordinated.commit("", -1) == "UNKNOWN_MEMBER_ID"
    assert coordinated.commit(m1, -1) == "ILLEGAL_GENERATION"
    coordinated.leave(m1)
    assert coordinated.commit("", -1) == "NONE"


def test_a_commit_of_a_generation_of_a_group_that_is_not_there_is_refused() -> None:
    coordinated = Coordinated()
    assert coordinated.commit("m1-1", 1) == "GROUP_ID_NOT_FOUND"
    assert not coordinated.groups.has(GROUP)


def test_a_commit_counts_as_a_heartbeat() -> None:
    coordinated = Coordinated()
    (m1,) = coordinated.grown("m1")
    began_ms = coordinated.now_ms
    coordinated.at(began_ms + 40_000).commit(m1, 1)
    coordinated.at(began_ms + 84_999)
    assert coordinated.state == "Stable"
    coordinated.at(began_ms + 85_000)
    assert coordinated.state == "Empty"


# LeaveGroup


def test_who_leaves_is_gone_at_once() -> None:
    coordinated = Coordinated()
    m1, m2 = coordinated.grown("m1", "m2")
    assert coordinated.leave(m2) == "NONE"
    assert coordinated.story() == [
        (coordinated.now_ms, "PreparingRebalance", "member left")
    ]
    assert coordinated.heartbeat(m1, 1) == "REBALANCE_IN_PROGRESS"


def test_who_leaves_while_its_join_waits_is_told_so() -> None:
    coordinated = Coordinated()
    m1, m2 = coordinated.grown("m1", "m2")
    coordinated.join("m1", m1)
    assert coordinated.leave(m1) == "NONE"
    assert coordinated.joins() == [(coordinated.now_ms, "", "UNKNOWN_MEMBER_ID", -1)]
    assert coordinated.members == [m2]


def test_the_last_one_to_leave_hears_when_that_is_in_the_log() -> None:
    coordinated = Coordinated()
    (m1,) = coordinated.grown("m1")
    coordinated.holds = True
    assert coordinated.leave(m1) is None
    coordinated.end()
    assert len(coordinated.answers) == 1
    assert coordinated.reload().state == "Empty"


def test_the_last_one_to_leave_hears_if_that_could_not_be_written() -> None:
    coordinated = Coordinated()
    (m1,) = coordinated.grown("m1")
    coordinated.holds = True
    coordinated.leave(m1)
    coordinated.end(NOT_ENOUGH_REPLICAS)
    ((_, _, left),) = coordinated.answers
    assert name(left.error) == "COORDINATOR_NOT_AVAILABLE"  # type: ignore[union-attr]
    assert coordinated.state == "Empty"


def test_who_was_never_there_cannot_leave() -> None:
    coordinated = Coordinated()
    assert coordinated.leave("m1-1") == "UNKNOWN_MEMBER_ID"
    coordinated.grown("m1")
    assert coordinated.leave("m9-9") == "UNKNOWN_MEMBER_ID"
    assert coordinated.leave("") == "UNKNOWN_MEMBER_ID"
    assert coordinated.state == "Stable"


def test_an_id_that_was_given_out_can_be_given_back() -> None:
    coordinated = Coordinated()
    m1 = coordinated.enter("m1")
    coordinated.join("m2")
    coordinated.at(6_000)
    assert coordinated.leave("m2-2") == "NONE"
    assert coordinated.members == [m1]
    assert coordinated.groups.groups[GROUP].pending_joins == set()


# Writes that fail, a coordinator that goes


def test_a_group_whose_first_record_is_not_in_the_log_is_not_there() -> None:
    coordinated = Coordinated()
    coordinated.holds = True
    coordinated.join("m1")
    coordinated.end(NOT_ENOUGH_REPLICAS)
    assert not coordinated.groups.has(GROUP)


def test_a_group_whose_first_record_is_late_stays() -> None:
    coordinated = Coordinated()
    coordinated.holds = True
    coordinated.join("m1")
    coordinated.end(REQUEST_TIMED_OUT, appended=True)
    assert coordinated.groups.has(GROUP)


def test_a_coordinator_that_goes_sends_away_who_waits() -> None:
    coordinated = Coordinated()
    m1, m2 = coordinated.enter("m1"), coordinated.enter("m2")
    coordinated.forget()
    coordinated.take(coordinated.groups.unloaded(1_000))
    assert sorted(coordinated.joins()) == [
        (0, m1, "NOT_COORDINATOR", -1),
        (0, m2, "NOT_COORDINATOR", -1),
    ]
    assert coordinated.story() == [(0, "Dead", "coordinator moved")]
    assert coordinated.groups.next_deadline_ms is None


def test_a_coordinator_that_goes_sends_away_who_waits_for_an_assignment() -> None:
    coordinated = Coordinated()
    coordinated.enter("m1")
    m2 = coordinated.enter("m2")
    coordinated.at(6_000).sync(m2, 1)
    coordinated.take(coordinated.groups.unloaded(6_000))
    assert coordinated.syncs() == [(6_000, m2, "NOT_COORDINATOR", ())]
    assert coordinated.groups.unloaded(6_001) == []


def test_a_dead_group_answers_that_its_coordinator_is_not_here() -> None:
    coordinated = Coordinated()
    (m1,) = coordinated.grown("m1")
    coordinated.take(coordinated.groups.unloaded(6_000))
    gone = "COORDINATOR_NOT_AVAILABLE"
    assert coordinated.heartbeat(m1, 1) == coordinated.leave(m1) == gone
    assert coordinated.commit(m1, 1) == coordinated.commit("", -1) == gone
    synced = coordinated.sync(m1, 1)
    assert synced is not None and name(synced.error) == gone
    coordinated.join("m1", m1)
    coordinated.join("m2")
    assert [each[1:3] for each in coordinated.joins()] == [(m1, gone), ("", gone)]
    fetch = OffsetFetch(group=GROUP, partitions=())
    assert name(coordinated.groups.may_fetch(fetch)) == "GROUP_ID_NOT_FOUND"


# What the shard asks


def test_it_says_what_a_group_reads_and_since_when_it_is_empty() -> None:
    coordinated = Coordinated()
    groups = coordinated.groups
    groups.create(GROUP, 0)
    assert (groups.subscribed(GROUP), groups.empty_since_ms(GROUP)) == (None, None)
    assert groups.offsets_may_expire(GROUP)
    m1 = coordinated.enter("m1", protocols=PAYMENTS)
    m2 = coordinated.enter("m2")
    assert not groups.offsets_may_expire(GROUP)
    coordinated.at(6_000).settle()
    assert groups.subscribed(GROUP) == ("orders", "payments")
    assert groups.offsets_may_expire(GROUP)
    coordinated.leave(m1)
    coordinated.at(7_000).leave(m2)
    assert (groups.subscribed(GROUP), groups.empty_since_ms(GROUP)) == (None, 7_000)
    assert coordinated.reload().groups.empty_since_ms(GROUP) == 7_000
    fetch = OffsetFetch(group=GROUP, partitions=())
    assert name(groups.may_fetch(fetch)) == "NONE"


def test_a_tombstone_takes_a_group_away() -> None:
    coordinated = Coordinated()
    (m1,) = coordinated.grown("m1")
    coordinated.leave(m1)
    tombstone = ClassicGroupRecord(GROUP, None)
    coordinated.groups.replay(tombstone, 0)
    assert not coordinated.groups.has(GROUP)
    assert not coordinated.reload().groups.groups[GROUP].members
    coordinated.log.append(tombstone)
    assert not coordinated.reload().groups.has(GROUP)
