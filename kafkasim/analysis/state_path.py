"""The way that a group went through its states: how long in each, which steps."""

from dataclasses import dataclass

import numpy as np

from kafkasim.catalogue import say
from kafkasim.errors import ValidationError
from kafkasim.result.result import Result
from kafkasim.units import NS_PER_S

FIRST = "Empty"
"""In which every group is before its coordinator tells of it."""


@dataclass(frozen=True, slots=True)
class Step:
    """One way that a group took."""

    at_s: float
    state: str
    """From which."""
    next_state: str
    cause: str


@dataclass(frozen=True, slots=True)
class StatePath:
    """What a group went through until some moment."""

    group: str
    steps: tuple[Step, ...]
    """In order of time."""
    seconds: dict[str, float]
    """How long it was in each state, of those that it was in."""
    state: str
    """In which it is then."""


def state_path(
    result: Result, *, group: str | None = None, at_s: float | None = None
) -> StatePath:
    """Return the way of a group through its states.

    Parameters
    ----------
    result : Result
        Full, of a Kafka cluster with coordinators.
    group : str, optional
        The first without it.
    at_s : float, optional
        Until when, seconds; the run's end without it.

    Returns
    -------
    StatePath
        What the coordinator tells without a change of state is no step.

    Raises
    ------
    ValidationError
        No such group.
    TableNotRecorded
        When the run did not record `group_states`.
    """
    table = result.columns("group_states")
    names = table.labels["group"]
    name = (names[0] if names else "") if group is None else group
    if group is not None and group not in names:
        raise ValidationError(
            "group", group, say("one of {names}", names=", ".join(names))
        )
    end_s = float(str(result.facts["end_ns"])) / NS_PER_S
    until_s = end_s if at_s is None else min(at_s, end_s)
    mine = np.flatnonzero(
        table["group"] == (names.index(name) if name in names else -1)
    )
    steps: list[Step] = []
    seconds = {FIRST: 0.0}
    state, since_s = FIRST, 0.0
    for row in mine.tolist():
        when_s = int(table["at_ns"][row]) / NS_PER_S
        to = table.labels["state"][table["state"][row]]
        if when_s > until_s:
            break
        if to == state:
            continue
        cause = table.labels["cause"][table["cause"][row]]
        steps.append(Step(when_s, state, to, cause))
        seconds[state] = seconds.get(state, 0.0) + when_s - since_s
        state, since_s = to, when_s
    seconds[state] = seconds.get(state, 0.0) + until_s - since_s
    return StatePath(name, tuple(steps), seconds, state)
