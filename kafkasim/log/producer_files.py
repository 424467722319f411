"""A partition's producers with their snapshot files, and how they are rebuilt.

At every roll and at a clean stop the state goes into `<offset>.snapshot`; the name says
up to which offset it holds. After a cut or a restart the newest snapshot that still
holds is read, and the batches after it are gone through.

Source: `ProducerStateManager` and `UnifiedLog.rebuildProducerState` of
`org.apache.kafka.storage.internals.log` (4.3).
"""

import struct
from bisect import insort
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Final, Generic, TypeVar

from kafkasim.errors import CorruptBatchError, LogError
from kafkasim.log.checkpoints import DELETED, SNAPSHOT, file_name, offset_of
from kafkasim.log.contents import ByteBatch, Files
from kafkasim.log.decode import control_kind, decode_batch
from kafkasim.log.header import (
    CONTROL,
    HEADER_BYTES,
    MAGIC,
    TRANSACTIONAL,
    BatchHeader,
)
from kafkasim.log.producer_snapshot import read_snapshot, snapshot_bytes
from kafkasim.log.producer_state import (
    CompletedTransaction,
    Marker,
    ProducerEntry,
    ProducerStates,
)
from kafkasim.log.segment import Segment

BatchT = TypeVar("BatchT")
MarkerReader = Callable[[BatchT], Marker | None]
"""Reads what a control batch says; None of one that compaction has emptied."""

_MARKER_VALUE: Final = struct.Struct(">hi")
_MAGIC_AT: Final = 16
_COUNT_AT: Final = 57


def read_marker(batch: ByteBatch) -> Marker | None:
    """Return what the record of a control batch says; None if it has no record.

    A later format, by its magic, is read as this one, as a log that is loaded is.

    Source: `EndTransactionMarker.deserialize`; `AbstractRecordBatch`, whose readers ask
    only whether the magic is below 2.

    Raises
    ------
    CorruptBatchError
        Its record is damaged.
    LogError
        It is of another type than a transaction's marker; such are only in the log of
        the controllers.
    """
    data = bytearray(batch)
    data[_MAGIC_AT] = MAGIC
    if int.from_bytes(data[_COUNT_AT:HEADER_BYTES], signed=True) > 1:
        data[_COUNT_AT:HEADER_BYTES] = b"\0\0\0\1"  # the first alone is read
    records = decode_batch(data, check_crc=False)
    if not records:
        return None
    kind = control_kind(records[0])
    if not isinstance(kind, str):
        text = f"a control batch of type {kind} is no marker of a transaction"
        raise LogError("UNKNOWN_SERVER_ERROR", text)
    value = records[0].value or b""
    if len(value) < _MARKER_VALUE.size:
        raise CorruptBatchError(f"a marker's value has {len(value)} bytes")
    version, coordinator_epoch = _MARKER_VALUE.unpack_from(value)
    if version < 0:
        raise CorruptBatchError(f"a marker's version is {version}")
    return Marker(kind == "commit", coordinator_epoch)


class ProducerFiles(Generic[BatchT]):
    """The producers of a partition and the snapshots of them in its store.

    Parameters
    ----------
    files : Files
        The partition's folder.
    states : ProducerStates
        What is known of the producers; empty as long as nothing is read.
    marker_of : callable
        Reads a control batch.
    """

    __slots__ = ("_files", "_marker_of", "end_offset", "offsets", "states", "taken_at")

    def __init__(
        self, files: Files, states: ProducerStates, marker_of: MarkerReader[BatchT]
    ) -> None:
        self._files = files
        self._marker_of = marker_of
        self.states = states
        names = [name for name in files.names() if name.endswith(SNAPSHOT)]
        self.offsets = sorted(map(offset_of, names))
        """Offsets of the snapshots that are there."""
        self.taken_at = 0
        """Offset of the newest snapshot that was taken or read."""
        self.end_offset = 0
        """Offset up to which the state was last said to hold."""

    def take(self, end_offset: int) -> bool:
        """Write a snapshot of the state at the log's end, unless there is one.

        Source: `ProducerStateManager.takeSnapshot`.

        Returns
        -------
        bool
            Whether it was written.
        """
        self.end_offset = end_offset
        if end_offset <= self.taken_at:
            return False
        self._files.write(file_name(end_offset, SNAPSHOT), snapshot_bytes(self.states))
        if end_offset not in self.offsets:
            insort(self.offsets, end_offset)
        self.taken_at = end_offset
        return True

    def sync(self, end_offset: int) -> None:
        """Make the snapshot at an offset lasting, if it is still there."""
        with suppress(FileNotFoundError):
            self._files.sync(file_name(end_offset, SNAPSHOT))

    def delete(self, offset: int) -> None:
        """Remove the snapshot at an offset, if there is one."""
        if offset in self.offsets:
            self.offsets.remove(offset)
            with suppress(FileNotFoundError):
                self._files.delete(file_name(offset, SNAPSHOT))

    def mark_deleted(self, offset: int) -> str | None:
        """Rename the snapshot at an offset to be deleted later; return its new name."""
        if offset not in self.offsets:
            return None
        self.offsets.remove(offset)
        name = file_name(offset, SNAPSHOT)
        try:
            self._files.rename(name, name + DELETED)
        except FileNotFoundError:
            return None
        return name + DELETED

    def move_start(self, log_start_offset: int) -> None:
        """Follow the log's start (`ProducerStateManager.onLogStartOffsetIncremented`).

        Producers stay: a producer may well go on after all it wrote is gone.
        """
        self.states.forget_decided_below(log_start_offset)
        self.end_offset = max(self.end_offset, log_start_offset)
        self.taken_at = self.offsets[-1] if self.offsets else log_start_offset

    def start_at(self, offset: int) -> None:
        """Forget everything (`ProducerStateManager.truncateFullyAndStartAt`)."""
        self.states.clear()
        for one in list(self.offsets):
            self.delete(one)
        self.taken_at = 0
        self.end_offset = offset

    # -- batches

    def add(
        self, batches: Iterable[tuple[BatchHeader, BatchT]]
    ) -> list[CompletedTransaction]:
        """Take note of the batches of one append.

        Returns
        -------
        list of CompletedTransaction
            Transactions that end with them; `ProducerStates.complete` is not yet told.
        """
        states = self.states
        ended = []
        for header, batch in batches:
            if header.producer_id < 0:
                continue
            if not header.attributes & CONTROL:
                states.add(header)
                continue
            marker = self._marker_of(batch)
            if marker is None:
                states.meet(header.producer_id)
            elif (completed := states.add_marker(header, marker)) is not None:
                ended.append(completed)
        return ended

    # -- rebuilding

    def rebuild(
        self,
        segments: Sequence[Segment[BatchT]],
        log_start_offset: int,
        log_end_offset: int,
        now_ms: int,
        *,
        after_clean_stop: bool = False,
    ) -> None:
        """Make the state what it is at the log's end.

        Snapshots that lie outside the log are removed; the newest that is left and
        sound is read, and the batches after it are gone through, unless there were no
        producers before. After a clean stop without any snapshot there are none.

        Parameters
        ----------
        segments : sequence of Segment
            Oldest first.
        log_start_offset, log_end_offset : int
            Of the log as it is now.
        now_ms : int
            What has expired by then is not read.
        after_clean_stop : bool, optional
            Whether the log is being opened after it was closed.
        """
        marks = [segment.base_offset for segment in segments[-2:]] + [log_end_offset]
        if after_clean_stop and not self.offsets:
            for mark in marks:
                self.take(mark)
            return
        were_none = self.states.is_empty and self.end_offset >= log_end_offset
        self._load(log_start_offset, log_end_offset, now_ms)
        if log_end_offset > self.end_offset and not were_none:
            last = _within(segments, log_end_offset, log_end_offset + 1)[:1]
            for segment in _within(segments, self.end_offset, log_end_offset):
                self._replay(
                    segment,
                    log_start_offset,
                    log_end_offset,
                    marks,
                    is_last=segment in last,
                )
        self.take(log_end_offset)

    def _load(self, log_start_offset: int, log_end_offset: int, now_ms: int) -> None:
        """Read the newest sound snapshot (`truncateAndReload`, `loadFromSnapshot`)."""
        for offset in list(self.offsets):
            if offset > log_end_offset or offset <= log_start_offset:
                self.delete(offset)
        if log_end_offset == self.end_offset:
            self.move_start(log_start_offset)
            return
        self.states.clear()
        self.taken_at = self.end_offset = log_start_offset
        while self.offsets:
            newest = self.offsets[-1]
            entries = self._read(newest)
            if entries is not None:
                self.states.restore(entries, now_ms)
                self.taken_at = self.end_offset = newest
                return
            self.delete(newest)

    def _read(self, offset: int) -> list[ProducerEntry] | None:
        try:
            return read_snapshot(self._files.read(file_name(offset, SNAPSHOT)))
        except (LogError, FileNotFoundError):
            return None

    def _replay(
        self,
        segment: Segment[BatchT],
        log_start_offset: int,
        log_end_offset: int,
        marks: Sequence[int],
        *,
        is_last: bool,
    ) -> None:
        start = max(segment.base_offset, self.end_offset, log_start_offset)
        self.end_offset = start
        if segment.base_offset in marks:
            self.take(start)
        position = segment.position_of(start)
        if position is None:
            return
        # Only of the segment that the log's end lies in a part is read.
        limit = segment.position_of(log_end_offset) if is_last else None
        contents = segment.contents
        ended = []
        for at, header in contents.headers(position):
            if limit is not None and at >= limit:
                break
            if header.producer_id < 0:
                continue
            if header.attributes & CONTROL:
                batch = contents.read(at, at + header.size_bytes)
                ended += self.add([(header, batch)])
            else:
                refuse_outside(self.states, header)
                self.states.add(header)
        for completed in ended:
            self.states.complete(completed)


def refuse_outside(states: ProducerStates, header: BatchHeader) -> None:
    """Refuse a data batch of no transaction while its producer has one open.

    No broker writes it, so whoever finds it in a log gives up.

    Source: `ProducerAppendInfo.appendDataBatch`.

    Raises
    ------
    LogError
        INVALID_TXN_STATE.
    """
    if not header.attributes & (TRANSACTIONAL | CONTROL):
        entry = states.entries.get(header.producer_id)
        if entry is not None and entry.transaction_first_offset is not None:
            raise LogError(
                "INVALID_TXN_STATE",
                f"a batch of producer {header.producer_id} at {header.base_offset} is "
                f"outside of the transaction open since "
                f"{entry.transaction_first_offset}",
            )


def _within(
    segments: Sequence[Segment[BatchT]], start: int, end: int
) -> list[Segment[BatchT]]:
    """Return the segments from the one that holds `start` on, below `end`.

    Source: `LogSegments.values`.
    """
    first = 0
    for number, segment in enumerate(segments):
        if segment.base_offset <= start:
            first = number
    return [segment for segment in segments[first:] if segment.base_offset < end]
