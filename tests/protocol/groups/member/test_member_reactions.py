"""Every error in answer to every request, in every state it can come in.

Sources: the response handlers of `AbstractCoordinator` (clients, 4.3). What is not
named there is unexpected: the client throws.
"""

import pytest

from kafkasim.protocol.errors import ERRORS
from kafkasim.protocol.groups.group_messages import (
    Beaten,
    CoordinatorFound,
    Heartbeat,
    Joined,
    JoinGroup,
    LeaveGroup,
    Left,
    OffsetsFetched,
    Synced,
)
from kafkasim.protocol.groups.member.member_effects import Close, OffsetsWanted
from kafkasim.protocol.groups.member.membership import State
from tests.protocol.groups.member.driven_member import DrivenMember, partitions

EVERY = pytest.mark.parametrize("name", ERRORS)
LOOKS = {"COORDINATOR_NOT_AVAILABLE", "NOT_COORDINATOR"}
PASS = {
    "UNKNOWN_TOPIC_OR_PARTITION", "LEADER_NOT_AVAILABLE", "NOT_LEADER_OR_FOLLOWER",
    "REQUEST_TIMED_OUT", "NETWORK_EXCEPTION", "NOT_ENOUGH_REPLICAS",
    "NOT_ENOUGH_REPLICAS_AFTER_APPEND", "KAFKA_STORAGE_ERROR", "FENCED_LEADER_EPOCH",
    "UNKNOWN_LEADER_EPOCH", "OFFSET_NOT_AVAILABLE", "INELIGIBLE_REPLICA",
    "NOT_CONTROLLER", "COORDINATOR_NOT_AVAILABLE", "NOT_COORDINATOR",
    "COORDINATOR_LOAD_IN_PROGRESS", "UNSTABLE_OFFSET_COMMIT",
}  # fmt: skip
"""Errors of Kafka's class `RetriableException`."""


def code(name: str) -> int:
    return ERRORS.index(name)


def next_id(member: DrivenMember) -> str:
    """Return as whom it has sent JoinGroup."""
    join = member.sent(JoinGroup)
    assert isinstance(join, JoinGroup)
    return join.member_id


@EVERY
def test_join(name: str) -> None:
    member = DrivenMember().joins()

    effects = member.answers(Joined(error=code(name), member_id="new"), 1)

    assert effects == (["CoordinatorIs None"] if name in LOOKS else [])
    assert member.machine._membership.state is (
        State.UNJOINED if name == "UNKNOWN_MEMBER_ID" else State.PREPARING_REBALANCE
    )
    said = member.polls(1)
    if name in LOOKS:
        assert said == ["Send FindCoordinator"]
    elif name == "COORDINATOR_LOAD_IN_PROGRESS":
        assert said == [] and member.machine.polls_again_ms == 101
        assert member.polls(101) == ["Send JoinGroup"] and next_id(member) == "me"
    elif name in {"UNKNOWN_MEMBER_ID", "MEMBER_ID_REQUIRED", "REBALANCE_IN_PROGRESS"}:
        ids = {"UNKNOWN_MEMBER_ID": "", "MEMBER_ID_REQUIRED": "new"}
        assert said == ["Send JoinGroup"] and next_id(member) == ids.get(name, "me")
    else:
        assert said == [f"Raised {name}"]


@EVERY
def test_sync(name: str) -> None:
    member = DrivenMember().syncs()

    effects = member.answers(Synced(error=code(name)), 1)

    assert effects == (["CoordinatorIs None"] if name in LOOKS else [])
    is_reset = name in {"UNKNOWN_MEMBER_ID", "ILLEGAL_GENERATION"}
    assert member.machine._membership.state is (
        State.UNJOINED if is_reset else State.COMPLETING_REBALANCE
    )
    said = member.polls(1)
    if name in LOOKS:
        assert said == ["Send FindCoordinator"]
    elif is_reset or name == "REBALANCE_IN_PROGRESS":
        known = "" if name == "UNKNOWN_MEMBER_ID" else "me"
        assert said == ["Send JoinGroup"] and next_id(member) == known
    else:
        assert said == [f"Raised {name}"]


@EVERY
@pytest.mark.parametrize("state", [State.COMPLETING_REBALANCE, State.STABLE])
def test_heartbeat(name: str, state: State) -> None:
    member = DrivenMember(auto_commit_ms=None)
    is_stable = state is State.STABLE
    member.is_stable() if is_stable else member.syncs()
    member.waits(3_000)

    effects = member.answers(Beaten(error=code(name)), 3_001)

    assert effects == (["CoordinatorIs None"] if name in LOOKS else [])
    is_reset = name in {"UNKNOWN_MEMBER_ID", "ILLEGAL_GENERATION", "FENCED_INSTANCE_ID"}
    assert member.machine._membership.state is (State.UNJOINED if is_reset else state)
    said = member.polls(3_001)
    if name in LOOKS:
        assert said == ["Send FindCoordinator"]
    elif name == "FENCED_INSTANCE_ID":
        assert said == [f"Raised {name}"]
    elif name == "REBALANCE_IN_PROGRESS":
        assert said == (["Revoked [0, 1]"] if is_stable else [])
        assert member.waits(3_500) == []
    elif is_reset:
        assert said == (["Lost [0, 1]"] if is_stable else [])
        known = "" if name == "UNKNOWN_MEMBER_ID" else "me"
        if is_stable:
            member.returns(3_001)
            assert next_id(member) == known
        assert member.machine.member_id == known
    else:
        assert said == []
        assert member.waits(3_100) == []
        assert member.waits(3_101) == ["Send Heartbeat"]


@EVERY
def test_a_heartbeat_of_an_older_generation(name: str) -> None:
    member = DrivenMember(auto_commit_ms=None).is_stable()
    member.waits(6_000)
    member.answers(Beaten(error=code("REBALANCE_IN_PROGRESS")), 6_001)
    member.polls(6_001)
    member.returns(6_001)
    member.answers(member.joined(2), 6_002)

    effects = member.answers(Beaten(error=code(name)), 6_003)

    assert effects == (["CoordinatorIs None"] if name in LOOKS else [])
    assert member.machine.generation == 2
    assert member.machine._membership.state is State.COMPLETING_REBALANCE


@EVERY
def test_find_coordinator(name: str) -> None:
    member = DrivenMember()
    member.polls(0)

    assert member.answers(CoordinatorFound(error=code(name)), 1) == []

    if name in PASS:
        assert member.polls(1) == []
        assert member.waits(101) == ["Send FindCoordinator"]
    else:
        assert member.polls(1) == [f"Raised {name}"]


@EVERY
def test_offset_fetch(name: str) -> None:
    member = DrivenMember(auto_commit_ms=None).is_stable()
    member.hears(OffsetsWanted(partitions(0)), 10)

    effects = member.answers(OffsetsFetched(error=code(name)), 11)

    if name in LOOKS:
        assert effects == ["CoordinatorIs None"]
    elif name in PASS:
        assert effects == []
        assert member.polls(110) == []
        assert member.polls(111) == ["Send OffsetFetch"]
    else:
        assert effects == [f"Raised {name}"]


@EVERY
def test_leave(name: str) -> None:
    member = DrivenMember(auto_commit_ms=None).is_stable()
    member.hears(Close(), 10)
    member.returns(10)
    assert isinstance(member.sent(LeaveGroup), LeaveGroup)

    assert member.answers(Left(error=code(name)), 11) == ["Closed"]


def test_no_beat_is_sent_by_one_that_has_no_generation() -> None:
    for member in (DrivenMember(), DrivenMember().finds(), DrivenMember().joins()):
        assert member.waits(60_000) == []
        assert not any(isinstance(each, Heartbeat) for each in member.open)
