"""A partition as the simulation sees it: its log, its readers, and the work in it.

The log's batches are ranges of producers' append lists. So that a poll of a few hundred
records costs a bisection and no loop over records, each reading group has a running sum
of work along the log, one entry per batch.
"""

from bisect import bisect_right
from collections.abc import Callable

from kafkasim.engine.sim.producer import Batch
from kafkasim.log.partition_log import PartitionLog

WorkOf = Callable[[Batch, int], int]
"""Work in nanoseconds of a batch's first `count` records, for one group."""


class Partition:
    """One partition of one topic on its leader.

    Attributes
    ----------
    index : int
        Number of the partition in the whole run.
    topic, number, leader : int
        Code of the topic, number within it, index of the leading broker.
    log : PartitionLog
        Its log.
    """

    __slots__ = (
        "_work_ends",
        "_work_of",
        "index",
        "leader",
        "log",
        "number",
        "topic",
    )

    def __init__(self, *, index: int, topic: int, number: int, leader: int) -> None:
        self.index = index
        self.topic = topic
        self.number = number
        self.leader = leader
        self.log: PartitionLog[Batch] = PartitionLog()
        self._work_of: dict[int, list[WorkOf]] = {}
        self._work_ends: dict[int, list[int]] = {}

    def add_group(self, group: int, work_of: list[WorkOf]) -> None:
        """Keep the sum of work for a group; `work_of` has an entry per source."""
        self._work_of[group] = work_of
        self._work_ends[group] = [0]

    def append(self, batch: Batch) -> int:
        """Append a batch to the log and return its base offset."""
        count = batch.hi - batch.lo
        for group, work_of in self._work_of.items():
            ends = self._work_ends[group]
            ends.append(ends[-1] + work_of[batch.source_index](batch, count))
        return self.log.append(batch, count, batch.size_bytes)

    def work_before(self, group: int, offset: int) -> int:
        """Return the group's work in nanoseconds of all records below `offset`."""
        bases = self.log.base_offsets
        index = bisect_right(bases, offset) - 1
        if index < 0:
            return 0
        ends = self._work_ends[group]
        if offset == self.log.log_end_offset:
            return ends[index + 1]
        work = ends[index]
        inside = offset - bases[index]
        if inside:
            batch = self.log.batches[index]
            work += self._work_of[group][batch.source_index](batch, inside)
        return work
