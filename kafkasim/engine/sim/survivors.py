"""What compaction has left of a partition's log: which offsets still hold a record.

A fetch returns what the log holds when it is read, so what a poll returns later is
counted on the log as it was then: each round of compaction makes a new object of this
class, and what was fetched before keeps the one it was read with. So does a change of
the leader: each copy is compacted by its own broker, and readers see what is left of
the new leader's.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from kafkasim.engine.sim.planned_batches import Held, offsets_in
from kafkasim.engine.sim.replica import contents_of
from kafkasim.log.batch_size import ints
from kafkasim.log.partition_log import PartitionLog

Ints = NDArray[np.int64]


class Survivors:
    """The records of a log that a round of compaction has left.

    Parameters
    ----------
    number : int
        Of the round, or of the change of the leader, from 1 in each partition.
    offsets : int64 array, rising
        Those below `end` that hold a record.
    end : int
        Offset from which on the log is dense.
    """

    def __init__(self, number: int, offsets: Ints, end: int) -> None:
        self.number = number
        self.end = end
        self.held = np.zeros(end, np.bool_)
        """Of each offset below the end, whether it holds a record."""
        self.held[offsets] = True
        self._offsets = ints(offsets)
        self._counts: Sequence[int] | None = None
        self._work: dict[int, Sequence[int]] = {}

    def count(self, from_offset: int, to_offset: int) -> int:
        """Return how many records a range of offsets holds."""
        return self._count_below(to_offset) - self._count_below(from_offset)

    def _count_below(self, offset: int) -> int:
        if self._counts is None:
            self._counts = _running(self.held.astype(np.int64))
        if offset <= self.end:
            return self._counts[offset]
        return self._counts[self.end] + offset - self.end

    def offset_after(self, from_offset: int, count: int) -> int:
        """Return the offset after so many records from an offset on."""
        last = self._count_below(from_offset) + count
        if last <= len(self._offsets):
            return self._offsets[last - 1] + 1
        return self.end + last - len(self._offsets)

    def work_between(
        self,
        group: int,
        from_offset: int,
        to_offset: int,
        work_of: Callable[[int], Ints],
        dense: Callable[[int, int], int],
    ) -> int:
        """Return a group's work in nanoseconds on the records of a range of offsets.

        Parameters
        ----------
        group : int
            Its code.
        from_offset, to_offset : int
            The range.
        work_of : callable
            Returns the group's work on each offset below one.
        dense : callable
            Returns its work on a range in which every offset holds a record.
        """
        sums = self.sum_work(group, work_of)
        end = self.end
        inside = sums[min(to_offset, end)] - sums[min(from_offset, end)]
        if to_offset <= end:
            return inside
        return inside + dense(max(from_offset, end), to_offset)

    def sum_work(self, group: int, work_of: Callable[[int], Ints]) -> Sequence[int]:
        """Return, for each offset up to the end, a group's work on what is below it.

        Parameters
        ----------
        group : int
            Its code.
        work_of : callable
            As of `work_between`; asked once.
        """
        sums = self._work.get(group)
        if sums is None:
            sums = _running(np.where(self.held, work_of(self.end), 0))
            self._work[group] = sums
        return sums


def survivors_of(
    log: PartitionLog[Held], number: int, compacted_to: int
) -> Survivors | None:
    """Return what is left of a log; None if that is all that was ever appended.

    Parameters
    ----------
    log : PartitionLog
        The log; what was copied of a leader's has gaps beyond what was compacted here.
    number : int
        For the new object.
    compacted_to : int
        Offset up to which it was looked at now.
    """
    end = compacted_to
    expected = log.segments[0].base_offset
    for segment in log.segments:
        batches = contents_of(segment)
        first = batches.base_offsets[0] if batches.base_offsets else segment.base_offset
        if first > expected:
            end = max(end, first)
        if not batches.dense:
            end = max(end, batches.next_offset)
        expected = batches.next_offset
    if log.log_end_offset > expected:
        end = log.log_end_offset
    if not end:
        return None
    left = [offsets_in(contents_of(s)) for s in log.segments if s.base_offset < end]
    offsets = np.concatenate([np.zeros(0, np.int64), *left])
    return Survivors(number, offsets[offsets < end], end)


def _running(values: Ints) -> Sequence[int]:
    sums = np.zeros(len(values) + 1, np.int64)
    np.cumsum(values, out=sums[1:])
    return ints(sums)
