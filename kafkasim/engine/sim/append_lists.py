"""Which records a run still needs, and what remains of those it lets go.

A producer's accumulator holds a window of its source's records. A record is needed
until its batch's row is written, and as long as a group may still read it: from the
offset that the group has committed, or has processed when nothing can set it back. What
is let go leaves its ordinals: they go into the result's digest and, in a full run, into
the tables at its end.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.producer import ProducerClient

Ordinals = NDArray[np.int32]


class AppendLists:
    """The append lists of one source; its accumulator's keeper.

    Parameters
    ----------
    partitions : sequence of Partition
        Of its topic, by number.
    source_index : int
        Written in its batches.
    low_offset : callable
        Returns the lowest offset of a partition that a group may still read.
    take : callable
        Called with (partition number, ordinals): the next part of an append list.
    before : callable
        Called before anything is let go.
    keeps_all : bool
        Let nothing go before the end.
    """

    def __init__(
        self,
        *,
        partitions: Sequence[Partition],
        source_index: int,
        low_offset: Callable[[Partition], int],
        take: Callable[[int, Ordinals], None],
        before: Callable[[], None],
        keeps_all: bool = False,
    ) -> None:
        self._partitions = partitions
        self._source_index = source_index
        self._low_offset = low_offset
        self._take = take
        self._before = before
        self._keeps_all = keeps_all
        self.appended = [0] * len(partitions)
        """Per partition how far its append list is in the log; its run keeps it so."""
        self.written = [0] * len(partitions)
        """Per partition how far its batches' rows are written; likewise."""
        self._given = [0] * len(partitions)

    def grow(self, partition_count: int) -> None:
        """Have a list for so many partitions: the producer may send to them now."""
        for each in (self.appended, self.written, self._given):
            each.extend([0] * (partition_count - len(each)))

    def keep_all(self) -> None:
        """Let nothing go from now on.

        When something fails, records may have to be sent again, and their batches then
        become final in any order.
        """
        self._keeps_all = True

    def needed(self) -> Sequence[int]:
        """Return per partition the first position still needed."""
        if self._keeps_all:
            return [0] * len(self._partitions)
        self._before()
        return [self._first_needed(partition) for partition in self._partitions]

    def _first_needed(self, partition: Partition) -> int:
        written = self.written[partition.number]
        batches = partition.batches
        number = partition.batch_number(self._low_offset(partition))
        partition.release(number)
        while number < len(batches):
            batch = batches[number]
            if batch.source_index == self._source_index:
                return min(batch.lo, written)
            number += 1
        return min(self.appended[partition.number], written)

    def released(self, partition: int, ordinals: Ordinals) -> None:
        """Take the next ordinals of a partition's append list."""
        self._given[partition] += len(ordinals)
        self._take(partition, ordinals)

    def finish(self, producer: ProducerClient) -> None:
        """Take what is left of the lists, as far as batches were made of it."""
        for partition, end in enumerate(self.written):
            left = end - self._given[partition]
            self.released(partition, producer.append_list(partition)[:left])
