"""What of a log can be compacted, whether it is due, and which segments go together.

Source: `org.apache.kafka.storage.internals.log.LogCleanerManager`, `LogToClean` and
`Cleaner.groupSegmentsBySize` (4.3). The clean part of a log ends where the last round
ended, its first dirty offset; what can be compacted reaches from there to the first
uncleanable offset.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, Protocol, TypeVar

from kafkasim.log.header import NO_TIMESTAMP
from kafkasim.log.index import OFFSET_ENTRY_BYTES, TIME_ENTRY_BYTES

_MOST_RELATIVE_OFFSET: Final = 2**31 - 1
_Sizes = tuple[int, int, int]
"""Bytes of batches, of an offset index and of a time index."""


class SizedSegment(Protocol):
    """What these rules ask of a segment."""

    @property
    def base_offset(self) -> int:
        """Offset that it begins at."""

    @property
    def size_bytes(self) -> int:
        """Bytes of its batches."""


class TimedSegment(SizedSegment, Protocol):
    """What the compaction lags ask of a segment, too."""

    @property
    def first_timestamp_ms(self) -> int | None:
        """Largest timestamp of its first batch; None if it has none."""

    @property
    def max_timestamp_ms(self) -> int:
        """Largest timestamp in it; −1 if there is none."""

    @property
    def modified_ms(self) -> int:
        """When its file was last changed."""


class Index(Protocol):
    """What is asked of a sparse index."""

    @property
    def entry_count(self) -> int:
        """How many entries it has."""


class IndexedSegment(SizedSegment, Protocol):
    """What putting segments together asks of one, too."""

    @property
    def offset_index(self) -> Index:
        """Where its batches lie."""

    @property
    def time_index(self) -> Index:
        """When they came."""


SegmentT = TypeVar("SegmentT", bound=SizedSegment)
IndexedT = TypeVar("IndexedT", bound=IndexedSegment)


class LogBounds(NamedTuple):
    """The offsets of a log between which it is compacted."""

    log_start_offset: int
    last_stable_offset: int
    log_end_offset: int


class CleaningRange(NamedTuple):
    """What of a log can be compacted now."""

    first_dirty_offset: int
    """Where the part begins that was not compacted yet."""
    first_uncleanable_offset: int
    """Where the part begins that must stay: the base offset of a segment."""
    clean_bytes: int
    """Bytes of the segments that begin before the first dirty offset."""
    dirty_bytes: int
    """Bytes of the segments with dirty offsets that can be compacted; one that is
    clean in part counts as both."""
    overdue_ms: int
    """How much longer than `max.compaction.lag.ms` a dirty segment has waited."""
    was_reset: bool = False
    """Whether the first dirty offset lay outside the log, and is its start now."""

    @property
    def dirty_ratio(self) -> float:
        """Share of the bytes that is dirty; 0 of a log without any."""
        total_bytes = self.clean_bytes + self.dirty_bytes
        return self.dirty_bytes / total_bytes if total_bytes else 0.0

    def is_due(self, min_cleanable_dirty_ratio: float) -> bool:
        """Return whether the cleaner takes this log up.

        Its dirty ratio must be above the least one, not at it; or there is something
        to compact and it has waited too long.
        Source: `LogCleanerManager.grabFilthiestCompactedLog`.
        """
        if self.overdue_ms > 0 and self.dirty_bytes > 0:
            return True
        return self.dirty_ratio > min_cleanable_dirty_ratio


def segments_between(
    segments: Sequence[SegmentT], start: int, end: int
) -> Sequence[SegmentT]:
    """Return the segments with the offsets from `start` to before `end`.

    The first one is the one that holds `start`, or the oldest. Source:
    `LogSegments.values`.

    Parameters
    ----------
    segments : sequence of segments
        Oldest first.
    start, end : int
        Offsets; there are none if `end` is not after `start`.
    """
    if end <= start:
        return segments[:0]
    bases = [segment.base_offset for segment in segments]
    first = max(bisect_right(bases, start) - 1, 0)
    return segments[first : bisect_left(bases, end)]


def cleaning_range(
    segments: Sequence[TimedSegment],
    bounds: LogBounds,
    checkpoint: int | None,
    now_ms: int,
    *,
    min_compaction_lag_ms: int,
    max_compaction_lag_ms: int,
) -> CleaningRange:
    """Return what of a log can be compacted.

    Nothing is compacted beyond the last stable offset, in the active segment, or from
    the first dirty segment on whose largest timestamp is not yet
    `min_compaction_lag_ms` old. Source: `LogCleanerManager.cleanableOffsets`,
    `calculateCleanableBytes` and `maxCompactionDelay`; `LogToClean`.

    Parameters
    ----------
    segments : sequence of segments
        All of the log, oldest first; the last is the active one.
    bounds : LogBounds
        Where the log starts, is stable and ends.
    checkpoint : int, optional
        First dirty offset as the last round left it; None before the first one. One
        that is outside the log counts for nothing.
    now_ms : int, milliseconds
        Time of the broker.
    min_compaction_lag_ms, max_compaction_lag_ms : int, milliseconds
        The topic's settings.
    """
    start = bounds.log_start_offset
    first_dirty = start if checkpoint is None else checkpoint
    was_reset = not start <= first_dirty <= bounds.log_end_offset
    if was_reset:
        first_dirty = start
    dirty = segments_between(segments, first_dirty, segments[-1].base_offset)
    uncleanable = bounds.last_stable_offset
    if min_compaction_lag_ms > 0:
        too_young_ms = now_ms - min_compaction_lag_ms
        young = (s.base_offset for s in dirty if _largest_ms(s) > too_young_ms)
        uncleanable = min(uncleanable, next(young, uncleanable))
    end = _floor(segments, max(uncleanable, first_dirty))
    return CleaningRange(
        first_dirty,
        end,
        sum(s.size_bytes for s in segments_between(segments, -1, first_dirty)),
        sum(s.size_bytes for s in segments_between(segments, first_dirty, end)),
        _overdue_ms(dirty, now_ms - max_compaction_lag_ms),
        was_reset,
    )


def _floor(segments: Sequence[TimedSegment], offset: int) -> int:
    """Return the base offset of the segment that holds an offset, or the active's."""
    active = segments[-1].base_offset
    holding = segments_between(segments, offset, active)
    return holding[0].base_offset if holding else active


def _largest_ms(segment: TimedSegment) -> int:
    """Return its largest timestamp, its file's if it has none.

    Source: `LogSegment.largestTimestamp`.
    """
    if segment.max_timestamp_ms >= 0:
        return segment.max_timestamp_ms
    return segment.modified_ms


def _overdue_ms(dirty: Iterable[TimedSegment], clean_until_ms: int) -> int:
    """Return by how much the oldest first batch is older; only times above 0 count."""
    first = (segment.first_timestamp_ms or NO_TIMESTAMP for segment in dirty)
    oldest_ms = min((time for time in first if time > 0), default=clean_until_ms)
    return max(clean_until_ms - oldest_ms, 0)


def filthiest(
    ranges: Iterable[CleaningRange], min_cleanable_dirty_ratio: Iterable[float]
) -> int | None:
    """Return which of many logs is compacted next: of those due, the dirtiest.

    Of logs that are equally dirty it is the first. Source:
    `LogCleanerManager.grabFilthiestCompactedLog`.

    Parameters
    ----------
    ranges : iterable of CleaningRange
        One for each compacted log.
    min_cleanable_dirty_ratio : iterable of float
        Their settings.

    Returns
    -------
    int or None
        Place in `ranges`; None if no log is due.
    """
    due = [
        (-found.dirty_ratio, place)
        for place, (found, least) in enumerate(
            zip(ranges, min_cleanable_dirty_ratio, strict=True)
        )
        if found.is_due(least)
    ]
    return min(due)[1] if due else None


def segment_groups(
    segments: Sequence[IndexedT],
    *,
    most_segment_bytes: int,
    most_index_bytes: int,
    first_uncleanable_offset: int,
) -> list[list[IndexedT]]:
    """Return which segments become one, by their sizes before they are compacted.

    A segment joins the group while batches, offset index and time index of all of it
    stay within a segment's limits, and while its last offset is no more than 2³¹ − 1
    behind the group's base offset. Source: `Cleaner.groupSegmentsBySize`.

    Parameters
    ----------
    segments : sequence of segments
        Those to compact, oldest first.
    most_segment_bytes, most_index_bytes : int, bytes
        The limits: `segment.bytes`, `segment.index.bytes`.
    first_uncleanable_offset : int
        The last segment ends before it.
    """
    limits = (most_segment_bytes, most_index_bytes, most_index_bytes)
    groups: list[list[IndexedT]] = []
    room = limits
    for place, segment in enumerate(segments, start=1):
        end = first_uncleanable_offset
        if place < len(segments):
            end = segments[place].base_offset
        sizes = _sizes(segment)
        if groups and _joins(segment, end - 1, groups[-1][0].base_offset, room):
            groups[-1].append(segment)
        else:
            groups.append([segment])
            room = limits
        room = (room[0] - sizes[0], room[1] - sizes[1], room[2] - sizes[2])
    return groups


def _sizes(segment: IndexedSegment) -> _Sizes:
    return (
        segment.size_bytes,
        segment.offset_index.entry_count * OFFSET_ENTRY_BYTES,
        segment.time_index.entry_count * TIME_ENTRY_BYTES,
    )


def _joins(
    segment: IndexedSegment, last_offset: int, base_offset: int, room: _Sizes
) -> bool:
    """Return whether it fits; offsets of an empty one lie in anybody's reach."""
    if not all(size <= left for size, left in zip(_sizes(segment), room, strict=True)):
        return False
    return not segment.size_bytes or last_offset - base_offset <= _MOST_RELATIVE_OFFSET
