"""Classic queues whose every message is moved without a request and its effects.

What is published to such a queue, and what is acknowledged, goes through the parts of
the machines that take and give plain numbers; they have the same rules. All else, and
all of quorum queues, goes through the machines' requests.
"""

from collections.abc import Callable
from typing import Final

from kafkasim.engine.sim.systems.rabbitmq.classic_messages import Taken
from kafkasim.engine.sim.systems.rabbitmq.classic_queue import State
from kafkasim.engine.sim.systems.rabbitmq.dispatch import Consumer
from kafkasim.engine.sim.systems.rabbitmq.hosted import Hosted
from kafkasim.engine.sim.systems.rabbitmq.node import Job, Node
from kafkasim.engine.sim.systems.rabbitmq.queue_hosts import QueueHosts
from kafkasim.engine.sim.systems.rabbitmq.queue_messages import Enqueue, Flush
from kafkasim.engine.sim.systems.rabbitmq.sender import Sent
from kafkasim.result.schema_queues import QUEUE_CHANGES
from kafkasim.units import FOREVER_NS, MISSING_NS, NS_PER_MS

_ENQUEUED: Final = QUEUE_CHANGES.index("enqueued")
_DELIVERED: Final = QUEUE_CHANGES.index("delivered")
_ACKED: Final = QUEUE_CHANGES.index("acked")
_AUTO_ACKED: Final = QUEUE_CHANGES.index("auto-acked")

_MOST_VALUES: Final = 7_000
"""Of rows that are not packed."""

Acked = tuple[int, str, list[int]]
"""Deliveries from a classic queue that a consumer has acknowledged: its channel, its
tag, and their positions."""


class ClassicHosts(QueueHosts):
    """All queues of a run; messages of classic ones go the short way.

    Attributes
    ----------
    hand : callable
        Hands a message to a consumer: takes the queue, the consumer, the position and
        the message; returns the consumer's code.
    confirm : callable
        Takes a channel, numbers that a queue confirms, and the queue's node.
    """

    hand: "Callable[[Hosted, Consumer, int, int], int]"
    confirm: Callable[[int, list[int], Node], None]

    def _as_enqueue(self, hosted: Hosted, job: Job) -> Enqueue | None:
        if job[0] == self.take_in:
            return self._enqueue(hosted, job[1])
        return super()._as_enqueue(hosted, job)

    @staticmethod
    def _enqueue(hosted: Hosted, sent: Sent) -> Enqueue:
        """Return what was sent from the queue's own node, as a request."""
        publisher, channel, ordinal, seq = sent
        return Enqueue(
            queue=hosted.process.name,
            message=publisher.feed.base + ordinal,
            channel=channel,
            publish_seq_no=seq,
            persistent=publisher.settings.persistent,
            node=hosted.process.node.code,
        )

    def take_in(self, hosted: Hosted, sent: Sent) -> None:
        """Let a classic queue take a message in."""
        machine = hosted.machine
        if machine.state is not State.RUNNING:
            self.do(hosted, self._enqueue(hosted, sent))
            return
        publisher, channel, ordinal, seq = sent
        feed, now_ns, persistent = (
            publisher.feed,
            self._calendar.now_ns,
            publisher.persistent,
        )
        message = feed.base + ordinal
        machine.publish(
            message, channel, seq, persistent=persistent, now_ms=now_ns // NS_PER_MS
        )
        if persistent:
            hosted.unflushed += feed.sizes[ordinal]
        hosted.came += 1
        hosted.ready = ready = hosted.ready + 1
        if feed.appended_ns[ordinal] == MISSING_NS:
            feed.appended_ns[ordinal] = now_ns
        rows, unacked = self._rows, len(hosted.out)
        rows += hosted.code, message, now_ns, _ENQUEUED, -1, ready, unacked
        if len(rows) > _MOST_VALUES:
            self._pack()
        self._hand_out(hosted, machine.take)
        if machine.unwritten:
            if self._disks or hosted.process.jobs:
                self._write_to_disk(hosted)
            else:
                self.disk_bytes += hosted.unflushed
                hosted.unflushed = 0
                machine.write_at_once()
        if machine.confirmed:
            for number, seqs in machine.take_confirmed():
                self.confirm(number, seqs, hosted.process.node)

    def let_one_go(self, hosted: Hosted, done: tuple[int, str, int]) -> None:
        """Let a classic queue forget a message that a consumer has acknowledged."""
        channel, tag, position = done
        machine = hosted.machine
        machine.discard_one(channel, tag, position)
        out = hosted.out
        message = out.pop(position, None)
        if message is not None:
            hosted.went += 1
            code, now_ns = hosted.code, self._calendar.now_ns
            self._rows += code, message, now_ns, _ACKED, -1, hosted.ready, len(out)
            self._timeline.settle(1)
        if hosted.ready:
            self._hand_out(hosted, machine.take)
        if machine.unwritten:
            self._write_to_disk(hosted)
        if machine.confirmed:
            self._confirm(hosted)

    def let_go(self, hosted: Hosted, acked: Acked) -> None:
        """Let a classic queue forget what a consumer has acknowledged."""
        channel, tag, positions = acked
        machine = hosted.machine
        machine.discard(channel, tag, positions)
        out, now_ns, rows = hosted.out, self._calendar.now_ns, self._rows
        for position in positions:
            message = out.pop(position, None)
            if message is not None:
                hosted.went += 1
                code, ready = hosted.code, hosted.ready
                rows += code, message, now_ns, _ACKED, -1, ready, len(out)
                self._timeline.settle(1)
        if hosted.ready:
            self._hand_out(hosted, machine.take)
        if machine.unwritten:
            self._write_to_disk(hosted)
        if machine.confirmed:
            self._confirm(hosted)

    def _confirm(self, hosted: Hosted) -> None:
        for channel, seqs in hosted.machine.take_confirmed():
            self.confirm(channel, seqs, hosted.process.node)

    def _write_to_disk(self, hosted: Hosted) -> None:
        """Begin to write if there is time for that; see that it begins in time."""
        if hosted.process.jobs:
            if hosted.armed_ns == FOREVER_NS:  # later deadlines are not earlier
                self._arm(hosted)
            return
        position = hosted.machine.flush()
        if position is None:
            return
        if self._disks:
            self._flush(hosted, Flush(hosted.process.name, position, 0))
        else:
            self.disk_bytes += hosted.unflushed
            hosted.unflushed = 0
            hosted.machine.flushed()

    def _hand_out(self, hosted: Hosted, take: Callable[[int], Taken | None]) -> None:
        """Hand out what can be."""
        out, rows = hosted.out, self._rows
        now_ns = self._calendar.now_ns
        while hosted.ready and (taken := take(now_ns // NS_PER_MS)) is not None:
            consumer, position, message, redelivered = taken
            hosted.ready -= 1
            out[position] = message
            if position > hosted.newest and not redelivered:
                hosted.newest = position
            else:
                self._note_order(hosted, position, again=redelivered)
            member = self.hand(hosted, consumer, position, message)
            code, ready = hosted.code, hosted.ready
            rows += code, message, now_ns, _DELIVERED, member, ready, len(out)
            if consumer.auto_ack and not hosted.is_quorum:
                del out[position]
                hosted.went += 1
                self._row(hosted, message, _AUTO_ACKED, -1)
                self._timeline.settle(1)
