"""What one group member reads from one broker.

Positions live at the broker (fetch sessions, KIP-227), so a fetch request names no
partitions: an answer carries what has come since the last one. That is exact here
because a member sends no fetch to a broker while it holds records of that broker's
partitions that poll has not returned (CO-3), so every partition is always in the fetch,
but those whose position is being reset.

One read of a partition returns batches of one segment (`LocalLog.read`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.planned_batches import PlannedBatches
from kafkasim.engine.sim.request import Connection, Request
from kafkasim.engine.sim.survivors import Survivors
from kafkasim.protocol.batch import NEVER
from kafkasim.units import MISSING_NS

_MANY: Final = 1 << 62
"""More than there are partitions or served fetches."""
OUT_OF_RANGE: Final = -1
"""In place of the offset after what was read: OFFSET_OUT_OF_RANGE."""

Fetched = tuple[Partition, int, Survivors | None]
"""A partition, the offset after what was read, and what compaction had left of it."""


@dataclass(frozen=True, slots=True)
class PollSettings:
    """The consumer's settings, in the engine's units."""

    min_bytes: int
    """`fetch.min.bytes`."""
    max_wait_ns: int
    """`fetch.max.wait.ms`."""
    max_partition_bytes: int
    """`max.partition.fetch.bytes`."""
    max_bytes: int
    """`fetch.max.bytes`."""
    max_poll_records: int
    """`max.poll.records`."""
    auto_commit_ns: int | None
    """`auto.commit.interval.ms`; None when `enable.auto.commit` is false."""


class FetchSession:
    """What one member reads from one broker (KIP-227: positions live at the broker)."""

    __slots__ = (
        "_limits",
        "_order",
        "_sequence",
        "buffered",
        "connection",
        "cursors",
        "epoch",
        "lost",
        "max_wait_ns",
        "min_bytes",
        "parked",
        "partitions",
        "positions",
        "ready",
        "request",
        "timer_set",
        "wait_over",
    )

    def __init__(
        self,
        partitions: list[Partition],
        connection: Connection,
        settings: PollSettings,
    ) -> None:
        self.partitions = partitions
        self.connection = connection
        self.min_bytes = min(settings.min_bytes, settings.max_bytes)
        self.max_wait_ns = settings.max_wait_ns
        self._limits = (settings.max_partition_bytes, settings.max_bytes)
        self.epoch = 0
        """Rises when the member crashes, so that what was under way is dropped."""
        self.request: Request | None = None
        """The fetch without an answer yet."""
        self.buffered = 0
        """Fetched ranges of these partitions not yet returned by poll."""
        self.positions: dict[int, int] = {}
        """Partition index → offset of the next fetch."""
        self.cursors: dict[int, tuple[PlannedBatches, int]] = {}
        """Partition index → a segment's batches, and number of the next to fetch."""
        self.lost: dict[int, Partition] = {}
        """Partitions whose position is out of range, which the member is not told yet.
        """
        self.ready: dict[int, Partition] = {}
        """Partitions with batches between their cursor and their high watermark."""
        self.parked: Request | None = None
        """The fetch that waits in purgatory."""
        self.wait_over = (MISSING_NS, 0)
        """When `parked` has waited long enough, and that deadline's key."""
        self.timer_set = False
        """The calendar holds a deadline of this session, maybe that of a fetch before:
        one entry per session, not one per fetch."""
        self._order: dict[int, int] = {}
        self._sequence = 0

    def seek(self, positions: Mapping[int, int]) -> None:
        """Start from these offsets."""
        self.ready.clear()
        self.lost.clear()
        for partition in self.partitions:
            self.seek_one(partition, positions[partition.index])
            # Never served: before all that were, in the order of their numbers.
            self._order[partition.index] = partition.index - _MANY

    def seek_one(self, partition: Partition, offset: int) -> None:
        """Go on in a partition at an offset, or note that no such offset is there."""
        index, log = partition.index, partition.log
        self.positions[index] = offset
        self.ready.pop(index, None)
        if not log.log_start_offset <= offset <= log.log_end_offset:
            self.lost[index] = partition
            return
        self._located(partition)
        if offset < log.high_watermark:
            self.ready[index] = partition

    def advanced(self, partition: Partition) -> None:
        """Take note that a partition's high watermark has risen."""
        index = partition.index
        if self.positions.get(index, NEVER) < partition.log.high_watermark:
            self.ready[index] = partition

    def relocate(self, partition: Partition) -> None:
        """Look again where the next offset is: segments have gone or were compacted."""
        index = partition.index
        if index in self.cursors and index not in self.lost:
            self.seek_one(partition, self.positions[index])

    def _located(self, partition: Partition) -> tuple[PlannedBatches, int]:
        """Look up the place of the next offset in a partition."""
        offset = self.positions[partition.index]
        batches = partition.segment_of(offset)
        cursor = self.cursors[partition.index] = batches, batches.number_of(offset)
        return cursor

    def hang_up(self) -> None:
        """Drop what is under way and connect anew: the member crashed."""
        self.epoch += 1
        self.request = None
        self.buffered = 0
        self.parked = None
        self.connection = self.connection.renewed()

    def has_enough(self) -> bool:
        """Return whether a fetch would be answered at once.

        It would get at least `fetch.min.bytes` from below the high watermarks, each
        partition counting for no more than `max.partition.fetch.bytes`; or a position
        lies in another segment than the high watermark, or is out of range
        (`DelayedFetch.tryComplete`). The end of a segment is in it for a fetch that
        waits already, and at the start of the next one for a fetch that comes: that one
        is only now looked up (`LocalLog.read`).
        """
        if self.lost:
            return True
        min_bytes, most_bytes = self.min_bytes, self._limits[0]
        available = 0
        for index, partition in self.ready.items():
            if index not in self.cursors:
                continue  # its position is being reset
            batches, number = self.cursors[index]
            high_watermark, last = partition.log.high_watermark, partition.active
            if high_watermark < last.base_offset:
                last = partition.segment_of(high_watermark)
            if batches is not last:
                if self.parked or number < len(batches.base_offsets):
                    return True
                batches, number = self._located(partition)
                if batches is not last:
                    return True
            size_bytes = (
                batches.size_bytes
                if high_watermark >= batches.next_offset
                else batches.positions[batches.number_below(high_watermark)]
            ) - batches.positions[number]
            available += size_bytes if size_bytes < most_bytes else most_bytes
            if available >= min_bytes:
                return True
        return False

    def read(self) -> tuple[list[Fetched], int, int]:
        """Read what the limits allow; return what was read, its bytes and batches.

        Partitions that were served longest ago come first, as a fetch session moves
        those it has served to its end. Limits are soft (BR-30): the first partition
        with data always gives a batch.
        """
        max_partition_bytes, left_bytes = self._limits
        order, ready, cursors = self._order, self.ready, self.cursors
        answer: list[Fetched] = []
        if self.lost:
            for index, partition in self.lost.items():
                answer.append((partition, OUT_OF_RANGE, None))
                cursors.pop(index, None)  # until the member seeks
            self.lost.clear()
        total = count = 0
        turns = list(ready)
        if len(turns) > 1:
            turns.sort(key=order.__getitem__)
        for index in turns:
            if left_bytes <= 0:
                break
            if index not in cursors:
                continue
            partition = ready[index]
            batches, first = cursors[index]
            active = partition.active
            while batches is not active and first == len(batches.base_offsets):
                batches, first = partition.segment_after(batches), 0
            limit = (
                max_partition_bytes if max_partition_bytes < left_bytes else left_bytes
            )
            high_watermark = partition.log.high_watermark
            end = batches.read_end(first, limit, high_watermark, not total)
            if batches is active and end == batches.number_below(high_watermark):
                del ready[index]
            if end == first:
                continue
            cursors[index] = (batches, end)
            end_offset = self.positions[index] = batches.end_offset(end - 1)
            self._sequence += 1
            order[index] = self._sequence
            answer.append((partition, end_offset, partition.survivors))
            size_bytes = batches.positions[end] - batches.positions[first]
            total += size_bytes
            count += end - first
            left_bytes -= size_bytes
        return answer, total, count
