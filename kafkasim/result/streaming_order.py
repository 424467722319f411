"""Who was overtaken, while records come in the order of processing, block by block.

A record is overtaken when one of the same entity and stream, intended later, was
processed before it; of two intended at one time the one with the higher row came later.
So one running maximum per entity and stream decides it: the latest record processed so
far. That is all that is kept of what lies behind.
"""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

_NONE: Final = -(2**63)
"""Before everything intended."""

_RADIX_BITS: Final = 16
_RADIX_MASK: Final = (1 << _RADIX_BITS) - 1
"""Numpy sorts whole numbers of 16 bits by radix, when asked for a stable order."""


@dataclass(frozen=True, slots=True, eq=False)
class ProcessedRows:
    """Records of one subscriber, processed for the first time: arrays of one length."""

    group: Int64
    """Whose order it belongs to, from 0: entity and stream."""
    intended_ns: Int64
    """When it was intended."""
    record: Int64
    """Its row."""
    ended_ns: Int64
    """When it was processed."""

    def __len__(self) -> int:
        return len(self.group)

    def where(self, kept: Bool | Int64) -> "ProcessedRows":
        """Return some of them, copied."""
        return ProcessedRows(*(getattr(self, f.name)[kept] for f in fields(self)))


def _joined(parts: list[ProcessedRows]) -> ProcessedRows:
    if len(parts) == 1:
        return parts[0]
    names = [field.name for field in fields(ProcessedRows)]
    columns = [[getattr(part, name) for part in parts] for name in names]
    return ProcessedRows(*map(np.concatenate, columns))


class Overtaking:
    """Counts the records overtaken.

    Attributes
    ----------
    records, overtaken : int
        Records so far, and how many of them were overtaken.
    """

    __slots__ = (
        "_done_ns",
        "_intended_ns",
        "_parts",
        "_record",
        "overtaken",
        "records",
    )

    def __init__(self) -> None:
        self.records = 0
        self.overtaken = 0
        self._parts: list[ProcessedRows] = []
        self._done_ns = _NONE
        self._intended_ns = np.zeros(0, dtype=np.int64)
        self._record = np.zeros(0, dtype=np.int64)

    def add(self, rows: ProcessedRows) -> None:
        """Take rows in any order, each after what `advance` was called with."""
        if len(rows):
            assert int(rows.ended_ns.min()) > self._done_ns, "that time was over"
            self._parts.append(rows)

    def advance(self, until_ns: int) -> None:
        """Count up to and with `until_ns`: nothing earlier will be told any more."""
        self._done_ns = max(self._done_ns, until_ns)
        if not self._parts:
            return
        rows = _joined(self._parts)
        over = rows.ended_ns <= until_ns
        self._parts = []
        if not over.all():
            self.add(rows.where(~over))
            rows = rows.where(over)
        if len(rows):
            self._count(rows)

    def _count(self, rows: ProcessedRows) -> None:
        self._grow(int(rows.group.max()) + 1)
        rows = rows.where(_in_order(rows))
        overtaken = self._behind(rows)
        last = np.ones(len(rows), dtype=np.bool_)
        last[:-1] = rows.group[1:] != rows.group[:-1]
        overtaken |= _overtaken_within(rows, last)
        self.records += len(rows)
        self.overtaken += int(np.count_nonzero(overtaken))
        latest = rows.where(last)
        latest = latest.where(~self._behind(latest))
        self._intended_ns[latest.group] = latest.intended_ns
        self._record[latest.group] = latest.record

    def _behind(self, rows: ProcessedRows) -> Bool:
        """Tell which rows were intended before the latest processed so far."""
        latest_ns = self._intended_ns[rows.group]
        tie = rows.intended_ns == latest_ns
        behind: Bool = rows.intended_ns < latest_ns
        if tie.any():
            behind |= tie & (rows.record < self._record[rows.group])
        return behind

    def _grow(self, groups: int) -> None:
        missing = groups - len(self._record)
        if missing > 0:
            more = np.full(max(missing, len(self._record)), _NONE, dtype=np.int64)
            self._intended_ns = np.concatenate((self._intended_ns, more))
            self._record = np.concatenate((self._record, more))


def _in_order(rows: ProcessedRows) -> Int64:
    """Return the places of the rows by group, and within it as they were intended.

    The same as one `lexsort`, many times faster: times come in a few rising runs, which
    a stable sort merges, and groups are sorted by radix.
    """
    order = np.argsort(rows.intended_ns, kind="stable")
    times = rows.intended_ns[order]
    if (times[1:] == times[:-1]).any():
        order = np.lexsort((rows.record, rows.intended_ns))
    for shift in range(0, max(1, int(rows.group.max()).bit_length()), _RADIX_BITS):
        digit = ((rows.group[order] >> shift) & _RADIX_MASK).astype(np.uint16)
        order = order[np.argsort(digit, kind="stable")]
    return order


def _overtaken_within(rows: ProcessedRows, last: Bool) -> Bool:
    """Tell which rows, sorted by group and order of intention, a later one overtook.

    One running minimum of the time of processing, from the end; times are shifted so
    that those of a group lie below those of the next, and it starts anew with each.
    """
    overtaken = np.zeros(len(rows), dtype=np.bool_)
    times = rows.ended_ns - rows.ended_ns.min()
    place: Int64 = np.cumsum(last) - last
    stride = int(times.max()) + 1
    if stride * (int(place[-1]) + 1) >= 2**62:
        times = np.unique(times, return_inverse=True)[1].astype(np.int64)
        stride = len(times)
    keys = times + place * stride
    later = np.minimum.accumulate(keys[::-1])[::-1]
    overtaken[:-1] = later[1:] < keys[:-1]
    return overtaken
