"""A plain producer, one record at a time: the oracle for the engine's.

It does what Kafka's producer does with a dict of queues and no arithmetic over ranges,
and is written to be read beside `Sender` (see `reference_accumulator` for the rest). It
sends to ideal brokers: a request arrives after a constant delay, the brokers serve one
request of a connection at a time (BR-2) in a constant time, and the answer is held by
the client after the same delay. Whatever the engine does faster must give the same
rows.

One thread of the application hands over record after record. A record that finds no
memory waits for it, and those behind wait with it (`BufferPool`, PR-24): they are
created when the thread comes to them.

At one time the order is: the application's thread runs; the sender runs if an append
woke it or a linger is over, and sends to every node that is ready, in turns by number,
until none is; then answers are taken one by one, by node: the memory of their batches
is free, the application's thread runs, and the sender. With acks=0 batches are complete
when all that was ready has been sent and the sender has looked once more.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from kafkasim.testing.reference_accumulator import (
    ReferenceAccumulator,
    ReferenceBatch,
    ReferenceRecord,
    ReferenceSettings,
)


@dataclass(frozen=True, slots=True)
class ReferenceRow:
    """What became of a record; −1 and None when it was in no batch."""

    partition: int = -1
    batch_id: int = -1
    batch_index: int = -1
    acked_ns: int | None = None
    created_ns: int | None = None
    """When the client took it; None: never, in a run that was cut."""


@dataclass(frozen=True, slots=True)
class ReferenceLoop:
    """A closed loop: the records of a producer wait for those before them."""

    outstanding: int
    """Users, each of whom has one record on its way or thinks."""
    thinks_ns: tuple[int, ...]
    """How long users think, in the order in which they begin to; round and round."""
    duration_ns: int
    """No record is created from then on."""


@dataclass(slots=True)
class _Waiting:
    """A record whose thread waits for memory."""

    place: int
    append: Iterator[int]
    size_bytes: int
    since_ns: int
    deadline_ns: int


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
    loop : ReferenceLoop, optional
        Says when records are created, whatever times they have; they are used in order
        and end the loop when they are used up.

    Attributes
    ----------
    batches : list of ReferenceBatch
        By number, after `run`.
    refused : list of int
        Records too large for a request or for the memory (PR-5).
    timed_out : list of int
        Records for which there was no memory in time (PR-6).
    blocked : list of tuple of int
        Since when and until when the thread waited, each time.
    """

    def __init__(
        self,
        records: Sequence[ReferenceRecord],
        settings: ReferenceSettings,
        draws: Iterable[int] = (),
        loop: ReferenceLoop | None = None,
    ) -> None:
        self._loop = loop
        self._thoughts = 0
        self._users_ns = [] if loop is None else [0] * loop.outstanding
        self.settings = settings
        self.batches: list[ReferenceBatch] = []
        self.refused: list[int] = []
        self.timed_out: list[int] = []
        self.blocked: list[tuple[int, int]] = []
        self._records = records
        self._rows = [ReferenceRow()] * len(records)
        self._next_record = 0
        self._waiting: _Waiting | None = None
        self._accumulator = ReferenceAccumulator(settings, draws)
        self._next_look_ns: int | None = None
        self._sent: list[ReferenceBatch] = []
        nodes = range(max(settings.leaders) + 1)
        self._in_flight: dict[int, deque[tuple[int, list[ReferenceBatch]]]] = {
            node: deque() for node in nodes
        }
        self._answer_leaves_ns = dict.fromkeys(nodes, 0)

    def run(self) -> list[ReferenceRow]:
        """Send everything; return a row per record."""
        end_ns = self.settings.end_ns
        accumulator = self._accumulator
        while (now_ns := self._next_time_ns()) is not None:
            if end_ns is not None and now_ns > end_ns:
                break
            accumulator.now_ns = now_ns
            self._run_application()
            if accumulator.woken or now_ns == self._next_look_ns:
                self._send()
            for node in self._in_flight:
                self._take_answers(node)
        if end_ns is not None:
            self._cut(end_ns)
        for batch in self.batches:
            for index, place in enumerate(batch.records):
                self._rows[place] = replace(
                    self._rows[place],
                    partition=batch.partition,
                    batch_id=batch.batch_id,
                    batch_index=index,
                    acked_ns=batch.acked_ns,
                )
        return self._rows

    def _next_time_ns(self) -> int | None:
        """Return when something happens next."""
        times = [requests[0][0] for requests in self._in_flight.values() if requests]
        if self._waiting is not None:
            times.append(self._waiting.deadline_ns)
        elif (due_ns := self._due_ns()) is not None:
            times.append(due_ns)
        if self._next_look_ns is not None:
            times.append(self._next_look_ns)
        return min(times, default=None)

    # The application's thread

    def _due_ns(self) -> int | None:
        """Return when the next record is to be created."""
        if self._next_record == len(self._records):
            return None
        if self._loop is not None:
            return min(self._users_ns, default=None)
        return self._records[self._next_record].created_ns

    def _done(self) -> None:
        """Let a user think whose record is acknowledged, or has failed."""
        if self._loop is None:
            return
        thinks_ns = self._loop.thinks_ns
        think_ns = thinks_ns[self._thoughts % len(thinks_ns)]
        self._thoughts += 1
        due_ns = self._accumulator.now_ns + think_ns
        if due_ns < self._loop.duration_ns:
            self._users_ns.append(due_ns)

    def _run_application(self) -> None:
        """Hand over records until the next one is not due or must wait."""
        now_ns = self._accumulator.now_ns
        while self._waiting is None or self._end_wait(self._waiting, now_ns):
            place, due_ns = self._next_record, self._due_ns()
            if due_ns is None or due_ns > now_ns:
                return
            if self._loop is not None:
                self._users_ns.remove(due_ns)
            self._next_record += 1
            self._rows[place] = ReferenceRow(created_ns=now_ns)
            append = self._accumulator.append(place, self._records[place])
            try:
                size_bytes = next(append, None)
            except ValueError:
                self.refused.append(place)
                self._done()
                continue
            if size_bytes is not None:
                deadline_ns = now_ns + self.settings.max_block_ns
                self._waiting = _Waiting(place, append, size_bytes, now_ns, deadline_ns)

    def _end_wait(self, waiting: _Waiting, now_ns: int) -> bool:
        """Go on with a record that waited, or give it up; return whether it ended."""
        if waiting.size_bytes <= self._accumulator.free_bytes:
            assert next(waiting.append, None) is None
        elif now_ns >= waiting.deadline_ns:
            self.timed_out.append(waiting.place)
            self._accumulator.waiting = False
            self._done()
        else:
            return False
        self._waiting = None
        if now_ns > waiting.since_ns:
            self.blocked.append((waiting.since_ns, now_ns))
        return True

    # Sender.runOnce

    def _send(self) -> None:
        """Send while a node is ready, all ready nodes once before one is sent twice."""
        accumulator = self._accumulator
        while True:
            can_send = [
                node
                for node, requests in self._in_flight.items()
                if len(requests) < self.settings.max_in_flight
            ]
            ready, self._next_look_ns = accumulator.look(can_send)
            nodes = [node for node in ready if node in can_send]
            if not nodes:
                return
            for node in nodes:
                self._send_request(node, accumulator.drain(node))
            if self.settings.acks == "0":
                accumulator.look(can_send)
                self._complete(self._sent)
                self._sent.clear()
                self._run_application()

    def _send_request(self, node: int, batches: list[ReferenceBatch]) -> None:
        now_ns = self._accumulator.now_ns
        for batch in batches:
            batch.sent_ns = now_ns
            self._number(batch)
        settings = self.settings
        if settings.acks == "0":
            self._sent += batches
            return
        read_ns = max(now_ns + settings.delay_ns, self._answer_leaves_ns[node])
        leaves_ns = read_ns + settings.service_ns + sum(settings.slower_ns[node:][:1])
        self._answer_leaves_ns[node] = leaves_ns
        self._in_flight[node].append((leaves_ns + settings.delay_ns, batches))

    def _number(self, batch: ReferenceBatch) -> None:
        batch.batch_id = len(self.batches)
        self.batches.append(batch)

    def _complete(self, batches: list[ReferenceBatch]) -> None:
        for batch in batches:
            batch.acked_ns = self._accumulator.now_ns
            self._accumulator.free_bytes += batch.capacity
            for _ in batch.records:
                self._done()

    def _take_answers(self, node: int) -> None:
        requests = self._in_flight[node]
        while requests and requests[0][0] == self._accumulator.now_ns:
            _, batches = requests.popleft()
            self._complete(batches)
            self._run_application()
            self._send()

    def _cut(self, end_ns: int) -> None:
        """End the run: what waits in the accumulator is cut, by partition and age."""
        for _, queue in sorted(self._accumulator.queues.items()):
            for batch in queue:
                if not batch.closed:
                    batch.close(end_ns, "cut")
                self._number(batch)
        if self._waiting is not None:
            self.blocked.append((self._waiting.since_ns, end_ns))
