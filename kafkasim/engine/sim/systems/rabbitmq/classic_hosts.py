"""Classic queues whose every message is moved without a request and its effects.

What is published to such a queue, and what is acknowledged, goes through the parts of
the machines that take and give plain numbers; they have the same rules. All else, and
all of quorum queues, goes through the machines' requests.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from kafkasim.engine.sim.systems.rabbitmq.classic_queue import State
from kafkasim.engine.sim.systems.rabbitmq.dispatch import Consumer
from kafkasim.engine.sim.systems.rabbitmq.hosted import Hosted
from kafkasim.engine.sim.systems.rabbitmq.node import Node, QueueProcess
from kafkasim.engine.sim.systems.rabbitmq.queue_hosts import QueueHosts
from kafkasim.engine.sim.systems.rabbitmq.queue_messages import Enqueue, Flush
from kafkasim.result.schema_queues import QUEUE_CHANGES
from kafkasim.units import NS_PER_MS

_DELIVERED: Final = QUEUE_CHANGES.index("delivered")
_ACKED: Final = QUEUE_CHANGES.index("acked")
_AUTO_ACKED: Final = QUEUE_CHANGES.index("auto-acked")


class Incoming(NamedTuple):
    """A message for a classic queue."""

    message: int
    channel: int
    seq: int
    persistent: bool
    node: int

    def for_queue(self, queue: str) -> Enqueue:
        """Return it as a request."""
        return Enqueue(
            queue=queue,
            message=self.message,
            channel=self.channel,
            publish_seq_no=self.seq,
            persistent=self.persistent,
            node=self.node,
        )


class Acked(NamedTuple):
    """Deliveries from a classic queue that a consumer has acknowledged."""

    channel: int
    tag: str
    positions: list[int]


class ClassicHosts(QueueHosts):
    """All queues of a run; messages of classic ones go the short way.

    Attributes
    ----------
    hand : callable
        Hands a message to a consumer: takes the queue, the node it is on, the consumer,
        the position and the message; returns the consumer's code.
    confirm : callable
        Takes a channel, numbers that a queue confirms, and the queue's node.
    """

    hand: "Callable[[str, Node, Consumer, int, int], int]"
    confirm: Callable[[int, list[int], Node], None]

    def do(self, process: QueueProcess, request: Any) -> None:  # noqa: ANN401
        """Let a queue decide on what its process has got."""
        kind = type(request)
        if kind is Incoming:
            self._take_in(process, request)
        elif kind is Acked:
            self._let_go(process, request)
        else:
            super().do(process, request)

    def _as_enqueue(self, hosted: Hosted, request: Any) -> Enqueue | None:  # noqa: ANN401
        if type(request) is Incoming:
            return request.for_queue(hosted.process.name)
        return super()._as_enqueue(hosted, request)

    def _take_in(self, process: QueueProcess, incoming: Incoming) -> None:
        hosted = self.hosted[process.name]
        machine = hosted.machine
        if machine.state is not State.RUNNING:
            super().do(process, incoming.for_queue(process.name))
            return
        message, channel, seq, persistent, _ = incoming
        machine.publish(
            message,
            channel,
            seq,
            persistent=persistent,
            now_ms=self._calendar.now_ns // NS_PER_MS,
        )
        if persistent:
            hosted.unflushed += self.size_of(message)
        self._came(hosted, message)
        self._go_on(hosted, process)

    def _let_go(self, process: QueueProcess, acked: Acked) -> None:
        hosted = self.hosted[process.name]
        hosted.machine.discard(*acked)
        out = hosted.out
        for position in acked.positions:
            message = out.pop(position, None)
            if message is not None:
                hosted.went += 1
                self._row(hosted, message, _ACKED, -1)
                self._timeline.settle(1)
        self._go_on(hosted, process)

    def _go_on(self, hosted: Hosted, process: QueueProcess) -> None:
        """Hand out what can be, write to disk if there is time, and confirm."""
        machine, now_ms = hosted.machine, self._calendar.now_ns // NS_PER_MS
        while (taken := machine.take(now_ms)) is not None:
            self._hand_over(hosted, *taken)
        if process.jobs:
            self._arm(hosted)
        else:
            position = machine.flush()
            if position is not None and self._disks:
                self._flush(hosted, Flush(process.name, position, 0))
            elif position is not None:
                hosted.unflushed = 0
                machine.flushed()
        for channel, seqs in machine.take_confirmed():
            self.confirm(channel, seqs, process.node)

    def _hand_over(
        self,
        hosted: Hosted,
        consumer: Consumer,
        position: int,
        message: int,
        redelivered: bool,  # noqa: FBT001 - as the queue gives it
    ) -> None:
        hosted.ready -= 1
        hosted.out[position] = message
        self._note_order(hosted, position, again=redelivered)
        process = hosted.process
        member = self.hand(process.name, process.node, consumer, position, message)
        self._row(hosted, message, _DELIVERED, member)
        if consumer.auto_ack:
            del hosted.out[position]
            hosted.went += 1
            self._row(hosted, message, _AUTO_ACKED, -1)
            self._timeline.settle(1)
