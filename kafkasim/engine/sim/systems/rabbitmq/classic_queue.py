"""A classic queue: one process on one node, and what its disk keeps.

A message is *ready* until it is handed to a consumer, then *unacknowledged* until it is
acknowledged and gone, or requeued and ready again. Messages have positions in the order
they came in, and a requeued one goes back to its own (RQ-9): it is handed out before
all that have not been handed out yet. Such a message is `redelivered`.

* A consumer that acknowledges nothing has its messages taken off the queue as they are
  handed to it, and no limit (RQ-7).
* Persistent messages of a durable queue are written in batches: when the process has
  nothing else to do, and `sync_interval_ms` after the first of them at the latest. That
  is when they are confirmed; all others are confirmed at once, and so is a message that
  goes straight to a consumer without acknowledgements, since nobody writes it (RQ-14).
* When its node goes, the queue is down: it refuses what is published to it. With the
  node it comes back, if it is durable, with the persistent messages that were on disk,
  those that were unacknowledged in their places; all count as redelivered (RQ-3). The
  others are lost. There is no replica (classic mirrored queues were removed in 4.0).
* Channels that are closed, or on a node that is gone, give back what they had (RQ-8).
  It counts as failed in `x-delivery-count`, as a basic.reject does and a basic.nack
  does not; there is no delivery limit.

Sources: RabbitMQ's documentation, "Consumer acknowledgements and publisher confirms",
"Classic queues", "Queues"; `rabbit_amqqueue_process` and `rabbit_variable_queue`
(4.3.5) for the interval, the places of requeued messages and `redelivered` after a
restart. Assumed: persistent messages that nobody wants confirmed are written in the
same batches as others (the server buffers them; when it writes is not documented), and
a crash loses what was not written.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Final, assert_never

from kafkasim.engine.sim.systems.rabbitmq.classic_messages import (
    SYNC_INTERVAL_MS,
    ClassicMessages,
)
from kafkasim.engine.sim.systems.rabbitmq.dispatch import Consumer
from kafkasim.engine.sim.systems.rabbitmq.messages import (
    REQUEUES,
    Outcome,
    Reason,
    Returned,
)
from kafkasim.engine.sim.systems.rabbitmq.queue_messages import (
    ChannelDown,
    Confirmed,
    Enqueue,
    Enqueued,
    Flush,
    Flushed,
    Handed,
    Loss,
    NodeDown,
    NodeUp,
    QueueDown,
    QueueEffect,
    QueueRequest,
    Refused,
    Removed,
    Requeued,
    Settle,
    Subscribe,
    Unsubscribe,
    Written,
)


class State(StrEnum):
    """States of a classic queue."""

    RUNNING = "running"
    DOWN = "down"
    GONE = "gone"


class Cause(StrEnum):
    """Why a classic queue goes from one state to another."""

    NODE_DOWN = "its node went, the queue is durable"
    NODE_DOWN_NOT_DURABLE = "its node went, the queue is not durable"
    NODE_UP = "its node is back"


TRANSITIONS: Final[Mapping[tuple[State, State], tuple[Cause, ...]]] = MappingProxyType(
    {
        (State.RUNNING, State.DOWN): (Cause.NODE_DOWN,),
        (State.RUNNING, State.GONE): (Cause.NODE_DOWN_NOT_DURABLE,),
        (State.DOWN, State.RUNNING): (Cause.NODE_UP,),
    }
)
"""What leads from one state to another; no other way is legal."""


class IllegalTransitionError(Exception):
    """A queue was to go a way that is not in `TRANSITIONS`; it stayed where it was."""


class ClassicQueue(ClassicMessages):
    """A classic queue.

    Parameters
    ----------
    name : str
        Its name.
    node : int
        Where its process is.
    durable : bool
        It survives its node.
    single_active : bool
        `x-single-active-consumer` (RQ-13).
    sync_interval_ms : int
        Until persistent messages are written at the latest.
    """

    def __init__(
        self,
        name: str,
        *,
        node: int = 0,
        durable: bool = True,
        single_active: bool = False,
        sync_interval_ms: int = SYNC_INTERVAL_MS,
    ) -> None:
        super().__init__(
            durable=durable,
            single_active=single_active,
            sync_interval_ms=sync_interval_ms,
        )
        self.name = name
        self.node = node
        self.state = State.RUNNING

    @property
    def next_deadline_ms(self) -> int | None:
        """When to call `handle_timeout`; None while there is nothing to write."""
        waits = self.unwritten and self._writing is None
        return self._due_ms if waits else None

    def handle_timeout(self, now_ms: int) -> list[QueueEffect]:
        """Ask for messages to be written if they have waited for long enough."""
        due_ms = self.next_deadline_ms
        if due_ms is None or now_ms < due_ms:
            return []
        return self.idle()

    def idle(self) -> list[QueueEffect]:
        """Ask for messages to be written: the process has nothing else to do."""
        position = self.flush()
        if position is None or self._writing is None:
            return []
        return [Flush(self.name, position, len(self._writing))]

    def handle(self, request: QueueRequest, now_ms: int) -> list[QueueEffect]:
        """Decide on a request.

        Raises
        ------
        IllegalTransitionError
            A node that is up came up, or one that is down went.
        """
        if self.state != State.RUNNING or type(request) in (NodeDown, NodeUp):
            return self._rare(request, now_ms)
        effects: list[QueueEffect] = []
        match request:
            case Enqueue():
                position = self.publish(
                    request.message,
                    request.channel,
                    request.publish_seq_no,
                    persistent=request.persistent,
                    now_ms=now_ms,
                )
                effects.append(Enqueued(self.name, position, request.message))
            case Settle():
                effects = self._settle(request)
            case Flushed():
                self.flushed()
            case Subscribe():
                self.subscribe(request)
            case Unsubscribe():
                self.unsubscribe(request.channel, request.consumer_tag)
            case ChannelDown():
                effects = self._channels_down([request.channel])
            case Written() | NodeDown() | NodeUp():
                pass
            case _:
                assert_never(request)
        self._run(effects, now_ms)
        return effects

    def _rare(self, request: QueueRequest, now_ms: int) -> list[QueueEffect]:
        """Hear of nodes, and of anything else while the process is not there."""
        match request:
            case NodeUp() | NodeDown():
                return self._node(request, now_ms)
            case Enqueue() if request.publish_seq_no:
                return [Refused(self.name, request.channel, (request.publish_seq_no,))]
            case _:
                return []

    def subscribe(self, request: Subscribe) -> None:
        """Register a consumer; without acknowledgements it has no limit (RQ-7)."""
        consumer = Consumer(
            request.channel,
            request.consumer_tag,
            prefetch=0 if request.auto_ack else request.prefetch,
            auto_ack=request.auto_ack,
            priority=request.priority,
            node=request.node,
        )
        held = self._holders.setdefault(request.channel, {})
        before = held.get(request.consumer_tag)
        if before is not None:
            consumer.unacked = before.unacked
        held[request.consumer_tag] = consumer
        self._may_auto_ack |= request.auto_ack
        self._dispatch.add(consumer)

    def unsubscribe(self, channel: int, tag: str) -> None:
        """Hand a consumer nothing more; what it has stays with its channel."""
        consumer = self._holder(channel, tag)
        if consumer is not None and not consumer.cancelled:
            self._dispatch.remove(consumer)
            consumer.cancelled = True
            self._settled(consumer, 0)

    def _run(self, effects: list[QueueEffect], now_ms: int) -> None:
        """Hand out what can be, and tell what is confirmed."""
        while (taken := self.take(now_ms)) is not None:
            consumer, position, message, redelivered = taken
            effects.append(
                Handed(
                    queue=self.name,
                    channel=consumer.channel,
                    consumer_tag=consumer.tag,
                    position=position,
                    message=message,
                    redelivered=redelivered,
                    delivery_count=self.delivery_count(position) if redelivered else 0,
                    settled=consumer.auto_ack,
                )
            )
            if consumer.auto_ack:
                effects.append(Removed(self.name, position, message, Reason.AUTO_ACKED))
        for channel, seqs in self.take_confirmed():
            effects.append(Confirmed(self.name, channel, tuple(seqs)))

    def _settle(self, request: Settle) -> list[QueueEffect]:
        channel, tag = request.channel, request.consumer_tag
        positions, outcome = request.positions, request.outcome
        if outcome in REQUEUES:
            failed = outcome == Outcome.REJECT
            back = self.requeue(channel, tag, positions, failed=failed)
            return self._requeued(
                back, Returned.REJECTED if failed else Returned.NACKED
            )
        gone = self.discard(channel, tag, positions)
        reason = _REASONS[outcome]
        return [
            Removed(self.name, position, message, reason) for position, message in gone
        ]

    def _channels_down(self, channels: Sequence[int]) -> list[QueueEffect]:
        """Put back what these channels had (RQ-8)."""
        back = []
        for channel in channels:
            for consumer in self._holders.pop(channel, {}).values():
                if not consumer.cancelled:
                    self._dispatch.remove(consumer)
                for position, message in consumer.unacked.items():
                    self._put_back(position, message, failed=True)
                    back.append((position, message))
                consumer.unacked.clear()
        return self._requeued(back, Returned.CHANNEL_CLOSED)

    def _requeued(
        self, messages: Iterable[tuple[int, int]], cause: Returned
    ) -> list[QueueEffect]:
        return [
            Requeued(self.name, position, position, message, cause)
            for position, message in sorted(messages)
        ]

    # Its node, and others

    def go(self, state: State, cause: Cause) -> None:
        """Go to another state.

        Raises
        ------
        IllegalTransitionError
            `TRANSITIONS` has no such way for that cause; nothing is changed.
        """
        if cause not in TRANSITIONS.get((self.state, state), ()):
            raise IllegalTransitionError(
                f"queue {self.name!r}: {self.state} to {state}, {cause}"
            )
        self.state = state

    def _node(self, request: NodeUp | NodeDown, now_ms: int) -> list[QueueEffect]:
        if request.node != self.node:
            if isinstance(request, NodeUp):
                return []
            there = [
                channel
                for channel, held in self._holders.items()
                if any(one.node == request.node for one in held.values())
            ]
            effects = self._channels_down(there)
            self._run(effects, now_ms)
            return effects
        if self.state == State.GONE:
            return []
        if isinstance(request, NodeUp):
            self.go(State.RUNNING, Cause.NODE_UP)
            lost = self.lose_all() if request.disk_lost else []
            return [Removed(self.name, *each, Reason.DISK_LOST) for each in lost]
        return self._down(stopped=request.how == Loss.STOPPED)

    def _down(self, *, stopped: bool) -> list[QueueEffect]:
        """Lose what is not on disk (RQ-3); tell channels that the queue is gone."""
        if self.durable:
            self.go(State.DOWN, Cause.NODE_DOWN)
        else:
            self.go(State.GONE, Cause.NODE_DOWN_NOT_DURABLE)
        gone: list[QueueEffect] = [
            QueueDown(self.name, consumer.channel, consumer.tag)
            for consumer in self._dispatch
        ]
        gone += [
            Refused(self.name, channel, tuple(seqs))
            for channel, seqs in self.unconfirmed().items()
        ]
        lost, back = self.restart(stopped=stopped)
        gone += [Removed(self.name, *each) for each in lost]
        return gone + self._requeued(back, Returned.NODE_RESTARTED)


_REASONS: Final = MappingProxyType(
    {
        Outcome.ACK: Reason.ACKED,
        Outcome.NACK_DISCARD: Reason.NACKED,
        Outcome.REJECT_DISCARD: Reason.REJECTED,
    }
)
"""Why a message is gone after an outcome that does not keep it."""
