"""Where in a segment a batch lies: an index says where to begin, headers the rest.

Source: `org.apache.kafka.common.record.internal.FileRecords` (4.3).
"""

from contextlib import suppress
from typing import NamedTuple, TypeVar

from kafkasim.errors import CorruptBatchError
from kafkasim.log.contents import Contents
from kafkasim.log.header import BatchHeader
from kafkasim.log.index import OffsetIndex, TimeIndex, TimestampOffset

BatchT = TypeVar("BatchT")


class SegmentRead(NamedTuple):
    """Which whole batches of a segment a read gives."""

    position: int
    """Where the batch begins that holds the offset, or the next one if none does."""
    end_position: int
    """Where the last batch ends; the same as `position` if none is given."""
    first_offset: int
    """Base offset of the first batch: it may lie before the offset asked for."""
    next_offset: int
    """Offset after the last batch; the one asked for if none is given."""


def find(
    contents: Contents[BatchT], index: OffsetIndex, offset: int
) -> tuple[int, BatchHeader] | None:
    """Return position and header of the batch that holds an offset, or the next one.

    As `FileRecords.searchForOffsetFromPosition`: of batches that overlap it is the last
    one before the first that begins after the offset. None if the segment ends before.

    Raises
    ------
    CorruptBatchError
        There is what is no batch.
    """
    before: tuple[int, BatchHeader] | None = None
    start = max(index.look_up(offset).position, 0)  # as `LogSegment.translateOffset`
    for found in contents.headers(start):
        base_offset = found[1].base_offset
        if base_offset == offset:
            return found
        if base_offset > offset:
            held = before is not None and before[1].last_offset >= offset
            return before if held else found
        before = found
    if before is not None and before[1].last_offset >= offset:
        return before
    return None


def end_of_read(
    contents: Contents[BatchT],
    index: OffsetIndex,
    position: int,
    limit: int,
    end_offset: int | None,
) -> tuple[int, int]:
    """Return where the last whole batch of a read ends, and the offset after it.

    Parameters
    ----------
    contents : Contents
        The segment's batches.
    index : OffsetIndex
        The segment's.
    position, limit : int
        Where the first batch begins, and what no batch may go beyond.
    end_offset : int, optional
        No batch that holds this offset or a later one is taken.

    Returns
    -------
    end_position, next_offset : int
        The position given, and −1, if no batch can be taken; what is no batch ends it.
    """
    end, next_offset = position, -1
    for start in (_nearer(contents, index, position, limit, end_offset), position):
        with suppress(CorruptBatchError):
            for at, header in contents.headers(start):
                after = at + header.size_bytes
                if after > limit:
                    break
                if end_offset is not None and header.next_offset > end_offset:
                    break
                end, next_offset = after, header.next_offset
        if end > position:
            break
    return end, next_offset


def first_at_time(
    contents: Contents[BatchT],
    offsets: OffsetIndex,
    times: TimeIndex,
    timestamp_ms: int,
    from_offset: int,
) -> TimestampOffset | None:
    """Return the first record at or after a time, from an offset on; None if none is.

    As `LogSegment.findOffsetByTimestamp`.

    Raises
    ------
    CorruptBatchError
        There is what is no batch, or a batch that cannot be decoded.
    """
    entry = times.look_up(timestamp_ms)
    start = offsets.look_up(max(entry.offset, from_offset)).position
    for position, header in contents.headers(start):
        if header.max_timestamp_ms >= timestamp_ms:
            found = contents.first_at(position, header, timestamp_ms, from_offset)
            if found is not None:
                return TimestampOffset(*found)
    return None


def largest_timestamp(
    contents: Contents[BatchT], offsets: OffsetIndex, times: TimeIndex
) -> TimestampOffset:
    """Return the largest timestamp, and the last offset of the first batch that has it.

    As `LogSegment.readLargestTimestamp`: what lies before the last entry of the time
    index is taken from that. It is (−1, base offset) if no batch has a timestamp.
    """
    largest = times.last_entry
    start = offsets.look_up(largest.offset).position
    for _, header in contents.headers(start):
        if header.max_timestamp_ms > largest.timestamp_ms:
            largest = TimestampOffset(header.max_timestamp_ms, header.last_offset)
    return largest


def _nearer(
    contents: Contents[BatchT],
    index: OffsetIndex,
    position: int,
    limit: int,
    end_offset: int | None,
) -> int:
    """Return where a batch begins that is surely read, near the end of the read.

    That of an index entry which is followed by another within the read, if the entry is
    true of it; or else the first one.
    """
    until = index.last_offset + 1 if end_offset is None else end_offset
    entry = index.before_last(limit, until)
    if entry is not None and entry.position > position:
        with suppress(CorruptBatchError):
            for _, header in contents.headers(entry.position):
                if header.last_offset == entry.offset:
                    return entry.position
                break
    return position
