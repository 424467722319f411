"""A partition as the simulation sees it: its log, its readers, and the work in it.

The log is Kafka's (`kafkasim.log.partition_log`); its batches are ranges of producers'
append lists. What was ever appended is remembered beside it, as long as a reader may
hold it. So that a poll of a few hundred records costs a bisection and no loop over
records, each reading group has a running sum of work along it, one entry per batch.
"""

from bisect import bisect_right
from collections.abc import Callable
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kafkasim.config.topic import TopicConfig
from kafkasim.engine.sim.plan_facts import LEADER_EPOCH
from kafkasim.engine.sim.planned_batches import (
    BatchFacts,
    Held,
    PlannedBatches,
    offsets_in,
)
from kafkasim.engine.sim.producer import Batch
from kafkasim.engine.sim.survivors import Survivors
from kafkasim.log.checkpoints import offset_of
from kafkasim.log.header import (
    MAGIC,
    NO_PRODUCER_EPOCH,
    NO_PRODUCER_ID,
    NO_SEQUENCE,
    BatchHeader,
)
from kafkasim.log.partition_log import PartitionLog
from kafkasim.log.segment import Segment
from kafkasim.log.store import MemoryStore
from kafkasim.protocol.accumulator import WorkOf
from kafkasim.units import MISSING_NS, NS_PER_MS

Ints = NDArray[np.int64]

LogSegment = Segment[Held]


class Life(NamedTuple):
    """When a segment came, and when and why it took no more."""

    created_ns: int
    rolled_ns: int = MISSING_NS
    rolled_by: str | None = None


class PlannedStore(MemoryStore):
    """Keeps a run's segments: small files in memory, batches without bytes.

    Parameters
    ----------
    facts : BatchFacts
        What the batches hold.
    """

    def __init__(self, facts: BatchFacts) -> None:
        super().__init__()
        self._facts = facts

    def contents(self, name: str) -> PlannedBatches:  # type: ignore[override]
        """Return the batches of the file of that name."""
        return PlannedBatches(name, offset_of(name), self._facts)


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

    Parameters
    ----------
    index : int
        Number of the partition in the whole run.
    topic, number, leader : int
        Code of the topic, number within it, index of the leading broker.
    config : TopicConfig
        Resolved.
    facts : BatchFacts
        What the batches in its log hold.
    draw : callable, optional
        Gives a random whole number for each segment, for `segment_jitter_ms`.

    Attributes
    ----------
    log : PartitionLog
        Its log.
    active : PlannedBatches
        What the segment holds that is written to.
    batches, base_offsets : list
        Every batch that was appended, and the offset of its first record; None for a
        batch that no reader will be given any more.
    survivors : Survivors or None
        What compaction has left of the log; None before its first round.
    removed_in : int32 array
        Of each offset that compaction has looked at, the round that removed its record;
        0 if none has.
    lives : dict
        Of each segment that is in the log.
    """

    __slots__ = (
        "_groups", "_newest_ns", "_released", "_rounds", "_varied", "active",
        "base_offsets", "batches", "config", "index", "leader", "lives", "log",
        "number", "removed_in", "survivors", "topic",
    )  # fmt: skip

    def __init__(
        self,
        *,
        index: int,
        topic: int,
        number: int,
        leader: int,
        config: TopicConfig,
        facts: BatchFacts,
        draw: Callable[[], int] | None = None,
    ) -> None:
        self.index = index
        self.topic = topic
        self.number = number
        self.leader = leader
        self.config = config
        self.log: PartitionLog[Held] = PartitionLog(
            PlannedStore(facts), config, draw=draw
        )
        self.lives: dict[LogSegment, Life] = {self.log.active: Life(0)}
        self.active = contents_of(self.log.active)
        self.batches: list[Batch] = []
        self.base_offsets: list[int] = []
        self.survivors: Survivors | None = None
        self._rounds: list[Survivors] = []
        self.removed_in = np.zeros(0, np.int32)
        self._newest_ns: dict[int, Callable[[Batch], int]] = {}
        self._released = 0
        self._groups: dict[int, _GroupWork] = {}
        self._varied: list[_GroupWork] = []

    def add_source(self, source: int, newest_ns: Callable[[Batch], int]) -> None:
        """Know when the last record of a batch of a source was created."""
        self._newest_ns[source] = newest_ns

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

    def append(self, batch: Batch, now_ns: int) -> int:
        """Append a batch to the log and return its base offset.

        With one replica it is below the high watermark at once (BR-20).
        """
        count = batch.hi - batch.lo
        for work in self._varied:
            of_batch = work.work_of[batch.source_index](batch, count)
            work.ends.append(work.ends[-1] + of_batch)
        log = self.log
        base_offset = log.log_end_offset
        self.batches.append(batch)
        self.base_offsets.append(base_offset)
        # As BatchHeader(...), without the Python function a NamedTuple has there.
        header: BatchHeader = tuple.__new__(
            BatchHeader,
            (
                base_offset, batch.size_bytes, LEADER_EPOCH, MAGIC, 0, 0, count - 1,
                batch.opened_ns // NS_PER_MS,
                self._newest_ns[batch.source_index](batch) // NS_PER_MS,
                NO_PRODUCER_ID, NO_PRODUCER_EPOCH, NO_SEQUENCE, count,
            ),
        )  # fmt: skip
        last = log.active
        log.append_batch(header, batch, now_ns // NS_PER_MS)
        log.high_watermark = log.log_end_offset
        if log.active is not last:
            cause = last.roll_cause(header, self.config, now_ns // NS_PER_MS)
            self.note_roll(last, now_ns, cause)
        return base_offset

    # --- reading ------------------------------------------------------------------

    def segment_of(self, offset: int) -> PlannedBatches:
        """Return the batches of the segment in whose range an offset lies."""
        segments = self.log.segments
        place = bisect_right(segments, offset, key=_BASE_OFFSET) - 1
        return contents_of(segments[max(0, place)])

    def segment_after(self, batches: PlannedBatches) -> PlannedBatches:
        """Return the batches of the segment that follows another."""
        segments = self.log.segments
        place = bisect_right(segments, batches.base_offset, key=_BASE_OFFSET)
        return contents_of(segments[place])

    def batch_number(self, offset: int) -> int:
        """Return which of the batches ever appended holds an offset.

        At the log end this is the number of batches: the one that comes next.
        """
        if offset == self.log.log_end_offset:
            return len(self.batches)
        return bisect_right(self.base_offsets, offset) - 1

    def release(self, end: int) -> None:
        """Forget what was appended as the batches before number `end`."""
        if end <= self._released:
            return
        batches = self.batches
        for number in range(self._released, end):
            batches[number] = None  # type: ignore[call-overload]
        self._released = end
        offset = self.base_offsets[end - 1] + 1
        for segment in self.log.segments:
            if segment.base_offset >= offset:
                break
            contents_of(segment).release(offset)

    # --- segments -----------------------------------------------------------------

    def note_roll(self, rolled: LogSegment, now_ns: int, cause: str | None) -> None:
        """Take note that the log has begun a new segment after another."""
        life = self.lives[rolled]
        self.lives[rolled] = life._replace(rolled_ns=now_ns, rolled_by=cause)
        self.lives[self.log.active] = Life(now_ns)
        self.active = contents_of(self.log.active)

    def note_compaction(self, end: int, gone: Ints) -> None:
        """Take note of a round of compaction.

        Parameters
        ----------
        end : int
            Offset up to which it looked.
        gone : int64 array
            Offsets whose records it removed.
        """
        number = 1 if self.survivors is None else self.survivors.number + 1
        known = np.zeros(end, np.int32)
        known[: len(self.removed_in)] = self.removed_in
        known[gone] = number
        self.removed_in = known
        segments = [s for s in self.log.segments if s.base_offset < end]
        left = [offsets_in(contents_of(segment)) for segment in segments]
        self.survivors = Survivors(
            number, np.concatenate([np.zeros(0, np.int64), *left]), end
        )
        self._rounds.append(self.survivors)

    def survivors_of(self, number: int) -> Survivors | None:
        """Return what a round of compaction left; None of round 0, before the first."""
        return self._rounds[number - 1] if number else None

    # --- work ---------------------------------------------------------------------

    def work_between(
        self,
        group: int,
        from_offset: int,
        to_offset: int,
        survivors: Survivors | None = None,
    ) -> int:
        """Return the group's work in nanoseconds of ``[from_offset, to_offset)``.

        On what compaction has left there, if `survivors` says that.
        """
        work = self._groups[group]
        if survivors is not None:
            if work.each is not None:
                return work.each * survivors.count(from_offset, to_offset)
            return survivors.work_between(
                group,
                from_offset,
                to_offset,
                lambda end: self._work_column(work, end),
                lambda start, end: (
                    self._work_before(work, end) - self._work_before(work, start)
                ),
            )
        if work.each is not None:
            return work.each * (to_offset - from_offset)
        before = work.known_sum
        if from_offset != work.known_offset:
            before = self._work_before(work, from_offset)
        work.known_offset = to_offset
        work.known_sum = self._work_before(work, to_offset)
        return work.known_sum - before

    def _work_before(self, work: _GroupWork, offset: int) -> int:
        if offset == self.log.log_end_offset:
            return work.ends[-1]
        index = bisect_right(self.base_offsets, offset) - 1
        inside = offset - self.base_offsets[index]
        before = work.ends[index]
        if inside:
            batch = self.batches[index]
            before += work.work_of[batch.source_index](batch, inside)
        return before

    def _work_column(self, work: _GroupWork, end: int) -> Ints:
        """Return the work on each record below an offset, as appended."""
        sums = [self._work_before(work, offset) for offset in range(end + 1)]
        return np.array([after - before for before, after in pairwise(sums)], np.int64)


def contents_of(segment: LogSegment) -> PlannedBatches:
    """Return what a segment of a run holds."""
    batches = segment.contents
    assert isinstance(batches, PlannedBatches)
    return batches


def _base_offset(segment: LogSegment) -> int:
    return segment.base_offset


_BASE_OFFSET: Final = _base_offset
