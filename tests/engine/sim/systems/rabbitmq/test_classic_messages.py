"""A classic queue: the places of its messages, and what comes back (RQ-9)."""

import pytest

from kafkasim.engine.sim.systems.rabbitmq.classic_queue import (
    ClassicQueue,
)
from kafkasim.engine.sim.systems.rabbitmq.messages import (
    Ack,
    Cancel,
    CloseChannel,
    Closing,
    Consume,
    Deliver,
    Nack,
    Publish,
    Reason,
    Reject,
)
from tests.engine.sim.systems.rabbitmq.small_broker import SmallBroker

PUBLISHER, ONE, OTHER = 1, 2, 3


def broker_of(
    *messages: int,
    durable: bool = True,
    single_active: bool = False,
) -> SmallBroker:
    """Return a broker whose classic queue `q` has these messages."""
    broker = SmallBroker(
        ClassicQueue(
            "q",
            durable=durable,
            single_active=single_active,
        )
    )
    broker.publish(PUBLISHER, *messages)
    return broker


def publish(seq: int, *, persistent: bool = True) -> Publish:
    return Publish(
        message=seq, routing_key="q", publish_seq_no=seq, persistent=persistent
    )


def counts(broker: SmallBroker) -> list[tuple[int, bool, int]]:
    """Return message, redelivered and delivery count of what was delivered."""
    return [
        (each.message, each.redelivered, each.delivery_count)
        for each in broker.heard()
        if isinstance(each, Deliver)
    ]


def test_messages_come_out_in_the_order_they_were_published() -> None:
    broker = broker_of(5, 3, 4, 3)

    broker.consume(ONE)

    assert broker.deliveries() == [(ONE, 5), (ONE, 3), (ONE, 4), (ONE, 3)]


def test_the_same_message_twice_is_two_messages() -> None:
    """A publisher that says it again after a lost confirm makes a duplicate (RQ-15)."""
    broker = broker_of(7, 7)
    broker.consume(ONE)

    broker.client(ONE, Ack(1))

    assert broker.gone() == [(7, Reason.ACKED)]
    assert broker.queues["q"].unacked_count == 1


@pytest.mark.parametrize("back", [Nack(2), Reject(2)])
def test_a_requeued_message_goes_to_its_own_place(back: Nack | Reject) -> None:
    broker = broker_of(0, 1, 2, 3)
    broker.consume(ONE, prefetch=3)
    broker.heard()

    broker.client(ONE, back)

    assert counts(broker) == [(1, True, int(isinstance(back, Reject)))]


def test_requeued_messages_come_before_new_ones_in_their_order() -> None:
    broker = broker_of(0, 1, 2, 3, 4)
    broker.consume(ONE, prefetch=3)
    broker.client(ONE, CloseChannel())
    broker.heard()

    broker.consume(OTHER)

    assert counts(broker) == [
        *((0, True, 1), (1, True, 1), (2, True, 1)),
        *((3, False, 0), (4, False, 0)),
    ]


def test_places_hold_whoever_requeues_first() -> None:
    broker = broker_of()
    broker.consume(ONE, prefetch=2)
    broker.consume(OTHER, prefetch=2)
    broker.publish(PUBLISHER, 0, 1, 2, 3)
    assert broker.deliveries() == [(ONE, 0), (OTHER, 1), (ONE, 2), (OTHER, 3)]

    broker.client(OTHER, Cancel("c"), Nack(2), Nack(1))
    broker.client(ONE, Cancel("c"), Nack(1))
    broker.consume(4)

    assert broker.deliveries() == [(4, 0), (4, 1), (4, 3)]


def test_a_cancelled_consumer_gives_back_when_its_channel_closes() -> None:
    broker = broker_of(0)
    broker.consume(ONE)
    broker.client(ONE, Cancel("c"))
    assert broker.queues["q"].ready_count == 0

    broker.client(ONE, CloseChannel(Closing.CONNECTION_LOST))

    assert broker.queues["q"].ready_count == 1


def test_failed_deliveries_are_counted_without_a_limit() -> None:
    broker = broker_of(0)
    broker.consume(ONE, prefetch=1)
    for tag in range(1, 31):
        broker.client(ONE, Reject(tag))

    assert counts(broker)[-1] == (0, True, 30)
    assert broker.gone() == []


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (Ack(1), Reason.ACKED),
        (Nack(1, requeue=False), Reason.NACKED),
        (Reject(1, requeue=False), Reason.REJECTED),
    ],
)
def test_a_message_is_gone_when_it_is_settled(
    said: Ack | Nack | Reject, reason: Reason
) -> None:
    broker = broker_of(0)
    broker.consume(ONE)
    assert broker.gone() == [], "reading alone deletes nothing (MS-33)"

    broker.client(ONE, said)

    assert broker.gone() == [(0, reason)]


def test_prefetch_limits_what_is_unacknowledged() -> None:
    broker = broker_of(*range(10))
    broker.consume(ONE, prefetch=3)
    assert broker.deliveries() == [(ONE, 0), (ONE, 1), (ONE, 2)]

    broker.client(ONE, Ack(2, multiple=True))

    assert broker.deliveries() == [(ONE, 3), (ONE, 4)]


def test_without_acknowledgements_there_is_no_limit_and_nothing_comes_back() -> None:
    broker = broker_of(*range(4))
    broker.client(ONE, Consume(queue="q", consumer_tag="c", prefetch=1, auto_ack=True))
    assert broker.deliveries() == [(ONE, 0), (ONE, 1), (ONE, 2), (ONE, 3)]

    broker.client(ONE, CloseChannel(Closing.CONNECTION_LOST))

    assert broker.gone() == [(each, Reason.AUTO_ACKED) for each in range(4)]
    assert broker.queues["q"].ready_count == 0


def test_one_consumer_alone_is_served_and_the_next_takes_over() -> None:
    broker = broker_of(0, 1, single_active=True)
    broker.consume(ONE, prefetch=1)
    broker.consume(OTHER, prefetch=9)
    assert broker.deliveries() == [(ONE, 0)]

    broker.client(ONE, CloseChannel())

    assert broker.deliveries() == [(OTHER, 0), (OTHER, 1)]


def test_a_tag_that_is_used_again_still_settles_what_it_had() -> None:
    broker = broker_of(0, 1)
    broker.consume(ONE, prefetch=1)
    broker.client(ONE, Cancel("c"))
    broker.consume(ONE, prefetch=1)

    broker.client(ONE, Ack(1))

    assert broker.gone() == [(0, Reason.ACKED)]
    assert broker.deliveries() == [(ONE, 0), (ONE, 1)]
