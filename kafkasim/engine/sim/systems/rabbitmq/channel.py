"""A channel: what a client's frames mean for queues, and what queues do for a client.

The channel routes what is published (RQ-1), numbers what is delivered, and keeps which
delivery came from where until the client settles it. Delivery tags count from 1 in each
channel. An acknowledgement with `multiple` is for all lower tags too, tag 0 then for
all; a tag that is not outstanding closes the channel, and with it everything unsettled
goes back to its queue (RQ-8).

It is `open`, then `closed`; a closed one hears and says nothing more.

A consumer without acknowledgements has nothing outstanding: a classic queue has removed
the message as it handed it over, for a quorum queue the channel settles it when it has
it. A client that is gone by then has lost it (RQ-7).

Sources: RabbitMQ's documentation, "Consumer acknowledgements and publisher confirms",
"Consumers"; `rabbit_channel` (4.3.5). Prefetch is per consumer (`basic.qos` with
`global` false); per channel is deprecated, and not modelled. Nor are basic.get,
basic.recover and AMQP transactions.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from itertools import takewhile
from types import MappingProxyType
from typing import Final, assert_never

from kafkasim.engine.sim.systems.rabbitmq.confirms import Confirms, Frames
from kafkasim.engine.sim.systems.rabbitmq.exchanges import Exchanges, RoutingError
from kafkasim.engine.sim.systems.rabbitmq.messages import (
    Ack,
    Cancel,
    CancelConsumer,
    ChannelClosed,
    ChannelEffect,
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
)
from kafkasim.engine.sim.systems.rabbitmq.queue_messages import (
    ChannelDown,
    Confirmed,
    Dropped,
    Enqueue,
    FromQueue,
    Handed,
    QueueDown,
    Refused,
    Released,
    Settle,
    Subscribe,
    ToQueue,
    Unsubscribe,
)

Effect = ChannelEffect | ToQueue | Dropped
"""For the client, for a queue, or what became of a message."""


class State(StrEnum):
    """States of a channel."""

    OPEN = "open"
    CLOSED = "closed"


TRANSITIONS: Final[Mapping[tuple[State, State], tuple[Closing, ...]]] = (
    MappingProxyType({(State.OPEN, State.CLOSED): tuple(Closing)})
)
"""What leads from one state to another; no other way is legal."""


class Channel:
    """A channel of a client's connection.

    Parameters
    ----------
    number : int
        Its number among all of a run.
    exchanges : Exchanges
        Those of its virtual host.
    node : int
        The node it is connected to.
    cancel_notify : bool
        The client understands a basic.cancel from the broker
        (`consumer_cancel_notify`), as the usual ones do.
    """

    def __init__(
        self,
        number: int,
        exchanges: Exchanges,
        *,
        node: int = 0,
        cancel_notify: bool = True,
    ) -> None:
        self.number = number
        self.node = node
        self.state = State.OPEN
        self.confirms = Confirms()
        self._exchanges = exchanges
        self._cancel_notify = cancel_notify
        self._next_tag = 1
        self._unacked: dict[int, tuple[str, str, int]] = {}
        """Delivery tag → queue, consumer tag, position; tags ascend."""
        self._consumers: dict[str, str] = {}
        """Consumer tag → queue."""
        self._auto_ack: set[str] = set()
        """Tags of consumers that acknowledge nothing, cancelled ones too."""
        self._queues: dict[str, None] = {}
        """Those that know of this channel."""
        self._told: tuple[str, ...] = ()
        """Those that got the last message."""

    @property
    def unacked_count(self) -> int:
        """Deliveries that the client has not settled."""
        return len(self._unacked)

    # Parts: the same rules with plain numbers

    def publish(self, exchange: str, routing_key: str, seq: int = 0) -> tuple[str, ...]:
        """Return the queues that get a message; its confirm is expected from them.

        Raises
        ------
        RoutingError
            There is no such exchange.
        """
        queues = self._exchanges.route(exchange, routing_key)
        if queues is not self._told:
            self._told = queues
            for queue in queues:
                self._queues[queue] = None
        if seq:
            self.confirms.expect(seq, len(queues))
        return queues

    def deliver(
        self, queue: str, consumer_tag: str, position: int, *, auto_ack: bool = False
    ) -> int:
        """Return the delivery tag for a message that a queue handed over."""
        delivery_tag = self._next_tag
        self._next_tag += 1
        if not auto_ack:
            self._unacked[delivery_tag] = queue, consumer_tag, position
        return delivery_tag

    def settle(
        self, delivery_tag: int, *, multiple: bool = False
    ) -> dict[tuple[str, str], list[int]] | None:
        """Return what is settled, and count it as outstanding no more.

        Returns
        -------
        dict or None
            (queue, consumer tag) → positions, in the order of deliveries; None if the
            tag is not outstanding, which closes the channel.
        """
        unacked = self._unacked
        if delivery_tag not in unacked and not (multiple and delivery_tag == 0):
            return None
        if not multiple:
            queue, consumer_tag, position = unacked.pop(delivery_tag)
            return {(queue, consumer_tag): [position]}
        last = delivery_tag or self._next_tag
        tags = list(takewhile(lambda tag: tag <= last, unacked))
        settled: dict[tuple[str, str], list[int]] = {}
        for tag in tags:
            queue, consumer_tag, position = unacked.pop(tag)
            settled.setdefault((queue, consumer_tag), []).append(position)
        return settled

    def settle_one(self, delivery_tag: int) -> tuple[str, str, int]:
        """Return the same of one delivery that is outstanding."""
        return self._unacked.pop(delivery_tag)

    def due(self) -> tuple[Frames, Frames]:
        """Return the confirms that are to be sent now; see `Confirms.due`."""
        return self.confirms.due()

    # The machine

    @property
    def next_deadline_ms(self) -> int | None:
        """Nothing in a channel waits for a time."""
        return None

    def handle_timeout(self, _now_ms: int) -> list[Effect]:
        """Do nothing."""
        return []

    def handle(self, request: ClientRequest | FromQueue, _now_ms: int) -> list[Effect]:
        """Decide on what a client or a queue says."""
        if self.state == State.CLOSED:
            return []
        effects: list[Effect] = []
        match request:
            case Publish():
                effects = self._publish(request)
            case Handed():
                effects = self._deliver(request)
            case Ack() | Nack() | Reject():
                effects = self._settle(request)
            case Confirmed() | Refused():
                effects = self._confirm(request)
            case Consume():
                effects = self._consume(request)
            case Cancel():
                effects = self._cancel(request.consumer_tag)
            case CloseChannel():
                effects = self._close(request.cause)
            case Released() | QueueDown():
                effects = self._lose_consumer(request)
            case _:
                assert_never(request)
        return effects

    def _confirm(self, request: Confirmed | Refused) -> list[Effect]:
        if isinstance(request, Confirmed):
            self.confirms.confirm(request.publish_seq_nos)
        else:
            self.confirms.refuse(request.publish_seq_nos)
        return self._answer()

    def _answer(self) -> list[Effect]:
        confirmed, refused = self.confirms.due()
        acks = [Confirm(self.number, *frame) for frame in confirmed]
        return [*acks, *(PublishNack(self.number, *frame) for frame in refused)]

    def _publish(self, request: Publish) -> list[Effect]:
        """Route a message; a return comes before its confirm (RQ-14)."""
        try:
            queues = self.publish(
                request.exchange, request.routing_key, request.publish_seq_no
            )
        except RoutingError:
            return self._close(Closing.UNKNOWN_EXCHANGE)
        if not queues and request.mandatory:
            returned = Return(
                channel=self.number,
                message=request.message,
                exchange=request.exchange,
                routing_key=request.routing_key,
            )
            return [returned, *self._answer()]
        if not queues:
            return [Dropped(request.message, Reason.UNROUTABLE), *self._answer()]
        return [
            Enqueue(
                queue=queue,
                message=request.message,
                channel=self.number,
                publish_seq_no=request.publish_seq_no,
                persistent=request.persistent,
                node=self.node,
            )
            for queue in queues
        ]

    def _consume(self, request: Consume) -> list[Effect]:
        if request.consumer_tag in self._consumers:
            return self._close(Closing.CONSUMER_TAG_IN_USE)
        if not self._exchanges.has_queue(request.queue):
            return self._close(Closing.UNKNOWN_QUEUE)
        self._consumers[request.consumer_tag] = request.queue
        self._auto_ack.discard(request.consumer_tag)
        if request.auto_ack:
            self._auto_ack.add(request.consumer_tag)
        self._queues[request.queue] = None
        return [
            Subscribe(
                queue=request.queue,
                channel=self.number,
                consumer_tag=request.consumer_tag,
                prefetch=request.prefetch,
                auto_ack=request.auto_ack,
                priority=request.priority,
                timeout_ms=request.timeout_ms,
                node=self.node,
            )
        ]

    def _cancel(self, tag: str) -> list[Effect]:
        queue = self._consumers.pop(tag, None)
        return [] if queue is None else [Unsubscribe(queue, self.number, tag)]

    def _deliver(self, handed: Handed) -> list[Effect]:
        auto_ack = handed.consumer_tag in self._auto_ack
        delivery_tag = self.deliver(
            handed.queue, handed.consumer_tag, handed.position, auto_ack=auto_ack
        )
        effects: list[Effect] = [
            Deliver(
                channel=self.number,
                consumer_tag=handed.consumer_tag,
                delivery_tag=delivery_tag,
                message=handed.message,
                queue=handed.queue,
                redelivered=handed.redelivered,
                delivery_count=handed.delivery_count,
                acquired_count=handed.acquired_count,
            )
        ]
        if auto_ack and not handed.settled:
            where = handed.queue, handed.consumer_tag
            effects += self._tell({where: [handed.position]}, Outcome.ACK)
        return effects

    def _settle(self, request: Ack | Nack | Reject) -> list[Effect]:
        multiple = not isinstance(request, Reject) and request.multiple
        settled = self.settle(request.delivery_tag, multiple=multiple)
        if settled is None:
            return self._close(Closing.UNKNOWN_DELIVERY_TAG)
        if isinstance(request, Ack):
            outcome = Outcome.ACK
        elif isinstance(request, Nack):
            outcome = Outcome.NACK if request.requeue else Outcome.NACK_DISCARD
        else:
            outcome = Outcome.REJECT if request.requeue else Outcome.REJECT_DISCARD
        return self._tell(settled, outcome)

    def _tell(
        self, settled: Mapping[tuple[str, str], Iterable[int]], outcome: Outcome
    ) -> list[Effect]:
        return [
            Settle(
                queue=queue,
                channel=self.number,
                consumer_tag=consumer_tag,
                positions=tuple(positions),
                outcome=outcome,
            )
            for (queue, consumer_tag), positions in settled.items()
        ]

    def _lose_consumer(self, request: Released | QueueDown) -> list[Effect]:
        """Tell the client that a consumer gets nothing more, as it understands it."""
        tag = request.consumer_tag
        if isinstance(request, QueueDown):
            self._consumers.pop(tag, None)
        if self._cancel_notify:
            return [CancelConsumer(self.number, tag)]
        if isinstance(request, Released):
            return self._close(Closing.CONSUMER_TIMEOUT)
        return []

    def _close(self, cause: Closing) -> list[Effect]:
        self.state = State.CLOSED
        down = [ChannelDown(queue, self.number) for queue in self._queues]
        return [ChannelClosed(self.number, cause), *down]
