"""What tests of segments share: settings, batches, and a segment with some of them."""

from typing import TypedDict, Unpack

from kafkasim.config.topic import TopicConfig
from kafkasim.log.contents import ByteBatch, ByteContents
from kafkasim.log.encode import encode_batch
from kafkasim.log.header import BatchHeader, unpack_header
from kafkasim.log.record import Record
from kafkasim.log.segment import Segment
from kafkasim.log.store import FolderStore, MemoryStore

AnyStore = MemoryStore | FolderStore
ByteSegment = Segment[ByteBatch]


class Values(TypedDict, total=False):
    cleanup_policy: str
    flush_messages: int
    internal_segment_bytes: int
    segment_ms: int
    segment_jitter_ms: int
    segment_index_bytes: int
    index_interval_bytes: int
    max_compaction_lag_ms: int


def settings(**values: Unpack[Values]) -> TopicConfig:
    """Return resolved settings of a topic."""
    return TopicConfig(**values).resolve()  # type: ignore[arg-type]


def batches(data: bytes) -> list[tuple[BatchHeader, bytes]]:
    """Return the batches of a log file, each with its header."""
    store = MemoryStore()
    store.write("log", data)
    return [
        (header, data[position : position + header.size_bytes])
        for position, header in ByteContents(store, "log").headers()
    ]


def batch(offset: int, *times_ms: int, size: int = 20) -> tuple[BatchHeader, bytes]:
    """Return a batch of a record for each time, and its header."""
    records = [Record(time, None, bytes(size)) for time in times_ms]
    data = encode_batch(records, base_offset=offset)
    return unpack_header(data, 0), data


BATCH_BYTES = len(batch(0, 0, 2, 1)[1])


def filled(store: AnyStore, config: TopicConfig, base: int = 0) -> ByteSegment:
    """Return a segment of 20 batches of 3 records, 100 ms apart."""
    segment: ByteSegment = Segment(store, base, config, 0)
    for number in range(20):
        time_ms = 1000 + 100 * number
        segment.append(*batch(base + 3 * number, time_ms, time_ms + 2, time_ms + 1))
    return segment
