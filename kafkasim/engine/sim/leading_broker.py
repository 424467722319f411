"""A broker that leads: appends, followers, the high watermark, and who waits for it.

A produce request with acks=all waits in purgatory until the high watermark has passed
its batches (BR-6), which moves as the followers fetch.

Sources: `ReplicaManager`, `Partition`, `DelayedProduce` (4.3).
"""

from collections.abc import Mapping
from copy import copy

from kafkasim.engine.sim.failing_broker import FailingBroker
from kafkasim.engine.sim.fetch_session import FetchSession
from kafkasim.engine.sim.follower import ReplicaFetcher
from kafkasim.engine.sim.following import Copied
from kafkasim.engine.sim.leading import correction_of
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.producer import Batch
from kafkasim.engine.sim.replica import Append, Replica
from kafkasim.engine.sim.replica_calls import ReplicaCalls, ReplicaSettings
from kafkasim.engine.sim.request import FETCH_FOLLOWER, PRODUCE, Connection, Request
from kafkasim.errors import LogError
from kafkasim.log.appending import surely_follows
from kafkasim.protocol.cluster.controller_messages import AlterPartition
from kafkasim.protocol.cluster.replica import LeaderState
from kafkasim.protocol.errors import (
    ERRORS,
    FENCED_LEADER_EPOCH,
    NONE,
    NOT_ENOUGH_REPLICAS,
    NOT_LEADER_OR_FOLLOWER,
    REQUEST_TIMED_OUT,
    UNKNOWN_LEADER_EPOCH,
)


class LeadingBroker(FailingBroker):
    """One broker of a cluster that replicates, as a leader.

    Attributes
    ----------
    replicas : dict of int to Replica
        Its copies, by partition.
    epoch : int
        Of its registration.
    """

    __slots__ = (
        "_active", "_calls", "_followers", "_produce_timeouts", "_settings",
        "_wait_for_all", "epoch", "replicas",
    )  # fmt: skip

    def lead_with(
        self,
        replicas: Mapping[int, Replica],
        *,
        produce_timeouts: Mapping[int, int],
        settings: ReplicaSettings,
        calls: ReplicaCalls,
    ) -> None:
        """Give it its copies.

        Parameters
        ----------
        replicas : mapping of int to Replica
            By partition.
        produce_timeouts : mapping of int to int
            Of each client that waits for all, by its code, `request.timeout.ms` in
            nanoseconds.
        settings, calls
            Its settings, and whom to tell what.
        """
        self.epoch = self.index
        self.replicas = dict(replicas)
        self._wait_for_all = produce_timeouts
        self._produce_timeouts: dict[Connection, tuple[int, Request | None]] = {}
        self._settings = settings
        self._calls = calls
        self._followers: dict[int, list[ReplicaFetcher]] = {}
        self._active: dict[int, bool] = {}

    def meets(self, partition: Partition, leader_epoch: int) -> int:
        """Return the error of a request for a partition, `NONE` if it may be read.

        Source: `Partition.checkCurrentLeaderEpoch`, `localLogWithEpochOrThrow`; BR-25.
        One that takes itself for the leader while another one is serves nobody here.
        """
        replica = self.replicas.get(partition.index)
        state = None if replica is None else replica.state
        if state is None or partition.leader != self.index:
            return NOT_LEADER_OR_FOLLOWER
        if leader_epoch < state.leader_epoch:
            return FENCED_LEADER_EPOCH
        return NONE if leader_epoch == state.leader_epoch else UNKNOWN_LEADER_EPOCH

    def _serviced(self, request: Request) -> None:
        if request.api != FETCH_FOLLOWER:
            super()._serviced(request)
        elif (
            self.up
            and request.dequeued_ns >= self._up_since_ns
            and (self._held is None or not self.holds(self._serviced, request))
        ):
            self._next_of_queue()
            self._fetch_follower(request)

    def parked(self) -> list[Request]:
        """Return what waits in purgatory."""
        waiting = (request for _, request in self._produce_timeouts.values())
        return [*super().parked(), *filter(None, waiting)]

    def _vanish(self, request: Request) -> None:
        if request.api == PRODUCE and not request.wants_answer:
            self._calls.on_vanished(request.payload)

    # --- produce ------------------------------------------------------------------

    def _produce(self, request: Request) -> None:
        """Append each batch it leads; wait for the followers with acks=all."""
        now_ns = self._calendar.now_ns
        touched: dict[FetchSession, None] = {}
        followers: dict[ReplicaFetcher, None] = {}
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
        if request.errors:
            refused = [
                b for b in request.payload if b.partition_index in request.errors
            ]
            self._calls.on_vanished(refused)
        if request.errors and not request.connection.broken:
            self._break(request.connection)
        else:
            pause_ns = 0 if self._pause_ns is None else self._pause_ns(request)
            self._release(request.connection, now_ns + pause_ns)

    def _append(  # noqa: PLR0917
        self,
        batch: Batch,
        replica: Replica,
        state: LeaderState,
        request: Request,
        touched: dict[FetchSession, None],
        followers: dict[ReplicaFetcher, None],
    ) -> int:
        """Append a batch; return the offset after it, −1 if it was refused.

        One that an idempotent producer has sent before is there already (ID-8).
        """
        index, now_ns = replica.partition, self._calendar.now_ns
        partition = self._partitions[index]
        log = replica.log
        base = log.log_end_offset
        held = batch if batch.base_offset < 0 else copy(batch)
        admission = partition.admission
        if admission and (code := admission(batch, now_ns)) != NONE:
            self._refuse(request, index, code)
            return -1
        header = partition.header(held, base, state.leader_epoch, now_ns)
        if held.producer_id >= 0 and not surely_follows(log.producers, header):
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
            self._calls.next_append_id(), held, index, base, self.index,
            state.leader_epoch, now_ns,
        )  # fmt: skip
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
        followers: dict[ReplicaFetcher, None],
    ) -> None:
        """Let followers know that there is more than they have."""
        index = replica.partition
        for fetcher in self._followers.get(index, ()):
            if index in fetcher.ready:
                continue
            mine = fetcher.copies.get(index)
            if mine is None:
                continue
            if mine.ends.log_end_offset == end and index not in fetcher.report:
                # It was there still when it last asked.
                active = self._active.get(fetcher.node, True)
                state.fetched(fetcher.node, end, fetcher.fetched_ns, eligible=active)
            fetcher.ready[index] = replica
            if fetcher.parked is not None:
                followers[fetcher] = None

    def _wake(
        self, touched: dict[FetchSession, None], followers: dict[ReplicaFetcher, None]
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
        high_watermark = replica.ends.high_watermark = state.high_watermark
        partition = self._partitions[index]
        if partition.leader == self.index:
            waiting = partition.uncommitted
            while waiting and waiting[0].end_offset <= high_watermark:
                append = waiting.popleft()
                append.committed_ns = now_ns
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
        fetcher: ReplicaFetcher = request.payload
        if request.epoch != fetcher.epoch:
            return
        now_ns = self._calendar.now_ns
        touched: dict[FetchSession, None] = {}
        cut: list[Copied] = []
        outside: list[int] = []
        for index in fetcher.report:
            follower = fetcher.copies[index]
            replica = self.replicas.get(index)
            state = None if replica is None else replica.state
            if replica is None or state is None:
                self._refuse(request, index, NOT_LEADER_OR_FOLLOWER)
            elif follower.leader_epoch != state.leader_epoch:
                newer = follower.leader_epoch > state.leader_epoch
                error = UNKNOWN_LEADER_EPOCH if newer else FENCED_LEADER_EPOCH
                self._refuse(request, index, error)
            else:
                correction = correction_of(follower, replica)
                if correction is not None:
                    cut.append(correction)
                else:
                    self._learn(fetcher, follower, replica, state, touched)
                    if fetcher.node not in state.isr:
                        outside.append(index)
        fetcher.report.clear()
        # Who may not join yet is asked again, whether or not anything was written.
        fetcher.report.update(dict.fromkeys(outside))
        fetcher.fetched_ns = now_ns
        request.answer = cut
        if fetcher.ready or cut or request.errors:
            self.answer_follower(fetcher, request)
        else:
            fetcher.park(request)
        self._wake(touched, {})

    def _learn(
        self,
        fetcher: ReplicaFetcher,
        follower: Replica,
        replica: Replica,
        state: LeaderState,
        touched: dict[FetchSession, None],
    ) -> None:
        """Take note of where a follower's log ends (BR-10)."""
        index, now_ns = replica.partition, self._calendar.now_ns
        known = self._followers.get(index)
        if known is None:
            self._followers[index] = [fetcher]
        elif fetcher not in known:
            known.append(fetcher)
        end = follower.ends.log_end_offset
        node = fetcher.node
        eligible = self._active.get(node, True)
        if state.fetched(node, end, now_ns, eligible=eligible):
            self._advanced(replica, state, touched)
        if state.wants is not None:
            self._ask_for(replica, state, state.ask())
        if end < replica.ends.log_end_offset:
            fetcher.ready[index] = replica

    def _look_at_outsiders(self, index: int, state: LeaderState) -> None:
        """Look with the next fetch at followers outside the ISR: they may join."""
        for fetcher in self._followers.get(index, ()):
            if fetcher.node not in state.isr and index in fetcher.copies:
                fetcher.report[index] = None

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

    def answer_follower(self, fetcher: ReplicaFetcher, request: Request) -> None:
        """Send a follower what there is."""
        fetcher.parked = None
        copied, request.size_bytes, request.batch_count = fetcher.read()
        request.answer = [*request.answer, *copied] if request.answer else copied
        self._answer(request, request.size_bytes)
