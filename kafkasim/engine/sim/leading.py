"""What a broker begins with when it becomes a partition's leader."""

from kafkasim.engine.sim.replica import Replica
from kafkasim.protocol.controller_messages import PartitionState
from kafkasim.protocol.replica import LeaderState


def leader_state(
    node: int,
    told: PartitionState,
    replica: Replica,
    *,
    lag_max_ns: int,
    now_ns: int,
) -> LeaderState:
    """Return what a new leader knows: its own log, and what the controller said.

    The least number of in-sync replicas is never more than there are copies (BR-7).
    """
    log = replica.log
    return LeaderState(
        node=node,
        replicas=told.replicas,
        isr=told.isr,
        leader_epoch=told.leader_epoch,
        partition_epoch=told.partition_epoch,
        epoch_start=log.log_end_offset,
        log_end=log.log_end_offset,
        high_watermark=log.high_watermark,
        min_isr=min(replica.config.min_insync_replicas, len(told.replicas)),
        lag_max_ns=lag_max_ns,
        now_ns=now_ns,
    )
