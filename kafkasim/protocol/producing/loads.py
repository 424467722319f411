"""What the sender saw of a producer's queues when it last looked.

Kafka's sender thread counts the batches of each partition at every readiness check, and
the next sticky partition is drawn by these counts (`RecordAccumulator.partitionReady`,
KIP-794, PR-18). Whatever changes a queue's length also makes the sender look: a batch
that is opened wakes it, and it looks again after it drained. So at any time it knows
the lengths as they are, but for batches that were opened since, at this very time.

With `partitioner.availability.timeout.ms` it also leaves out partitions whose leader
has been wanted and could not be sent to for longer (PR-20). Both times are those of its
looks, so here it matters when these are.
"""

from collections.abc import Iterable, Mapping, Sequence, Sized

from kafkasim.protocol.producing.partitioner import Draws, load_table, place_in_table


class Loads:
    """Draws sticky partitions by what waits in the queues.

    Parameters
    ----------
    waiting : sequence of sized
        Per partition its queue of batches.
    leaders : sequence of int
        Node that leads each partition, −1 for none; may change.
    draws : Draws
        Random integers, read in order.
    adaptive : bool
        `partitioner.adaptive.partitioning.enable`; all partitions are drawn alike
        without it.
    availability_ns : int
        `partitioner.availability.timeout.ms` in nanoseconds; 0 for never.

    Attributes
    ----------
    unqueued : int
        Partitions that have no queue yet.
    """

    __slots__ = (
        "_adaptive",
        "_availability_ns",
        "_drained_ns",
        "_draw_count",
        "_draws",
        "_leaders",
        "_left_out",
        "_opened",
        "_opened_ns",
        "_queued",
        "_settled",
        "_settled_nodes",
        "_unqueued_seen",
        "_waiting",
        "_wanted_ns",
        "unqueued",
    )

    def __init__(
        self,
        waiting: Sequence[Sized],
        leaders: Sequence[int],
        draws: Draws,
        *,
        adaptive: bool,
        availability_ns: int = 0,
    ) -> None:
        self._waiting = waiting
        self._leaders = leaders
        self._draws = draws
        self._adaptive = adaptive
        self._availability_ns = availability_ns
        self._draw_count = 0
        self._queued: dict[int, None] = {}
        """Partitions that have a queue, in the order in which they got it."""
        self.unqueued = self._unqueued_seen = len(waiting)
        self._opened: list[int] = []
        """Partitions of the batches opened since then, at the time `_opened_ns`."""
        self._opened_ns = -1
        self._wanted_ns: dict[int, int] = {}
        """By node, when it last was wanted, and when it last could be sent to."""
        self._drained_ns: dict[int, int] = {}
        self._left_out: frozenset[int] = frozenset()
        """Nodes that were not available when the sender last looked."""
        self.settle()

    def grow(self, more: int) -> None:
        """Take note that there are so many partitions more; `settle` comes next."""
        self.unqueued += more

    def queue(self, partition: int, now_ns: int) -> None:
        """Take note that a partition is tried; it has a queue from now on.

        To be asked only while one has none.
        """
        if partition not in self._queued:
            self._pass(now_ns)
            self._queued[partition] = None
            self.unqueued -= 1

    def opened(self, partition: int, now_ns: int) -> None:
        """Take note of a new batch."""
        self._pass(now_ns)
        self._opened.append(partition)

    def draw(self, now_ns: int, fronts: Mapping[int, Sized]) -> int:
        """Return the next sticky partition; it may be the same again (PR-17).

        Parameters
        ----------
        now_ns : int
            The current time.
        fronts : mapping of int to sized
            Per partition the batches that stand before its queue.
        """
        self._pass(now_ns)
        draw = self._draws[self._draw_count]
        self._draw_count += 1
        if self._adaptive and not self._unqueued_seen:
            partition = self._draw_by_load(draw, fronts)
            if partition >= 0:
                return partition
        return available(self._leaders, draw)

    def _draw_by_load(self, draw: int, fronts: Mapping[int, Sized]) -> int:
        """Return a partition, −1 where all are to be drawn alike."""
        lengths = [*map(len, self._waiting)]
        for partition in self._opened:
            lengths[partition] -= 1
        for partition, front in fronts.items():
            lengths[partition] += len(front)
        partitions: Sequence[int] = range(len(lengths))
        if self._left_out or min(self._leaders) < 0:
            lengths, partitions = self._gather(lengths)
        table = load_table(lengths, len(self._leaders))
        return -1 if table is None else partitions[place_in_table(draw, table)]

    def _gather(self, lengths: Sequence[int]) -> tuple[list[int], list[int]]:
        """Return the lengths of queues that may be chosen, and their partitions.

        Kafka fills two arrays and steps back over what it leaves out. An empty queue
        is passed over before its length is written, so behind a partition that was
        left out it keeps that one's length.
        """
        sizes, partitions = [0] * len(lengths), [0] * len(lengths)
        place = -1
        for partition, leader in enumerate(self._leaders):
            if leader < 0:
                continue
            place += 1
            partitions[place] = partition
            if lengths[partition]:
                sizes[place] = lengths[partition]
                if leader in self._left_out:
                    place -= 1
        return sizes[: place + 1], partitions

    def look(
        self, now_ns: int, wanted: Iterable[int], may_send: Sequence[bool]
    ) -> None:
        """Let the sender look: see what there is, and which nodes it cannot send to.

        Parameters
        ----------
        now_ns : int
            The current time.
        wanted : iterable of int
            Nodes that are ready.
        may_send : sequence of bool
            Per node, whether another request may go to it.
        """
        self._see()
        if not self._availability_ns:
            return
        self._left_out = frozenset(
            node
            for node, wanted_ns in self._wanted_ns.items()
            if wanted_ns - self._drained_ns[node] > self._availability_ns
        )
        for node in wanted:
            self._wanted_ns[node] = now_ns
            if may_send[node] or node not in self._drained_ns:
                self._drained_ns[node] = now_ns

    def _pass(self, now_ns: int) -> None:
        """Let the sender have looked if time has passed since a batch was opened."""
        if self._opened_ns < now_ns:
            self._see()
            self._opened_ns = now_ns

    def _see(self) -> None:
        self._opened.clear()
        self._unqueued_seen = self.unqueued

    def settle(self) -> None:
        """Make the present state the one to go back to; the sender has just looked."""
        self._see()
        self._settled = self._draw_count, self.unqueued
        if self._availability_ns:
            self._settled_nodes = (
                self._left_out,
                self._wanted_ns.copy(),
                self._drained_ns.copy(),
            )

    def go_back(self) -> None:
        """Undo what happened since the last `settle`."""
        self._draw_count, unqueued = self._settled
        if self._availability_ns:
            self._left_out, wanted_ns, drained_ns = self._settled_nodes
            self._wanted_ns = wanted_ns.copy()
            self._drained_ns = drained_ns.copy()
        while self.unqueued < unqueued:
            self._queued.popitem()
            self.unqueued += 1
        self._see()
        self._opened_ns = -1


def available(leaders: Sequence[int], number: int) -> int:
    """Return the partition that a number means, among those that have a leader.

    Among all when none has one (PR-11, PR-17).

    Examples
    --------
    >>> [available([0, -1, 1], number) for number in range(4)]
    [0, 2, 0, 2]
    >>> available([-1, -1], 3)
    1
    """
    if min(leaders) >= 0:
        return number % len(leaders)
    led = [partition for partition, leader in enumerate(leaders) if leader >= 0]
    return led[number % len(led)] if led else number % len(leaders)
