"""A broker: connections, one request queue, IO threads, logs, and the fetch purgatory.

A request that has been read waits in the shared queue for one of `num.io.threads`
handlers (BR-1, `KafkaRequestHandler`), takes its service time there, and is then
handled: a produce request appends its batches, a fetch is answered when enough bytes
lie below the high watermark and waits otherwise until a produce brings them or
`fetch.max.wait.ms` is over (BR-28, BR-29), offsets are listed (BR-34), a commit is
stored. There is one replica of each partition in this model, so the high watermark is
the log end and acks=all is satisfied by the append itself (BR-20).
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from kafkasim.engine.sim.calendar import Calendar, Rank, key_base
from kafkasim.engine.sim.fetch_session import FetchSession, offset_in
from kafkasim.engine.sim.page_cache import PageCache
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.producer import Batch
from kafkasim.engine.sim.quota_reads import read_within_quota
from kafkasim.engine.sim.request import (
    FETCH,
    LIST_OFFSETS,
    METADATA,
    OFFSET_FOR_LEADER_EPOCH,
    PRODUCE,
    Connection,
    Request,
)
from kafkasim.log.reading import LATEST_TIMESTAMP
from kafkasim.protocol.errors import (
    NONE,
    NOT_LEADER_OR_FOLLOWER,
    OFFSET_NOT_AVAILABLE,
)


class Broker:
    """One broker of the cluster.

    Parameters
    ----------
    calendar : Calendar
        Where its deadlines go.
    actor : int
        Its number among the run's actors.
    index : int
        Its position, from 0; broker `index + 1` by name.
    partitions : sequence of Partition
        All partitions of the run, by index.
    io_threads : int
        `num.io.threads`.
    request_ns : int or iterator of int
        Service time of every request, or of one request after the other.
    ns_per_byte : float
        Service time of each byte that a request appends.
    on_append : callable
        Called with (batch, partition) for every append.
    commit : callable
        Called with an OffsetCommit request when it is handled.
    pause_ns : callable, optional
        Takes a request that is answered now; returns how long its client is made to
        wait, because it is over its quota.
    """

    __slots__ = (
        "_answer_key",
        "_arrival_key",
        "_calendar",
        "_commit",
        "_free_threads",
        "_ns_per_byte",
        "_on_append",
        "_partitions",
        "_pause_ns",
        "_queue",
        "_request_ns",
        "_service_key",
        "_services",
        "_sessions",
        "_timer_key",
        "_unslowed",
        "index",
    )

    cache: PageCache | None = None
    """Its page cache, if the hardware has a disk."""

    def __init__(
        self,
        *,
        calendar: Calendar,
        actor: int,
        index: int,
        partitions: Sequence[Partition],
        io_threads: int,
        request_ns: int | Iterator[int],
        ns_per_byte: float,
        on_append: Callable[[Batch, Partition], None],
        commit: Callable[[Request], None],
        pause_ns: Callable[[Request], int] | None = None,
    ) -> None:
        self.index = index
        self._calendar = calendar
        self._partitions = partitions
        self._free_threads = io_threads
        self._request_ns = 0
        self._services: Iterator[int] | None = None
        if isinstance(request_ns, int):
            self._request_ns = request_ns
        else:
            self._services = request_ns
        self._ns_per_byte = ns_per_byte
        self._unslowed = self._request_ns, self._services, ns_per_byte
        self._on_append = on_append
        self._commit = commit
        self._pause_ns = pause_ns
        self._sessions: dict[int, list[FetchSession]] = {}
        self._queue: deque[Request] = deque()
        self._service_key = key_base(Rank.SERVICE, actor)
        self._answer_key = key_base(Rank.ANSWER, actor)
        self._timer_key = key_base(Rank.TIMER, actor)
        self._arrival_key = key_base(Rank.ARRIVAL, actor)

    def slow(self, factor: float) -> None:
        """Take so many times as long for each request that is taken up from now on."""
        request_ns, services, ns_per_byte = self._unslowed
        self._request_ns = round(request_ns * factor)
        self._ns_per_byte = ns_per_byte * factor
        if services is not None:
            self._services = (round(each * factor) for each in services)

    def open_session(self, session: FetchSession) -> None:
        """Let a fetch session know what is appended to its partitions."""
        for partition in session.partitions:
            self._sessions.setdefault(partition.index, []).append(session)

    def add_reader(self, session: FetchSession, partition: Partition) -> None:
        """Let a fetch session know what is appended to a partition that joins it."""
        readers = self._sessions.setdefault(partition.index, [])
        if session not in readers:
            readers.append(session)

    def meets(self, partition: Partition, leader_epoch: int) -> int:  # noqa: ARG002
        """Return the error of a request for a partition, `NONE` if it may be read."""
        return NONE if partition.leader == self.index else NOT_LEADER_OR_FOLLOWER

    def knows_end(self, partition: Partition) -> bool:  # noqa: ARG002
        """Return whether the high watermark is one that readers may rely on."""
        return True

    def relocate(self, partition: Partition) -> None:
        """Let readers look again where they are: a log has lost segments."""
        for session in self._sessions.get(partition.index, ()):
            session.relocate(partition)
            if session.parked is not None and session.has_enough():
                self._complete_fetch(session, session.parked)

    def forget_places(self, index: int) -> None:
        """Let followers look again where they are; a broker without any has none."""

    def accept(self, connection: Connection) -> bool:  # noqa: ARG002
        """Take a new connection; False when there is nobody to take it."""
        return True

    def arrive(self, request: Request) -> None:
        """Take a request off the network, through the card that all senders share."""
        now_ns = self._calendar.now_ns
        there_ns = request.connection.up.receive(now_ns, request.size_bytes)
        if there_ns > now_ns:  # at a time equal to that, brokers go before clients
            self._arrival_key += 1
            self._calendar.at(there_ns, self._arrival_key, self._take_in, request)
        else:
            self._take_in(request)

    def _take_in(self, request: Request) -> None:
        """Read a request unless its connection is muted."""
        connection = request.connection
        if connection.muted:
            connection.waiting.append(request)
        elif self._calendar.now_ns < connection.free_ns:
            connection.muted = True
            connection.waiting.append(request)
            self._unmute_when_free(connection)
        else:
            self._read(request)

    def queued(self) -> list[Request]:
        """Return the requests that wait for an IO thread."""
        return list(self._queue)

    def elsewhere(self) -> list[Request]:
        """Return the requests that wait for something else, such as its disk."""
        return []

    def parked(self) -> list[Request]:
        """Return the fetches that wait in purgatory."""
        sessions = {
            session: None for each in self._sessions.values() for session in each
        }
        return [each.parked for each in sessions if each.parked is not None]

    def _unmute_when_free(self, connection: Connection) -> None:
        self._arrival_key += 1
        self._calendar.at(
            connection.free_ns, self._arrival_key, self._read_on, connection
        )

    def _read_on(self, connection: Connection) -> None:
        self._read(connection.waiting.pop(0))

    def _read(self, request: Request) -> None:
        request.connection.muted = True
        request.received_ns = self._calendar.now_ns
        if self._free_threads:
            self._free_threads -= 1
            self._serve(request)
        else:
            self._queue.append(request)

    def _serve(self, request: Request) -> None:
        now_ns = self._calendar.now_ns
        request.dequeued_ns = now_ns
        service_ns = (
            self._request_ns if self._services is None else next(self._services)
        )
        if request.api == PRODUCE:
            service_ns += round(request.size_bytes * self._ns_per_byte)
        request.thread_ns = service_ns
        self._service_key += 1
        self._calendar.push(
            (now_ns + service_ns, self._service_key, self._serviced, request)
        )

    def _serviced(self, request: Request) -> None:
        if self._queue:
            self._serve(self._queue.popleft())
        else:
            self._free_threads += 1
        if request.api == PRODUCE:
            self._produce(request)
        elif request.api == FETCH:
            self._fetch(request)
        elif request.api in {LIST_OFFSETS, OFFSET_FOR_LEADER_EPOCH}:
            self._tell_offset(request)
        else:
            if request.api == METADATA:
                known = map(self._partitions.__getitem__, request.payload)
                request.answer = {p.index: (p.leader, p.leader_epoch) for p in known}
            else:
                self._commit(request)
            self._answer(request, 0)

    def _produce(self, request: Request) -> None:
        """Append each batch; acks 0 needs no answer and never gets one (BR-3)."""
        now_ns = self._calendar.now_ns
        touched: dict[FetchSession, None] = {}
        for batch in request.payload:
            partition = self._partitions[batch.partition_index]
            batch.base_offset = partition.append(batch, now_ns)
            batch.appended_ns = now_ns
            self._on_append(batch, partition)
            for session in self._sessions.get(partition.index, ()):
                session.advanced(partition)
                if session.parked is not None:
                    touched[session] = None
        if request.wants_answer:
            self._answer(request, 0)
        else:
            request.done_ns = now_ns
            request.on_answer(request)
            pause_ns = 0 if self._pause_ns is None else self._pause_ns(request)
            self._release(request.connection, now_ns + pause_ns)
        for session in touched:
            if session.parked is not None and session.has_enough():
                self._complete_fetch(session, session.parked)

    def _fetch(self, request: Request) -> None:
        """Answer at once when enough is there, park the request otherwise."""
        session: FetchSession = request.payload
        if request.epoch != session.epoch:
            return
        if session.outside:
            session.take_in(self.meets)
        if session.max_wait_ns == 0 or session.has_enough():
            self._complete_fetch(session, request)
            return
        session.parked = request
        self._timer_key += 1
        session.wait_over = (
            self._calendar.now_ns + session.max_wait_ns,
            self._timer_key,
        )
        if not session.timer_set:
            self._set_timer(session)

    def _tell_offset(self, request: Request) -> None:
        """Answer with an offset of each partition that may be read here (BR-34)."""
        answer: dict[int, object] = {}
        for question, partition, wish in request.payload:
            code = self.meets(partition, question.leader_epoch)
            asks_for_end = request.api == LIST_OFFSETS and wish == LATEST_TIMESTAMP
            if code == NONE and asks_for_end and not self.knows_end(partition):
                code = OFFSET_NOT_AVAILABLE
            if code != NONE:
                self._refuse(request, partition.index, code)
            else:
                answer[partition.index] = offset_in(partition.log, request.api, wish)
        request.answer = answer
        self._answer(request, 0)

    def _set_timer(self, session: FetchSession) -> None:
        session.timer_set = True
        self._calendar.at(*session.wait_over, self._fetch_wait_over, session)

    def _fetch_wait_over(self, session: FetchSession) -> None:
        """Answer the parked fetch, or wait on when it came after the timer was set."""
        session.timer_set = False
        if session.parked is None:
            return
        if session.wait_over[0] > self._calendar.now_ns:
            self._set_timer(session)
        else:
            self._complete_fetch(session, session.parked)

    def _complete_fetch(self, session: FetchSession, request: Request) -> None:
        session.parked = None
        if self._pause_ns is None:
            request.answer, request.size_bytes, request.batch_count = session.read()
        else:
            read_within_quota(session, request, self._pause_ns)
        if request.answer and request.answer[0][1] < 0:
            for partition, end_offset, _ in request.answer:
                if end_offset < 0:
                    self._refuse(request, partition.index, -1 - end_offset)
        self._answer(request, request.size_bytes)

    def _refuse(self, request: Request, index: int, error: int) -> None:
        """Note an error of a partition."""
        if request.errors is None:
            request.errors = {}
        request.errors[index] = error
        request.error = error

    def _answer(self, request: Request, size_bytes: int) -> None:
        now_ns = self._calendar.now_ns
        request.done_ns = now_ns
        connection = request.connection
        answered_ns = connection.down.transfer(now_ns, size_bytes)
        self._answer_key += 1
        takes = request.on_answer
        if size_bytes:
            takes = self._deliver
        elif request.api != PRODUCE:
            takes = self._bring
        self._calendar.push((answered_ns, self._answer_key, takes, request))
        left_ns = connection.down.left_ns
        if self._pause_ns is not None:
            if request.api != FETCH:
                request.throttle_ns = self._pause_ns(request)
            left_ns += request.throttle_ns
        self._release(connection, left_ns)

    def _deliver(self, request: Request) -> None:
        """Give an answer with records to its client, through the client's card."""
        down = request.connection.down
        down.receive(self._calendar.now_ns, request.size_bytes)
        self._give(request.connection, request.on_answer, request)

    def _bring(self, request: Request) -> None:
        """Give an answer without records, which may not overtake one with some."""
        self._give(request.connection, request.on_answer, request)

    def _give(
        self, connection: Connection, take: Callable[[Any], None], what: object
    ) -> None:
        """Give something to a client behind what came before it on a connection."""
        held_ns = connection.down.held_ns
        if held_ns >= self._calendar.now_ns:
            self._answer_key += 1
            self._calendar.at(held_ns, self._answer_key, take, what)
        else:
            take(what)

    def _release(self, connection: Connection, free_ns: int) -> None:
        """Read on from a connection once its answer has left (BR-2)."""
        connection.free_ns = free_ns
        if not connection.waiting:
            connection.muted = False
        elif free_ns > self._calendar.now_ns:
            self._unmute_when_free(connection)
        else:
            self._read(connection.waiting.pop(0))
