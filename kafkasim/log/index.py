"""The two sparse indexes of a segment: where an offset lies, and when it came.

An index is kept in memory in this machine's byte order, and has Kafka's bytes,
big-endian, when asked. It may lie: Kafka checks neither when it opens a log, and a
look-up in entries that are out of order ends where Kafka's would.

Sources: `OffsetIndex`, `TimeIndex` and `AbstractIndex` of
`org.apache.kafka.storage.internals.log` (4.3).
"""

from array import array
from bisect import bisect_left, bisect_right
from typing import Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from kafkasim.errors import LogError
from kafkasim.log.contents import ByteBatch
from kafkasim.log.header import NO_TIMESTAMP
from kafkasim.log.index_arrays import kafkas_slot, native, rises

Int64s = npt.NDArray[np.int64]

OFFSET_ENTRY_BYTES: Final = 8
TIME_ENTRY_BYTES: Final = 12
LARGEST_RELATIVE_OFFSET: Final = (1 << 31) - 1
"""An offset is kept as its distance from the segment's base, an int of four bytes."""

_OFFSET_ENTRY: Final = np.dtype([("relative", ">i4"), ("position", ">i4")])
_TIME_ENTRY: Final = np.dtype([("timestamp", ">i8"), ("relative", ">i4")])


class OffsetPosition(NamedTuple):
    """An entry of an offset index."""

    offset: int
    """Last offset of a batch."""
    position: int
    """Position in the segment of that batch's first byte."""


class TimestampOffset(NamedTuple):
    """An entry of a time index."""

    timestamp_ms: int
    """Largest timestamp so far; −1 for none."""
    offset: int
    """Last offset of the batch that has it."""


class OffsetIndex:
    """Where the batches of a segment lie, an entry for every few thousand bytes.

    Parameters
    ----------
    base_offset : int
        The segment's.
    most_bytes : int
        Room of its file (`segment.index.bytes`); a last part of an entry is no room.
    """

    __slots__ = ("_most", "_positions", "_relatives", "_sorted", "base_offset")

    def __init__(self, base_offset: int, most_bytes: int) -> None:
        self.base_offset = base_offset
        self._most = most_bytes // OFFSET_ENTRY_BYTES
        self._relatives = array("i")
        self._positions = array("i")
        self._sorted = True

    @classmethod
    def from_bytes(cls, base_offset: int, data: ByteBatch, most_bytes: int) -> Self:
        """Return the index that a file holds; bytes after the last entry are left.

        Every whole entry counts, zeros too, as when Kafka opens the file.
        """
        index = cls(base_offset, most_bytes)
        count = len(data) // OFFSET_ENTRY_BYTES
        table = np.frombuffer(data, _OFFSET_ENTRY, count)
        index._relatives = native("i", table["relative"])
        index._positions = native("i", table["position"])
        index._sorted = rises(table["relative"])
        return index

    def to_bytes(self, first: int = 0) -> bytes:
        """Return the bytes of the entries from `first` on, as in Kafka's file."""
        table = np.empty(len(self._relatives) - first, _OFFSET_ENTRY)
        table["relative"] = self._relatives[first:]
        table["position"] = self._positions[first:]
        return table.tobytes()

    @property
    def entry_count(self) -> int:
        """How many entries there are."""
        return len(self._relatives)

    @property
    def is_full(self) -> bool:
        """Whether there is no room for one more entry."""
        return self.room <= 0

    @property
    def room(self) -> int:
        """How many entries more it takes."""
        return self._most - len(self._relatives)

    @property
    def last_offset(self) -> int:
        """Offset of the last entry, the segment's base if there is none."""
        return self.base_offset + (self._relatives[-1] if self._relatives else 0)

    def holds(self, offset: int) -> bool:
        """Say whether the offset can be kept as a distance from the base.

        Source: `AbstractIndex.canAppendOffset`.
        """
        return 0 <= offset - self.base_offset <= LARGEST_RELATIVE_OFFSET

    def entry(self, number: int) -> OffsetPosition:
        """Return an entry; a negative number counts from the end."""
        return OffsetPosition(
            self.base_offset + self._relatives[number], self._positions[number]
        )

    def append(self, offset: int, position: int) -> None:
        """Append an entry.

        Parameters
        ----------
        offset : int
            Last offset of a batch, larger than that of the last entry.
        position : int
            Where the batch begins.

        Raises
        ------
        LogError
            The index is full, or the offset not larger, or too far from the base.
        """
        relatives = self._relatives
        relative = offset - self.base_offset
        if len(relatives) >= self._most:
            raise _refused(f"the offset index is full with {len(relatives)} entries")
        if relatives and relative <= relatives[-1]:
            raise _refused(f"offset {offset} is not after {self.last_offset}")
        if not 0 <= relative <= LARGEST_RELATIVE_OFFSET:
            raise _refused(f"offset {offset} is too far from {self.base_offset}")
        relatives.append(relative)
        self._positions.append(position)

    def look_up(self, offset: int) -> OffsetPosition:
        """Return the entry with the largest offset not above this one.

        Without such an entry it is (base offset, 0).
        """
        slot = self._slot(offset - self.base_offset)
        if slot < 0:
            return OffsetPosition(self.base_offset, 0)
        return OffsetPosition(
            self.base_offset + self._relatives[slot], self._positions[slot]
        )

    def look_up_many(self, offsets: Int64s) -> tuple[Int64s, Int64s]:
        """Return what `look_up` finds for each of many offsets.

        Parameters
        ----------
        offsets : int64[n]

        Returns
        -------
        offsets, positions : int64[n]
            Of the entries found.
        """
        relatives = np.frombuffer(self._relatives, np.intc)
        wanted = np.asarray(offsets, np.int64) - self.base_offset
        if self._sorted:
            keys = np.clip(wanted, -1 << 31, LARGEST_RELATIVE_OFFSET).astype(np.intc)
            slots = np.searchsorted(relatives, keys, side="right") - 1
        else:
            slots = np.array([self._slot(int(one)) for one in wanted], np.int64)
        found = (slots >= 0) & (wanted > -1 << 31)
        answer = np.full(wanted.size, self.base_offset, np.int64)
        positions = np.zeros(wanted.size, np.int64)
        answer[found] += relatives[slots[found]]
        positions[found] = np.frombuffer(self._positions, np.intc)[slots[found]]
        return answer, positions

    def before_last(self, position: int, offset: int) -> OffsetPosition | None:
        """Return the entry before the last one that is below both, None if none is.

        If entries are true, its batch ends at the position or before.
        """
        below = self._slot(offset - 1 - self.base_offset)
        slot = min(bisect_right(self._positions, position) - 1, below) - 1
        return self.entry(slot) if slot >= 0 else None

    def first_from(self, position: int) -> OffsetPosition | None:
        """Return the first entry at this position or above; None if there is none.

        Source: `OffsetIndex.fetchUpperBoundOffset`.
        """
        slot = bisect_left(self._positions, position)
        return self.entry(slot) if slot < len(self._positions) else None

    def truncate_to(self, offset: int) -> None:
        """Remove the entries at this offset and above."""
        relative = offset - self.base_offset
        slot = self._slot(relative)
        count = slot + (slot < 0 or self._relatives[slot] != relative)
        del self._relatives[count:], self._positions[count:]

    def clear(self) -> None:
        """Remove all entries."""
        del self._relatives[:], self._positions[:]
        self._sorted = True

    def _slot(self, relative: int) -> int:
        if self._sorted:
            return bisect_right(self._relatives, relative) - 1
        return kafkas_slot(self._relatives, relative, OFFSET_ENTRY_BYTES)


class TimeIndex:
    """Which offset had the largest timestamp so far, at some batches of a segment.

    Parameters
    ----------
    base_offset : int
        The segment's.
    most_bytes : int
        Room of its file (`segment.index.bytes`).
    """

    __slots__ = ("_most", "_relatives", "_sorted", "_timestamps", "base_offset")

    def __init__(self, base_offset: int, most_bytes: int) -> None:
        self.base_offset = base_offset
        self._most = most_bytes // TIME_ENTRY_BYTES
        self._timestamps = array("q")
        self._relatives = array("i")
        self._sorted = True

    @classmethod
    def from_bytes(cls, base_offset: int, data: ByteBatch, most_bytes: int) -> Self:
        """Return the index that a file holds; bytes after the last entry are left.

        Every whole entry counts, zeros too, as when Kafka opens the file.
        """
        index = cls(base_offset, most_bytes)
        count = len(data) // TIME_ENTRY_BYTES
        table = np.frombuffer(data, _TIME_ENTRY, count)
        index._timestamps = native("q", table["timestamp"])
        index._relatives = native("i", table["relative"])
        index._sorted = rises(table["timestamp"]) and rises(table["relative"])
        return index

    def to_bytes(self, first: int = 0) -> bytes:
        """Return the bytes of the entries from `first` on, as in Kafka's file."""
        table = np.empty(len(self._timestamps) - first, _TIME_ENTRY)
        table["timestamp"] = self._timestamps[first:]
        table["relative"] = self._relatives[first:]
        return table.tobytes()

    @property
    def entry_count(self) -> int:
        """How many entries there are."""
        return len(self._timestamps)

    @property
    def is_full(self) -> bool:
        """Whether only the last place is left, which is kept for the roll."""
        return self.room <= 0

    @property
    def room(self) -> int:
        """How many entries more it takes, but for the last place."""
        return self._most - 1 - len(self._timestamps)

    @property
    def last_entry(self) -> TimestampOffset:
        """The last entry; (−1, base offset) if there is none."""
        if not self._timestamps:
            return TimestampOffset(NO_TIMESTAMP, self.base_offset)
        return self.entry(-1)

    def entry(self, number: int) -> TimestampOffset:
        """Return an entry; a negative number counts from the end."""
        return TimestampOffset(
            self._timestamps[number], self.base_offset + self._relatives[number]
        )

    def append(self, timestamp_ms: int, offset: int, *, at_roll: bool = False) -> None:
        """Append an entry, unless the timestamp is that of the last one.

        Source: `TimeIndex.maybeAppend`.

        Parameters
        ----------
        timestamp_ms : int
            Largest timestamp so far; −1 makes no entry.
        offset : int
            Last offset of the batch that has it.
        at_roll : bool
            The segment is rolled or closed: the place kept for that may be taken.

        Raises
        ------
        LogError
            The index is full, or the offset or the timestamp is below the last one's,
            or the offset is too far from the base.
        """
        timestamps = self._timestamps
        relative = offset - self.base_offset
        if not at_roll and len(timestamps) >= self._most - 1:
            raise _refused(f"the time index is full with {len(timestamps)} entries")
        if timestamps:
            if relative < self._relatives[-1]:
                raise _refused(f"offset {offset} is before {self.last_entry.offset}")
            if timestamp_ms < timestamps[-1]:
                raise _refused(f"time {timestamp_ms} is before {timestamps[-1]}")
            if timestamp_ms == timestamps[-1]:
                return
        elif timestamp_ms <= NO_TIMESTAMP:
            return
        if not 0 <= relative <= LARGEST_RELATIVE_OFFSET:
            raise _refused(f"offset {offset} is too far from {self.base_offset}")
        timestamps.append(timestamp_ms)
        self._relatives.append(relative)

    def look_up(self, timestamp_ms: int) -> TimestampOffset:
        """Return the entry with the largest timestamp not above this one.

        Without such an entry it is (−1, base offset). All batches with a larger
        timestamp come after the entry's offset.
        """
        if self._sorted:
            slot = bisect_right(self._timestamps, timestamp_ms) - 1
        else:
            slot = kafkas_slot(self._timestamps, timestamp_ms, TIME_ENTRY_BYTES)
        if slot < 0:
            return TimestampOffset(NO_TIMESTAMP, self.base_offset)
        return self.entry(slot)

    def truncate_to(self, offset: int) -> None:
        """Remove the entries at this offset and above."""
        relative = offset - self.base_offset
        if self._sorted:
            slot = bisect_right(self._relatives, relative) - 1
        else:
            slot = kafkas_slot(self._relatives, relative, TIME_ENTRY_BYTES)
        count = slot + (slot < 0 or self._relatives[slot] != relative)
        del self._timestamps[count:], self._relatives[count:]

    def clear(self) -> None:
        """Remove all entries."""
        del self._timestamps[:], self._relatives[:]
        self._sorted = True


def _refused(text: str) -> LogError:
    return LogError("UNKNOWN_SERVER_ERROR", text)
