"""How long a segment is the active one: settings of `Segment.roll_cause`.

Source: `org.apache.kafka.storage.internals.log.LogConfig` (4.3).
"""

from typing import Literal

from kafkasim.config.topic import TopicConfig

RollCause = Literal["size", "time", "index", "offset"]
"""Why a new segment is begun: in the order in which Kafka asks."""


def most_segment_ms(config: TopicConfig) -> int:
    """Return how long a segment takes batches (`LogConfig.maxSegmentMs`).

    A compacted topic's is no longer than its records may stay uncompacted.
    """
    if config.compacts and config.max_compaction_lag_ms > 0:
        return min(config.max_compaction_lag_ms, config.segment_ms)
    return config.segment_ms


def roll_jitter_ms(config: TopicConfig, drawn: int) -> int:
    """Return a segment's jitter from a random number (`LogConfig.randomSegmentJitter`).

    Parameters
    ----------
    config : TopicConfig
        Resolved settings.
    drawn : int
        Any whole number; Kafka draws 32 bits.
    """
    if config.segment_jitter_ms == 0:
        return 0
    return abs(drawn) % min(config.segment_jitter_ms, config.segment_ms)
