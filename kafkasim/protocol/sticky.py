"""The accumulator of a source with records that have no key.

Where such a record goes depends on how many bytes went to the sticky partition and on
whether its last batch is still open, and so on when batches were drained (KIP-794,
PR-12 to PR-15b). So records are appended one by one, in order, up to the time in
question. To name its next deadline the accumulator goes on appending, as far as until a
node is ready; if a drain comes before that, it goes back to the last settled time and
appends again up to now. Random choices are read by index, so going back restores them.

The records come in blocks, and the accumulator holds a window of them: when it appends
beyond its end the next block is added, and at a settled time what nobody needs any more
is let go. Records are known by their place in the window.

Nothing happens in a stretch of keyless records that fit the open batch without filling
it: such a stretch is one bisection.
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.protocol.accumulator import Accumulator, NodeQueue, Settings, WorkOf
from kafkasim.protocol.batch import CUT, DRAINED, FULL, LINGER, NEVER, OPEN, Batch
from kafkasim.protocol.columns import REFUSED, STICKY, Keeper, RecordBlocks
from kafkasim.protocol.partitioner import Draws
from kafkasim.protocol.queues import PartitionQueues
from kafkasim.protocol.window import Window

_LOOK: Final = 128
"""Records to look ahead at most before it comes back: bounds what going back costs."""
_STRETCH: Final = 4
"""Keyless records in a row from which on a bisection pays."""
_TRIM: Final = 1 << 14
"""Records appended between two tries to let go of what is not needed."""


class StickyAccumulator(Accumulator):
    """Batches of one producer and topic, some records having no key.

    Parameters
    ----------
    settings : Settings
        Configuration and cluster.
    blocks : RecordBlocks
        The records.
    draws : Draws
        Random integers for the sticky partitioner.
    keeper : Keeper, optional
        Says what is still needed; without one everything is kept.
    """

    def __init__(
        self,
        settings: Settings,
        blocks: RecordBlocks,
        draws: Draws,
        keeper: Keeper | None = None,
    ) -> None:
        super().__init__(settings, blocks, keeper)
        self._draws = draws
        self._batch_size = settings.batch_size
        self._queues = PartitionQueues(
            source_index=settings.source_index,
            batch_size=settings.batch_size,
            count=len(settings.leaders),
            on_full=self._ready_from,
        )
        self._window = Window(blocks)
        self._trim_from = _TRIM
        """Place from which on letting go is tried."""
        self._slots = [0] * len(settings.leaders)
        for queue in self._nodes:
            for slot, partition in enumerate(queue.partitions):
                self._slots[partition] = slot
        # The sticky partitioner: partition, bytes since it is that, draws used.
        self._partition = -1
        self._produced = 0
        self._draw_count = 0
        # How far records are appended: the next one, and the time up to which.
        self._next = 0
        self._horizon_ns = -1
        # What is to stop the appending: a time, and nodes that become ready.
        self._nobody = [False] * settings.node_count
        self._may_send: Sequence[bool] = self._nobody
        self._limit_ns = -1
        self._settle()

    # The window

    def _trim(self) -> None:
        """Let go of what is not needed, if that is at least half of the window."""
        count = len(self._window)
        self._trim_from = self._next + max(_TRIM, count // 8)
        needed = self._keeper.needed()
        places = self._queues.first_needed(needed, self._next)
        if 2 * places < count:
            return
        for partition, appends in enumerate(self._queues.appends):
            gone = needed[partition] - self._queues.firsts[partition]
            if gone > 0:
                ordinals = np.frombuffer(appends, np.int32)[:gone] + self._window.base
                self._keeper.released(partition, ordinals.astype(np.int32))
        self._queues.trim(needed, places)
        self._window.trim(places)
        self._next -= places
        self._trim_from -= places

    def catch_up(self, now_ns: int) -> None:
        """Append at least all records created at `now_ns` or before."""
        if self._horizon_ns < now_ns:
            self._append_until(now_ns, self._nobody, NEVER)

    def look_ahead(self, may_send: Sequence[bool], now_ns: int) -> int:
        """Append on until a node that may be sent to is ready; return that time.

        When that is far, return an earlier time at which to look further.
        """
        if self._horizon_ns <= now_ns:
            self._settle()
        if not any(may_send):
            return NEVER
        wake_ns = self._first_ready_ns(may_send)
        if self._horizon_ns < wake_ns and self._more():
            self._append_until(wake_ns, may_send, self._next + _LOOK)
            wake_ns = self._first_ready_ns(may_send)
            if self._horizon_ns < wake_ns and self._more():
                wake_ns = self._horizon_ns
        return wake_ns

    def _more(self) -> bool:
        """Return whether there are records to append."""
        return self._next < len(self._window) or not self._blocks.exhausted

    def append_list(self, partition: int) -> NDArray[np.int32]:
        """Return the ordinals of the records in the partition's batches so far.

        What lies beyond the batches that were drained may still change.
        """
        places = np.array(self._queues.appends[partition], np.int32)
        return places + np.int32(self._window.base)

    def column(self, name: str) -> NDArray[np.signedinteger]:
        """Return a column of the window, in the order of ordinals."""
        return self._window.column(name)

    def places(
        self,
        partitions: NDArray[np.signedinteger],
        los: NDArray[np.int64],
        counts: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """Return where in the window's columns these ranges of append lists are."""
        found: list[NDArray[np.signedinteger]] = [np.zeros(0, np.int64)]
        firsts = self._queues.firsts
        for partition, lo, count in zip(
            partitions.tolist(), los.tolist(), counts.tolist(), strict=True
        ):
            at = lo - firsts[partition]
            appends = np.frombuffer(self._queues.appends[partition], np.int32)
            found.append(appends[at : at + count])
        return np.concatenate(found).astype(np.int64)

    def rest(self, ends: Sequence[int]) -> NDArray[np.int64]:
        """Return where in the window the records beyond these positions stand."""
        later = np.arange(self._next, len(self._window), dtype=np.int64)
        found = [later[self._window.column("partition")[self._next :] != REFUSED]]
        for partition, end in enumerate(ends):
            appends = np.array(self._queues.appends[partition], np.int64)
            found.append(appends[end - self._queues.firsts[partition] :])
        return np.concatenate(found)

    def newest_ns(self, batch: Batch) -> int:
        """Return when the last record of a batch was created."""
        queues, number = self._queues, batch.partition
        place = queues.appends[number][batch.hi - 1 - queues.firsts[number]]
        return self._window.created_ns[place]

    def work_of(self, name: str) -> WorkOf:
        """Return how to sum a carried column over a batch's first records."""
        queues, numbers = self._queues, self._window.numbers

        def from_list(batch: Batch, count: int) -> int:
            column = numbers(name)
            lo = batch.lo - queues.firsts[batch.partition]
            places = queues.appends[batch.partition][lo : lo + count]
            return sum([column[place] for place in places])

        return from_list

    def finish(self, now_ns: int) -> list[Batch]:
        """Return the batches that were never sent, by partition and age."""
        self.catch_up(now_ns)
        self._go_back(now_ns)
        batches = [batch for waiting in self._queues.waiting for batch in waiting]
        for batch in batches:
            if batch.closed_by == OPEN:
                batch.closed_by = CUT
                batch.closed_ns = now_ns
        return batches

    # Appending

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
            self._switch()
        if self._window.stretch_ends[at] - at >= _STRETCH:
            end = self._append_stretch(at)
            if end > at:
                return end
        tails = self._queues.tails
        while True:
            partition = self._partition
            # Test 1 of PR-15b: a switch that was put off while the batch was open.
            if tails[partition] is None and self._produced >= self._batch_size:
                self._switch()
                continue
            was_open = tails[partition] is not None
            appended = self._queues.try_append(partition, at, now_ns)
            if appended:
                break
            # Test 2: the batch had no room and was closed for appends just now.
            if was_open and self._produced >= self._batch_size:
                self._switch()
                continue
            appended = self._append_new_batch(partition, at, now_ns)
            break
        self._produced += appended
        # Test 3, after the append; at twice the size an open batch is no obstacle.
        times = 2 if tails[partition] is not None else 1
        if self._produced >= times * self._batch_size:
            self._switch()
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
        if len(self._queues.waiting[partition]) == 1:
            node = self._settings.leaders[partition]
            self._nodes[node].active.append(self._slots[partition])
            self._ready_from(partition, now_ns + self._settings.linger_ns)
        return size

    def _ready_from(self, partition: int, time_ns: int) -> None:
        """Take note that the partition's leader is ready from then on."""
        node = self._settings.leaders[partition]
        if time_ns < self.ready_ns[node]:
            self.ready_ns[node] = time_ns
            if time_ns < self._limit_ns and self._may_send[node]:
                self._limit_ns = time_ns

    def _switch(self) -> None:
        """Draw the next sticky partition; it may be the same one again (PR-17)."""
        draw = self._draws[self._draw_count]
        self._draw_count += 1
        self._partition = draw % len(self._settings.leaders)
        self._produced = 0

    # Going back

    def _settle(self) -> None:
        """Make the present state the one to go back to."""
        self._queues.settle()
        if self._next >= self._trim_from:
            self._trim()
        self._settled = (
            self._next,
            self._horizon_ns,
            self._partition,
            self._produced,
            self._draw_count,
        )
        self._settled_ready_ns = self.ready_ns.copy()
        self._settled_active = [len(queue.active) for queue in self._nodes]

    def _go_back(self, now_ns: int) -> None:
        """Undo what was appended of the time after `now_ns`."""
        if self._horizon_ns <= now_ns:
            return
        self._queues.go_back()
        (
            self._next,
            self._horizon_ns,
            self._partition,
            self._produced,
            self._draw_count,
        ) = self._settled
        self.ready_ns[:] = self._settled_ready_ns
        for queue, count in zip(self._nodes, self._settled_active, strict=True):
            del queue.active[count:]
        self.catch_up(now_ns)

    # Draining

    def _awake(self, queue: NodeQueue, now_ns: int) -> list[int]:
        self._go_back(now_ns)
        queue.active.sort()
        return queue.active

    def _peek(self, partition: int, now_ns: int) -> Batch:  # noqa: ARG002
        return self._queues.waiting[partition][0]

    def _take(
        self,
        queue: NodeQueue,  # noqa: ARG002
        slot: int,  # noqa: ARG002
        batch: Batch,
        now_ns: int,
    ) -> bool:
        partition = batch.partition
        if batch.closed_by == OPEN:
            over = now_ns - batch.opened_ns >= self._settings.linger_ns
            batch.closed_by = LINGER if over else DRAINED
            batch.closed_ns = now_ns
            self._queues.tails[partition] = None
        batch.sent_ns = now_ns
        waiting = self._queues.waiting[partition]
        waiting.popleft()
        return bool(waiting)

    def _next_ready_ns(self, queue: NodeQueue, now_ns: int) -> int:
        ready_ns = NEVER
        for slot in queue.active:
            if ready_ns <= now_ns:
                break
            head = self._queues.waiting[queue.partitions[slot]][0]
            head_ns = (
                head.closed_ns
                if head.closed_by == FULL
                else head.opened_ns + self._settings.linger_ns
            )
            ready_ns = min(ready_ns, head_ns)
        return ready_ns
