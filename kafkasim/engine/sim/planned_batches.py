"""A segment's batches in a run: what was appended, by position, without bytes.

The log is the real one (`kafkasim.log.partition_log`); only what its segments hold is
lighter. A batch is a range of a producer's append list and knows its exact size, so
positions are those of the file that `logs=` would write.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from kafkasim.log.batch_retention import CleaningView
from kafkasim.log.header import BatchHeader
from kafkasim.protocol.producing.batch import Batch

Deltas = NDArray[np.int64]


class CleanedBatch(NamedTuple):
    """What compaction has left of a batch."""

    batch: Batch
    """As it was appended."""
    deltas: Deltas
    """Offset deltas of the records that are left."""
    header: BatchHeader
    """Its header now."""


Held = Batch | CleanedBatch


class BatchFacts(Protocol):
    """Knows what a run's batches hold.

    `deltas` says which of a batch's records are left, None for all.
    """

    def header(self, batch: Batch, base_offset: int) -> BatchHeader:
        """Return the header of a batch as it was appended."""

    def timestamps_ms(self, batch: Batch, deltas: Deltas | None) -> Deltas:
        """Return the records' timestamps."""

    def cleaning_view(self, batch: Batch, deltas: Deltas | None) -> CleaningView:
        """Return the records' keys, and which are tombstones."""

    def retained(
        self,
        batch: Batch,
        deltas: Deltas,
        header: BatchHeader,
        delete_horizon_ms: int | None,
    ) -> BatchHeader:
        """Return the header of a batch when some records are left of it."""


class PlannedBatches:
    """The batches of one segment; in place of its file.

    Attributes
    ----------
    name : str
        Of the file.
    base_offset : int
        Of the segment.
    base_offsets : list of int
        Offset of each batch's first record.
    positions : list of int
        Position of each batch's first byte, and at the end the size.
    dense : bool
        Whether each batch is as it was appended, and begins where the last one ended.
    batches : list
        What each is; None for one that was released.
    next_offset : int
        Offset after the last.
    size_bytes : int
        Bytes of all of them.
    """

    __slots__ = (
        "_facts",
        "_released",
        "base_offset",
        "base_offsets",
        "batches",
        "dense",
        "name",
        "next_offset",
        "positions",
        "size_bytes",
    )

    def __init__(self, name: str, base_offset: int, facts: BatchFacts) -> None:
        self.name = name
        self._facts = facts
        self.base_offsets: list[int] = []
        self.positions: list[int] = [0]
        self.dense = True
        self.batches: list[Held | None] = []
        self.size_bytes = 0
        self.base_offset = self.next_offset = base_offset
        self._released = 0

    def append(self, header: BatchHeader, batch: Held) -> None:
        """Add a batch at the end."""
        base_offset = header.base_offset
        if base_offset != self.next_offset or isinstance(batch, CleanedBatch):
            self.dense = False
        self.base_offsets.append(base_offset)
        self.batches.append(batch)
        self.size_bytes += header.size_bytes
        self.positions.append(self.size_bytes)
        self.next_offset = base_offset + header.last_offset_delta + 1

    @property
    def record_count(self) -> int:
        """Records in all of them."""
        if self.dense:
            first = self.base_offsets[0] if self.base_offsets else self.next_offset
            return self.next_offset - first
        return len(offsets_in(self))

    def headers(self, position: int = 0) -> Iterator[tuple[int, BatchHeader]]:
        """Yield the position and the header of each batch from a position on."""
        for number in range(bisect_left(self.positions, position), len(self.batches)):
            yield self.positions[number], self._header(number)

    def _header(self, number: int) -> BatchHeader:
        held = self._held(number)
        if isinstance(held, CleanedBatch):
            return held.header
        return self._facts.header(held, self.base_offsets[number])

    def _held(self, number: int) -> Held:
        held = self.batches[number]
        assert held is not None, f"batch {number} of {self.name} was released"
        return held

    def at(self, position: int) -> Held:
        """Return the batch at a position."""
        return self._held(bisect_left(self.positions, position))

    def read(self, position: int, end_position: int) -> Held:
        """Return the only batch between two positions; a run of them is not one."""
        held = self.at(position)
        assert bisect_left(self.positions, end_position) == 1 + bisect_left(
            self.positions, position
        )
        return held

    def number_of(self, offset: int) -> int:
        """Return which batch holds an offset, or else the first one behind it."""
        number = max(0, bisect_right(self.base_offsets, offset) - 1)
        if number < len(self.batches) and self.end_offset(number) <= offset:
            number += 1
        return number

    def number_below(self, offset: int) -> int:
        """Return how many batches lie wholly below an offset."""
        if offset >= self.next_offset:
            return len(self.base_offsets)
        if not self.dense:
            return self.number_of(offset)
        return max(0, bisect_right(self.base_offsets, offset) - 1)

    def held_between(self, first: int, end: int) -> list[Held]:
        """Return some batches as they are, without those released."""
        held = self.batches[first:end]
        if None not in held:
            return held  # type: ignore[return-value]
        return [one for one in held if one is not None]

    def release(self, offset: int) -> None:
        """Forget what the batches are that begin below an offset.

        Such batches can still be read, and counted.
        """
        end = bisect_left(self.base_offsets, offset, self._released)
        for number in range(self._released, end):
            self.batches[number] = None
        self._released = end

    def end_offset(self, number: int) -> int:
        """Return the offset after the last of a batch."""
        if self.dense:
            number += 1
            if number < len(self.base_offsets):
                return self.base_offsets[number]
            return self.next_offset
        held = self._held(number)
        if isinstance(held, CleanedBatch):
            return held.header.next_offset
        return self.base_offsets[number] + held.hi - held.lo

    def read_end(
        self,
        first: int,
        most_bytes: int,
        high_watermark: int,
        at_least_one: bool,  # noqa: FBT001 - hot path
    ) -> int:
        """Return the number after the last batch of a read from batch `first` on.

        Parameters
        ----------
        first : int
            The first one.
        most_bytes : int
            Soft limit on the bytes.
        high_watermark : int
            Only what lies wholly below it is read (BR-11).
        at_least_one : bool
            Read the first batch even when it alone is over the limit (KIP-74).
        """
        positions = self.positions
        most = positions[first] + most_bytes
        if high_watermark >= self.next_offset and self.size_bytes <= most:
            return len(self.base_offsets)
        end = max(first, self.number_below(high_watermark))
        if positions[end] > most:
            readable = end
            end = bisect_right(positions, most, first, end) - 1
            if end == first and at_least_one and first < readable:
                end += 1
        return end

    def first_at(
        self, position: int, header: BatchHeader, timestamp_ms: int, offset: int
    ) -> tuple[int, int] | None:
        """Return timestamp and offset of the batch's first record that is late enough.

        As `Contents.first_at`.
        """
        batch, deltas = parts(self.at(position))
        times_ms = self._facts.timestamps_ms(batch, deltas)
        offsets = header.base_offset + (
            np.arange(len(times_ms)) if deltas is None else deltas
        )
        late = np.flatnonzero((times_ms >= timestamp_ms) & (offsets >= offset))
        if not len(late):
            return None
        return int(times_ms[late[0]]), int(offsets[late[0]])

    def truncate(self, size_bytes: int) -> None:
        """Cut off the batches from a position on."""
        number = bisect_left(self.positions, size_bytes)
        if number:
            self.next_offset = self.end_offset(number - 1)
        del self.base_offsets[number:], self.batches[number:]
        del self.positions[number + 1 :]
        self.size_bytes = size_bytes

    def flush(self) -> None:
        """There is no file that could lag behind."""

    seal = close = flush

    def rename(self, new: str) -> None:
        """Take another name."""
        self.name = new

    # --- compaction ----------------------------------------------------------------

    def cleaning_view(self, position: int, header: BatchHeader) -> CleaningView:  # noqa: ARG002
        """Return keys and tombstones of the records of the batch at a position."""
        batch, deltas = parts(self.at(position))
        return self._facts.cleaning_view(batch, deltas)

    def retained(
        self,
        position: int,
        header: BatchHeader,
        keep: Sequence[bool],
        *,
        delete_horizon_ms: int | None = None,
    ) -> tuple[BatchHeader, Held]:
        """Return the batch at a position with some of its records left."""
        batch, deltas = parts(self.at(position))
        if deltas is None:
            deltas = np.arange(batch.hi - batch.lo)
        deltas = deltas[np.asarray(keep, dtype=np.bool_)]
        header = self._facts.retained(batch, deltas, header, delete_horizon_ms)
        return header, CleanedBatch(batch, deltas, header)


def parts(held: Held) -> tuple[Batch, Deltas | None]:
    """Return a batch as it was appended, and which records are left; None for all."""
    if isinstance(held, CleanedBatch):
        return held.batch, held.deltas
    return held, None


def header_of(held: Held) -> BatchHeader:
    """Return the header of a batch in a log that is replicated."""
    header = held.header
    assert header is not None, "a copy of what no leader appended"
    return header


def offsets_in(batches: PlannedBatches) -> Deltas:
    """Return the offsets of the records of a segment, rising."""
    parts = [np.zeros(0, np.int64)]
    for number, base in enumerate(batches.base_offsets):
        held = batches.batches[number]
        if isinstance(held, CleanedBatch):
            parts.append(base + held.deltas)
        else:
            parts.append(np.arange(base, batches.end_offset(number)))
    return np.concatenate(parts)


class Taken(NamedTuple):
    """What a fetch takes of one segment."""

    batches: PlannedBatches
    position: int
    end_position: int
