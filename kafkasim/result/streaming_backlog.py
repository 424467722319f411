"""The largest backlog of a run, exactly, while times come in blocks.

What is kept between two calls of `advance` are the times that have not been summed yet:
nothing of what lies behind. `kafkasim.analysis.arrays.peak_backlog` is the same number
of times that are all there.
"""

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]


class Pending:
    """Times that have been told and not yet taken.

    Examples
    --------
    >>> pending = Pending()
    >>> pending.add(np.array([5, 1, 9]))
    >>> pending.take(5)
    array([1, 5])
    >>> pending.take(100)
    array([9])
    """

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: list[Int64] = []

    def add(self, times_ns: Int64) -> None:
        """Keep a block of times; it must not change afterwards."""
        if len(times_ns):
            self._parts.append(times_ns)

    def take(self, until_ns: int) -> Int64:
        """Return those up to `until_ns`, sorted, and keep the rest."""
        if not self._parts:
            return np.zeros(0, dtype=np.int64)
        times = np.sort(np.concatenate(self._parts))
        split = int(np.searchsorted(times, until_ns, side="right"))
        # A copy: a view would keep the whole block alive.
        self._parts = [times[split:].copy()] if split < len(times) else []
        return times[:split]


class Backlog:
    """The largest number that had come and not yet gone, from a time on.

    Something that goes when another comes has gone already: the number is taken after
    everything of its time.

    Parameters
    ----------
    since_ns : int
        What was there at this time counts; how many there were before does not.

    Attributes
    ----------
    peak : int
        The largest so far, at least 0.
    """

    __slots__ = ("_arrivals", "_departures", "_done_ns", "_now", "_since_ns", "peak")

    def __init__(self, since_ns: int) -> None:
        self.peak = 0
        self._since_ns = since_ns
        self._now = 0
        self._done_ns = -1
        self._arrivals = Pending()
        self._departures = Pending()

    def came(self, times_ns: Int64) -> None:
        """Take times of arrival, each after what `advance` was called with."""
        self._arrivals.add(times_ns)

    def went(self, times_ns: Int64) -> None:
        """Take times of departure, each after what `advance` was called with."""
        self._departures.add(times_ns)

    def advance(self, until_ns: int) -> None:
        """Sum up to and with `until_ns`: nothing earlier will be told any more."""
        arrivals = self._arrivals.take(until_ns)
        departures = self._departures.take(until_ns)
        first = int(np.searchsorted(arrivals, self._since_ns, side="left"))
        at = arrivals[first:]
        if self._done_ns < self._since_ns <= until_ns:
            at = np.concatenate((np.array([self._since_ns]), at))
        if len(at):
            here = np.searchsorted(arrivals, at, side="right")
            here -= np.searchsorted(departures, at, side="right")
            self.peak = max(self.peak, self._now + int(here.max()))
        self._now += len(arrivals) - len(departures)
        self._done_ns = max(self._done_ns, until_ns)
