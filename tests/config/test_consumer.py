import pytest

from kafkasim.config.consumer import ConsumerConfig
from kafkasim.errors import ValidationError


def test_defaults_are_those_of_kafka_4_3() -> None:
    """Source: org.apache.kafka.clients.consumer.ConsumerConfig, 4.3.1."""
    assert ConsumerConfig().resolve().to_dict() == {
        "fetch_min_bytes": 1,
        "fetch_max_wait_ms": 500,
        "max_partition_fetch_bytes": 1048576,
        "fetch_max_bytes": 52428800,
        "max_poll_records": 500,
        "enable_auto_commit": True,
        "auto_commit_interval_ms": 5000,
        "auto_offset_reset": "latest",
        "isolation_level": "read_uncommitted",
        "request_timeout_ms": 30000,
        "default_api_timeout_ms": 60000,
        "retry_backoff_ms": 100,
        "retry_backoff_max_ms": 1000,
        "reconnect_backoff_ms": 50,
        "reconnect_backoff_max_ms": 1000,
        "metadata_max_age_ms": 300000,
    }


def test_a_poll_hands_out_at_least_one_record() -> None:
    with pytest.raises(ValidationError, match="max_poll_records"):
        ConsumerConfig(max_poll_records=0)


def test_who_sets_the_first_reconnect_backoff_alone_has_no_other() -> None:
    """Source: CommonClientConfigs.postProcessReconnectBackoffConfigs."""
    alone = ConsumerConfig(reconnect_backoff_ms=70).resolve()

    assert alone.reconnect_backoff_max_ms == 70
