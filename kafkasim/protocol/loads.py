"""What the sender saw of a producer's queues when it last looked.

Kafka's sender thread counts the batches of each partition at every readiness check, and
the next sticky partition is drawn by these counts (`RecordAccumulator.partitionReady`,
KIP-794, PR-18). Whatever changes a queue's length also makes the sender look: a batch
that is opened wakes it, and it looks again after it drained. So at any time it knows
the lengths as they are, but for batches that were opened since, at this very time.
"""

from collections.abc import Sequence, Sized

from kafkasim.protocol.partitioner import Draws, load_table, place_in_table


class Loads:
    """Draws sticky partitions by what waits in the queues.

    Parameters
    ----------
    waiting : sequence of sized
        Per partition its queue of batches.
    draws : Draws
        Random integers, read in order.
    adaptive : bool
        `partitioner.adaptive.partitioning.enable`; all partitions are drawn alike
        without it.
    """

    __slots__ = (
        "_adaptive",
        "_draw_count",
        "_draws",
        "_opened",
        "_opened_ns",
        "_settled",
        "_unqueued",
        "_unqueued_seen",
        "_waiting",
    )

    def __init__(
        self, waiting: Sequence[Sized], draws: Draws, *, adaptive: bool
    ) -> None:
        self._waiting = waiting
        self._draws = draws
        self._adaptive = adaptive
        self._draw_count = 0
        self._unqueued = self._unqueued_seen = len(waiting)
        """Partitions that have no queue yet: now, and when the sender last looked."""
        self._opened: list[int] = []
        """Partitions of the batches opened since then, at the time `_opened_ns`."""
        self._opened_ns = -1
        self.settle()

    def opened(self, partition: int, now_ns: int, *, first: bool) -> None:
        """Take note of a new batch, the partition's first one of all or not."""
        if self._opened_ns < now_ns:
            self._look()
            self._opened_ns = now_ns
        self._opened.append(partition)
        if first:
            self._unqueued -= 1

    def draw(self, now_ns: int) -> int:
        """Return the next sticky partition; it may be the same again (PR-17)."""
        if self._opened_ns < now_ns:
            self._look()
        draw = self._draws[self._draw_count]
        self._draw_count += 1
        if not self._adaptive or self._unqueued_seen:
            return draw % len(self._waiting)
        lengths = [*map(len, self._waiting)]
        for partition in self._opened:
            lengths[partition] -= 1
        table = load_table(lengths, len(lengths))
        if table is None:
            return draw % len(lengths)
        return place_in_table(draw, table)

    def _look(self) -> None:
        self._opened.clear()
        self._unqueued_seen = self._unqueued

    def settle(self) -> None:
        """Make the present state the one to go back to; the sender has just looked."""
        self._look()
        self._settled = self._draw_count, self._unqueued

    def go_back(self) -> None:
        """Undo what was drawn and opened since the last `settle`."""
        self._draw_count, self._unqueued = self._settled
        self._look()
        self._opened_ns = -1
