"""RabbitMQ without links, disks or a clock: machines wired to each other at once."""

from collections import deque
from collections.abc import Iterable

from kafkasim.engine.sim.systems.rabbitmq.channel import Channel
from kafkasim.engine.sim.systems.rabbitmq.classic_queue import ClassicQueue
from kafkasim.engine.sim.systems.rabbitmq.exchanges import Exchanges
from kafkasim.engine.sim.systems.rabbitmq.messages import (
    ClientRequest,
    Confirm,
    Consume,
    Deliver,
    Publish,
)
from kafkasim.engine.sim.systems.rabbitmq.queue_messages import (
    ChannelDown,
    ClusterRequest,
    Confirmed,
    Enqueue,
    Enqueued,
    Flush,
    Flushed,
    Handed,
    QueueDown,
    Refused,
    Released,
    Removed,
    Replicate,
    Requeued,
    Settle,
    Subscribe,
    Unsubscribe,
    Written,
)
from kafkasim.engine.sim.systems.rabbitmq.quorum_queue import QuorumQueue

Queue = ClassicQueue | QuorumQueue


class SmallBroker:
    """Exchanges, queues and channels; whatever one says to another arrives at once.

    Disks of nodes in `disks` write at once too; other writes wait in `flushes` and
    `replicates` until a test lets them be done.
    """

    def __init__(self, *queues: Queue, disks: Iterable[int] = ()) -> None:
        self.exchanges = Exchanges()
        self.queues = {queue.name: queue for queue in queues}
        for queue in queues:
            self.exchanges.declare_queue(queue.name)
        self.channels: dict[int, Channel] = {}
        self.disks = set(disks)
        self.now_ms = 0
        self.said: list[object] = []
        """To clients, in order."""
        self.told: list[object] = []
        """What became of messages, in order."""
        self.flushes: list[Flush] = []
        self.replicates: list[Replicate] = []

    def channel(
        self, number: int, *, node: int = 0, cancel_notify: bool = True
    ) -> None:
        self.channels[number] = Channel(
            number, self.exchanges, node=node, cancel_notify=cancel_notify
        )

    def client(self, number: int, *requests: ClientRequest) -> None:
        """Let a client say something on its channel, opened if it is new."""
        if number not in self.channels:
            self.channel(number)
        for request in requests:
            self._carry(self.channels[number].handle(request, self.now_ms))

    def publish(self, number: int, *messages: int, queue: str = "q") -> None:
        """Publish through the default exchange, without confirms."""
        for message in messages:
            self.client(number, Publish(message=message, routing_key=queue))

    def consume(self, number: int, prefetch: int = 0, queue: str = "q") -> None:
        """Consume as `c`."""
        self.client(number, Consume(queue=queue, consumer_tag="c", prefetch=prefetch))

    def cluster(self, queue: str, *requests: ClusterRequest) -> None:
        """Let the cluster say something to a queue."""
        for request in requests:
            self._carry(self.queues[queue].handle(request, self.now_ms))

    def pass_time(self, now_ms: int) -> None:
        """Let time pass, deadline by deadline."""
        while True:
            times = [(queue.next_deadline_ms, queue) for queue in self.queues.values()]
            due = [
                (at, queue) for at, queue in times if at is not None and at <= now_ms
            ]
            if not due:
                break
            at, queue = min(due, key=lambda each: each[0])
            self.now_ms = max(self.now_ms, at)
            self._carry(queue.handle_timeout(self.now_ms))
        self.now_ms = now_ms

    def write(self, queue: str = "q", *nodes: int) -> None:
        """Let what waits for the disks of these nodes be written; or for any."""
        flushes, self.flushes = self.flushes, []
        for flush in flushes:
            self.cluster(flush.queue, Flushed(flush.position))
        waiting, self.replicates = self.replicates, []
        for each in waiting:
            if not nodes or each.node in nodes:
                self.cluster(queue, Written(each.node, each.last, each.term))
            else:
                self.replicates.append(each)

    def _carry(self, effects: Iterable[object]) -> None:
        carried = deque(effects)
        while carried:
            effect = carried.popleft()
            carried.extend(self._arrive(effect))

    def _arrive(self, effect: object) -> Iterable[object]:
        now_ms = self.now_ms
        match effect:
            case Enqueue() | Subscribe() | Unsubscribe() | Settle() | ChannelDown():
                return self.queues[effect.queue].handle(effect, now_ms)
            case Handed() | Confirmed() | Refused() | QueueDown() | Released():
                if isinstance(effect, Handed):
                    self.told.append(effect)
                if effect.channel in self.channels:
                    return self.channels[effect.channel].handle(effect, now_ms)
            case Flush():
                self.flushes.append(effect)
            case Replicate(node=node, last=last, term=term) if node in self.disks:
                return self.queues[effect.queue].handle(
                    Written(node, last, term), now_ms
                )
            case Replicate():
                self.replicates.append(effect)
            case Enqueued() | Removed() | Requeued():
                self.told.append(effect)
            case _:
                self.said.append(effect)
        return ()

    # What a test looks at

    def heard(self) -> list[object]:
        """Return what was said to clients since the last look."""
        said, self.said = self.said, []
        return said

    def deliveries(self) -> list[tuple[int, int]]:
        """Return (channel, message) of what was delivered since the last look."""
        return [
            (each.channel, each.message)
            for each in self.heard()
            if isinstance(each, Deliver)
        ]

    def confirms(self) -> list[tuple[int, bool]]:
        """Return (publish_seq_no, multiple) confirmed since the last look."""
        return [
            (each.publish_seq_no, each.multiple)
            for each in self.heard()
            if isinstance(each, Confirm)
        ]

    def gone(self) -> list[tuple[int, str]]:
        """Return (message, reason) of all that was removed so far."""
        return [(e.message, e.reason) for e in self.told if isinstance(e, Removed)]
