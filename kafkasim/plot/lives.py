"""The segments of one partition and a reader of it: who is overtaken, and when."""

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

    Floats = NDArray[np.float64]


_MARGIN: Final = 1.03
"""How much longer than the last that is known the figure of a table is."""


class Lives:
    """The segments of one partition, and the reader, as arrays; times in ms."""

    def __init__(
        self,
        table: "pd.DataFrame",
        read: "pd.DataFrame | None",
        begun: "Floats | None" = None,
        compacted: "Floats | None" = None,
    ) -> None:
        table = table.sort_values(["created_ms", "base_offset"], kind="stable")
        self.base = _floats(table, "base_offset")
        self.end = _floats(table, "end_offset")
        self.created = _floats(table, "created_ms")
        self.rolled = _floats(table, "rolled_ms")
        self.deleted = _floats(table, "deleted_ms")
        """When each left the log, by retention or in the cleaner's hands."""
        self.rewritten = np.zeros(len(table), dtype=np.bool_)
        """Which left it because compaction wrote their newest records elsewhere."""
        if "cause" in table:
            self.rewritten = (table["cause"] == "compaction").to_numpy(np.bool_)
        none = np.zeros(0)
        self.times = none if read is None else _floats(read, "at_ms")
        self.log_end = none if read is None else _floats(read, "log_end")
        self.position = none if read is None else _floats(read, "position")
        self.begun = none if begun is None else begun
        """Offsets of what the reader worked on, or held in the end, rising."""
        self.compacted = none if compacted is None else compacted
        """Offsets that compaction took, rising: no deletion took those from anybody."""
        known = (self.created, self.rolled, self.deleted, self.times)
        self.until = float(np.nanmax(np.concatenate(known), initial=0.0))
        if read is None:  # the table does not say when the run ended
            self.until *= _MARGIN

    @property
    def gone(self) -> NDArray[np.bool_]:
        """Which segments are no longer there."""
        return np.isfinite(self.deleted)

    @property
    def expired(self) -> NDArray[np.bool_]:
        """Which segments are deleted, with all that was in them."""
        return self.gone & ~self.rewritten

    @property
    def made(self) -> NDArray[np.bool_]:
        """Which segments compaction wrote: closed from the first moment on."""
        found: NDArray[np.bool_] = self.created == self.rolled
        return found & np.isin(self.created, self.cleanings)

    @property
    def cleanings(self) -> "Floats":
        """When compaction wrote closed segments anew, ms, rising."""
        return np.unique(self.deleted[self.rewritten])

    def log_start(self) -> "tuple[Floats, Floats]":
        """Return when the first offset that is still there changed, and to which."""
        at = np.unique(np.concatenate((self.created[:1], self.deleted[self.gone])))
        there = [
            (self.created <= when) & ~(self.deleted <= when) for when in at.tolist()
        ]
        last = self.end.max(initial=0.0)
        starts = [self.base[each].min(initial=last) for each in there]
        return at, np.array(starts)

    def start_at(self, times: "Floats") -> "Floats":
        """Return the log's first offset at each of these times."""
        at, starts = self.log_start()
        slots = np.searchsorted(at, times, side="right") - 1
        found: Floats = starts[np.maximum(slots, 0)]
        return found

    def jumps(self) -> "Floats":
        """Return where the reader was overtaken, a row for each time.

        Returns
        -------
        ndarray of float64, shape (n, 4)
            Milliseconds; its position before; the log's start then; the offset it went
            on with. What lies between the first two offsets is gone unread, what lies
            between the last two was passed by its reset.
        """
        after = np.flatnonzero(np.diff(self.begun) > 1)
        before, onward = self.begun[after] + 1, self.begun[after + 1]
        reached = np.maximum.accumulate(np.nan_to_num(self.position, nan=-1.0))
        rows = np.searchsorted(reached, onward, side="right")
        known = rows < len(self.times)
        at = self.times[rows[known]]
        start = np.minimum(self.start_at(at), onward[known])
        found = np.column_stack((at, before[known], start, onward[known]))
        return found[(start > before[known]) & (self.kept(before[known], start) > 0)]

    def kept(self, first: "Floats", end: "Floats") -> "Floats":
        """Return how many records of each run of offsets compaction left."""
        taken = np.diff(np.searchsorted(self.compacted, np.stack((first, end))), axis=0)
        left: Floats = end - first - taken[0]
        return left

    def end_of_reading(self) -> float:
        """Return the offset that the reader never reached, since it is gone, or ∞."""
        if not len(self.begun):
            return np.inf
        end = float(self.begun[-1]) + 1
        return end if float(self.log_start()[1][-1]) > end else np.inf


def _floats(table: "pd.DataFrame", column: str) -> "Floats":
    made: Floats = table[column].to_numpy(dtype=np.float64, na_value=np.nan)
    return made
