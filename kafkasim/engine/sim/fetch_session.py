"""What one group member reads from one broker.

Positions live at the broker (fetch sessions, KIP-227), so a fetch request names no
partitions: an answer carries what has come since the last one. That is exact here
because a member sends no fetch to a broker while it holds records of that broker's
partitions that poll has not returned (CO-3), so every partition is always in the fetch,
but those whose position is being reset. What joins or leaves the session does so with
the next fetch; the broker looks at what has joined when that fetch arrives, and refuses
what it does not lead.

One read of a partition returns batches of one segment (`LocalLog.read`).
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.planned_batches import Held, PlannedBatches, Taken
from kafkasim.engine.sim.poll_settings import PollSettings
from kafkasim.engine.sim.request import LIST_OFFSETS, Connection, Request
from kafkasim.engine.sim.survivors import Survivors
from kafkasim.log.leader_epochs import EpochStart
from kafkasim.log.partition_log import PartitionLog
from kafkasim.protocol.errors import NONE, OFFSET_OUT_OF_RANGE
from kafkasim.protocol.producing.batch import NEVER
from kafkasim.units import MISSING_NS

_MANY: Final = 1 << 62
"""More than there are partitions or served fetches."""
OUT_OF_RANGE: Final = -1 - OFFSET_OUT_OF_RANGE
"""In place of the offset after what was read: OFFSET_OUT_OF_RANGE."""

Fetched = tuple[Partition, int, Survivors | None]
"""A partition, the offset after what was read, and what compaction had left of it.

In place of the offset an error's code: −1 is code 0, −2 is code 1, and so on.
"""


class FetchSession:
    """What one member reads from one broker (KIP-227: positions live at the broker)."""

    __slots__ = (
        "_limits",
        "_order",
        "_sequence",
        "buffered",
        "comers",
        "connection",
        "cursors",
        "epoch",
        "epochs",
        "goers",
        "histories",
        "lost",
        "max_wait_ns",
        "min_bytes",
        "outside",
        "parked",
        "partitions",
        "positions",
        "ready",
        "refused",
        "request",
        "taken",
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
        """Rises with every `hang_up`, so that what was under way is dropped."""
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
        self.epochs: dict[int, int] = {}
        """Partition index → leader epoch under which the member reads it."""
        self.histories: dict[int, tuple[EpochStart, ...]] = {}
        """Partition index → the epochs of the log, since the member reads it here."""
        self.comers: dict[int, tuple[Partition, int]] = {}
        """Partitions that join with the next fetch, and the epoch known of each."""
        self.goers: list[int] = []
        """Partitions that leave with the next fetch."""
        self.outside: dict[int, Partition] = {}
        """Partitions that the broker has not looked at yet, or does not let read."""
        self.refused: dict[int, tuple[Partition, int]] = {}
        """Partitions with an error that the member is not told yet, and its code."""
        self.ready: dict[int, Partition] = {}
        """Partitions with batches between their cursor and their high watermark."""
        self.parked: Request | None = None
        """The fetch that waits in purgatory."""
        self.wait_over = (MISSING_NS, 0)
        """When `parked` has waited long enough, and that deadline's key."""
        self.taken: list[Taken] | None = None
        """What the last read took, and from where, if the broker wants to know."""
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
        self.histories[index] = log.leader_epochs.entries
        if offset < log.high_watermark:
            self.ready[index] = partition

    def advanced(self, partition: Partition) -> None:
        """Take note that a partition's high watermark has risen."""
        index = partition.index
        if self.positions.get(index, NEVER) < partition.log.high_watermark:
            self.ready[index] = partition

    # --- who is in it ---------------------------------------------------------------

    def join(self, partition: Partition, leader_epoch: int) -> None:
        """Read a partition, beginning with the next fetch."""
        self.comers[partition.index] = (partition, leader_epoch)

    def leave(self, partition: Partition) -> None:
        """Read a partition no more, beginning with the next fetch."""
        self.comers.pop(partition.index, None)
        if partition.index in self.positions:
            self.goers.append(partition.index)

    @property
    def wants_fetch(self) -> bool:
        """Whether a fetch would be for any partition."""
        if self.comers:
            return True
        if not self.goers:
            return bool(self.cursors or self.lost or self.outside)
        gone = set(self.goers)
        return not gone.issuperset({*self.cursors, *self.lost, *self.outside})

    def prepare(self, positions: Mapping[int, int]) -> list[Partition]:
        """Change who is in it, as the next fetch says.

        Parameters
        ----------
        positions : mapping of int to int
            Where the member goes on in those that join.

        Returns
        -------
        list of Partition
            Those.
        """
        comers = [self.comers[index] for index in sorted(self.comers)]
        changed = {*self.goers, *self.comers}
        held = (self.positions, self.cursors, self.ready)
        for each in (*held, self.lost, self.outside, self.refused):
            for index in changed:
                each.pop(index, None)
        joined = [partition for partition, _ in comers]
        stay = [p for p in self.partitions if p.index not in changed]
        self.partitions = stay + joined
        for partition, leader_epoch in comers:
            index = partition.index
            self.positions[index] = positions[index]
            self.epochs[index] = leader_epoch
            self.outside[index] = partition
            self._sequence += 1
            self._order[index] = self._sequence
        self.goers.clear()
        self.comers.clear()
        return joined

    def take_in(self, meets: Callable[[Partition, int], int]) -> None:
        """Look at those that joined or were refused, when a fetch arrives.

        Parameters
        ----------
        meets : callable
            Takes a partition and the leader epoch that the member knows; returns the
            error that the broker answers, `NONE` if it lets it be read.
        """
        for index, partition in list(self.outside.items()):
            code = meets(partition, self.epochs[index])
            if code == NONE:
                del self.outside[index]
                self.seek_one(partition, self.positions[index])
            else:
                self.refused[index] = (partition, code)

    def refuse(self, partition: Partition, code: int) -> None:
        """Let a partition be read no more: its leader has gone, or has a new epoch.

        The member is told at once (`DelayedFetch`, cases A to E), and with every fetch
        until the partition has left the session.
        """
        index = partition.index
        if index in self.positions:
            for each in (self.cursors, self.lost, self.ready):
                each.pop(index, None)
            self.outside[index] = partition
            self.refused[index] = (partition, code)

    # --- reading --------------------------------------------------------------------

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
        """Drop what is under way: the member crashed, or its connection was lost."""
        self.epoch += 1
        self.request = None
        self.buffered = 0
        self.parked = None

    def has_enough(self) -> bool:
        """Return whether a fetch would be answered at once.

        It would get at least `fetch.min.bytes` from below the high watermarks, each
        partition counting for no more than `max.partition.fetch.bytes`; or a position
        lies in another segment than the high watermark, or an error is to be told
        (`DelayedFetch.tryComplete`). The end of a segment is in it for a fetch that
        waits already, and at the start of the next one for a fetch that comes: that one
        is only now looked up (`LocalLog.read`).
        """
        if self.lost or self.refused or not self.min_bytes:
            return True
        if not self.ready:
            return False
        min_bytes, most_bytes = self.min_bytes, self._limits[0]
        cursors = self.cursors
        available = 0
        for index, partition in self.ready.items():
            if index not in cursors:
                continue  # its position is being reset
            batches, number = cursors[index]
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
        answer = self._errors() if self.lost or self.refused else []
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
            positions = batches.positions
            size_bytes = positions[end] - positions[first]
            if self.taken is not None:
                self.taken.append(Taken(batches, positions[first], positions[end]))
            total += size_bytes
            count += end - first
            left_bytes -= size_bytes
        return answer, total, count

    def state(self) -> list[dict[int, Any]]:
        """Return what a read changes."""
        return [each.copy() for each in self._read_from()]

    def go_back_to(self, state: list[dict[int, Any]]) -> None:
        """Undo what was read since then: nothing of it was answered."""
        for each, before in zip(self._read_from(), state, strict=True):
            each.clear()
            each.update(before)
        if self.taken is not None:
            self.taken.clear()

    def _read_from(self) -> list[dict[int, Any]]:
        held: list[dict[int, Any]] = [self.positions, self.cursors, self.ready]
        return [*held, self._order, self.lost, self.refused]

    def _errors(self) -> list[Fetched]:
        """Return what the member is to be told instead of records."""
        lost = [(partition, OUT_OF_RANGE, None) for partition in self.lost.values()]
        for index in self.lost:
            self.cursors.pop(index, None)  # until the member seeks
        refused = [(each, -1 - code, None) for each, code in self.refused.values()]
        self.lost.clear()
        self.refused.clear()
        return [*lost, *refused]


def offset_in(log: PartitionLog[Held], api: int, wish: int) -> object:
    """Return what a leader answers about offsets in its log.

    Parameters
    ----------
    log : PartitionLog
        Of the leader.
    api : int
        `LIST_OFFSETS`, or `OFFSET_FOR_LEADER_EPOCH`.
    wish : int
        A time in milliseconds, or one of ListOffsets' timestamps (BR-34); or the epoch
        of which the end is asked for.

    Returns
    -------
    int, EpochStart or None
        The offset, None if no record is as young; or as `LeaderEpochs.end_offset`.
    """
    if api == LIST_OFFSETS:
        found = log.offset_for_time(wish, until="high_watermark")
        return None if found is None else found.offset
    return log.leader_epochs.end_offset(wish, log.log_end_offset)
