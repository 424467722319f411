"""One copy of a partition: its log on one broker, and what that broker is for it.

The log is Kafka's (`kafkasim.log.partition_log`); its batches are ranges of producers'
append lists, and all copies of a partition hold the same objects.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from operator import itemgetter
from typing import Final, NamedTuple

from kafkasim.config.topic import TopicConfig
from kafkasim.engine.sim.planned_batches import (
    BatchFacts,
    Held,
    PlannedBatches,
    parts,
)
from kafkasim.engine.sim.request import Request
from kafkasim.log.checkpoints import offset_of
from kafkasim.log.header import BatchHeader
from kafkasim.log.partition_log import PartitionLog
from kafkasim.log.segment import Segment
from kafkasim.log.store import MemoryStore
from kafkasim.protocol.cluster.replica import LeaderState
from kafkasim.protocol.producing.batch import Batch
from kafkasim.units import MISSING_NS, NS_PER_MS

LogSegment = Segment[Held]
NOTHING_SURE: Final = (-1, -1, 0, 0, -1)
"""What `ReplicaLog.sure` says when the next append has to ask."""
Placed = tuple[int, Batch]
"""Offset of a batch's first record, and the batch as it was appended."""


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


class Append:
    """An append of a batch to a leader's log: a row of `appends` in the making."""

    __slots__ = (
        "append_id",
        "appended_ns",
        "attempt",
        "base_offset",
        "batch",
        "committed_ns",
        "end_offset",
        "leader",
        "leader_epoch",
        "partition",
        "truncated_ns",
    )  # fmt: skip

    def __init__(  # noqa: PLR0917 - one is made per append
        self,
        append_id: int,
        batch: Batch,
        partition: int,
        base_offset: int,
        leader: int,
        leader_epoch: int,
        appended_ns: int,
    ) -> None:
        self.append_id = append_id
        self.batch = batch
        self.attempt = batch.attempts + 1
        self.partition = partition
        self.base_offset = base_offset
        self.end_offset = base_offset + batch.hi - batch.lo
        self.leader = leader
        self.leader_epoch = leader_epoch
        self.appended_ns = appended_ns
        self.committed_ns = self.truncated_ns = MISSING_NS


class Replica:
    """A partition's log on one broker.

    Parameters
    ----------
    partition, node : int
        Run-wide index of the partition, index of the broker.
    config : TopicConfig
        Resolved.
    log : PartitionLog
        Its log.

    Attributes
    ----------
    ends : PartitionLog
        The log for who asks only where it starts, ends and is replicated to, and for
        its epochs; what was copied last may not be in its segments yet (`append_copy`).
    active : PlannedBatches
        What the segment holds that is written to.
    state : LeaderState or None
        What it knows of its followers while it leads.
    leader, leader_epoch : int
        Who leads, as its broker knows, −1 for nobody, and since which epoch.
    delayed : deque
        End offset and request of each produce request that waits for the high
        watermark, while it leads.
    checked : bool
        Whether it is known that its log is a part of the leader's (KIP-101).
    is_new : bool
        Its disk was lost, and no leader has seen the new one yet.
    removed : list of Placed
        Batches of which compaction has left nothing, in this log or in the one that it
        was copied from, by offset.
    """

    __slots__ = (
        "_behind", "_lives", "_sure", "active", "checked", "config", "delayed", "ends",
        "is_new", "leader", "leader_epoch", "node", "partition", "removed", "state",
    )  # fmt: skip

    def __init__(
        self, partition: int, node: int, config: TopicConfig, log: PartitionLog[Held]
    ) -> None:
        self.partition = partition
        self.node = node
        self.config = config
        self.ends = log
        self._behind: list[tuple[BatchHeader, Held]] = []
        self._sure = NOTHING_SURE
        self.lives: dict[LogSegment, Life] = {log.active: Life(0)}
        self.active = contents_of(log.active)
        self.state: LeaderState | None = None
        self.leader = -1
        self.leader_epoch = 0
        self.delayed: deque[tuple[int, Request]] = deque()
        self.checked = True
        self.is_new = False
        self.removed: list[Placed] = []

    @property
    def log(self) -> PartitionLog[Held]:
        """Its log, with all that was copied in its segments."""
        self._lay()
        return self.ends

    @property
    def lives(self) -> dict[LogSegment, Life]:
        """Of each segment in the log, all that was copied being in it."""
        self._lay()
        return self._lives

    @lives.setter
    def lives(self, lives: dict[LogSegment, Life]) -> None:
        self._lives = lives

    def _lay(self) -> None:
        """Put into the segments what was copied."""
        self._sure = NOTHING_SURE  # who asked may begin a segment, or cut the log off
        if self._behind:
            behind, self._behind = self._behind, []
            self.ends.lay(behind)

    def append_copy(self, header: BatchHeader, batch: Held, now_ns: int) -> None:
        """Append what the leader sent; it gets into a segment when someone looks.

        Nobody looks into most copies before the run is over, and many batches are laid
        at once with fewer calls: 7 % fewer in a run of 1,000 partitions. What may begin
        a segment or an epoch, or is to be synced, is appended now.
        """
        most_bytes, most_ms, most_batches, most_end, epoch = self._sure
        behind, log = self._behind, self.ends
        timestamp_ms = header.max_timestamp_ms
        end = header.base_offset + header.last_offset_delta + 1
        left = most_bytes - header.size_bytes
        if (
            left >= 0
            and 0 <= timestamp_ms <= most_ms
            and len(behind) < most_batches
            and end <= most_end
            and header.leader_epoch == epoch
        ):
            behind.append((header, batch))
            log.log_end_offset = end
            self._sure = left, most_ms, most_batches, most_end, epoch
            return
        self.append(header, batch, now_ns)
        self._sure = log.sure()

    def append(self, header: BatchHeader, batch: Held, now_ns: int) -> None:
        """Append a batch whose header is final."""
        log = self.log
        last = log.active
        log.append_batch(header, batch, now_ns // NS_PER_MS)
        if log.active is not last:
            cause = last.roll_cause(header, self.config, now_ns // NS_PER_MS)
            self.note_roll(last, now_ns, cause)

    def note_roll(self, rolled: LogSegment, now_ns: int, cause: str | None) -> None:
        """Take note that the log has begun a new segment after another."""
        life = self.lives[rolled]
        self.lives[rolled] = life._replace(rolled_ns=now_ns, rolled_by=cause)
        self.lives[self.log.active] = Life(now_ns)
        self.active = contents_of(self.log.active)

    def truncate_to(self, offset: int, now_ns: int) -> dict[LogSegment, Life]:
        """Cut the log off; return the segments that went with it."""
        self.log.truncate_to(offset, now_ns // NS_PER_MS)
        del self.removed[bisect_left(self.removed, offset, key=_BASE_OFFSET) :]
        return self._note_cut(now_ns)

    def begin_at(
        self, offset: int, now_ns: int, log_start_offset: int | None = None
    ) -> dict[LogSegment, Life]:
        """Drop the whole log and begin anew; return the segments that went."""
        self.log.truncate_fully_and_start_at(
            offset, now_ns // NS_PER_MS, log_start_offset=log_start_offset
        )
        self.removed.clear()
        return self._note_cut(now_ns)

    def _note_cut(self, now_ns: int) -> dict[LogSegment, Life]:
        there = set(self.log.segments)
        gone = {one: life for one, life in self.lives.items() if one not in there}
        self.lives = {one: life for one, life in self.lives.items() if one in there}
        if self.log.active not in self.lives:
            self.lives[self.log.active] = Life(now_ns)
        life = self.lives[self.log.active]
        self.lives[self.log.active] = Life(life.created_ns)
        self.active = contents_of(self.log.active)
        return gone

    # --- what there was ------------------------------------------------------------

    def held(self) -> list[Placed]:
        """Return the batches in the log, as they were appended."""
        return placed_in(self.log.segments)

    def history(self) -> list[Placed]:
        """Return what was appended up to the log's end, also what compaction took.

        That is what its log and any other have in common, or not.
        """
        return _merged(self.held(), self.removed)

    def removed_between(self, from_offset: int, to_offset: int) -> list[Placed]:
        """Return the batches that begin in a range and of which nothing is left."""
        removed = self.removed
        first = bisect_left(removed, from_offset, key=_BASE_OFFSET)
        return removed[first : bisect_left(removed, to_offset, key=_BASE_OFFSET)]

    def note_deleted(self) -> None:
        """Forget what was removed of segments that the log has no more."""
        begin = self.log.segments[0].base_offset
        del self.removed[: bisect_left(self.removed, begin, key=_BASE_OFFSET)]

    def note_removed(self, batches: Sequence[Placed]) -> None:
        """Take note of batches of which nothing is left."""
        if batches:
            self.removed = _merged(self.removed, batches)


_BASE_OFFSET: Final = itemgetter(0)


def placed_in(segments: Sequence[LogSegment]) -> list[Placed]:
    """Return the batches of segments, as they were appended."""
    return [
        (base, parts(one)[0])
        for segment in segments
        for base, one in zip(
            contents_of(segment).base_offsets,
            contents_of(segment).batches,
            strict=True,
        )
        if one is not None
    ]


def _merged(some: Sequence[Placed], others: Sequence[Placed]) -> list[Placed]:
    """Return batches of two lists by offset."""
    return sorted([*some, *others], key=_BASE_OFFSET) if others else list(some)


def contents_of(segment: LogSegment) -> PlannedBatches:
    """Return what a segment of a run holds."""
    batches = segment.contents
    assert isinstance(batches, PlannedBatches)
    return batches
