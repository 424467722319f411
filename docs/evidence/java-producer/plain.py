"""A producer's sender thread, record by record, with one clock or another.

    runOnce:  which brokers are ready?  drain and send, then look again
              nobody is:  wait for an answer, a new or full batch, or the timeout

That is `Sender.runOnce` with `RecordAccumulator.ready`. Kafka reads its clock in whole
milliseconds: when a batch was opened, how long it has waited, and how long to sleep
until the next one has waited long enough. `clock_ns` says how fine the clock is: a
millisecond as in Kafka, or a nanosecond, with which a batch leaves at the very moment.
Nothing else differs, so what the two give differently is the clock's.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count

from kafkasim.log.record_size import BATCH_HEADER_BYTES, record_bytes

NS_PER_MS = 1_000_000
ARRIVES, SERVED, ANSWERED, TIMEOUT = range(4)


@dataclass(frozen=True)
class Rules:
    """Settings of the producer, and times of the world, in nanoseconds."""

    linger_ns: int
    batch_size: int = 4_096
    most_in_flight: int = 3
    key_bytes: int = 8
    value_bytes: int = 512
    way_ns: int = NS_PER_MS // 5
    service_ns: int = NS_PER_MS
    clock_ns: int = NS_PER_MS


@dataclass
class Batch:
    """Records of one partition that travel together."""

    opened: int
    """As the clock says."""
    size: int = BATCH_HEADER_BYTES
    accepted_ns: list[int] = field(default_factory=list)
    full: bool = False


@dataclass
class Broker:
    """Serves one request after the other."""

    partitions: list[int]
    in_flight: int = 0
    free_ns: int = 0


class Producer:
    """A closed loop: whoever hears of an acknowledgement sends the next record."""

    def __init__(
        self, rules: Rules, partitions: Sequence[int], leaders: Sequence[int]
    ) -> None:
        self.rules = rules
        self.to_send = deque(partitions)
        self.leaders = leaders
        nodes = range(max(leaders) + 1)
        self.brokers = [
            Broker([p for p, leader in enumerate(leaders) if leader == node])
            for node in nodes
        ]
        self.queues: list[deque[Batch]] = [deque() for _ in leaders]
        self.events: list[tuple[int, int, int, tuple[int, list[Batch]]]] = []
        self.numbers = count()
        self.requests = 0
        self.latencies_ns: list[int] = []

    def run(self, outstanding: int) -> None:
        """Send all records, `outstanding` of them at first."""
        self._accept(0, outstanding)
        self._run_once(0)
        while self.events:
            now_ns, kind, _, (node, batches) = heappop(self.events)
            broker = self.brokers[node]
            if kind == ARRIVES:
                broker.free_ns = max(now_ns, broker.free_ns) + self.rules.service_ns
                self._at(broker.free_ns, SERVED, node, batches)
            elif kind == SERVED:
                self._at(now_ns + self.rules.way_ns, ANSWERED, node, batches)
            else:
                if kind == ANSWERED:
                    broker.in_flight -= 1
                    times = [each for batch in batches for each in batch.accepted_ns]
                    self.latencies_ns += [now_ns - each for each in times]
                    self._accept(now_ns, len(times))
                self._run_once(now_ns)

    def _at(self, at_ns: int, kind: int, node: int, batches: list[Batch]) -> None:
        heappush(self.events, (at_ns, kind, next(self.numbers), (node, batches)))

    def _clock(self, now_ns: int) -> int:
        return now_ns // self.rules.clock_ns * self.rules.clock_ns

    def _accept(self, now_ns: int, records: int) -> None:
        for _ in range(min(records, len(self.to_send))):
            queue = self.queues[self.to_send.popleft()]
            if not queue or queue[-1].full or not self._append(queue[-1], now_ns):
                queue.append(Batch(self._clock(now_ns)))
                assert self._append(queue[-1], now_ns), "a record fits into a batch"

    def _append(self, batch: Batch, now_ns: int) -> bool:
        """Add a record; a batch without room for it is full."""
        rules = self.rules
        size = record_bytes(
            len(batch.accepted_ns), 0, rules.key_bytes, rules.value_bytes
        )
        if batch.size + size > rules.batch_size:
            batch.full = True
            return False
        batch.size += size
        batch.accepted_ns.append(now_ns)
        return True

    def _run_once(self, now_ns: int) -> None:
        clock, linger_ns = self._clock(now_ns), self.rules.linger_ns
        sleeps: list[int] = []
        sent = True
        while sent:
            sent, sleeps = False, []
            for node, broker in enumerate(self.brokers):
                heads = [self.queues[p] for p in broker.partitions if self.queues[p]]
                waits = [
                    0
                    if len(queue) > 1 or queue[0].full
                    else max(0, queue[0].opened + linger_ns - clock)
                    for queue in heads
                ]
                if not waits or min(waits) > 0:
                    sleeps += waits
                elif broker.in_flight < self.rules.most_in_flight:
                    broker.in_flight += 1
                    self.requests += 1
                    drained = [queue.popleft() for queue in heads]
                    self._at(now_ns + self.rules.way_ns, ARRIVES, node, drained)
                    sent = True
        if sleeps:
            self._at(now_ns + min(sleeps), TIMEOUT, 0, [])
