"""Silences of a pair of source and subscriber, as bare arrays.

A **silence** is a time in which a record of the pair was wanted and none was delivered
to the subscriber: from one delivery (the end of the work on a record, the first time)
or, if nothing waits then, from when the next record is wanted, until the next delivery.
A record that is never processed waits only until one of its pair is: it was passed
over, and what it stands for is a loss, not a silence.
"""

from typing import Final, NamedTuple

import numpy as np

from kafkasim.analysis.arrays import Bool, Int64, nearest_ranks
from kafkasim.units import MISSING_NS

FOREVER: Final = np.iinfo(np.int64).max
"""Later than anything."""


class Silences(NamedTuple):
    """Silences of one pair, in order of time; int64 nanoseconds."""

    since_ns: Int64
    """When each began."""
    until_ns: Int64
    """When each was over; of one that never is, when the last record was wanted."""
    endless: Bool
    """Which never was; the last at most."""

    @property
    def lengths_ns(self) -> Int64:
        """How long each was."""
        return self.until_ns - self.since_ns


def silences(wanted_ns: Int64, processed_ns: Int64, last_ns: int) -> Silences:
    """Return the silences of a pair.

    Parameters
    ----------
    wanted_ns : int64 array of shape (n,), nanoseconds
        When each record of the pair was wanted.
    processed_ns : int64 array of shape (n,), nanoseconds
        When the work on it ended first; `MISSING_NS` when it never did.
    last_ns : int
        When the last record of the run was wanted, by whomever.

    Returns
    -------
    Silences
        One before each delivery, and one after the last if a record was wanted after
        it; some may have no length.

    Examples
    --------
    >>> import numpy as np
    >>> found = silences(np.array([0, 10, 20]), np.array([2, 25, 26]), 20)
    >>> found.since_ns.tolist(), found.until_ns.tolist()
    ([0, 10, 25], [2, 25, 26])
    """
    done = processed_ns != MISSING_NS
    order = np.argsort(processed_ns[done], kind="stable")
    ends = processed_ns[done][order]
    still = np.minimum.accumulate(wanted_ns[done][order][::-1])[::-1]
    before = np.concatenate([[-1], ends]).astype(np.int64)
    coming = np.append(np.sort(wanted_ns), FOREVER)
    coming = coming[np.searchsorted(coming[:-1], before, side="right")]
    since = np.maximum(before[:-1], np.minimum(still, coming[:-1]))
    endless = np.zeros(len(ends), dtype=np.bool_)
    if coming[-1] != FOREVER:
        since = np.append(since, coming[-1])
        ends = np.append(ends, max(last_ns, int(coming[-1])))
        endless = np.append(endless, True)
    return Silences(np.minimum(since, ends), ends, endless)


def usual_ns(found: Silences, before_ns: int) -> int:
    """Return a pair's usual silence: the longest that was over before a time.

    If none was, the median of all it had; 0 for a pair without any.
    """
    lengths = found.lengths_ns
    calm = lengths[(found.until_ns <= before_ns) & ~found.endless]
    if len(calm):
        return int(calm.max())
    median = nearest_ranks(lengths, (0.5,))[0]
    return 0 if np.isnan(median) else int(median)


def unusual(
    found: Silences, begins_ns: Int64, times: float, least_ns: int = 0
) -> tuple[Int64, Int64]:
    """Return which silences an event brought, and which event.

    Parameters
    ----------
    found : Silences
        Of one pair.
    begins_ns : int64 array of shape (k,), nanoseconds
        When each event began, rising.
    times : float
        How many times the usual one a silence must last to be none of everyday.
    least_ns : int
        How long it must last at least, nanoseconds.

    Returns
    -------
    rows, events : int64 arrays
        Of each unusual silence its place, and the event that began last before it had
        lasted as long as that; of several at one moment the first. Those that were
        unusual before the first event are left out.
    """
    usual = usual_ns(found, int(begins_ns[0]) if len(begins_ns) else FOREVER)
    limit = max(int(times * usual), least_ns)
    rows = np.flatnonzero(found.lengths_ns > limit)
    events = np.searchsorted(begins_ns, found.since_ns[rows] + limit, side="right") - 1
    rows, events = rows[events >= 0], events[events >= 0]
    if len(events):
        events = np.searchsorted(begins_ns, begins_ns[events], side="left")
    return rows, events
