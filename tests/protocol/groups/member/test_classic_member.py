"""The client's side of the classic protocol: times, callbacks, errors.

Sources: `AbstractCoordinator`, `ConsumerCoordinator`, `Heartbeat` (clients, 4.3).
"""

from dataclasses import replace

import pytest

from kafkasim.protocol import errors
from kafkasim.protocol.errors import NONE
from kafkasim.protocol.groups.group_messages import (
    Beaten,
    CoordinatorFound,
    FindCoordinator,
    Heartbeat,
    Joined,
    JoinGroup,
    LeaveGroup,
    OffsetCommit,
    OffsetFetch,
    Synced,
    SyncGroup,
)
from kafkasim.protocol.groups.member.member_effects import (
    Close,
    MetadataCame,
    OffsetsWanted,
    Polled,
    Send,
)
from kafkasim.protocol.groups.member.membership import State
from tests.protocol.groups.member.driven_member import (
    TOPIC,
    DrivenMember,
    offsets,
    partitions,
)


def test_a_new_member_asks_for_its_coordinator_then_joins_twice() -> None:
    # GR-1: the first JoinGroup gets an id, the second one comes with it.
    member = DrivenMember()

    assert member.polls(0) == ["Send FindCoordinator"]
    assert member.machine.blocks
    assert member.answers(CoordinatorFound(node=1), 1) == ["CoordinatorIs 1"]
    assert member.polls(1) == ["Send JoinGroup"]
    first = member.sent(JoinGroup)
    assert isinstance(first, JoinGroup) and first.member_id == ""
    required = Joined(error=errors.MEMBER_ID_REQUIRED, member_id="c-1")
    assert member.answers(required, 2) == []
    assert member.polls(2) == ["Send JoinGroup"]
    again = member.sent(JoinGroup)
    assert isinstance(again, JoinGroup) and again.member_id == "c-1"


def test_a_join_may_take_the_rebalance_timeout_and_five_seconds() -> None:
    member = DrivenMember(max_poll_interval_ms=60_000).finds()

    (join,) = member.machine.handle(Polled(), 0)

    assert isinstance(join, Send) and join.timeout_ms == 65_000


def test_the_leader_brings_an_assignment_and_a_follower_nothing() -> None:
    leader = DrivenMember().syncs(leads=True).sent(SyncGroup)
    follower = DrivenMember().syncs().sent(SyncGroup)

    assert isinstance(leader, SyncGroup) and isinstance(follower, SyncGroup)
    assert leader.assignments == (("me", partitions(0)), ("other", partitions(1)))
    assert follower.assignments == ()


def test_what_is_assigned_is_owned_when_the_callback_runs() -> None:
    member = DrivenMember().syncs()
    member.answers(Synced(assigned=partitions(1, 0)), 4)

    assert member.polls(4) == ["Assigned [0, 1] 1"]
    assert member.machine.owned == partitions(0, 1)
    assert not member.machine.is_ready
    assert member.returns(5) == []
    assert member.machine.is_ready


def test_heartbeats_come_every_interval_whatever_the_application_does() -> None:
    # GR-8, counted from the answer to JoinGroup.
    member = DrivenMember().is_stable(10)

    assert member.waits(3_009) == []
    assert member.waits(9_010) == ["Send Heartbeat"] * 3


def test_a_group_that_rebalances_is_seen_by_a_heartbeat() -> None:
    # GR-7: the eager protocol gives up all before it joins (GR-12).
    member = DrivenMember(auto_commit_ms=None).is_stable()
    member.waits(3_000)
    member.answers(Beaten(error=errors.REBALANCE_IN_PROGRESS), 3_001)

    assert member.polls(3_001) == ["Revoked [0, 1]"]
    assert member.machine.owned == partitions(0, 1)
    assert member.returns(3_050) == ["Send JoinGroup"]
    assert member.machine.owned == ()
    join = member.sent(JoinGroup)
    assert isinstance(join, JoinGroup) and join.member_id == "me"


def test_a_heartbeat_during_a_rebalance_asks_for_no_other() -> None:
    member = DrivenMember().syncs()
    member.waits(3_000)
    member.answers(Beaten(error=errors.REBALANCE_IN_PROGRESS), 3_001)
    member.answers(Synced(assigned=partitions(0)), 3_002)
    member.polls(3_002)

    assert member.returns(3_002) == []
    assert member.machine._membership.state is State.STABLE


def test_an_automatic_commit_comes_before_what_is_revoked_and_is_waited_for() -> None:
    # CO-10
    member = DrivenMember().is_stable()
    member.positions = offsets(p0=5, p1=7)
    member.waits(3_000)
    member.answers(Beaten(error=errors.REBALANCE_IN_PROGRESS), 3_001)

    assert member.polls(3_001) == ["HeldBack [0, 1]", "Send OffsetCommit"]
    commit = member.sent(OffsetCommit)
    assert isinstance(commit, OffsetCommit)
    assert (commit.generation, commit.member_id, commit.offsets) == (
        1, "me", offsets(p0=5, p1=7)
    )  # fmt: skip
    assert member.polls(3_002) == []
    assert member.commits(NONE, 3_003) == []
    assert member.polls(3_003) == ["Revoked [0, 1]"]


@pytest.mark.parametrize(
    ("error", "then"),
    [
        (errors.COORDINATOR_LOAD_IN_PROGRESS, ["HeldBack [0, 1]", "Send OffsetCommit"]),
        (errors.OFFSET_METADATA_TOO_LARGE, ["Revoked [0, 1]"]),
        (errors.REBALANCE_IN_PROGRESS, ["Revoked [0, 1]"]),
        (errors.UNKNOWN_MEMBER_ID, ["Lost [0, 1]"]),
        (errors.ILLEGAL_GENERATION, ["Lost [0, 1]"]),
    ],
)
def test_a_commit_before_a_rebalance_is_tried_again_only_where_that_may_help(
    error: int, then: list[str]
) -> None:
    member = DrivenMember().is_stable()
    member.positions = offsets(p0=5)
    member.waits(3_000)
    member.answers(Beaten(error=errors.REBALANCE_IN_PROGRESS), 3_001)
    member.polls(3_001)
    member.commits(error, 3_003)

    first = member.polls(3_003)
    if not first:
        assert member.machine.polls_again_ms == 3_103
        first = member.polls(3_103)

    assert first == then


def test_it_gives_up_waiting_for_that_commit_after_the_rebalance_timeout() -> None:
    member = DrivenMember(max_poll_interval_ms=10_000).is_stable()
    member.positions = offsets(p0=5)
    member.waits(3_000)
    member.answers(Beaten(error=errors.REBALANCE_IN_PROGRESS), 3_001)
    member.polls(3_001)

    assert member.machine.polls_again_ms == 13_001
    assert member.polls(13_000) == []
    assert member.polls(13_001) == ["Revoked [0, 1]"]


def test_the_cooperative_protocol_gives_up_what_is_taken_away_and_joins_again() -> None:
    # GR-12
    member = DrivenMember(assignors=("cooperative-sticky",), auto_commit_ms=None)
    member.is_stable()
    member.waits(3_000)
    member.answers(Beaten(error=errors.REBALANCE_IN_PROGRESS), 3_001)

    assert member.polls(3_001) == ["Send JoinGroup"]
    join = member.sent(JoinGroup)
    assert isinstance(join, JoinGroup)
    assert join.protocols[0][1].owned == partitions(0, 1)
    assert join.protocols[0][1].generation == 1
    member.answers(member.joined(2), 3_002)
    member.answers(Synced(assigned=partitions(0)), 3_003)
    assert member.polls(3_003) == ["Revoked [1]"]
    assert member.returns(3_004) == ["Assigned [] 2"]
    assert member.machine.owned == partitions(0)
    assert member.returns(3_004) == ["Send JoinGroup"]
    again = member.sent(JoinGroup)
    assert isinstance(again, JoinGroup)
    assert again.protocols[0][1].owned == partitions(0)
    assert again.protocols[0][1].generation == 2


def test_one_that_is_expelled_in_a_callback_takes_its_assignment_and_loses_it() -> None:
    # `onJoinComplete` has a copy of the generation; the heartbeat thread goes on.
    member = DrivenMember(assignors=("cooperative-sticky",), auto_commit_ms=None)
    member.is_stable()
    member.waits(3_000)
    member.answers(Beaten(error=errors.REBALANCE_IN_PROGRESS), 3_001)
    member.polls(3_001)
    member.answers(member.joined(2), 3_002)
    member.answers(Synced(assigned=partitions(0)), 3_003)
    assert member.polls(3_003) == ["Revoked [1]"]
    member.waits(6_002)
    member.answers(Beaten(error=errors.UNKNOWN_MEMBER_ID), 6_003)

    assert member.returns(6_004) == ["Assigned [] 2"]
    assert member.returns(6_004) == ["Lost [0]"]


def test_what_an_expelled_member_had_is_lost_not_revoked() -> None:
    # GR-13: no commit is tried, and the next join is that of a new member.
    member = DrivenMember().is_stable()
    member.positions = offsets(p0=5)
    member.waits(3_000)
    member.answers(Beaten(error=errors.UNKNOWN_MEMBER_ID), 3_001)

    assert member.polls(3_001) == ["HeldBack [0, 1]", "Lost [0, 1]"]
    assert member.returns(3_001) == ["Send JoinGroup"]
    join = member.sent(JoinGroup)
    assert isinstance(join, JoinGroup) and join.member_id == ""


def test_after_an_old_generation_it_keeps_its_id() -> None:
    member = DrivenMember(auto_commit_ms=None).is_stable()
    member.waits(3_000)
    member.answers(Beaten(error=errors.ILLEGAL_GENERATION), 3_001)

    assert member.polls(3_001) == ["Lost [0, 1]"]
    member.returns(3_001)
    join = member.sent(JoinGroup)
    assert isinstance(join, JoinGroup) and join.member_id == "me"


def test_an_application_that_polls_no_more_leaves_and_joins_at_its_next_poll() -> None:
    # GR-8
    member = DrivenMember(max_poll_interval_ms=5_000, auto_commit_ms=None)
    member.is_stable()
    member.polls(1_000)

    assert member.waits(5_999) == ["Send Heartbeat"]
    assert member.waits(60_000) == ["Send LeaveGroup"]
    assert member.polls(60_000) == ["Lost [0, 1]"]
    assert member.returns(60_000) == ["Send JoinGroup"]


def test_a_static_member_that_polls_no_more_only_stops_its_heartbeats() -> None:
    # GR-14
    member = DrivenMember(
        instance_id="i", max_poll_interval_ms=5_000, auto_commit_ms=None
    )
    member.is_stable()

    assert member.waits(60_000) == ["Send Heartbeat"]
    assert member.polls(60_000) == ["Lost [0, 1]"]
    member.returns(60_000)
    join = member.sent(JoinGroup)
    assert isinstance(join, JoinGroup)
    assert (join.member_id, join.instance_id) == ("", "i")


def test_a_coordinator_that_is_silent_for_the_session_timeout_is_looked_for() -> None:
    member = DrivenMember(session_timeout_ms=7_000).is_stable()

    said = member.waits(7_000)

    assert said == [
        "Send Heartbeat", "Send Heartbeat", "CoordinatorIs None", "Send FindCoordinator"
    ]  # fmt: skip


def test_the_heartbeat_thread_asks_anew_every_other_backoff() -> None:
    member = DrivenMember().is_stable()
    member.disconnects(1_000)

    assert member.waits(1_450) == ["Send FindCoordinator"] * 3


def test_in_a_poll_it_asks_again_after_a_backoff_that_doubles() -> None:
    member = DrivenMember()
    times = [0]
    member.polls(0)
    for _ in range(5):
        failed = CoordinatorFound(error=errors.COORDINATOR_NOT_AVAILABLE)
        member.answers(failed, times[-1])
        due = member.machine.next_deadline_ms
        assert due is not None
        assert member.waits(due) == ["Send FindCoordinator"]
        times.append(due)

    assert times == [0, 100, 300, 700, 1_500, 2_500]


def test_a_coordinator_that_never_answered_is_looked_for_after_a_backoff() -> None:
    member = DrivenMember().finds()
    member.disconnects(5)

    assert member.polls(5) == []
    assert member.waits(105) == ["Send FindCoordinator"]


def test_one_that_had_answered_is_looked_for_at_once() -> None:
    member = DrivenMember().is_stable()
    member.disconnects(5)

    assert member.polls(5) == ["Send FindCoordinator"]


def test_a_leader_that_sees_more_partitions_joins_again() -> None:
    # GR-15
    leader = DrivenMember(auto_commit_ms=None).is_stable(leads=True)
    follower = DrivenMember(auto_commit_ms=None).is_stable()
    for member in (leader, follower):
        member.hears(MetadataCame({TOPIC: 3}), 50)

    assert leader.polls(50) == ["Revoked [0, 1]"]
    assert follower.polls(50) == []


def test_one_that_leads_no_more_watches_the_partitions_no_more() -> None:
    # GR-15: another one leads generation 2.
    member = DrivenMember(auto_commit_ms=None).is_stable(leads=True)
    member.waits(3_000)
    member.answers(Beaten(error=errors.REBALANCE_IN_PROGRESS), 3_001)
    member.polls(3_001)
    member.returns(3_001)
    member.answers(member.joined(2), 3_002)
    member.answers(Synced(assigned=partitions(0)), 3_003)
    member.polls(3_003)
    member.returns(3_003)
    member.hears(MetadataCame({TOPIC: 3}), 3_004)

    assert member.polls(3_004) == []


def test_a_fenced_member_throws_in_its_next_poll() -> None:
    # GR-14
    member = DrivenMember(instance_id="i").is_stable()
    member.waits(3_000)
    member.answers(Beaten(error=errors.FENCED_INSTANCE_ID), 3_001)

    assert member.waits(60_000) == []
    assert member.polls(60_000) == ["Raised FENCED_INSTANCE_ID"]


def test_an_application_in_a_callback_cannot_poll() -> None:
    member = DrivenMember().syncs()
    member.answers(Synced(assigned=partitions(0)), 4)
    member.polls(4)

    with pytest.raises(ValueError, match="callback"):
        member.polls(5)
    with pytest.raises(ValueError, match="callback"):
        member.hears(Close(), 5)
    member.returns(5)
    with pytest.raises(ValueError, match="no callback"):
        member.returns(6)


def test_answers_wait_for_a_poll_while_there_is_nothing_to_beat_for() -> None:
    joining, syncing = DrivenMember().joins(), DrivenMember().syncs()

    assert not joining.machine.reads_in_background
    assert syncing.machine.reads_in_background


def test_a_lost_join_is_sent_to_the_coordinator_that_is_found_then() -> None:
    member = DrivenMember().joins()

    assert member.fails(JoinGroup, 5) == ["CoordinatorIs None"]
    assert member.polls(5) == ["Send FindCoordinator"]
    member.answers(CoordinatorFound(node=2), 6)
    assert member.polls(6) == []
    assert member.machine.polls_again_ms == 106
    assert member.polls(106) == ["Send JoinGroup"]


def test_a_group_of_its_own_is_told_by_its_requests() -> None:
    member = DrivenMember(instance_id="i").is_stable()
    member.hears(OffsetsWanted(partitions(0)), 10)
    member.waits(3_000)
    beat, fetch = member.sent(Heartbeat), member.sent(OffsetFetch)

    assert isinstance(beat, Heartbeat) and isinstance(fetch, OffsetFetch)
    assert replace(beat, group="") == Heartbeat(
        group="", generation=1, member_id="me", instance_id="i"
    )
    assert fetch.partitions == partitions(0)
    assert fetch.member_id is None
    with pytest.raises(StopIteration):
        member.sent(FindCoordinator)
    with pytest.raises(StopIteration):
        member.sent(LeaveGroup)
