"""A partition as the simulation sees it: its log, its readers, and the work in it.

The log's batches are ranges of producers' append lists. So that a poll of a few hundred
records costs a bisection and no loop over records, each reading group has a running sum
of work along the log, one entry per batch.
"""

from bisect import bisect_right

from kafkasim.engine.sim.producer import Batch
from kafkasim.engine.sim.batch_log import BatchLog
from kafkasim.protocol.accumulator import WorkOf


class _GroupWork:
    """A group's work along one log."""

    __slots__ = ("each", "ends", "known_offset", "known_sum", "work_of")

    def __init__(self, work_of: list[WorkOf], each: int | None) -> None:
        self.work_of = work_of
        self.each = each
        self.ends = [0]
        """Sum before each batch, and at the log end; unused when `each` is known."""
        self.known_offset = 0
        """Offset of the last question: a poll begins where the last one ended."""
        self.known_sum = 0
        """Sum before it."""


class Partition:
    """One partition of one topic on its leader.

    Attributes
    ----------
    index : int
        Number of the partition in the whole run.
    topic, number, leader : int
        Code of the topic, number within it, index of the leading broker.
    log : BatchLog
        Its log.
    """

    __slots__ = (
        "_groups",
        "_varied",
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
        self.log: BatchLog[Batch] = BatchLog()
        self._groups: dict[int, _GroupWork] = {}
        self._varied: list[_GroupWork] = []

    def add_group(self, group: int, work_of: list[WorkOf], each: int | None) -> None:
        """Keep the sum of work for a group.

        Parameters
        ----------
        group : int
            Its code.
        work_of : list of WorkOf
            Work in nanoseconds, one for each source.
        each : int or None
            Work of every record in nanoseconds, when it is the same for all.
        """
        self._groups[group] = _GroupWork(work_of, each)
        if each is None:
            self._varied.append(self._groups[group])

    def append(self, batch: Batch) -> int:
        """Append a batch to the log and return its base offset."""
        count = batch.hi - batch.lo
        for work in self._varied:
            of_batch = work.work_of[batch.source_index](batch, count)
            work.ends.append(work.ends[-1] + of_batch)
        return self.log.append(batch, count, batch.size_bytes)

    def work_between(self, group: int, from_offset: int, to_offset: int) -> int:
        """Return the group's work in nanoseconds of ``[from_offset, to_offset)``."""
        work = self._groups[group]
        if work.each is not None:
            return work.each * (to_offset - from_offset)
        before = work.known_sum
        if from_offset != work.known_offset:
            before = self._work_before(work, from_offset)
        work.known_offset = to_offset
        work.known_sum = self._work_before(work, to_offset)
        return work.known_sum - before

    def _work_before(self, work: _GroupWork, offset: int) -> int:
        log = self.log
        if offset == log.log_end_offset:
            return work.ends[-1]
        index = bisect_right(log.base_offsets, offset) - 1
        inside = offset - log.base_offsets[index]
        before = work.ends[index]
        if inside:
            batch = log.batches[index]
            before += work.work_of[batch.source_index](batch, inside)
        return before
