"""The braid of an explorer: one entity's records in both orders, as arrays.

Whose records: of the entity with most overtaken pairs; of equals the one with most
records, then the first by name. How many: all, or of more than `MOST` the window of so
many in a row in which most pairs crossed (of equals the first).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.analysis.arrays import Int64
from kafkasim.analysis.inversions import (
    Sequences,
    group_sums,
    overtaken_mask,
    overtaker_counts,
    sequences,
)

Bool = NDArray[np.bool_]

MOST: Final = 24
"""Records that are drawn, at most: more strands cannot be told apart."""


@dataclass(frozen=True, slots=True)
class Braid:
    """One entity's processed records, and those of them that are drawn."""

    entity: str
    """Its name; empty when no record of an entity was processed."""
    records: int
    """Of the entity that were processed."""
    overtaken: int
    """How many of them were overtaken, drawn or not."""
    pairs: int
    """Overtaken pairs among them."""
    first: int
    """How many were produced before the first that is drawn."""
    places: Int64
    """Of each record drawn, in the order produced: its place, from 0, among those drawn
    in the order processed."""

    @property
    def crossed(self) -> Bool:
        """Which of those drawn were overtaken by another that is drawn."""
        late = np.zeros(len(self.places), dtype=np.bool_)
        if len(late) > 1:
            later = np.minimum.accumulate(self.places[::-1])[::-1]
            late[:-1] = later[1:] < self.places[:-1]
        return late


NO_BRAID: Final = Braid("", 0, 0, 0, 0, np.zeros(0, dtype=np.int64))
"""When no record of an entity was processed."""


def braid_of(
    intended_ns: Int64, ended_ns: Int64, entities: Int64, labels: tuple[str, ...]
) -> Braid:
    """Choose an entity, and return its braid.

    Parameters
    ----------
    intended_ns, ended_ns : int64 arrays of shape (n,), nanoseconds
        When the world wanted each record, and when it was processed first.
    entities : int64 array of shape (n,)
        Positions in `labels`.
    labels : tuple of str
        Names of the entities.
    """
    if not len(entities):
        return NO_BRAID
    every = sequences(intended_ns, ended_ns, entities)
    counts = overtaker_counts(every)
    pairs = group_sums(counts, every.groups, len(labels))
    sizes = np.bincount(every.groups, minlength=len(labels))
    chosen = _chosen(pairs, sizes, labels)
    begin, end = np.searchsorted(every.groups, [chosen, chosen + 1])
    own = Sequences(
        every.rows[begin:end], every.groups[begin:end] * 0, every.ended_ns[begin:end]
    )
    first, places = _window(own.ended_ns)
    return Braid(
        entity=labels[chosen],
        records=int(sizes[chosen]),
        overtaken=int(np.count_nonzero(overtaken_mask(own))),
        pairs=int(pairs[chosen]),
        first=first,
        places=places,
    )


def _chosen(pairs: Int64, sizes: Int64, labels: tuple[str, ...]) -> int:
    best = pairs == pairs.max()
    best &= sizes == sizes[best].max()
    return min(np.flatnonzero(best).tolist(), key=lambda each: labels[each])


def _window(ended_ns: Int64) -> tuple[int, Int64]:
    """Return where the window begins, and the places of its records as processed."""
    count = len(ended_ns)
    first = 0
    if count > MOST:
        crossing = np.zeros(count - MOST + 1, dtype=np.int64)
        for apart in range(1, MOST):
            late = ended_ns[:-apart] > ended_ns[apart:]
            until = np.concatenate(([0], np.cumsum(late)))
            crossing += until[MOST - apart :] - until[: len(until) - MOST + apart]
        first = int(crossing.argmax())
    drawn = ended_ns[first : first + MOST]
    places = np.empty(len(drawn), dtype=np.int64)
    places[np.argsort(drawn, kind="stable")] = np.arange(len(drawn))
    return first, places
