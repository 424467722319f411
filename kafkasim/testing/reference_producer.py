"""A plain producer, one record at a time: the oracle for the engine's.

It does what Kafka's producer does with a dict of queues and no arithmetic over ranges,
and is written to be read beside `RecordAccumulator`, `BuiltInPartitioner` and `Sender`.
It sends to ideal brokers: a request arrives after a constant delay, the brokers serve
one request of a connection at a time (BR-2) in a constant time, and the answer is held
by the client after the same delay. Whatever the engine does faster must give the same
rows.

At one time the order is: records are appended; the sender sends to every node that is
ready, in turns by number, until none is; then answers are taken one by one, by node,
and after each the sender sends again.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

_HEADER: Final = 61
_BOUND: Final = 61 + 21
_NS_PER_MS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class ReferenceRecord:
    """A record to send."""

    created_ns: int
    """When the client takes it."""
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
    adaptive: bool = True
    """`partitioner.adaptive.partitioning.enable`."""
    acks: str = "all"
    """`acks`: with 0 no answer is awaited."""
    delay_ns: int = 200_000
    """From client to broker, and back."""
    service_ns: int = 50_000
    """From when a broker reads a request to when its answer leaves."""
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


@dataclass(frozen=True, slots=True)
class ReferenceRow:
    """What became of a record; −1 and None when it was in no batch."""

    partition: int = -1
    batch_id: int = -1
    batch_index: int = -1
    acked_ns: int | None = None


class ReferenceProducer:
    """A producer of one topic.

    Parameters
    ----------
    records : sequence of ReferenceRecord
        In the order of their times.
    settings : ReferenceSettings
        How to send them.
    draws : iterable of int
        Random 31-bit integers for the sticky partitioner, used in order.

    Attributes
    ----------
    batches : list of ReferenceBatch
        By number, after `run`.
    refused : list of int
        Records too large for a request (PR-5).
    """

    def __init__(
        self,
        records: Sequence[ReferenceRecord],
        settings: ReferenceSettings,
        draws: Iterable[int] = (),
    ) -> None:
        self.settings = settings
        self.batches: list[ReferenceBatch] = []
        self.refused: list[int] = []
        self._records = records
        self._next_record = 0
        self._draws = iter(draws)
        self._sticky: int | None = None
        self._produced = 0
        self._queued: set[int] = set()
        self._load_table: list[int] | None = None
        self._queues: dict[int, deque[ReferenceBatch]] = {
            partition: deque() for partition in range(len(settings.leaders))
        }
        nodes = range(max(settings.leaders) + 1)
        self._led = {
            node: [p for p, leader in enumerate(settings.leaders) if leader == node]
            for node in nodes
        }
        self._drain_index = dict.fromkeys(nodes, 0)
        self._in_flight: dict[int, deque[tuple[int, list[ReferenceBatch]]]] = {
            node: deque() for node in nodes
        }
        self._answer_leaves_ns = dict.fromkeys(nodes, 0)

    def run(self) -> list[ReferenceRow]:
        """Send everything; return a row per record."""
        end_ns = self.settings.end_ns
        while (now_ns := self._next_time_ns()) is not None:
            if end_ns is not None and now_ns > end_ns:
                break
            self._append_records(now_ns)
            self._send(now_ns)
            for node in self._in_flight:
                self._take_answers(node, now_ns)
        if end_ns is not None:
            self._cut(end_ns)
        rows = [ReferenceRow()] * len(self._records)
        for batch in self.batches:
            for index, record in enumerate(batch.records):
                rows[record] = ReferenceRow(
                    batch.partition, batch.batch_id, index, batch.acked_ns
                )
        return rows

    def _next_time_ns(self) -> int | None:
        """Return when something happens next."""
        times = []
        if self._next_record < len(self._records):
            times.append(self._records[self._next_record].created_ns)
        for node, requests in self._in_flight.items():
            if requests:
                times.append(requests[0][0])
            if len(requests) < self.settings.max_in_flight:
                times += [
                    self._queues[partition][0].opened_ns + self.settings.linger_ns
                    for partition in self._led[node]
                    if self._queues[partition]
                ]
        return min(times, default=None)

    # RecordAccumulator.append

    def _append_records(self, now_ns: int) -> None:
        while self._next_record < len(self._records):
            record = self._records[self._next_record]
            if record.created_ns > now_ns:
                break
            if _BOUND + _fields(record) > self.settings.max_request_size:
                self.refused.append(self._next_record)
            elif record.partition is not None:
                self._append_keyed(record.partition, now_ns)
            else:
                self._append_keyless(now_ns)
            self._next_record += 1

    def _append_keyed(self, partition: int, now_ns: int) -> None:
        self._queued.add(partition)
        if self._try_append(partition, now_ns) is None:
            self._append_new_batch(partition, now_ns)

    def _append_keyless(self, now_ns: int) -> None:
        while True:
            if self._sticky is None:
                self._switch()
            partition = self._sticky
            assert partition is not None
            self._queued.add(partition)
            if self._partition_changed(partition):
                continue
            appended = self._try_append(partition, now_ns)
            if appended is None:
                if self._partition_changed(partition):
                    continue
                appended = self._append_new_batch(partition, now_ns)
            self._update_sticky(appended, may_switch=self._all_full(partition))
            return

    def _all_full(self, partition: int) -> bool:
        queue = self._queues[partition]
        return not queue or queue[-1].closed

    def _partition_changed(self, partition: int) -> bool:
        """Complete a switch that was put off while the last batch was not full."""
        return self._all_full(partition) and self._update_sticky(0, may_switch=True)

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
        if self._load_table is None:
            return draw % len(self.settings.leaders)
        weighted = draw % self._load_table[-1]
        return next(p for p, end in enumerate(self._load_table) if weighted < end)

    def _update_load_table(self) -> None:
        """Count the batches in the queues, as the sender does when it looks at them."""
        partitions = len(self.settings.leaders)
        lengths = [len(queue) for queue in self._queues.values()]
        self._load_table = None
        if not self.settings.adaptive or len(self._queued) < partitions:
            return
        if partitions < 2 or len(set(lengths)) == 1:
            return
        end = 0
        self._load_table = []
        for length in lengths:
            end += max(lengths) + 1 - length
            self._load_table.append(end)

    def _try_append(self, partition: int, now_ns: int) -> int | None:
        """Append to the last batch; None when there is none or it has no room."""
        queue = self._queues[partition]
        if not queue:
            return None
        batch = queue[-1]
        if batch.closed:
            return None
        record = self._records[self._next_record]
        size = _record_size(
            record, len(batch.records), now_ns // _NS_PER_MS - batch.base_ms
        )
        if batch.size_bytes + size > batch.capacity:
            batch.close(now_ns, "full")
            return None
        batch.size_bytes += size
        batch.records.append(self._next_record)
        if batch.size_bytes >= batch.capacity:
            batch.close(now_ns, "full")
        return size

    def _append_new_batch(self, partition: int, now_ns: int) -> int:
        record = self._records[self._next_record]
        capacity = max(self.settings.batch_size, _BOUND + _fields(record))
        batch = ReferenceBatch(partition, now_ns, capacity, now_ns // _NS_PER_MS)
        batch.records.append(self._next_record)
        batch.size_bytes += _record_size(record, 0, 0)
        self._queues[partition].append(batch)
        return batch.size_bytes

    # Sender.sendProducerData

    def _send(self, now_ns: int) -> None:
        """Send while a node is ready, all ready nodes once before one is sent twice."""
        while True:
            self._update_load_table()
            ready = [node for node in self._in_flight if self._ready(node, now_ns)]
            if not ready:
                return
            for node in ready:
                self._send_request(node, self._drain(node, now_ns), now_ns)

    def _ready(self, node: int, now_ns: int) -> bool:
        if len(self._in_flight[node]) >= self.settings.max_in_flight:
            return False
        for partition in self._led[node]:
            queue = self._queues[partition]
            if queue and (
                len(queue) > 1
                or queue[0].closed
                or now_ns - queue[0].opened_ns >= self.settings.linger_ns
            ):
                return True
        return False

    def _drain(self, node: int, now_ns: int) -> list[ReferenceBatch]:
        """Take a batch of each partition, in a circle from the one examined last."""
        partitions = self._led[node]
        batches: list[ReferenceBatch] = []
        size = 0
        start = self._drain_index[node]
        for step in range(len(partitions)):
            index = (start + step) % len(partitions)
            self._drain_index[node] = index
            queue = self._queues[partitions[index]]
            if not queue:
                continue
            batch = queue[0]
            if batches and size + batch.size_bytes > self.settings.max_request_size:
                break
            queue.popleft()
            if not batch.closed:
                over = now_ns - batch.opened_ns >= self.settings.linger_ns
                batch.close(now_ns, "linger" if over else "drained")
            size += batch.size_bytes
            batches.append(batch)
        return batches

    def _send_request(
        self, node: int, batches: list[ReferenceBatch], now_ns: int
    ) -> None:
        for batch in batches:
            batch.sent_ns = now_ns
            self._number(batch)
        if self.settings.acks == "0":
            for batch in batches:
                batch.acked_ns = now_ns
            return
        read_ns = max(now_ns + self.settings.delay_ns, self._answer_leaves_ns[node])
        leaves_ns = read_ns + self.settings.service_ns
        self._answer_leaves_ns[node] = leaves_ns
        self._in_flight[node].append((leaves_ns + self.settings.delay_ns, batches))

    def _number(self, batch: ReferenceBatch) -> None:
        batch.batch_id = len(self.batches)
        self.batches.append(batch)

    def _take_answers(self, node: int, now_ns: int) -> None:
        requests = self._in_flight[node]
        while requests and requests[0][0] == now_ns:
            _, batches = requests.popleft()
            for batch in batches:
                batch.acked_ns = now_ns
            self._send(now_ns)

    def _cut(self, end_ns: int) -> None:
        """End the run: what waits in the accumulator is cut, by partition and age."""
        for queue in self._queues.values():
            for batch in queue:
                if not batch.closed:
                    batch.close(end_ns, "cut")
                self._number(batch)


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
