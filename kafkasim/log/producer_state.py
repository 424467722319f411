"""What a partition remembers of its producers: sequences, epochs, transactions.

A producer numbers its records. The partition keeps the last five batches of every
producer, so that a batch sent twice is answered with its first offset instead of being
written again, and a gap is refused. Five is also how many requests an idempotent
producer may have in flight. The state is a function of the log alone: a follower, and a
leader after a restart, rebuild it from the batches.

Source: `org.apache.kafka.storage.internals.log`: ProducerStateManager,
ProducerStateEntry, ProducerAppendInfo (4.3); KIP-98, KIP-360, KIP-890, KIP-1228.
Not here: the check with the coordinator that a transaction is open at all
(VerificationStateEntry, KIP-890), which needs a coordinator.
"""

from collections import deque
from collections.abc import Iterable
from typing import Final, NamedTuple

from kafkasim.errors import LogError
from kafkasim.log.header import (
    NO_PRODUCER_EPOCH,
    NO_SEQUENCE,
    NO_TIMESTAMP,
    TRANSACTIONAL,
    BatchHeader,
)

KEPT_BATCHES: Final = 5
"""`ProducerStateEntry.NUM_BATCHES_TO_RETAIN`."""
DEFAULT_EXPIRATION_MS: Final = 86_400_000
"""`producer.id.expiration.ms`: one day."""
_LARGEST_SEQUENCE: Final = (1 << 31) - 1


class Marker(NamedTuple):
    """What the record of a transaction's control batch says (EndTransactionMarker)."""

    commits: bool
    """Whether the transaction is committed; aborted if not."""
    coordinator_epoch: int
    """Epoch of the coordinator that wrote it."""


class CompletedTransaction(NamedTuple):
    """A transaction that has got its marker."""

    producer_id: int
    first_offset: int
    last_offset: int
    """Offset of the marker."""
    aborted: bool


class ProducerEntry:
    """What is known of one producer.

    Parameters
    ----------
    producer_id : int
        Its id.
    epoch, coordinator_epoch : int
        −1 while unknown.
    last_timestamp_ms : int
        Largest timestamp of its last batch, or its last marker's; −1 for none.
    transaction_first_offset : int or None
        Where its open transaction begins.
    """

    __slots__ = (
        "batches",
        "coordinator_epoch",
        "epoch",
        "last_timestamp_ms",
        "producer_id",
        "transaction_first_offset",
    )

    def __init__(
        self,
        producer_id: int,
        epoch: int = NO_PRODUCER_EPOCH,
        coordinator_epoch: int = -1,
        last_timestamp_ms: int = NO_TIMESTAMP,
        transaction_first_offset: int | None = None,
    ) -> None:
        self.producer_id = producer_id
        self.epoch = epoch
        self.coordinator_epoch = coordinator_epoch
        self.last_timestamp_ms = last_timestamp_ms
        self.transaction_first_offset = transaction_first_offset
        self.batches: deque[BatchHeader] = deque(maxlen=KEPT_BATCHES)
        """Headers of the last five batches of this epoch, oldest first."""

    @property
    def last_sequence(self) -> int:
        """Sequence number of the last record in this epoch; −1 for none."""
        return self.batches[-1].last_sequence if self.batches else NO_SEQUENCE

    @property
    def last_offset(self) -> int:
        """Offset of the last record in this epoch; −1 for none."""
        return self.batches[-1].last_offset if self.batches else -1


class ProducerStates:
    """The producers of one partition.

    Parameters
    ----------
    expiration_ms : int, optional
        A producer is forgotten this long after its last batch, unless it has a
        transaction open.
    """

    __slots__ = (
        "_decided",
        "_open",
        "entries",
        "expiration_ms",
        "first_unstable_offset",
        "table_size",
    )

    def __init__(self, expiration_ms: int = DEFAULT_EXPIRATION_MS) -> None:
        self.expiration_ms = expiration_ms
        self.entries: dict[int, ProducerEntry] = {}
        """By producer id, in the order they came."""
        self._open: dict[int, int] = {}  # first offset -> producer id
        self._decided: dict[int, int] = {}  # first offset -> offset of the marker
        self.first_unstable_offset: int | None = None
        """First offset of the oldest transaction that is open, or whose marker lies
        above the high watermark; None if there is none."""
        self.table_size = 16
        """Size of the hash table that Kafka would have; for the order of a snapshot."""

    @property
    def open_transactions(self) -> dict[int, int]:
        """First offset and producer id of every open transaction."""
        return dict(self._open)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known that a rebuilt state would miss."""
        return not self.entries and not self._decided

    # -- what a leader checks

    def duplicate_of(self, header: BatchHeader) -> BatchHeader | None:
        """Return the kept batch that this one repeats, if it repeats one (ID-8).

        Same producer, same epoch, same first and last sequence number.

        Source: `ProducerStateEntry.findDuplicateBatch`.
        """
        entry = self.entries.get(header.producer_id)
        if entry is None or entry.epoch != header.producer_epoch:
            return None
        first, last = header.base_sequence, header.last_sequence
        for kept in entry.batches:
            if kept.base_sequence == first and kept.last_sequence == last:
                return kept
        return None

    def check(self, header: BatchHeader, *, sequence: bool = True) -> None:
        """Refuse a data batch that its producer may not write now.

        Source: `UnifiedLog.analyzeAndValidateProducerState`,
        `ProducerAppendInfo.checkProducerEpoch`, `checkSequence`, `appendDataBatch`.

        Parameters
        ----------
        header : BatchHeader
            Of a batch with a producer id that repeats no kept one.
        sequence : bool, optional
            Whether it must follow the last batch: a coordinator's need not.

        Raises
        ------
        LogError
            INVALID_PRODUCER_EPOCH: a newer epoch of this producer is known (ID-10).
            OUT_OF_ORDER_SEQUENCE_NUMBER: it does not follow the last batch (ID-9), or a
            new epoch or the first transaction of an unknown producer does not start
            with 0 (ID-10, ID-11). INVALID_TXN_STATE: it belongs to no transaction, but
            one of its producer is open.
        """
        producer_id = header.producer_id
        entry = self.entries.get(producer_id) or ProducerEntry(producer_id)
        if header.producer_epoch < entry.epoch:
            raise _old_epoch(header, entry)
        if sequence:
            _check_sequence(header, entry)
        if entry.transaction_first_offset is not None and not header.is_transactional:
            first_offset = entry.transaction_first_offset
            text = f"producer {producer_id} has a transaction open since {first_offset}"
            raise LogError("INVALID_TXN_STATE", text)

    def check_marker(
        self, header: BatchHeader, marker: Marker, transaction_version: int = 2
    ) -> None:
        """Refuse a marker that comes late.

        Source: `ProducerAppendInfo.checkProducerEpoch`, `checkCoordinatorEpoch`.

        Parameters
        ----------
        header : BatchHeader
            Of the control batch.
        marker : Marker
            What its record says.
        transaction_version : int, optional
            From 2 on the coordinator raises the epoch with every marker, so the known
            epoch again is allowed only if no transaction is open: the same marker,
            written twice. Below 2, the known epoch is the rule.

        Raises
        ------
        LogError
            INVALID_PRODUCER_EPOCH or TRANSACTION_COORDINATOR_FENCED.
        """
        entry = self.entries.get(header.producer_id)
        if entry is None:
            return
        again = header.producer_epoch == entry.epoch
        is_open = entry.transaction_first_offset is not None
        late = again and is_open and transaction_version >= 2
        if late or header.producer_epoch < entry.epoch:
            raise _old_epoch(header, entry)
        if marker.coordinator_epoch < entry.coordinator_epoch:
            text = (
                f"coordinator epoch {marker.coordinator_epoch} for producer "
                f"{entry.producer_id}, {entry.coordinator_epoch} is known"
            )
            raise LogError("TRANSACTION_COORDINATOR_FENCED", text)

    # -- what the log says

    def add(self, header: BatchHeader) -> None:
        """Take note of a data batch in the log. Nothing is checked."""
        producer_id = header.producer_id
        entry = self.entries.get(producer_id)
        if entry is None:
            entry = self._new_entry(producer_id)
        if entry.epoch != header.producer_epoch:
            entry.batches.clear()
            entry.epoch = header.producer_epoch
        entry.batches.append(header)
        entry.last_timestamp_ms = header.max_timestamp_ms
        if header.attributes & TRANSACTIONAL and entry.transaction_first_offset is None:
            entry.transaction_first_offset = header.base_offset
            self._open[header.base_offset] = producer_id
            self._update_first_unstable()

    def add_marker(
        self, header: BatchHeader, marker: Marker
    ) -> CompletedTransaction | None:
        """Take note of a marker in the log, and return the transaction that it ends.

        Until `complete` is told so, the transaction stays open: the abort index needs
        to know what else is (`last_stable_offset_after`).

        Returns
        -------
        CompletedTransaction or None
            None if the producer has no transaction open in this partition.
        """
        producer_id = header.producer_id
        entry = self.entries.get(producer_id) or self._new_entry(producer_id)
        if entry.epoch != header.producer_epoch:
            entry.batches.clear()
            entry.epoch = header.producer_epoch
        first_offset = entry.transaction_first_offset
        entry.coordinator_epoch = marker.coordinator_epoch
        entry.last_timestamp_ms = header.max_timestamp_ms
        entry.transaction_first_offset = None
        if first_offset is None:
            return None
        aborted = not marker.commits
        return CompletedTransaction(
            producer_id, first_offset, header.base_offset, aborted
        )

    def meet(self, producer_id: int) -> None:
        """Take note of a marker of which compaction has left the header only.

        It says nothing, and so does the entry of a producer that was unknown.

        Source: `UnifiedLog.updateProducers`, `ProducerStateManager.update`.
        """
        if producer_id not in self.entries:
            self._new_entry(producer_id)

    def last_stable_offset_after(self, completed: CompletedTransaction) -> int:
        """Return the last stable offset that the abort index notes with a transaction.

        The first offset of the oldest transaction that another producer has open; the
        one after the marker if there is none.

        Source: `ProducerStateManager.lastStableOffset`.
        """
        others = (
            first_offset
            for first_offset, producer_id in self._open.items()
            if producer_id != completed.producer_id
        )
        return min(others, default=completed.last_offset + 1)

    def complete(self, completed: CompletedTransaction) -> None:
        """Count a transaction as decided; unstable until its marker is replicated."""
        del self._open[completed.first_offset]
        self._decided[completed.first_offset] = completed.last_offset
        self._update_first_unstable()

    # -- what moves with the log

    def forget_decided_below(self, offset: int) -> None:
        """Count as stable what was decided below the high watermark or log start."""
        if not self._decided:
            return
        decided = self._decided.items()
        self._decided = {first: last for first, last in decided if last >= offset}
        self._update_first_unstable()

    def expire(self, now_ms: int) -> int:
        """Forget producers that have been silent too long (ID-12), and say how many.

        Source: `ProducerStateManager.removeExpiredProducers`.
        """
        gone = [
            entry for entry in self.entries.values() if self._expired(entry, now_ms)
        ]
        for entry in gone:
            del self.entries[entry.producer_id]
        return len(gone)

    def clear(self) -> None:
        """Forget everything."""
        self.entries.clear()
        self._open.clear()
        self._decided.clear()
        self.first_unstable_offset = None

    def restore(self, entries: Iterable[ProducerEntry], now_ms: int) -> None:
        """Add what a snapshot holds, without the producers that have expired."""
        for entry in entries:
            if self._expired(entry, now_ms):
                continue
            self._insert(entry)
            if entry.transaction_first_offset is not None:
                self._open[entry.transaction_first_offset] = entry.producer_id
        self._update_first_unstable()

    def _expired(self, entry: ProducerEntry, now_ms: int) -> bool:
        silent = now_ms - entry.last_timestamp_ms >= self.expiration_ms
        return silent and entry.transaction_first_offset is None

    def _new_entry(self, producer_id: int) -> ProducerEntry:
        entry = ProducerEntry(producer_id)
        self._insert(entry)
        return entry

    def _insert(self, entry: ProducerEntry) -> None:
        self.entries[entry.producer_id] = entry
        if len(self.entries) > self.table_size * 3 // 4:
            self.table_size *= 2

    def _update_first_unstable(self) -> None:
        unstable = (*self._open, *self._decided)
        self.first_unstable_offset = min(unstable, default=None)


def _check_sequence(header: BatchHeader, entry: ProducerEntry) -> None:
    first = header.base_sequence
    # Every transaction of version 2 has its own epoch, and so begins with 0.
    starts = header.is_transactional and entry.transaction_first_offset is None
    if starts and not entry.batches and first != 0:
        raise _out_of_order(header, "0, as the producer is not known here")
    if entry.epoch == NO_PRODUCER_EPOCH:
        return
    if header.producer_epoch != entry.epoch:
        if first != 0:
            raise _out_of_order(header, "0, as its epoch is new")
    elif first != (entry.last_sequence + 1) % (_LARGEST_SEQUENCE + 1):
        raise _out_of_order(header, f"the one after {entry.last_sequence}")


def _out_of_order(header: BatchHeader, expected: str) -> LogError:
    text = (
        f"producer {header.producer_id}, epoch {header.producer_epoch}: "
        f"sequence number {header.base_sequence}, expected {expected}"
    )
    return LogError("OUT_OF_ORDER_SEQUENCE_NUMBER", text)


def _old_epoch(header: BatchHeader, entry: ProducerEntry) -> LogError:
    text = (
        f"epoch {header.producer_epoch} of producer {header.producer_id}, "
        f"{entry.epoch} is known"
    )
    return LogError("INVALID_PRODUCER_EPOCH", text)
