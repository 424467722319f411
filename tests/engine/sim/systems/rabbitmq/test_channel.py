"""What a client's frames mean for queues, and what queues do for a client."""

import pytest

from kafkasim.engine.sim.systems.rabbitmq.channel import Channel
from kafkasim.engine.sim.systems.rabbitmq.exchanges import Exchanges, ExchangeType
from kafkasim.engine.sim.systems.rabbitmq.messages import (
    Ack,
    Cancel,
    CancelConsumer,
    ChannelClosed,
    ClientRequest,
    CloseChannel,
    Closing,
    Confirm,
    Consume,
    Deliver,
    Nack,
    Outcome,
    Publish,
    PublishNack,
    Reason,
    Reject,
    Return,
    Returned,
)
from kafkasim.engine.sim.systems.rabbitmq.queue_messages import (
    ChannelDown,
    Confirmed,
    Dropped,
    Enqueue,
    Handed,
    QueueDown,
    Refused,
    Released,
    Settle,
    Subscribe,
    Unsubscribe,
)


def channel_of(*queues: str, cancel_notify: bool = True) -> Channel:
    """Return channel 1 of a host where a fanout `x` has these queues bound."""
    exchanges = Exchanges()
    exchanges.declare("x", ExchangeType.FANOUT)
    for queue in queues:
        exchanges.declare_queue(queue)
        exchanges.bind(queue, "x")
    return Channel(1, exchanges, node=2, cancel_notify=cancel_notify)


def handed(position: int, queue: str = "q", *, settled: bool = False) -> Handed:
    return Handed(
        queue=queue,
        channel=1,
        consumer_tag="c",
        position=position,
        message=100 + position,
        redelivered=False,
        settled=settled,
    )


def holding(count: int) -> Channel:
    """Return a channel with deliveries 1 to `count`, of positions from 0."""
    channel = channel_of("q")
    channel.handle(Consume(queue="q", consumer_tag="c"), 0)
    for position in range(count):
        channel.handle(handed(position), 0)
    return channel


def settled(channel: Channel, request: ClientRequest) -> list[tuple[object, ...]]:
    """Return positions and outcome of what a channel tells queues then."""
    effects = channel.handle(request, 0)
    return [(e.positions, e.outcome) for e in effects if isinstance(e, Settle)]


def test_a_message_goes_to_each_queue_of_its_exchange() -> None:
    effects = channel_of("a", "b").handle(
        Publish(message=7, exchange="x", persistent=False, publish_seq_no=1), 0
    )

    assert effects == [
        Enqueue(
            queue=queue,
            message=7,
            channel=1,
            publish_seq_no=1,
            persistent=False,
            node=2,
        )
        for queue in ("a", "b")
    ]


def test_an_unroutable_message_is_dropped_and_confirmed() -> None:
    effects = channel_of().handle(Publish(message=7, exchange="x", publish_seq_no=1), 0)

    assert effects == [Dropped(7, Reason.UNROUTABLE), Confirm(1, 1, multiple=False)]


def test_a_mandatory_one_is_returned_before_it_is_confirmed() -> None:
    effects = channel_of().handle(
        Publish(message=7, exchange="x", publish_seq_no=1, mandatory=True), 0
    )

    assert effects == [
        Return(channel=1, message=7, exchange="x", routing_key=""),
        Confirm(1, 1, multiple=False),
    ]


def test_without_confirms_nothing_is_answered() -> None:
    channel = channel_of()

    assert channel.handle(Publish(message=7, exchange="x"), 0) == [
        Dropped(7, Reason.UNROUTABLE)
    ]


def test_confirms_come_when_all_queues_have_confirmed() -> None:
    channel = channel_of("a", "b")
    channel.handle(Publish(message=7, exchange="x", publish_seq_no=1), 0)

    assert channel.handle(Confirmed("a", 1, (1,)), 0) == []
    assert channel.handle(Confirmed("b", 1, (1,)), 0) == [Confirm(1, 1, multiple=False)]


def test_a_queue_that_cannot_take_it_makes_a_nack() -> None:
    channel = channel_of("a", "b")
    channel.handle(Publish(message=7, exchange="x", publish_seq_no=1), 0)

    assert channel.handle(Refused("a", 1, (1,)), 0) == [
        PublishNack(1, 1, multiple=False)
    ]
    assert channel.handle(Confirmed("b", 1, (1,)), 0) == []


def test_delivery_tags_count_from_one_over_all_queues() -> None:
    channel = channel_of("q", "r")
    delivered = [
        effect.delivery_tag
        for queue in ("q", "r", "q")
        for effect in channel.handle(handed(5, queue), 0)
        if isinstance(effect, Deliver)
    ]

    assert delivered == [1, 2, 3]


def test_an_ack_is_for_one_delivery_or_for_all_up_to_it() -> None:
    channel = holding(5)

    assert settled(channel, Ack(2)) == [((1,), Outcome.ACK)]
    assert settled(channel, Ack(4, multiple=True)) == [((0, 2, 3), Outcome.ACK)]
    assert channel.unacked_count == 1


def test_tag_0_with_multiple_is_for_all() -> None:
    channel = holding(3)

    assert settled(channel, Ack(0, multiple=True)) == [((0, 1, 2), Outcome.ACK)]
    assert channel.handle(Ack(0, multiple=True), 0) == []


@pytest.mark.parametrize(
    ("request_", "outcome"),
    [
        (Nack(1), Outcome.NACK),
        (Nack(1, requeue=False), Outcome.NACK_DISCARD),
        (Reject(1), Outcome.REJECT),
        (Reject(1, requeue=False), Outcome.REJECT_DISCARD),
    ],
)
def test_what_a_client_says_reaches_the_queue(
    request_: ClientRequest, outcome: Outcome
) -> None:
    assert settled(holding(2), request_) == [((0,), outcome)]


def test_a_nack_may_be_for_many_and_a_reject_is_for_one() -> None:
    assert settled(holding(3), Nack(2, multiple=True)) == [((0, 1), Outcome.NACK)]
    assert settled(holding(3), Reject(2)) == [((1,), Outcome.REJECT)]


def test_settlements_go_to_each_queue_and_consumer() -> None:
    channel = channel_of("q", "r")
    for queue in ("q", "r", "q"):
        channel.handle(handed(5, queue), 0)

    effects = channel.handle(Ack(3, multiple=True), 0)

    assert [(e.queue, e.positions) for e in effects if isinstance(e, Settle)] == [
        ("q", (5, 5)),
        ("r", (5,)),
    ]


@pytest.mark.parametrize("again", [Ack(2), Ack(9), Ack(9, multiple=True), Ack(0)])
def test_an_unknown_delivery_tag_closes_the_channel(again: Ack) -> None:
    channel = holding(3)
    channel.handle(Ack(2), 0)

    assert channel.handle(again, 0) == [
        ChannelClosed(1, Closing.UNKNOWN_DELIVERY_TAG),
        ChannelDown("q", 1),
    ]
    assert channel.handle(Ack(1), 0) == [], "it hears nothing more"


def test_a_channel_that_closes_tells_every_queue_it_used() -> None:
    channel = channel_of("a", "b", "q")
    channel.handle(Publish(message=7, routing_key="b"), 0)
    channel.handle(Consume(queue="q", consumer_tag="c"), 0)

    assert channel.handle(CloseChannel(Closing.CONNECTION_LOST), 0) == [
        ChannelClosed(1, Closing.CONNECTION_LOST),
        ChannelDown("b", 1),
        ChannelDown("q", 1),
    ]


def test_a_subscription_says_where_its_channel_is() -> None:
    effects = channel_of("q").handle(
        Consume(queue="q", consumer_tag="c", prefetch=3, priority=9, timeout_ms=60_000),
        0,
    )

    assert effects == [
        Subscribe(
            queue="q",
            channel=1,
            consumer_tag="c",
            prefetch=3,
            priority=9,
            timeout_ms=60_000,
            node=2,
        )
    ]


def test_a_cancelled_consumer_keeps_what_it_has() -> None:
    channel = holding(2)

    assert channel.handle(Cancel("c"), 0) == [Unsubscribe("q", 1, "c")]
    assert channel.handle(Cancel("c"), 0) == []
    assert settled(channel, Ack(1)) == [((0,), Outcome.ACK)]


@pytest.mark.parametrize(
    ("asked", "cause"),
    [
        (Publish(message=1, exchange="y"), Closing.UNKNOWN_EXCHANGE),
        (Consume(queue="r", consumer_tag="d"), Closing.UNKNOWN_QUEUE),
        (Consume(queue="q", consumer_tag="c"), Closing.CONSUMER_TAG_IN_USE),
    ],
)
def test_a_channel_closes_when_asked_for_what_is_not_there(
    asked: ClientRequest, cause: Closing
) -> None:
    assert holding(0).handle(asked, 0)[0] == ChannelClosed(1, cause)


def test_a_consumer_without_acknowledgements_has_nothing_outstanding() -> None:
    channel = channel_of("q")
    channel.handle(Consume(queue="q", consumer_tag="c", auto_ack=True), 0)

    classic = channel.handle(handed(0, settled=True), 0)
    quorum = channel.handle(handed(1), 0)

    assert [type(effect) for effect in classic] == [Deliver]
    assert [type(effect) for effect in quorum] == [Deliver, Settle]
    assert channel.unacked_count == 0


def test_a_consumer_that_lost_a_delivery_in_time_is_cancelled() -> None:
    released = Released("q", 1, "c", (0,), Returned.TIMEOUT)

    assert holding(1).handle(released, 0) == [CancelConsumer(1, "c")]


def test_a_client_that_knows_no_cancel_loses_its_channel() -> None:
    channel = channel_of("q", cancel_notify=False)
    channel.handle(Consume(queue="q", consumer_tag="c"), 0)

    assert channel.handle(Released("q", 1, "c", (0,), Returned.TIMEOUT), 0) == [
        ChannelClosed(1, Closing.CONSUMER_TIMEOUT),
        ChannelDown("q", 1),
    ]


def test_consumers_are_told_that_their_queue_is_down() -> None:
    channel = holding(1)

    assert channel.handle(QueueDown("q", 1, "c"), 0) == [CancelConsumer(1, "c")]
    again = Consume(queue="q", consumer_tag="c")
    assert [type(each) for each in channel.handle(again, 0)] == [Subscribe]


def test_nothing_in_a_channel_waits_for_a_time() -> None:
    channel = holding(1)

    assert channel.next_deadline_ms is None
    assert channel.handle_timeout(5) == []
