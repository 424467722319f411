"""Whether a producer whose records are not looked at one by one had memory enough.

The fast way through a source with keys never asks for memory. It is right as long as
the application did not have to wait for any, and that is watched here: whenever memory
is given back, all batches opened until then must have had room. How many there are need
not be counted each time. A record opens at most one batch, so with room for so many
batches more the next so many records are safe.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np

from kafkasim.log.batch_size import RangeSizes, ints
from kafkasim.log.record_size import BATCH_HEADER_BYTES, BOUND_OVER_BODY_BYTES
from kafkasim.protocol.producing.batch import NEVER
from kafkasim.protocol.producing.columns import RecordColumns
from kafkasim.units import NS_PER_MS

_MOST_BEYOND_BODY: Final = 5 + 4 + 9
"""Bytes of a record beyond its body: the length, and longer deltas."""
_LEAST_SPARE: Final = 16
"""Batches for which there must be room; with less, counting would cost too much."""


class OutOfMemory(Exception):  # noqa: N818 - it is no error of the user's
    """A producer's memory is used up, or may be with the next few records.

    Attributes
    ----------
    source_index : int
        Position of its source in the plan.
    """

    def __init__(self, source_index: int) -> None:
        super().__init__(source_index)
        self.source_index = source_index


class MemoryWatch:
    """Watches the memory of one producer.

    Parameters
    ----------
    source_index : int
        Position of its source in the plan.
    batch_size, buffer_memory : int
        `batch.size` and `buffer.memory` in bytes.
    partitions : int
        Number of partitions.

    Attributes
    ----------
    held : int
        Memory of the batches that were drained and are not complete.
    released : int
        What of it was given back since the last check.
    is_uniform : bool
        All batches have `batch.size`: no record is larger.
    safe_until_ns : int
        Until then there is memory enough, whatever happens.
    """

    __slots__ = (
        "_batch_size",
        "_body_bytes",
        "_buffer_memory",
        "_capacity",
        "_created",
        "_partitions",
        "_source_index",
        "_times",
        "held",
        "is_uniform",
        "released",
        "safe_until_ns",
    )

    def __init__(
        self, source_index: int, batch_size: int, buffer_memory: int, partitions: int
    ) -> None:
        self._source_index = source_index
        self._batch_size = batch_size
        self._buffer_memory = buffer_memory
        self._partitions = partitions
        self.held = 0
        self.released = 0
        self.is_uniform = True
        self._capacity = batch_size
        """Of the largest batch that there may be."""
        self._body_bytes = 0
        """Of the largest record."""
        self._created = 0
        """Records created before those in `_times`."""
        self._times: deque[Sequence[int]] = deque()
        """When the others are created, block by block."""
        self.safe_until_ns = -1

    def add(self, blocks: Iterable[RecordColumns]) -> None:
        """Know more records."""
        for block in blocks:
            taken = block.partitions >= 0
            times_ns, sizes = block.created_ns, block.body_bytes
            if not taken.all():
                times_ns, sizes = times_ns[taken], sizes[taken]
            if len(sizes):
                self._times.append(ints(np.ascontiguousarray(times_ns)))
                self._body_bytes = max(self._body_bytes, int(sizes.max()))
        bound = self._body_bytes + BOUND_OVER_BODY_BYTES
        self._capacity = max(self._batch_size, bound)
        self.is_uniform = self._capacity == self._batch_size
        self.safe_until_ns = -1

    def check(
        self, now_ns: int, drained: int, count_waiting: Callable[[int], int]
    ) -> None:
        """Check that there was memory for all records created up to now.

        Parameters
        ----------
        now_ns : int
            The current time.
        drained : int
            Records that were drained.
        count_waiting : callable
            Returns the memory of the batches that wait to be drained at a time.

        Raises
        ------
        OutOfMemory
            There was not, or there is hardly any left.
        """
        if now_ns > self.safe_until_ns:
            self._look(now_ns, drained, count_waiting)
        self.held -= self.released
        self.released = 0

    def _look(
        self, now_ns: int, drained: int, count_waiting: Callable[[int], int]
    ) -> None:
        created = self._count_created(now_ns)
        waiting = created - drained
        used = self.held + self._capacity * self._most_batches(waiting)
        spare = (self._buffer_memory - used) // self._capacity
        if spare < _LEAST_SPARE:
            used = self.held + count_waiting(now_ns)
            spare = (self._buffer_memory - used) // self._capacity
        if spare < _LEAST_SPARE:
            raise OutOfMemory(self._source_index)
        self.safe_until_ns = self._time_of(created + spare) - 1

    def _most_batches(self, waiting: int) -> int:
        """Return how many batches so many records are at most.

        Two batches of a partition that follow each other and the record that did not
        fit into the first are more than `batch.size`.
        """
        room = self._batch_size - BATCH_HEADER_BYTES
        if room <= 0:
            return waiting
        record_bytes = self._body_bytes + _MOST_BEYOND_BODY
        return min(waiting, self._partitions + 2 * waiting * record_bytes // room)

    def _count_created(self, now_ns: int) -> int:
        times = self._times
        while times and times[0][-1] <= now_ns:
            self._created += len(times.popleft())
        return self._created + (bisect_right(times[0], now_ns) if times else 0)

    def _time_of(self, number: int) -> int:
        """Return when the record of a number is created, or the last known one is."""
        number -= self._created
        last_ns = NEVER
        for times_ns in self._times:
            if number < len(times_ns):
                return times_ns[number]
            number -= len(times_ns)
            last_ns = times_ns[-1]
        return last_ns


def memory_of(
    sizes: RangeSizes, body_bytes: Sequence[int], lo: int, end: int, batch_size: int
) -> int:
    """Return the memory of the batches that some records of a partition fill.

    Parameters
    ----------
    sizes : RangeSizes
        Of the records held.
    body_bytes : sequence of int
        Of the same records.
    lo, end : int
        The first, which opens a batch, and one past the last.
    batch_size : int
        `batch.size` in bytes.
    """
    memory = 0
    while lo < end:
        capacity = max(batch_size, body_bytes[lo] + BOUND_OVER_BODY_BYTES)
        base_ms = sizes.created_ns[lo] // NS_PER_MS
        memory += capacity
        lo, _ = sizes.fill(lo, end, 0, base_ms, BATCH_HEADER_BYTES, capacity)
    return memory
