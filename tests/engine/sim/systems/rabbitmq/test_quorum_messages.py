"""A quorum queue: what comes back, what is given up, what takes too long."""

import pytest

from kafkasim.engine.sim.systems.rabbitmq.messages import (
    Ack,
    Cancel,
    CancelConsumer,
    ChannelClosed,
    CloseChannel,
    Closing,
    Consume,
    Deliver,
    Nack,
    Reason,
    Reject,
    Returned,
)
from kafkasim.engine.sim.systems.rabbitmq.queue_messages import (
    Requeued,
)
from kafkasim.engine.sim.systems.rabbitmq.quorum_queue import QuorumQueue
from kafkasim.engine.sim.systems.rabbitmq.quorum_settings import QuorumSettings, Retry
from tests.engine.sim.systems.rabbitmq.small_broker import SmallBroker

PUBLISHER, ONE, OTHER = 1, 2, 3
MINUTE_MS = 60_000


def broker_of(
    *messages: int,
    members: int = 3,
    disks: tuple[int, ...] = (0, 1, 2),
    settings: QuorumSettings | None = None,
) -> SmallBroker:
    """Return a broker whose quorum queue `q` has these messages.

    Members are 0, 1, 2, led by 0; an election takes 600 ms.
    """
    queue = QuorumQueue(
        "q", members=range(members), settings=settings, draw=lambda most: most
    )
    broker = SmallBroker(queue, disks=disks)
    broker.publish(PUBLISHER, *messages)
    return broker


def counts(broker: SmallBroker) -> list[tuple[int, bool, int, int]]:
    """Return message, redelivered, and both counts of what was delivered."""
    return [
        (each.message, each.redelivered, each.acquired_count, each.delivery_count)
        for each in broker.heard()
        if isinstance(each, Deliver)
    ]


def returned(broker: SmallBroker) -> list[tuple[int, str]]:
    """Return message and cause of all that came back so far."""
    return [(e.message, e.cause) for e in broker.told if isinstance(e, Requeued)]


@pytest.mark.parametrize(
    ("back", "failed"), [(Nack(1), 0), (Reject(1), 1), (CloseChannel(), 1)]
)
def test_what_comes_back_is_served_first_and_counted(
    back: Nack | Reject | CloseChannel, failed: int
) -> None:
    broker = broker_of(0, 1, 2)
    broker.consume(ONE, prefetch=1)
    broker.heard()
    broker.client(ONE, Cancel("c"), back)

    broker.consume(OTHER)

    assert counts(broker) == [(0, True, 1, failed), (1, False, 0, 0), (2, False, 0, 0)]


def test_returns_are_served_in_the_order_they_came_back() -> None:
    broker = broker_of(0, 1, 2, 3)
    broker.consume(ONE, prefetch=3)
    broker.client(ONE, Cancel("c"), Nack(2), Nack(3), Nack(1))
    broker.heard()

    broker.consume(OTHER)

    assert broker.deliveries() == [(OTHER, 1), (OTHER, 2), (OTHER, 0), (OTHER, 3)]


@pytest.mark.parametrize(
    ("back", "order"), [(Nack(1), [1, 2, 0]), (Reject(1), [0, 1, 2])]
)
def test_without_a_limit_a_nacked_message_goes_to_the_tail(
    back: Nack | Reject, order: list[int]
) -> None:
    broker = broker_of(0, 1, 2, settings=QuorumSettings(delivery_limit=None))
    broker.consume(ONE, prefetch=1)
    broker.heard()

    broker.client(ONE, Cancel("c"), back)
    broker.consume(OTHER)

    assert [message for _, message in broker.deliveries()] == order


def test_those_that_are_nacked_together_go_to_the_tail_in_their_order() -> None:
    broker = broker_of(0, 1, 2, settings=QuorumSettings(delivery_limit=None))
    broker.consume(ONE, prefetch=2)
    broker.heard()

    broker.client(ONE, Cancel("c"), Nack(2, multiple=True))
    broker.consume(OTHER)

    assert broker.deliveries() == [(OTHER, 2), (OTHER, 0), (OTHER, 1)]


def test_at_the_tail_a_message_keeps_its_counts() -> None:
    broker = broker_of(0, settings=QuorumSettings(delivery_limit=None))
    broker.consume(ONE, prefetch=1)
    broker.client(ONE, Nack(1), Reject(2), Nack(3))

    assert counts(broker) == [
        *((0, False, 0, 0), (0, True, 1, 0), (0, True, 2, 1), (0, True, 3, 1))
    ]


def test_a_message_that_fails_more_often_than_the_limit_is_dropped() -> None:
    broker = broker_of(0, 1)
    broker.consume(ONE, prefetch=1)
    for tag in range(1, 21):
        broker.client(ONE, Reject(tag))
    assert broker.gone() == []
    assert counts(broker)[-1] == (0, True, 20, 20)

    broker.client(ONE, Reject(21))

    assert broker.gone() == [(0, Reason.DELIVERY_LIMIT)]
    assert broker.deliveries() == [(ONE, 1)]


def test_what_is_nacked_is_never_given_up() -> None:
    broker = broker_of(0, settings=QuorumSettings(delivery_limit=1))
    broker.consume(ONE, prefetch=1)

    for tag in range(1, 31):
        broker.client(ONE, Nack(tag))

    assert broker.gone() == []
    assert counts(broker)[-1] == (0, True, 30, 0)


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

    broker.client(ONE, said)

    assert broker.gone() == [(0, reason)]


@pytest.mark.parametrize(
    ("retry", "waits"),
    [
        (Retry.DISABLED, (False, False)),
        (Retry.ALL, (True, True)),
        (Retry.FAILED, (True, False)),
        (Retry.RETURNED, (False, True)),
    ],
)
def test_which_returns_wait_for_a_retry(retry: Retry, waits: tuple[bool, bool]) -> None:
    found = []
    for back in (Reject(1), Nack(1)):
        broker = broker_of(0, settings=QuorumSettings(retry=retry, retry_min_ms=100))
        broker.consume(ONE, prefetch=1)
        broker.heard()
        broker.client(ONE, back)
        found.append(broker.deliveries() == [])

    assert tuple(found) == waits


def test_a_retry_waits_longer_with_each_failure_up_to_a_limit() -> None:
    settings = QuorumSettings(retry=Retry.ALL, retry_min_ms=1_000, retry_max_ms=2_500)
    broker = broker_of(0, settings=settings)
    broker.consume(ONE, prefetch=1)
    found = []
    for tag in range(1, 5):
        start_ms = broker.now_ms
        broker.client(ONE, Reject(tag))
        due_ms = broker.queues["q"].next_deadline_ms
        assert due_ms is not None
        found.append(due_ms - start_ms)
        broker.pass_time(due_ms)

    assert found == [1_000, 2_000, 2_500, 2_500]
    assert counts(broker)[-1] == (0, True, 4, 4)


# Consumers


@pytest.mark.parametrize(("prefetch", "delivered"), [(0, 2_000), (3, 3)])
def test_no_consumer_has_more_than_2000_deliveries(
    prefetch: int, delivered: int
) -> None:
    broker = broker_of()
    broker.consume(ONE, prefetch=prefetch)
    broker.publish(PUBLISHER, *range(2_001))

    assert len(broker.deliveries()) == delivered
    assert broker.queues["q"].unacked_count == delivered


def test_an_auto_acknowledged_message_is_settled_by_its_channel() -> None:
    broker = broker_of(0, 1)

    broker.client(ONE, Consume(queue="q", consumer_tag="c", prefetch=1, auto_ack=True))

    assert broker.deliveries() == [(ONE, 0), (ONE, 1)]
    assert broker.gone() == [(0, Reason.ACKED), (1, Reason.ACKED)]


def test_a_delivery_that_is_held_for_too_long_is_taken_back() -> None:
    broker = broker_of(0)
    broker.consume(ONE, prefetch=2)
    broker.pass_time(10 * MINUTE_MS)
    broker.publish(PUBLISHER, 1)
    broker.heard()

    broker.pass_time(30 * MINUTE_MS - 1)
    assert broker.heard() == []

    broker.pass_time(30 * MINUTE_MS)
    assert broker.heard() == [CancelConsumer(ONE, "c")]
    assert returned(broker) == [(0, Returned.TIMEOUT)]

    broker.consume(OTHER)
    assert counts(broker) == [(0, True, 1, 0)]


def test_its_consumer_gets_nothing_until_it_has_settled_it() -> None:
    broker = broker_of(0)
    broker.consume(ONE, prefetch=1)
    broker.pass_time(30 * MINUTE_MS)
    broker.publish(PUBLISHER, 1)
    broker.heard()

    broker.client(ONE, Ack(1))

    assert broker.deliveries() == [(ONE, 0), (ONE, 1)][:1]
    assert broker.gone() == [], "it was too late"


def test_a_consumer_may_have_its_own_timeout() -> None:
    broker = broker_of(0)
    broker.client(ONE, Consume(queue="q", consumer_tag="c", timeout_ms=5_000))

    assert broker.queues["q"].next_deadline_ms == 5_000


def test_or_none() -> None:
    broker = broker_of(0, settings=QuorumSettings(consumer_timeout_ms=None))
    broker.consume(ONE)

    assert broker.queues["q"].next_deadline_ms is None


def test_a_client_that_knows_no_cancel_loses_its_channel() -> None:
    broker = broker_of(0, 1)
    broker.channel(ONE, cancel_notify=False)
    broker.consume(ONE, prefetch=2)
    broker.heard()

    broker.pass_time(30 * MINUTE_MS)

    assert broker.heard() == [ChannelClosed(ONE, Closing.CONSUMER_TIMEOUT)]
    assert broker.queues["q"].ready_count == 2


def test_a_higher_priority_becomes_the_single_active_consumer() -> None:
    broker = broker_of(0, settings=QuorumSettings(single_active=True))
    broker.consume(ONE)
    broker.client(OTHER, Consume(queue="q", consumer_tag="c", priority=1))
    broker.publish(PUBLISHER, 1)
    assert broker.deliveries() == [(ONE, 0)]

    broker.client(ONE, Ack(1))

    assert broker.deliveries() == [(OTHER, 1)]
