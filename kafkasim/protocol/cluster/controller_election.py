"""How one partition changes: its ISR, its eligible leader replicas, its leader.

`PartitionChangeBuilder` (CT-4 to CT-9, CT-17 to CT-20). The ISR is what the caller
wants it to be; from it follow the eligible leader replicas (KIP-966), then the leader.
"""

from collections.abc import Callable, Container
from enum import Enum

from kafkasim.protocol.cluster.controller_messages import NO_LEADER, PartitionState


class Election(Enum):
    """Whom to elect."""

    ONLINE = "online"
    """Keep the leader, else take the first replica that is valid."""
    PREFERRED = "preferred"
    """Take the first replica if it is valid, else as `ONLINE`."""
    UNCLEAN = "unclean"
    """As `ONLINE`; when nobody is valid, take the first that is alive."""


class Choice(Enum):
    """From where a new leader was taken, the best first (CT-4, CT-19, CT-20, CT-5)."""

    IN_SYNC = "elected"
    """From the ISR."""
    ELIGIBLE = "elected from the ELR"
    """An eligible leader replica; the ISR is empty. It has all that was committed."""
    LAST_LEADER = "elected as the last leader"
    """There is neither, and the last leader is back. It is taken even where
    `unclean.leader.election.enable` is false, and counted as unclean."""
    UNCLEAN = "elected unclean"
    """Anybody who is alive, because the topic allows it."""


def choice_of(
    before: PartitionState, after: PartitionState, brokers: Container[int] = ()
) -> Choice:
    """Return from where the leader of a partition was taken.

    No record says it. `recovering` does not: after a clean election it is still set if
    the leader before never reported.

    Parameters
    ----------
    before, after : PartitionState
        The partition before and after the change of its leader.
    brokers : container of int
        Nodes in the same batch of metadata. One that was eligible is so no more, since
        it has just registered after an unclean stop.
    """
    leader = after.leader
    if leader in before.isr:
        return Choice.IN_SYNC
    if leader in before.elr:
        return Choice.ELIGIBLE
    waits_for = leader in before.last_known_elr
    if waits_for and all(node in brokers for node in before.elr):
        return Choice.LAST_LEADER
    return Choice.UNCLEAN


def change_partition(
    state: PartitionState,
    isr: tuple[int, ...],
    active: Callable[[int], bool],
    *,
    min_isr: int,
    elr: bool,
    election: Election = Election.ONLINE,
    lost_node: int = -1,
    recovering: bool | None = None,
) -> PartitionState | None:
    """Return the partition's next state, None when nothing changes.

    Parameters
    ----------
    state : PartitionState
        As it is.
    isr : tuple of int
        The ISR to have.
    active : callable
        Whether a node may lead: registered, unfenced, not shutting down.
    min_isr : int
        `min.insync.replicas`, or the number of replicas if that is less (BR-7).
    elr : bool
        Whether there are eligible leader replicas at all.
    election : Election
        Whom to elect.
    lost_node : int
        A node that may have lost records: it is nobody's eligible leader.
    recovering : bool, optional
        What `recovering` is to be; None: as it is, but for what an election changes.
    """
    kept = _eligible(state, isr, min_isr, lost_node) if elr else ()
    leader, unclean = _elect(state, isr, kept, active, election, elr=elr)
    moves = leader != state.leader
    if moves and (unclean or leader in kept):
        kept = () if unclean else tuple(node for node in kept if node != leader)
        isr = (leader,)
    elif not isr and not elr:
        isr = state.isr  # without eligible leader replicas the ISR is never empty
    last_known = state.last_known_elr
    if elr and moves:
        if leader >= 0:
            last_known = ()
        elif not last_known:
            last_known = (state.leader,)
    recovers = state.recovering if recovering is None else recovering
    changed = state._replace(
        isr=isr,
        leader=leader,
        elr=kept,
        last_known_elr=last_known,
        recovering=recovers or (moves and unclean),
    )
    if changed == state:
        return None
    return changed._replace(
        leader_epoch=state.leader_epoch + moves,
        partition_epoch=state.partition_epoch + 1,
    )


def _eligible(
    state: PartitionState, isr: tuple[int, ...], min_isr: int, lost_node: int
) -> tuple[int, ...]:
    """Return the eligible leader replicas that go with the ISR (CT-18)."""
    if len(isr) >= min_isr:
        return ()
    return tuple(
        sorted(
            node
            for node in {*state.isr, *state.elr}
            if node not in isr and node != lost_node
        )
    )


def _elect(
    state: PartitionState,
    isr: tuple[int, ...],
    kept: tuple[int, ...],
    active: Callable[[int], bool],
    election: Election,
    *,
    elr: bool,
) -> tuple[int, bool]:
    """Return the leader, and whether it may lack records that were acknowledged."""
    valid = isr or kept
    first = state.replicas[:1] if election is Election.PREFERRED else ()
    for node in (*first, state.leader, *state.replicas):
        if node in valid and active(node):
            return node, False
    if elr and not valid and len(state.last_known_elr) == 1:
        (last,) = state.last_known_elr
        if active(last):
            return last, True
    if election is Election.UNCLEAN:
        for node in state.replicas:
            if active(node):
                return node, True
    return NO_LEADER, False
