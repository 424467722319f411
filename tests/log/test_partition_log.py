from collections.abc import Callable
from pathlib import Path

import pytest

from kafkasim.config.topic import TopicConfig
from kafkasim.log.contents import ByteBatch
from kafkasim.log.header import HEADER_BYTES, unpack_header
from kafkasim.log.partition_log import PartitionLog
from kafkasim.log.reading import (
    EARLIEST_TIMESTAMP,
    LATEST_TIMESTAMP,
    MAX_TIMESTAMP,
)
from kafkasim.log.store import FolderStore, MemoryStore, Store
from tests.log.broker_files import TOPICS, batches, partition
from tests.log.logs import Log, files, sent

Append = Callable[[Log, bytes], object]

SETTINGS = {
    "segments": TopicConfig(segment_ms=5_000, index_interval_bytes=64),
    "transactions": TopicConfig(segment_ms=5_000, index_interval_bytes=64),
    "compact": TopicConfig(
        cleanup_policy="compact", segment_ms=5_000, index_interval_bytes=64
    ),
}
"""What the real broker's topics were made with."""


# -- files


def as_follower(log: Log, batch: bytes) -> object:
    return log.append_as_follower(batch, leader_epoch=0)


def as_leader(log: Log, batch: bytes) -> object:
    header = unpack_header(batch, 0)
    as_sent = header._replace(base_offset=0, leader_epoch=-1).pack()
    return log.append_as_leader(
        as_sent + batch[HEADER_BYTES:],
        now_ms=header.max_timestamp_ms,
        origin="coordinator" if header.is_control else "client",
    )


def trusted(log: Log, batch: bytes) -> object:
    log.append_batch(unpack_header(batch, 0), batch, 0)
    return None


@pytest.mark.parametrize("topic", sorted(set(TOPICS) - {"compact_after_cleaning"}))
@pytest.mark.parametrize("append", [as_follower, as_leader, trusted])
def test_every_file_is_byte_for_byte_a_real_brokers(topic: str, append: Append) -> None:
    """Segments, indexes, snapshots at rolls and at the stop, and the epoch file."""
    log: Log = PartitionLog(config=SETTINGS.get(topic))

    for batch in batches(topic):
        append(log, batch)
    log.close()

    assert files(log) == partition(topic)


def test_a_folder_has_the_same_files(tmp_path: Path) -> None:
    log: Log = PartitionLog(FolderStore(tmp_path), SETTINGS["transactions"])
    for batch in batches("transactions"):
        as_follower(log, batch)
    log.close()

    written = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert written == partition("transactions")

    again: Log = PartitionLog(
        FolderStore(tmp_path), SETTINGS["transactions"], clean_shutdown=True
    )
    assert again.log_end_offset == 19 and len(again.segments) == 2
    assert again.leader_epochs.entries == ((0, 0),)
    assert again.producers.entries[4].epoch == 3


# -- times


def test_the_first_record_at_a_time_or_later() -> None:
    """BR-34. Source: UnifiedLog.fetchOffsetByTimestamp."""
    log: Log = PartitionLog()
    log.append_as_leader(sent(10, 30, 20), leader_epoch=1)
    log.roll(0)
    log.append_as_leader(sent(40, 50), leader_epoch=2)

    def found(timestamp_ms: int) -> tuple[int, int, int | None] | None:
        return log.offset_for_time(timestamp_ms)

    assert found(0) == (10, 0, 1)
    assert found(11) == (30, 1, 1)
    assert found(30) == (30, 1, 1)
    assert found(31) == (40, 3, 2)
    assert found(50) == (50, 4, 2)
    assert found(51) is None


def test_times_with_a_meaning_of_their_own() -> None:
    """BR-34. Source: ListOffsetsRequest, Partition.fetchOffsetForTimestamp."""
    log: Log = PartitionLog()
    assert log.offset_for_time(EARLIEST_TIMESTAMP) == (-1, 0, None)
    assert log.offset_for_time(LATEST_TIMESTAMP) == (-1, 0, None)
    assert log.offset_for_time(MAX_TIMESTAMP) is None
    log.append_as_leader(sent(10, 90, 90), leader_epoch=1)
    log.roll(0)
    log.append_as_leader(sent(90, 50), leader_epoch=2)
    log.advance_high_watermark(3)

    assert log.offset_for_time(MAX_TIMESTAMP) == (90, 1, 1)
    assert log.offset_for_time(LATEST_TIMESTAMP) == (-1, 5, 2)
    latest = log.offset_for_time(LATEST_TIMESTAMP, until="high_watermark")
    assert latest == (-1, 3, 2)
    log.delete_records(2)
    assert log.offset_for_time(EARLIEST_TIMESTAMP) == (-1, 2, 1)
    assert log.offset_for_time(10) == (90, 2, 1)


def test_what_may_not_be_read_is_not_found_by_time() -> None:
    """Source: Partition.fetchOffsetForTimestamp, lastFetchableOffset."""
    log: Log = PartitionLog()
    log.append_as_leader(sent(10))
    log.append_as_leader(sent(20))
    log.advance_high_watermark(1)

    assert log.offset_for_time(20) is not None
    assert log.offset_for_time(20, until="high_watermark") is None
    assert log.offset_for_time(MAX_TIMESTAMP, until="high_watermark") is None
    assert log.offset_for_time(10, until="high_watermark") is not None


# -- both stores


def test_a_store_does_not_change_what_is_read(tmp_path: Path) -> None:
    stores: list[Store[ByteBatch]] = [MemoryStore(), FolderStore(tmp_path)]
    reads = []
    for store in stores:
        log: Log = PartitionLog(store, TopicConfig(internal_segment_bytes=300))
        for count in (1, 2, 3, 1, 2, 3):
            log.append_as_leader(sent(*range(count)))
        log.truncate_to(9)
        log.append_as_leader(sent(5))
        reads.append([bytes(log.read(at).data) for at in range(log.log_end_offset)])
        log.close()
    assert reads[0] == reads[1]
