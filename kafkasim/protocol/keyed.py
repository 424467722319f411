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
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.log.batch_size import RangeSizes, ints
from kafkasim.log.record_size import BATCH_HEADER_BYTES, BOUND_OVER_BODY_BYTES
from kafkasim.protocol.accumulator import (
    NodeQueue,
    Settings,
    WorkOf,
    count_surely_fit,
    running_sums,
)
from kafkasim.protocol.batch import CUT, DRAINED, FULL, LINGER, NEVER, Batch
from kafkasim.protocol.careful import CarefulAccumulator
from kafkasim.protocol.columns import (
    Keeper,
    RecordBlocks,
    RecordColumns,
    columns_of,
    partition_order,
    ranges,
)
from kafkasim.units import MISSING_NS, NS_PER_MS

_SLOT_BITS: Final = 20
_SLOT_MASK: Final = (1 << _SLOT_BITS) - 1
_UNKNOWN: Final = NEVER + 1
"""The time at which a head is full was not computed."""


class KeyedAccumulator(CarefulAccumulator):
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
        count = len(settings.leaders)
        self._drawn = 0
        self._window: dict[str, NDArray[Any]] = {
            "ordinal": np.zeros(0, np.int32),
            "created_ns": np.zeros(0, np.int64),
            "body_bytes": np.zeros(0, np.int64),
        }
        self._starts = [0] * count
        """Index in the window of position 0 of each append list; may be negative."""
        self._firsts = [0] * count
        """First position of each list in the window."""
        self._heads = [0] * count
        self._ends = [0] * count
        self._full_ns = [_UNKNOWN] * count
        self._full_hi = [0] * count
        self._full_bytes = [0] * count
        self._linger_ns = settings.linger_ns
        self._source_index = settings.source_index
        self._work_sums: dict[str, Sequence[int]] = {}
        self._refer()
        self._extend(-1)

    # The window

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
                    if self._full_ns[partition] == _UNKNOWN:
                        self._find_closing(queue, slot, partition)
                elif self._open(queue, slot, partition, now_ns):
                    queue.active.append(slot)
            queue.active.sort()
        for node in range(len(self.ready_ns)):
            self.ready_ns[node] = self._ready_with_care(node, now_ns)

    def _lay_out(self, blocks: Sequence[RecordColumns]) -> None:
        """Make the window anew: what is still needed of it, then the blocks."""
        starts, ends = np.array(self._starts), np.array(self._ends)
        heads = np.array(self._heads) - starts
        firsts = np.minimum(np.array(self._keeper.needed()), heads)
        self._release(firsts.tolist())
        kept_counts = ends - starts - firsts
        kept = ranges(starts + firsts, kept_counts)
        order, counts = partition_order(kept_counts, [b.partitions for b in blocks])
        bounds = np.concatenate([[0], np.cumsum(counts)])
        columns = columns_of(blocks, self._drawn)
        self._drawn += sum(map(len, blocks))
        for name, parts in columns.items():
            if name in self._window:
                parts.insert(0, self._window[name][kept])
            joined = np.concatenate(parts)
            self._window[name] = joined if order is None else joined[order]
        self._starts = (bounds[:-1] - firsts).tolist()
        self._firsts = firsts.tolist()
        self._ends = bounds[1:].tolist()
        self._heads = (heads + bounds[:-1] - firsts).tolist()
        moved = (bounds[:-1] - firsts - starts).tolist()
        for partition, by in enumerate(moved):
            self._full_hi[partition] += by
            if self._full_ns[partition] == NEVER:
                self._full_ns[partition] = _UNKNOWN
        self._refer()

    def _release(self, firsts: Sequence[int]) -> None:
        """Let go of the records before these positions."""
        ordinals = self._window["ordinal"]
        for partition, first in enumerate(firsts):
            before = self._firsts[partition]
            if first > before:
                start = self._starts[partition]
                self._keeper.released(
                    partition, ordinals[start + before : start + first]
                )

    def _refer(self) -> None:
        """Prepare the window's columns for reading them number by number."""
        window = self._window
        self._created_ns: Sequence[int] = ints(window["created_ns"])
        self._body_bytes: Sequence[int] = ints(window["body_bytes"])
        self._sizes = RangeSizes(window["body_bytes"], window["created_ns"])
        self._surely_fit = 0
        if len(window["created_ns"]):
            self._surely_fit = count_surely_fit(
                self._settings.batch_size,
                len(window["created_ns"]),
                int(window["body_bytes"].max()),
                int(np.ptp(window["created_ns"])),
            )
        for name in self._work_sums:
            self._work_sums[name] = running_sums(self.column(name))

    def catch_up(self, now_ns: int) -> None:
        """Know at least all records created at `now_ns` or before."""
        while self._blocks.known_ns < now_ns:
            self._extend(now_ns)

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

    def append_list(self, partition: int) -> NDArray[np.int32]:
        """Return the ordinals of the partition's records, also of those to come."""
        start = self._starts[partition] + self._firsts[partition]
        return self._window["ordinal"][start : self._ends[partition]]

    def column(self, name: str) -> NDArray[np.signedinteger]:
        """Return a column of the window, in its order."""
        return self._window.get(name, np.zeros(0, np.int64))

    def places(
        self,
        partitions: NDArray[np.signedinteger],
        los: NDArray[np.int64],
        counts: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """Return where in the window's columns these ranges of append lists are."""
        return ranges(np.array(self._starts)[partitions] + los, counts)

    def rest(self, ends: Sequence[int]) -> NDArray[np.int64]:
        """Return where in the window the records beyond these positions stand."""
        begins = np.array(self._starts) + np.array(ends)
        return ranges(begins, np.array(self._ends) - begins)

    def newest_ns(self, batch: Batch) -> int:
        """Return when the last record of a batch was created."""
        return self._created_ns[self._starts[batch.partition] + batch.hi - 1]

    def work_of(self, name: str) -> WorkOf:
        """Return how to sum a carried column over a batch's first records."""
        self._work_sums[name] = running_sums(self.column(name))

        def from_sums(batch: Batch, count: int) -> int:
            sums = self._work_sums[name]
            at = self._starts[batch.partition] + batch.lo
            return sums[at + count] - sums[at]

        return from_sums

    def finish(self, now_ns: int) -> list[Batch]:
        """Return the batches that were never sent, by partition and age."""
        self.catch_up(now_ns)
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

    def completed(self, batch: Batch) -> None:
        """Have back the memory of a batch."""

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
        self._heads[partition] = self._starts[partition] + batch.hi
        self._full_ns[partition] = _UNKNOWN
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
