"""The KRaft controller: who is alive, who leads what, who is in sync.

A machine: requests go in, effects come out, time is an argument. It follows
`QuorumController`, `ReplicationControlManager` and `ClusterControlManager` of Kafka 4.3
(CT-1 to CT-15, CT-17 to CT-21, BR-19). What it decides becomes one batch of metadata
records, the effect `Changed`. When brokers learn of that (CT-14), and how long it takes
until another controller takes over (CT-15, CT-16), is not its business.

Nobody tells it that a broker's connections broke: it knows heartbeats only (CT-2).
"""

from collections.abc import Sequence
from typing import Final, assert_never

from kafkasim.protocol.cluster.controller_brokers import Brokers, Cause, Standing
from kafkasim.protocol.cluster.controller_messages import (
    AddPartitions,
    AlterPartition,
    AlterTopic,
    Answer,
    BrokerState,
    Changed,
    ControllerSettings,
    Effect,
    ElectPreferred,
    Failover,
    Heartbeat,
    MayStop,
    MoveLeader,
    PartitionState,
    Register,
    Request,
    Resign,
)
from kafkasim.protocol.cluster.controller_partitions import Changes, Partitions
from kafkasim.protocol.cluster.placement import (
    MAX_PARTITIONS_PER_REQUEST,
    Next31,
    PlacementError,
    ReplicaPlacer,
)
from kafkasim.protocol.errors import (
    DUPLICATE_BROKER_REGISTRATION,
    ERRORS,
    INELIGIBLE_REPLICA,
    INVALID_PARTITIONS,
    INVALID_REPLICA_ASSIGNMENT,
    NONE,
    NOT_CONTROLLER,
    POLICY_VIOLATION,
    STALE_BROKER_EPOCH,
    UNKNOWN_TOPIC_OR_PARTITION,
)

CHECKS_PER_SESSION: Final = 8
"""Looks for stale brokers in one session timeout (`maybeFenceStaleBrokerPeriodNs`)."""
AGAIN_MS: Final = 10
"""Until a periodic task that left work undone runs again (`PeriodicTask`)."""
MAX_ELECTIONS: Final = 1_000
"""Leaders that one run of a periodic task elects (`MAX_ELECTIONS_PER_IMBALANCE`)."""


class Controller:
    """The active controller of a cluster whose brokers are all up at the start.

    Parameters
    ----------
    settings : ControllerSettings
        Its configuration.
    partitions : sequence of PartitionState
        All partitions, in the order of their numbers in the run.
    brokers : int
        Nodes 0 to `brokers` - 1 are registered and unfenced; the epoch of each is its
        node.
    min_isr, unclean : sequence, optional
        `min.insync.replicas` and `unclean.leader.election.enable` of each partition's
        topic; 1 and False when left out.
    racks : sequence of str or None, optional
        Rack of each node, for the replicas of partitions that are added.
    draws : Next31, optional
        For the same; see `ReplicaPlacer`.
    now_ms : int
        When it became active and last heard of everybody.
    """

    def __init__(
        self,
        settings: ControllerSettings,
        partitions: Sequence[PartitionState],
        brokers: int,
        *,
        min_isr: Sequence[int] | None = None,
        unclean: Sequence[bool] | None = None,
        racks: Sequence[str | None] | None = None,
        draws: Next31 | None = None,
        now_ms: int = 0,
    ) -> None:
        self.settings = settings
        self._brokers = Brokers(brokers, settings.session_timeout_ms, now_ms)
        self._partitions = Partitions(
            partitions,
            self._brokers,
            elr=settings.elr,
            min_isr=[1] * len(partitions) if min_isr is None else min_isr,
            unclean=[False] * len(partitions) if unclean is None else unclean,
        )
        self._racks = [None] * brokers if racks is None else racks
        self._placer = ReplicaPlacer(draws)
        self._offset = brokers + len(partitions) - 1
        """Of the last record in the metadata log."""
        self._periods_ms = (
            max(1, settings.session_timeout_ms // CHECKS_PER_SESSION),
            settings.preferred_interval_ms,
            settings.unclean_interval_ms,
        )
        self._tasks = (self._fence_one, self._balance, self._elect_uncleanly)
        self._due_ms: list[int | None] = []
        """When each task runs next; empty while no controller is active."""
        self._activate(now_ms)

    @property
    def partitions(self) -> tuple[PartitionState, ...]:
        """All partitions as they are now."""
        return tuple(self._partitions.states)

    @property
    def brokers(self) -> tuple[BrokerState, ...]:
        """All registered brokers as they are now, by node."""
        return self._brokers.states

    @property
    def offset(self) -> int:
        """Of the last record in the metadata log."""
        return self._offset

    @property
    def active(self) -> bool:
        """Whether there is an active controller."""
        return bool(self._due_ms)

    @property
    def next_deadline_ms(self) -> int | None:
        """When to call `handle_timeout`; None while no controller is active."""
        return min((due for due in self._due_ms if due is not None), default=None)

    def handle_timeout(self, now_ms: int) -> list[Effect]:
        """Run the periodic tasks that are due, if any."""
        effects: list[Effect] = []
        for place, due_ms in enumerate(self._due_ms):
            if due_ms is None or now_ms < due_ms:
                continue
            decided, more = self._tasks[place](now_ms)
            effects += decided
            period_ms = AGAIN_MS if more else self._periods_ms[place]
            self._due_ms[place] = None if period_ms is None else now_ms + period_ms
        return effects

    def handle(self, request: Request, now_ms: int) -> list[Effect]:
        """Decide on a request; the batch of metadata comes before the answer."""
        effects: list[Effect] = []
        match request:
            case Failover():
                self._brokers.take_over(now_ms)
                self._activate(now_ms)
            case Resign():
                self._due_ms = []
            case _ if not self.active:
                effects = [Answer(request, NOT_CONTROLLER)]
            case Heartbeat():
                effects = self._heartbeat(request, now_ms)
            case AlterPartition():
                effects = self._alter_partition(request)
            case Register():
                effects = self._register(request, now_ms)
            case ElectPreferred() | MoveLeader():
                effects = self._elect(request)
            case AddPartitions():
                effects = self._add_partitions(request)
            case AlterTopic():
                effects = self._alter_topic(request)
            case _:
                assert_never(request)
        return effects

    def _activate(self, now_ms: int) -> None:
        """Start the periodic tasks; each runs first after its period (CT-15)."""
        self._due_ms = [
            None if period is None else now_ms + period for period in self._periods_ms
        ]

    def _write(
        self, changes: Changes, brokers: Sequence[BrokerState] = ()
    ) -> list[Effect]:
        """Change partitions, and say so in a batch of metadata."""
        self._partitions.write(changes)
        return self._batch(changes, brokers)

    def _batch(
        self, changes: Changes, brokers: Sequence[BrokerState] = ()
    ) -> list[Effect]:
        if not changes and not brokers:
            return []
        self._offset += len(changes) + len(brokers)
        return [Changed(tuple(changes), tuple(brokers), self._offset)]

    # Periodic tasks

    def _fence_one(self, now_ms: int) -> tuple[list[Effect], bool]:
        """Fence one broker that was not heard of for long (CT-1, CT-3)."""
        expired = self._brokers.pop_expired(now_ms)
        if expired is None:
            return [], False
        if not self._brokers.is_current(*expired):
            return [], True
        node, _ = expired
        return self._move(node, Cause.EXPIRED), True

    def _balance(self, _now_ms: int) -> tuple[list[Effect], bool]:
        changes = self._partitions.preferred(MAX_ELECTIONS)
        return self._write(changes), len(changes) >= MAX_ELECTIONS

    def _elect_uncleanly(self, _now_ms: int) -> tuple[list[Effect], bool]:
        changes = self._partitions.uncleanly(MAX_ELECTIONS)
        return self._write(changes), len(changes) >= MAX_ELECTIONS

    # Requests

    def _elect(self, request: ElectPreferred | MoveLeader) -> list[Effect]:
        """Move leaderships that somebody wants elsewhere, as far as that goes."""
        error = NONE
        if isinstance(request, ElectPreferred):
            changes = self._partitions.preferred(len(self._partitions.states))
        else:
            changes = self._partitions.moved(request)
            error = NONE if changes else INELIGIBLE_REPLICA
        return [*self._write(changes), Answer(request, error)]

    def _register(self, request: Register, now_ms: int) -> list[Effect]:
        """Let a broker in, fenced as yet (`registerBroker`, CT-12).

        While the session of the process before it lasts it is refused.
        """
        node = request.node
        if self._brokers.has_session(node, now_ms):
            return [Answer(request, DUPLICATE_BROKER_REGISTRATION)]
        self._brokers.register(node, self._offset + 1)
        lost = self.settings.elr and not request.clean
        changes = self._partitions.without(node, lost=lost)
        state = self._brokers[node]
        effects = self._write(changes, (state,))
        self._brokers.registered_at(node, self._offset)
        return [*effects, Answer(request, broker=state)]

    def _heartbeat(self, request: Heartbeat, now_ms: int) -> list[Effect]:
        """Note that a broker lives, and what follows (`processBrokerHeartbeat`)."""
        node = request.node
        brokers = self._brokers
        brokers.heard(node, request.broker_epoch, now_ms)
        if not brokers.is_current(node, request.broker_epoch):
            return [Answer(request, STALE_BROKER_EPOCH)]
        cause = brokers.cause_of(request, self._offset, self._partitions.leads)
        brokers.replayed(
            node, self._offset if request.offset is None else request.offset
        )
        effects = [] if cause is None else self._move(node, cause)
        if brokers.standing(node) is Standing.SHUTTING_DOWN:
            brokers.leaves_at(node, self._offset)
        effects.append(Answer(request, broker=brokers[node]))
        if cause is Cause.STOPS:
            effects.append(MayStop(node))
        return effects

    def _move(self, node: int, cause: Cause) -> list[Effect]:
        """Let a broker stand otherwise, with what that means for partitions."""
        moved = self._brokers.move(node, cause)
        changes = (
            self._partitions.led_again(node)
            if cause is Cause.CAUGHT_UP
            else self._partitions.without(node, lost=False)
        )
        return self._write(changes, (self._brokers[node],) if moved else ())

    def _alter_partition(self, request: AlterPartition) -> list[Effect]:
        """Let a leader have the ISR it wants (`alterPartition`, BR-19)."""
        if not self._brokers.is_current(request.node, request.broker_epoch):
            return [Answer(request, STALE_BROKER_EPOCH)]
        error = self._partitions.refused(request)
        if error != NONE:
            return [Answer(request, error)]
        partition = request.partition
        state = self._partitions.altered(request)
        if state is None:
            return [Answer(request, state=self._partitions.states[partition])]
        return [*self._write([(partition, state)]), Answer(request, state=state)]

    def _add_partitions(self, request: AddPartitions) -> list[Effect]:
        """Add partitions to a topic (`createPartitions`)."""
        by_hand = len(request.assignment)
        error = NONE
        if not 0 <= request.first < len(self._partitions.states):
            error = UNKNOWN_TOPIC_OR_PARTITION
        elif request.count <= 0:
            error = INVALID_PARTITIONS
        elif by_hand not in (0, request.count):
            error = INVALID_REPLICA_ASSIGNMENT
        elif request.count > MAX_PARTITIONS_PER_REQUEST:
            error = POLICY_VIOLATION
        if error != NONE:
            return [Answer(request, error)]
        try:
            added = self._partitions.added(request, self._racks, self._placer)
        except PlacementError as refused:
            return [Answer(request, ERRORS.index(refused.code))]
        self._partitions.append(added, request.first)
        return [*self._batch(added), Answer(request)]

    def _alter_topic(self, request: AlterTopic) -> list[Effect]:
        """Change a topic's settings; a new min ISR clears its ELRs (CT-21)."""
        partitions = self._partitions
        if not all(0 <= at < len(partitions.states) for at in request.partitions):
            return [Answer(request, UNKNOWN_TOPIC_OR_PARTITION)]
        changes: Changes = []
        for at in request.partitions:
            if request.unclean is not None:
                partitions.unclean[at] = request.unclean
            if request.min_isr is not None:
                partitions.min_isr[at] = request.min_isr
        if request.min_isr is not None and self.settings.elr:
            changes = partitions.without_elr(request.partitions)
        return [*self._write(changes), Answer(request)]
