"""What a broker begins with when it becomes a leader, and where a follower parts."""

from kafkasim.engine.sim.following import Copied
from kafkasim.engine.sim.replica import Replica
from kafkasim.protocol.cluster.controller_messages import PartitionState
from kafkasim.protocol.cluster.replica import LeaderState


def leader_state(
    node: int,
    told: PartitionState,
    replica: Replica,
    *,
    lag_max_ns: int,
    now_ns: int,
) -> LeaderState:
    """Return what a new leader knows: its own log, and what the controller said."""
    log = replica.ends
    return LeaderState(
        node=node,
        replicas=told.replicas,
        isr=told.isr,
        leader_epoch=told.leader_epoch,
        partition_epoch=told.partition_epoch,
        epoch_start=log.log_end_offset,
        log_end=log.log_end_offset,
        high_watermark=log.high_watermark,
        min_isr=replica.config.min_insync_replicas,
        lag_max_ns=lag_max_ns,
        now_ns=now_ns,
    )


def correction_of(follower: Replica, leader: Replica) -> Copied | None:
    """Return what a follower has to do before it can copy; None if it can.

    One that has something else than the leader cuts it off. One whose log ends before
    the leader's starts learns of that when it fetches (BR-27).
    """
    log = leader.ends
    start = log.log_start_offset
    cut = -1 if follower.checked else parts_at(follower, leader)
    if cut < 0:
        return None
    return Copied(follower, [], log.high_watermark, start, truncate_to=cut)


def parts_at(follower: Replica, leader: Replica) -> int:
    """Return where a follower's log has to be cut, −1 if it is a part of the leader's.

    The leader says where its own last batch of the follower's epoch, or of the one
    before it, ends; the follower cuts there, or where its own does (BR-23, BR-24;
    KIP-101, KIP-279). A log without epochs is cut at its high watermark.
    """
    mine, log = follower.ends, leader.ends
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
