"""All partitions of a cluster: what happens to them when brokers come and go.

`ReplicationControlManager`. Methods say what is to change, and `write` and `append` do
it. Partitions are walked in ascending order, where Kafka takes that of a hash map.
"""

from collections.abc import Iterable, Sequence

from kafkasim.protocol.cluster.controller_brokers import Brokers, Standing
from kafkasim.protocol.cluster.controller_election import Election, change_partition
from kafkasim.protocol.cluster.controller_messages import (
    NO_LEADER,
    AddPartitions,
    AlterPartition,
    MoveLeader,
    PartitionState,
)
from kafkasim.protocol.cluster.placement import (
    PlacementError,
    ReplicaPlacer,
    UsableBroker,
    check_assignment,
)
from kafkasim.protocol.errors import (
    FENCED_LEADER_EPOCH,
    INELIGIBLE_REPLICA,
    INVALID_REQUEST,
    INVALID_UPDATE_VERSION,
    NONE,
    NOT_CONTROLLER,
    UNKNOWN_TOPIC_OR_PARTITION,
)

Changes = list[tuple[int, PartitionState]]
"""Partitions and what they are to be."""


class Partitions:
    """The partitions of a cluster, by their numbers in the run.

    Parameters
    ----------
    states : sequence of PartitionState
        What they are.
    brokers : Brokers
        Who may lead them.
    elr : bool
        Whether there are eligible leader replicas.
    min_isr, unclean : sequence
        `min.insync.replicas` and `unclean.leader.election.enable` of each one's topic.
    """

    def __init__(
        self,
        states: Sequence[PartitionState],
        brokers: Brokers,
        *,
        elr: bool,
        min_isr: Sequence[int],
        unclean: Sequence[bool],
    ) -> None:
        self.states = list(states)
        self.min_isr = list(min_isr)
        self.unclean = list(unclean)
        self._brokers = brokers
        self._elr = elr

    def write(self, changes: Changes) -> None:
        """Make partitions what they are to be."""
        for partition, state in changes:
            self.states[partition] = state

    def append(self, changes: Changes, first: int) -> None:
        """Add partitions that follow the last one, with the settings of another."""
        self.states += [state for _, state in changes]
        self.min_isr += [self.min_isr[first]] * len(changes)
        self.unclean += [self.unclean[first]] * len(changes)

    def leads(self, node: int) -> bool:
        """Return whether a broker leads a partition."""
        return any(state.leader == node for state in self.states)

    # Elections

    def without(self, node: int, *, lost: bool) -> Changes:
        """Take a broker out of every ISR (CT-3).

        Parameters
        ----------
        node : int
            A broker that is not active any more.
        lost : bool
            It may have lost records, and so leaves every ELR too (CT-12).
        """
        changes: Changes = []
        for partition, state in enumerate(self.states):
            if node in state.isr or (lost and node in state.elr):
                isr = tuple(other for other in state.isr if other != node)
                self._add_change(
                    changes, partition, isr, lost_node=node if lost else -1
                )
        return changes

    def led_again(self, node: int) -> Changes:
        """Look for leaders of partitions that have none (CT-10).

        Parameters
        ----------
        node : int
            A broker that was unfenced just now; it may lead even when it registered
            before it was last told to shut down.
        """
        changes: Changes = []
        for partition, state in enumerate(self.states):
            if state.leader == NO_LEADER:
                self._add_change(changes, partition, state.isr, unfenced_node=node)
        return changes

    def _add_change(
        self,
        changes: Changes,
        partition: int,
        isr: tuple[int, ...],
        *,
        lost_node: int = -1,
        unfenced_node: int = -1,
    ) -> None:
        unclean = self.unclean[partition]
        state = self._changed(
            partition,
            isr,
            Election.UNCLEAN if unclean else Election.ONLINE,
            lost_node=lost_node,
            unfenced_node=unfenced_node,
        )
        if state is not None:
            changes.append((partition, state))

    def preferred(self, limit: int) -> Changes:
        """Move leaderships to preferred leaders that are ready, so many (CT-13)."""
        changes: Changes = []
        for partition, state in enumerate(self.states):
            if len(changes) >= limit:
                break
            if state.leader != state.replicas[0]:
                changed = self._changed(partition, state.isr, Election.PREFERRED)
                if changed is not None:
                    changes.append((partition, changed))
        return changes

    def uncleanly(self, limit: int) -> Changes:
        """Elect leaders where there are none and anybody may lead, so many (CT-8)."""
        changes: Changes = []
        for partition, state in enumerate(self.states):
            if len(changes) >= limit:
                break
            if state.leader == NO_LEADER and self.unclean[partition]:
                self._add_change(changes, partition, state.isr)
        return changes

    def moved(self, request: MoveLeader) -> Changes:
        """Let another copy lead, the first in their order from then on.

        Nothing where it is not in sync, or its broker is not active.
        """
        partition, node = request.partition, request.node
        state = self.states[partition]
        others = tuple(other for other in state.replicas if other != node)
        if node not in state.isr:
            return []
        changed = change_partition(
            state._replace(replicas=(node, *others)),
            state.isr,
            self._brokers.is_active,
            min_isr=min(self.min_isr[partition], len(state.replicas)),
            elr=self._elr,
            election=Election.PREFERRED,
        )
        return [] if changed is None else [(partition, changed)]

    def _changed(
        self,
        partition: int,
        isr: tuple[int, ...],
        election: Election,
        *,
        lost_node: int = -1,
        unfenced_node: int = -1,
        recovering: bool | None = None,
    ) -> PartitionState | None:
        state = self.states[partition]
        return change_partition(
            state,
            isr,
            lambda node: node == unfenced_node or self._brokers.is_active(node),
            min_isr=min(self.min_isr[partition], len(state.replicas)),
            elr=self._elr,
            election=election,
            lost_node=lost_node,
            recovering=recovering,
        )

    # What leaders and administrators want

    def altered(self, request: AlterPartition) -> PartitionState | None:
        """Return the partition with the ISR its leader wants; None: it has it.

        `refused` is asked first.
        """
        unclean = self.unclean[request.partition]
        return self._changed(
            request.partition,
            request.isr,
            Election.UNCLEAN if unclean else Election.ONLINE,
            recovering=request.recovering,
        )

    def refused(self, request: AlterPartition) -> int:
        """Return why a leader may not have the ISR it wants, NONE if it may (BR-19).

        `validateAlterPartitionData`, in its order: the first that holds counts.
        """
        if not 0 <= request.partition < len(self.states):
            return UNKNOWN_TOPIC_OR_PARTITION
        state = self.states[request.partition]
        isr = request.isr
        ahead = (
            request.leader_epoch > state.leader_epoch
            or request.partition_epoch > state.partition_epoch
        )
        not_an_isr = (
            len(set(isr)) < len(isr)
            or any(node not in state.replicas for node in isr)
            or state.leader not in isr
        )
        recovers = request.recovering and (len(isr) > 1 or not state.recovering)
        verdicts = (
            (ahead, NOT_CONTROLLER),  # it knows more than this controller
            (request.leader_epoch < state.leader_epoch, FENCED_LEADER_EPOCH),
            (request.node != state.leader, INVALID_REQUEST),
            (request.partition_epoch < state.partition_epoch, INVALID_UPDATE_VERSION),
            (not_an_isr or recovers, INVALID_REQUEST),
            (not self._may_join(request), INELIGIBLE_REPLICA),
        )
        return next((error for holds, error in verdicts if holds), NONE)

    def _may_join(self, request: AlterPartition) -> bool:
        """Return whether all of an ISR are active, each in the epoch it is known by."""
        known = request.isr_epochs or (-1,) * len(request.isr)
        return all(
            self._brokers.is_active(node) and epoch in (-1, self._brokers[node].epoch)
            for node, epoch in zip(request.isr, known, strict=True)
        )

    def added(
        self,
        request: AddPartitions,
        racks: Sequence[str | None],
        placer: ReplicaPlacer,
    ) -> Changes:
        """Return partitions that are to be added (`createPartitions`, PL-6).

        Raises
        ------
        PlacementError
            When they cannot be placed, or not as asked.
        """
        factor = len(self.states[request.first].replicas)
        states = self._brokers.states
        if request.assignment:
            nodes = [state.node for state in states]
            for chosen in request.assignment:
                check_assignment(chosen, nodes, factor)
            placed = list(request.assignment)
        else:
            usable = [
                UsableBroker(state.node, racks[state.node], state.fenced)
                for state in states
                if self._brokers.standing(state.node) is not Standing.SHUTTING_DOWN
            ]
            placed = placer.place(usable, request.count, factor)
        number = len(self.states)
        changes: Changes = []
        for replicas in placed:
            isr = tuple(node for node in replicas if self._brokers.is_active(node))
            if not isr:
                by_hand = bool(request.assignment)
                raise PlacementError(
                    "INVALID_REPLICA_ASSIGNMENT"
                    if by_hand
                    else "INVALID_REPLICATION_FACTOR",
                    f"no broker of {replicas} is active",
                )
            changes.append((number, PartitionState(replicas, isr, isr[0])))
            number += 1
        return changes

    def without_elr(self, partitions: Iterable[int]) -> Changes:
        """Forget the eligible leader replicas of partitions (CT-21)."""
        return [
            (
                partition,
                state._replace(
                    elr=(), last_known_elr=(), partition_epoch=state.partition_epoch + 1
                ),
            )
            for partition in partitions
            if (state := self.states[partition]).elr or state.last_known_elr
        ]
