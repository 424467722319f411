import pytest

from kafkasim.config.frozen import UNSET
from kafkasim.config.producer import ProducerConfig
from kafkasim.errors import ValidationError


def test_defaults_are_those_of_kafka_4_3() -> None:
    """Source: org.apache.kafka.clients.producer.ProducerConfig, 4.3.1."""
    assert ProducerConfig().resolve().to_dict() == {
        "acks": "all",
        "enable_idempotence": True,
        "batch_size": 16384,
        "linger_ms": 5,
        "max_in_flight_requests_per_connection": 5,
        "max_request_size": 1048576,
        "partitioner_ignore_keys": False,
    }


@pytest.mark.parametrize("acks", ["1", "0", 1, 0], ids=repr)
def test_idempotence_by_default_goes_off_in_silence_without_acks_all(
    acks: object,
) -> None:
    config = ProducerConfig(acks=acks)  # type: ignore[arg-type]

    assert config.enable_idempotence is UNSET
    assert config.resolve().enable_idempotence is False
    assert config.resolve().resolve() == config.resolve()


def test_idempotence_set_by_hand_refuses_other_acks() -> None:
    with pytest.raises(ValidationError) as caught:
        ProducerConfig(acks="1", enable_idempotence=True)

    assert caught.value.path == "acks"
    assert "postProcessAndValidateIdempotenceConfigs" in caught.value.why


def test_more_than_five_in_flight_needs_idempotence_switched_off_by_hand() -> None:
    for config in ({}, {"acks": "1"}, {"enable_idempotence": True}):
        with pytest.raises(ValidationError, match="at most 5"):
            ProducerConfig(max_in_flight_requests_per_connection=6, **config)

    ProducerConfig(max_in_flight_requests_per_connection=6, enable_idempotence=False)


def test_minus_one_means_all_acks() -> None:
    assert ProducerConfig(acks=-1).acks == "all"  # type: ignore[arg-type]


def test_linger_is_whole_milliseconds_as_in_kafka() -> None:
    assert ProducerConfig(linger_ms=5.0).linger_ms == 5  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="a whole number"):
        ProducerConfig(linger_ms=0.5)  # type: ignore[arg-type]
