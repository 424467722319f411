"""A consumer group: what it has committed, and where its members begin."""

from kafkasim.engine.sim.partition import Partition
from kafkasim.protocol.batch import NEVER


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
        "began",
        "began_ns",
        "committed",
        "index",
        "joined",
        "may_crash",
        "missed",
        "partitions",
        "processed",
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
    ) -> None:
        self.index = index
        self.partitions = partitions
        self.joined = False
        self.up = True
        self.resets_to_end = resets_to_end
        """`auto.offset.reset`: latest, or earliest."""
        self.may_crash = may_crash
        """Whether an event will set it back to what it has committed."""
        zero = {partition.index: 0 for partition in partitions}
        self.began: dict[int, int] = {}
        """Partition index → where its members began to read, the last time."""
        self.began_ns = 0
        """When that was."""
        self.missed: dict[int, int] = {}
        """Partition index → high watermark when it was to join and was down."""
        self.committed: dict[int, int] = {} if late else dict(zero)
        self.processed = zero

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

    def beginnings(self) -> dict[int, int]:
        """Return at which offset of each partition its members would begin now.

        At the committed one; without one at the log end or the log start, by
        `auto.offset.reset` (CO-7).
        """
        positions = {}
        for partition in self.partitions:
            log = partition.log
            end = log.high_watermark if self.resets_to_end else log.log_start_offset
            positions[partition.index] = self.committed.get(partition.index, end)
        return positions

    def reset(self) -> tuple[dict[int, int], int]:
        """Let its members begin; return where, and how many records that skips."""
        positions = self.began = self.beginnings()
        skipped = sum(self.pass_over(p, positions[p.index]) for p in self.partitions)
        return positions, skipped

    def truncated(self, partition: Partition, end_offset: int) -> int:
        """Go back to where a log ends now; return how many unread records were cut.

        What was read beyond that end has been read; other records will stand there.
        """
        before = self.processed[partition.index]
        self.processed[partition.index] = min(before, end_offset)
        return max(0, partition.cut_from - max(before, end_offset))

    def pass_over(self, partition: Partition, position: int) -> int:
        """Let reading go on at an offset; return how many records that skips."""
        skipped = max(0, position - self.processed[partition.index])
        self.processed[partition.index] += skipped
        return skipped
