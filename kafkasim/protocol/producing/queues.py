"""The batch queues of a producer's partitions, filled record by record.

One FIFO queue of batches per partition (PR-22). A record goes into the last batch if
that has room by the record's real size (`MemoryRecordsBuilder.hasRoomFor`); otherwise
that batch is closed for appends and a new one is opened, whose capacity is
``max(batch.size, upper bound of the record)``. A batch filled to the byte is full too.

The queues remember how to go back to the state at the last `settle`, so that a look
into the future can be undone.
"""

from array import array
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.log.batch_size import RangeSizes, ints
from kafkasim.log.record_size import (
    BATCH_HEADER_BYTES,
    BOUND_OVER_BODY_BYTES,
    VARINT_STEPS,
    extra_delta_bytes,
    varint_bytes,
)
from kafkasim.protocol.producing.batch import FULL, OPEN, Batch
from kafkasim.protocol.producing.columns import RecordColumns
from kafkasim.units import MISSING_NS, NS_PER_MS

_FIRST_STEP: Final = VARINT_STEPS[0]


class PartitionQueues:
    """Queues of batches, one per partition.

    Parameters
    ----------
    source_index : int
        Written into each batch.
    batch_size : int
        `batch.size` in bytes.
    count : int
        Number of partitions.
    on_full : callable
        Called with (partition, time_ns) when a batch is closed for appends.

    Attributes
    ----------
    appends : list of array of int32
        Per partition the append list so far: places of records in the columns held.
    firsts : list of int
        Per partition the position in its append list of the first entry in `appends`.
    waiting : list of deque of Batch
        Per partition the batches that were not drained, oldest first.
    tails : list of Batch or None
        Per partition the last batch while it is open.
    """

    __slots__ = (
        "_base_ms",
        "_batch_size",
        "_bodies",
        "_body_bytes",
        "_capacities",
        "_created",
        "_on_full",
        "_round",
        "_sizes",
        "_source_index",
        "_touched",
        "_undo",
        "appends",
        "firsts",
        "tails",
        "waiting",
    )

    def __init__(
        self,
        *,
        source_index: int,
        batch_size: int,
        count: int,
        on_full: Callable[[int, int], None],
    ) -> None:
        self._source_index = source_index
        self._batch_size = batch_size
        self._on_full = on_full
        self.appends = [array("i") for _ in range(count)]
        self.firsts = [0] * count
        self.waiting: list[deque[Batch]] = [deque() for _ in range(count)]
        self.tails: list[Batch | None] = [None] * count
        self._capacities = [0] * count
        self._base_ms = [0] * count
        self._undo: list[tuple[int, Batch | None, int, int, int, int, int, int]] = []
        self._round = 1
        self._touched = [0] * count
        self._hold(np.zeros(0, np.int64), np.zeros(0, np.int64))

    def _hold(self, bodies: NDArray[np.int64], created_ns: NDArray[np.int64]) -> None:
        """Hold these records' sizes and times."""
        self._bodies = bodies
        self._created = created_ns
        self._body_bytes = ints(bodies)
        self._sizes = RangeSizes(bodies, created_ns)

    def grow(self, more: int) -> None:
        """Have a queue for so many partitions more, between `settle` and an append."""
        self.appends += [array("i") for _ in range(more)]
        self.firsts += [0] * more
        self.waiting += [deque() for _ in range(more)]
        self.tails += [None] * more
        self._capacities += [0] * more
        self._base_ms += [0] * more
        self._touched += [0] * more

    def bodies_at(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the body sizes of the records at these places."""
        return self._bodies[places]

    def extend(self, blocks: Sequence[RecordColumns]) -> None:
        """Hold the records of these blocks too."""
        self._hold(
            np.concatenate([self._bodies, *(b.body_bytes for b in blocks)]),
            np.concatenate([self._created, *(b.created_ns for b in blocks)]),
        )

    def begin(self, first: int, end: int, now_ns: int) -> None:
        """Let the records at these places be created now."""
        self._created[first:end] = now_ns

    def insert(self, place: int, added: RecordColumns) -> None:
        """Put records before the one at a place; none from there on is appended."""
        self._hold(
            np.insert(self._bodies, place, added.body_bytes),
            np.insert(self._created, place, added.created_ns),
        )

    def first_needed(self, needed: Sequence[int], end: int) -> int:
        """Return the first place that an append list needs, at most `end`.

        Parameters
        ----------
        needed : sequence of int
            Per partition the first position of its append list still needed.
        end : int
            The place after the last that may be let go.
        """
        for partition, appends in enumerate(self.appends):
            at = needed[partition] - self.firsts[partition]
            if at < len(appends):
                end = min(end, appends[at])
        return end

    def trim(self, needed: Sequence[int], places: int) -> None:
        """Let go of the first `places` records and of positions before `needed`.

        To be called between `settle` and the next append.
        """
        self._hold(self._bodies[places:], self._created[places:])
        for partition, appends in enumerate(self.appends):
            gone = min(needed[partition] - self.firsts[partition], len(appends))
            left = np.frombuffer(appends, np.int32)[gone:] - np.int32(places)
            self.appends[partition] = array("i", left.tobytes())
            self.firsts[partition] += gone

    def try_append(self, partition: int, at: int, called_ns: int, now_ns: int) -> int:
        """Append record `at` to the open batch, if there is one with room for it.

        Parameters
        ----------
        partition : int
            Where.
        at : int
            Place of the record.
        called_ns : int
            When the record was handed over; its timestamp is that millisecond.
        now_ns : int
            The current time.

        Returns
        -------
        int
            The bytes it took; −1 when there is no open batch any more.
        """
        tail = self.tails[partition]
        if tail is None:
            return -1
        if self._touched[partition] != self._round:
            self._remember(partition)
        count = tail.hi - tail.lo
        delta_ms = called_ns // NS_PER_MS - self._base_ms[partition]
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
            self.appends[partition].append(at)
            if used < capacity:
                return size
        tail.closed_ns = now_ns
        tail.closed_by = FULL
        self.tails[partition] = None
        self._on_full(partition, now_ns)
        return size if used == capacity else -1

    def capacity_for(self, at: int) -> int:
        """Return the memory of a batch that record `at` opens."""
        return max(self._batch_size, self._body_bytes[at] + BOUND_OVER_BODY_BYTES)

    def append_new_batch(
        self, partition: int, at: int, called_ns: int, now_ns: int
    ) -> int:
        """Open a batch with record `at`; return the batch's size, header included.

        Parameters
        ----------
        partition : int
            Where.
        at : int
            Place of the record.
        called_ns : int
            When the record was handed over; its timestamp is that millisecond.
        now_ns : int
            The current time.
        """
        if self._touched[partition] != self._round:
            self._remember(partition)
        plain = self._sizes.plain
        size = BATCH_HEADER_BYTES + plain[at + 1] - plain[at]
        appends = self.appends[partition]
        lo = self.firsts[partition] + len(appends)
        batch = Batch(self._source_index, partition, lo, lo + 1, size, now_ns)
        appends.append(at)
        self.waiting[partition].append(batch)
        self.tails[partition] = batch
        self._base_ms[partition] = called_ns // NS_PER_MS
        batch.capacity = self._capacities[partition] = self.capacity_for(at)
        return size

    def append_stretch(self, partition: int, at: int, end: int, most_bytes: int) -> int:
        """Append records from `at` on to the open batch, which must stay open.

        Parameters
        ----------
        partition : int
            Where; without an open batch nothing is appended.
        at, end : int
            First record, and one past the last that may be appended.
        most_bytes : int
            They must take fewer bytes than this.

        Returns
        -------
        int
            The number of bytes they took.
        """
        tail = self.tails[partition]
        if tail is None:
            return 0
        used = tail.size_bytes
        room = min(self._capacities[partition] - used, most_bytes)
        base_ms = self._base_ms[partition]
        end, filled = self._sizes.fill(
            at, end, tail.hi - tail.lo, base_ms, used, used + room - 1
        )
        if end > at:
            if self._touched[partition] != self._round:
                self._remember(partition)
            tail.size_bytes = filled
            tail.hi += end - at
            self.appends[partition].extend(range(at, end))
        return filled - used

    def settle(self) -> None:
        """Make the present state the one to go back to."""
        self._undo.clear()
        self._round += 1

    def go_back(self) -> None:
        """Undo what was appended since the last `settle`; nothing was drained since."""
        for partition, tail, hi, size, queued, listed, capacity, base_ms in self._undo:
            if tail is not None:
                tail.hi = hi
                tail.size_bytes = size
                tail.closed_ns = MISSING_NS
                tail.closed_by = OPEN
            self.tails[partition] = tail
            queue = self.waiting[partition]
            while len(queue) > queued:
                queue.pop()
            del self.appends[partition][listed:]
            self._capacities[partition] = capacity
            self._base_ms[partition] = base_ms
        self.settle()

    def _remember(self, partition: int) -> None:
        """Note a partition's state before it is first changed since `settle`."""
        self._touched[partition] = self._round
        tail = self.tails[partition]
        self._undo.append(
            (
                partition,
                tail,
                tail.hi if tail else 0,
                tail.size_bytes if tail else 0,
                len(self.waiting[partition]),
                len(self.appends[partition]),
                self._capacities[partition],
                self._base_ms[partition],
            )
        )
