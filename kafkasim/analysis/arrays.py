"""Numbers on bare arrays: quantiles, step functions, bins, order within groups.

Nothing here knows what a record is. Times are int64 nanoseconds; every function is
O(n log n) or better and has no Python loop over elements. A quantile is the **nearest
rank** (numpy's `inverted_cdf`): the smallest observed value that at least the share `q`
of all values does not exceed. It is always a value that did occur, which a latency
interpolated between two records is not.
"""

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]


def nearest_ranks(values: Int64 | Float64, shares: tuple[float, ...]) -> list[float]:
    """Return the nearest-rank quantiles of `values`.

    Parameters
    ----------
    values : array of shape (n,)
        In any order.
    shares : tuple of float
        Each in (0, 1]; 0.5 is the median.

    Returns
    -------
    list of float
        One for each share, an element of `values`; NaN when there are no values.

    Examples
    --------
    >>> import numpy as np
    >>> nearest_ranks(np.array([40, 10, 30, 20]), (0.5, 0.99))
    [20.0, 40.0]
    """
    if not len(values):
        return [float("nan")] * len(shares)
    ranks = [max(0, _rank(share, len(values)) - 1) for share in shares]
    parted = np.partition(values, sorted(set(ranks)))
    return [float(parted[rank]) for rank in ranks]


def counted_nearest_ranks(
    values: Int64 | Float64, counts: Int64, shares: tuple[float, ...]
) -> list[float]:
    """Return the nearest-rank quantiles of values that occur many times.

    Parameters
    ----------
    values : array of shape (n,)
        In any order; a value may stand there twice.
    counts : int64 array of shape (n,)
        How often each occurs, 0 or more.
    shares : tuple of float
        Each in (0, 1].

    Returns
    -------
    list of float
        One for each share, an element of `values`; NaN when there are no values.

    Examples
    --------
    >>> import numpy as np
    >>> counted_nearest_ranks(np.array([20, 10]), np.array([1, 3]), (0.5, 0.99))
    [10.0, 20.0]
    """
    order = np.argsort(values, kind="stable")
    until = np.cumsum(counts[order])
    total = int(until[-1]) if len(until) else 0
    if not total:
        return [float("nan")] * len(shares)
    ranks = [max(1, _rank(share, total)) for share in shares]
    places = np.searchsorted(until, ranks, side="left")
    return [float(value) for value in values[order][places]]


def _rank(share: float, count: int) -> int:
    """Return the smallest whole k with k / count >= share, despite rounding."""
    exact = share * count
    nearest = round(exact)
    if abs(exact - nearest) <= 1e-9 * max(1.0, exact):
        return nearest
    return int(np.ceil(exact))


def grouped_nearest_ranks(
    values: Int64, groups: Int64, group_count: int, shares: tuple[float, ...]
) -> Float64:
    """Return nearest-rank quantiles of each group.

    Parameters
    ----------
    values : int64 array of shape (n,)
    groups : int64 array of shape (n,)
        Group of each value, from 0.
    group_count : int
        Number of groups, those without a value included.
    shares : tuple of float
        Each in (0, 1].

    Returns
    -------
    float64 array of shape (group_count, len(shares))
        NaN for a group without a value.
    """
    order = np.lexsort((values, groups))
    ordered = values[order]
    counts = np.bincount(groups, minlength=group_count)
    starts = np.cumsum(counts) - counts
    quantiles = np.full((group_count, len(shares)), np.nan)
    filled = counts > 0
    for column, share in enumerate(shares):
        exact = share * counts[filled]
        ranks = np.ceil(exact - 1e-9 * np.maximum(1.0, exact)).astype(np.int64)
        places = starts[filled] + np.maximum(ranks, 1) - 1
        quantiles[filled, column] = ordered[places]
    return quantiles


def order_by_group(groups: Int64) -> Int64:
    """Return the positions sorted by group, in the order given within a group.

    The same as a stable argsort, several times faster: one sort of whole numbers that
    hold both the group and the position.

    Parameters
    ----------
    groups : array of whole numbers of shape (n,)
        From 0; the largest times the next power of two above n is below 2^63.
    """
    bits = max(1, len(groups)).bit_length()
    packed = groups.astype(np.int64) << bits
    packed |= np.arange(len(groups), dtype=np.int64)
    packed.sort()
    packed &= (1 << bits) - 1
    return packed


def step_counts(times: Int64, increments: Int64) -> tuple[Int64, Int64]:
    """Sum increments over time: the step function of a counter.

    Parameters
    ----------
    times : int64 array of shape (n,), nanoseconds
        In any order.
    increments : int64 array of shape (n,)
        What is added at that time.

    Returns
    -------
    at : int64 array of shape (m,), nanoseconds
        The distinct times, rising.
    values : int64 array of shape (m,)
        The counter after everything of that time.
    """
    order = np.argsort(times, kind="stable")
    ordered = times[order]
    sums = np.cumsum(increments[order])
    last = _last_of_equals(ordered)
    return ordered[last], sums[last]


def step_last(times: Int64, values: Int64) -> tuple[Int64, Int64]:
    """Return the value set last: the step function of a log end or a position.

    Parameters
    ----------
    times : int64 array of shape (n,), nanoseconds
        In any order.
    values : int64 array of shape (n,)
        What was set at that time; of several at one time the largest stands.

    Returns
    -------
    at : int64 array of shape (m,), nanoseconds
        The distinct times, rising.
    values : int64 array of shape (m,)
        The value from that time on.
    """
    order = np.lexsort((values, times))
    ordered = times[order]
    last = _last_of_equals(ordered)
    return ordered[last], values[order][last]


def _last_of_equals(ordered: Int64) -> Bool:
    last = np.ones(len(ordered), dtype=np.bool_)
    last[:-1] = ordered[1:] != ordered[:-1]
    return last


def step_at(at: Int64, values: Int64, times: Int64, *, before: int = 0) -> Int64:
    """Read a step function at `times`; it is `before` until its first step.

    Parameters
    ----------
    at, values : int64 arrays of shape (m,)
        As `step_counts` and `step_last` return them.
    times : int64 array of shape (k,), nanoseconds
    before : int
        Value before the first step.
    """
    if not len(at):
        return np.full(len(times), before, dtype=np.int64)
    places = np.searchsorted(at, times, side="right") - 1
    return np.where(places >= 0, values[np.maximum(places, 0)], before)


def step_peaks(at: Int64, values: Int64, edges: Int64, *, before: int = 0) -> Int64:
    """Return the largest value of a step function within each bin.

    Parameters
    ----------
    at, values : int64 arrays of shape (m,)
        As `step_counts` returns them.
    edges : int64 array of shape (k + 1,), nanoseconds
        Rising; bin i is [edges[i], edges[i + 1]).
    before : int
        Value before the first step.

    Returns
    -------
    int64 array of shape (k,)
        What a bin begins with counts too.
    """
    starts = edges[:-1]
    peaks = step_at(at, values, starts, before=before)
    bins = np.searchsorted(edges, at, side="right") - 1
    inside = (bins >= 0) & (bins < len(starts))
    np.maximum.at(peaks, bins[inside], values[inside])
    return peaks


def bin_edges(end_ns: int, width_ns: int) -> Int64:
    """Return the edges of bins of one width from 0 that reach past `end_ns`."""
    count = max(1, -(-(end_ns + 1) // width_ns))
    return np.arange(count + 1, dtype=np.int64) * width_ns


def counts_in_bins(times: Int64, edges: Int64) -> Int64:
    """Count the times in each bin of one width; those outside are left out."""
    width = int(edges[1] - edges[0])
    bins = (times - edges[0]) // width
    inside = bins[(bins >= 0) & (bins < len(edges) - 1)]
    return np.bincount(inside, minlength=len(edges) - 1).astype(np.int64)
