"""A fetcher whose partitions come and go.

What is taken from a member is fetched no more, and what was fetched of it is thrown
away (`SubscriptionState.assignFromSubscribed`, `Fetcher.clearBufferedDataFor…`).
"""

from collections.abc import Mapping

from kafkasim.engine.sim.fetch_session import FetchSession
from kafkasim.engine.sim.offset_fetcher import NO_EPOCH, leader_of
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.seeking import SeekingFetcher


class OwningFetcher(SeekingFetcher):
    """Such a fetcher; it begins with none (`own` gives it one)."""

    _begun: dict[int, tuple[int, int]]
    """Partition index → offset at which it begins, and the epoch it was committed with.
    """
    goes_round = False
    """There is something that only the next round of `poll()` asks."""

    def start(self, positions: Mapping[int, int]) -> None:
        """Read from these offsets, of all partitions."""
        self._begun = {}
        super().start(positions)

    def begin(self, partition: Partition, offset: int, epoch: int) -> None:
        """Read a partition that it owns, from where was committed.

        If the commit names the leader epoch of the record before, the leader is first
        asked whether its log still has that (`SubscriptionState.seekUnvalidated`,
        KIP-320). A round of `poll()` does so before it hears of committed offsets, so
        it is the next one that asks (`ClassicKafkaConsumer.updateFetchPositions`,
        `OffsetsRequestManager.updateFetchPositions`).
        """
        index = partition.index
        self.positions[index] = self._origins[index] = offset
        self._begun[index] = offset, epoch
        if epoch == NO_EPOCH:
            self._fetch_on(partition)
            return
        if epoch > leader_of(self._metadata, partition)[1]:
            self._metadata.request_update(self._calls.now_ns())
        self._offsets.note(partition, epoch, later=True)
        self.is_unsure = True

    def update(self, now_ns: int) -> None:
        """Follow the leaders, and ask what has to be known (`updateFetchPositions`)."""
        super().update(now_ns)
        self.goes_round = self._offsets.release()

    def ask_alone(self, now_ns: int) -> None:
        """Ask where to go on in what is begun, without a poll; then fetch it.

        A poll has only begun that (`OffsetsRequestManager.updatePositionsWithOffsets`).
        Whether a committed position still holds is asked with the next one.
        """
        if not self.has_failed:
            self._offsets.ask_resets(now_ns)
            self.fetch_alone(now_ns)

    def fetch_alone(self, now_ns: int) -> None:
        """Send fetches without a poll, once it is known where to go on.

        `ApplicationEventProcessor.process(AsyncPollEvent)`.
        """
        if not (self.has_failed or self._offsets.awaits_resets):
            self.send_fetches(now_ns)

    def epoch_at(self, index: int, position: int) -> int:
        """Return the leader epoch of the record before a position; −1: not known."""
        offset, epoch = self._begun.get(index, (-1, NO_EPOCH))
        return epoch if position == offset else super().epoch_at(index, position)

    def disown(self, partition: Partition) -> None:
        """Own a partition no more, and drop what was fetched of it."""
        index = partition.index
        self._drop(partition)
        self.owned.remove(partition)
        self._offsets.open.pop(index, None)
        self._begun.pop(index, None)
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
