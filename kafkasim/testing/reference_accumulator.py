"""The accumulator of the plain producer, one record at a time.

It is written to be read beside Kafka's `KafkaProducer.doSend`, `RecordAccumulator`,
`BuiltInPartitioner` and `BufferPool`, whose steps it takes in their order.
"""

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

_HEADER: Final = 61
_BOUND: Final = 61 + 21
_NS_PER_MS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class ReferenceRecord:
    """A record to send."""

    created_ns: int
    """When the client is to take it."""
    key_bytes: int
    """Size of the key, −1 for null."""
    value_bytes: int
    """Size of the value, −1 for null."""
    partition: int | None
    """Partition of its key; None when the sticky partitioner decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceSettings:
    """The producer's configuration, the cluster, and the broker's ideal behaviour."""

    leaders: tuple[int, ...]
    """Node that leads each partition."""
    batch_size: int = 16_384
    """`batch.size`, bytes."""
    linger_ns: int = 5_000_000
    """`linger.ms`, nanoseconds."""
    max_in_flight: int = 5
    """`max.in.flight.requests.per.connection`."""
    max_request_size: int = 1_048_576
    """`max.request.size`, bytes."""
    buffer_memory: int = 33_554_432
    """`buffer.memory`, bytes."""
    max_block_ns: int = 60_000_000_000
    """`max.block.ms`, nanoseconds."""
    round_robin: bool = False
    """`partitioner.class` is `RoundRobinPartitioner`."""
    partition: int | None = None
    """Named by the application for every record."""
    adaptive: bool = True
    """`partitioner.adaptive.partitioning.enable`."""
    availability_ns: int = 0
    """`partitioner.availability.timeout.ms`, nanoseconds."""
    acks: str = "all"
    """`acks`: with 0 no answer is awaited."""
    delay_ns: int = 200_000
    """From client to broker, and back."""
    service_ns: int = 50_000
    """From when a broker reads a request to when its answer leaves."""
    slower_ns: tuple[int, ...] = ()
    """What a node's service takes beyond that, by node; none for those not named."""
    end_ns: int | None = None
    """When the run is cut; None: when everything is settled."""


@dataclass(slots=True)
class ReferenceBatch:
    """A batch: its records and the columns of `batches`; a time may not have come."""

    partition: int
    opened_ns: int
    capacity: int
    base_ms: int
    records: list[int] = field(default_factory=list)
    size_bytes: int = _HEADER
    batch_id: int = -1
    closed_ns: int | None = None
    closed_by: str = ""
    sent_ns: int | None = None
    acked_ns: int | None = None

    @property
    def closed(self) -> bool:
        """Whether it takes no more records."""
        return self.closed_ns is not None

    def close(self, now_ns: int, cause: str) -> None:
        """Take no more records."""
        self.closed_ns = now_ns
        self.closed_by = cause


class ReferenceAccumulator:
    """Queues of batches, the partitioner, and the memory of both.

    Parameters
    ----------
    settings : ReferenceSettings
        How to fill them.
    draws : iterable of int
        Random 31-bit integers for the sticky partitioner, used in order.

    Attributes
    ----------
    now_ns : int
        The current time, set by the producer.
    woken : bool
        Whether an append has woken the sender since it last looked.
    free_bytes : int
        What no batch holds of `buffer.memory`.
    waiting : bool
        Whether the application's thread waits for memory.
    """

    def __init__(self, settings: ReferenceSettings, draws: Iterable[int]) -> None:
        self.settings = settings
        self.now_ns = 0
        self.woken = False
        self.free_bytes = settings.buffer_memory
        self.waiting = False
        self.queues: dict[int, deque[ReferenceBatch]] = {}
        self._draws = iter(draws)
        self._sticky: int | None = None
        self._produced = 0
        self._round_robin = 0
        self._load_stats: tuple[list[int], list[int]] | None = None
        self._ready_ns: dict[int, int] = {}
        self._drain_ns: dict[int, int] = {}
        self._drain_index: dict[int, int] = {}

    # KafkaProducer.doSend

    def append(self, place: int, record: ReferenceRecord) -> Iterator[int]:
        """Append a record; yield the bytes that it waits for, if it must.

        Raises
        ------
        ValueError
            The record is too large (PR-5).
        """
        called_ms = self.now_ns // _NS_PER_MS
        partition = self._choose(record)
        capacity = max(self.settings.batch_size, self._checked_bound(record))
        held = 0
        while True:
            where = self._peek_sticky() if partition is None else partition
            queue = self.queues.setdefault(where, deque())
            if partition is None and self._partition_changed(queue):
                continue
            opened = False
            appended = self._try_append(queue, place, record, called_ms)
            if appended is None:
                if not held:
                    while capacity > self.free_bytes:
                        self.waiting = True
                        yield capacity
                        self.waiting = False
                    self.free_bytes -= capacity
                    held = capacity
                if partition is None and self._partition_changed(queue):
                    continue
                batch = self._new_batch(where, capacity, place, record, called_ms)
                queue.append(batch)
                appended = batch.size_bytes
                opened = True
                held = 0
            if partition is None:
                self._update_sticky(appended, may_switch=_all_full(queue))
            self.free_bytes += held
            if opened or len(queue) > 1 or queue[-1].closed:
                self.woken = True
            return

    def _checked_bound(self, record: ReferenceRecord) -> int:
        bound = _BOUND + _fields(record)
        if bound > min(self.settings.max_request_size, self.settings.buffer_memory):
            raise ValueError(bound)
        return bound

    def _choose(self, record: ReferenceRecord) -> int | None:
        if self.settings.partition is not None:
            return self.settings.partition
        if self.settings.round_robin:
            self._round_robin += 1
            return (self._round_robin - 1) % len(self.settings.leaders)
        return record.partition

    # RecordAccumulator.appendNewBatch and tryAppend

    def _new_batch(
        self,
        partition: int,
        capacity: int,
        place: int,
        record: ReferenceRecord,
        called_ms: int,
    ) -> ReferenceBatch:
        batch = ReferenceBatch(partition, self.now_ns, capacity, called_ms)
        batch.records.append(place)
        batch.size_bytes += _record_size(record, 0, 0)
        return batch

    def _try_append(
        self,
        queue: deque[ReferenceBatch],
        place: int,
        record: ReferenceRecord,
        called_ms: int,
    ) -> int | None:
        """Append to the last batch; None when there is none or it has no room."""
        if _all_full(queue):
            return None
        batch = queue[-1]
        size = _record_size(record, len(batch.records), called_ms - batch.base_ms)
        if batch.size_bytes + size > batch.capacity:
            batch.close(self.now_ns, "full")
            return None
        batch.size_bytes += size
        batch.records.append(place)
        if batch.size_bytes >= batch.capacity:
            batch.close(self.now_ns, "full")
        return size

    # BuiltInPartitioner

    def _peek_sticky(self) -> int:
        if self._sticky is None:
            self._switch()
        assert self._sticky is not None
        return self._sticky

    def _partition_changed(self, queue: deque[ReferenceBatch]) -> bool:
        """Complete a switch that was put off while the last batch was not full."""
        return _all_full(queue) and self._update_sticky(0, may_switch=True)

    def _update_sticky(self, appended: int, *, may_switch: bool) -> bool:
        size = self.settings.batch_size
        self._produced += appended
        enough = self._produced >= size and may_switch
        if enough or self._produced >= 2 * size:
            self._switch()
            return True
        return False

    def _switch(self) -> None:
        self._sticky = self._next_partition(next(self._draws))
        self._produced = 0

    def _next_partition(self, draw: int) -> int:
        if self._load_stats is None:
            return draw % len(self.settings.leaders)
        table, partitions = self._load_stats
        weighted = draw % table[-1]
        return partitions[next(i for i, end in enumerate(table) if weighted < end)]

    def _update_load_stats(self, sizes: list[int], partitions: list[int]) -> None:
        """Make the table; `sizes` may have fewer entries than there are partitions."""
        count = len(self.settings.leaders)
        self._load_stats = None
        if not sizes or count < 2:
            return
        if len(sizes) == count and len(set(sizes)) == 1:
            return
        weights = [max(sizes) + 1 - size for size in sizes]
        table = [sum(weights[: place + 1]) for place in range(len(weights))]
        self._load_stats = table, partitions

    # RecordAccumulator.ready

    def look(self, can_send: Collection[int]) -> tuple[list[int], int | None]:
        """Look at the queues, as the sender does.

        Parameters
        ----------
        can_send : collection of int
            Nodes that may be sent another request.

        Returns
        -------
        ready : list of int
            Nodes with something to send.
        next_ns : int or None
            When another one will be ready, if nothing wakes the sender before.
        """
        self.woken = False
        ready: set[int] = set()
        lingers: dict[int, int] = {}
        count = len(self.settings.leaders)
        sizes, partitions, index = [0] * count, [0] * count, -1
        for partition, queue in sorted(self.queues.items()):
            index += 1
            partitions[index] = partition
            if not queue:
                continue
            sizes[index] = len(queue)
            node = self.settings.leaders[partition]
            if self._is_unavailable(node):
                index -= 1
            over_ns = queue[0].opened_ns + self.settings.linger_ns
            full = len(queue) > 1 or queue[0].closed
            if full or self.now_ns >= over_ns or self.waiting:
                ready.add(node)
            else:
                lingers[node] = min(over_ns, lingers.get(node, over_ns))
        if self.settings.adaptive and len(self.queues) == count:
            self._update_load_stats(sizes[: index + 1], partitions)
        else:
            self._load_stats = None
        for node in ready:
            self._ready_ns[node] = self.now_ns
            if node in can_send or node not in self._drain_ns:
                self._drain_ns[node] = self.now_ns
        times = [over_ns for node, over_ns in lingers.items() if node not in ready]
        return sorted(ready), min(times, default=None)

    def _is_unavailable(self, node: int) -> bool:
        """Return whether batches have waited for the node for too long (PR-20)."""
        limit_ns = self.settings.availability_ns
        if limit_ns == 0 or node not in self._ready_ns:
            return False
        return self._ready_ns[node] - self._drain_ns[node] > limit_ns

    # RecordAccumulator.drainBatchesForOneNode

    def drain(self, node: int) -> list[ReferenceBatch]:
        """Take a batch of each partition, in a circle from the one examined last."""
        leaders = enumerate(self.settings.leaders)
        partitions = [partition for partition, leader in leaders if leader == node]
        batches: list[ReferenceBatch] = []
        size = 0
        start = self._drain_index.get(node, 0)
        for step in range(len(partitions)):
            index = (start + step) % len(partitions)
            self._drain_index[node] = index
            queue = self.queues.get(partitions[index])
            if not queue:
                continue
            batch = queue[0]
            if batches and size + batch.size_bytes > self.settings.max_request_size:
                break
            queue.popleft()
            if not batch.closed:
                over = self.now_ns - batch.opened_ns >= self.settings.linger_ns
                batch.close(self.now_ns, "linger" if over else "drained")
            size += batch.size_bytes
            batches.append(batch)
        return batches


def _all_full(queue: deque[ReferenceBatch]) -> bool:
    return not queue or queue[-1].closed


# Sizes, written out from the definition of zigzag varints (`ByteUtils`).


def _varint(value: int) -> int:
    zigzag = 2 * value if value >= 0 else -2 * value - 1
    size = 1
    while zigzag >= 128:
        zigzag >>= 7
        size += 1
    return size


def _fields(record: ReferenceRecord) -> int:
    size = _varint(0)
    for field_bytes in (record.key_bytes, record.value_bytes):
        size += _varint(field_bytes) + max(field_bytes, 0)
    return size


def _record_size(
    record: ReferenceRecord, offset_delta: int, timestamp_delta_ms: int
) -> int:
    body = 1 + _varint(offset_delta) + _varint(timestamp_delta_ms) + _fields(record)
    return _varint(body) + body
