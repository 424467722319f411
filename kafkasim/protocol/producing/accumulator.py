"""The record accumulator: what waits in a producer, and what is sent together.

Kafka keeps one queue of record batches per partition (`RecordAccumulator`, PR-22). A
node (broker) is ready when one of the partitions it leads is sendable: its queue has
more than one batch, or the head is full or closed, or the head was opened `linger.ms`
ago (PR-25, PR-26). A ready node is drained: walking its partitions in a circle from the
remembered one, the head of every queue that has data is taken, ready or not, until the
next one would exceed `max.request.size` (PR-27, PR-28).

Here a batch is a range of its partition's append list and nothing is done per record
that a bisection can do. This module holds what the two ways share: `keyed` for sources
whose records all know their partition, `sticky` for all others.

After a failure `retries` holds what is sent again before the rest and what may not be
sent, and `careful` looks at it; while it is None nothing here does more than ask.
"""

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kafkasim.log.batch_size import ints
from kafkasim.log.record_size import (
    BATCH_HEADER_BYTES,
    extra_delta_bytes,
    varint_bytes,
)
from kafkasim.protocol.producing.batch import NEVER, Batch
from kafkasim.protocol.producing.columns import (
    KeepAll,
    Keeper,
    RecordBlocks,
    RecordColumns,
)
from kafkasim.protocol.producing.compression import Compression
from kafkasim.protocol.producing.joining import Joiner
from kafkasim.protocol.producing.retries import Retries
from kafkasim.units import NS_PER_MS

WorkOf = Callable[[Batch, int], int]
"""A carried column's sum over a batch's first `count` records."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the accumulator takes from the producer's configuration and the cluster."""

    source_index: int
    """Written into each batch."""
    batch_size: int
    """`batch.size` in bytes."""
    linger_ns: int
    """`linger.ms` in nanoseconds."""
    max_request_size: int
    """`max.request.size` in bytes."""
    leaders: tuple[int, ...]
    """Node that leads each partition at first, −1 for none."""
    node_count: int
    """Number of nodes."""
    adaptive: bool = True
    """`partitioner.adaptive.partitioning.enable`."""
    availability_ns: int = 0
    """`partitioner.availability.timeout.ms` in nanoseconds."""
    buffer_memory: int = 1 << 25
    """`buffer.memory` in bytes."""
    compression: Compression | None = None
    """What comes of `compression.type`; None for none."""
    max_block_ns: int = 60_000 * NS_PER_MS
    """`max.block.ms` in nanoseconds."""


class NodeQueue:
    """What one node would be sent.

    A partition's *slot* is its position among those that the node leads.
    """

    __slots__ = ("active", "closing", "drain_index", "partitions", "waiting")

    def __init__(self, partitions: list[int]) -> None:
        self.partitions = partitions
        """Partitions the node leads, ascending."""
        self.active: list[int] = []
        """Slots whose queue has data."""
        self.waiting: list[int] = []
        """Heap of when an empty queue's next batch opens; time and slot in one int."""
        self.closing: list[int] = []
        """Heap of when a head is full before its linger is over; likewise."""
        self.drain_index = 0
        """Slot examined last (`nodesDrainIndex`)."""


class Accumulator(ABC):
    """Batches of one producer and topic.

    Attributes
    ----------
    ready_ns : list of int
        Per node, from when on it is ready, if nothing is drained before; `NEVER` when
        that is not known yet.
    retries : Retries or None
        What failures have left behind; see `careful`.
    joiner : Joiner or None
        Who has records that join the others as the run goes on; where they are appended
        one by one.
    """

    def __init__(
        self, settings: Settings, blocks: RecordBlocks, keeper: Keeper | None
    ) -> None:
        self.ready_ns = [NEVER] * settings.node_count
        self._settings = settings
        self._blocks = blocks
        self._keeper: Keeper = keeper or KeepAll(len(settings.leaders))
        self.retries: Retries | None = None
        self.joiner: Joiner | None = None
        self._leaders = list(settings.leaders)
        self._nodes = self._node_queues()
        """By node; the last one has the partitions without a leader (−1)."""

    def _node_queues(self) -> list[NodeQueue]:
        led: list[list[int]] = [[] for _ in range(self._settings.node_count + 1)]
        for partition, leader in enumerate(self._leaders):
            led[leader].append(partition)
        return [NodeQueue(partitions) for partitions in led]

    @abstractmethod
    def catch_up(self, now_ns: int) -> None:
        """Append at least all records created at `now_ns` or before."""

    @abstractmethod
    def completed(self, batch: Batch) -> None:
        """Have back the memory of a batch: it was acknowledged, or it has failed.

        It is used from the next `catch_up` on, which is to come at this very time.
        """

    def answered(self, batches: Sequence[Batch], now_ns: int) -> None:
        """Have back the memory of batches that are acknowledged now, and use it."""
        for batch in batches:
            self.completed(batch)
        self.catch_up(now_ns)

    def join(self, now_ns: int) -> None:  # noqa: B027
        """Take in the records that join now; the next `catch_up` appends them."""

    @property
    def attentive(self) -> bool:
        """Whether it matters when the sender looks, and so does every answer."""
        return False

    def look(self, may_send: Sequence[bool], now_ns: int) -> None:  # noqa: B027
        """Take note that the sender looks at the queues, all records being appended.

        To be called when an answer has come, and when something was sent.
        """

    @abstractmethod
    def look_ahead(self, may_send: Sequence[bool], now_ns: int) -> int:
        """Return when to look again: when a node that may be sent to is ready.

        To be asked when every node that may be sent to was drained until it was no
        longer ready.

        Parameters
        ----------
        may_send : sequence of bool
            Per node, whether another request may go to it.
        now_ns : int
            The current time.
        """

    def _first_ready_ns(self, may_send: Sequence[bool]) -> int:
        if len(may_send) == 1:
            return self.ready_ns[0] if may_send[0] else NEVER
        first_ns = NEVER
        for ready_ns, may in zip(self.ready_ns, may_send, strict=True):
            if may and ready_ns < first_ns:
                first_ns = ready_ns
        return first_ns

    @abstractmethod
    def append_list(self, partition: int) -> NDArray[np.int32]:
        """Return the partition's append list: ordinals in the order of appending.

        Without those that its keeper was given already.
        """

    @abstractmethod
    def column(self, name: str) -> NDArray[np.signedinteger]:
        """Return a column of the records held.

        A carried one, `ordinal`, `created_ns` or `intended_ns`.
        """

    @abstractmethod
    def places(
        self,
        partitions: NDArray[np.signedinteger],
        los: NDArray[np.int64],
        counts: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """Return where in `column` the records of some ranges stand, range after range.

        Parameters
        ----------
        partitions, los, counts : int64 arrays of shape (ranges,)
            Partition, first position in its append list, and number of records.
        """

    @abstractmethod
    def rest(self, ends: Sequence[int]) -> NDArray[np.int64]:
        """Return where in `column` the records beyond these positions stand.

        Parameters
        ----------
        ends : sequence of int
            Per partition a position in its append list.
        """

    def undrawn(self) -> Iterator[RecordColumns]:
        """Yield the blocks that were not taken in; to be asked once, at the end."""
        while not self._blocks.exhausted:
            yield from self._blocks.take(1)

    @abstractmethod
    def newest_ns(self, batch: Batch) -> int:
        """Return when the last record of a batch was created, while it is held."""

    @abstractmethod
    def created_ns_of(self, partition: int, position: int) -> int:
        """Return when a record of an append list was created, while it is held."""

    @abstractmethod
    def work_of(self, name: str) -> WorkOf:
        """Return how to sum a carried column over a batch's first records."""

    @abstractmethod
    def finish(self, now_ns: int) -> list[Batch]:
        """Return the batches that were never sent, closed at `now_ns` if still open.

        By partition and age. Records created after `now_ns` are in none.
        """

    @abstractmethod
    def _awake(self, queue: NodeQueue, now_ns: int) -> list[int]:
        """Return the slots with data at `now_ns`, ascending."""

    @abstractmethod
    def _peek(self, partition: int, now_ns: int) -> Batch:
        """Return the head of the partition's queue as it is at `now_ns`."""

    @abstractmethod
    def _take(self, queue: NodeQueue, slot: int, batch: Batch, now_ns: int) -> bool:
        """Take the head out; return whether the queue still has data."""

    @abstractmethod
    def _next_ready_ns(self, queue: NodeQueue, now_ns: int) -> int:
        """Return from when on the node is ready, as far as is known.

        Any time up to `now_ns` stands for now.
        """

    @abstractmethod
    def _drain_with_care(self, node: int, now_ns: int, retries: Retries) -> list[Batch]:
        """Drain with an eye on what is sent again, muted, or must end the walk."""

    def drain(self, node: int, now_ns: int) -> list[Batch]:
        """Take the batches of one request to `node` (`drainBatchesForOneNode`).

        Parameters
        ----------
        node : int
            A node that is ready.
        now_ns : int
            The current time; all records created until then are appended first.

        Returns
        -------
        list of Batch
            In the order of the walk, at most one per partition. Empty only after
            failures: what made the node ready must wait for another partition.
        """
        if self.retries is not None:
            return self._drain_with_care(node, now_ns, self.retries)
        queue = self._nodes[node]
        slots = self._awake(queue, now_ns)
        first = queue.drain_index
        turn = bisect_left(slots, first)
        if turn:
            slots = slots[turn:] + slots[:turn]
        partitions = queue.partitions
        room = self._settings.max_request_size
        batches: list[Batch] = []
        kept: list[int] = []
        for position, slot in enumerate(slots):
            batch = self._peek(partitions[slot], now_ns)
            expected_bytes = batch.size_bytes
            room -= expected_bytes
            if room < 0 and batches:
                queue.drain_index = slot
                kept += slots[position:]
                break
            batches.append(batch)
            if self._take(queue, slot, batch, now_ns):
                kept.append(slot)
            room += expected_bytes - batch.size_bytes
        else:
            queue.drain_index = (first or len(partitions)) - 1
        kept.sort()
        queue.active = kept
        self.ready_ns[node] = self._next_ready_ns(queue, now_ns)
        return batches


def running_sums(column: NDArray[np.signedinteger]) -> Sequence[int]:
    """Return 0 and the sums of a column's first 1, 2, … numbers."""
    sums = np.zeros(len(column) + 1, np.int64)
    np.cumsum(column, out=sums[1:])
    return ints(sums)


def count_surely_fit(
    batch_size: int, record_count: int, body_bytes: int, span_ns: int
) -> int:
    """Return how many records, whichever they are, leave a batch open.

    Parameters
    ----------
    batch_size : int
        `batch.size` in bytes.
    record_count, body_bytes, span_ns : int
        Of all records: how many, the largest body, and the time between first and last.
    """
    body_bytes += extra_delta_bytes(record_count, span_ns // NS_PER_MS + 1)
    room = batch_size - BATCH_HEADER_BYTES - 1
    return max(0, room // (body_bytes + varint_bytes(body_bytes)))
