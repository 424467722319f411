"""What the cleaner keeps of a batch: rules on its header and on columns of its records.

Source: `org.apache.kafka.storage.internals.log.Cleaner.cleanInto` with its filter, and
`org.apache.kafka.common.record.internal.MemoryRecords.filterTo` (4.3); KIP-534 for the
delete horizon. Nothing here touches bytes: keys are whatever can be told apart.
"""

from collections.abc import Hashable, Mapping, Sequence
from enum import IntEnum
from typing import Literal, NamedTuple

from crc32c import crc32c

from kafkasim.log.header import (
    CONTROL,
    COVERED,
    HEADER_BYTES,
    LOG_APPEND_TIME,
    NO_PRODUCER_ID,
    NO_TIMESTAMP,
    TRANSACTIONAL,
    BatchHeader,
)
from kafkasim.log.offset_map import OffsetMap


class CleaningView(NamedTuple):
    """What the cleaner must know of a batch's records, one column each."""

    offset_deltas: Sequence[int]
    """Offsets less the batch's base offset, rising."""
    keys: Sequence[Hashable | None]
    """Keys, or codes that stand for them; None for a record without one."""
    has_value: Sequence[bool]
    """False for a tombstone."""
    marker: str | int | None = None
    """Of a control batch: what its record says, "abort", "commit", or the number of
    another kind; None if it is empty."""


class Fate(IntEnum):
    """What becomes of a record, and why."""

    KEPT = 0
    SUPERSEDED = 1
    """A newer record has its key."""
    TOMBSTONE = 2
    """A tombstone whose delete horizon is over."""
    NO_KEY = 3
    """It has no key: nothing could ever supersede it."""
    ABORTED = 4
    """Its transaction was aborted."""
    MARKER = 5
    """A marker that ends no data that is left, and whose delete horizon is over."""


class LastRecord(NamedTuple):
    """The end of what a producer wrote, as its state has it."""

    data_offset: int
    """Offset of its last record; −1 if its state knows of markers alone."""
    producer_epoch: int


class Retention(NamedTuple):
    """What is written for a batch."""

    how: Literal["as it is", "in part", "header", "nothing"]
    fates: Sequence[Fate]
    """One for each record."""
    delete_horizon_ms: int | None = None
    """Of a batch that is kept in part, or stamped: its delete horizon."""

    @property
    def keep(self) -> list[bool]:
        """Whether each record is kept."""
        return [fate is Fate.KEPT for fate in self.fates]


def is_last_of_producer(
    header: BatchHeader, last_records: Mapping[int, LastRecord]
) -> bool:
    """Return whether a batch has the last sequence number, or epoch, of its producer.

    A producer whose state knows of markers alone is remembered by one of its epoch.
    One whose state has expired is not remembered.

    Parameters
    ----------
    header : BatchHeader
        Of the batch.
    last_records : mapping of int to LastRecord
        By the ids of the producers that the log knows.
    """
    if header.producer_id == NO_PRODUCER_ID:
        return False
    last = last_records.get(header.producer_id)
    if last is None:
        return False
    if last.data_offset >= 0:
        return header.last_offset == last.data_offset
    return header.is_control and header.producer_epoch == last.producer_epoch


def fates_of(
    header: BatchHeader,
    view: CleaningView,
    latest: OffsetMap,
    now_ms: int,
    *,
    is_needless: bool,
) -> list[Fate]:
    """Return what becomes of each record of a batch.

    Parameters
    ----------
    header : BatchHeader
        Of the batch.
    view : CleaningView
        Its records.
    latest : OffsetMap
        What the first pass found. Records beyond its latest offset stay.
    now_ms : int, milliseconds
        Time of the round.
    is_needless : bool
        Whether its transaction was aborted; of a marker, whether no data of its
        transaction is left.
    """
    horizon_ms = header.delete_horizon_ms
    is_over = horizon_ms is not None and horizon_ms <= now_ms
    count = len(view.keys)
    if header.is_control:
        return [Fate.MARKER if is_needless and is_over else Fate.KEPT] * count
    if is_needless:
        return [Fate.ABORTED] * count
    newest, end, base = latest.newest, latest.latest_offset, header.base_offset
    fates = []
    for delta, key, has_value in zip(*view[:3], strict=True):
        offset = base + delta
        if offset > end:
            fate = Fate.KEPT
        elif key is None:
            fate = Fate.NO_KEY
        elif offset < newest.get(key, -1):
            fate = Fate.SUPERSEDED
        elif has_value or not is_over:
            fate = Fate.KEPT
        else:
            fate = Fate.TOMBSTONE
        fates.append(fate)
    return fates


def retention_of(
    header: BatchHeader,
    view: CleaningView,
    fates: Sequence[Fate],
    *,
    is_needless: bool,
    is_last: bool,
    new_horizon_ms: int,
) -> Retention:
    """Return what is written for a batch whose records' fates are known.

    A batch that keeps a tombstone, or is a marker without data, gets its delete
    horizon the first time that it comes here. A batch without records goes, unless it
    is the last of its producer or of the round: then its header stays.

    Parameters
    ----------
    header : BatchHeader
        Of the batch.
    view : CleaningView
        Its records.
    fates : sequence of Fate, shape (records,)
        From `fates_of`.
    is_needless : bool
        As for `fates_of`.
    is_last : bool
        Whether it is the last batch of its producer, or of the round.
    new_horizon_ms : int, milliseconds
        Now and `delete.retention.ms`.
    """
    if Fate.KEPT not in fates:
        return Retention("header" if is_last else "nothing", fates)
    old_horizon_ms = header.delete_horizon_ms
    if old_horizon_ms is None and (
        (header.is_control and is_needless) or _keeps_tombstone(fates, view.has_value)
    ):
        return Retention("in part", fates, new_horizon_ms)
    if all(fate is Fate.KEPT for fate in fates):
        return Retention("as it is", fates, old_horizon_ms)
    return Retention("in part", fates, old_horizon_ms)


def _keeps_tombstone(fates: Sequence[Fate], has_value: Sequence[bool]) -> bool:
    return any(
        fate is Fate.KEPT and not value
        for fate, value in zip(fates, has_value, strict=True)
    )


def emptied(header: BatchHeader) -> BatchHeader:
    """Return the header that stays of a batch without records, its CRC made anew.

    It keeps offsets, sequence, largest timestamp and the transactional and control
    bits; codec, delete horizon and base timestamp go. Source:
    `DefaultRecordBatch.writeEmptyHeader`.
    """
    bare = header._replace(
        size_bytes=HEADER_BYTES,
        attributes=header.attributes & (LOG_APPEND_TIME | TRANSACTIONAL | CONTROL),
        base_timestamp_ms=NO_TIMESTAMP,
        record_count=0,
    )
    return bare._replace(crc=crc32c(COVERED.pack(*bare[5:])))
