"""Read a segment again after a crash: what is whole stays, and is indexed anew.

Batch by batch the length and the CRC are checked, index entries made, epochs noted and
producers brought up to date. At the first batch that is not sound the segment ends.

Source: `org.apache.kafka.storage.internals.log.LogSegment.recover`, over the batches of
`FileLogInputStream` (4.3).
"""

import struct
from typing import Final

from crc32c import crc32c

from kafkasim.config.topic import TopicConfig
from kafkasim.errors import CorruptBatchError, LogError
from kafkasim.log.contents import ByteBatch
from kafkasim.log.header import (
    COVERED_AT,
    HEADER_BYTES,
    LOG_OVERHEAD_BYTES,
    MAGIC,
    NO_TIMESTAMP,
    unpack_header,
)
from kafkasim.log.index import LARGEST_RELATIVE_OFFSET
from kafkasim.log.leader_epochs import LeaderEpochs
from kafkasim.log.producer_files import ProducerFiles, refuse_outside
from kafkasim.log.segment import Segment
from kafkasim.log.transaction_index import AbortedTransaction

_FIELDS: Final = struct.Struct(">qiibIhi8xqq")
"""Of a header: base offset, length, leader epoch, magic, CRC, attributes, last offset
delta, max timestamp, producer id."""


class IndexRefusedError(LogError):
    """An index does not take an entry: offsets or timestamps of the batches fall.

    Kafka's `InvalidOffsetException`; what it does then is to empty the segment.
    """


class OffsetOverflowError(LogError):
    """A batch's last offset is too far from its segment's base, or before it.

    Kafka's `LogSegmentOffsetOverflowException`.
    """

    def __init__(self, segment: Segment[ByteBatch], offset: int) -> None:
        self.segment = segment
        self.offset = offset
        text = f"offset {offset} does not fit the segment from {segment.base_offset}"
        super().__init__("UNKNOWN_SERVER_ERROR", text)

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return (LogError, (self.code, self.text))


def recover(
    segment: Segment[ByteBatch],
    producers: ProducerFiles[ByteBatch],
    epochs: LeaderEpochs,
    config: TopicConfig,
) -> int:
    """Rebuild a segment's indexes from its batches, and cut what is not sound.

    Parameters
    ----------
    segment : Segment
        Its indexes are emptied first.
    producers : ProducerFiles
        As they are at the segment's base offset; brought up to its end.
    epochs : LeaderEpochs
        Newer epochs of batches are added.
    config : TopicConfig
        Resolved settings, for `index_interval_bytes`.

    Returns
    -------
    int
        Bytes that were cut.

    Raises
    ------
    OffsetOverflowError
        A batch's last offset does not fit the segment.
    IndexRefusedError
        Offsets of the batches do not rise.
    LogError
        A control batch is of no known type, or the index has no room.
    """
    segment.reset_indexes()
    size = segment.size_bytes
    view = memoryview(segment.contents.read(0, size))
    valid = _walk(view, segment, producers, epochs, config.index_interval_bytes)
    return segment.finish_recovery(valid)


def _walk(
    view: memoryview,
    segment: Segment[ByteBatch],
    producers: ProducerFiles[ByteBatch],
    epochs: LeaderEpochs,
    interval_bytes: int,
) -> int:
    """Go over the sound batches; return where they end."""
    unpack, base_offset = _FIELDS.unpack_from, segment.base_offset
    newest_epoch = epochs.latest
    end = len(view)
    last_header = end - HEADER_BYTES
    position = entry_at = 0
    largest_ms, largest_at = NO_TIMESTAMP, base_offset
    while position <= last_header:
        base, length, epoch, magic, crc, _, delta, max_ms, producer_id = unpack(
            view, position
        )
        stop = position + LOG_OVERHEAD_BYTES + length
        if stop - position < HEADER_BYTES or stop > end or magic < MAGIC:
            break
        if crc32c(view[position + COVERED_AT : stop]) != crc:
            break
        last = base + delta
        if not 0 <= last - base_offset <= LARGEST_RELATIVE_OFFSET:
            raise OffsetOverflowError(segment, last)
        if max_ms > largest_ms:
            largest_ms, largest_at = max_ms, last
        if position - entry_at > interval_bytes:
            _add_entry(segment, last, position, largest_ms, largest_at)
            entry_at = position
        if epoch > newest_epoch:
            _assign(epochs, epoch, base)
            newest_epoch = epoch
        batch, position = view[position:stop], stop
        if producer_id >= 0:
            try:
                _note_producer(batch, segment, producers)
            except CorruptBatchError:
                break
        producers.end_offset = last + 1
    segment.max_timestamp_ms = largest_ms
    segment.offset_of_max_timestamp = largest_at
    return position


def _assign(epochs: LeaderEpochs, epoch: int, offset: int) -> None:
    try:
        epochs.assign(epoch, offset)
    except ValueError as error:
        raise LogError("UNKNOWN_SERVER_ERROR", str(error)) from error


def _add_entry(
    segment: Segment[ByteBatch],
    last: int,
    position: int,
    largest_ms: int,
    largest_at: int,
) -> None:
    offsets, times = segment.offset_index, segment.time_index
    has_room = not (offsets.is_full or times.is_full)
    try:
        offsets.append(last, position)
        times.append(largest_ms, largest_at)
    except LogError as error:
        if has_room:
            raise IndexRefusedError(error.code, error.text) from error
        raise


def _note_producer(
    batch: memoryview,
    segment: Segment[ByteBatch],
    producers: ProducerFiles[ByteBatch],
) -> None:
    """Bring the producer of a batch up to date (`LogSegment.updateProducerState`)."""
    header = unpack_header(batch, 0)
    states = producers.states
    refuse_outside(states, header)
    for ended in producers.add([(header, batch)]):
        if ended.aborted:
            stable = states.last_stable_offset_after(ended)
            segment.append_aborted(
                AbortedTransaction(
                    ended.producer_id, ended.first_offset, ended.last_offset, stable
                )
            )
        states.complete(ended)
