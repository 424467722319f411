"""What an accumulator knows of its batches: when they may be sent, what they take.

Kafka's sender sees a queue when it looks; until then a node is ready by what it saw
(`kafkasim.protocol.producing.attention`). The memory of a batch is free again when the
batch is complete (`kafkasim.protocol.producing.buffer_pool`).
"""

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kafkasim.protocol.producing.accumulator import NodeQueue, Settings
from kafkasim.protocol.producing.attention import Attention
from kafkasim.protocol.producing.batch import FULL, NEVER, Batch
from kafkasim.protocol.producing.buffer_pool import BufferPool, HandOver
from kafkasim.protocol.producing.careful import CarefulAccumulator
from kafkasim.protocol.producing.columns import Keeper, RecordBlocks
from kafkasim.protocol.producing.loads import Loads
from kafkasim.protocol.producing.partitioner import Draws
from kafkasim.protocol.producing.queues import PartitionQueues


class QueuedAccumulator(CarefulAccumulator):
    """The part of an accumulator that holds batches, one queue per partition.

    Parameters
    ----------
    settings : Settings
        Configuration and cluster.
    blocks : RecordBlocks
        The records.
    draws : Draws
        Random integers for the sticky partitioner.
    keeper : Keeper or None
        Says what is still needed; without one everything is kept.
    hand_over : HandOver or None
        Told how long the application waits for memory.
    """

    def __init__(
        self,
        settings: Settings,
        blocks: RecordBlocks,
        draws: Draws,
        keeper: Keeper | None,
        hand_over: HandOver | None,
    ) -> None:
        super().__init__(settings, blocks, keeper)
        self._queues = self._make_queues(settings)
        self._slots = [0] * len(settings.leaders)
        for queue in self._nodes:
            for slot, partition in enumerate(queue.partitions):
                self._slots[partition] = slot
        self._loads = Loads(
            self._queues.waiting,
            self._leaders,
            draws,
            adaptive=settings.adaptive,
            availability_ns=settings.availability_ns,
        )
        self._pool = BufferPool(
            settings.buffer_memory, settings.max_block_ns, hand_over
        )
        self._released = 0
        """Memory of complete batches that was not taken back yet."""
        self._attention = Attention(always=settings.availability_ns > 0)
        self._linger_ns = settings.linger_ns
        """0 once the sender has seen that a thread waits for memory (PR-25)."""
        # What is to stop the appending: a time, and nodes that become ready.
        self._nobody = [False] * settings.node_count
        self._may_send: Sequence[bool] = self._nobody
        self._limit_ns = -1
        self._sendable: Sequence[bool] = self._nobody
        """Nodes that may be sent to, by what was last said."""

    def _make_queues(self, settings: Settings) -> PartitionQueues:
        return PartitionQueues(
            source_index=settings.source_index,
            batch_size=settings.batch_size,
            count=len(settings.leaders),
            on_full=self._closed,
        )

    @abstractmethod
    def _go_back(self, now_ns: int) -> None:
        """Undo what was appended of the time after `now_ns`."""

    @abstractmethod
    def _go_on(self, now_ns: int) -> None:
        """Append a record that waited for memory, and all that waited behind it."""

    def _open_batch(self, partition: int, at: int, called_ns: int, now_ns: int) -> int:
        """Open a batch, for which there is memory; return its size."""
        size = self._queues.append_new_batch(partition, at, called_ns, now_ns)
        self._loads.opened(partition, now_ns)
        self._attention.wake_ns = now_ns
        if self._attention.closed:
            self._wake(now_ns)
        if len(self._queues.waiting[partition]) == 1:
            node = self._leaders[partition]
            self._nodes[node].active.append(self._slots[partition])
            self._ready_from(partition, now_ns + self._linger_ns)
        return size

    # What the sender notices

    def _closed(self, partition: int, now_ns: int) -> None:
        """Take note that a tail was closed; that wakes nobody."""
        self._attention.closed.append(partition)
        self._attention.missed(now_ns)

    def _may_wake(self, partition: int, now_ns: int) -> None:
        """Wake the sender if a record was appended where there is something to send."""
        queues = self._queues
        if queues.tails[partition] is None or len(queues.waiting[partition]) > 1:
            self._wake(now_ns)

    def _wake(self, now_ns: int) -> None:
        """Let the sender look at this time, when all its records are appended.

        What was closed until now may as well be seen at once.
        """
        attention = self._attention
        attention.wake_ns = now_ns
        if attention.closed and not attention.always:
            attention.see(now_ns)
            for partition in attention.closed:
                self._ready_from(partition, now_ns)
            attention.closed.clear()

    def _look_by(self, limit_ns: int) -> None:
        """Let the sender look at all times at which it does by then."""
        attention = self._attention
        while attention.needed:
            look_ns = attention.next_ns(self.ready_ns)
            if look_ns == NEVER or look_ns > min(limit_ns, self._limit_ns):
                return
            looks_ahead = self._may_send is not self._nobody
            self._see(self._may_send if looks_ahead else self._sendable, look_ns)

    def _see(self, may_send: Sequence[bool], now_ns: int) -> None:
        """Let the sender look at the queues."""
        attention = self._attention
        for partition in attention.closed:
            self._ready_from(partition, now_ns)
        if attention.waits:
            self._linger_ns = 0
            for queue in self._nodes:
                for slot in queue.active:
                    self._ready_from(queue.partitions[slot], now_ns)
        attention.look(now_ns)
        if attention.always:
            ready_ns = enumerate(self.ready_ns)
            wanted = [node for node, time_ns in ready_ns if time_ns <= now_ns]
            self._loads.look(now_ns, wanted, may_send)

    @property
    def attentive(self) -> bool:
        """Whether it matters when the sender looks, and so does every answer."""
        attention = self._attention
        return attention.needed or attention.late or self._pool.waiting_bytes > 0

    def look(self, may_send: Sequence[bool], now_ns: int) -> None:
        """Take note that the sender looks at the queues."""
        self._sendable = may_send
        if self.attentive:
            self._come_to(now_ns)
            self._see(may_send, now_ns)
            self._settle()

    def _ready_from(self, partition: int, time_ns: int) -> None:
        """Take note that the partition's leader is ready from then on."""
        node = self._leaders[partition]
        if node < 0 or (self.retries is not None and self.retries.holds(partition)):
            return
        if time_ns < self.ready_ns[node]:
            self.ready_ns[node] = time_ns
            if time_ns < self._limit_ns and self._may_send[node]:
                self._limit_ns = time_ns

    # Memory

    def _take_memory(self, at: int, now_ns: int) -> bool:
        """Take memory for a batch that record `at` opens, or begin to wait for it."""
        if self._pool.take(self._queues.capacity_for(at), now_ns):
            return True
        self._attention.waits = True
        self._attention.missed(now_ns)
        return False

    def completed(self, batch: Batch) -> None:
        """Have back the memory of a batch: it was acknowledged, or it has failed."""
        self._released += batch.capacity

    def _take_back(self, now_ns: int) -> None:
        """Have back memory; go on with a record that waited for it."""
        released, self._released = self._released, 0
        pool = self._pool
        if pool.waiting_bytes:
            self._go_back(now_ns)
            self._settle()
        pool.release(released)
        if 0 < pool.waiting_bytes <= pool.free_bytes:
            self._go_on(now_ns)

    def _end_wait(self, now_ns: int) -> None:
        """Let a node be ready again only for what is sendable by itself."""
        self._attention.waits = False
        if self._linger_ns != self._settings.linger_ns:
            self._linger_ns = self._settings.linger_ns
            for node in range(len(self.ready_ns)):
                self.ready_ns[node] = self._ready_with_care(node, now_ns)

    # What a change after a failure asks

    def position(self, partition: int) -> int:
        """Return the position in its append list of the first record not drained."""
        waiting = self._queues.waiting[partition]
        if waiting:
            return waiting[0].lo
        return self._queues.firsts[partition] + len(self._queues.appends[partition])

    def _bodies(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        return self._queues.bodies_at(places)

    def _come_to(self, now_ns: int) -> None:
        self._go_back(now_ns)
        self.catch_up(now_ns)

    def _fill(self, queue: NodeQueue, now_ns: int) -> None:  # noqa: ARG002
        for slot, partition in enumerate(queue.partitions):
            self._slots[partition] = slot
            if self._queues.waiting[partition]:
                queue.active.append(slot)

    def _opened_ns(self, partition: int) -> int:
        waiting = self._queues.waiting[partition]
        return waiting[0].opened_ns if waiting else NEVER

    def _sendable_ns(self, partition: int) -> int:
        waiting = self._queues.waiting[partition]
        if not waiting:
            return NEVER
        head = waiting[0]
        if head.closed_by == FULL:
            return head.closed_ns
        return head.opened_ns + self._linger_ns
