"""The largest backlog of a run, exactly: of times that are all there, or in blocks.

In blocks, what is kept between two calls of `advance` are the times that have not been
summed yet, and nothing of what lies behind.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]

_PEAK_BINS: Final = 4_096
"""Bins in which the peak of a backlog is bounded before it is looked for."""


def peak_backlog(
    arrivals: Int64, departures: Int64, *, present: int = 0, least: int = 0
) -> int:
    """Return the largest number that had arrived and not yet left, exactly.

    A departure at the time of an arrival has left already: this is the counter after
    everything that happened at a time. Nothing is sorted but what
    may hold the peak: counts in bins bound the counter from both sides, and only bins
    whose upper bound exceeds the best value seen are looked into.

    Parameters
    ----------
    arrivals, departures : int64 arrays, nanoseconds
        In any order and of any lengths.
    present : int
        How many had arrived before and not left.
    least : int
        What is returned when no arrival makes more of them.

    Examples
    --------
    >>> import numpy as np
    >>> peak_backlog(np.array([1, 2, 2, 9]), np.array([2, 5]))
    2
    """
    if not len(arrivals):
        return least
    begin = min(int(arrivals.min()), int(departures.min(initial=int(arrivals[0]))))
    end = max(int(arrivals.max()), int(departures.max(initial=begin)))
    width = (end - begin) // _PEAK_BINS + 1
    arrival_bins = (arrivals - begin) // width
    departure_bins = (departures - begin) // width
    came = np.bincount(arrival_bins, minlength=_PEAK_BINS)
    gone = np.bincount(departure_bins, minlength=_PEAK_BINS)
    after = present + np.cumsum(came - gone)
    best = max(least, int(after.max()))
    at_most = after + gone
    inside = at_most > best
    if not inside.any():
        return best
    times = np.sort(arrivals[inside[arrival_bins]])
    left = np.sort(departures[inside[departure_bins]])
    bins = (times - begin) // width
    before = (after - came + gone)[bins]
    skipped_came = np.cumsum(np.where(inside, came, 0))[bins] - came[bins]
    skipped_gone = np.cumsum(np.where(inside, gone, 0))[bins] - gone[bins]
    here_came = np.arange(1, len(times) + 1) - skipped_came
    here_gone = np.searchsorted(left, times, side="right") - skipped_gone
    return max(best, int((before + here_came - here_gone).max()))


class Pending:
    """Times that have been told and not yet taken.

    Examples
    --------
    >>> pending = Pending()
    >>> pending.add(np.array([5, 1, 9]))
    >>> pending.take(5)
    array([5, 1])
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
        """Return those up to `until_ns`, in no order, and keep the rest."""
        if not self._parts:
            return np.zeros(0, dtype=np.int64)
        times = np.concatenate(self._parts)
        over = times <= until_ns
        if over.all():
            self._parts = []
            return times
        self._parts = [times[~over]]
        return times[over]


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
        self._check(times_ns)
        self._arrivals.add(times_ns)

    def went(self, times_ns: Int64) -> None:
        """Take times of departure, each after what `advance` was called with."""
        self._check(times_ns)
        self._departures.add(times_ns)

    def _check(self, times_ns: Int64) -> None:
        if len(times_ns):
            assert int(times_ns.min()) > self._done_ns, "that time was over"

    def advance(self, until_ns: int) -> None:
        """Sum up to and with `until_ns`: nothing earlier will be told any more."""
        arrivals = self._arrivals.take(until_ns)
        departures = self._departures.take(until_ns)
        if until_ns >= self._since_ns:
            if self._done_ns < self._since_ns:
                arrivals, departures = self._begin(arrivals, departures)
            self.peak = peak_backlog(
                arrivals, departures, present=self._now, least=self.peak
            )
        self._now += len(arrivals) - len(departures)
        self._done_ns = max(self._done_ns, until_ns)

    def _begin(self, arrivals: Int64, departures: Int64) -> tuple[Int64, Int64]:
        """Sum up to the time from which it counts; return what comes after it."""
        late, later = arrivals > self._since_ns, departures > self._since_ns
        self._now += int(np.count_nonzero(~late)) - int(np.count_nonzero(~later))
        self.peak = max(self.peak, self._now)
        return arrivals[late], departures[later]
