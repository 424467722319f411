"""Compaction: a round of the cleaner over one log.

A first pass maps the newest offset of each key in the dirty part; a second one copies
the segments up to there, and leaves out what is superseded. Small segments become one.

Source: `org.apache.kafka.storage.internals.log.Cleaner` (4.3). It works on headers and
on the columns that contents give of a batch, so a log of bytes and one of the
simulation are compacted alike.
"""

from array import array
from collections.abc import Iterator, Sequence
from typing import Final, Generic, Protocol, TypeVar

import numpy as np

from kafkasim.config.topic import TopicConfig
from kafkasim.log.batch_retention import (
    CleaningView,
    Fate,
    LastRecord,
    fates_of,
    is_last_of_producer,
    retention_of,
)
from kafkasim.log.checkpoints import CLEANED, file_name
from kafkasim.log.cleaned import Cleaned, CleanedSegment
from kafkasim.log.cleaned_transactions import CleanedTransactions
from kafkasim.log.cleaning_range import (
    CleaningRange,
    LogBounds,
    cleaning_range,
    segment_groups,
    segments_between,
)
from kafkasim.log.header import BatchHeader
from kafkasim.log.offset_map import OffsetMap, keys_that_fit
from kafkasim.log.producer_state import ProducerStates
from kafkasim.log.segment import Segment
from kafkasim.log.store import Store
from kafkasim.log.transaction_index import AbortedTransaction

BatchT = TypeVar("BatchT")

MOST_KEYS: Final = keys_that_fit()
"""Keys that one round maps by default."""


class CleanableLog(Protocol[BatchT]):
    """What the cleaner asks of a log."""

    store: Store[BatchT]
    """Where its files are."""
    segments: list[Segment[BatchT]]
    """Oldest first; the last is the active one."""
    producers: ProducerStates
    """Who wrote, and up to where."""
    log_start_offset: int
    first_dirty_offset: int | None
    """Where the last round ended; None before the first one."""

    @property
    def config(self) -> TopicConfig:
        """Resolved settings."""

    @property
    def last_stable_offset(self) -> int:
        """Where the oldest open transaction begins; no further than is replicated."""

    @property
    def log_end_offset(self) -> int:
        """Offset after the last."""

    def replace_segments(
        self, new: Segment[BatchT], old: Sequence[Segment[BatchT]], now_ms: int
    ) -> None:
        """Put a segment, complete and flushed, in the place of others."""


def range_to_clean(
    log: CleanableLog[BatchT], now_ms: int, first_dirty_offset: int | None = None
) -> CleaningRange:
    """Return what of a log can be compacted now; see `cleaning_range`.

    Parameters
    ----------
    log : PartitionLog
        The log.
    now_ms : int, milliseconds
        Time of the broker.
    first_dirty_offset : int, optional
        Where the dirty part begins; where the last round ended by default.
    """
    if first_dirty_offset is None:
        first_dirty_offset = log.first_dirty_offset
    bounds = LogBounds(log.log_start_offset, log.last_stable_offset, log.log_end_offset)
    return cleaning_range(
        log.segments,
        bounds,
        first_dirty_offset,
        now_ms,
        min_compaction_lag_ms=log.config.min_compaction_lag_ms,
        max_compaction_lag_ms=log.config.max_compaction_lag_ms,
    )


def clean(
    log: CleanableLog[BatchT],
    now_ms: int,
    *,
    first_dirty_offset: int | None = None,
    most_keys: int = MOST_KEYS,
) -> Cleaned:
    """Compact all of a log that can be compacted; return what was done.

    Whether it is time to, by dirty ratio and lag, is another's to ask:
    `range_to_clean` and `CleaningRange.is_due`. A round that finds nothing dirty
    changes nothing, and drops no tombstone either. Source: `Cleaner.doClean`.

    Parameters
    ----------
    log : PartitionLog
        The log; its segments are replaced, and its first dirty offset is set.
    now_ms : int, milliseconds
        Time of the broker.
    first_dirty_offset : int, optional
        Where the dirty part begins; where the last round ended by default.
    most_keys : int
        Keys that the round can map; when there are more, it ends early.

    Raises
    ------
    CorruptBatchError
        A batch cannot be read. The log is as it was but for what was replaced before.
    """
    found = range_to_clean(log, now_ms, first_dirty_offset)
    log.first_dirty_offset = found.first_dirty_offset
    if found.first_uncleanable_offset <= found.first_dirty_offset:
        return Cleaned(found, found.first_dirty_offset)
    latest = newest_offsets(log, found, most_keys)
    config = log.config
    groups = segment_groups(
        segments_between(log.segments, 0, latest.latest_offset + 1),
        most_segment_bytes=config.most_segment_bytes,
        most_index_bytes=config.segment_index_bytes,
        first_uncleanable_offset=found.first_uncleanable_offset,
    )
    pass_two = _SecondPass(log, latest, found.first_uncleanable_offset, now_ms)
    cleaned = tuple(pass_two.clean(group) for group in groups)
    log.first_dirty_offset = latest.latest_offset + 1
    return Cleaned(found, log.first_dirty_offset, cleaned)


def aborted_in(
    log: CleanableLog[BatchT], start: int, end: int
) -> Iterator[AbortedTransaction]:
    """Yield the aborted transactions that can touch the offsets before `end`.

    Source: `LocalLog.collectAbortedTransactions`.

    Parameters
    ----------
    log : PartitionLog
        The log.
    start : int
        Markers are looked for from the segment on that holds it.
    end : int
        The transactions begin before it.
    """
    for segment in segments_between(log.segments, start, log.log_end_offset + 1):
        found, is_complete = segment.transaction_index.aborted_between(
            log.log_start_offset, end
        )
        yield from found
        if is_complete:
            return


def newest_offsets(
    log: CleanableLog[BatchT], found: CleaningRange, most_keys: int
) -> OffsetMap:
    """Do the first pass: map the newest offset of each key in the dirty part.

    Source: `Cleaner.buildOffsetMap`.

    Parameters
    ----------
    log : PartitionLog
        The log.
    found : CleaningRange
        Its dirty part.
    most_keys : int
        Keys that there is room for.
    """
    start, end = found.first_dirty_offset, found.first_uncleanable_offset
    latest = OffsetMap(most_keys)
    transactions = CleanedTransactions()
    transactions.add_aborted(aborted_in(log, start, end))
    dirty = segments_between(log.segments, start, end)
    ends = [segment.base_offset for segment in dirty[1:]]
    for segment, segment_end in zip(dirty, [*ends, end], strict=True):
        if not _map_segment(segment, start, latest, transactions):
            break
        latest.latest_offset = segment_end - 1
    return latest


def _map_segment(
    segment: Segment[BatchT],
    start: int,
    latest: OffsetMap,
    transactions: CleanedTransactions,
) -> bool:
    """Map a segment's records from `start` on; return whether all found room."""
    contents = segment.contents
    for position, header in contents.headers(segment.offset_index.look_up(start)[1]):
        if header.is_control:
            view = contents.cleaning_view(position, header)
            transactions.read_marker(
                header.last_offset, header.producer_id, view.marker
            )
        elif not _is_aborted(header, transactions) and header.last_offset >= start:
            view = contents.cleaning_view(position, header)
            deltas, keys = view.offset_deltas, view.keys
            if not latest.add(header.base_offset, deltas, keys, start):
                return False
        if header.last_offset >= start:
            latest.latest_offset = header.last_offset
    return True


def _is_aborted(header: BatchHeader, transactions: CleanedTransactions) -> bool:
    return transactions.read_data(
        header.last_offset,
        header.producer_id,
        is_transactional=header.is_transactional,
    )


class _SecondPass(Generic[BatchT]):
    """The second pass: what every group of segments needs to know.

    Source: `Cleaner.cleanSegments` and `cleanInto`.
    """

    def __init__(
        self,
        log: CleanableLog[BatchT],
        latest: OffsetMap,
        end: int,
        now_ms: int,
    ) -> None:
        self._log = log
        self._latest = latest
        self._end = end
        self._now_ms = now_ms
        self._horizon_ms = now_ms + log.config.delete_retention_ms
        self._transactions = CleanedTransactions()
        self._last_records = {
            producer_id: LastRecord(entry.last_offset, entry.epoch)
            for producer_id, entry in log.producers.entries.items()
        }

    def clean(self, group: Sequence[Segment[BatchT]]) -> CleanedSegment:
        """Write one segment in the place of a group of them."""
        log = self._log
        ends = [segment.base_offset for segment in group[1:]]
        ends.append(group[-1].next_offset)
        written = _new_segment(log, group)
        offsets, fates = array("q"), bytearray()
        for segment, end in zip(group, ends, strict=True):
            self._transactions.add_aborted(aborted_in(log, segment.base_offset, end))
            for position, header in segment.contents.headers():
                view = segment.contents.cleaning_view(position, header)
                met = self._copy(segment, position, header, view, written)
                offsets.extend(map(header.base_offset.__add__, view.offset_deltas))
                fates.extend(met)
        written.seal()
        written.flush()
        written.modified_ms = group[-1].modified_ms
        bytes_before = sum(segment.size_bytes for segment in group)
        end_offset = _base_after(log.segments, group[-1])
        log.replace_segments(written, group, self._now_ms)
        return CleanedSegment(
            written.base_offset,
            end_offset,
            tuple(segment.base_offset for segment in group),
            bytes_before,
            written.size_bytes,
            np.frombuffer(offsets, np.int64),
            np.frombuffer(fates, np.uint8),
        )

    def _copy(
        self,
        segment: Segment[BatchT],
        position: int,
        header: BatchHeader,
        view: CleaningView,
        written: Segment[BatchT],
    ) -> Sequence[Fate]:
        """Write what stays of a batch; return what became of its records."""
        is_needless = self._pass_by(header, view, written)
        fates = fates_of(
            header, view, self._latest, self._now_ms, is_needless=is_needless
        )
        is_last = header.next_offset == self._end
        retention = retention_of(
            header,
            view,
            fates,
            is_needless=is_needless,
            is_last=is_last or is_last_of_producer(header, self._last_records),
            new_horizon_ms=self._horizon_ms,
        )
        if retention.how == "as it is":
            end = position + header.size_bytes
            written.append(header, segment.contents.read(position, end))
        elif retention.how != "nothing":
            kept = segment.contents.retained(
                position,
                header,
                retention.keep,
                delete_horizon_ms=retention.delete_horizon_ms,
            )
            written.append(*kept)
        return fates

    def _pass_by(
        self, header: BatchHeader, view: CleaningView, written: Segment[BatchT]
    ) -> bool:
        """Return whether a batch's transaction was aborted, or its marker needless."""
        if not header.is_control:
            return _is_aborted(header, self._transactions)
        read = self._transactions.read_marker(
            header.last_offset, header.producer_id, view.marker
        )
        if read.aborted is not None:
            written.append_aborted(read.aborted)
        return read.is_needless


def _base_after(segments: Sequence[Segment[BatchT]], segment: Segment[BatchT]) -> int:
    return next(
        after.base_offset
        for after in segments
        if after.base_offset > segment.base_offset
    )


def _new_segment(
    log: CleanableLog[BatchT], group: Sequence[Segment[BatchT]]
) -> Segment[BatchT]:
    """Return an empty segment, its files ending in .cleaned; old ones are removed.

    Source: `LogSegment.deleteIfExists` and `UnifiedLog.createNewCleanedSegment`.
    """
    base_offset = group[0].base_offset
    stem = file_name(base_offset, "")
    for name in log.store.names():
        if name.startswith(stem) and name.endswith(CLEANED):
            log.store.delete(name)
    made_ms = group[-1].created_ms
    return Segment(log.store, base_offset, log.config, made_ms, suffix=CLEANED)
