"""The sequence numbers of an idempotent producer.

A batch gets the number of its first record when it is drained, counted per producer id
and partition, and keeps it when it is sent again (ID-2, ID-3). When numbers were lost
for good the producer raises its epoch and counts from 0 again (ID-4, ID-5). Source:
`TransactionManager`, `TxnPartitionEntry` and `TxnPartitionMap` (clients), without
transactions; brokers since 4.0 send neither UNKNOWN_PRODUCER_ID nor
DUPLICATE_SEQUENCE_NUMBER (ID-9), so a client need not understand them (PR-40).

As long as nothing fails, a batch's number is its position in the partition's append
list less a constant, and nothing need be remembered of it. `track` begins to follow
each batch, `calm` says when that can end, and `rest` ends it.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from kafkasim.protocol.errors import OUT_OF_ORDER_SEQUENCE_NUMBER, RETRIABLE
from kafkasim.protocol.producing.batch import Batch

MAX_SEQUENCE: Final = (1 << 31) - 1
MAX_EPOCH: Final = (1 << 15) - 1
_NONE: Final = -1
"""No sequence was acknowledged (`NO_LAST_ACKED_SEQUENCE_NUMBER`)."""


def sequence_after(sequence: int, records: int) -> int:
    """Return the number that many records later (`DefaultRecordBatch`).

    Examples
    --------
    >>> sequence_after(2_147_483_647, 1)
    0
    """
    return (sequence + records) & MAX_SEQUENCE


class _Flight:
    """A batch that has a number and is not done."""

    __slots__ = ("batch", "epoch", "producer_id", "sequence", "was_reset")

    def __init__(
        self, batch: Batch, producer_id: int, epoch: int, sequence: int
    ) -> None:
        self.batch = batch
        self.producer_id = producer_id
        self.epoch = epoch
        self.sequence = sequence
        self.was_reset = False

    @property
    def last(self) -> int:
        """The number of its last record."""
        return sequence_after(self.sequence, self.batch.hi - self.batch.lo - 1)


class Sequences:
    """Numbers of one producer's batches.

    Parameters
    ----------
    producer_id : int
        Its id; the epoch begins at 0.
    partition_count : int
        Number of its topic's partitions.
    new_id : callable
        Gives another id when the epochs are used up.

    Attributes
    ----------
    producer_ids, epochs, shifts : list of int
        Per partition: what a batch gets that is drained while nothing is tracked. Its
        number is its position `lo` less the shift.
    tracking : bool
        Each batch is followed.
    """

    def __init__(
        self, producer_id: int, partition_count: int, new_id: Callable[[], int]
    ) -> None:
        self._new_id = new_id
        self._producer_id = producer_id
        self._epoch = 0
        self.producer_ids = [producer_id] * partition_count
        self.epochs = [0] * partition_count
        self.shifts = [0] * partition_count
        self.tracking = False
        self._next = [0] * partition_count
        self._acked = [_NONE] * partition_count
        self._flights: list[list[_Flight]] = [[] for _ in range(partition_count)]
        self._unresolved: dict[int, int] = {}
        """Partition → the number after the last one that was given up."""
        self._rewrite: dict[int, None] = {}
        """Partitions that asked for a new epoch, in order."""

    def grow(self, partition_count: int) -> None:
        """Count in so many partitions from now on, new ones from 0."""
        more = partition_count - len(self.epochs)
        self.producer_ids += [self._producer_id] * more
        self.epochs += [self._epoch] * more
        self.shifts += [0] * more
        self._next += [0] * more
        self._acked += [_NONE] * more
        self._flights += [[] for _ in range(more)]

    # --- there and back -----------------------------------------------------------

    def track(self, in_flight: Iterable[Batch], positions: Sequence[int]) -> None:
        """Begin to follow each batch.

        Parameters
        ----------
        in_flight : iterable of Batch
            All that were drained and are not done, oldest first.
        positions : sequence of int
            Per partition, the position of the first record that was not drained.
        """
        self.tracking = True
        for partition, position in enumerate(positions):
            self._next[partition] = position - self.shifts[partition]
            self._acked[partition] = self._next[partition] - 1
            self._flights[partition].clear()
        for batch in in_flight:
            flights = self._flights[batch.partition]
            flights.append(
                _Flight(
                    batch, batch.producer_id, batch.producer_epoch, batch.base_sequence
                )
            )
        for partition, flights in enumerate(self._flights):
            if flights:
                self._acked[partition] = flights[0].sequence - 1

    def calm(self) -> bool:
        """Return whether everything before what is in flight is acknowledged."""
        if self._unresolved or self._rewrite:
            return False
        for partition, flights in enumerate(self._flights):
            first = flights[0].sequence if flights else self._next[partition]
            if first - self._acked[partition] != 1:
                return False
            if flights and self._is_stale(partition):
                return False
        return True

    def rest(self, positions: Sequence[int]) -> None:
        """Follow no batch any more; to be called while `calm`."""
        for partition, position in enumerate(positions):
            if self._is_stale(partition):
                self._restart(partition)
            self.shifts[partition] = position - self._next[partition]
        self.tracking = False

    def start_anew(self) -> None:
        """Get another id and count from 0: a new session, after a crash (ID-6).

        To be called while batches are tracked.
        """
        self._producer_id, self._epoch = self._new_id(), 0
        self._unresolved.clear()
        self._rewrite.clear()
        for partition, flights in enumerate(self._flights):
            flights.clear()
            self._restart(partition)

    # --- draining -----------------------------------------------------------------

    def stops(self, partition: int, batch: Batch, *, is_retry: bool) -> bool:
        """Return whether the walk over a node's partitions ends before this batch.

        Source: `RecordAccumulator.shouldStopDrainBatchesForPartition` (PR-31).

        Parameters
        ----------
        partition : int
            Its partition.
        batch : Batch
            The head of its queue.
        is_retry : bool
            It was sent before.
        """
        flights = self._flights[partition]
        if is_retry:
            return bool(flights) and flights[0].batch is not batch
        if partition in self._unresolved:
            return True
        return bool(flights) and self._is_stale(partition)

    def drained(self, batch: Batch) -> None:
        """Write a batch's number into it, the same as before if it had one."""
        partition = batch.partition
        flight = self._flight(batch)
        if flight is None:
            if self._is_stale(partition):
                self._restart(partition)
            sequence = self._next[partition]
            flight = _Flight(
                batch, self.producer_ids[partition], self.epochs[partition], sequence
            )
            self._next[partition] = sequence_after(sequence, batch.hi - batch.lo)
            self._flights[partition].append(flight)
        batch.producer_id = flight.producer_id
        batch.producer_epoch = flight.epoch
        batch.base_sequence = flight.sequence

    def stamp(self, batches: Iterable[Batch]) -> None:
        """Write numbers into batches that are drained while nothing is tracked."""
        ids, epochs, shifts = self.producer_ids, self.epochs, self.shifts
        for batch in batches:
            partition = batch.partition
            batch.producer_id = ids[partition]
            batch.producer_epoch = epochs[partition]
            batch.base_sequence = batch.lo - shifts[partition]

    def sequence_of(self, batch: Batch) -> int:
        """Return the number of a batch that is tracked."""
        flight = self._flight(batch)
        assert flight is not None
        return flight.sequence

    # --- answers ------------------------------------------------------------------

    def completed(self, batch: Batch) -> None:
        """Take note that a batch was acknowledged (`handleCompletedBatch`).

        Also of one that had expired: then what came after it is no longer in doubt.
        """
        flight = self._remove(batch)
        if flight is None:
            flight = _Flight(batch, -1, -1, batch.base_sequence)
        partition = batch.partition
        self._acked[partition] = max(self._acked[partition], flight.last)

    def may_retry(self, batch: Batch, error: int) -> bool:
        """Return whether an error lets a batch be sent again (`canRetry`).

        An OUT_OF_ORDER_SEQUENCE_NUMBER always does. It raises the epoch if this batch
        is the next one expected, or the first after those that were given up (ID-4);
        otherwise an earlier one is to blame.
        """
        if error != OUT_OF_ORDER_SEQUENCE_NUMBER:
            return error in RETRIABLE
        partition = batch.partition
        flight = self._flight(batch)
        assert flight is not None
        unresolved = self._unresolved.get(partition)
        if unresolved is None:
            is_next = flight.sequence - self._acked[partition] == 1
            if is_next and not flight.was_reset:
                self._rewrite[partition] = None
        elif flight.sequence == unresolved:
            self._rewrite[partition] = None
        return True

    def split(self, batch: Batch, parts: Sequence[Batch]) -> None:
        """Give a batch's numbers to the parts that it was split into."""
        flight = self._flight(batch)
        assert flight is not None
        flights = self._flights[batch.partition]
        sequence = flight.sequence
        made = []
        for part in parts:
            made.append(_Flight(part, flight.producer_id, flight.epoch, sequence))
            sequence = sequence_after(sequence, part.hi - part.lo)
        at = flights.index(flight)
        flights[at : at + 1] = made

    def failed(self, batch: Batch, error: int, *, is_certain: bool) -> None:
        """Take note that a batch failed for good (`handleFailedBatch`).

        Parameters
        ----------
        batch : Batch
            It may never have been drained.
        error : int
            Why.
        is_certain : bool
            The broker has refused it, so its numbers are free.
        """
        self._remove(batch)
        if is_certain or error == OUT_OF_ORDER_SEQUENCE_NUMBER:
            self._rewrite[batch.partition] = None

    def expired(self, batch: Batch) -> None:
        """Take note that a batch's time was over (`failExpiredBatches`, ID-5).

        Whether the log has it is unknown. If it was being sent again, its partition
        gets no new batch until nothing of it is in flight.
        """
        flight = self._remove(batch)
        if flight is not None and batch.attempts > 0:
            partition = batch.partition
            after = flight.last + 1
            self._unresolved[partition] = max(
                after, self._unresolved.get(partition, after)
            )

    def resolve(self) -> None:
        """Settle what is unresolved, and raise the epoch if that was asked for.

        Source: `maybeResolveSequences` and `bumpIdempotentEpochAndResetIdIfNeeded`,
        which the sender calls before it drains.
        """
        for partition in list(self._unresolved):
            if not self._flights[partition]:
                if self._next[partition] - self._acked[partition] != 1:
                    self._rewrite[partition] = None
                del self._unresolved[partition]
        if self._rewrite:
            self._raise_epoch()

    def _raise_epoch(self) -> None:
        if self._epoch == MAX_EPOCH:
            self._producer_id = self._new_id()
            self._epoch = 0
        else:
            self._epoch += 1
        for partition in self._rewrite:
            self._restart(partition)
            self._unresolved.pop(partition, None)
        self._rewrite.clear()

    def _restart(self, partition: int) -> None:
        """Count from 0 in the present epoch, what is in flight included."""
        sequence = 0
        for flight in self._flights[partition]:
            flight.producer_id = self._producer_id
            flight.epoch = self._epoch
            flight.sequence = sequence
            flight.was_reset = True
            sequence = sequence_after(sequence, flight.batch.hi - flight.batch.lo)
        self.producer_ids[partition] = self._producer_id
        self.epochs[partition] = self._epoch
        self._next[partition] = sequence
        self._acked[partition] = _NONE

    def _is_stale(self, partition: int) -> bool:
        return (
            self.epochs[partition] != self._epoch
            or self.producer_ids[partition] != self._producer_id
        )

    def _flight(self, batch: Batch) -> _Flight | None:
        for flight in self._flights[batch.partition]:
            if flight.batch is batch:
                return flight
        return None

    def _remove(self, batch: Batch) -> _Flight | None:
        flight = self._flight(batch)
        if flight is not None:
            self._flights[batch.partition].remove(flight)
        return flight
