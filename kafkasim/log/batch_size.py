"""Sizes of record ranges and how many records fit, by prefix sums and bisection.

Within a batch a record's size depends on its place only through the varints of its two
deltas. Between two breakpoints of those (offset delta 64, 8192, …; timestamp delta
64 ms, 8192 ms, …) every record has the same number of extra bytes, so one prefix sum
per number of extra bytes makes every size exact, and "how many fit" a bisection.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.log.record_size import (
    BATCH_HEADER_BYTES,
    VARINT_STEPS,
    sized_bodies,
)
from kafkasim.units import NS_PER_MS

_FIRST_STEP: Final = VARINT_STEPS[0]
_LARGEST: Final = 1 << 31
"""More than a record has bytes."""
_SURELY_ONE_BYTE_NS: Final = (_FIRST_STEP - 1) * NS_PER_MS
"""Records this far apart have timestamps less than `_FIRST_STEP` ms apart."""


def ints(values: NDArray[np.signedinteger]) -> Sequence[int]:
    """Return a view of an array of ints whose items are Python ints, for hot loops."""
    return values.data


class RangeSizes:
    """Prefix sums of record sizes along one order of records.

    Parameters
    ----------
    body_bytes : int64 array of shape (records,), bytes
        Bodies with one-byte deltas, see `record_size.body_bytes_of`.
    created_ns : int64 array of shape (records,), nanoseconds
        When they were created, not falling; a timestamp is its millisecond.

    Attributes
    ----------
    created_ns : sequence of int
        The same.
    plain : sequence of int
        Prefix sums of sizes with one-byte deltas, one entry more than records.
    """

    __slots__ = ("_body_bytes", "_least_bytes", "_prefixes", "created_ns", "plain")

    def __init__(
        self, body_bytes: NDArray[np.int64], created_ns: NDArray[np.int64]
    ) -> None:
        self._body_bytes = body_bytes
        self._prefixes: dict[int, Sequence[int]] = {}
        least = sized_bodies(body_bytes.min(initial=_LARGEST, keepdims=True), 0)
        self._least_bytes = int(least[0])
        """Of one record, whichever it is and wherever it stands."""
        self.created_ns: Sequence[int] = ints(created_ns)
        self.plain = self._prefix(0)

    def _prefix(self, extra: int) -> Sequence[int]:
        """Return prefix sums of sizes with `extra` delta bytes, made on first use."""
        prefix = self._prefixes.get(extra)
        if prefix is None:
            sums = np.zeros(len(self._body_bytes) + 1, dtype=np.int64)
            np.cumsum(sized_bodies(self._body_bytes, extra), out=sums[1:])
            prefix = self._prefixes[extra] = ints(sums)
        return prefix

    def batch_bytes(self, lo: int, hi: int) -> int:
        """Return the exact size of a batch of records `lo` to `hi` (excluded)."""
        created_ns = self.created_ns
        if (
            hi - lo <= _FIRST_STEP
            and created_ns[hi - 1] - created_ns[lo] <= _SURELY_ONE_BYTE_NS
        ):
            plain = self.plain
            return BATCH_HEADER_BYTES + plain[hi] - plain[lo]
        size = BATCH_HEADER_BYTES
        base_ms = created_ns[lo] // NS_PER_MS
        at = lo
        while at < hi:
            extra, stop = self._region(at, hi, at - lo, base_ms)
            prefix = self._prefix(extra)
            size += prefix[stop] - prefix[at]
            at = stop
        return size

    def fill(  # noqa: PLR0917 - hot path
        self, lo: int, end: int, count: int, base_ms: int, used: int, capacity: int
    ) -> tuple[int, int]:
        """Add records from `lo` on while the batch stays within `capacity`.

        Parameters
        ----------
        lo, end : int
            First record to add, and one past the last that may be added.
        count : int
            Records already in the batch.
        base_ms : int
            Timestamp of the batch's first record, milliseconds.
        used, capacity : int
            Bytes in the batch before, and at most after.

        Returns
        -------
        tuple of int
            One past the last record added, and the bytes in the batch then.
        """
        shift = count - lo
        # No more than these fit: so what is searched is near, and mostly one region.
        end = min(end, lo + (capacity - used) // self._least_bytes)
        while lo < end:
            extra, stop = self._region(lo, end, lo + shift, base_ms)
            prefix = self._prefix(extra)
            start = prefix[lo]
            fits = bisect_right(prefix, capacity - used + start, lo + 1, stop + 1) - 1
            used += prefix[fits] - start
            if fits < stop:
                return fits, used
            lo = stop
        return lo, used

    def _region(
        self, at: int, end: int, offset_delta: int, base_ms: int
    ) -> tuple[int, int]:
        """Return the extra delta bytes at `at` and up to where they stay the same."""
        created_ns = self.created_ns
        # As many steps as a delta has passed, so many bytes it takes beyond its first.
        places = bisect_right(VARINT_STEPS, offset_delta)
        times = bisect_right(VARINT_STEPS, created_ns[at] // NS_PER_MS - base_ms)
        stop = min(end, at + VARINT_STEPS[places] - offset_delta)
        limit_ns = (base_ms + VARINT_STEPS[times]) * NS_PER_MS
        if created_ns[stop - 1] >= limit_ns:
            stop = bisect_left(created_ns, limit_ns, at + 1, stop)
        return places + times, stop
