from kafkasim.config.topic import TopicConfig
from kafkasim.log.contents import ByteBatch
from kafkasim.log.partition_log import PartitionLog
from kafkasim.log.retention import (
    Breach,
    DeletedFiles,
    below_start,
    beyond_size,
    beyond_time,
    deletable,
)
from kafkasim.log.store import MemoryStore
from tests.log.batch_headers import header
from tests.log.logs import SMALL, Log, files, log_of, numbered, sent


def log_with(*segments: tuple[int, int]) -> Log:
    """Return a log whose segments have one batch: its size and its timestamp."""
    log: Log = PartitionLog(config=SMALL)
    for number, (size, timestamp_ms) in enumerate(segments):
        if number:
            log.roll(500)
        one = header(number, size_bytes=size, timestamp_ms=timestamp_ms)
        log.append_batch(one, bytes(size), 700)
    return log


def bases(log: Log) -> list[int]:
    return [segment.base_offset for segment in log.segments]


def going(log: Log, breaches: Breach[ByteBatch], high_watermark: int = 99) -> list[int]:
    found = deletable(log.segments, breaches, high_watermark, log.log_end_offset)
    return [segment.base_offset for segment in found]


def test_a_segment_is_too_old_after_retention_ms_and_not_at_it() -> None:
    """LG-8. Source: UnifiedLog.deleteRetentionMsBreachedSegments."""
    log = log_with((100, 10), (100, 20), (100, 30))

    assert going(log, beyond_time(110, 100)) == []
    assert going(log, beyond_time(111, 100)) == [0]
    assert going(log, beyond_time(10**9, 100)) == [0, 1, 2]
    assert going(log, beyond_time(10**9, -1)) == []
    assert going(log, beyond_time(21, 0)) == [0, 1]


def test_a_timestamp_in_the_future_pins_its_segment_and_all_later_ones() -> None:
    """LG-8."""
    log = log_with((100, 10), (100, 10**12), (100, 30))

    assert going(log, beyond_time(10**9, 100)) == [0]


def test_a_segment_without_timestamps_is_as_old_as_its_last_append() -> None:
    """Source: LogSegment.largestTimestamp: the time of the file."""
    log = log_with((100, -1))

    assert going(log, beyond_time(800, 100)) == []
    assert going(log, beyond_time(801, 100)) == [0]


def test_a_truncation_makes_an_emptied_segment_new() -> None:
    """Source: LogSegment.largestTimestamp: the time of the file."""
    log: Log = PartitionLog(config=SMALL)
    log.append_as_leader(sent(10))
    log.truncate_to(0, now_ms=900)
    within: Breach[ByteBatch] = beyond_time(1_000, 100)
    beyond: Breach[ByteBatch] = beyond_time(1_001, 100)

    assert not within(log.active, None)
    assert beyond(log.active, None)


def test_by_size_no_more_goes_than_leaves_the_limit() -> None:
    """LG-9. Source: UnifiedLog.deleteRetentionSizeBreachedSegments."""
    log = log_with((100, 0), (200, 0), (300, 0))

    assert going(log, beyond_size(600, 501)) == []
    assert going(log, beyond_size(600, 500)) == [0]
    assert going(log, beyond_size(600, 301)) == [0]
    assert going(log, beyond_size(600, 300)) == [0, 1]
    assert going(log, beyond_size(600, 0)) == [0, 1, 2]
    assert going(log, beyond_size(600, -1)) == []


def test_below_the_start_is_a_segment_whose_next_one_begins_there() -> None:
    """LG-10. Source: UnifiedLog.deleteLogStartOffsetBreachedSegments."""
    log = log_of([2], [2], [2])

    assert going(log, below_start(1)) == []
    assert going(log, below_start(2)) == [0]
    assert going(log, below_start(5)) == [0, 2]
    assert going(log, below_start(6)) == [0, 2]


def test_what_lies_above_the_high_watermark_stays() -> None:
    """LG-10. Source: UnifiedLog.deletableSegments."""
    log = log_of([2], [2])
    old: Breach[ByteBatch] = beyond_time(10**9, 0)

    assert going(log, old, 1) == []
    assert going(log, old, 2) == [0]
    assert going(log, old, 3) == [0]
    assert going(log, old, 4) == [0, 2]


def test_an_empty_last_segment_stays() -> None:
    """Source: UnifiedLog.deletableSegments."""
    log = log_of([2])
    log.roll(0)

    assert going(log, beyond_time(10**9, 0)) == [0]
    assert going(PartitionLog(config=TopicConfig()), beyond_time(10**9, 0)) == []


def test_files_are_removed_when_they_are_due() -> None:
    """LG-11."""
    store = MemoryStore()
    for name in "abc":
        store.write(name, b"")
    deleted = DeletedFiles(store)
    deleted.add_names(["a"], 10)
    deleted.add_names(["b", "gone"], 20)

    assert deleted.names == ["a", "b", "gone"]
    assert deleted.remove_due(9) == [] and store.names() == ["a", "b", "c"]
    assert deleted.remove_due(10) == ["a"]
    assert deleted.remove_due(99) == ["b"]
    assert deleted.names == [] and store.names() == ["c"]


# -- of a log


def test_segments_go_by_start_then_size_then_time() -> None:
    """Source: UnifiedLog.deleteOldSegments."""
    log = log_of([2], [2], [2], [2], [2])
    size = log.active.size_bytes
    log.update_config(TopicConfig(retention_bytes=3 * size, retention_ms=100))
    log.delete_records(3)

    removed = log.delete_old_segments(now_ms=106)

    assert [(one.segment.base_offset, one.cause) for one in removed] == [
        (0, "start_offset"),
        (2, "size"),
        (4, "time"),
    ]
    assert bases(log) == [6, 8] and log.log_start_offset == 6


def test_an_idle_log_becomes_empty() -> None:
    """LG-8. The active segment is rolled, then deleted."""
    log = log_of(
        [2], [2], config=TopicConfig(retention_ms=10, segment_index_bytes=1_200)
    )
    assert log.delete_old_segments(now_ms=11) == []

    removed = log.delete_old_segments(now_ms=14)

    assert [one.cause for one in removed] == ["time", "time"]
    assert bases(log) == [4] and log.size_bytes == 0
    assert (log.log_start_offset, log.log_end_offset) == (4, 4)
    assert log.active.created_ms == 14
    assert log.delete_old_segments(now_ms=10**9) == []


def test_files_of_deleted_segments_stay_a_while() -> None:
    """LG-11. Source: LocalLog.deleteSegmentFiles."""
    log = log_of(
        [2], [2], config=TopicConfig(retention_ms=10, segment_index_bytes=1_200)
    )
    reader = log.read(0)

    log.delete_old_segments(now_ms=12)

    names = [name for name in files(log) if name.endswith(".deleted")]
    assert sorted(names) == [
        "00000000000000000000.index.deleted",
        "00000000000000000000.log.deleted",
        "00000000000000000000.timeindex.deleted",
    ]
    assert len(reader.records()) == 2
    assert log.delete_expired_files(60_011) == []
    assert sorted(log.delete_expired_files(60_012)) == sorted(names)


def test_a_compacted_topic_keeps_what_is_old() -> None:
    """Source: UnifiedLog.deleteOldSegments."""
    for policy in ("compact", ""):
        config = TopicConfig(
            cleanup_policy=policy,
            retention_ms=1,
            retention_bytes=1,
        )
        log = log_of([2], [2], config=config)
        assert log.delete_old_segments(now_ms=10**9) == []


def test_what_is_not_replicated_stays() -> None:
    """LG-10. Source: UnifiedLog.deletableSegments."""
    log: Log = PartitionLog(config=TopicConfig(retention_ms=1))
    log.append_as_leader(sent(0, 1))
    log.roll(0)
    log.append_as_leader(sent(0, 1))
    log.advance_high_watermark(1)
    assert log.delete_old_segments(now_ms=10**9) == []

    log.advance_high_watermark(2)
    assert len(log.delete_old_segments(now_ms=10**9)) == 1
    assert bases(log) == [2]


def test_a_deleted_segments_snapshot_goes_with_it() -> None:
    """Source: UnifiedLog.deleteProducerSnapshots."""
    log = log_of(
        [2], [2], [2], config=TopicConfig(retention_ms=10, segment_index_bytes=1_200)
    )
    log.delete_old_segments(now_ms=14)

    there = files(log)
    assert bases(log) == [4]
    assert "00000000000000000002.snapshot.deleted" in there
    assert "00000000000000000004.snapshot" in there


def test_producers_outlive_their_records() -> None:
    """Source: ProducerStateManager.onLogStartOffsetIncremented."""
    log: Log = PartitionLog(
        config=TopicConfig(retention_ms=10, segment_index_bytes=1_200)
    )
    log.append_as_leader(numbered(0))
    log.advance_high_watermark(1)
    log.delete_old_segments(now_ms=10**6)

    assert log.append_as_leader(numbered(0)).duplicate
    assert log.expire_producers(now_ms=86_400_000) == 1
    assert not log.append_as_leader(numbered(0)).duplicate
