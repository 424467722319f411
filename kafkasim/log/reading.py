"""What a read of a log gives, and what its reader makes of it.

A broker hands out whole batches and the list of aborted transactions; it is the
consumer that leaves out records below its position, markers, and what was aborted.

Source: `LocalLog.read`, `LocalLog.addAbortedTransactions` and
`UnifiedLog.fetchOffsetByTimestamp` of `org.apache.kafka.storage.internals.log`;
`CompletedFetch.nextFetchedRecord` of the consumer (4.3).
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final, Generic, Literal, NamedTuple, TypeVar

from kafkasim.log.decode import control_kind, decode_batch
from kafkasim.log.header import BatchHeader
from kafkasim.log.index import TimestampOffset
from kafkasim.log.record import Record
from kafkasim.log.segment import Segment
from kafkasim.log.transaction_index import AbortedTransaction

BatchT = TypeVar("BatchT")

Until = Literal["log_end", "high_watermark", "last_stable"]
"""How far a read may go: a follower's, a consumer's, and one of read_committed
(`FetchIsolation`)."""

LATEST_TIMESTAMP: Final = -1
EARLIEST_TIMESTAMP: Final = -2
MAX_TIMESTAMP: Final = -3
"""Times with a meaning of their own (`ListOffsetsRequest`)."""


class Read(NamedTuple, Generic[BatchT]):
    """Whole batches of one segment."""

    start_offset: int
    """The offset asked for; the first batch may begin before it."""
    next_offset: int
    """Offset after the last batch; the one asked for if there is none."""
    segment: Segment[BatchT]
    """Where they are."""
    position: int
    """Where in the segment the first batch begins."""
    end_position: int
    """Where the last one ends."""
    aborted: tuple[AbortedTransaction, ...] | None = None
    """Aborted transactions that reach into it, by rising marker; None if not asked."""

    @property
    def size_bytes(self) -> int:
        """Bytes of the batches."""
        return self.end_position - self.position

    @property
    def data(self) -> BatchT:
        """The batches, as one run of bytes in a log of bytes."""
        return self.segment.contents.read(self.position, self.end_position)

    def headers(self) -> list[BatchHeader]:
        """Return the headers of the batches, in order."""
        found = []
        for position, header in self.segment.contents.headers(self.position):
            if position >= self.end_position:
                break
            found.append(header)
        return found

    def records(self) -> list[Record]:
        """Return the records that a consumer gets of it; of a log of bytes.

        Those from `start_offset` on, without markers; without those of aborted
        transactions if the read went up to the last stable offset.

        Raises
        ------
        CorruptBatchError
            A batch's CRC is wrong, or it cannot be decoded.
        """
        found: list[Record] = []
        waiting = sorted(self.aborted or (), key=lambda one: -one.first_offset)
        aborting: set[int] = set()
        data = memoryview(self.data)  # type: ignore[arg-type]
        position = 0
        for header in self.headers():
            records = decode_batch(data, position)
            position += header.size_bytes
            while waiting and waiting[-1].first_offset <= header.last_offset:
                aborting.add(waiting.pop().producer_id)
            if header.is_control:
                if records and control_kind(records[0]) == "abort":
                    aborting.discard(header.producer_id)
                continue
            if header.is_transactional and header.producer_id in aborting:
                continue
            found += [one for one in records if one.offset >= self.start_offset]
        return found


class TimedOffset(NamedTuple):
    """Answer to the question for a time (ListOffsets)."""

    timestamp_ms: int
    """Timestamp of the record; −1 for the earliest and the latest offset."""
    offset: int
    leader_epoch: int | None
    """Epoch of the leader that wrote what is at that offset; the newest one for the
    latest offset; None if none is known."""


def segment_of(segments: Sequence[Segment[BatchT]], offset: int) -> int:
    """Return the number of the last segment that begins at an offset or below.

    −1 if all begin above.
    """
    return bisect_right(segments, offset, key=_base_offset) - 1


def _base_offset(segment: Segment[BatchT]) -> int:
    return segment.base_offset


def aborted_in(
    read: Read[BatchT], segments: Sequence[Segment[BatchT]], log_end_offset: int
) -> tuple[AbortedTransaction, ...]:
    """Return the aborted transactions that a read up to the last stable offset needs.

    The index knows no batch's end, so they are those up to the index entry after the
    read, or up to the next segment: a few more than the read meets.

    Source: `LocalLog.addAbortedTransactions`, `collectAbortedTransactions`.
    """
    number = segment_of(segments, read.segment.base_offset)
    above = read.segment.offset_index.first_from(read.end_position)
    if above is not None:
        end_offset = above.offset
    elif number + 1 < len(segments):
        end_offset = segments[number + 1].base_offset
    else:
        end_offset = log_end_offset
    found: list[AbortedTransaction] = []
    for segment in segments[number:]:
        some, is_complete = segment.transaction_index.aborted_between(
            read.start_offset, end_offset
        )
        found += some
        if is_complete:
            break
    return tuple(found)


def newest_record(segments: Sequence[Segment[BatchT]]) -> TimestampOffset | None:
    """Return the first record with the largest timestamp of all; None if none has one.

    Source: `UnifiedLog.fetchOffsetByTimestamp`, MAX_TIMESTAMP.
    """
    segment = max(segments, key=lambda one: one.max_timestamp_ms)
    start = segment.offset_index.look_up(segment.offset_of_max_timestamp).position
    for position, header in segment.contents.headers(start):
        if header.max_timestamp_ms == segment.max_timestamp_ms:
            found = segment.contents.first_at(
                position, header, header.max_timestamp_ms, header.base_offset
            )
            return TimestampOffset(*found) if found is not None else None
    return None


def first_record_from(
    segments: Sequence[Segment[BatchT]], timestamp_ms: int, log_start_offset: int
) -> TimestampOffset | None:
    """Return the first record at a time or later; None if there is none.

    Only the first segment that has a timestamp as large is looked into. In a segment
    without timestamps, the time of its last append counts.

    Source: `UnifiedLog.searchOffsetInLocalLog`.
    """
    for segment in segments:
        if largest_timestamp_ms(segment) >= timestamp_ms:
            return segment.offset_for_time(timestamp_ms, log_start_offset)
    return None


def largest_timestamp_ms(segment: Segment[BatchT]) -> int:
    """Return a segment's largest timestamp; without any, when its file last changed.

    Source: `LogSegment.largestTimestamp`.
    """
    if segment.max_timestamp_ms >= 0:
        return segment.max_timestamp_ms
    return segment.modified_ms
