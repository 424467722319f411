"""A consumer group: what it has committed, and where its members begin."""

from collections.abc import Sequence

from kafkasim.engine.sim.client_metadata import places_of
from kafkasim.engine.sim.partition import Partition
from kafkasim.log.reading import EARLIEST_TIMESTAMP, LATEST_TIMESTAMP
from kafkasim.protocol.producing.batch import NEVER
from kafkasim.units import NS_PER_MS


class Group:
    """A consumer group: who reads a subscriber's topics, and how far it is.

    Attributes
    ----------
    index : int
        Code of the subscriber.
    committed, processed : dict of int to int
        Partition index → committed offset; → offset after the last processed record.
    joined, up : bool
        Whether it has come; whether it is not down after a crash.
    """

    __slots__ = (
        "_places",
        "began",
        "began_ns",
        "commits_ahead",
        "committed",
        "cuts",
        "index",
        "joined",
        "may_crash",
        "missed",
        "partitions",
        "processed",
        "reset_ago_ns",
        "resets",
        "resets_to_end",
        "up",
    )

    def __init__(
        self,
        index: int,
        partitions: list[Partition],
        *,
        late: bool,
        resets_to_end: bool,
        may_crash: bool,
        commits_ahead: bool = False,
        resets: bool = True,
        reset_ago_ns: int | None = None,
    ) -> None:
        self.index = index
        self.partitions = partitions
        self.joined = False
        self.up = True
        self.resets_to_end = resets_to_end
        """`auto.offset.reset`: latest, or earliest."""
        self.commits_ahead = commits_ahead
        """Its application commits before the work."""
        self.resets = resets
        """False: none; who has no valid offset gets an exception."""
        self.reset_ago_ns = reset_ago_ns
        """`by_duration`: at records so old; None for the other two (KIP-1106)."""
        self.may_crash = may_crash
        """Whether an event will set it back to what it has committed."""
        zero = {partition.index: 0 for partition in partitions}
        self.began: dict[int, int] = {}
        """Partition index → where its members began to read, the last time."""
        self.began_ns = 0
        """When that was."""
        self.cuts: dict[int, tuple[int, int]] = {}
        """Partition index → when its log was last cut, and where it ended then."""
        self.missed: dict[int, int] = {}
        """Partition index → high watermark when it was to join and was down."""
        self.committed: dict[int, int] = {} if late else dict(zero)
        self.processed = zero
        self._places: dict[int, int] = {}

    def places_of(self, partitions: Sequence[Partition]) -> dict[int, int]:
        """Return where each partition stands among these: one dict for all members."""
        if len(self._places) != len(partitions):
            self._places = places_of(each.index for each in partitions)
        return self._places

    def add(self, partition: Partition) -> None:
        """Be one that reads a partition more: its topic has grown."""
        self.partitions.append(partition)
        self.processed[partition.index] = 0

    def low_offset(self, partition: Partition) -> int:
        """Return the lowest offset of a partition that a member may yet be given.

        What it has not processed yet, or not committed when a crash may set it back;
        while its first commit may be on its way, where it began. One that comes later
        is told of all from the first record on, or of none before the log's end.
        """
        index = partition.index
        processed = self.processed[index]
        if self.joined and not self.may_crash:
            return processed
        if index in self.committed:
            return min(self.committed[index], processed)
        if not self.resets_to_end:
            return self.began.get(index, 0)
        if self.joined:
            return self.began.get(index, processed)
        return self.missed.get(index, NEVER)

    def note_absence(self) -> None:
        """Take note that it should join now and is down: what comes now it may miss."""
        self.missed = {p.index: p.log.high_watermark for p in self.partitions}

    def reset_timestamp_ms(self, now_ns: int) -> int:
        """Return what to ask for where to go on (`AutoOffsetResetStrategy`).

        One of ListOffsets' timestamps for the end and the start of a log, or the time
        so long ago.
        """
        if self.reset_ago_ns is not None:
            return max(0, (now_ns - self.reset_ago_ns) // NS_PER_MS)
        return LATEST_TIMESTAMP if self.resets_to_end else EARLIEST_TIMESTAMP

    def beginnings(self, now_ns: int = 0) -> dict[int, int]:
        """Return at which offset of each partition its members would begin now.

        At the committed one; without one by `auto.offset.reset` (CO-7), and at the log
        end if no record is as young as that asks for.
        """
        positions = {}
        timestamp_ms = self.reset_timestamp_ms(now_ns)
        for partition in self.partitions:
            found = None
            if partition.index not in self.committed:
                found = partition.log.offset_for_time(
                    timestamp_ms, until="high_watermark"
                )
            at = partition.log.high_watermark if found is None else found.offset
            positions[partition.index] = self.committed.get(partition.index, at)
        return positions

    @property
    def may_begin(self) -> bool:
        """Whether its members have an offset to begin at, or get one by resetting."""
        return self.resets or len(self.committed) == len(self.partitions)

    def reset(self, now_ns: int = 0) -> tuple[dict[int, int], int]:
        """Let its members begin; return where, and how many records that skips."""
        positions = self.began = self.beginnings(now_ns)
        skipped = sum(self.pass_over(p, positions[p.index]) for p in self.partitions)
        return positions, skipped

    def pass_over(self, partition: Partition, position: int) -> int:
        """Let reading go on at an offset; return how many records that skips.

        One beyond the log's end, which was cut, skips no more than there are.
        """
        position = min(position, partition.log.log_end_offset)
        skipped = max(0, position - self.processed[partition.index])
        self.processed[partition.index] += skipped
        return skipped

    def truncated(self, partition: Partition, end_offset: int, now_ns: int) -> int:
        """Go back to where a log ends now; return how many unread records were cut.

        What was read beyond that end has been read; other records will stand there.
        What is at work beyond it counts for none of them.
        """
        index = partition.index
        before = self.processed[index]
        self.processed[index] = min(before, end_offset)
        if end_offset < partition.cut_from:
            self.cuts[index] = now_ns, end_offset
        return max(0, partition.cut_from - max(before, end_offset))
