import pytest

from kafkasim.config.topic import TopicConfig
from kafkasim.errors import ValidationError


def test_defaults_are_those_of_kafka() -> None:
    """Source: LogConfig and TopicConfig of Kafka 4.3.1, as DumpConfigs prints them."""
    config = TopicConfig().resolve()

    assert config.cleanup_policy == "delete"
    assert config.segment_ms == config.retention_ms == 7 * 86_400_000
    assert config.max_message_bytes == 1_048_588
    assert config.index_interval_bytes == 4096
    assert config.segment_index_bytes == 10 * 2**20
    assert config.delete_retention_ms == 86_400_000


@pytest.mark.parametrize(
    ("key", "default"),
    {
        "segment.bytes": 2**30,
        "segment.jitter.ms": 0,
        "retention.bytes": -1,
        "file.delete.delay.ms": 60_000,
        "min.cleanable.dirty.ratio": 0.5,
        "min.compaction.lag.ms": 0,
        "max.compaction.lag.ms": 2**63 - 1,
        "message.timestamp.type": "CreateTime",
        "message.timestamp.before.max.ms": 2**63 - 1,
        "message.timestamp.after.max.ms": 3_600_000,
        "flush.messages": 2**63 - 1,
        "flush.ms": 2**63 - 1,
        "min.insync.replicas": 1,
        "unclean.leader.election.enable": False,
    }.items(),
)
def test_each_other_default_is_kafkas(key: str, default: float | str) -> None:
    """LG-4, LG-5. Source: LogConfig, ServerLogConfigs, CleanerConfig of Kafka 4.3.1."""
    assert getattr(TopicConfig().resolve(), key.replace(".", "_")) == default


def test_the_least_segment_is_a_mebibyte_but_for_tests() -> None:
    """LG-3. Source: LogConfig, TopicConfig (since 4.1)."""
    with pytest.raises(ValidationError, match="segment_bytes"):
        TopicConfig(segment_bytes=1_000)

    assert TopicConfig(internal_segment_bytes=100).resolve().most_segment_bytes == 100
    assert TopicConfig().resolve().most_segment_bytes == 2**30


def test_policies_may_be_both_in_any_order_or_none() -> None:
    both = TopicConfig.from_properties("cleanup.policy=delete,compact").resolve()
    none = TopicConfig(cleanup_policy="").resolve()

    assert both.deletes and both.compacts
    assert not none.deletes and not none.compacts


def test_at_least_one_copy_must_be_in_sync() -> None:
    with pytest.raises(ValidationError, match="min_insync_replicas"):
        TopicConfig(min_insync_replicas=0)
