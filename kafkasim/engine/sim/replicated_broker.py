"""A broker of a cluster that replicates, or whose brokers fail.

It leads some partitions and follows others, as the metadata say that have reached it;
so two brokers may both take themselves for a partition's leader for a while, and epochs
tell who is right.

Sources: `ReplicaManager`, `Partition` (4.3).
"""

from collections.abc import Callable, Mapping, Sequence

from kafkasim.engine.sim.fetch_session import FetchSession
from kafkasim.engine.sim.follower import ReplicaFetcher
from kafkasim.engine.sim.following import Copied
from kafkasim.engine.sim.leading import leader_state
from kafkasim.engine.sim.leading_broker import LeadingBroker
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.planned_batches import header_of
from kafkasim.engine.sim.replica import Life, LogSegment, Replica
from kafkasim.engine.sim.request import Request
from kafkasim.log.header import BatchHeader
from kafkasim.protocol.cluster.controller_election import Choice, choice_of
from kafkasim.protocol.cluster.controller_messages import (
    AlterPartition,
    Answer,
    BrokerState,
    Changed,
    PartitionState,
)
from kafkasim.protocol.cluster.replica import LeaderState
from kafkasim.protocol.errors import (
    FENCED_LEADER_EPOCH,
    INELIGIBLE_REPLICA,
    NOT_LEADER_OR_FOLLOWER,
)


class ReplicatedBroker(LeadingBroker):
    """One broker of such a cluster.

    Attributes
    ----------
    fetchers : dict of int to ReplicaFetcher
        Its fetches, by the broker it fetches from.
    """

    __slots__ = ("fetchers",)

    def follow_with(self, fetchers: Mapping[int, ReplicaFetcher]) -> None:
        """Give it its fetches from other brokers, by broker."""
        self.fetchers = dict(fetchers)

    def start(self) -> None:
        """Take up what the metadata say at the start."""
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
        self._begin_to_check_lag()

    def knows_end(self, partition: Partition) -> bool:
        """Return whether the high watermark is one that readers may rely on.

        A new leader's may lie behind what its predecessor let be read, until it has
        passed the start of the new epoch (`Partition.fetchOffsetForTimestamp`).
        """
        state = self.replicas[partition.index].state
        return state is not None and state.high_watermark >= state.epoch_start

    # --- copies -------------------------------------------------------------------

    def make_room_for_copies(
        self,
        copied: Sequence[Copied],  # noqa: ARG002
        function: Callable[[Request], None],
        request: Request,
    ) -> None:
        """Call the function: there is room for what came."""
        function(request)

    def forget_places(self, index: int) -> None:
        """Let followers look again where they are: a log has lost segments."""
        for fetcher in self._followers.get(index, ()):
            fetcher.forget_place(index)

    def append_copies(self, copied: Copied) -> None:
        """Append what the leader sent (`Partition.appendRecordsToFollowerOrFuture`).

        Batches of a later epoch than the one followed are left out (BR-26). What
        compaction took of the leader's log leaves a gap in this one, too.
        """
        replica, batches, high_watermark, start, _, _, removed = copied
        if self.is_full and batches:
            self.halt()
            return
        now_ns = self._calendar.now_ns
        log = replica.ends
        replica.is_new = False
        if log.log_end_offset == log.log_start_offset and batches:
            self._begin_at(replica, header_of(batches[0]))
        # Readers may look into the log of who led last without asking its copy for it.
        seen = self._partitions[replica.partition].leader == self.index
        append = replica.append if seen else replica.append_copy
        epoch = replica.leader_epoch
        for batch in batches:
            header = batch.header
            assert header is not None, "a copy of what no leader appended"
            if header.leader_epoch > epoch:
                break
            if header.base_offset >= log.log_end_offset:
                append(header, batch, now_ns)
        if removed:
            end = log.log_end_offset
            replica.note_removed([each for each in removed if each[0] < end])
        if high_watermark > log.log_end_offset:
            high_watermark = log.log_end_offset
        own_start = log.log_start_offset
        if high_watermark < own_start:
            high_watermark = own_start
        log.high_watermark = high_watermark
        if start > own_start:
            replica.log.move_start(min(start, high_watermark))

    def _begin_at(self, replica: Replica, header: BatchHeader) -> None:
        """Let an empty log begin with a batch that holds its start.

        Source: `Partition.appendRecordsToFollowerOrFutureReplica`, the case of an
        `UnexpectedAppendOffsetException`.
        """
        start = replica.log.log_start_offset
        if header.base_offset < start < header.next_offset:
            replica.begin_at(header.base_offset, self._calendar.now_ns, start)

    def truncate(self, replica: Replica, offset: int) -> None:
        """Cut a copy where it parts from its leader's log (BR-23)."""
        now_ns = self._calendar.now_ns
        self._write_cut(replica, replica.truncate_to(offset, now_ns))

    def begin_anew(self, replica: Replica, offset: int) -> None:
        """Drop a copy that ends before its leader's log starts (BR-27).

        What it had was deleted at the leader; nothing is lost by it.
        """
        self._write_cut(replica, replica.begin_at(offset, self._calendar.now_ns))

    def _write_cut(self, replica: Replica, gone: dict[LogSegment, Life]) -> None:
        for segment, life in gone.items():
            self._calls.write_segment(
                replica, segment, life, self._calendar.now_ns, "truncation"
            )
        self._write_replica(replica, "truncated")

    def tell_start(self, index: int) -> None:
        """Let followers know with their next answer where a log begins (LG-12)."""
        for fetcher in self._followers.get(index, ()):
            fetcher.moved[index] = self.replicas[index]

    def lose_disk(self) -> None:
        """Find an empty disk where its copies were, before its process starts again.

        What only it had is gone for readers; the longest copy that is left stands for
        the leader's until there is one. It has no file that says that it stopped
        in order, so it is taken out of every ISR when it registers (CT-12, KIP-966),
        and copies what others have like any other follower.
        """
        now_ns = self._calendar.now_ns
        for index, replica in self.replicas.items():
            end = replica.log.log_end_offset
            for segment, life in replica.begin_at(0, now_ns).items():
                self._calls.write_segment(replica, segment, life, now_ns, "lost_disk")
            replica.is_new = True
            self._write_replica(replica, "lost its disk")
            partition = self._partitions[index]
            if partition.leader == self.index:
                left = [r for r in partition.replicas.values() if not r.is_new]
                heir = max(left or [replica], key=lambda r: r.log.log_end_offset)
                agreed = partition.lead(heir.node, partition.leader_epoch)
                partition.cut_from = end
                self._calls.on_lead(partition, agreed)

    # --- what the controller says -------------------------------------------------

    def apply(self, changed: Changed) -> None:
        """Take in a batch of metadata (`ReplicaManager.applyDelta`)."""
        if not (self.up and self.registered) or self.holds(self.apply, changed):
            return
        self.metadata_offset = changed.offset
        for broker in changed.brokers:
            self._meet(broker)
        touched: dict[FetchSession, None] = {}
        for index, state in changed.partitions:
            if state.partition_epoch < self.image[index].partition_epoch:
                continue
            before, self.image[index] = self.image[index], state
            replica = self.replicas.get(index) or self._take_up(index)
            if replica is None:
                continue
            if state.leader == self.index:
                nodes = [broker.node for broker in changed.brokers]
                choice = choice_of(before, state, nodes)
                self._lead(replica, state, before, choice, touched)
            elif state.leader_epoch > replica.leader_epoch or replica.leader < 0:
                self._follow(replica, state)
        self._wake(touched, {})

    def _take_up(self, index: int) -> Replica | None:
        """Have a copy of a partition that was added; None if it is on others."""
        replica = self._partitions[index].replicas.get(self.index)
        if replica is not None:
            checks = self._has_followers()
            self.replicas[index] = replica
            if not checks:
                self._begin_to_check_lag()
        return replica

    def _meet(self, broker: BrokerState) -> None:
        self._active[broker.node] = broker.active
        if broker.node == self.index:
            self.serves = self.serves or broker.active
            return
        for replica in self.replicas.values():
            if replica.state is not None and broker.node in replica.state.log_ends:
                replica.state.eligibility(broker.node, eligible=broker.active)

    def _lead(
        self,
        replica: Replica,
        told: PartitionState,
        before: PartitionState,
        choice: Choice,
        touched: dict[FetchSession, None],
    ) -> None:
        """Lead a partition from now on, or with another ISR (`makeLeader`)."""
        now_ns = self._calendar.now_ns
        index, state = replica.partition, replica.state
        if state is not None and state.leader_epoch == told.leader_epoch:
            if state.altered(told.isr, told.partition_epoch, now_ns):
                self._advanced(replica, state, touched)
            self._look_at_outsiders(index, state)
            self._write_isr(index, before, told)
            return
        if state is not None:
            self._turn_away(index, FENCED_LEADER_EPOCH)
        if replica.leader in self.fetchers:
            self.fetchers[replica.leader].remove(index)
        log = replica.log
        replica.leader, replica.leader_epoch = self.index, told.leader_epoch
        replica.is_new = False
        log.leader_epochs.assign(told.leader_epoch, log.log_end_offset)
        replica.state = state = self._new_state(replica, told)
        self._followers.pop(index, None)
        partition = self._partitions[index]
        # A broker that stood still may hear late of what is over already.
        if told.leader_epoch > partition.leader_epoch:
            agreed = partition.lead(self.index, told.leader_epoch)
            self._calls.on_lead(partition, agreed)
        self._write_replica(replica, choice.value)
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
            self._turn_away(index, NOT_LEADER_OR_FOLLOWER)
        self._write_replica(replica, "follows" if told.leader >= 0 else "no leader")
        if told.leader >= 0:
            self.fetchers[told.leader].add(replica)

    def _turn_away(self, index: int, error: int) -> None:
        """Let nobody read a partition who does not ask anew (BR-29)."""
        for session in self._sessions.get(index, ()):
            session.refuse(self._partitions[index], error)
            if session.parked is not None and session.has_enough():
                self._complete_fetch(session, session.parked)

    def _new_state(self, replica: Replica, told: PartitionState) -> LeaderState:
        return leader_state(
            self.index,
            told,
            replica,
            lag_max_ns=self._settings.lag_max_ns,
            now_ns=self._calendar.now_ns,
        )

    # --- the ISR ------------------------------------------------------------------

    def _has_followers(self) -> bool:
        return any(len(self.image[index].replicas) > 1 for index in self.replicas)

    def _begin_to_check_lag(self) -> None:
        """Look for followers that lag from now on, if there may be any."""
        if self._has_followers():
            half_ns = self._settings.lag_max_ns // 2
            self._check_lag_at(self._calendar.now_ns + half_ns)

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
                self._ask_for(replica, state, state.ask())
        self._check_lag_at(now_ns + self._settings.lag_max_ns // 2)

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
        self._look_at_outsiders(request.partition, state)
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
                    role = "offline"
                self._calls.write_replica(copy_, told, role, cause)

    def _write_replica(self, replica: Replica, cause: str) -> None:
        role = "leader" if replica.state is not None else "follower"
        if not self.up:
            role = "offline"
        state = self.image[replica.partition]
        self._calls.write_replica(replica, state, role, cause)

    # --- faults -------------------------------------------------------------------

    def come_back(self) -> None:
        """Run again, as a new process (`ReplicaManager.startup`)."""
        super().come_back()
        self._begin_to_check_lag()

    def crash(self, cause: str = "crashed") -> None:
        """Stop at once; what was in memory is gone, the logs are as they were."""
        super().crash()
        self._followers.clear()
        self._produce_timeouts.clear()
        for fetcher in self.fetchers.values():
            fetcher.stop()
        for replica in self.replicas.values():
            replica.state = None
            replica.leader = -1
            replica.delayed.clear()
            self._write_replica(replica, cause)
