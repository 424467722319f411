"""A broker whose groups have coordinators: it leads partitions of the offsets topic.

Requests of members arrive, wait and are served like all others; then the coordinator
has them, and the IO thread goes on (`KafkaApis`, `GroupCoordinatorService`).
"""

from collections.abc import Sequence
from typing import Any, cast

from kafkasim.engine.sim.coordinators import Coordinators
from kafkasim.engine.sim.equipped import EquippedReplica
from kafkasim.engine.sim.fetch_session import FetchSession
from kafkasim.engine.sim.group_requests import GROUP_APIS, GroupRequest
from kafkasim.engine.sim.literal_batches import LiteralBatch
from kafkasim.engine.sim.replica import Replica
from kafkasim.engine.sim.replicated_broker import ReplicatedBroker
from kafkasim.engine.sim.request import Request
from kafkasim.protocol.cluster.controller_election import Choice
from kafkasim.protocol.cluster.controller_messages import Changed, PartitionState
from kafkasim.protocol.cluster.replica import LeaderState
from kafkasim.protocol.errors import (
    KAFKA_STORAGE_ERROR,
    MESSAGE_TOO_LARGE,
    NOT_ENOUGH_REPLICAS,
    NOT_LEADER_OR_FOLLOWER,
)
from kafkasim.protocol.groups.message_bytes import response_bytes


class CoordinatingBroker(ReplicatedBroker):
    """Such a broker.

    Attributes
    ----------
    coordinators : Coordinators
        Those it has.
    offsets : range
        Indices of the offsets topic's partitions.
    """

    coordinators: Coordinators
    offsets: range

    def coordinate_with(
        self, coordinators: Coordinators, offsets: range, topics: Sequence[str]
    ) -> None:
        """Give it its coordinators, the partitions of their topic, and all names.

        Those of topics, by the number that their partitions have as `topic`.
        """
        self.coordinators = coordinators
        self.offsets = offsets
        self._topic_names = topics

    def _serviced(self, request: Request) -> None:
        if request.api not in GROUP_APIS:
            super()._serviced(request)
        elif (
            self.up
            and request.dequeued_ns >= self._up_since_ns
            and (self._held is None or not self.holds(self._serviced, request))
        ):
            self._next_of_queue()
            assert isinstance(request, GroupRequest)
            self.coordinators.take(request)

    # --- what its coordinators ask of it --------------------------------------------

    def leader_of(self, index: int) -> int:
        """Return the leader of a partition as known here; negative: none."""
        return self.image[index].leader

    def answer(self, request: GroupRequest) -> None:
        """Send an answer, and note how large it is."""
        request.said_bytes += response_bytes(request.payload, request.answer)
        self._answer(request, 0)

    def most_bytes(self, index: int) -> int:
        """Return how large a batch of a partition may be."""
        return self.replicas[index].config.max_message_bytes

    def reading_ns(self, size_bytes: int) -> int:
        """Return how long it takes to read so many bytes of a log."""
        return round(size_bytes * self._ns_per_byte)

    def append_records(self, batch: LiteralBatch) -> int:
        """Append a batch; return the offset after it, or −1 less the error.

        Enough copies have to be in sync, as with acks=all
        (`CoordinatorPartitionWriter.append`).
        """
        replica = self.replicas[batch.partition_index]
        state = replica.state
        if state is None:
            return -1 - NOT_LEADER_OR_FOLLOWER
        if state.under_min_isr:
            return -1 - NOT_ENOUGH_REPLICAS
        if batch.size_bytes > self.most_bytes(batch.partition_index):
            return -1 - MESSAGE_TOO_LARGE
        if self.is_full:
            self.halt()
            return -1 - KAFKA_STORAGE_ERROR
        touched: dict[FetchSession, None] = {}
        followers: dict[Any, None] = {}
        # Nothing else refuses such a batch, so no request is told of it.
        nobody = cast("Request", None)
        end = self._append(batch, replica, state, nobody, touched, followers)
        self._wake(touched, followers)
        return end

    # --- what the controller says -----------------------------------------------------

    def apply(self, changed: Changed) -> None:
        """Take in a batch of metadata; tell coordinators of partitions that are new."""
        image = self.image
        new = [i for i, _ in changed.partitions if image[i].partition_epoch < 0]
        super().apply(changed)
        topics = {
            self._topic_names[self._partitions[index].topic]
            for index in new
            if image[index].partition_epoch >= 0
        }
        if topics:
            self.coordinators.metadata_changed(topics)

    def _advanced(
        self, replica: Replica, state: LeaderState, touched: dict[FetchSession, None]
    ) -> None:
        super()._advanced(replica, state, touched)
        if replica.partition in self.offsets:
            self.coordinators.advanced(replica.partition)

    def _lead(
        self,
        replica: Replica,
        told: PartitionState,
        before: PartitionState,
        choice: Choice,
        touched: dict[FetchSession, None],
    ) -> None:
        known = replica.state
        super()._lead(replica, told, before, choice, touched)
        if replica.state is not known and replica.partition in self.offsets:
            self.coordinators.elected(replica.partition)

    def _follow(self, replica: Replica, told: PartitionState) -> None:
        super()._follow(replica, told)
        if replica.partition in self.offsets:
            self.coordinators.resigned(replica.partition)

    def crash(self, cause: str = "crashed") -> None:
        """Stop at once; what was in memory is gone, the logs are as they were."""
        super().crash(cause)
        self.coordinators.crashed()


class EquippedCoordinator(EquippedReplica, CoordinatingBroker):
    """One whose network threads, disk and page cache take part."""
