import pytest

from kafkasim.config.frozen import UNSET
from kafkasim.config.producer import ProducerConfig
from kafkasim.errors import ValidationError
from tests.config.verdicts import answer, asked


def test_defaults_are_those_of_kafka_4_3() -> None:
    """Source: org.apache.kafka.clients.producer.ProducerConfig, 4.3.1."""
    assert ProducerConfig().resolve().to_dict() == {
        "acks": "all",
        "enable_idempotence": True,
        "batch_size": 16384,
        "linger_ms": 5,
        "max_in_flight_requests_per_connection": 5,
        "max_request_size": 1048576,
        "compression_type": "none",
        "partitioner_ignore_keys": False,
        "partitioner_adaptive_partitioning_enable": True,
        "partitioner_availability_timeout_ms": 0,
        "buffer_memory": 33554432,
        "max_block_ms": 60000,
        "retries": 2147483647,
        "retry_backoff_ms": 100,
        "retry_backoff_max_ms": 1000,
        "request_timeout_ms": 30000,
        "delivery_timeout_ms": 120000,
        "reconnect_backoff_ms": 50,
        "reconnect_backoff_max_ms": 1000,
        "metadata_max_age_ms": 300000,
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


def test_idempotence_by_default_goes_off_in_silence_without_retries() -> None:
    assert ProducerConfig(retries=0).resolve().enable_idempotence is False
    assert ProducerConfig(retries=1).resolve().enable_idempotence is True


def test_idempotence_set_by_hand_refuses_to_go_without_retries() -> None:
    with pytest.raises(ValidationError) as caught:
        ProducerConfig(retries=0, enable_idempotence=True)

    assert caught.value.path == "retries"
    ProducerConfig(retries=0, enable_idempotence=False)


def test_a_delivery_timeout_set_too_short_is_refused() -> None:
    """Source: KafkaProducer.configureDeliveryTimeout."""
    ProducerConfig(delivery_timeout_ms=30_005)
    ProducerConfig(delivery_timeout_ms=110, linger_ms=10, request_timeout_ms=100)

    with pytest.raises(ValidationError, match=r"at least .* 30005"):
        ProducerConfig(delivery_timeout_ms=30_004)
    with pytest.raises(ValidationError, match="delivery_timeout_ms"):
        ProducerConfig(delivery_timeout_ms=109, linger_ms=10, request_timeout_ms=100)


def test_the_delivery_timeout_by_default_is_raised_in_silence() -> None:
    raised = ProducerConfig(request_timeout_ms=200_000)

    assert raised.delivery_timeout_ms is UNSET
    assert raised.resolve().delivery_timeout_ms == 200_005
    assert raised.resolve().resolve() == raised.resolve()


def test_the_delivery_timeout_is_raised_to_what_an_int_can_hold() -> None:
    raised = ProducerConfig(request_timeout_ms=2**31 - 1)

    assert raised.resolve().delivery_timeout_ms == 2**31 - 1
    ProducerConfig(request_timeout_ms=2**31 - 1, delivery_timeout_ms=2**31 - 1)


def test_who_sets_the_first_reconnect_backoff_alone_has_no_other() -> None:
    """Source: CommonClientConfigs.postProcessReconnectBackoffConfigs."""
    alone = ProducerConfig(reconnect_backoff_ms=70).resolve()
    both = ProducerConfig(reconnect_backoff_ms=70, reconnect_backoff_max_ms=90)
    longest = ProducerConfig(reconnect_backoff_max_ms=90).resolve()

    assert alone.reconnect_backoff_max_ms == 70
    assert both.resolve().reconnect_backoff_max_ms == 90
    assert (longest.reconnect_backoff_ms, longest.reconnect_backoff_max_ms) == (50, 90)


def test_every_mix_of_idempotence_is_judged_as_kafka_does() -> None:
    """PR-1, PR-2, PR-3. Source: what ProducerConfig of Kafka 4.3.1 said to 360."""
    rows = list(asked("idempotence"))

    assert len(rows) == 360
    for said, effective in rows:
        assert answer(ProducerConfig, said, "enable.idempotence") == effective, said


def test_every_mix_of_timeouts_is_judged_as_kafka_does() -> None:
    """PR-4. Source: what KafkaProducer.configureDeliveryTimeout of 4.3.1 said."""
    rows = list(asked("delivery"))

    assert len(rows) == 420
    for said, effective in rows:
        assert answer(ProducerConfig, said, "delivery.timeout.ms") == effective, said


def test_every_mix_of_reconnect_backoffs_is_judged_as_kafka_does() -> None:
    for said, effective in asked("reconnect"):
        key = "reconnect.backoff.max.ms"
        assert answer(ProducerConfig, said, key) == effective, said


def test_a_transactional_id_needs_idempotence() -> None:
    with pytest.raises(ValidationError) as caught:
        ProducerConfig.from_properties("transactional.id=t\nacks=1\n")

    assert caught.value.path == '"transactional.id"'
    with pytest.warns(UserWarning, match=r"not modelled yet.*transactional\.id"):
        ProducerConfig.from_properties("transactional.id=t\n")
