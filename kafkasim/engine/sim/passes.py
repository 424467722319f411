"""How often a group had processed a record before, when its members begin anew."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


class Passes:
    """Follows each group through each partition, pass after pass.

    A group reads a partition from front to back, and after a crash again from the
    offset it has committed, which never falls. So the ends of the two longest earlier
    passes tell how often an offset was processed before: not at all, once, or more.
    """

    def __init__(self) -> None:
        self._ends: dict[tuple[int, int], list[int]] = {}

    def earlier(
        self,
        polls: NDArray[np.void],
        counts: Ints,
        processed: NDArray[np.bool_],
        groups: Collection[int],
    ) -> NDArray[np.int16]:
        """Return how often each record had been processed before: 0, 1, or 2 for more.

        Parameters
        ----------
        polls : structured array of `POLL_DTYPE`
            What polls returned, in the order of writing.
        counts : int64 array of shape (polls,)
            Records of each.
        processed : bool array of shape (records,)
            Of each record, whether its work ended.
        groups : collection of int
            Those that may read anything twice.
        """
        found = np.zeros(len(processed), np.int16)
        ends = np.cumsum(counts)
        for row in np.flatnonzero(np.isin(polls["group"], list(groups))).tolist():
            poll = polls[row]
            stop = int(ends[row])
            start = stop - int(counts[row])
            done = int(np.count_nonzero(processed[start:stop]))
            first = int(poll["from_offset"])
            key = int(poll["group"]), int(poll["partition"])
            passes = self._ends.setdefault(key, [0, 0, 0])
            if first < passes[0]:
                passes[:] = [first, *sorted(passes, reverse=True)[:2]]
            offsets = np.arange(first, first + stop - start)
            found[start:stop] = (offsets < passes[1]).astype(np.int16) + (
                offsets < passes[2]
            )
            if done:  # else it was never begun, and what is before it may be left, too
                passes[0] = first + done
        return found
