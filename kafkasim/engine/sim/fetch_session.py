"""What one group member reads from one broker.

Positions live at the broker (fetch sessions, KIP-227), so a fetch request names no
partitions: an answer carries what has come since the last one. That is exact here
because a member sends no fetch to a broker while it holds records of that broker's
partitions that poll has not returned (CO-3), so every partition is always in the fetch.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.request import Connection, Request
from kafkasim.units import MISSING_NS

_MANY: Final = 1 << 62
"""More than there are partitions or served fetches."""


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
        "max_wait_ns",
        "min_bytes",
        "parked",
        "partitions",
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
        self.cursors: dict[int, int] = {}
        """Partition index → number of the next batch to fetch."""
        self.ready: dict[int, Partition] = {}
        """Partitions with batches beyond their cursor."""
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
        for partition in self.partitions:
            cursor = partition.log.batch_index(positions[partition.index])
            self.cursors[partition.index] = cursor
            if cursor < len(partition.log.batches):
                self.ready[partition.index] = partition
            # Never served: before all that were, in the order of their numbers.
            self._order[partition.index] = partition.index - _MANY

    def hang_up(self) -> None:
        """Drop what is under way and connect anew: the member crashed."""
        self.epoch += 1
        self.request = None
        self.buffered = 0
        self.parked = None
        self.connection = self.connection.renewed()

    def has_enough(self) -> bool:
        """Return whether a fetch would get at least `fetch.min.bytes`.

        Each partition counts for no more than `max.partition.fetch.bytes`
        (`DelayedFetch.tryComplete`).
        """
        min_bytes, most_bytes = self.min_bytes, self._limits[0]
        available = 0
        for index, partition in self.ready.items():
            end_bytes = partition.log.end_bytes
            size_bytes = end_bytes[-1] - end_bytes[self.cursors[index]]
            available += size_bytes if size_bytes < most_bytes else most_bytes
            if available >= min_bytes:
                return True
        return False

    def read(self) -> tuple[list[tuple[Partition, int]], int, int]:
        """Read what the limits allow; return (partition, end offset) pairs and sizes.

        Partitions that were served longest ago come first, as a fetch session moves
        those it has served to its end. Limits are soft (BR-30): the first partition
        with data always gives a batch.
        """
        max_partition_bytes, left_bytes = self._limits
        order, cursors, ready = self._order, self.cursors, self.ready
        answer: list[tuple[Partition, int]] = []
        total = count = 0
        for index in sorted(ready, key=order.__getitem__):
            if left_bytes <= 0:
                break
            partition, first = ready[index], cursors[index]
            log = partition.log
            limit = (
                max_partition_bytes if max_partition_bytes < left_bytes else left_bytes
            )
            end = log.read_end(first, limit, not answer)
            if end == first:
                continue
            cursors[index] = end
            if end == len(log.batches):
                del ready[index]
            self._sequence += 1
            order[index] = self._sequence
            answer.append((partition, log.base_offset_of(end)))
            size_bytes = log.end_bytes[end] - log.end_bytes[first]
            total += size_bytes
            count += end - first
            left_bytes -= size_bytes
        return answer, total, count
