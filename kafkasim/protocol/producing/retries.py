"""What stands in front of a producer's queues after something failed.

A batch that is sent again goes back to the head of its partition's queue; with
idempotence to where its sequence belongs (PR-38). Until its backoff is over nothing of
that partition is sent (PR-33). With one request in flight a drained partition is muted
until its answer (PR-30), and with idempotence some heads end the walk over a node's
partitions (PR-31).
"""

from collections import deque

from kafkasim.protocol.producing.batch import Batch
from kafkasim.protocol.producing.sequences import Sequences


class Retries:
    """Batches in front of their queues, and partitions that must wait.

    Parameters
    ----------
    sequences : Sequences, optional
        With idempotence: the numbers of what was sent; tracking.

    Attributes
    ----------
    fronts : dict of int to deque of Batch
        Per partition the batches to be sent again before anything else; never empty.
    muted : set of int
        Partitions of which nothing may be sent.
    blocked : set of int
        Nodes whose walk ends where it would begin, until something changes.
    """

    __slots__ = ("_sequences", "blocked", "fronts", "muted")

    def __init__(self, sequences: Sequences | None) -> None:
        self._sequences = sequences
        self.fronts: dict[int, deque[Batch]] = {}
        self.muted: set[int] = set()
        self.blocked: set[int] = set()

    def holds(self, partition: int) -> bool:
        """Return whether a partition's new batches must wait."""
        return partition in self.fronts or partition in self.muted

    def put_back(self, batch: Batch) -> None:
        """Put a batch back to be sent again (`reenqueue`, `insertInSequenceOrder`)."""
        front = self.fronts.setdefault(batch.partition, deque())
        at = 0
        if self._sequences is not None:
            sequence_of = self._sequences.sequence_of
            sequence = sequence_of(batch)
            while at < len(front) and sequence_of(front[at]) < sequence:
                at += 1
        front.insert(at, batch)

    def take(self, partition: int) -> Batch:
        """Take the first batch from the front of a partition's queue."""
        front = self.fronts[partition]
        batch = front.popleft()
        if not front:
            del self.fronts[partition]
        return batch

    def stops(self, partition: int, batch: Batch, *, is_retry: bool) -> bool:
        """Return whether the walk over a node's partitions ends before this batch."""
        return self._sequences is not None and self._sequences.stops(
            partition, batch, is_retry=is_retry
        )
