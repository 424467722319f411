"""When the order of publishing is kept, and what breaks it (RQ-12)."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kafkasim.engine.sim.systems.rabbitmq.classic_queue import ClassicQueue
from kafkasim.engine.sim.systems.rabbitmq.exchanges import ExchangeType
from kafkasim.engine.sim.systems.rabbitmq.messages import Ack, Consume, Nack, Publish
from kafkasim.engine.sim.systems.rabbitmq.queue_messages import NodeDown, NodeUp
from kafkasim.engine.sim.systems.rabbitmq.quorum_queue import QuorumQueue
from tests.engine.sim.systems.rabbitmq.small_broker import Queue, SmallBroker

PUBLISHER, ONE, OTHER = 1, 2, 3


def queue_of(kind: str, name: str = "q") -> Queue:
    if kind == "classic":
        return ClassicQueue(name)
    return QuorumQueue(name, draw=lambda most: most)


def broker_of(kind: str) -> SmallBroker:
    return SmallBroker(queue_of(kind), disks=(0, 1, 2))


KINDS = pytest.mark.parametrize("kind", ["classic", "quorum"])


@KINDS
@given(
    prefetch=st.integers(0, 4),
    steps=st.lists(st.sampled_from(["publish", "ack", "later", "lose", "find"])),
)
@example(prefetch=1, steps=["publish"] * 4 + ["ack", "lose"] * 3)
def test_one_consumer_that_requeues_nothing_gets_all_in_order(
    kind: str, prefetch: int, steps: list[str]
) -> None:
    broker = broker_of(kind)
    for channel in (PUBLISHER, ONE):
        broker.channel(channel, node=9)
    broker.consume(ONE, prefetch=prefetch)
    published, acked = 0, 0
    delivered: list[int] = []
    down = False
    for step in steps:
        if step == "publish":
            broker.publish(PUBLISHER, published)
            published += 1
        elif step == "ack" and acked < len(delivered):
            acked += 1
            broker.client(ONE, Ack(acked))
        elif step == "later":
            broker.pass_time(broker.now_ms + 250)
        elif kind == "quorum" and step == ("find" if down else "lose"):
            down = not down
            broker.cluster("q", NodeDown(0) if down else NodeUp(0))
        delivered += [message for _, message in broker.deliveries()]
    broker.pass_time(broker.now_ms + 10_000)
    delivered += [message for _, message in broker.deliveries()]

    assert delivered == list(range(len(delivered)))
    limit = acked + (prefetch or published)
    assert len(delivered) == min(published, limit)


@KINDS
def test_a_requeued_message_comes_after_later_ones(kind: str) -> None:
    broker = broker_of(kind)
    broker.consume(ONE, prefetch=2)
    broker.publish(PUBLISHER, 0, 1, 2)

    broker.client(ONE, Nack(1))

    assert [message for _, message in broker.deliveries()] == [0, 1, 0]


@KINDS
def test_of_several_consumers_nobody_has_all_in_order(
    kind: str,
) -> None:
    """Who is faster is further: 3 is done with before 0 is (MS-35)."""
    broker = broker_of(kind)
    broker.consume(ONE, prefetch=1)
    broker.consume(OTHER, prefetch=1)
    broker.publish(PUBLISHER, 0, 1, 2, 3)

    broker.client(OTHER, Ack(1), Ack(2), Ack(3))

    assert broker.deliveries() == [(ONE, 0), (OTHER, 1), (OTHER, 2), (OTHER, 3)]
    assert [message for message, _ in broker.gone()] == [1, 2, 3]


@KINDS
def test_a_higher_priority_takes_what_comes_later(kind: str) -> None:
    broker = broker_of(kind)
    broker.consume(ONE)
    broker.publish(PUBLISHER, 0)

    broker.client(OTHER, Consume(queue="q", consumer_tag="c", priority=1))
    broker.publish(PUBLISHER, 1)

    assert broker.deliveries() == [(ONE, 0), (OTHER, 1)]


@KINDS
def test_fan_out_is_a_queue_for_each_subscriber(kind: str) -> None:
    """Two queues get a copy each; two consumers of one queue share it (RQ-2)."""
    broker = SmallBroker(queue_of(kind, "a"), queue_of(kind, "b"), disks=(0, 1, 2))
    broker.exchanges.declare("x", ExchangeType.FANOUT)
    for name in ("a", "b"):
        broker.exchanges.bind(name, "x")
    broker.consume(ONE, queue="a")
    broker.consume(OTHER, queue="b")
    broker.consume(4, queue="b")

    for message in (0, 1):
        broker.client(PUBLISHER, Publish(message=message, exchange="x"))

    assert sorted(broker.deliveries()) == [(ONE, 0), (ONE, 1), (OTHER, 0), (4, 1)]
