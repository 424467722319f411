"""A partition as the simulation sees it: its copies, its readers, and the work in it.

What readers see is the log of the leader. What was ever appended to it is remembered
beside it, as long as a reader may hold it. So that a poll of a few hundred records
costs a bisection and no loop over records, each reading group has a running sum of work
along it, one entry per batch.
"""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.config.topic import TopicConfig
from kafkasim.engine.sim.admission import Admission
from kafkasim.engine.sim.group_work import GroupWork
from kafkasim.engine.sim.plan_facts import LEADER_EPOCH
from kafkasim.engine.sim.planned_batches import (
    BatchFacts,
    Held,
    PlannedBatches,
)
from kafkasim.engine.sim.producer import Batch
from kafkasim.engine.sim.replica import (
    Append,
    Life,
    LogSegment,
    PlannedStore,
    Replica,
    contents_of,
)
from kafkasim.engine.sim.survivors import Survivors, survivors_of
from kafkasim.log.header import LOG_APPEND_TIME, MAGIC, BatchHeader
from kafkasim.log.partition_log import PartitionLog
from kafkasim.protocol.producing.accumulator import WorkOf
from kafkasim.units import NS_PER_MS

Ints = NDArray[np.int64]


class Partition:
    """One partition of one topic.

    Parameters
    ----------
    index : int
        Number of the partition in the whole run.
    topic, number : int
        Code of the topic, number within it.
    nodes : sequence of int
        Indices of the brokers that have a copy; the first one leads it at first.
    config : TopicConfig
        Resolved.
    facts : BatchFacts
        What the batches in its log hold.
    draw : callable, optional
        Gives a random whole number for each segment, for `segment_jitter_ms`.

    Attributes
    ----------
    replicas : dict of int to Replica
        Its copies, by broker.
    leader, leader_epoch : int
        Index of the broker that leads it, or led it last, and since which epoch.
    log : PartitionLog
        The leader's log.
    active : PlannedBatches
        What the segment holds that is written to.
    batches, base_offsets : list
        Every batch that was appended to it, and the offset of its first record; None
        for a batch that no reader will be given any more.
    cuts, cut_from : int
        How often what readers see was cut off, and where it ended before the last time.
    uncommitted : deque of Append
        Its appends that the high watermark has not passed; in a cluster that
        replicates.
    survivors : Survivors or None
        What compaction has left of the leader's log; None while it has left all.
    admission : Admission or None
        What a leader refuses to append; None when it refuses nothing.
    """

    __slots__ = (
        "_groups", "_newest_ns", "_released", "_rounds", "_stamps", "_varied", "active",
        "admission",
        "base_offsets", "batches", "config", "cut_from", "cuts", "index", "leader",
        "leader_epoch", "log", "number", "replicas", "survivors", "topic",
        "uncommitted",
    )  # fmt: skip

    def __init__(
        self,
        *,
        index: int,
        topic: int,
        number: int,
        nodes: Sequence[int],
        config: TopicConfig,
        facts: BatchFacts,
        draw: Callable[[], int] | None = None,
    ) -> None:
        self.index = index
        self.topic = topic
        self.number = number
        self.config = config
        self.admission: Admission | None = None
        self._stamps = config.message_timestamp_type == "LogAppendTime"
        self.replicas = {
            node: Replica(
                index,
                node,
                config,
                PartitionLog(PlannedStore(facts), config, draw=draw),
            )
            for node in nodes
        }
        self.leader = nodes[0]
        self.leader_epoch = LEADER_EPOCH
        self.log: PartitionLog[Held] = self.home.log
        self.active = self.home.active
        self.batches: list[Batch] = []
        self.cuts = self.cut_from = 0
        self.uncommitted: deque[Append] = deque()
        self.base_offsets: list[int] = []
        self.survivors: Survivors | None = None
        self._rounds: list[Survivors] = []
        self._newest_ns: dict[int, Callable[[Batch], int]] = {}
        self._released = 0
        self._groups: dict[int, GroupWork] = {}
        self._varied: list[GroupWork] = []

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
        self._groups[group] = GroupWork(work_of, each)
        if each is None:
            self._varied.append(self._groups[group])

    def be_like(self, other: "Partition") -> None:
        """Have the sources and groups, and refuse the same, as another of its topic."""
        self.admission = other.admission
        self._newest_ns.update(other._newest_ns)  # noqa: SLF001 - of its own class
        for group, work in other._groups.items():  # noqa: SLF001
            self.add_group(group, work.work_of, work.each)

    @property
    def home(self) -> Replica:
        """The leader's copy."""
        return self.replicas[self.leader]

    @property
    def lives(self) -> dict[LogSegment, Life]:
        """Of each segment in the leader's log."""
        return self.home.lives

    def append(self, batch: Batch, now_ns: int) -> int:
        """Append a batch to its only copy and return its base offset.

        With one replica it is below the high watermark at once (BR-20).
        """
        log = self.log
        base_offset = log.log_end_offset
        self.add(batch, base_offset)
        header = self.header(batch, base_offset, LEADER_EPOCH, now_ns)
        last = log.active
        log.append_batch(header, batch, now_ns // NS_PER_MS)
        log.high_watermark = log.log_end_offset
        if log.active is not last:
            cause = last.roll_cause(header, self.config, now_ns // NS_PER_MS)
            self.note_roll(last, now_ns, cause)
        return base_offset

    def add(self, batch: Batch, base_offset: int) -> None:
        """Take note of a batch that the leader appends."""
        count = batch.hi - batch.lo
        for work in self._varied:
            of_batch = work.work_of[batch.source_index](batch, count)
            work.ends.append(work.ends[-1] + of_batch)
        self.batches.append(batch)
        self.base_offsets.append(base_offset)

    def header(
        self, batch: Batch, base_offset: int, leader_epoch: int, now_ns: int
    ) -> BatchHeader:
        """Return the header of a batch that is appended there.

        With LogAppendTime the leader writes its own time into it, and leaves the
        records as they are (`DefaultRecordBatch.setMaxTimestamp`).
        """
        count = batch.hi - batch.lo
        # As BatchHeader(...), without the Python function a NamedTuple has there.
        header: BatchHeader = tuple.__new__(
            BatchHeader,
            (
                base_offset, batch.size_bytes, leader_epoch, MAGIC, 0, 0, count - 1,
                batch.opened_ns // NS_PER_MS,
                self._newest_ns[batch.source_index](batch) // NS_PER_MS,
                batch.producer_id, batch.producer_epoch, batch.base_sequence, count,
            ),
        )  # fmt: skip
        if self._stamps:
            return header._replace(
                attributes=LOG_APPEND_TIME, max_timestamp_ms=now_ns // NS_PER_MS
            )
        return header

    def lead(self, node: int, leader_epoch: int) -> int:
        """Let another copy be the leader's; return the offset up to which it agrees.

        What the leader before had beyond that is gone for readers.
        """
        self.leader, self.leader_epoch = node, leader_epoch
        self._keep_work()
        home = self.home
        self.cut_from = self.log.log_end_offset
        self.log, self.active = home.log, home.active
        held = home.history()
        first = bisect_left(self.base_offsets, held[0][0]) if held else 0
        known = list(zip(self.base_offsets[first:], self.batches[first:], strict=True))
        same = 0
        for mine, other in zip(held, known, strict=False):
            if mine[0] != other[0] or mine[1] is not other[1]:
                break
            same += 1
        if not held:
            first = bisect_left(self.base_offsets, self.log.log_start_offset)
        agreed = len(self.log.segments) and self.log.log_end_offset
        if first + same < len(self.batches):
            agreed = min(agreed, self.base_offsets[first + same])
        if same < len(held):
            agreed = min(agreed, held[same][0])
        self._cut(first + same)
        for base, one in held[same:]:
            self.add(one, base)
        if self.config.compacts:
            self.note_compaction(0)
        return agreed

    def _cut(self, number: int) -> None:
        """Forget the batches from a number on."""
        if number < len(self.batches):
            self.cuts += 1
        del self.batches[number:], self.base_offsets[number:]
        for work in self._groups.values():
            work.known_offset = work.known_sum = 0
        for work in self._varied:
            del work.ends[number + 1 :]
        self._released = min(self._released, number)

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
        for replica in self.replicas.values():
            for segment in replica.log.segments:
                if segment.base_offset >= offset:
                    break
                contents_of(segment).release(offset)

    # --- segments -----------------------------------------------------------------

    def note_roll(self, rolled: LogSegment, now_ns: int, cause: str | None) -> None:
        """Take note that the leader's log has begun a new segment after another."""
        self.home.note_roll(rolled, now_ns, cause)
        self.active = self.home.active

    def note_compaction(self, end: int) -> None:
        """Take note of what compaction has left of the leader's log up to an offset.

        After a round, or when another copy leads, of which it has left more, or less.
        """
        left = survivors_of(self.log, len(self._rounds) + 1, end)
        self.survivors = left
        if left is not None:
            self._rounds.append(left)

    @property
    def was_compacted(self) -> bool:
        """Whether readers have ever seen less than was appended."""
        return bool(self._rounds)

    def survivors_of(self, number: int) -> Survivors | None:
        """Return what compaction had left when it was numbered so; None of 0: all."""
        return self._rounds[number - 1] if number else None

    def _keep_work(self) -> None:
        """Sum what may still be asked of a log of which the end may be cut off."""
        for survivors in self._rounds:
            for group, work in self._groups.items():
                if work.each is None:
                    survivors.sum_work(group, partial(self._work_column, work))

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

    def _work_before(self, work: GroupWork, offset: int) -> int:
        if offset == self.log.log_end_offset:
            return work.ends[-1]
        index = bisect_right(self.base_offsets, offset) - 1
        inside = offset - self.base_offsets[index]
        before = work.ends[index]
        if inside:
            batch = self.batches[index]
            before += work.work_of[batch.source_index](batch, inside)
        return before

    def _work_column(self, work: GroupWork, end: int) -> Ints:
        """Return the work on each record below an offset, as appended."""
        sums = [self._work_before(work, offset) for offset in range(end + 1)]
        return np.array([after - before for before, after in pairwise(sums)], np.int64)


def _base_offset(segment: LogSegment) -> int:
    return segment.base_offset


_BASE_OFFSET: Final = _base_offset
