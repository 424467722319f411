"""What a member of the classic protocol commits, asks for, and does when it closes.

Sources: `ConsumerCoordinator`, `AbstractCoordinator.close` (clients, 4.3).
"""

import pytest

from kafkasim.protocol import errors
from kafkasim.protocol.errors import NONE
from kafkasim.protocol.groups.group_messages import (
    Beaten,
    CoordinatorFound,
    Left,
    OffsetCommit,
    OffsetsFetched,
)
from kafkasim.protocol.groups.member.member_effects import (
    Close,
    Commit,
    OffsetsWanted,
)
from kafkasim.protocol.groups.member.membership import State
from tests.protocol.groups.member.driven_member import DrivenMember, offsets, partitions


def test_an_automatic_commit_is_due_an_interval_after_the_assignment() -> None:
    member = DrivenMember(auto_commit_ms=5_000).is_stable(100)
    member.positions = offsets(p0=3)

    assert member.machine.polls_again_ms == 5_100
    assert member.polls(5_099) == []
    assert member.polls(5_100) == ["Send OffsetCommit"]
    member.commits(errors.COORDINATOR_LOAD_IN_PROGRESS, 5_101)
    assert member.polls(5_150) == []
    assert member.machine.polls_again_ms == 5_250
    assert member.polls(5_250) == ["Send OffsetCommit"]


@pytest.mark.parametrize(
    ("error", "outcome", "state"),
    [
        (NONE, "DONE", State.STABLE),
        (errors.UNKNOWN_TOPIC_OR_PARTITION, "RETRIABLE", State.STABLE),
        (errors.COORDINATOR_LOAD_IN_PROGRESS, "RETRIABLE", State.STABLE),
        (errors.REQUEST_TIMED_OUT, "RETRIABLE", State.STABLE),
        (errors.NOT_COORDINATOR, "RETRIABLE", State.STABLE),
        (errors.COORDINATOR_NOT_AVAILABLE, "RETRIABLE", State.STABLE),
        (errors.REBALANCE_IN_PROGRESS, "REBALANCING", State.STABLE),
        (errors.UNKNOWN_MEMBER_ID, "EXPELLED", State.UNJOINED),
        (errors.ILLEGAL_GENERATION, "EXPELLED", State.UNJOINED),
        (errors.FENCED_INSTANCE_ID, "FATAL", State.STABLE),
        (errors.OFFSET_METADATA_TOO_LARGE, "FATAL", State.STABLE),
    ],
)
def test_what_an_error_makes_of_a_commit(
    error: int, outcome: str, state: State
) -> None:
    # CO-12
    member = DrivenMember(auto_commit_ms=None).is_stable()
    member.hears(Commit(7, offsets(p0=1)), 10)

    ended = member.commits(error, 11)[-1]

    word = "none" if error == NONE else errors.ERRORS[error]
    assert ended == f"CommitEnded 7 {outcome} {word}"
    assert member.machine._membership.state is state


def test_a_commit_goes_out_only_in_a_generation_that_has_its_assignment() -> None:
    commit = Commit(1, offsets(p0=1))
    nobody, joining, syncing = (
        DrivenMember().finds(), DrivenMember().joins(), DrivenMember().syncs()
    )  # fmt: skip

    assert nobody.hears(commit, 1) == ["CommitEnded 1 EXPELLED none"]
    assert joining.hears(commit, 1) == ["CommitEnded 1 REBALANCING none"]
    assert syncing.hears(commit, 1) == ["CommitEnded 1 REBALANCING none"]


@pytest.mark.parametrize(
    "error",
    [errors.UNKNOWN_MEMBER_ID, errors.ILLEGAL_GENERATION, errors.FENCED_INSTANCE_ID],
)
def test_an_answer_to_an_older_self_makes_nobody_join_that_joins_already(
    error: int,
) -> None:
    member = DrivenMember(auto_commit_ms=None).is_stable()
    member.hears(Commit(7, offsets(p0=1)), 10)
    member.waits(3_000)
    member.answers(Beaten(error=errors.UNKNOWN_MEMBER_ID), 3_001)
    member.polls(3_001)
    member.returns(3_001)

    assert member.commits(error, 3_002)[-1].startswith("CommitEnded 7 REBALANCING")


def test_a_commit_waits_for_the_coordinator_and_fails_if_it_is_not_found() -> None:
    member = DrivenMember(auto_commit_ms=None).is_stable()
    member.disconnects(10)

    assert member.hears(Commit(1, offsets(p0=1)), 10) == ["Send FindCoordinator"]
    assert member.answers(CoordinatorFound(node=2), 11) == [
        "CoordinatorIs 2", "Send OffsetCommit"
    ]  # fmt: skip
    assert member.fails(OffsetCommit, 12) == [
        "CoordinatorIs None", "CommitEnded 1 RETRIABLE none"
    ]  # fmt: skip
    assert member.hears(Commit(2, offsets(p0=1)), 112) == ["Send FindCoordinator"]
    failed = CoordinatorFound(error=errors.COORDINATOR_NOT_AVAILABLE)
    assert member.answers(failed, 113) == ["CommitEnded 2 RETRIABLE none"]


def test_offsets_are_asked_for_until_they_come() -> None:
    member = DrivenMember(auto_commit_ms=None).is_stable()

    assert member.hears(OffsetsWanted(partitions(0)), 10) == ["Send OffsetFetch"]
    assert member.machine.blocks
    load = OffsetsFetched(error=errors.COORDINATOR_LOAD_IN_PROGRESS)
    assert member.answers(load, 11) == []
    assert member.polls(11) == []
    assert member.machine.polls_again_ms == 111
    assert member.polls(111) == ["Send OffsetFetch"]
    found = OffsetsFetched(offsets=offsets(p0=-1))
    assert member.answers(found, 112) == ["OffsetsFound {0: -1}"]
    assert not member.machine.blocks


def test_offsets_are_asked_for_elsewhere_when_the_coordinator_has_moved() -> None:
    member = DrivenMember(auto_commit_ms=None).is_stable()
    member.hears(OffsetsWanted(partitions(0)), 10)
    moved = OffsetsFetched(error=errors.NOT_COORDINATOR)

    assert member.answers(moved, 11) == ["CoordinatorIs None"]
    assert member.polls(11) == ["Send FindCoordinator"]
    member.answers(CoordinatorFound(node=2), 12)
    assert member.polls(111) == ["Send OffsetFetch"]


def test_close_commits_revokes_and_leaves() -> None:
    # CO-10, GR-9
    member = DrivenMember().is_stable()
    member.positions = offsets(p0=5)

    assert member.hears(Close(), 100) == ["Send OffsetCommit"]
    assert member.commits(NONE, 101) == ["Revoked [0, 1]"]
    assert member.returns(102) == ["Send LeaveGroup"]
    assert member.machine.generation == -1
    assert member.answers(Left(), 103) == ["Closed"]


def test_a_static_member_closes_without_leaving() -> None:
    # GR-14
    member = DrivenMember(instance_id="i", auto_commit_ms=None).is_stable()

    assert member.hears(Close(), 100) == ["Revoked [0, 1]"]
    assert member.returns(102) == ["Closed"]


def test_close_waits_thirty_seconds_at_most() -> None:
    member = DrivenMember().is_stable()
    member.positions = offsets(p0=5)
    member.hears(Close(), 100)

    said = member.waits(30_099)
    assert set(said) == {"Send Heartbeat"}
    assert member.waits(30_100) == ["Revoked [0, 1]"]
    assert member.returns(30_100) == ["Send LeaveGroup", "Closed"]


def test_what_a_closing_member_has_while_others_join_is_lost() -> None:
    member = DrivenMember(assignors=("cooperative-sticky",), auto_commit_ms=None)
    member.is_stable()
    member.waits(3_000)
    member.answers(Beaten(error=errors.REBALANCE_IN_PROGRESS), 3_001)
    member.polls(3_001)

    assert member.hears(Close(), 3_002) == ["Lost [0, 1]"]
