"""What the group explorer shows of a run: who read what, from numpy columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from kafkasim.analysis.arrays import Float64, Int64
from kafkasim.result.result import Result
from kafkasim.result.rows import code
from kafkasim.units import MISSING_NS, NS_PER_S
from kafkasim.widgets.group_traffic import EVENT_S, Values, alive_s, victim

STABLE: Final = "Stable"
_AT_REST: Final = (STABLE, "Empty", "Dead")


@dataclass(frozen=True, slots=True)
class Bar:
    """A time in a lane, in seconds."""

    lane: int
    """Partition."""
    since_s: float
    until_s: float
    member: int = 0
    """Whose; 0: nobody's."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the figure shows of one run."""

    values: Values
    """Where the controls stood."""
    owned: tuple[Bar, ...]
    """Who read which partition, by partition and time."""
    gaps: tuple[Bar, ...]
    """When nobody read one that had been read before."""
    unrest: tuple[tuple[float, float], ...]
    """When the group rebalanced: since and until, in seconds."""
    idle: tuple[tuple[float, float, tuple[int, ...]], ...]
    """When a group at rest had members without a partition: since, until, which."""
    rest_s: float
    """When the group came to its last rest; NaN: never."""
    processed: int
    """Records that were worked on."""
    twice: int
    """Times that a record was worked on again."""
    until_s: float
    """When the run ended."""

    @property
    def after(self) -> tuple[Bar, ...]:
        """Gaps that began with the event or after it."""
        return tuple(gap for gap in self.gaps if gap.since_s >= EVENT_S)

    @property
    def moved(self) -> int:
        """How many times a partition came to somebody else after the event."""
        return sum(
            after.since_s >= EVENT_S
            and after.lane == bar.lane
            and after.member != bar.member
            for bar, after in pairwise(self.owned)
        )

    @property
    def rebalances(self) -> int:
        """How many began with the event or after it."""
        return sum(since >= EVENT_S for since, _ in self.unrest)

    @property
    def idle_at_last(self) -> tuple[int, ...]:
        """Members without a partition when the group was last at rest."""
        at_last = [each for since, _, each in self.idle if since == self.rest_s]
        return at_last[0] if at_last else ()

    @property
    def read_line(self) -> tuple[Float64, Float64]:
        """How many partitions were read from which moment on: seconds, partitions."""
        begins = [bar.since_s for bar in self.owned]
        ends = [bar.until_s for bar in self.owned if bar.until_s < self.until_s]
        at = np.array([0.0, *begins, *ends])
        change = np.repeat([0.0, 1.0, -1.0], [1, len(begins), len(ends)])
        order = np.lexsort((-change, at))
        return at[order], np.cumsum(change[order])


def shown_of(result: Result, values: Values) -> Shown:
    """Return what the figure shows of a run.

    Parameters
    ----------
    result : Result
        Of a group with coordinator that reads one topic, its members named by numbers.
    values : Values
        What the controls meant.
    """
    until_s = int(result.facts["end_ns"]) / NS_PER_S
    owned = _owned(result, until_s)
    spans = _states(result, until_s)
    deliveries = result.columns("deliveries")
    done = deliveries["outcome"] == code(deliveries, "outcome", "processed")
    ids: Int64 = deliveries["record_id"][done]
    again = len(ids) - len(np.unique(ids))
    rests = [each for each in spans if each.state == STABLE]
    return Shown(
        values=values,
        owned=owned,
        gaps=tuple(_gaps(owned, until_s)),
        unrest=tuple(_joined(spans)),
        idle=tuple(_idle(owned, rests, values)),
        rest_s=rests[-1].since_s if rests else float("nan"),
        processed=len(ids) - again,
        twice=again,
        until_s=until_s,
    )


def _owned(result: Result, until_s: float) -> tuple[Bar, ...]:
    table = result.columns("assignments")
    numbers = [int(name.rpartition("/")[2]) for name in table.labels["member"]]
    ends = np.where(
        table["until_ns"] == MISSING_NS, until_s, table["until_ns"] / NS_PER_S
    )
    order = np.lexsort((table["since_ns"], table["partition"]))
    bars = zip(
        table["partition"][order].tolist(),
        (table["since_ns"][order] / NS_PER_S).tolist(),
        ends[order].tolist(),
        [numbers[member] for member in table["member"][order].tolist()],
        strict=True,
    )
    return tuple(Bar(*bar) for bar in bars)


def _gaps(owned: Sequence[Bar], until_s: float) -> list[Bar]:
    """Return when nobody read a partition, after its first owner and to the end."""
    gaps = []
    for bar, after in zip(owned, [*owned[1:], None], strict=True):
        same = after is not None and after.lane == bar.lane
        next_s = after.since_s if after is not None and same else until_s
        if next_s > bar.until_s:
            gaps.append(Bar(bar.lane, bar.until_s, next_s))
    return gaps


class _Span(NamedTuple):
    """A time in which the group was in one state."""

    state: str
    since_s: float
    until_s: float
    members: int


def _states(result: Result, until_s: float) -> list[_Span]:
    """Return the group's states in the order of time."""
    table = result.columns("group_states")
    at_s = (table["at_ns"] / NS_PER_S).tolist()
    names = [table.labels["state"][each] for each in table["state"].tolist()]
    ends, members = [*at_s[1:], until_s], table["members"].tolist()
    return [_Span(*row) for row in zip(names, at_s, ends, members, strict=True)]


def _joined(spans: Sequence[_Span]) -> list[tuple[float, float]]:
    """Return when a group was not at rest, states in a row as one."""
    found: list[tuple[float, float]] = []
    for span in spans:
        if span.state in _AT_REST:
            continue
        if found and found[-1][1] == span.since_s:
            found[-1] = found[-1][0], span.until_s
        else:
            found.append((span.since_s, span.until_s))
    return found


def _idle(
    owned: Sequence[Bar], rests: Sequence[_Span], values: Values
) -> list[tuple[float, float, tuple[int, ...]]]:
    """Return who had nothing while the group was at rest, in whole times of rest.

    One that is away for a restart is not in the group, and not idle.
    """
    found = []
    for _, since, until, members in rests:
        busy = {
            bar.member for bar in owned if bar.since_s < until and bar.until_s > since
        }
        idle = [
            member
            for member, (come, go) in alive_s(values).items()
            if come < since and go > since and member not in busy
        ]
        if len(busy) + len(idle) > members and victim(values) in idle:
            idle.remove(victim(values))
        if busy and idle:
            found.append((since, until, tuple(idle)))
    return found
