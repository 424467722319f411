"""A fetcher whose partitions come and go.

What is taken from a member is fetched no more, and what was fetched of it is thrown
away (`SubscriptionState.assignFromSubscribed`, `Fetcher.clearBufferedDataFor…`).
"""

from kafkasim.engine.sim.fetch_session import FetchSession
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.seeking import SeekingFetcher


class OwningFetcher(SeekingFetcher):
    """Such a fetcher; it begins with none (`own` gives it one)."""

    def begin(self, partition: Partition, offset: int) -> None:
        """Read a partition that it owns, from an offset on."""
        index = partition.index
        self.positions[index] = self._origins[index] = offset
        self._fetch_on(partition)

    def disown(self, partition: Partition) -> None:
        """Own a partition no more, and drop what was fetched of it."""
        index = partition.index
        self._drop(partition)
        self.owned.remove(partition)
        self._offsets.open.pop(index, None)
        for each in (self.positions, self._origins, self._histories, self._paused):
            each.pop(index, None)
        del self._session_of[index], self._epochs[index]

    def _move(self, partition: Partition) -> None:
        """Move a partition in which there is a position; others wait for theirs."""
        if partition.index in self.positions:
            super()._move(partition)

    def _is_fetched(self, partition: Partition, session: FetchSession) -> bool:
        index = partition.index
        is_here = self._session_of.get(index) is session
        return is_here and index in self.positions and index not in self._offsets.open
