"""What a classic queue holds: messages in their places, and what is on disk of them.

Messages have positions in the order they came in. Those that were never handed out are
the *fresh* ones; they have the highest positions, without a gap. Requeued ones go back
to their own positions (RQ-9), which are all below, so the next message is the lowest
requeued one, or else the first fresh one. `ClassicQueue` says when what happens; hosts
that move many messages call these parts themselves, with plain numbers.

Sources: `rabbit_variable_queue`, `rabbit_amqqueue_process` (4.3.5).
"""

from collections import deque
from collections.abc import Iterable
from heapq import heappop, heappush
from typing import Final

from kafkasim.engine.sim.systems.rabbitmq.dispatch import Consumer, Dispatch
from kafkasim.engine.sim.systems.rabbitmq.messages import Reason

SYNC_INTERVAL_MS: Final = 200
"""Until messages are written at the latest (`rabbit_amqqueue_process`)."""

Taken = tuple[Consumer, int, int, bool]
"""Consumer, position, message, whether it is redelivered."""


class ClassicMessages:
    """The messages of a classic queue, its consumers, and what they have.

    Parameters
    ----------
    durable : bool
        The queue survives its node.
    single_active : bool
        `x-single-active-consumer` (RQ-13).
    sync_interval_ms : int
        Until persistent messages are written at the latest.
    """

    def __init__(
        self,
        *,
        durable: bool = True,
        single_active: bool = False,
        sync_interval_ms: int = SYNC_INTERVAL_MS,
    ) -> None:
        self.durable = durable
        self._single_active = single_active
        self._interval_ms = sync_interval_ms
        self._next = 0
        """Position of the next message that comes in."""
        self._fresh: deque[int] = deque()
        """Messages that were never handed out; their positions end before `_next`."""
        self._back: list[int] = []
        """A heap: positions of requeued messages, all below the fresh ones."""
        self._returned: dict[int, int] = {}
        """Their messages."""
        self._transient: set[int] = set()
        """Positions whose messages are not to be written."""
        self._failed: dict[int, int] = {}
        """x-delivery-count, by position."""
        self._recovered_below = 0
        """Positions below were there when the queue came back."""
        self._reset()

    def _reset(self) -> None:
        """Forget what a process has in memory beside the messages."""
        self._dispatch = Dispatch(lazy=True, single_active=self._single_active)
        self._holders: dict[int, dict[str, Consumer]] = {}
        """By channel and tag: consumers, also cancelled ones that hold something."""
        self._may_auto_ack = False
        """Whether a consumer came that acknowledges nothing."""
        self.confirmed: dict[int, list[int]] = {}
        """By channel: numbers that `take_confirmed` returns next."""
        self.unwritten: list[tuple[int, int]] = []
        """(channel, publish_seq_no) of what is to be written next."""
        self._writing: list[tuple[int, int]] | None = None
        self._writing_to = -1
        self._due_ms = 0
        """When they are to be written; counts only while there are some."""
        self._on_disk = self._next - 1
        """Up to which position all that is persistent is on disk."""

    # What it holds

    @property
    def ready_count(self) -> int:
        """Messages that could be handed out."""
        return len(self._fresh) + len(self._back)

    @property
    def unacked_count(self) -> int:
        """Messages that were handed out and not settled."""
        return sum(len(one.unacked) for one in self._consumers())

    def delivery_count(self, position: int) -> int:
        """Return x-delivery-count: how often the delivery of a message failed."""
        recovered = position < self._recovered_below
        return self._failed.get(position, 1 if recovered else 0)

    def _consumers(self) -> Iterable[Consumer]:
        return (one for held in self._holders.values() for one in held.values())

    # Parts: the same rules with plain numbers. After each, `take` until None.

    def publish(
        self, message: int, channel: int, seq: int, *, persistent: bool, now_ms: int
    ) -> int:
        """Take a message in, and return its position; `seq` 0 wants no confirm."""
        position = self._next
        self._next += 1
        unwritten = not (persistent and self.durable)
        if unwritten:
            self._transient.add(position)
        elif self._may_auto_ack and not self._fresh and not self._back:
            consumer = self._dispatch.next()
            unwritten = consumer is not None and consumer.auto_ack
        self._fresh.append(message)
        if not unwritten:
            if not self.unwritten:
                self._due_ms = now_ms + self._interval_ms
            self.unwritten.append((channel, seq))
        elif seq:
            self.confirmed.setdefault(channel, []).append(seq)
        return position

    def take(self, _now_ms: int) -> Taken | None:
        """Hand the next message to whose turn it is; None if there is no such pair."""
        if not (self._fresh or self._back):
            return None
        consumer = self._dispatch.next()
        if consumer is None:
            return None
        redelivered = bool(self._back)
        if redelivered:
            position = heappop(self._back)
            message = self._returned.pop(position)
        else:
            position = self._next - len(self._fresh)
            message = self._fresh.popleft()
        self._dispatch.served(consumer)
        if consumer.auto_ack:
            self._forget(position)
        else:
            consumer.unacked[position] = message
        return consumer, position, message, redelivered

    def discard(
        self, channel: int, tag: str, positions: Iterable[int]
    ) -> list[tuple[int, int]]:
        """Remove messages that a consumer is done with.

        Returns
        -------
        list
            (position, message) of those that it had.
        """
        consumer = self._holder(channel, tag)
        if consumer is None:
            return []
        unacked = consumer.unacked
        done = [(each, unacked.pop(each)) for each in positions if each in unacked]
        if self._transient or self._failed:
            for position, _ in done:
                self._forget(position)
        self._settled(consumer, len(done))
        return done

    def discard_one(self, channel: int, tag: str, position: int) -> None:
        """Remove one message that a consumer is done with."""
        held = self._holders.get(channel)
        consumer = None if held is None else held.get(tag)
        if consumer is None or consumer.unacked.pop(position, None) is None:
            return
        if self._transient or self._failed:
            self._forget(position)
        if consumer.cancelled:
            self._settled(consumer, 1)
        else:
            self._dispatch.freed(consumer, 1)

    def requeue(
        self, channel: int, tag: str, positions: Iterable[int], *, failed: bool
    ) -> list[tuple[int, int]]:
        """Put messages that a consumer has back in their places (RQ-9).

        Returns
        -------
        list
            (position, message) of those that it had.
        """
        consumer = self._holder(channel, tag)
        if consumer is None:
            return []
        unacked = consumer.unacked
        done = [(each, unacked.pop(each)) for each in positions if each in unacked]
        for position, message in done:
            self._put_back(position, message, failed=failed)
        self._settled(consumer, len(done))
        return done

    def take_confirmed(self) -> list[tuple[int, list[int]]]:
        """Return (channel, numbers) that are confirmed since the last call (RQ-14)."""
        confirmed, self.confirmed = self.confirmed, {}
        return list(confirmed.items())

    def flush(self) -> int | None:
        """Begin to write what is to be written; its process has nothing else to do.

        Returns
        -------
        int or None
            The position up to which the host is to write; None if there is nothing, or
            something is being written.
        """
        if self._writing is not None or not self.unwritten:
            return None
        self._writing, self.unwritten = self.unwritten, []
        self._writing_to = self._next - 1
        return self._writing_to

    def write_at_once(self) -> None:
        """Write what is to be written, which takes no time; its process is idle."""
        for channel, seq in self.unwritten:
            if seq:
                self.confirmed.setdefault(channel, []).append(seq)
        self.unwritten.clear()
        self._on_disk = self._next - 1

    def flushed(self) -> None:
        """Learn that what was to be written is on disk."""
        if self._writing is None:
            return
        for channel, seq in self._writing:
            if seq:
                self.confirmed.setdefault(channel, []).append(seq)
        self._writing = None
        self._on_disk = self._writing_to

    def _holder(self, channel: int, tag: str) -> Consumer | None:
        held = self._holders.get(channel)
        return None if held is None else held.get(tag)

    def _settled(self, consumer: Consumer, count: int) -> None:
        if count:
            self._dispatch.freed(consumer, count)
        if consumer.cancelled and not consumer.unacked:
            del self._holders[consumer.channel][consumer.tag]

    def _put_back(self, position: int, message: int, *, failed: bool) -> None:
        if failed:
            self._failed[position] = self.delivery_count(position) + 1
        self._returned[position] = message
        heappush(self._back, position)

    def _forget(self, position: int) -> None:
        self._transient.discard(position)
        self._failed.pop(position, None)

    # Its process

    def unconfirmed(self) -> dict[int, list[int]]:
        """Return the numbers that wait for the disk, by channel."""
        waiting: dict[int, list[int]] = {}
        for channel, seq in (*(self._writing or ()), *self.unwritten):
            if seq:
                waiting.setdefault(channel, []).append(seq)
        return waiting

    def restart(
        self, *, stopped: bool
    ) -> tuple[list[tuple[int, int, Reason]], list[tuple[int, int]]]:
        """Keep what the disk has, all of it ready (RQ-3).

        Returns
        -------
        tuple of two lists
            (position, message, reason) of what is lost, and (position, message) of what
            was handed out and is ready again, both in the order of positions.
        """
        unacked = [each for one in self._consumers() for each in one.unacked.items()]
        ready = list(enumerate(self._fresh, self._next - len(self._fresh)))
        ready += self._returned.items()
        self._fresh.clear()
        self._returned.clear()
        gone = []
        for position, message in sorted(ready + unacked):
            lost = self._lost(position, stopped=stopped)
            if lost is None:
                self._returned[position] = message
            else:
                self._forget(position)
                gone.append((position, message, lost))
        self._back = list(self._returned)
        self._recovered_below = self._next
        self._reset()
        return gone, [each for each in sorted(unacked) if each[0] in self._returned]

    def lose_all(self) -> list[tuple[int, int]]:
        """Lose all messages of a queue that is back; return (position, message)."""
        lost = sorted(self._returned.items())
        self._returned.clear()
        self._back.clear()
        self._failed.clear()
        return lost

    def _lost(self, position: int, *, stopped: bool) -> Reason | None:
        if not self.durable:
            return Reason.NOT_DURABLE
        if position in self._transient:
            return Reason.NOT_PERSISTENT
        if position > self._on_disk and not stopped:
            return Reason.NOT_ON_DISK
        return None
