"""Rules of a whole log that no one of its modules has alone."""

from kafkasim.config.topic import TopicConfig
from kafkasim.log.partition_log import PartitionLog
from tests.log.logs import Log, records, sent

DAY_MS = 86_400_000


def test_an_idle_log_does_not_roll_by_time_but_its_next_append_does() -> None:
    """LG-2. Source: LogSegment.shouldRoll, asked by UnifiedLog.append alone."""
    config = TopicConfig(segment_ms=1_000, retention_ms=-1, cleanup_policy="compact")
    log: Log = PartitionLog(config=config)
    log.append(records(0))
    log.advance_high_watermark(1)
    for now_ms in (1_001, DAY_MS, 400 * DAY_MS):
        log.delete_old_segments(now_ms)
        log.clean(now_ms)
        log.expire_producers(now_ms)
        log.flush()

    assert len(log.segments) == 1
    log.append_as_leader(sent(1_000), now_ms=401 * DAY_MS)
    assert len(log.segments) == 1, "the batch's time counts, not the broker's"
    log.append_as_leader(sent(1_001), now_ms=401 * DAY_MS)
    assert [segment.base_offset for segment in log.segments] == [0, 2]


def test_a_topic_without_a_policy_keeps_everything() -> None:
    """LG-13. Source: UnifiedLog.deleteOldSegments, LogConfig (since 4.2)."""
    config = TopicConfig(cleanup_policy="", retention_ms=1, retention_bytes=1)
    log: Log = PartitionLog(config=config)
    for number in range(3):
        log.append(records(number))
        log.roll(number)
    log.advance_high_watermark(3)

    assert log.delete_old_segments(400 * DAY_MS) == []
    assert log.read(0).records()[0].offset == 0
