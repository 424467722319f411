from kafkasim.log.rolling import most_segment_ms, roll_jitter_ms
from tests.log.segments import settings


def test_a_compacted_topic_rolls_before_its_records_must_be_compacted() -> None:
    """Source: LogConfig.maxSegmentMs."""

    def most_ms(policy: str) -> int:
        return most_segment_ms(
            settings(cleanup_policy=policy, max_compaction_lag_ms=500, segment_ms=900)
        )

    assert most_ms("delete") == 900
    assert most_ms("compact") == most_ms("compact,delete") == 500
    assert most_segment_ms(settings(cleanup_policy="compact", segment_ms=900)) == 900


def test_jitter_is_below_its_setting_and_below_the_time_of_a_segment() -> None:
    """Source: LogConfig.randomSegmentJitter."""
    some = settings(segment_ms=1000, segment_jitter_ms=300)
    much = settings(segment_ms=1000, segment_jitter_ms=5000)

    assert [roll_jitter_ms(some, drawn) for drawn in (0, 299, 300, -301)] == [
        *(0, 299, 0, 1),
    ]
    assert roll_jitter_ms(much, 1001) == 1
    assert roll_jitter_ms(settings(segment_ms=1000), 77) == 0
