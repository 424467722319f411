"""Counts in place of values: buckets of latency, bins of time.

A **bucket** holds the whole nanoseconds whose float64 has the same exponent and the
same first 7 bits after the point: 128 buckets in every power of two, so a bucket is at
most 1/128 = 0.78 % wide and its geometric middle at most 0.4 % from any value in it.
Below 128 ns a bucket holds one value. The code of a bucket is read off the float's
bits, so it is the same on every machine, which a logarithm need not be (the idea of
log-linear buckets is that of Gil Tene's HdrHistogram).

A **bin** of time is [start, start + width) from time 0.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]

BINS: Final = 80
"""Bins a run is cut into at most, when no width is asked for."""

_MANTISSA_BITS: Final = 52
_BUCKET_BITS: Final = 7
_SHIFT: Final = _MANTISSA_BITS - _BUCKET_BITS
_CODE_OF_ONE: Final = 1023 << _BUCKET_BITS
"""The bits of 1.0, shifted: exponent bias, no bit after the point."""

BUCKETS: Final = (63 << _BUCKET_BITS) + 2
"""Buckets of 0 to 2⁶³: one of 0, 128 in each power of two, one of 2⁶³ itself."""

_ROUND_STEPS: Final = (1.0, 2.0, 5.0)


def bucket_codes(values_ns: Int64) -> Int64:
    """Return the bucket of each value.

    Parameters
    ----------
    values_ns : int64 array of shape (n,)
        At least 0.

    Returns
    -------
    int64 array of shape (n,)
        From 0 (the value 0), below `BUCKETS`, rising with the value.
    """
    codes: Int64 = values_ns.astype(np.float64).view(np.int64) >> _SHIFT
    codes -= _CODE_OF_ONE - 1
    np.maximum(codes, 0, out=codes)
    return codes


def bucket_bounds(codes: Int64) -> tuple[Int64, Int64]:
    """Return the smallest and the largest whole number of each bucket."""
    lows, above = _least(codes), _least(codes + 1)
    return lows, np.maximum(above - 1, lows)


def _least(codes: Int64) -> Int64:
    """Return the smallest whole number in a bucket, or above it when it has none."""
    bits = (np.maximum(codes, 1) - 1 + _CODE_OF_ONE) << _SHIFT
    least = np.ceil(bits.view(np.float64))
    # 2⁶³ itself is no int64: the largest one stands for it.
    most = np.float64(2**63)
    whole = np.where(least >= most, 0.0, least).astype(np.int64)
    whole[least >= most] = np.iinfo(np.int64).max
    whole[codes == 0] = 0
    return whole


def middles(lows: Int64, highs: Int64) -> NDArray[np.float64]:
    """Return the geometric middle of each bucket, nanoseconds."""
    return np.sqrt(lows.astype(np.float64)) * np.sqrt(highs.astype(np.float64))


def round_width(span: float, bins: int) -> float:
    """Return a width of 1, 2 or 5 times a power of ten that cuts `span` into ≤ `bins`.

    Examples
    --------
    >>> round_width(60_000.0, 100)
    1000.0
    """
    if span <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(span / bins))
    for step in (*_ROUND_STEPS, 10.0):
        if span / (step * power) <= bins * (1 + 1e-9):
            return float(step * power)
    return float(100.0 * power)


def round_width_ns(span_ns: int) -> int:
    """Return the round width in whole nanoseconds that makes at most `BINS` bins."""
    return max(1, round(round_width(float(span_ns), BINS)))


class TimeCounts:
    """How many times fell into each bin; bins that have none cost nothing.

    Parameters
    ----------
    width_ns : int
        Width of a bin.
    """

    __slots__ = ("_counts", "_width_ns")

    def __init__(self, width_ns: int) -> None:
        self._width_ns = width_ns
        self._counts: dict[int, int] = {}

    def add(self, times_ns: Int64) -> None:
        """Count the times."""
        if not len(times_ns):
            return
        bins = times_ns // self._width_ns
        first = int(bins.min())
        if int(bins.max()) - first < 4 * len(bins):
            counts = np.bincount(bins - first)
            filled = np.flatnonzero(counts)
            found, counts = filled + first, counts[filled]
        else:
            found, counts = np.unique(bins, return_counts=True)
        for number, count in zip(found.tolist(), counts.tolist(), strict=True):
            self._counts[number] = self._counts.get(number, 0) + count

    def filled(self) -> tuple[Int64, Int64]:
        """Return where each bin that is not empty begins (ns), and its count."""
        bins = sorted(self._counts)
        counts = [self._counts[number] for number in bins]
        begins = np.array(bins, dtype=np.int64) * self._width_ns
        return begins, np.array(counts, dtype=np.int64)


class BucketCounts:
    """How many values fell into each bucket, bin of time by bin of time.

    Parameters
    ----------
    width_ns : int
        Width of a bin.
    """

    __slots__ = ("_counts", "_width_ns")

    def __init__(self, width_ns: int) -> None:
        self._width_ns = width_ns
        self._counts = np.zeros((0, BUCKETS), dtype=np.int64)

    def add(self, times_ns: Int64, values_ns: Int64) -> None:
        """Count each value, which is at least 0, in the bin of its time."""
        if not len(times_ns):
            return
        bins = times_ns // self._width_ns
        self._grow(int(bins.max()) + 1)
        places = bins * BUCKETS + bucket_codes(values_ns)
        np.add.at(self._counts.reshape(-1), places, 1)

    def _grow(self, bins: int) -> None:
        # Pages of zeros that nobody touches cost no memory, so room is made for all
        # bins that a run has, and doubled for one that turns out longer.
        if bins > len(self._counts):
            room = max(BINS + 1, bins, 2 * len(self._counts))
            counts = np.zeros((room, BUCKETS), dtype=np.int64)
            counts[: len(self._counts)] = self._counts
            self._counts = counts

    def filled(self) -> tuple[Int64, Int64, Int64]:
        """Return the begin (ns) of the bin, the bucket and the count of what is not 0.

        Bin by bin, and within a bin bucket by bucket.
        """
        bins, codes = np.nonzero(self._counts)
        return bins * self._width_ns, codes, self._counts[bins, codes]
