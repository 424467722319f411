"""A consumer group: what it has committed, and where its members begin."""

from kafkasim.engine.sim.partition import Partition


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
        "committed",
        "index",
        "joined",
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
    ) -> None:
        self.index = index
        self.partitions = partitions
        self.joined = False
        self.up = True
        self.resets_to_end = resets_to_end
        """`auto.offset.reset`: latest, or earliest."""
        zero = {partition.index: 0 for partition in partitions}
        self.committed: dict[int, int] = {} if late else dict(zero)
        self.processed = zero

    def reset(self) -> tuple[dict[int, int], int]:
        """Return where its members begin, and how many records that skips.

        At the committed offset; without one at the log end or the log start, by
        `auto.offset.reset` (CO-7).
        """
        positions = {}
        skipped = 0
        for partition in self.partitions:
            log = partition.log
            end = log.high_watermark if self.resets_to_end else log.log_start_offset
            position = self.committed.get(partition.index, end)
            positions[partition.index] = position
            if position > self.processed[partition.index]:
                skipped += position - self.processed[partition.index]
                self.processed[partition.index] = position
        return positions, skipped
