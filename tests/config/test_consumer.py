import pytest

from kafkasim.config.consumer import ConsumerConfig
from kafkasim.config.frozen import UNSET
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
        "group_protocol": "classic",
        "partition_assignment_strategy": ("range", "cooperative-sticky"),
        "session_timeout_ms": 45000,
        "heartbeat_interval_ms": 3000,
        "max_poll_interval_ms": 300000,
    }


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"group_protocol": "consumer", "session_timeout_ms": 9000}, "session_timeout"),
        ({"group_protocol": "consumer", "heartbeat_interval_ms": 9}, "heartbeat"),
        (
            {
                "group_protocol": "consumer",
                "partition_assignment_strategy": ["range"],
            },
            "partition_assignment_strategy",
        ),
        ({"group_remote_assignor": "range"}, "group_remote_assignor"),
    ],
)
def test_what_belongs_to_one_group_protocol_is_refused_with_the_other(
    said: dict[str, object], field: str
) -> None:
    """Source: ConsumerConfig.checkUnsupportedConfigsPostProcess (N8-1)."""
    with pytest.raises(ValidationError, match=field):
        ConsumerConfig.from_dict(said)


def test_resolved_the_consumer_protocol_leaves_to_the_broker_what_is_the_brokers() -> (
    None
):
    config = ConsumerConfig(group_protocol="consumer").resolve()

    assert config.session_timeout_ms is UNSET
    assert config.resolve() == config


def test_a_heartbeat_comes_more_often_than_a_session_ends() -> None:
    """Source: Heartbeat's constructor."""
    with pytest.raises(ValidationError, match="less than session_timeout_ms, 3000"):
        ConsumerConfig(session_timeout_ms=3000)


@pytest.mark.parametrize(
    "said",
    [
        ["sticky", "range"],
        (
            "org.apache.kafka.clients.consumer.StickyAssignor, "
            "org.apache.kafka.clients.consumer.RangeAssignor"
        ),
    ],
)
def test_assignors_are_named_by_their_names_or_classes(said: object) -> None:
    config = ConsumerConfig.from_dict({"partition_assignment_strategy": said})

    assert config.partition_assignment_strategy == ("sticky", "range")


@pytest.mark.parametrize("said", ["rang", [], ["range", "range"], 3])
def test_assignors_that_are_none_or_twice_are_refused(said: object) -> None:
    with pytest.raises(ValidationError, match="partition_assignment_strategy"):
        ConsumerConfig.from_dict({"partition_assignment_strategy": said})


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("cooperative_sticky", "did you mean cooperative-sticky"),
        ("CooperativeStickyAssignor", "did you mean cooperative-sticky"),
        (["uniform"], "group_remote_assignor"),
        (["range", "range"], "listed twice"),
    ],
)
def test_what_is_no_assignor_of_clients_has_a_hint(said: object, hint: str) -> None:
    with pytest.raises(ValidationError, match=hint):
        ConsumerConfig.from_dict({"partition_assignment_strategy": said})


def test_a_poll_hands_out_at_least_one_record() -> None:
    with pytest.raises(ValidationError, match="max_poll_records"):
        ConsumerConfig(max_poll_records=0)


def test_who_sets_the_first_reconnect_backoff_alone_has_no_other() -> None:
    """Source: CommonClientConfigs.postProcessReconnectBackoffConfigs."""
    alone = ConsumerConfig(reconnect_backoff_ms=70).resolve()

    assert alone.reconnect_backoff_max_ms == 70
