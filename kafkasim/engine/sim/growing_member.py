"""A member of a group some of whose topics get more partitions.

In Kafka the member that leads the group sees them with its next metadata, and lets all
join anew (`ConsumerCoordinator.rejoinNeededOrPending`, GR-15). Here the members stay
joined, keep what they have, and get of the new ones what the range assignor gives them.
"""

from kafkasim.engine.sim.client_metadata import ClientMetadata
from kafkasim.engine.sim.consumer import Member
from kafkasim.engine.sim.partition import Partition


class GrowingMember(Member):
    """Such a member; it is made like any."""

    @property
    def metadata(self) -> ClientMetadata:
        """What it knows of the leaders of its partitions."""
        return self._metadata

    def ask_for_metadata(self) -> None:
        """Look who leads, and what its topics have: its process has begun anew."""
        self._metadata.request_update(self._calendar.now_ns)

    def take_over(self, partition: Partition, leader: int, epoch: int) -> None:
        """Own a partition that was added; read it from the next poll on.

        Parameters
        ----------
        partition : Partition
            Which.
        leader, epoch : int
            The node that leads it, by what is known, and the leader epoch.
        """
        self._metadata.add(partition.index, leader, epoch)
        self.owned.append(partition)
        self.application.own(partition)
        self._fetcher.own(partition)
        if self.up:
            if len(self.owned) == 1:
                self._committer.start(self._calendar.now_ns)
            self._fetcher.ask_where(partition)
            self._retry()
