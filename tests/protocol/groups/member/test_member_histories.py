"""Members through random histories: what must hold in every one of them.

Any request is answered with anything it may be answered with, or fails; heartbeats,
callbacks, polls and commits come when they like.
"""

from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    Left,
    OffsetCommit,
    OffsetFetch,
    OffsetsCommitted,
    OffsetsFetched,
    Request,
    Response,
    Synced,
    SyncGroup,
)
from kafkasim.protocol.groups.member.member_effects import (
    Answered,
    CallbackDone,
    Commit,
    Disconnected,
    Failed,
    Input,
    OffsetsWanted,
    Polled,
)
from tests.protocol.groups.member.driven_member import (
    TOPIC,
    DrivenMember,
    offsets,
    partitions,
)

CODES = st.sampled_from([
    NONE, NONE, NONE, errors.NOT_COORDINATOR, errors.COORDINATOR_LOAD_IN_PROGRESS,
    errors.UNKNOWN_MEMBER_ID, errors.ILLEGAL_GENERATION, errors.REBALANCE_IN_PROGRESS,
])  # fmt: skip
MOVES = st.sampled_from(
    ["poll", "poll", "answer", "answer", "answer", "return", "wait", "commit", "fail"]
)


class History:
    """One member, and what it owns by its callbacks."""

    def __init__(self, assignor: str) -> None:
        self.is_eager = assignor == "range"
        self.member = DrivenMember(
            assignors=(assignor,), max_poll_interval_ms=20_000, session_timeout_ms=9_000
        )
        self.member.positions = offsets(p0=1)
        self.now = 0
        self.owned: set[int] = set()
        self.callback: str | None = None
        self.generations = count(1)
        self.tickets = count()

    def hears(self, event: Input) -> None:
        self.note(self.member.hears(event, self.now))

    def note(self, said: list[str]) -> None:
        """Check what it does, and remember."""
        machine = self.member.machine
        for each in said:
            word, _, rest = each.partition(" ")
            if word in {"Revoked", "Lost", "Assigned"}:
                assert self.callback is None
                self.callback = word
                numbers = {
                    int(n) for n in rest.split("]")[0].strip("[").split(", ") if n
                }
                self.taken = numbers
                if word == "Assigned":
                    assert not numbers & self.owned
                    self.owned |= numbers
                else:
                    assert numbers <= self.owned
                    assert (machine.generation == -1) == (word == "Lost") or (
                        not machine.member_id
                    ) == (word == "Lost")
            elif each == "Send JoinGroup":
                assert self.callback is None
                assert not (self.is_eager and self.owned)
            elif each == "Send OffsetCommit":
                commit = self.member.open[-1]
                if isinstance(commit, OffsetCommit):
                    assert commit.generation == machine.generation > 0
        assert {number for _, number in machine.owned} == self.owned

    def response(self, request: Request, error: int) -> Response:
        """Return an answer that this request may get."""
        answer: Response
        match request:
            case FindCoordinator():
                answer = CoordinatorFound(
                    error=errors.COORDINATOR_NOT_AVAILABLE if error != NONE else NONE,
                    node=1,
                )
            case JoinGroup() if not request.member_id:
                answer = Joined(error=errors.MEMBER_ID_REQUIRED, member_id="me")
            case JoinGroup():
                if error == NONE:
                    answer = self.member.joined(next(self.generations))
                elif error == errors.ILLEGAL_GENERATION:
                    answer = Joined(error=errors.REBALANCE_IN_PROGRESS)
                else:
                    answer = Joined(error=error)
            case SyncGroup():
                is_possible = error != errors.COORDINATOR_LOAD_IN_PROGRESS
                assigned = partitions(*range(self.now % 3))
                answer = Synced(error=error if is_possible else NONE, assigned=assigned)
            case Heartbeat():
                answer = Beaten(error=error)
            case OffsetCommit():
                answer = OffsetsCommitted(errors=(((TOPIC, 0), error),))
            case OffsetFetch():
                is_possible = error == errors.NOT_COORDINATOR
                found = tuple(offsets(p0=1))
                answer = OffsetsFetched(
                    error=error if is_possible else NONE, offsets=found
                )
            case _:
                answer = Left(error=error)
        return answer

    def move(self, what: str, error: int, number: int) -> None:
        self.now += number % 50
        open_ = self.member.open
        if what == "poll" and self.callback is None:
            self.hears(Polled())
            if self.member.machine.is_ready and self.owned:
                self.hears(OffsetsWanted(partitions(*sorted(self.owned))))
        elif what in {"answer", "fail"} and open_:
            request = open_.pop(number % len(open_))
            if what == "fail":
                self.hears(Failed(request))
            else:
                self.hears(Answered(request, self.response(request, error)))
        elif what == "return" and self.callback is not None:
            if self.callback != "Assigned":
                self.owned -= self.taken
            self.callback = None
            self.hears(CallbackDone())
        elif what == "wait":
            self.now += number * 40
            self.note(self.member.waits(self.now))
        elif what == "commit":
            self.hears(Commit(next(self.tickets), offsets(p0=2)))
        elif what == "fail":
            self.hears(Disconnected())


@pytest.mark.parametrize("assignor", ["range", "cooperative-sticky"])
@given(
    moves=st.lists(st.tuples(MOVES, CODES, st.integers(0, 100)), max_size=80),
)
@settings(max_examples=150, deadline=None)
def test_whatever_comes(assignor: str, moves: list[tuple[str, int, int]]) -> None:
    # It owns what its callbacks say, joins with nothing where it has to, and commits in
    # its own generation only; and what is due is in the future.
    history = History(assignor)

    for what, error, number in moves:
        history.move(what, error, number)
        due = history.member.machine.next_deadline_ms
        if what == "wait":
            assert due is None or due > history.now

    assert not any(isinstance(each, LeaveGroup) for each in history.member.open) or (
        history.now >= 20_000
    )
