"""A broker whose network threads, disk and page cache take part.

An append goes to the page cache; where that has no room the IO thread waits, and where
the topic's `flush.messages` are reached it waits for the disk (`UnifiedLog.append`),
with the log locked. What is read comes from memory, or the network thread that sends
it waits for the disk (`kafkasim.engine.sim.network_thread`). A run without a disk, and
with room in its queues of requests, has plain brokers and is the same to the row.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from kafkasim.engine.sim.broker import Broker
from kafkasim.engine.sim.fetch_session import FetchSession
from kafkasim.engine.sim.follower import ReplicaFetcher
from kafkasim.engine.sim.meter import BrokerMeter
from kafkasim.engine.sim.network_thread import NetworkThread, Piece, Sending
from kafkasim.engine.sim.page_cache import BLOCK_BYTES, PageCache, blocks_of
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.planned_batches import PlannedBatches
from kafkasim.engine.sim.producer import Batch
from kafkasim.engine.sim.replica import LogSegment, Replica, contents_of
from kafkasim.engine.sim.request import (
    FETCH,
    FETCH_FOLLOWER,
    PRODUCE,
    Connection,
    Request,
)
from kafkasim.units import NS_PER_MS


class Equipment(NamedTuple):
    """What such a broker has."""

    cache: PageCache | None
    """Its page cache, with the disk behind it."""
    network_threads: int
    """`num.network.threads`."""
    most_queued: int
    """`queued.max.requests`."""
    meter: BrokerMeter | None
    """What measures how busy its parts are."""
    flush_check_ns: int | None
    """`log.flush.scheduler.interval.ms`; none: never."""


class Equipped(Broker):
    """What such brokers have in common.

    Attributes
    ----------
    cache : PageCache or None
        Its page cache, with the disk behind it.
    """

    cache: PageCache | None
    incarnation: int
    _at_disk: dict[Request, None]
    _equipment: Equipment
    _files: dict[int, list[PlannedBatches]]
    _flushed: set[int]
    _flushed_ns: dict[int, int]
    _locked_until: dict[int, int]
    _network: list[NetworkThread]
    _stuck: deque[tuple[NetworkThread, Request]]
    _threads: dict[Connection, NetworkThread]
    _unflushed: dict[int, int]

    def equip(self, equipment: Equipment) -> None:
        """Give it what it has beside its threads."""
        self._equipment = equipment
        self.cache = equipment.cache
        self._network = [NetworkThread() for _ in range(equipment.network_threads)]
        self._threads = {}
        self._stuck = deque()
        self._at_disk = {}
        self._files = {}
        self._flushed = set()
        self._flushed_ns = {}
        self._locked_until = {}
        self._unflushed = {}
        if self.cache is not None and equipment.flush_check_ns is not None:
            self._flush_every(equipment.flush_check_ns)

    def may_not_go_on(self, function: Callable[[Any], None], argument: Any) -> bool:  # noqa: ANN401
        """Say whether it stands still; then the call is made when it goes on."""
        raise NotImplementedError

    def is_over(self, request: Request) -> bool:
        """Say whether the process that took a request up has died."""
        raise NotImplementedError

    # --- network threads ----------------------------------------------------------

    def _thread_of(self, connection: Connection) -> NetworkThread:
        thread = self._threads.get(connection)
        if thread is None:
            turn = len(self._threads) % len(self._network)
            thread = self._threads[connection] = self._network[turn]
        return thread

    def _hold(self, thread: NetworkThread) -> None:
        thread.is_held = True
        thread.held_since_ns = self._calendar.now_ns

    def _let_go(self, thread: NetworkThread) -> None:
        thread.is_held = False
        meter = self._equipment.meter
        if meter is not None:
            now_ns = self._calendar.now_ns
            meter.network_threads.busy(thread.held_since_ns, now_ns)
        thread.go_on()

    def _read(self, request: Request) -> None:
        thread = self._thread_of(request.connection)
        request.connection.muted = True
        if thread.is_held:
            thread.waiting.append((self._read, request))
        elif self._free_threads or len(self._queue) < self._equipment.most_queued:
            super()._read(request)
            if self._equipment.meter is not None:
                now_ns = self._calendar.now_ns
                self._equipment.meter.io_threads.waits(now_ns, len(self._queue))
        else:
            # RequestChannel.sendRequest puts it into a queue that is full.
            request.received_ns = self._calendar.now_ns
            self._hold(thread)
            self._stuck.append((thread, request))

    def _serve(self, request: Request) -> None:
        super()._serve(request)
        if self._stuck and len(self._queue) < self._equipment.most_queued:
            thread, waiting = self._stuck.popleft()
            self._queue.append(waiting)
            self._let_go(thread)

    def queued(self) -> list[Request]:
        """Return the requests that wait for an IO thread."""
        return [*super().queued(), *(request for _, request in self._stuck)]

    def elsewhere(self) -> list[Request]:
        """Return the requests at the disk, or before a network thread."""
        waiting = [what for thread in self._network for _, what in thread.waiting]
        found = [*self._at_disk, *waiting]
        return [w.request if isinstance(w, Sending) else w for w in found]

    # --- answers ------------------------------------------------------------------

    def open_session(self, session: FetchSession) -> None:
        """Let a fetch session know what is appended; know what it takes."""
        super().open_session(session)
        session.taken = []

    def add_reader(self, session: FetchSession, partition: Partition) -> None:
        """Let a fetch session know of a partition that joins; know what it takes."""
        super().add_reader(session, partition)
        session.taken = []

    def _answer(self, request: Request, size_bytes: int) -> None:
        thread = self._thread_of(request.connection)
        pieces: deque[Piece] = deque()
        if size_bytes and self.cache is not None:
            pieces.extend(_pieces(request))
        if not pieces and not thread.is_held:
            super()._answer(request, size_bytes)
            return
        request.done_ns = self._calendar.now_ns
        sending = Sending(request, thread, pieces)
        if thread.is_held:
            thread.waiting.append((self._send, sending))
        else:
            self._send(sending)

    def _send(self, sending: Sending) -> None:
        """Send an answer, piece by piece; wait for the disk where one is not there."""
        request, pieces, cache = sending.request, sending.pieces, self.cache
        now_ns = self._calendar.now_ns
        while pieces:
            assert cache is not None
            batches, number, size_bytes = pieces[0]
            if not cache.holds(batches, number):
                size_bytes = min(BLOCK_BYTES, batches.size_bytes - number * BLOCK_BYTES)
                done_ns = cache.read(now_ns, batches, number, size_bytes)
                if sending.ready_bytes:
                    request.connection.down.transfer(now_ns, sending.ready_bytes)
                    sending.ready_bytes = 0
                self._hold(sending.thread)
                self._at_disk[request] = None
                self._arrival_key += 1
                self.after_disk(done_ns, self._arrival_key, self._has_read, sending)
                return
            if self._equipment.meter is not None:
                self._equipment.meter.from_memory(now_ns, size_bytes)
            sending.ready_bytes += size_bytes
            pieces.popleft()
        ready_ns = request.done_ns
        super()._answer(request, sending.ready_bytes)
        request.done_ns = ready_ns

    def _has_read(self, sending: Sending) -> None:
        """Go on with an answer behind what else its thread has to do."""
        del self._at_disk[sending.request]
        sending.ready_bytes += sending.pieces.popleft().size_bytes
        sending.thread.waiting.append((self._send, sending))
        self._let_go(sending.thread)

    def after_disk(
        self,
        done_ns: int,
        key: int,
        function: Callable[[Any], None],
        argument: Any,  # noqa: ANN401 - whatever the function takes
    ) -> None:
        """Call a function when the disk is done, later if it stands still meanwhile."""
        assert self.cache is not None
        due = (function, argument, self.cache.queue.lag_ns, self.incarnation)
        self._calendar.at(done_ns, key, self._disk_done, due)

    def _disk_done(self, due: tuple[Callable[[Any], None], Any, int, int]) -> None:
        function, argument, lag_ns, incarnation = due
        assert self.cache is not None
        later_ns = self.cache.queue.lag_ns - lag_ns
        if incarnation != self.incarnation:
            return  # the process has died
        if later_ns:
            self._timer_key += 1
            done_ns = self._calendar.now_ns + later_ns
            self.after_disk(done_ns, self._timer_key, function, argument)
        elif not self.may_not_go_on(function, argument):
            function(argument)

    # --- appends ------------------------------------------------------------------

    def writes(self, batch: Batch, request: Request) -> Replica | None:  # noqa: ARG002
        """Return the copy to which a batch will be appended; None if it is refused."""
        return self._partitions[batch.partition_index].replicas.get(self.index)

    def _serviced(self, request: Request) -> None:
        meter, now_ns = self._equipment.meter, self._calendar.now_ns
        if meter is not None:
            meter.served(request.dequeued_ns, now_ns, request)
        if request.api != PRODUCE or self.cache is None or self.is_over(request):
            super()._serviced(request)
        elif not self.may_not_go_on(self._serviced, request):
            until_ns = self._make_room(request)
            if until_ns <= now_ns:
                super()._serviced(request)
            else:
                self._at_disk[request] = None
                self._service_key += 1
                self.after_disk(until_ns, self._service_key, self._has_room, request)

    def _has_room(self, request: Request) -> None:
        del self._at_disk[request]
        super()._serviced(request)

    def _make_room(self, request: Request) -> int:
        """Return when the batches of a request may be appended."""
        until_ns = now_ns = self._calendar.now_ns
        locked = []
        for batch in request.payload:
            replica = self.writes(batch, request)
            if replica is not None:
                index = replica.partition
                until_ns = max(until_ns, self._locked_until.get(index, 0))
                until_ns = self._room_for(until_ns, replica, [batch])
                locked.append(index)
        if until_ns > now_ns:
            self._locked_until.update(dict.fromkeys(locked, until_ns))
            if self._equipment.meter is not None:
                self._equipment.meter.io_threads.busy(now_ns, until_ns)
        return until_ns

    def _room_for(self, now_ns: int, replica: Replica, batches: list[Batch]) -> int:
        """Return when batches may be appended to a copy, or are on the disk."""
        assert self.cache is not None
        size_bytes = sum(batch.size_bytes for batch in batches)
        until_ns = self.cache.make_room(now_ns, size_bytes)
        count = sum(batch.hi - batch.lo for batch in batches)
        count += self._unflushed.get(replica.partition, 0)
        if count >= replica.config.flush_messages:
            count = 0
            self._flushed.update(batch.batch_id for batch in batches)
            self._flushed_ns[replica.partition] = until_ns
            until_ns = self.cache.flush(until_ns, replica.active, size_bytes)
        self._unflushed[replica.partition] = count
        return until_ns

    def note_append(self, batch: Batch, replica: Replica) -> None:
        """Take note of a batch that was appended to a copy."""
        assert self.cache is not None
        now_ns = self._calendar.now_ns
        batches = self._know(replica, replica.active)
        size_bytes = batch.size_bytes
        position = batches.size_bytes - size_bytes
        is_clean = batch.batch_id in self._flushed
        self._flushed.discard(batch.batch_id)
        self.cache.wrote(now_ns, batches, position, size_bytes, is_clean=is_clean)
        if self._equipment.meter is not None:
            self._equipment.meter.memory(now_ns, self.cache)

    def _know(self, replica: Replica, batches: PlannedBatches) -> PlannedBatches:
        """Know a file; with a new one the last is flushed, and nobody waits."""
        known = self._files.setdefault(replica.partition, [])
        if not known or known[-1] is not batches:
            assert self.cache is not None
            self._forget_deleted(replica, known)
            if known:
                self.cache.flush_behind(self._calendar.now_ns, known[-1])
            known.append(batches)
        return batches

    def note_copies(
        self, replica: Replica, batches: list[Batch], before: dict[LogSegment, int]
    ) -> None:
        """Take note of what was appended since segments had these sizes."""
        assert self.cache is not None
        now_ns = self._calendar.now_ns
        is_clean = any(batch.batch_id in self._flushed for batch in batches)
        self._flushed.difference_update(batch.batch_id for batch in batches)
        segments = replica.log.segments
        first = next(iter(before), segments[0])
        number = bisect_left(segments, first.base_offset, key=_base_offset)
        for segment in segments[number:]:
            start, end = before.get(segment, 0), contents_of(segment).size_bytes
            if end > start:
                file = self._know(replica, contents_of(segment))
                self.cache.wrote(now_ns, file, start, end - start, is_clean=is_clean)

    def _forget_deleted(self, replica: Replica, known: list[PlannedBatches]) -> None:
        """Let the page cache forget segments that have left the log."""
        assert self.cache is not None
        there = [contents_of(segment) for segment in replica.log.segments]
        for batches in [each for each in known if each not in there]:
            self.cache.forget(batches, batches.size_bytes)
            known.remove(batches)

    def relocate(self, partition: Partition) -> None:
        """Let readers look again where they are, and forget segments that are gone."""
        replica = partition.replicas.get(self.index)
        if self.cache is not None and replica is not None:
            self._forget_deleted(replica, self._files.get(partition.index, []))
        super().relocate(partition)

    # --- fsync by the clock -------------------------------------------------------

    def _flush_every(self, interval_ns: int) -> None:
        """Look now and then for logs to be flushed (`LogManager.flushDirtyLogs`)."""
        self._timer_key += 1
        at_ns = self._calendar.now_ns + interval_ns
        self._calendar.at(at_ns, self._timer_key, self._flush_logs, interval_ns)

    def _flush_logs(self, interval_ns: int) -> None:
        """Flush what has not been for `flush.ms`; nobody waits for it."""
        now_ns = self._calendar.now_ns
        assert self.cache is not None
        for index, files in self._files.items():
            replica = self._partitions[index].replicas[self.index]
            since_ns = now_ns - self._flushed_ns.get(index, 0)
            if files and since_ns >= replica.config.flush_ms * NS_PER_MS:
                self.cache.flush(now_ns, replica.active)
                self._flushed_ns[index] = now_ns
                self._unflushed[index] = 0
        self._flush_every(interval_ns)


def _pieces(request: Request) -> Iterator[Piece]:
    """Yield what an answer takes from each block of each file."""
    if request.api in {FETCH, FETCH_FOLLOWER}:
        source: FetchSession | ReplicaFetcher = request.payload
        assert source.taken is not None
        for batches, position, end_position in source.taken:
            for number, size_bytes in blocks_of(position, end_position):
                yield Piece(batches, number, size_bytes)
        source.taken.clear()


def _base_offset(segment: LogSegment) -> int:
    return segment.base_offset
