"""What a leader refuses to append to a log of a run.

Source: `UnifiedLog.append` and `LogValidator` (4.3), in their order: a batch that is
too large, a record without a key in a compacted topic, a timestamp out of bounds, a
batch that goes into no segment. One record that is refused takes its whole batch with
it. The same rules on bytes are those of `kafkasim.log.validation`.
"""

from collections.abc import Mapping

from kafkasim.config.rules import INT64_MAX
from kafkasim.config.topic import TopicConfig
from kafkasim.engine.sim.producer import Batch, ProducerClient
from kafkasim.protocol.errors import (
    INVALID_RECORD,
    INVALID_TIMESTAMP,
    MESSAGE_TOO_LARGE,
    NONE,
    RECORD_LIST_TOO_LARGE,
)
from kafkasim.protocol.producing.accumulator import WorkOf
from kafkasim.units import NS_PER_MS


class Admission:
    """Says what the leader of a topic's partition makes of a batch.

    Parameters
    ----------
    config : TopicConfig
        Resolved.
    producers : mapping of int to ProducerClient
        By source, those of the topic.
    keyless : mapping of int to WorkOf
        By source, how many of a batch's first records have no key; for those that may
        have such.
    """

    __slots__ = (
        "_config",
        "_keyless",
        "_looks_at_times",
        "_producers",
        "_segment_bytes",
    )

    def __init__(
        self,
        config: TopicConfig,
        producers: Mapping[int, ProducerClient],
        keyless: Mapping[int, WorkOf],
    ) -> None:
        self._config = config
        self._looks_at_times = (
            config.message_timestamp_type == "CreateTime"
            and config.message_timestamp_before_max_ms < INT64_MAX
        )
        self._segment_bytes = config.most_segment_bytes
        self._producers = producers
        self._keyless = keyless if config.compacts else {}

    def __call__(self, batch: Batch, now_ns: int) -> int:
        """Return why a batch is refused, `NONE` if it is not."""
        config = self._config
        if batch.size_bytes > config.max_message_bytes:
            return MESSAGE_TOO_LARGE
        keyless = self._keyless.get(batch.source_index)
        if keyless is not None and keyless(batch, batch.hi - batch.lo):
            return INVALID_RECORD
        if self._looks_at_times:
            accumulator = self._producers[batch.source_index].accumulator
            oldest_ns = accumulator.created_ns_of(batch.partition, batch.lo)
            age_ms = now_ns // NS_PER_MS - oldest_ns // NS_PER_MS
            if age_ms > config.message_timestamp_before_max_ms:
                return INVALID_TIMESTAMP
        if batch.size_bytes > self._segment_bytes:
            return RECORD_LIST_TOO_LARGE
        return NONE
