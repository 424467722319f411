"""How long the oldest of those that wait has waited: lag in seconds.

Things come at known times and leave at known times, in whatever order. The oldest that
waits at t is the first, in the order of coming, that leaves after t. With M(i) the
latest time at which one of the first i left, it is found by a search for t in M, which
rises. The age grows with time, and falls only when the oldest leaves: at one of M's
steps. O(n log n) once, and a search for each time asked for.
"""

from typing import Literal, NamedTuple, Self

import numpy as np

from kafkasim.analysis.arrays import Int64
from kafkasim.units import FOREVER_NS, MISSING_NS


class Waits(NamedTuple):
    """What waits, in the order in which it came; times in nanoseconds."""

    came_ns: Int64
    """From when each counts its age; rising."""
    from_ns: int
    """Nothing waits before."""
    all_left_ns: Int64
    """When this one and all that came before it had left; rising."""

    @classmethod
    def of(cls, came_ns: Int64, left_ns: Int64, from_ns: int = 0) -> Self:
        """Order what waits.

        Parameters
        ----------
        came_ns, left_ns : int64 arrays of shape (n,)
            When each came and left; `MISSING_NS` when it never left.
        from_ns : int
            When somebody begins to wait for it.
        """
        order = np.argsort(came_ns, kind="stable")
        left = np.where(left_ns == MISSING_NS, FOREVER_NS, left_ns)[order]
        return cls(came_ns[order], from_ns, np.maximum.accumulate(left))

    def ages_ns(self, at_ns: Int64) -> Int64:
        """Return the age of the oldest at each time; 0 where nothing waits."""
        return self._ages(at_ns, "right")

    def peaks_ns(self, edges_ns: Int64) -> Int64:
        """Return the largest age within each bin [edges[i], edges[i + 1]).

        Parameters
        ----------
        edges_ns : int64 array of shape (k + 1,)
            Rising.

        Returns
        -------
        int64 array of shape (k,)
            At a bin's end, what it comes to there.
        """
        falls = np.unique(self.all_left_ns)
        bins = np.searchsorted(edges_ns, falls, side="left") - 1
        inside = (bins >= 0) & (bins < len(edges_ns) - 1)
        peaks = self._ages(edges_ns[1:], "left")
        np.maximum.at(peaks, bins[inside], self._ages(falls[inside], "left"))
        return peaks

    def _ages(self, at_ns: Int64, side: Literal["left", "right"]) -> Int64:
        """Return ages at times, or just before them (`left`)."""
        if not len(self.came_ns):
            return np.zeros(len(at_ns), dtype=np.int64)
        first = np.searchsorted(self.all_left_ns, at_ns, side)
        place = np.minimum(first, len(self.came_ns) - 1)
        came = self.came_ns[place]
        waits = (first < len(self.came_ns)) & (came <= at_ns) & (at_ns >= self.from_ns)
        return np.where(waits, at_ns - came, 0)
