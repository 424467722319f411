"""What the topology explorer shows of two runs: links, who is hurt, what moved."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from kafkasim.analysis.arrays import Float64
from kafkasim.analysis.blasts import (
    TIMES,
    Interruption,
    Pair,
    applies,
    interruptions_of,
    pairs_of,
)
from kafkasim.analysis.measures import metrics
from kafkasim.analysis.piping import pipelines
from kafkasim.analysis.wired import Node, system_of, wired
from kafkasim.result.result import Result
from kafkasim.units import MISSING_NS, NS_PER_S
from kafkasim.widgets.topology_traffic import NOBODY, Values, newcomer

BIN_S: Final = 1.0
"""Width of a bin of time: each source sends one record in it."""

Edge = tuple[Node, Node]
"""A link, in the direction of records."""


@dataclass(frozen=True, slots=True)
class Side:
    """What the figure shows of one system."""

    bytes_: dict[Edge, int]
    """Moved over each link, both ways."""
    hurt: frozenset[Edge]
    """Links over which everything was interrupted."""
    new: frozenset[Edge]
    """Links of the newcomer."""
    pairs: int
    """Pairs that are wanted, without the newcomer's."""
    pairs_hurt: int
    longest_s: float
    """The longest interruption; 0: none."""
    no_such_point: bool
    """What was to die is not there."""
    made: dict[str, float]
    """Numbers of `analysis.pipelines`."""
    p50_ms: float
    """Median latency of all receipts."""
    line: tuple[Float64, Float64]
    """Edges of bins of time, in seconds, and what was processed per second."""

    @property
    def links(self) -> int:
        """How many there are without the newcomer's."""
        return len(self.bytes_) - len(self.new)

    @property
    def touched(self) -> int:
        """Sources that the newcomer makes speak to somebody new."""
        return sum(one.kind == "source" for one, _ in self.new)

    def per_record(self, name: str) -> float:
        """Return bytes of `made` for each record sent."""
        return self.made[name] / self.made["records"]


@dataclass(frozen=True, slots=True)
class Shown:
    """What the figure shows of one setting of the controls."""

    values: Values
    """Where they stood."""
    tangle: Side
    star: Side

    @property
    def sides(self) -> tuple[Side, Side]:
        """Both: first without a hub, then with one."""
        return self.tangle, self.star


def shown_of(tangle: Result, star: Result, values: Values) -> Shown:
    """Return what the figure shows of two runs.

    Parameters
    ----------
    tangle, star : Result
        Of the same traffic, without a hub and with one.
    values : Values
        What the controls meant.
    """
    return Shown(values, _side(tangle, values), _side(star, values))


def _side(result: Result, values: Values) -> Side:
    moved = _moved(result)
    pairs = pairs_of(result)
    name = newcomer(values)
    old = [pair for pair in pairs if pair.subscriber != name]
    new = frozenset(edge for edge in moved if name is not None and edge[1].name == name)
    events = result.columns("events")
    rows = np.flatnonzero(applies(events))
    begins = events["at_ns"][rows]
    found = list(interruptions_of(old, begins, rows, TIMES))
    return Side(
        bytes_=moved,
        hurt=frozenset(edge for edge in moved if _is_hurt(edge, old, found)),
        new=new,
        pairs=len(old),
        pairs_hurt=len({(each.source, each.subscriber) for each in found}),
        longest_s=max((_lasted_s(each) for each in found), default=0.0),
        no_such_point=values.crash != NOBODY and not len(rows),
        made=pipelines(result),
        p50_ms=metrics(result)["latency_ms_p50"],
        line=_line(pairs),
    )


def _moved(result: Result) -> dict[Edge, int]:
    """Return the bytes that moved over each link, by link in the records' direction."""
    moved: dict[Edge, int] = {}
    for row in wired(result).rows:
        ends = system_of(row.sender), system_of(row.receiver)
        if ends[0] == ends[1]:
            continue
        back = ends[0].kind == "subscriber" or ends[1].kind == "source"
        edge = ends[::-1] if back else ends
        moved[edge] = moved.get(edge, 0) + row.moved_bytes
    return moved


def _is_hurt(
    edge: Edge, pairs: Sequence[Pair], found: Collection[Interruption]
) -> bool:
    """Return whether all pairs whose records go over a link were interrupted."""
    source, subscriber = edge
    stopped = {(each.source, each.subscriber) for each in found}
    over = {
        (pair.source, pair.subscriber)
        for pair in pairs
        if source.kind != "source" or source.name == pair.source
        if subscriber.kind != "subscriber" or subscriber.name == pair.subscriber
    }
    return bool(over) and over <= stopped


def _lasted_s(interruption: Interruption) -> float:
    return (interruption.until_ns - interruption.since_ns) / NS_PER_S


def _line(pairs: Sequence[Pair]) -> tuple[Float64, Float64]:
    """Return what all pairs together were done with, second by second."""
    done = np.concatenate([pair.processed_ns for pair in pairs]) / NS_PER_S
    done = done[done > MISSING_NS / NS_PER_S]
    last = np.ceil(done.max(initial=BIN_S) / BIN_S)
    edges = np.arange(0.0, last + 1) * BIN_S
    return edges, np.histogram(done, edges)[0] / BIN_S
