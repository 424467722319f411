"""What a quorum queue does with its messages, once a command is committed.

A message comes in at the position of its command in the log, is handed to a consumer,
and is gone when it is acknowledged. What comes back goes to a queue of *returns*, in
the order it comes back, and that one is served before new messages (RQ-9). A basic.nack
of a queue without a delivery limit is different: it appends the message anew, at the
tail.

Every return adds one to `x-acquired-count`; `x-delivery-count` counts those that failed
(RQ-10):

=============================================  ======
what brings it back                            failed
=============================================  ======
basic.reject                                   yes
its channel or its connection ended            yes
basic.nack                                     no
it was held for longer than the timeout        no
its consumer's node was out of sight for 60 s  no
=============================================  ======

With more failures than the delivery limit (20) it is dropped, not returned. With
delayed retry it waits first, `min_ms` times its delivery count (at least once that), at
most `max_ms`.

*Timeouts* (RQ-11). A delivery that is unacknowledged for 30 minutes is taken back; its
consumer is given nothing more until it has settled that one. A consumer whose node is
out of sight is given nothing more either; after 60 s all that it has is taken back.

Sources: RabbitMQ's documentation, "Quorum queues"; `rabbit_fifo` (4.3.5). The order of
returns, the tail of a basic.nack without limit, and that a basic.reject goes to the
returns even then, are the server's; the documentation does not tell the two apart.
Priorities of messages, time to live, length limits and dead letters are not modelled.
"""

from collections import deque
from collections.abc import Iterable
from heapq import heappop, heappush
from typing import Final

from kafkasim.engine.sim.systems.rabbitmq.dispatch import Consumer, Dispatch
from kafkasim.engine.sim.systems.rabbitmq.messages import (
    REQUEUES,
    Outcome,
    Reason,
    Returned,
)
from kafkasim.engine.sim.systems.rabbitmq.queue_messages import (
    Enqueued,
    QueueEffect,
    Released,
    Removed,
    Requeued,
    Subscribe,
)
from kafkasim.engine.sim.systems.rabbitmq.quorum_settings import (
    MAX_PREFETCH,
    NEVER_MS,
    QuorumSettings,
    Retry,
)

Taken = tuple[Consumer, int, int, bool]
"""Consumer, position, message, whether it is redelivered."""


class QuorumMessages:
    """The messages of a quorum queue, its consumers, and what they have.

    Parameters
    ----------
    name : str
        The queue's.
    settings : QuorumSettings
        Its arguments.
    """

    def __init__(self, name: str, settings: QuorumSettings) -> None:
        self.name = name
        self.settings = settings
        self.told: list[QueueEffect] = []
        """What became of messages; whoever looks empties it."""
        self._dispatch = Dispatch(single_active=settings.single_active, takes_over=True)
        self._holders: dict[int, dict[str, Consumer]] = {}
        """By channel and tag: consumers, also cancelled ones that hold something."""
        self._messages: dict[int, int] = {}
        """By position, also of those that are handed out."""
        self._fresh: deque[int] = deque()
        self._returns: deque[int] = deque()
        self._delayed: list[tuple[int, int]] = []
        """A heap: when a return is ready, and its position."""
        self._counts: dict[int, tuple[int, int]] = {}
        """Acquired and failed of messages that came back."""
        self._expires_ms = NEVER_MS
        """No delivery is overdue before."""
        self._suspected: dict[int, int] = {}
        """Node → when what its consumers have is taken back."""

    # What it holds

    @property
    def ready_count(self) -> int:
        """Messages that could be handed out, without those that wait for a retry."""
        return len(self._fresh) + len(self._returns)

    @property
    def delayed_count(self) -> int:
        """Messages that wait for a retry."""
        return len(self._delayed)

    @property
    def unacked_count(self) -> int:
        """Messages that were handed out and not settled."""
        return sum(len(one.unacked) for one in self._consumers())

    def counts(self, position: int) -> tuple[int, int]:
        """Return x-acquired-count and x-delivery-count of a message."""
        return self._counts.get(position, (0, 0))

    def _consumers(self) -> Iterable[Consumer]:
        return (one for held in self._holders.values() for one in held.values())

    def _holder(self, channel: int, tag: str) -> Consumer | None:
        return self._holders.get(channel, {}).get(tag)

    # Messages

    def take_in(self, position: int, message: int) -> None:
        """Take a message in, and tell nobody."""
        self._messages[position] = message
        self._fresh.append(position)

    def enqueue(self, position: int, message: int) -> None:
        """Take a message in."""
        self.take_in(position, message)
        self.told.append(Enqueued(self.name, position, message))

    def take(self, now_ms: int) -> Taken | None:
        """Hand the next message to whose turn it is; None if there is no such pair."""
        line = self._returns or self._fresh
        if not line:
            return None
        consumer = self._dispatch.next()
        if consumer is None:
            return None
        position = line.popleft()
        self._dispatch.served(consumer)
        expires_ms = NEVER_MS
        if consumer.timeout_ms is not None:
            expires_ms = now_ms + consumer.timeout_ms
            self._expires_ms = min(self._expires_ms, expires_ms)
        consumer.unacked[position] = expires_ms
        return consumer, position, self._messages[position], position in self._counts

    def settle(
        self,
        channel: int,
        tag: str,
        positions: Iterable[int],
        outcome: Outcome,
        now_ms: int,
    ) -> None:
        """Do what a consumer says of deliveries."""
        consumer = self._holder(channel, tag)
        if consumer is None:
            return
        done = [
            each for each in positions if consumer.unacked.pop(each, None) is not None
        ]
        if outcome in REQUEUES:
            failed = outcome == Outcome.REJECT
            cause = Returned.REJECTED if failed else Returned.NACKED
            for position in done:
                self._return(position, cause, now_ms, failed=failed)
        else:
            for position in done:
                self._remove(position, _REASONS[outcome])
        self._settled(consumer, positions, len(done))

    def acknowledge(
        self, channel: int, tag: str, positions: Iterable[int]
    ) -> list[tuple[int, int]]:
        """Remove what a consumer acknowledges, and tell nobody.

        Returns
        -------
        list
            (position, message) of those that it had.
        """
        consumer = self._holder(channel, tag)
        if consumer is None:
            return []
        unacked, done = consumer.unacked, []
        for position in positions:
            if unacked.pop(position, None) is not None:
                self._counts.pop(position, None)
                done.append((position, self._messages.pop(position)))
        self._settled(consumer, positions, len(done))
        return done

    def append_anew(self, channel: int, tag: str, position: int, index: int) -> None:
        """Let a message that is nacked come in again (no delivery limit)."""
        consumer = self._holder(channel, tag)
        if consumer is None:
            return
        done = consumer.unacked.pop(position, None) is not None
        if done:
            acquired, failed = self._counts.pop(position, (0, 0))
            self._counts[index] = acquired + 1, failed
            message = self._messages.pop(position)
            self._messages[index] = message
            self._fresh.append(index)
            returned = Requeued(self.name, index, position, message, Returned.NACKED)
            self.told.append(returned)
        self._settled(consumer, (position,), int(done))

    def _settled(
        self, consumer: Consumer, positions: Iterable[int], count: int
    ) -> None:
        if count:
            self._dispatch.freed(consumer, count)
        if consumer.overdue:
            consumer.overdue.difference_update(positions)
            self._dispatch.resume(consumer)
        if consumer.cancelled and not consumer.unacked:
            self._holders[consumer.channel].pop(consumer.tag, None)

    def _remove(self, position: int, reason: Reason) -> None:
        message = self._messages.pop(position)
        self._counts.pop(position, None)
        self.told.append(Removed(self.name, position, message, reason))

    def _return(
        self, position: int, cause: Returned, now_ms: int, *, failed: bool
    ) -> None:
        """Put a message to the returns, or drop it for good (RQ-9, RQ-10)."""
        acquired, failures = self._counts.get(position, (0, 0))
        failures += failed
        limit = self.settings.delivery_limit
        if limit is not None and failures > limit:
            self._remove(position, Reason.DELIVERY_LIMIT)
            return
        self._counts[position] = acquired + 1, failures
        message = self._messages[position]
        self.told.append(Requeued(self.name, position, position, message, cause))
        if self._waits(failed=failed):
            delay_ms = self.settings.retry_min_ms * max(1, failures)
            ready_ms = now_ms + min(delay_ms, self.settings.retry_max_ms)
            heappush(self._delayed, (ready_ms, position))
        else:
            self._returns.append(position)

    def _waits(self, *, failed: bool) -> bool:
        retry = self.settings.retry
        return retry in (Retry.ALL, Retry.FAILED if failed else Retry.RETURNED)

    # Consumers

    def subscribe(self, request: Subscribe) -> None:
        """Register a consumer."""
        timeout_ms = request.timeout_ms
        consumer = Consumer(
            request.channel,
            request.consumer_tag,
            prefetch=request.prefetch or MAX_PREFETCH,
            auto_ack=request.auto_ack,
            priority=request.priority,
            timeout_ms=(
                self.settings.consumer_timeout_ms if timeout_ms is None else timeout_ms
            ),
            node=request.node,
        )
        held = self._holders.setdefault(request.channel, {})
        before = held.get(request.consumer_tag)
        if before is not None:
            consumer.unacked = before.unacked
            consumer.credit -= len(before.unacked)
        held[request.consumer_tag] = consumer
        self._dispatch.add(consumer)

    def unsubscribe(self, channel: int, tag: str) -> None:
        """Hand a consumer nothing more; what it has stays with its channel."""
        consumer = self._holder(channel, tag)
        if consumer is not None and not consumer.cancelled:
            self._dispatch.remove(consumer)
            consumer.cancelled = True
            self._settled(consumer, (), 0)

    def channel_down(self, channel: int, now_ms: int) -> None:
        """Return what a channel had; that counts as failed (RQ-8, RQ-10)."""
        for consumer in self._holders.pop(channel, {}).values():
            if not consumer.cancelled:
                self._dispatch.remove(consumer)
            self._return_all(consumer, Returned.CHANNEL_CLOSED, now_ms, failed=True)

    def _return_all(
        self, consumer: Consumer, cause: Returned, now_ms: int, *, failed: bool
    ) -> None:
        positions = list(consumer.unacked)
        consumer.unacked.clear()
        for position in positions:
            self._return(position, cause, now_ms, failed=failed)
        consumer.credit = min(consumer.limit, consumer.credit + len(positions))

    # Nodes of consumers

    def suspect(self, node: int, now_ms: int) -> None:
        """Lose sight of a node: its consumers are given nothing more."""
        self._suspected[node] = now_ms + self.settings.disconnected_timeout_ms
        for consumer in self._consumers():
            if consumer.node == node:
                consumer.suspected = True
                self._dispatch.suspend(consumer)

    def see_again(self, node: int, now_ms: int, *, died: bool) -> None:
        """See a node again; if it died, its channels did too."""
        self._suspected.pop(node, None)
        if died:
            self.node_stopped(node, now_ms)
            return
        for consumer in self._consumers():
            if consumer.node == node:
                consumer.suspected = False
                if not consumer.cancelled:
                    self._dispatch.resume(consumer)

    def node_stopped(self, node: int, now_ms: int) -> None:
        """Return what channels of a node had."""
        channels = [
            channel
            for channel, held in self._holders.items()
            if any(one.node == node for one in held.values())
        ]
        for channel in channels:
            self.channel_down(channel, now_ms)

    # Time

    @property
    def next_deadline_ms(self) -> int | None:
        """When `pass_time` has something to do, at the earliest."""
        earliest = self._expires_ms
        if self._suspected:
            earliest = min(earliest, *self._suspected.values())
        if self._delayed:
            earliest = min(earliest, self._delayed[0][0])
        return None if earliest >= NEVER_MS else earliest

    @property
    def expires_ms(self) -> int:
        """No delivery is overdue before."""
        return self._expires_ms

    def pass_time(self, now_ms: int) -> None:
        """Take back what is overdue, and make returns ready that have waited."""
        while self._delayed and self._delayed[0][0] <= now_ms:
            self._returns.append(heappop(self._delayed)[1])
        for node in [node for node, due in self._suspected.items() if due <= now_ms]:
            del self._suspected[node]
            self._take_back_from(node, now_ms)
        if self._expires_ms <= now_ms:
            self._take_back_overdue(now_ms)

    def _take_back_from(self, node: int, now_ms: int) -> None:
        for consumer in list(self._consumers()):
            if consumer.node == node and consumer.suspected:
                self._return_all(consumer, Returned.DISCONNECTED, now_ms, failed=False)
                self._dispatch.pass_over(consumer)

    def _take_back_overdue(self, now_ms: int) -> None:
        earliest = NEVER_MS
        for consumer in list(self._consumers()):
            overdue = [at for at, due in consumer.unacked.items() if due <= now_ms]
            for position in overdue:
                del consumer.unacked[position]
                self._return(position, Returned.TIMEOUT, now_ms, failed=False)
            if overdue:
                consumer.overdue.update(overdue)
                consumer.credit = min(consumer.limit, consumer.credit + len(overdue))
                self._dispatch.pass_over(consumer)
                who = consumer.channel, consumer.tag
                released = Released(self.name, *who, tuple(overdue), Returned.TIMEOUT)
                self.told.append(released)
            earliest = min([earliest, *consumer.unacked.values()])
        self._expires_ms = earliest


_REASONS: Final = {
    Outcome.ACK: Reason.ACKED,
    Outcome.NACK_DISCARD: Reason.NACKED,
    Outcome.REJECT_DISCARD: Reason.REJECTED,
}
"""Why a message is gone after an outcome that does not keep it."""
