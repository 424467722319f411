"""The accumulator of a source with records that have no key.

Where such a record goes depends on how many bytes went to the sticky partition and on
whether its last batch is still open, and so on when batches were drained (KIP-794,
PR-12 to PR-15b). So records are appended one by one, in order, up to the time in
question. To name its next deadline the accumulator goes on appending, as far as until a
node is ready; if a drain comes before that, it goes back to the last settled time and
appends again up to now. Random choices are read by index, so going back restores them.

Nothing happens in a stretch of keyless records that fit the open batch without filling
it: such a stretch is one bisection.
"""

from array import array
from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from typing import Final

import numpy as np

from kafkasim.protocol.accumulator import (
    STICKY,
    Accumulator,
    NodeQueue,
    RecordColumns,
    Settings,
)
from kafkasim.protocol.batch import CUT, DRAINED, FULL, LINGER, NEVER, OPEN, Batch
from kafkasim.protocol.batch_size import RangeSizes, ints
from kafkasim.protocol.partitioner import Draws
from kafkasim.protocol.record_size import (
    BATCH_HEADER_BYTES,
    BOUND_OVER_BODY_BYTES,
    VARINT_STEPS,
    extra_delta_bytes,
    varint_bytes,
)
from kafkasim.units import MISSING_NS

_LOOK: Final = 128
"""Records to look ahead at most before it comes back: bounds what going back costs."""
_STRETCH: Final = 4
"""Keyless records in a row from which on a bisection pays."""
_FIRST_STEP: Final = VARINT_STEPS[0]


class StickyAccumulator(Accumulator):
    """Batches of one producer and topic, some records having no key.

    Parameters
    ----------
    settings : Settings
        Configuration and cluster.
    columns : RecordColumns
        The records.
    draws : Draws
        Random integers for the sticky partitioner.
    """

    def __init__(
        self, settings: Settings, columns: RecordColumns, draws: Draws
    ) -> None:
        super().__init__(settings)
        count = len(settings.leaders)
        self._draws = draws
        self._created_ns: Sequence[int] = ints(columns.created_ns)
        self._partitions: Sequence[int] = ints(columns.partitions)
        self._body_bytes: Sequence[int] = ints(columns.body_bytes)
        self._sizes = RangeSizes(columns.body_bytes, columns.timestamps_ms)
        self._stretch_ends = _stretch_ends(columns)
        self._slots = [0] * count
        for queue in self._nodes:
            for slot, partition in enumerate(queue.partitions):
                self._slots[partition] = slot
        # Per partition: its append list, its queue, and the batch that is open.
        self._lists = [array("i") for _ in range(count)]
        self._queues: list[deque[Batch]] = [deque() for _ in range(count)]
        self._tails: list[Batch | None] = [None] * count
        self._capacities = [0] * count
        self._base_ms = [0] * count
        # The sticky partitioner: partition, bytes since it is that, draws used.
        self._partition = -1
        self._produced = 0
        self._draw_count = 0
        # How far records are appended, and how to go back.
        self._next = 0
        self._horizon_ns = -1
        self._limit_ns = -1
        self._nobody = [False] * settings.node_count
        self._may_send: Sequence[bool] = self._nobody
        self._settled: tuple[int, int, int, int, int, list[int], list[int]]
        self._undo: list[tuple[int, Batch | None, int, int, int, int, int, int]] = []
        self._touched = [0] * count
        self._round = 0
        self._settle()

    def catch_up(self, now_ns: int) -> None:
        """Append at least all records created at `now_ns` or before."""
        if self._horizon_ns < now_ns:
            self._append_until(now_ns, self._nobody, len(self._created_ns))

    def look_ahead(self, may_send: Sequence[bool], now_ns: int) -> int:
        """Append on until a node that may be sent to is ready; return that time.

        When that is far, return an earlier time at which to look further.
        """
        if self._horizon_ns <= now_ns:
            self._settle()
        if not any(may_send):
            return NEVER
        wake_ns = self._first_ready_ns(may_send)
        if self._horizon_ns < wake_ns and self._next < len(self._created_ns):
            self._append_until(wake_ns, may_send, self._next + _LOOK)
            wake_ns = self._first_ready_ns(may_send)
            if self._horizon_ns < wake_ns and self._next < len(self._created_ns):
                wake_ns = self._horizon_ns
        return wake_ns

    def append_list(self, partition: int) -> Sequence[int]:
        """Return the ordinals of the records in the partition's batches so far.

        It is the live array. What lies beyond the batches that were drained may still
        change; while a memoryview of it is held, nothing can be appended.
        """
        return self._lists[partition]

    def finish(self, now_ns: int) -> list[Batch]:
        """Return the batches that were never sent, by partition and age."""
        self.catch_up(now_ns)
        self._go_back(now_ns)
        batches = [batch for queue in self._queues for batch in queue]
        for batch in batches:
            if batch.closed_by == OPEN:
                batch.closed_by = CUT
                batch.closed_ns = now_ns
        for queue in self._queues:
            queue.clear()
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
        created_ns = self._created_ns
        partitions = self._partitions
        at = self._next
        count = len(created_ns)
        while at < count:
            now_ns = created_ns[at]
            if now_ns > self._limit_ns:
                break
            if at >= look_end:
                self._limit_ns = now_ns
            partition = partitions[at]
            if partition == STICKY:
                at = self._append_sticky(at, now_ns)
                continue
            if partition >= 0 and (
                self._tails[partition] is None
                or not self._try_append(partition, at, now_ns)
            ):
                self._append_new_batch(partition, at, now_ns)
            at += 1
        self._next = at
        self._horizon_ns = self._limit_ns

    def _append_sticky(self, at: int, now_ns: int) -> int:
        """Append a record without key, or a stretch; return the next record."""
        if self._partition < 0:
            self._switch()
        if self._stretch_ends[at] - at >= _STRETCH:
            end = self._append_stretch(at)
            if end > at:
                return end
        batch_size = self._settings.batch_size
        while True:
            partition = self._partition
            if self._tails[partition] is None:
                if self._produced >= batch_size:  # test 1: a switch put off before
                    self._switch()
                    continue
            else:
                appended = self._try_append(partition, at, now_ns)
                if appended:
                    break
                if self._produced >= batch_size:  # test 2: the tail was closed just now
                    self._switch()
                    continue
            appended = self._append_new_batch(partition, at, now_ns)
            break
        self._produced += appended
        full = self._tails[partition] is None
        if self._produced >= (batch_size if full else 2 * batch_size):  # test 3
            self._switch()
        return at + 1

    def _append_stretch(self, at: int) -> int:
        """Append keyless records while nothing else can happen; return the next one."""
        partition = self._partition
        tail = self._tails[partition]
        if tail is None:
            return at
        end = bisect_right(
            self._created_ns, self._limit_ns, at + 1, self._stretch_ends[at]
        )
        used = tail.size_bytes
        room = min(
            self._capacities[partition] - used,
            2 * self._settings.batch_size - self._produced,
        )
        end, used = self._sizes.fill(
            at, end, tail.hi - tail.lo, self._base_ms[partition], used, used + room - 1
        )
        if end > at:
            if self._touched[partition] != self._round:
                self._remember(partition)
            self._produced += used - tail.size_bytes
            tail.size_bytes = used
            tail.hi += end - at
            self._lists[partition].extend(range(at, end))
        return end

    def _try_append(self, partition: int, at: int, now_ns: int) -> int:
        """Append to the open batch; return the bytes, or 0 when it had no room.

        `hasRoomFor` counts the record's real size. A batch without room is closed for
        appends, and one that is filled to the byte is full (`MemoryRecordsBuilder`).
        """
        if self._touched[partition] != self._round:
            self._remember(partition)
        tail = self._tails[partition]
        assert tail is not None
        count = tail.hi - tail.lo
        delta_ms = self._sizes.timestamps_ms[at] - self._base_ms[partition]
        if count < _FIRST_STEP and delta_ms < _FIRST_STEP:
            plain = self._sizes.plain
            size = plain[at + 1] - plain[at]
        else:
            body = self._body_bytes[at] + extra_delta_bytes(count, delta_ms)
            size = body + varint_bytes(body)
        used = tail.size_bytes + size
        capacity = self._capacities[partition]
        if used <= capacity:
            tail.size_bytes = used
            tail.hi += 1
            self._lists[partition].append(at)
            if used < capacity:
                return size
        tail.closed_ns = now_ns
        tail.closed_by = FULL
        self._tails[partition] = None
        self._ready_from(partition, now_ns)
        return size if used == capacity else 0

    def _append_new_batch(self, partition: int, at: int, now_ns: int) -> int:
        """Open a batch with one record; return its size, header included."""
        if self._touched[partition] != self._round:
            self._remember(partition)
        plain = self._sizes.plain
        size = BATCH_HEADER_BYTES + plain[at + 1] - plain[at]
        appends = self._lists[partition]
        lo = len(appends)
        batch = Batch(self._settings.source_index, partition, lo, lo + 1, size, now_ns)
        appends.append(at)
        queue = self._queues[partition]
        if not queue:
            node = self._settings.leaders[partition]
            self._nodes[node].active.append(self._slots[partition])
            self._ready_from(partition, now_ns + self._settings.linger_ns)
        queue.append(batch)
        self._tails[partition] = batch
        self._base_ms[partition] = self._sizes.timestamps_ms[at]
        self._capacities[partition] = max(
            self._settings.batch_size, self._body_bytes[at] + BOUND_OVER_BODY_BYTES
        )
        return size

    def _ready_from(self, partition: int, time_ns: int) -> None:
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
        """Make the present state the one to come back to."""
        self._settled = (
            self._next,
            self._horizon_ns,
            self._partition,
            self._produced,
            self._draw_count,
            self.ready_ns.copy(),
            [len(queue.active) for queue in self._nodes],
        )
        self._undo.clear()
        self._round += 1

    def _remember(self, partition: int) -> None:
        """Note a partition's state before it is first changed since `_settle`."""
        self._touched[partition] = self._round
        tail = self._tails[partition]
        self._undo.append(
            (
                partition,
                tail,
                tail.hi if tail else 0,
                tail.size_bytes if tail else 0,
                len(self._queues[partition]),
                len(self._lists[partition]),
                self._capacities[partition],
                self._base_ms[partition],
            )
        )

    def _go_back(self, now_ns: int) -> None:
        """Undo what was appended of the time after `now_ns`."""
        if self._horizon_ns <= now_ns:
            return
        for partition, tail, hi, size, queued, listed, capacity, base_ms in self._undo:
            if tail is not None:
                tail.hi = hi
                tail.size_bytes = size
                tail.closed_ns = MISSING_NS
                tail.closed_by = OPEN
            self._tails[partition] = tail
            queue = self._queues[partition]
            while len(queue) > queued:
                queue.pop()
            del self._lists[partition][listed:]
            self._capacities[partition] = capacity
            self._base_ms[partition] = base_ms
        (
            self._next,
            self._horizon_ns,
            self._partition,
            self._produced,
            self._draw_count,
            ready_ns,
            active_counts,
        ) = self._settled
        self.ready_ns[:] = ready_ns
        for node, active in zip(self._nodes, active_counts, strict=True):
            del node.active[active:]
        self._settle()
        self.catch_up(now_ns)

    # Draining

    def _awake(self, queue: NodeQueue, now_ns: int) -> list[int]:
        self._go_back(now_ns)
        queue.active.sort()
        return queue.active

    def _peek(self, partition: int, now_ns: int) -> Batch:  # noqa: ARG002
        return self._queues[partition][0]

    def _take(
        self,
        queue: NodeQueue,  # noqa: ARG002
        slot: int,  # noqa: ARG002
        batch: Batch,
        now_ns: int,
    ) -> bool:
        partition = batch.partition
        if batch.closed_by == OPEN:
            age_ns = now_ns - batch.opened_ns
            over = age_ns >= self._settings.linger_ns
            batch.closed_by = LINGER if over else DRAINED
            batch.closed_ns = now_ns
            self._tails[partition] = None
        batch.sent_ns = now_ns
        waiting = self._queues[partition]
        waiting.popleft()
        return bool(waiting)

    def _next_ready_ns(self, queue: NodeQueue) -> int:
        ready_ns = NEVER
        for slot in queue.active:
            head = self._queues[queue.partitions[slot]][0]
            head_ns = (
                head.closed_ns
                if head.closed_by == FULL
                else head.opened_ns + self._settings.linger_ns
            )
            ready_ns = min(ready_ns, head_ns)
        return ready_ns


def _stretch_ends(columns: RecordColumns) -> Sequence[int]:
    """Return for each record the next one that is not for the sticky partition."""
    count = len(columns.partitions)
    ends = np.arange(count, dtype=np.int64)
    ends[columns.partitions == STICKY] = count
    return ints(np.minimum.accumulate(ends[::-1])[::-1].copy())
