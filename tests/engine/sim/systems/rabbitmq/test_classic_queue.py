"""A classic queue: what it confirms and when, its disk and its node."""

import pytest

from kafkasim.engine.sim.systems.rabbitmq.classic_queue import (
    ClassicQueue,
    IllegalTransitionError,
    State,
)
from kafkasim.engine.sim.systems.rabbitmq.messages import (
    Ack,
    CancelConsumer,
    Confirm,
    Consume,
    Deliver,
    Publish,
    PublishNack,
    Reason,
    Reject,
    Returned,
)
from kafkasim.engine.sim.systems.rabbitmq.queue_messages import (
    Flush,
    Flushed,
    Loss,
    NodeDown,
    NodeUp,
    Requeued,
    Written,
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


# Confirms and the disk


def test_persistent_messages_are_confirmed_when_a_batch_is_on_disk() -> None:
    broker = broker_of()
    broker.client(PUBLISHER, publish(1))
    broker.pass_time(150)
    broker.client(PUBLISHER, publish(2))

    broker.pass_time(199)
    assert broker.flushes == []
    broker.pass_time(200)
    assert broker.flushes == [Flush("q", 1, 2)]
    assert broker.confirms() == []

    broker.write()
    assert broker.confirms() == [(2, True)]


def test_the_next_batch_waits_for_the_disk() -> None:
    broker = broker_of()
    broker.client(PUBLISHER, publish(1))
    broker.pass_time(200)
    broker.client(PUBLISHER, publish(2))
    assert broker.queues["q"].next_deadline_ms is None

    broker.pass_time(1_000)
    assert broker.flushes == [Flush("q", 0, 1)]

    broker.write()
    broker.pass_time(1_001)
    assert broker.flushes == [Flush("q", 1, 1)]


def test_an_idle_queue_writes_at_once() -> None:
    queue = ClassicQueue("q")
    position = queue.publish(0, PUBLISHER, 1, persistent=True, now_ms=0)

    assert queue.idle() == [Flush("q", position, 1)]
    queue.publish(1, PUBLISHER, 2, persistent=True, now_ms=0)
    assert queue.idle() == [], "the disk is busy"

    queue.flushed()
    assert queue.take_confirmed() == [(PUBLISHER, [1])]
    assert queue.take_confirmed() == []
    assert queue.idle() == [Flush("q", position + 1, 1)]


def test_transient_messages_are_confirmed_at_once() -> None:
    broker = broker_of()

    broker.client(PUBLISHER, publish(1, persistent=False))

    assert broker.heard() == [Confirm(PUBLISHER, 1, multiple=False)]
    assert broker.queues["q"].next_deadline_ms is None


def test_so_are_all_of_a_queue_that_is_not_durable() -> None:
    broker = broker_of(durable=False)

    broker.client(PUBLISHER, publish(1))

    assert broker.confirms() == [(1, False)]


def test_nobody_writes_what_goes_straight_to_a_consumer_without_acks() -> None:
    broker = broker_of()
    broker.client(ONE, Consume(queue="q", consumer_tag="c", auto_ack=True))

    broker.client(PUBLISHER, publish(1))

    assert broker.confirms() == [(1, False)]
    assert broker.queues["q"].next_deadline_ms is None


def test_confirms_of_transient_messages_overtake_those_of_others() -> None:
    broker = broker_of()

    broker.client(PUBLISHER, publish(1), publish(2, persistent=False))
    broker.pass_time(200)
    broker.write()

    assert broker.confirms() == [(2, False), (1, False)]


def test_an_early_timeout_does_nothing() -> None:
    queue = ClassicQueue("q")
    assert queue.handle_timeout(10**9) == []
    queue.publish(0, PUBLISHER, 1, persistent=True, now_ms=5)

    assert queue.next_deadline_ms == 205
    assert queue.handle_timeout(204) == []
    assert queue.handle(Written(0, 1, 1), 204) == []


def test_a_write_that_nobody_asked_for_confirms_nothing() -> None:
    queue = ClassicQueue("q")
    queue.publish(0, PUBLISHER, 1, persistent=True, now_ms=0)

    assert queue.handle(Flushed(0), 1) == []


# Its node


def restarted(*, how: Loss = Loss.CRASHED, written: bool = True) -> SmallBroker:
    """Return a broker whose node went and came back.

    A consumer had 0 and 1; 0, 2 and 4 are persistent.
    """
    broker = broker_of()
    broker.channel(ONE, node=1)
    for message in range(5):
        broker.client(
            PUBLISHER,
            Publish(message=message, routing_key="q", persistent=message % 2 == 0),
        )
    if written:
        broker.pass_time(200)
        broker.write()
    broker.consume(ONE, prefetch=2)
    broker.heard()
    broker.cluster("q", NodeDown(0, how), NodeUp(0))
    return broker


def test_persistent_messages_of_a_durable_queue_survive_a_restart() -> None:
    broker = restarted()
    assert broker.gone() == [(1, Reason.NOT_PERSISTENT), (3, Reason.NOT_PERSISTENT)]
    assert broker.told[-1] == Requeued("q", 0, 0, 0, Returned.NODE_RESTARTED)
    assert broker.heard() == [CancelConsumer(ONE, "c")]

    broker.publish(PUBLISHER, 5)
    broker.consume(OTHER)

    assert counts(broker) == [(0, True, 1), (2, True, 1), (4, True, 1), (5, False, 0)]


def test_a_crash_loses_what_was_not_on_disk() -> None:
    lost = restarted(written=False).gone()
    kept = restarted(written=False, how=Loss.STOPPED).gone()

    assert [each for each, _ in lost] == [0, 1, 2, 3, 4]
    assert lost[0] == (0, Reason.NOT_ON_DISK)
    assert [each for each, _ in kept] == [1, 3], "one that stops writes all"


def test_failures_count_on_after_a_restart() -> None:
    broker = restarted()
    broker.consume(OTHER, prefetch=1)
    broker.heard()

    broker.client(OTHER, Reject(1))

    assert counts(broker) == [(0, True, 2)]


def test_an_acknowledgement_from_before_says_nothing() -> None:
    broker = restarted()

    broker.client(ONE, Ack(1))

    assert broker.queues["q"].ready_count == 3


def test_a_queue_that_is_not_durable_is_gone_with_its_node() -> None:
    broker = broker_of(0, durable=False)

    broker.cluster("q", NodeDown(0, Loss.STOPPED), NodeUp(0))
    broker.client(PUBLISHER, publish(1))

    assert broker.gone() == [(0, Reason.NOT_DURABLE)]
    assert broker.heard() == [PublishNack(PUBLISHER, 1, multiple=False)]


def test_a_queue_that_is_down_refuses_what_is_published() -> None:
    broker = broker_of()
    broker.client(PUBLISHER, publish(1))
    broker.cluster("q", NodeDown(0))
    assert broker.heard() == [PublishNack(PUBLISHER, 1, multiple=False)]

    broker.client(PUBLISHER, publish(2))
    assert broker.heard() == [PublishNack(PUBLISHER, 2, multiple=False)]

    broker.cluster("q", NodeUp(0))
    broker.client(PUBLISHER, publish(3))
    broker.pass_time(200)
    broker.write()
    assert broker.confirms() == [(3, False)]


def test_a_disk_that_is_lost_takes_all_messages() -> None:
    broker = broker_of(0, 1)
    broker.pass_time(200)
    broker.write()

    broker.cluster("q", NodeDown(0), NodeUp(0, disk_lost=True))

    assert broker.gone() == [(0, Reason.DISK_LOST), (1, Reason.DISK_LOST)]
    assert broker.queues["q"].ready_count == 0


def test_channels_of_another_node_give_back_at_once() -> None:
    broker = broker_of(0)
    broker.channel(ONE, node=1)
    broker.consume(ONE)
    broker.consume(OTHER)
    broker.heard()

    broker.cluster("q", NodeDown(1, Loss.DISCONNECTED), NodeUp(1))

    assert broker.deliveries() == [(OTHER, 0)]
    assert Requeued in map(type, broker.told)


def test_what_is_not_in_the_table_is_refused() -> None:
    queue = ClassicQueue("q")

    with pytest.raises(IllegalTransitionError, match="running to running"):
        queue.handle(NodeUp(0), 0)
    queue.handle(NodeDown(0), 0)
    with pytest.raises(IllegalTransitionError, match="down to down"):
        queue.handle(NodeDown(0), 0)
    assert queue.state == State.DOWN
