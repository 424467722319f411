"""What an application may ask of its consumer beside polling: pause, resume and seek.

A partition that is paused is not fetched, and what was fetched of it is kept but not
returned; its broker may be fetched from as if nothing were buffered. Seeking drops what
was fetched (CO-5).

Source: `ClassicKafkaConsumer`, `SubscriptionState`, `FetchCollector` (4.3).
"""

from collections.abc import Callable

from kafkasim.engine.sim.fetcher import Fetcher
from kafkasim.engine.sim.offset_fetcher import leader_of
from kafkasim.engine.sim.partition import Partition

Wish = Callable[["SeekingFetcher", int], None]
"""Something that an application does with its consumer, and when (ns)."""


class SeekingFetcher(Fetcher):
    """A fetcher whose application may pause partitions and seek in them."""

    def own(self, partition: Partition) -> None:
        """Have one partition more, to be read from the next `start` on."""
        index = partition.index
        leader, self._epochs[index] = leader_of(self._metadata, partition)
        self.owned.append(partition)
        self._session_of[index] = self._session_at(max(leader, 0))

    def ask_where(self, partition: Partition) -> None:
        """Read a partition of which nothing is committed, from where its leader says.

        It is asked with the next poll; with `auto.offset.reset=none` that throws an
        exception (`NoOffsetForPartitionException`).
        """
        self._offsets.note(partition)
        self.is_unsure = True
        self.has_failed |= not self._group.resets

    def pause(self, partition: Partition) -> None:
        """Neither fetch a partition nor return what was fetched of it (CO-5)."""
        index = partition.index
        if index in self._paused:
            return
        session = self._session_of[index]
        taken = self._paused[index] = self.buffer.take_out(partition)
        session.buffered -= len(taken)
        session.leave(partition)
        self._free(session)

    def resume(self, partition: Partition) -> None:
        """Fetch a partition again, and return what was fetched of it."""
        index = partition.index
        if index not in self._paused:
            return  # its process has crashed since
        taken = self._paused.pop(index)
        session = self._session_of[index]
        self.buffer.put_back(taken, session)
        if index in session.goers and session.request is not None:
            session.goers.remove(index)  # it is still in the fetch under way
        elif index not in self._offsets.open:
            self._fetch_on(partition)
        if session.buffered and session in self._idle:
            self._idle.remove(session)

    def seek(self, partition: Partition, offset: int) -> None:
        """Go on at an offset, and drop what was fetched of a partition (CO-5)."""
        self._drop(partition)
        self._offsets.open.pop(partition.index, None)
        self._go_on(partition, offset)

    def seek_time(self, partition: Partition, timestamp_ms: int) -> None:
        """Go on where the leader says, and drop what was fetched of a partition.

        It is asked with the next poll.

        Parameters
        ----------
        partition : Partition
            One that it reads.
        timestamp_ms : int
            A time, or one of ListOffsets' timestamps (`seekToBeginning`, `seekToEnd`,
            `offsetsForTimes`).
        """
        self._drop(partition)
        self._offsets.note(partition, wish=timestamp_ms)
        self.is_unsure = True

    def _drop(self, partition: Partition) -> None:
        """Drop what was fetched of a partition, and fetch no more of it for now."""
        index = partition.index
        session = self._session_of[index]
        session.buffered -= len(self.buffer.take_out(partition))
        if index in self._paused:
            self._paused[index] = []
        session.leave(partition)
        self._free(session)
