"""Every state of a member of the consumer protocol with every answer and event."""

from collections.abc import Mapping
from itertools import product
from pathlib import Path
from textwrap import fill

import pytest

from kafkasim.protocol import errors
from kafkasim.protocol.errors import ERRORS, NONE
from kafkasim.protocol.groups.coordinator.consumer_group import TRANSITIONS
from kafkasim.protocol.groups.coordinator.reconciliation import (
    MEMBER_STATES,
    MEMBER_TRANSITIONS,
)
from kafkasim.protocol.groups.member.consumer_states import (
    BEFORE,
    NOT_IN_GROUP,
    REACTIONS,
    State,
)
from kafkasim.protocol.groups.member.member_effects import (
    Assigned,
    CallbackDone,
    Close,
    Commit,
    Disconnected,
    Input,
    Lost,
    MetadataCame,
    OffsetsWanted,
    Polled,
    Raised,
    Revoked,
)
from tests.protocol.groups.member.driven_consumer import (
    OFFSET,
    T0,
    T1,
    Driven,
    joining,
    stable,
)

ROOT = Path(__file__).parents[4]


def in_state(state: State) -> Driven:
    """Return a member in a state, with a heartbeat that is not answered."""
    if state is State.JOINING:
        return joining()
    if state is State.UNSUBSCRIBED:
        member = stable()
        member.hear(Close(), 20)
        return member
    member = stable(T0, T1)
    member.time_out(5_010)
    if state is State.RECONCILING:
        member.beaten(5_011, 3, T0)
        member.time_out(10_010)
    elif state is State.FENCED:
        member.beaten(5_011, error=errors.UNKNOWN_MEMBER_ID)
    elif state is State.FATAL:
        member.beaten(5_011, error=errors.GROUP_MAX_SIZE_REACHED)
    elif state is State.STALE:
        member.time_out(60_010)
    return member


REACHED = [
    *(State.UNSUBSCRIBED, State.JOINING, State.RECONCILING, State.STABLE),
    *(State.FENCED, State.FATAL, State.STALE),
]
"""The others are passed through within one event."""


@pytest.mark.parametrize("state", REACHED)
def test_every_answer_in_every_state_leads_to_a_legal_state(state: State) -> None:
    for error in (NONE, *range(len(ERRORS))):
        member = in_state(state)
        assert member.state() is state
        now_ms = 60_020 if state is State.STALE else 12_000
        effects = member.beaten(now_ms, 4, T0, error=error)
        after = member.state()
        raised = [each for each in effects if isinstance(each, Raised)]
        assert raised == []
        if after is not state:
            path = {state, *BEFORE[after]}
            assert state in BEFORE[after] or path & {State.FENCED, State.JOINING}
        if state in NOT_IN_GROUP:
            assert after in {state, State.FATAL}
        elif error == NONE:
            assert member.machine.generation == 4
        elif error not in REACTIONS:
            assert after is State.FATAL


@pytest.mark.parametrize("state", REACHED)
def test_every_event_in_every_state_raises_nothing(state: State) -> None:
    events: tuple[Input, ...] = (
        *(Polled(), Disconnected(), MetadataCame({"t": 3}), OffsetsWanted((T0,))),
        *(Commit(1, (OFFSET,)), Commit(2, ()), Close()),
    )
    for first, second in product(events, repeat=2):
        if isinstance(first, Close):
            continue
        member = in_state(state)
        now_ms = 60_100 if state is State.STALE else 12_000
        effects = member.hear(first, now_ms)
        if not any(isinstance(each, Lost | Revoked | Assigned) for each in effects):
            member.hear(second, now_ms + 100)


def test_a_fatal_error_is_thrown_after_all_is_lost() -> None:
    member = in_state(State.FATAL)
    assert member.hear(Polled(), 60_100) == [Lost((T0, T1))]
    assert member.hear(CallbackDone(), 60_101) == [
        Raised(errors.GROUP_MAX_SIZE_REACHED)
    ]


def test_who_polls_in_a_callback_or_returns_from_none_errs() -> None:
    member = joining()
    with pytest.raises(ValueError, match="no callback"):
        member.hear(CallbackDone(), 2)
    member.beaten(2, 2, T0)
    member.hear(Polled(), 10)
    with pytest.raises(ValueError, match="has not returned"):
        member.hear(Polled(), 11)


# The document


def drawn(steps: Mapping[str, Mapping[str, str]]) -> str:
    """Return steps from state to state, and when, one a line."""
    width = max(map(len, steps))
    inner = max(len(to) for row in steps.values() for to in row)
    lines = []
    for state, row in steps.items():
        name = state
        for to, why in row.items():
            lines.append(f"{name:<{width}} ──▶ {to:<{inner}}  {why}")
            name = ""
    return "\n".join(lines)


def test_the_document_shows_the_tables() -> None:
    page = (ROOT / "docs/explanation/consumer-protocol.md").read_text("utf-8")
    groups = {
        str(state): {str(to): why for to, why in row.items()}
        for state, row in TRANSITIONS.items()
    }
    members = {
        MEMBER_STATES[state]: {MEMBER_STATES[to]: why for to, why in row.items()}
        for state, row in MEMBER_TRANSITIONS.items()
    }
    clients = "\n".join(
        fill(
            f"{to.value:<15} ◀── {', '.join(state.value for state in before)}",
            width=84,
            subsequent_indent=" " * 20,
        )
        for to, before in BEFORE.items()
    )
    for text in (drawn(groups), drawn(members), clients):
        assert f"```text\n{text}\n```" in page
