"""What a description of RabbitMQ may say."""

from collections.abc import Callable

import pytest

from kafkasim.config.rules import kind_of
from kafkasim.errors import ValidationError
from kafkasim.scenario.rabbitmq import Consumers, Publisher, Queue, RabbitMQ


def test_a_file_names_it_by_one_word() -> None:
    assert kind_of(RabbitMQ) == "rabbitmq"


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        (lambda: Queue("quorum", durable=False), "durable"),
        (lambda: Queue(members=3), "members"),
        (lambda: Queue(delivery_limit=20), "delivery_limit"),
        (lambda: Publisher(routing_key="{topic}"), "routing_key"),
        pytest.param(lambda: Publisher(routing_key="{a.b"), "routing_key", id="brace"),
        (lambda: Publisher(confirms=False, max_unconfirmed=1), "max_unconfirmed"),
        (lambda: Publisher(retry_ms=0), "retry_ms"),
        (lambda: Consumers(prefetch=2, ack_every=3), "ack_every"),
        pytest.param(
            lambda: Consumers(ack="auto", ack_every=2), "ack_every", id="no acks"
        ),
        (lambda: Consumers(ack="auto", failing_share=0.5), "failing_share"),
        (lambda: Consumers(priorities=[1, 2]), "priorities"),
        (
            lambda: RabbitMQ(queues={"a": Queue("quorum", members=2)}),
            "queues.a.members",
        ),
        (
            lambda: RabbitMQ(
                queues={"a": Queue("quorum")},
                consumers={"a": Consumers(prefetch=2_001)},
            ),
            "consumers.a.prefetch",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_its_path(
    wrong: Callable[[], object], path: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        wrong()
    assert caught.value.path == path


def test_without_a_limit_a_prefetch_bounds_nothing() -> None:
    assert Consumers(prefetch=0, ack_every=500).ack_every == 500
