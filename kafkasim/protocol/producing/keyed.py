"""The accumulator of a source whose records all know their partition.

One stable sort by partition makes every append list before its records are created.
From where a batch starts it follows when it is full, without looking at any record in
between: a bisection over prefix sums of sizes. What a drain takes of an open batch is a
bisection over times. So the cost of a batch does not depend on how many records it
holds.

The lists come in blocks. The accumulator holds a window of them, partition after
partition; when time reaches the end of what is known, records that nobody needs any
more are let go, those of the next block are sorted in, and everything that depended on
the end of a list is looked at again.
"""

from bisect import bisect_right
from collections.abc import Sequence
from heapq import heappop, heappush
from typing import Final

from kafkasim.log.record_size import BATCH_HEADER_BYTES, BOUND_OVER_BODY_BYTES
from kafkasim.protocol.producing.accumulator import NodeQueue, Settings
from kafkasim.protocol.producing.batch import CUT, DRAINED, FULL, LINGER, NEVER, Batch
from kafkasim.protocol.producing.columns import Keeper, RecordBlocks
from kafkasim.protocol.producing.keyed_window import UNKNOWN, KeyedWindow
from kafkasim.units import MISSING_NS, NS_PER_MS

_SLOT_BITS: Final = 20
_SLOT_MASK: Final = (1 << _SLOT_BITS) - 1


class KeyedAccumulator(KeyedWindow):
    """Batches of one producer and topic, every record's partition being known.

    Positions inside are places in the window; those in a `Batch` count from the start
    of its partition's append list.

    Parameters
    ----------
    settings : Settings
        Configuration and cluster.
    blocks : RecordBlocks
        The records; none of them is `STICKY`.
    keeper : Keeper, optional
        Says what is still needed; without one everything is kept.
    """

    def __init__(
        self, settings: Settings, blocks: RecordBlocks, keeper: Keeper | None = None
    ) -> None:
        super().__init__(settings, blocks, keeper)
        self._linger_ns = settings.linger_ns
        self._source_index = settings.source_index
        self._batch_size = settings.batch_size
        self._extend(-1)

    def _extend(self, now_ns: int) -> None:
        """Take in the next block, and look again at what the old end had cut short."""
        old_ends = [
            end - start for start, end in zip(self._starts, self._ends, strict=True)
        ]
        taken = self._blocks.take(len(self._window["ordinal"]) // 2)
        if not taken:
            return
        self._lay_out(taken)
        for queue in self._nodes:
            for slot, partition in enumerate(queue.partitions):
                start, end = self._starts[partition], self._ends[partition]
                old_end = start + old_ends[partition]
                if end == old_end:
                    continue
                if self._heads[partition] < old_end:
                    if self._full_ns[partition] == UNKNOWN:
                        self._find_closing(queue, slot, partition)
                elif self._open(queue, slot, partition, now_ns):
                    queue.active.append(slot)
            queue.active.sort()
        for node in range(len(self.ready_ns)):
            self.ready_ns[node] = self._ready_with_care(node, now_ns)

    def catch_up(self, now_ns: int) -> None:
        """Know at least all records created at `now_ns` or before."""
        while self._blocks.known_ns < now_ns:
            self._extend(now_ns)
        if self._watch.released:
            self._check_memory(now_ns)

    def look_ahead(self, may_send: Sequence[bool], now_ns: int) -> int:
        """Return when a node that may be sent to is ready, or how far that is known.

        A node that gets no records must not make a run hold all there are.
        """
        wake_ns = self._first_ready_ns(may_send)
        while self._blocks.known_ns < wake_ns and any(may_send):
            if self._blocks.known_ns > now_ns:
                return self._blocks.known_ns
            self._extend(now_ns)
            wake_ns = self._first_ready_ns(may_send)
        return wake_ns

    def finish(self, now_ns: int) -> list[Batch]:
        """Return the batches that were never sent, by partition and age."""
        self.catch_up(now_ns)
        self._check_memory(now_ns)
        batches = []
        for queue in self._nodes:
            for slot in self._awake(queue, now_ns):
                more = True
                while more:
                    batch = self._peek(queue.partitions[slot], now_ns)
                    more = self._take(queue, slot, batch, now_ns)
                    batches.append(batch)
        for batch in batches:
            batch.sent_ns = MISSING_NS
            if batch.closed_by != FULL:
                batch.closed_by = CUT
        batches.sort(key=lambda batch: (batch.partition, batch.lo))
        return batches

    def position(self, partition: int) -> int:
        """Return the position in its append list of the first record not drained."""
        return self._heads[partition] - self._starts[partition]

    def _come_to(self, now_ns: int) -> None:
        self.catch_up(now_ns)

    def _settle(self) -> None:
        """Nothing here is ahead of its time."""

    def _fill(self, queue: NodeQueue, now_ns: int) -> None:
        for slot, partition in enumerate(queue.partitions):
            if self._open(queue, slot, partition, now_ns):
                queue.active.append(slot)

    def _opened_ns(self, partition: int) -> int:
        head = self._heads[partition]
        return NEVER if head == self._ends[partition] else self._created_ns[head]

    def _sendable_ns(self, partition: int) -> int:
        opened_ns = self._opened_ns(partition)
        if opened_ns == NEVER:
            return NEVER
        return min(opened_ns + self._linger_ns, self._full_ns[partition])

    def _awake(self, queue: NodeQueue, now_ns: int) -> list[int]:
        if self._blocks.known_ns < now_ns:
            self.catch_up(now_ns)
        active = queue.active
        waiting = queue.waiting
        limit = (now_ns + 1) << _SLOT_BITS
        if waiting and waiting[0] < limit:
            while waiting and waiting[0] < limit:
                active.append(heappop(waiting) & _SLOT_MASK)
            active.sort()
        return active

    def _peek(self, partition: int, now_ns: int) -> Batch:
        created_ns = self._created_ns
        start = self._starts[partition]
        end = self._ends[partition]
        lo = self._heads[partition]
        opened_ns = created_ns[lo]
        full_ns = self._full_ns[partition]
        stop = lo + self._surely_fit
        if full_ns == UNKNOWN and stop < end and created_ns[stop] <= now_ns:
            full_ns = self._find_full(partition, lo, end)
        if full_ns <= now_ns:
            hi = self._full_hi[partition]
            size_bytes = self._full_bytes[partition]
            closed_ns = full_ns
            closed_by = FULL
        else:
            if full_ns != UNKNOWN:
                stop = self._full_hi[partition]
            elif stop > end:
                stop = end
            hi = lo + 1
            if hi < stop and created_ns[hi] <= now_ns:
                hi = bisect_right(created_ns, now_ns, hi + 1, stop)
            size_bytes = self._sizes.batch_bytes(lo, hi)
            closed_ns = now_ns
            closed_by = LINGER if now_ns - opened_ns >= self._linger_ns else DRAINED
        return Batch(
            self._source_index,
            partition,
            lo - start,
            hi - start,
            size_bytes,
            opened_ns,
            closed_ns,
            closed_by,
            now_ns,
        )

    def _find_full(self, partition: int, lo: int, end: int) -> int:
        """Return when the batch that starts at `lo` is full, `NEVER` if it never is."""
        capacity = max(
            self._settings.batch_size, self._body_bytes[lo] + BOUND_OVER_BODY_BYTES
        )
        base_ms = self._created_ns[lo] // NS_PER_MS
        hi, used = self._sizes.fill(lo, end, 0, base_ms, BATCH_HEADER_BYTES, capacity)
        if used == capacity:
            full_ns = self._created_ns[hi - 1]
        elif hi < end:
            full_ns = self._created_ns[hi]
        else:
            full_ns = NEVER
        self._full_ns[partition] = full_ns
        self._full_hi[partition] = hi
        self._full_bytes[partition] = used
        return full_ns

    def _take(self, queue: NodeQueue, slot: int, batch: Batch, now_ns: int) -> bool:
        partition = batch.partition
        watch = self._watch
        if watch.is_uniform:
            watch.held += self._batch_size
        else:
            batch.capacity = max(
                self._batch_size,
                self._body_bytes[self._heads[partition]] + BOUND_OVER_BODY_BYTES,
            )
            watch.held += batch.capacity
        self._heads[partition] = self._starts[partition] + batch.hi
        self._full_ns[partition] = UNKNOWN
        return self._open(queue, slot, partition, now_ns)

    def _open(self, queue: NodeQueue, slot: int, partition: int, now_ns: int) -> bool:
        """Prepare the batch at the partition's head; return whether it has data."""
        head = self._heads[partition]
        end = self._ends[partition]
        if head == end:
            return False
        opened_ns = self._created_ns[head]
        self._find_closing(queue, slot, partition)
        if opened_ns <= now_ns:
            return True
        heappush(queue.waiting, opened_ns << _SLOT_BITS | slot)
        return False

    def _find_closing(self, queue: NodeQueue, slot: int, partition: int) -> None:
        """Note when the partition's head is full, if that is before its linger ends."""
        head = self._heads[partition]
        limit_ns = self._created_ns[head] + self._linger_ns
        stop = head + self._surely_fit
        end = self._ends[partition]
        if stop < end and self._created_ns[stop] < limit_ns:
            full_ns = self._find_full(partition, head, end)
            if full_ns < limit_ns:
                heappush(queue.closing, full_ns << _SLOT_BITS | slot)

    def _next_ready_ns(self, queue: NodeQueue, now_ns: int) -> int:
        ready_ns = NEVER
        if queue.waiting:
            ready_ns = (queue.waiting[0] >> _SLOT_BITS) + self._linger_ns
        closing = queue.closing
        while closing:
            full_ns = closing[0] >> _SLOT_BITS
            if self._full_ns[queue.partitions[closing[0] & _SLOT_MASK]] == full_ns:
                ready_ns = min(ready_ns, full_ns)
                break
            heappop(closing)
        for slot in queue.active:
            if ready_ns <= now_ns:
                break
            head = self._heads[queue.partitions[slot]]
            linger_over_ns = self._created_ns[head] + self._linger_ns
            ready_ns = min(ready_ns, linger_over_ns)
        return ready_ns
