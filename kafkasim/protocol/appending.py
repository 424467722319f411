"""Records on their way into a producer's queues, one by one, and back.

Where a record without a key goes depends on how many bytes went to the sticky partition
and on whether its last batch is still open, and so on when batches were drained
(KIP-794, PR-12 to PR-15b). So records are appended one by one, in order, up to the time
in question. To name its next deadline the accumulator goes on appending, as far as
until a node is ready; if a drain comes before that, it goes back to the last settled
time and appends again up to now. Random choices are read by index, so going back
restores them.

Nothing happens in a stretch of keyless records that fit the open batch without filling
it: such a stretch is one bisection.
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from kafkasim.protocol.accumulator import NodeQueue, Settings
from kafkasim.protocol.batch import FULL, NEVER
from kafkasim.protocol.careful import CarefulAccumulator
from kafkasim.protocol.columns import STICKY, Keeper, RecordBlocks
from kafkasim.protocol.loads import Loads
from kafkasim.protocol.partitioner import Draws
from kafkasim.protocol.queues import PartitionQueues
from kafkasim.protocol.window import Window

_STRETCH: Final = 4
"""Keyless records in a row from which on a bisection pays."""


class AppendingAccumulator(CarefulAccumulator):
    """The half of an accumulator that appends records, one by one.

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
    """

    def __init__(
        self,
        settings: Settings,
        blocks: RecordBlocks,
        draws: Draws,
        keeper: Keeper | None,
    ) -> None:
        super().__init__(settings, blocks, keeper)
        self._batch_size = settings.batch_size
        self._queues = PartitionQueues(
            source_index=settings.source_index,
            batch_size=settings.batch_size,
            count=len(settings.leaders),
            on_full=self._ready_from,
        )
        self._window = Window(blocks)
        self._slots = [0] * len(settings.leaders)
        for queue in self._nodes:
            for slot, partition in enumerate(queue.partitions):
                self._slots[partition] = slot
        # The sticky partitioner: partition, bytes since it is that, how it is drawn.
        self._partition = -1
        self._produced = 0
        self._loads = Loads(self._queues.waiting, draws, adaptive=settings.adaptive)
        # How far records are appended: the next one, and the time up to which.
        self._next = 0
        self._horizon_ns = -1
        # What is to stop the appending: a time, and nodes that become ready.
        self._nobody = [False] * settings.node_count
        self._may_send: Sequence[bool] = self._nobody
        self._limit_ns = -1
        self._settle()

    def catch_up(self, now_ns: int) -> None:
        """Append at least all records created at `now_ns` or before."""
        if self._horizon_ns < now_ns:
            self._append_until(now_ns, self._nobody, NEVER)

    def _append_until(
        self, limit_ns: int, may_send: Sequence[bool], look_end: int
    ) -> None:
        """Append records up to `limit_ns`.

        Stops at an earlier time, all records of that time included, when a node that
        may be sent to is ready or record `look_end` is reached.
        """
        self._limit_ns = limit_ns
        self._may_send = may_send
        created_ns = self._window.created_ns
        partitions = self._window.partitions
        try_append = self._queues.try_append
        at = self._next
        count = len(created_ns)
        while True:
            if at == count:
                if self._blocks.known_ns >= self._limit_ns:
                    break
                self._queues.extend(self._window.extend())
                created_ns = self._window.created_ns
                partitions = self._window.partitions
                count = len(created_ns)
            now_ns = created_ns[at]
            if now_ns > self._limit_ns:
                break
            if at >= look_end:
                self._limit_ns = now_ns
            partition = partitions[at]
            if partition == STICKY:
                at = self._append_sticky(at, now_ns)
                continue
            if partition >= 0 and not try_append(partition, at, now_ns):
                self._append_new_batch(partition, at, now_ns)
            at += 1
        self._next = at
        self._horizon_ns = self._limit_ns

    def _append_sticky(self, at: int, now_ns: int) -> int:
        """Append a record without key, or a stretch of them; return the next record."""
        if self._partition < 0:
            self._switch(now_ns)
        if self._window.stretch_ends[at] - at >= _STRETCH:
            end = self._append_stretch(at)
            if end > at:
                return end
        tails = self._queues.tails
        while True:
            partition = self._partition
            # Test 1 of PR-15b: a switch that was put off while the batch was open.
            if tails[partition] is None and self._produced >= self._batch_size:
                self._switch(now_ns)
                continue
            was_open = tails[partition] is not None
            appended = self._queues.try_append(partition, at, now_ns)
            if appended:
                break
            # Test 2: the batch had no room and was closed for appends just now.
            if was_open and self._produced >= self._batch_size:
                self._switch(now_ns)
                continue
            appended = self._append_new_batch(partition, at, now_ns)
            break
        self._produced += appended
        # Test 3, after the append; at twice the size an open batch is no obstacle.
        times = 2 if tails[partition] is not None else 1
        if self._produced >= times * self._batch_size:
            self._switch(now_ns)
        return at + 1

    def _append_stretch(self, at: int) -> int:
        """Append keyless records while nothing else can happen; return the next one."""
        end = bisect_right(
            self._window.created_ns,
            self._limit_ns,
            at + 1,
            self._window.stretch_ends[at],
        )
        appends = self._queues.appends[self._partition]
        before = len(appends)
        self._produced += self._queues.append_stretch(
            self._partition, at, end, 2 * self._batch_size - self._produced
        )
        return at + len(appends) - before

    def _append_new_batch(self, partition: int, at: int, now_ns: int) -> int:
        size = self._queues.append_new_batch(partition, at, now_ns)
        waiting = self._queues.waiting[partition]
        self._loads.opened(partition, now_ns, first=not waiting[-1].lo)
        if len(waiting) == 1:
            node = self._leaders[partition]
            self._nodes[node].active.append(self._slots[partition])
            self._ready_from(partition, now_ns + self._settings.linger_ns)
        return size

    def _ready_from(self, partition: int, time_ns: int) -> None:
        """Take note that the partition's leader is ready from then on."""
        node = self._leaders[partition]
        if node < 0 or (self.retries is not None and self.retries.holds(partition)):
            return
        if time_ns < self.ready_ns[node]:
            self.ready_ns[node] = time_ns
            if time_ns < self._limit_ns and self._may_send[node]:
                self._limit_ns = time_ns

    def _switch(self, now_ns: int) -> None:
        """Draw the next sticky partition."""
        self._partition = self._loads.draw(now_ns)
        self._produced = 0

    # Going back

    def _settle(self) -> None:
        """Make the present state the one to go back to."""
        self._queues.settle()
        self._loads.settle()
        self._settled = (
            self._next,
            self._horizon_ns,
            self._partition,
            self._produced,
        )
        self._settled_ready_ns = self.ready_ns.copy()
        self._settled_active = [len(queue.active) for queue in self._nodes]

    def _go_back(self, now_ns: int) -> None:
        """Undo what was appended of the time after `now_ns`."""
        if self._horizon_ns <= now_ns:
            return
        self._queues.go_back()
        self._loads.go_back()
        (
            self._next,
            self._horizon_ns,
            self._partition,
            self._produced,
        ) = self._settled
        self.ready_ns[:] = self._settled_ready_ns
        for queue, count in zip(self._nodes, self._settled_active, strict=True):
            del queue.active[count:]
        self.catch_up(now_ns)

    # What a change after a failure asks

    def position(self, partition: int) -> int:
        """Return the position in its append list of the first record not drained."""
        waiting = self._queues.waiting[partition]
        if waiting:
            return waiting[0].lo
        return self._queues.firsts[partition] + len(self._queues.appends[partition])

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
        return head.opened_ns + self._settings.linger_ns
