"""What brokers that replicate are told, and whom they tell."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.producer import Batch
from kafkasim.engine.sim.replica import Append, Life, LogSegment, Replica
from kafkasim.protocol.cluster.controller_messages import AlterPartition, PartitionState


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
    on_lead: Callable[[Partition, int], None]
    """Takes a partition that another copy leads now, and up to which offset it has what
    the leader before had."""
    on_vanished: Callable[[Sequence[Batch]], None]
    """Takes batches that were lost or refused, and that nobody awaits an answer for."""
    write_replica: Callable[[Replica, PartitionState, str, str], None]
    """Takes a copy, what is known of its partition, its role, and why it changed."""
    write_segment: Callable[[Replica, LogSegment, Life, int, str | None], None]
    """Takes a segment that a truncation took."""
    ask_controller: Callable[[int, AlterPartition], None]
    """Sends a request to the controller from a broker."""
