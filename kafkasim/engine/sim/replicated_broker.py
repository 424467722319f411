"""A broker of a cluster that replicates, or whose brokers fail.

It leads some partitions and follows others, as the metadata say that have reached it;
so two brokers may both take themselves for a partition's leader for a while, and epochs
tell who is right. A produce request with acks=all waits in purgatory until the high
watermark has passed its batches (BR-6), which moves as the followers fetch.

Sources: `ReplicaManager`, `Partition`, `DelayedProduce` (4.3).
"""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import Any, NamedTuple

from kafkasim.engine.sim.broker import Broker
from kafkasim.engine.sim.fetch_session import FetchSession
from kafkasim.engine.sim.follower import Copied, Fetcher
from kafkasim.engine.sim.leading import leader_state
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.producer import Batch
from kafkasim.engine.sim.replica import Append, Life, LogSegment, Replica, contents_of
from kafkasim.engine.sim.request import (
    FETCH_FOLLOWER,
    LIST_OFFSETS,
    METADATA,
    Connection,
    Request,
)
from kafkasim.errors import LogError
from kafkasim.protocol.controller_messages import (
    AlterPartition,
    Answer,
    BrokerState,
    Changed,
    PartitionState,
)
from kafkasim.protocol.errors import (
    ERRORS,
    INELIGIBLE_REPLICA,
    NONE,
    NOT_ENOUGH_REPLICAS,
    NOT_LEADER_OR_FOLLOWER,
    REQUEST_TIMED_OUT,
    UNKNOWN_LEADER_EPOCH,
)
from kafkasim.protocol.replica import LeaderState

OFFLINE = "offline"


class ReplicaSettings(NamedTuple):
    """A broker's settings on replication, in the engine's units."""

    lag_max_ns: int
    """`replica.lag.time.max.ms`."""


class ReplicaCalls(NamedTuple):
    """Whom to tell what."""

    next_append_id: Callable[[], int]
    """Gives the number of the next append."""
    on_append: Callable[[Batch, Partition, Append], None]
    """Takes a batch, as its producer knows it, and its append."""
    on_commit: Callable[[Append], None]
    """Takes an append that the high watermark has passed."""
    on_lead: Callable[[Partition, int], None]
    """Takes a partition that another copy leads now, and up to which offset it has what
    the leader before had."""
    write_replica: Callable[[Replica, PartitionState, str, str], None]
    """Takes a copy, what is known of its partition, its role, and why it changed."""
    write_segment: Callable[[Replica, LogSegment, Life, int, str | None], None]
    """Takes a segment that a truncation took."""
    ask_controller: Callable[[int, AlterPartition], None]
    """Sends a request to the controller from a broker."""


class ReplicatedBroker(Broker):
    """One broker of such a cluster.

    It is made like a `Broker`, and `wire` gives it the rest.

    Attributes
    ----------
    up : bool
        Whether its process runs.
    replicas : dict of int to Replica
        Its copies, by partition.
    image : list of PartitionState
        What it knows of each partition.
    fetchers : dict of int to Fetcher
        Its fetches, by the broker it fetches from.
    epoch : int
        Of its registration.
    """

    __slots__ = (
        "_active", "_calls", "_connections", "_followers", "_held", "_io_threads",
        "_produce_timeouts", "_settings", "_up_since_ns", "_wait_for_all", "epoch",
        "fetchers", "image", "incarnation", "replicas", "up",
    )  # fmt: skip

    def wire(
        self,
        *,
        replicas: Mapping[int, Replica],
        image: Sequence[PartitionState],
        fetchers: Mapping[int, Fetcher],
        connections: Callable[[], Sequence[Connection]],
        produce_timeouts: Mapping[int, int],
        settings: ReplicaSettings,
        calls: ReplicaCalls,
    ) -> None:
        """Give it what it works with.

        Parameters
        ----------
        replicas, image, fetchers
            See the attributes.
        connections : callable
            Returns all connections to it that are open.
        produce_timeouts : mapping of int to int
            Of each client that waits for all, by its code, `request.timeout.ms` in
            nanoseconds.
        settings, calls
            Its settings, and whom to tell what.
        """
        self.up = True
        self.epoch = self.index
        self.incarnation = 0
        self.replicas = dict(replicas)
        self.image = list(image)
        self.fetchers = dict(fetchers)
        self._connections = connections
        self._wait_for_all = produce_timeouts
        self._produce_timeouts: dict[Connection, tuple[int, Request | None]] = {}
        self._settings = settings
        self._calls = calls
        self._followers: dict[int, list[Fetcher]] = {}
        self._held: list[tuple[Callable[[Any], None], Any]] | None = None
        self._up_since_ns = 0
        self._io_threads = self._free_threads
        self._active: dict[int, bool] = {}

    def start(self) -> None:
        """Take up what the metadata say at the start."""
        now_ns = self._calendar.now_ns
        for index, replica in self.replicas.items():
            state = self.image[index]
            replica.leader_epoch = state.leader_epoch
            replica.leader = state.leader
            if state.leader == self.index:
                replica.state = self._new_state(replica, state)
                replica.log.leader_epochs.assign(state.leader_epoch, 0)
            self._write_replica(replica, "start")
        for replica in self.replicas.values():
            if replica.state is None and replica.leader >= 0:
                self.fetchers[replica.leader].add(replica)
        if any(len(self.image[index].replicas) > 1 for index in self.replicas):
            self._check_lag_at(now_ns + self._settings.lag_max_ns // 2)

    # --- requests -----------------------------------------------------------------

    def holds(self, function: Callable[[Any], None], argument: Any) -> bool:  # noqa: ANN401
        """Say whether it stands still; then the call is made when it goes on."""
        if self._held is None:
            return False
        self._held.append((function, argument))
        return True

    def arrive(self, request: Request) -> None:
        """Take a request off the network, unless the process has gone."""
        connection = request.connection
        if not self.up:
            if not connection.broken:
                self._break(connection)
        elif not connection.broken and not self.holds(self.arrive, request):
            super().arrive(request)

    def parked(self) -> list[Request]:
        """Return what waits in purgatory."""
        waiting = [request for _, request in self._produce_timeouts.values()]
        return [*super().parked(), *(r for r in waiting if r is not None)]

    def accept(self, connection: Connection) -> bool:  # noqa: ARG002
        """Take a new connection, unless the process has gone."""
        return self.up

    def _serviced(self, request: Request) -> None:
        if request.dequeued_ns < self._up_since_ns or not self.up:
            return  # of a process that died
        if self.holds(self._serviced, request):
            return
        if request.api == FETCH_FOLLOWER:
            self._next_of_queue()
            self._fetch_follower(request)
        elif request.api == METADATA:
            self._next_of_queue()
            request.answer = {
                index: (self.image[index].leader, self.image[index].leader_epoch)
                for index in request.payload
            }
            self._answer(request, 0)
        elif request.api == LIST_OFFSETS and not self._leads(request.payload[1]):
            self._next_of_queue()
            self._refuse(request, request.payload[1].index, NOT_LEADER_OR_FOLLOWER)
            self._answer(request, 0)
        else:
            super()._serviced(request)

    def _next_of_queue(self) -> None:
        if self._queue:
            self._serve(self._queue.popleft())
        else:
            self._free_threads += 1

    def _leads(self, partition: Partition) -> bool:
        replica = self.replicas.get(partition.index)
        return replica is not None and replica.state is not None

    def _refuse(self, request: Request, index: int, error: int) -> None:
        """Note an error of a partition, and who leads it by what is known here."""
        if request.errors is None:
            request.errors = {}
        request.errors[index] = error
        request.error = error
        state = self.image[index]
        if error == NOT_LEADER_OR_FOLLOWER and state.leader >= 0:
            if request.hints is None:
                request.hints = {}
            request.hints[index] = state.leader, state.leader_epoch

    # --- produce ------------------------------------------------------------------

    def _produce(self, request: Request) -> None:
        """Append each batch it leads; wait for the followers with acks=all."""
        now_ns = self._calendar.now_ns
        touched: dict[FetchSession, None] = {}
        followers: dict[Fetcher, None] = {}
        timeout_ns = self._wait_for_all.get(request.connection.client)
        waiting: dict[int, int] = {}
        for batch in request.payload:
            index = batch.partition_index
            replica = self.replicas.get(index)
            state = None if replica is None else replica.state
            if replica is None or state is None:
                self._refuse(request, index, NOT_LEADER_OR_FOLLOWER)
                continue
            if timeout_ns is not None and state.under_min_isr:
                self._refuse(request, index, NOT_ENOUGH_REPLICAS)
                continue
            end = self._append(batch, replica, state, request, touched, followers)
            if timeout_ns is not None and end >= 0:
                verdict = state.verdict(end)
                if verdict is None:
                    waiting[index] = end
                    replica.delayed.append((end, request))
                elif verdict != NONE:
                    self._refuse(request, index, verdict)
        if not request.wants_answer:
            self._take_silently(request, now_ns)
        elif waiting:
            request.answer = waiting
            self._wait_for_followers(request, now_ns + (timeout_ns or 0))
        else:
            self._answer(request, 0)
        self._wake(touched, followers)

    def _take_silently(self, request: Request, now_ns: int) -> None:
        """With acks=0 there is no answer; an error closes the connection (PR-41)."""
        request.done_ns = now_ns
        request.on_answer(request)
        if request.errors and not request.connection.broken:
            self._break(request.connection)
        else:
            self._release(request.connection, now_ns)

    def _append(  # noqa: PLR0917
        self,
        batch: Batch,
        replica: Replica,
        state: LeaderState,
        request: Request,
        touched: dict[FetchSession, None],
        followers: dict[Fetcher, None],
    ) -> int:
        """Append a batch; return the offset after it, −1 if it was refused.

        One that an idempotent producer has sent before is there already (ID-8).
        """
        index, now_ns = replica.partition, self._calendar.now_ns
        partition = self._partitions[index]
        log = replica.log
        base = log.log_end_offset
        held = batch if batch.base_offset < 0 else copy(batch)
        header = partition.header(held, base, state.leader_epoch)
        if held.producer_id >= 0:
            known = log.producers.duplicate_of(header)
            if known is not None:
                return known.next_offset
            try:
                log.producers.check(header)
            except LogError as error:
                self._refuse(request, index, ERRORS.index(error.code))
                return -1
        held.base_offset, held.appended_ns = base, now_ns
        held.header = header
        self._mark_ready(replica, state, base, followers)
        replica.append(header, held, now_ns)
        append = held.append = Append(
            self._calls.next_append_id(),
            held,
            index,
            base,
            self.index,
            state.leader_epoch,
            now_ns,
        )
        if partition.leader == self.index:
            partition.add(held, base)
            partition.active = replica.active
            partition.uncommitted.append(append)
        self._calls.on_append(batch, partition, append)
        if state.appended(log.log_end_offset, now_ns):
            self._advanced(replica, state, touched)
        return log.log_end_offset

    def _mark_ready(
        self,
        replica: Replica,
        state: LeaderState,
        end: int,
        followers: dict[Fetcher, None],
    ) -> None:
        """Let followers know that there is more than they have."""
        index = replica.partition
        for fetcher in self._followers.get(index, ()):
            if index in fetcher.ready:
                continue
            mine = fetcher.copies.get(index)
            if mine is None:
                continue
            if mine.log.log_end_offset == end and index not in fetcher.report:
                # It was there still when it last asked.
                state.fetched(fetcher.node, end, fetcher.fetched_ns)
            fetcher.ready[index] = replica
            if fetcher.parked is not None:
                followers[fetcher] = None

    def _wake(
        self, touched: dict[FetchSession, None], followers: dict[Fetcher, None]
    ) -> None:
        for session in touched:
            if session.parked is not None and session.has_enough():
                self._complete_fetch(session, session.parked)
        for fetcher in followers:
            if fetcher.parked is not None:
                self.answer_follower(fetcher, fetcher.parked)

    def _advanced(
        self, replica: Replica, state: LeaderState, touched: dict[FetchSession, None]
    ) -> None:
        """Do what waits for the high watermark (`tryCompleteDelayedRequests`)."""
        index, now_ns = replica.partition, self._calendar.now_ns
        high_watermark = replica.log.high_watermark = state.high_watermark
        partition = self._partitions[index]
        if partition.leader == self.index:
            waiting = partition.uncommitted
            while waiting and waiting[0].end_offset <= high_watermark:
                append = waiting.popleft()
                append.committed_ns = now_ns
                self._calls.on_commit(append)
            for session in self._sessions.get(index, ()):
                session.advanced(partition)
                if session.parked is not None:
                    touched[session] = None
        delayed = replica.delayed
        while delayed and delayed[0][0] <= high_watermark:
            end, request = delayed.popleft()
            self._settle(request, index, state.verdict(end) or NONE)

    def _settle(self, request: Request, index: int, error: int) -> None:
        """Note how it went with one partition of a request that waits for all."""
        if request.done_ns >= 0 or index not in request.answer:
            return  # its time was over
        del request.answer[index]
        if error != NONE:
            self._refuse(request, index, error)
        if not request.answer and not request.connection.broken:
            self._forget_timeout(request.connection)
            self._answer(request, 0)

    def _wait_for_followers(self, request: Request, until_ns: int) -> None:
        """Let a request wait; one timer for each connection, which has one request."""
        connection = request.connection
        is_set = connection in self._produce_timeouts
        self._produce_timeouts[connection] = until_ns, request
        if not is_set:
            self._timer_key += 1
            self._calendar.at(until_ns, self._timer_key, self._wait_over, connection)

    def _forget_timeout(self, connection: Connection) -> None:
        until_ns, _ = self._produce_timeouts[connection]
        self._produce_timeouts[connection] = until_ns, None

    def _wait_over(self, connection: Connection) -> None:
        if self.holds(self._wait_over, connection):
            return
        until_ns, request = self._produce_timeouts.pop(connection, (0, None))
        if request is None or connection.broken or request.done_ns >= 0:
            return
        if until_ns > self._calendar.now_ns:
            self._wait_for_followers(request, until_ns)
            return
        for index in list(request.answer):
            del request.answer[index]
            self._refuse(request, index, REQUEST_TIMED_OUT)
        self._answer(request, 0)

    # --- followers ----------------------------------------------------------------

    def _fetch_follower(self, request: Request) -> None:
        """Learn how far a follower is; answer when there is more (`fetchMessages`)."""
        fetcher: Fetcher = request.payload
        if request.epoch != fetcher.epoch:
            return
        now_ns = self._calendar.now_ns
        touched: dict[FetchSession, None] = {}
        cut: list[Copied] = []
        for index in fetcher.report:
            follower = fetcher.copies[index]
            replica = self.replicas.get(index)
            state = None if replica is None else replica.state
            if replica is None or state is None:
                self._refuse(request, index, NOT_LEADER_OR_FOLLOWER)
            elif follower.leader_epoch != state.leader_epoch:
                newer = follower.leader_epoch > state.leader_epoch
                error = UNKNOWN_LEADER_EPOCH if newer else NOT_LEADER_OR_FOLLOWER
                self._refuse(request, index, error)
            else:
                parting = -1 if follower.checked else parts_at(follower, replica)
                if parting >= 0:
                    log = replica.log
                    start = log.log_start_offset
                    cut.append(Copied(follower, [], log.high_watermark, start, parting))
                else:
                    self._learn(fetcher, follower, replica, state, touched)
        fetcher.report.clear()
        fetcher.fetched_ns = now_ns
        request.answer = cut
        if fetcher.ready or cut or request.errors:
            self.answer_follower(fetcher, request)
        else:
            fetcher.park(request)
        self._wake(touched, {})

    def _learn(
        self,
        fetcher: Fetcher,
        follower: Replica,
        replica: Replica,
        state: LeaderState,
        touched: dict[FetchSession, None],
    ) -> None:
        """Take note of where a follower's log ends (BR-10)."""
        index, now_ns = replica.partition, self._calendar.now_ns
        known = self._followers.setdefault(index, [])
        if fetcher not in known:
            known.append(fetcher)
        end = follower.log.log_end_offset
        node = fetcher.node
        eligible = self._active.get(node, True)
        if state.fetched(node, end, now_ns, eligible=eligible):
            self._advanced(replica, state, touched)
        if state.wants is not None:
            self._ask(replica, state)
        if end < replica.log.log_end_offset:
            fetcher.ready[index] = replica

    def answer_follower(self, fetcher: Fetcher, request: Request) -> None:
        """Send a follower what there is."""
        fetcher.parked = None
        copied, request.size_bytes, request.batch_count = fetcher.read()
        request.answer = [*(request.answer or ()), *copied]
        self._answer(request, request.size_bytes)

    def append_copies(
        self, replica: Replica, batches: list[Batch], high_watermark: int, start: int
    ) -> None:
        """Append what the leader sent (`Partition.appendRecordsToFollowerOrFuture`).

        Batches of a later epoch than the one followed are left out (BR-26).
        """
        now_ns = self._calendar.now_ns
        log = replica.log
        for batch in batches:
            header = batch.header
            if header.leader_epoch > replica.leader_epoch:
                break
            if header.base_offset >= log.log_end_offset:
                replica.append(header, batch, now_ns)
        log.high_watermark = min(high_watermark, log.log_end_offset)
        if start > log.log_start_offset:
            log.move_start(min(start, log.high_watermark))

    def truncate(self, replica: Replica, offset: int) -> None:
        """Cut a copy where it parts from its leader's log (BR-23)."""
        now_ns = self._calendar.now_ns
        for segment in replica.log.segments:
            contents = contents_of(segment)
            for base, batch in zip(
                contents.base_offsets, contents.batches, strict=True
            ):
                append = getattr(batch, "append", None)
                if base >= offset and append is not None and append.truncated_ns < 0:
                    append.truncated_ns = now_ns
        for segment, life in replica.truncate_to(offset, now_ns).items():
            self._calls.write_segment(replica, segment, life, now_ns, "truncation")
        self._write_replica(replica, "truncated")

    # --- what the controller says -------------------------------------------------

    def apply(self, changed: Changed) -> None:
        """Take in a batch of metadata (`ReplicaManager.applyDelta`)."""
        if not self.up or self.holds(self.apply, changed):
            return
        for broker in changed.brokers:
            self._meet(broker)
        touched: dict[FetchSession, None] = {}
        for index, state in changed.partitions:
            if state.partition_epoch < self.image[index].partition_epoch:
                continue
            before, self.image[index] = self.image[index], state
            replica = self.replicas.get(index)
            if replica is None:
                continue
            if state.leader == self.index:
                self._lead(replica, state, before, touched)
            elif state.leader_epoch > replica.leader_epoch or replica.leader < 0:
                self._follow(replica, state)
        self._wake(touched, {})

    def _meet(self, broker: BrokerState) -> None:
        self._active[broker.node] = broker.active
        if broker.node == self.index:
            return
        for replica in self.replicas.values():
            if replica.state is not None and broker.node in replica.state.log_ends:
                replica.state.eligibility(broker.node, eligible=broker.active)

    def _lead(
        self,
        replica: Replica,
        told: PartitionState,
        before: PartitionState,
        touched: dict[FetchSession, None],
    ) -> None:
        """Lead a partition from now on, or with another ISR (`makeLeader`)."""
        now_ns = self._calendar.now_ns
        index, state = replica.partition, replica.state
        if state is not None and state.leader_epoch == told.leader_epoch:
            if state.altered(told.isr, told.partition_epoch, now_ns):
                self._advanced(replica, state, touched)
            self._write_isr(index, before, told)
            return
        if replica.leader in self.fetchers:
            self.fetchers[replica.leader].remove(index)
        log = replica.log
        replica.leader, replica.leader_epoch = self.index, told.leader_epoch
        log.leader_epochs.assign(told.leader_epoch, log.log_end_offset)
        replica.state = state = self._new_state(replica, told)
        self._followers.pop(index, None)
        partition = self._partitions[index]
        agreed = partition.lead(self.index)
        self._calls.on_lead(partition, agreed)
        unclean = told.recovering or self.index not in before.isr
        self._write_replica(replica, "elected unclean" if unclean else "elected")
        self._write_isr(index, before, told)
        if state.appended(log.log_end_offset, now_ns):
            self._advanced(replica, state, touched)
        if told.recovering:
            self._ask_for(replica, state, told.isr)

    def _follow(self, replica: Replica, told: PartitionState) -> None:
        """Follow another broker, or nobody (`makeFollower`)."""
        index = replica.partition
        if replica.leader in self.fetchers:
            self.fetchers[replica.leader].remove(index)
        led = replica.state is not None
        replica.state = None
        replica.leader, replica.leader_epoch = told.leader, told.leader_epoch
        replica.checked = False
        if led:
            self._followers.pop(index, None)
            delayed = list(replica.delayed)
            replica.delayed.clear()
            for _, request in delayed:
                self._settle(request, index, NOT_LEADER_OR_FOLLOWER)
            for session in list(self._sessions.get(index, ())):
                session.refuse(self._partitions[index], NOT_LEADER_OR_FOLLOWER)
                if session.parked is not None:
                    self._complete_fetch(session, session.parked)
        self._write_replica(replica, "follows" if told.leader >= 0 else "no leader")
        if told.leader >= 0:
            self.fetchers[told.leader].add(replica)

    def _new_state(self, replica: Replica, told: PartitionState) -> LeaderState:
        return leader_state(
            self.index,
            told,
            replica,
            lag_max_ns=self._settings.lag_max_ns,
            now_ns=self._calendar.now_ns,
        )

    # --- the ISR ------------------------------------------------------------------

    def _check_lag_at(self, at_ns: int) -> None:
        self._timer_key += 1
        self._calendar.at(at_ns, self._timer_key, self._check_lag, self.incarnation)

    def _check_lag(self, incarnation: int) -> None:
        """Look for followers that lag, each half of the time allowed (BR-17)."""
        if incarnation != self.incarnation or self.holds(self._check_lag, incarnation):
            return
        now_ns = self._calendar.now_ns
        for replica in self.replicas.values():
            state = replica.state
            if state is not None and state.shrinkable(now_ns):
                self._ask(replica, state)
        self._check_lag_at(now_ns + self._settings.lag_max_ns // 2)

    def _ask(self, replica: Replica, state: LeaderState) -> None:
        self._ask_for(replica, state, state.ask())

    def _ask_for(
        self, replica: Replica, state: LeaderState, isr: tuple[int, ...]
    ) -> None:
        self._calls.ask_controller(
            self.index,
            AlterPartition(
                self.index,
                self.epoch,
                replica.partition,
                state.leader_epoch,
                state.partition_epoch,
                isr,
            ),
        )

    def altered(self, answer: Answer) -> None:
        """Take the controller's answer (`Partition.submitAlterPartition`)."""
        if not self.up or self.holds(self.altered, answer):
            return
        request = answer.request
        assert isinstance(request, AlterPartition)
        replica = self.replicas[request.partition]
        state = replica.state
        if state is None or state.leader_epoch != request.leader_epoch:
            return
        told = answer.state
        if told is None:
            if state.altering == request.isr:
                state.refused(answer.error, retry=answer.error != INELIGIBLE_REPLICA)
            return
        if told.leader_epoch != state.leader_epoch:
            return
        touched: dict[FetchSession, None] = {}
        before, self.image[request.partition] = self.image[request.partition], told
        if state.altered(told.isr, told.partition_epoch, self._calendar.now_ns):
            self._advanced(replica, state, touched)
        self._write_isr(request.partition, before, told)
        self._wake(touched, {})

    def _write_isr(
        self, index: int, before: PartitionState, told: PartitionState
    ) -> None:
        """Write who has joined the ISR, and who has left it."""
        for node in told.replicas:
            was, now = node in before.isr, node in told.isr
            if was != now:
                copy_ = self._partitions[index].replicas[node]
                cause = "joined the ISR" if now else "left the ISR"
                role = "leader" if node == told.leader else "follower"
                if not self._active.get(node, True):
                    role = OFFLINE
                self._calls.write_replica(copy_, told, role, cause)

    def _write_replica(self, replica: Replica, cause: str) -> None:
        role = "leader" if replica.state is not None else "follower"
        if not self.up:
            role = OFFLINE
        state = self.image[replica.partition]
        self._calls.write_replica(replica, state, role, cause)

    # --- faults -------------------------------------------------------------------

    def _break(self, connection: Connection) -> None:
        """Close a connection; its client learns of it when that has travelled."""
        connection.broken = True
        connection.waiting.clear()
        if connection.on_lost is not None:
            at_ns = connection.down.transfer(self._calendar.now_ns, 0)
            self._answer_key += 1
            self._calendar.at(at_ns, self._answer_key, connection.on_lost, connection)

    def crash(self, cause: str = "crashed") -> None:
        """Stop at once; what was in memory is gone, the logs are as they were."""
        self.up = False
        self.incarnation += 1
        self._held = None
        self._queue.clear()
        self._free_threads = self._io_threads
        self._followers.clear()
        self._produce_timeouts.clear()
        for fetcher in self.fetchers.values():
            fetcher.stop()
        for replica in self.replicas.values():
            replica.state = None
            replica.leader = -1
            replica.delayed.clear()
            self._write_replica(replica, cause)
        for connection in self._connections():
            if not connection.broken:
                self._break(connection)

    def come_back(self) -> None:
        """Run again; what to lead and to follow the controller will say."""
        self.up = True
        self._up_since_ns = self._calendar.now_ns

    def pause(self) -> None:
        """Stand still: what comes waits."""
        if self.up:
            self._held = []

    def resume(self) -> None:
        """Go on with what came meanwhile, in the order it came."""
        held, self._held = self._held or [], None
        for function, argument in held:
            function(argument)


def parts_at(follower: Replica, leader: Replica) -> int:
    """Return where a follower's log has to be cut, −1 if it is a part of the leader's.

    The leader says where its own last batch of the follower's epoch, or of the one
    before it, ends; the follower cuts there, or where its own does (KIP-101, KIP-279;
    `LocalLog` and `OffsetsForLeaderEpochUtils`). A log without epochs is cut at its high
    watermark.
    """
    mine, log = follower.log, leader.log
    latest = mine.leader_epochs.latest
    end = mine.log_end_offset
    if latest < 0:
        return mine.high_watermark if mine.high_watermark < end else -1
    found = log.leader_epochs.end_offset(latest, log.log_end_offset)
    if found is None:
        return mine.high_watermark if mine.high_watermark < end else -1
    epoch, end_offset = found
    if epoch == latest and end_offset >= end:
        return -1
    own = mine.leader_epochs.end_offset(epoch, end)
    cut = end_offset if own is None else min(own.start_offset, end_offset)
    return min(cut, end)
