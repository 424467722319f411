"""The accumulator of a source whose records all know their partition.

One stable sort by partition makes every append list before the run begins. From where a
batch starts it follows when it is full, without looking at any record in between: a
bisection over prefix sums of sizes. What a drain takes of an open batch is a bisection
over times. So the cost of a batch does not depend on how many records it holds.
"""

from bisect import bisect_right
from collections.abc import Sequence
from heapq import heappop, heappush
from typing import Final

import numpy as np

from kafkasim.protocol.accumulator import Accumulator, NodeQueue, Settings
from kafkasim.protocol.batch import CUT, DRAINED, FULL, LINGER, NEVER, Batch
from kafkasim.protocol.batch_size import RangeSizes, ints
from kafkasim.protocol.columns import RecordColumns
from kafkasim.protocol.record_size import (
    BATCH_HEADER_BYTES,
    BOUND_OVER_BODY_BYTES,
    extra_delta_bytes,
    varint_bytes,
)
from kafkasim.units import MISSING_NS, NS_PER_MS

_SLOT_BITS: Final = 20
_SLOT_MASK: Final = (1 << _SLOT_BITS) - 1
_UNKNOWN: Final = NEVER + 1
"""The time at which a head is full was not computed."""


class KeyedAccumulator(Accumulator):
    """Batches of one producer and topic, every record's partition being known.

    Positions inside are positions in the sorted order of all partitions; those in a
    `Batch` count from the start of its partition's append list.

    Parameters
    ----------
    settings : Settings
        Configuration and cluster.
    columns : RecordColumns
        The records; none of them is `STICKY`.
    """

    def __init__(self, settings: Settings, columns: RecordColumns) -> None:
        super().__init__(settings)
        partitions = columns.partitions
        count = len(settings.leaders)
        # Two bytes are sorted by radix, ten times as fast as four.
        narrow = partitions.astype(np.int16) if count < 1 << 15 else partitions
        order = np.argsort(narrow, kind="stable")
        order = order[np.count_nonzero(partitions < 0) :]
        bounds = np.searchsorted(partitions[order], np.arange(count + 1))
        created_ns = columns.created_ns[order]
        body_bytes = columns.body_bytes[order]
        self._ordinals = ints(order.astype(np.int32))
        self._starts: list[int] = bounds.tolist()
        self._heads = self._starts[:-1]
        self._created_ns: Sequence[int] = ints(created_ns)
        self._body_bytes: Sequence[int] = ints(body_bytes)
        self._sizes = RangeSizes(body_bytes, columns.timestamps_ms[order])
        self._full_ns = [_UNKNOWN] * count
        self._full_hi = [0] * count
        self._full_bytes = [0] * count
        self._linger_ns = settings.linger_ns
        self._source_index = settings.source_index
        self._surely_fit = 0
        if len(order):
            self._surely_fit = self._count_surely_fit(
                int(body_bytes.max()), int(created_ns.max() - created_ns.min())
            )
        for queue in self._nodes:
            for slot, partition in enumerate(queue.partitions):
                self._open(queue, slot, partition, -1)
        self.ready_ns[:] = [self._next_ready_ns(queue, -1) for queue in self._nodes]

    def _count_surely_fit(self, body_bytes: int, span_ns: int) -> int:
        """Return how many records, whichever they are, leave a batch open."""
        body_bytes += extra_delta_bytes(len(self._ordinals), span_ns // NS_PER_MS + 1)
        room = self._settings.batch_size - BATCH_HEADER_BYTES - 1
        return max(0, room // (body_bytes + varint_bytes(body_bytes)))

    def catch_up(self, now_ns: int) -> None:
        """Do nothing: the append lists are complete from the start."""

    def look_ahead(self, may_send: Sequence[bool], now_ns: int) -> int:  # noqa: ARG002
        """Return when a node that may be sent to is ready."""
        return self._first_ready_ns(may_send)

    def append_list(self, partition: int) -> Sequence[int]:
        """Return the ordinals of the partition's records, also of those to come."""
        return self._ordinals[self._starts[partition] : self._starts[partition + 1]]

    def finish(self, now_ns: int) -> list[Batch]:
        """Return the batches that were never sent, by partition and age."""
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

    def _awake(self, queue: NodeQueue, now_ns: int) -> list[int]:
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
        end = self._starts[partition + 1]
        lo = self._heads[partition]
        opened_ns = created_ns[lo]
        full_ns = self._full_ns[partition]
        stop = lo + self._surely_fit
        if full_ns == _UNKNOWN and stop < end and created_ns[stop] <= now_ns:
            full_ns = self._find_full(partition, lo, end)
        if full_ns <= now_ns:
            hi = self._full_hi[partition]
            size_bytes = self._full_bytes[partition]
            closed_ns = full_ns
            closed_by = FULL
        else:
            if full_ns != _UNKNOWN:
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
        base_ms = self._sizes.timestamps_ms[lo]
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
        self._heads[partition] = self._starts[partition] + batch.hi
        self._full_ns[partition] = _UNKNOWN
        return self._open(queue, slot, partition, now_ns)

    def _open(self, queue: NodeQueue, slot: int, partition: int, now_ns: int) -> bool:
        """Prepare the batch at the partition's head; return whether it has data."""
        head = self._heads[partition]
        end = self._starts[partition + 1]
        if head == end:
            return False
        opened_ns = self._created_ns[head]
        stop = head + self._surely_fit
        if stop < end and self._created_ns[stop] < opened_ns + self._linger_ns:
            full_ns = self._find_full(partition, head, end)
            if full_ns < opened_ns + self._linger_ns:
                heappush(queue.closing, full_ns << _SLOT_BITS | slot)
        if opened_ns <= now_ns:
            return True
        heappush(queue.waiting, opened_ns << _SLOT_BITS | slot)
        return False

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
