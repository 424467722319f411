from pathlib import Path

import pytest

from kafkasim.config.topic import TopicConfig
from kafkasim.log.header import BatchHeader
from kafkasim.log.partition_log import PartitionLog
from kafkasim.log.producer_state import Marker
from kafkasim.log.store import FolderStore, MemoryStore
from tests.log.batch_headers import header
from tests.log.logs import SMALL, Log, decide, files, log_of, numbered, sent

# -- rolling


def test_a_new_segment_begins_at_the_first_offset_of_its_first_batch() -> None:
    """Source: UnifiedLog.maybeRoll, roll."""
    log: Log = PartitionLog(config=TopicConfig(internal_segment_bytes=250))
    for at in range(6):
        log.append_as_leader(sent(at), now_ms=at)

    assert [segment.base_offset for segment in log.segments] == [0, 3]
    assert log.active is log.segments[-1] and log.active.created_ms == 3


def test_a_follower_rolls_to_the_offset_of_the_batch_not_to_its_own_end() -> None:
    """Source: UnifiedLog.maybeRoll: the first offset, after a gap."""
    log: Log = PartitionLog(config=TopicConfig(segment_ms=5))
    log.append_batch(header(0, size_bytes=80, timestamp_ms=0), bytes(80), 0)

    log.append_batch(header(7, size_bytes=80, timestamp_ms=6), bytes(80), 0)

    assert [segment.base_offset for segment in log.segments] == [0, 7]
    assert log.log_end_offset == 8
    assert log.recovery_point == 7  # flushUptoOffsetExclusive(newSegment.baseOffset)


def test_a_snapshot_of_the_producers_is_written_at_every_roll() -> None:
    """Source: UnifiedLog.roll."""
    log: Log = PartitionLog(config=SMALL)
    log.append_as_leader(numbered(0, 4))

    log.roll(0)

    assert "00000000000000000004.snapshot" in files(log)
    assert len(files(log)["00000000000000000004.snapshot"]) == 56


def test_what_lies_before_a_roll_is_synced() -> None:
    """Source: UnifiedLog.roll (flush-log), LG-4."""
    log: Log = PartitionLog()
    log.append_as_leader(sent(0, 1))
    assert log.recovery_point == 0

    log.roll(0)

    assert log.recovery_point == 2
    log.append_as_leader(sent(0))
    assert log.recovery_point == 2


def test_an_empty_segment_that_is_rolled_is_made_anew() -> None:
    """KAFKA-6388. Source: LocalLog.roll."""
    log = log_of([2])
    empty = log.roll(5)
    again = log.roll(9)

    assert len(log.segments) == 2 and again is log.active is not empty
    assert again.created_ms == 9
    assert "00000000000000000002.log.deleted" in files(log)


def test_flush_messages_counts_records() -> None:
    """Source: UnifiedLog.append, flushInterval."""
    log: Log = PartitionLog(config=TopicConfig(flush_messages=4))

    points = []
    for _ in range(4):
        log.append_as_leader(sent(0, 1, 2))
        points.append(log.recovery_point)

    assert points == [0, 6, 6, 12]
    trusted: Log = PartitionLog(config=TopicConfig(flush_messages=2))
    trusted.append_batch(header(0, 2, size_bytes=9), bytes(9), 0)
    assert trusted.recovery_point == 2


def test_segments_of_many_logs_do_not_roll_at_once() -> None:
    """Source: LogConfig.randomSegmentJitter."""
    config = TopicConfig(segment_jitter_ms=100)
    log: Log = PartitionLog(config=config, draw=lambda: 1_234)

    assert log.active.roll_jitter_ms == 34 and log.roll(0).roll_jitter_ms == 34


class Synced(MemoryStore):
    """Files in memory that remember what was synced; "." is the folder."""

    def __init__(self) -> None:
        super().__init__()
        self.synced: list[str] = []

    def sync(self, name: str) -> None:
        super().sync(name)
        self.synced.append(name)

    def sync_directory(self) -> None:
        self.synced.append(".")


def test_only_segments_above_the_recovery_point_are_synced() -> None:
    """Source: LocalLog.flush: the folder too, if a segment in it is new."""
    store = Synced()
    log: Log = PartitionLog(store, SMALL)
    log.append_as_leader(sent(0))
    log.flush()
    name = "00000000000000000000"
    assert store.synced == [
        f"{name}.log",
        f"{name}.index",
        f"{name}.timeindex",
        ".",
    ]

    store.synced.clear()
    log.flush()
    assert store.synced == []
    log.append_as_leader(sent(0))
    log.flush()
    assert "." not in store.synced and len(store.synced) == 3


def test_a_stop_syncs_an_empty_segment_too() -> None:
    """Source: UnifiedLog.flush with forceFlushActiveSegment."""
    store = Synced()
    log: Log = PartitionLog(store, SMALL)
    log.append_as_leader(sent(0))
    log.roll(0)
    assert "00000000000000000001.log" not in store.synced

    log.close()

    assert "00000000000000000001.log" in store.synced


# -- the high watermark


def test_the_high_watermark_of_a_leader_never_goes_back() -> None:
    """BR-12. Source: UnifiedLog.maybeIncrementHighWatermark."""
    log = log_of([2, 2])
    fresh: Log = PartitionLog()
    fresh.append_as_leader(sent(0, 1))

    assert fresh.high_watermark == 0
    assert fresh.advance_high_watermark(1) and fresh.high_watermark == 1
    assert not fresh.advance_high_watermark(1)
    assert not log.advance_high_watermark(3) and log.high_watermark == 4
    with pytest.raises(ValueError, match="above the log's end"):
        log.advance_high_watermark(5)


def test_a_follower_takes_the_leaders_high_watermark_up_to_its_own_end() -> None:
    """BR-22. Source: UnifiedLog.updateHighWatermark."""
    log = log_of([2, 2])
    log.move_start(1)

    assert log.set_high_watermark(9) == 4
    assert log.set_high_watermark(2) == log.high_watermark == 2
    assert log.set_high_watermark(0) == 1


def test_the_high_watermark_settles_decided_transactions() -> None:
    """Source: ProducerStateManager.onHighWatermarkUpdated."""
    log: Log = PartitionLog()
    log.append_as_leader(numbered(0, transactional=True))
    decide(log, "abort")
    assert log.producers.first_unstable_offset == 0

    log.set_high_watermark(1)
    assert log.producers.first_unstable_offset == 0
    log.set_high_watermark(2)
    assert log.producers.first_unstable_offset is None


# -- batches that are not bytes


class Named:
    """A batch of the simulation: it knows its name, and no bytes."""

    def __init__(self, name: str) -> None:
        self.name = name


class NamedContents:
    """Contents of such batches, in a list."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.size_bytes = 0
        self._kept: list[tuple[int, BatchHeader, Named]] = []

    def append(self, head: BatchHeader, batch: Named) -> None:
        self._kept.append((self.size_bytes, head, batch))
        self.size_bytes += head.size_bytes

    def headers(self, position: int = 0):  # type: ignore[no-untyped-def] # noqa: ANN201
        return ((at, head) for at, head, _ in self._kept if at >= position)

    def read(self, position: int, end_position: int) -> Named:
        return next(
            batch for at, _, batch in self._kept if position <= at < end_position
        )

    def first_at(self, *_: object) -> None:
        return None

    def truncate(self, size_bytes: int) -> None:
        self._kept = [one for one in self._kept if one[0] < size_bytes]
        self.size_bytes = size_bytes

    def flush(self) -> None: ...

    def seal(self) -> None: ...

    def close(self) -> None: ...

    def rename(self, new: str) -> None:
        self.name = new


class NamedStore(MemoryStore):
    """Files in memory, but for the batches."""

    def contents(self, name: str) -> NamedContents:  # type: ignore[override]
        return NamedContents(name)


def read_name(batch: Named) -> Marker | None:
    return Marker(batch.name == "commit", 0) if batch.name else None


def test_batches_need_not_be_bytes() -> None:
    log: PartitionLog[Named] = PartitionLog(
        NamedStore(),  # type: ignore[arg-type]
        TopicConfig(internal_segment_bytes=250),
        marker_of=read_name,
    )
    for at in range(4):
        one = header(at, producer=(7, 0, at), transactional=True)
        log.append_batch(one, Named(f"batch {at}"), 0)
    abort = header(4, producer=(7, 1, -1), control=True)
    log.append_batch(abort, Named("abort"), 0)
    emptied = header(5, producer=(7, 1, -1), control=True)
    log.append_batch(emptied, Named(""), 0)
    log.advance_high_watermark(6)

    assert [segment.base_offset for segment in log.segments] == [0, 2, 4]
    read = log.read(3, until="last_stable")
    assert read.data.name == "batch 3"
    assert read.aborted == ((7, 0, 4, 5),)

    log.truncate_to(3)
    assert log.producers.entries[7].last_sequence == 2
    assert log.producers.open_transactions == {0: 7}


def test_a_batch_without_a_time_leaves_the_time_of_its_append() -> None:
    """Source: LogSegment.largestTimestamp, lastModified."""
    log: Log = PartitionLog()
    log.append_batch(header(0, size_bytes=9, timestamp_ms=-1), bytes(9), 77)

    assert log.active.modified_ms == 77


# -- stops


def test_a_closed_log_has_trimmed_indexes_and_a_snapshot_at_its_end() -> None:
    """Source: UnifiedLog.close."""
    log = log_of([1, 1], [1])
    assert len(files(log)["00000000000000000002.index"]) == 1_200

    log.close()

    assert sorted(files(log)) == [
        "00000000000000000000.index",
        "00000000000000000000.log",
        "00000000000000000000.timeindex",
        "00000000000000000002.index",
        "00000000000000000002.log",
        "00000000000000000002.snapshot",
        "00000000000000000002.timeindex",
        "00000000000000000003.snapshot",
        "leader-epoch-checkpoint",
    ]
    assert len(files(log)["00000000000000000002.timeindex"]) == 12
    assert log.recovery_point == 3


@pytest.mark.parametrize("clean", [True, False])
def test_a_log_goes_on_where_it_was_closed(tmp_path: Path, *, clean: bool) -> None:
    store: FolderStore = FolderStore(tmp_path)
    config = TopicConfig(internal_segment_bytes=300)
    log: Log = PartitionLog(store, config, topic_id="fZyjPZAWQl2D3cZ7sYnZ2A")
    for sequence in range(5):
        log.append_as_leader(numbered(sequence), leader_epoch=sequence // 3)
    log.close()

    again: Log = PartitionLog(
        FolderStore(tmp_path), config, clean_shutdown=clean, recovery_point=3
    )

    assert again.log_end_offset == 5 and again.log_start_offset == 0
    assert again.leader_epochs.entries == ((0, 0), (1, 3))
    assert again.high_watermark == 0
    duplicate = again.append_as_leader(numbered(4), leader_epoch=1)
    assert duplicate.duplicate and duplicate.first_offset == 4
    assert again.append_as_leader(numbered(5), leader_epoch=1).first_offset == 5
    metadata = (tmp_path / "partition.metadata").read_text()
    assert metadata == "version: 0\ntopic_id: fZyjPZAWQl2D3cZ7sYnZ2A"


def test_an_empty_log_can_start_anywhere() -> None:
    log: Log = PartitionLog(config=SMALL, log_start_offset=40)

    assert log.append_as_leader(sent(0)).first_offset == 40
    assert (log.log_start_offset, log.high_watermark, log.recovery_point) == (40,) * 3
    assert "00000000000000000040.log" in files(log)
    assert repr(log) == "<PartitionLog 40 to 41, 76 bytes in 1 segments>"


def test_a_batch_of_no_leader_is_refused() -> None:
    """Source: LeaderEpochFileCache.assign, once an epoch is known."""
    log = log_of([1])

    with pytest.raises(ValueError, match="epoch -1"):
        log.append_batch(header(1, epoch=-1, size_bytes=9), bytes(9), 0)
