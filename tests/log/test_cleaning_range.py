"""Source of the rules: LogCleanerManager, LogToClean, Cleaner.groupSegmentsBySize."""

from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.log.cleaning_range import (
    CleaningRange,
    LogBounds,
    cleaning_range,
    filthiest,
    segment_groups,
    segments_between,
)

NEVER_MS = 2**63 - 1


class Entries(NamedTuple):
    """An index as far as these rules look at it."""

    entry_count: int


class Piece(NamedTuple):
    """A segment as far as these rules look at it."""

    base_offset: int
    size_bytes: int = 100
    max_timestamp_ms: int = 1_000
    first_timestamp_ms: int | None = 1_000
    modified_ms: int = 0
    offset_index: Entries = Entries(1)
    time_index: Entries = Entries(1)


LOG = [Piece(0), Piece(10), Piece(20), Piece(30)]
"""Three segments that are full and the active one, which begins at 30."""


def ranged(
    segments: list[Piece] = LOG,
    *,
    start: int = 0,
    stable: int = 35,
    end: int = 35,
    checkpoint: int | None = None,
    now_ms: int = 5_000,
    min_lag_ms: int = 0,
    max_lag_ms: int = NEVER_MS,
) -> CleaningRange:
    return cleaning_range(
        segments,
        LogBounds(start, stable, end),
        checkpoint,
        now_ms,
        min_compaction_lag_ms=min_lag_ms,
        max_compaction_lag_ms=max_lag_ms,
    )


def test_all_but_the_active_segment_is_dirty_at_first() -> None:
    """LG-15. Source: LogCleanerManager.cleanableOffsets."""
    assert ranged() == CleaningRange(0, 30, 0, 300, 0)


def test_what_a_round_has_cleaned_is_clean() -> None:
    """LG-15: LogToClean; a segment that is clean in part counts as both."""
    assert ranged(checkpoint=10) == CleaningRange(10, 30, 100, 200, 0)
    assert ranged(checkpoint=15) == CleaningRange(15, 30, 200, 200, 0)
    assert ranged(checkpoint=30) == CleaningRange(30, 30, 300, 0, 0)


@pytest.mark.parametrize(("stable", "end"), [(20, 20), (19, 10), (25, 20), (3, 0)])
def test_the_segment_of_an_open_transaction_stays(stable: int, end: int) -> None:
    """LG-15, LG-19: cleanableOffsets ends at the last stable offset, and
    calculateCleanableBytes at the segment that holds it."""
    assert ranged(stable=stable).first_uncleanable_offset == end


def test_an_open_transaction_before_the_first_dirty_offset_leaves_nothing() -> None:
    """A range ends no earlier than it begins, down to the segment's base."""
    found = ranged(checkpoint=15, stable=12)

    assert found.first_uncleanable_offset == 10 and found.dirty_bytes == 0


@pytest.mark.parametrize(("largest_ms", "end"), [(4_000, 30), (4_001, 10)])
def test_a_segment_with_a_young_record_stays_and_all_later_ones(
    largest_ms: int, end: int
) -> None:
    """LG-15: min.compaction.lag.ms (findFirstUncleanableSegment). A record of exactly
    that age is old enough."""
    log = [Piece(0), Piece(10, max_timestamp_ms=largest_ms), Piece(20), Piece(30)]

    assert ranged(log, min_lag_ms=1_000).first_uncleanable_offset == end
    assert ranged(log, min_lag_ms=0).first_uncleanable_offset == 30


def test_a_segment_without_timestamps_is_as_old_as_its_file() -> None:
    """Source: LogSegment.largestTimestamp."""
    log = [Piece(0), Piece(10, max_timestamp_ms=-1, modified_ms=4_001), Piece(20)]

    assert ranged(log, min_lag_ms=1_000).first_uncleanable_offset == 10
    assert ranged(log, min_lag_ms=999).first_uncleanable_offset == 20


def test_a_young_record_in_the_clean_part_holds_nothing_back() -> None:
    """LogCleanerManager.findFirstUncleanableSegment looks at dirty segments."""
    log = [Piece(0, max_timestamp_ms=5_000), Piece(10), Piece(20), Piece(30)]

    assert ranged(log, checkpoint=10, min_lag_ms=1).first_uncleanable_offset == 30


@pytest.mark.parametrize("checkpoint", [4, 36])
def test_a_first_dirty_offset_outside_the_log_counts_for_nothing(
    checkpoint: int,
) -> None:
    """LogCleanerManager.cleanableOffsets: forceUpdateCheckpoint."""
    found = ranged(start=5, checkpoint=checkpoint)

    assert found.first_dirty_offset == 5 and found.was_reset
    assert not ranged(start=5, checkpoint=5).was_reset
    assert not ranged(start=5, checkpoint=35).was_reset


def test_a_log_is_due_above_the_least_ratio_and_not_at_it() -> None:
    """LG-16. Source: LogCleanerManager.grabFilthiestCompactedLog."""
    half = CleaningRange(10, 20, 100, 100, 0)

    assert half.dirty_ratio == 0.5
    assert not half.is_due(0.5) and half.is_due(0.49)
    assert not CleaningRange(0, 0, 0, 0, 0).is_due(0.0)


@pytest.mark.parametrize(("max_lag_ms", "overdue_ms"), [(4_100, 0), (4_099, 1)])
def test_a_log_whose_first_batch_waited_too_long_is_due(
    max_lag_ms: int, overdue_ms: int
) -> None:
    """LG-16: max.compaction.lag.ms (maxCompactionDelay); it takes the oldest first
    batch of the dirty segments, and the active one does not count."""
    log = [Piece(0), Piece(10), Piece(20), Piece(30, first_timestamp_ms=1)]
    log[2] = Piece(20, first_timestamp_ms=900)
    found = ranged(log, checkpoint=10, max_lag_ms=max_lag_ms)

    assert found.overdue_ms == overdue_ms
    assert found.is_due(0.99) == (overdue_ms > 0)


def test_segments_without_a_time_are_never_overdue() -> None:
    """maxCompactionDelay passes over times that are not above 0."""
    log = [
        Piece(0, first_timestamp_ms=None),
        Piece(10, first_timestamp_ms=0),
        Piece(20),
    ]

    assert ranged(log, end=20, max_lag_ms=1).overdue_ms == 0


def test_what_is_overdue_and_cannot_be_compacted_is_not_due() -> None:
    """LogCleanerManager.grabFilthiestCompactedLog: cleanableBytes must be above 0."""
    found = ranged(stable=5, max_lag_ms=1)

    assert found.overdue_ms > 0 and not found.is_due(0.0)


def test_the_dirtiest_of_the_logs_that_are_due_comes_first() -> None:
    """LG-16: highest ratio first, of those above their own least ratio."""
    logs = [CleaningRange(0, 9, 100 - dirty, dirty, 0) for dirty in (60, 90, 80, 80)]

    assert filthiest(logs, [0.5] * 4) == 1
    assert filthiest(logs, [0.5, 0.95, 0.5, 0.5]) == 2
    assert filthiest(logs, [0.95] * 4) is None
    assert filthiest([], []) is None


def test_segments_between_offsets_are_those_that_hold_them() -> None:
    """Source: LogSegments.values."""
    log = [Piece(5), Piece(10), Piece(20)]

    def bases(start: int, end: int) -> list[int]:
        return [segment.base_offset for segment in segments_between(log, start, end)]

    assert bases(0, 99) == [5, 10, 20]
    assert bases(12, 20) == [10] and bases(12, 21) == [10, 20]
    assert bases(10, 10) == bases(12, 11) == []


def grouped(
    segments: list[Piece],
    *,
    most_bytes: int = 1_000,
    most_index_bytes: int = 1_000,
    uncleanable: int = 100,
) -> list[list[int]]:
    groups = segment_groups(
        segments,
        most_segment_bytes=most_bytes,
        most_index_bytes=most_index_bytes,
        first_uncleanable_offset=uncleanable,
    )
    return [[segment.base_offset for segment in group] for group in groups]


def test_segments_go_together_up_to_the_size_of_one() -> None:
    """LG-21. Source: Cleaner.groupSegmentsBySize; LogCleanerTest
    testSegmentGrouping. A segment larger than the limit stays alone."""
    assert grouped(LOG, most_bytes=200) == [[0, 10], [20, 30]]
    assert grouped(LOG, most_bytes=199) == [[0], [10], [20], [30]]
    assert grouped(LOG, most_bytes=1) == [[0], [10], [20], [30]]
    assert grouped(LOG) == [[0, 10, 20, 30]]
    assert grouped([]) == []


def test_indexes_limit_a_group_too() -> None:
    """LG-21: both indexes of the group must fit into one (groupSegmentsBySize)."""
    untimed = [Piece(base, time_index=Entries(0)) for base in (0, 10, 20)]

    assert grouped(untimed, most_index_bytes=15) == [[0], [10], [20]]
    assert grouped(untimed, most_index_bytes=16) == [[0, 10], [20]]
    assert grouped(LOG, most_index_bytes=23) == [[0], [10], [20], [30]]
    assert grouped(LOG, most_index_bytes=24) == [[0, 10], [20, 30]]


@pytest.mark.parametrize(("extra", "groups"), [(0, 1), (1, 2)])
def test_a_group_reaches_as_far_as_relative_offsets(extra: int, groups: int) -> None:
    """LogCleanerTest testSegmentGroupingWithSparseOffsets: a segment's last offset is
    taken to be the one before the next segment, or before the end of the range."""
    far = 2**31 + 7 + extra
    middle, last = Piece(7), Piece(far - 1)

    assert len(grouped([middle, Piece(9)], uncleanable=far)) == groups
    assert len(grouped([middle, Piece(9), last], uncleanable=far)) == 1 + groups - 1
    empty = Piece(9, size_bytes=0)
    assert len(grouped([middle, empty], uncleanable=far + 9)) == 1


@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.integers(0, 6), st.integers(0, 5)),
        max_size=12,
    ),
    st.integers(1, 100),
)
def test_groups_are_the_segments_in_order_and_each_takes_what_fits(
    sizes: list[tuple[int, int, int]], most: int
) -> None:
    log = [
        Piece(place, size, offset_index=Entries(offsets), time_index=Entries(times))
        for place, (size, offsets, times) in enumerate(sizes)
    ]
    groups = segment_groups(
        log,
        most_segment_bytes=most,
        most_index_bytes=most,
        first_uncleanable_offset=len(log),
    )

    def total(pieces: list[Piece]) -> list[int]:
        return [
            sum(piece.size_bytes for piece in pieces),
            sum(piece.offset_index.entry_count * 8 for piece in pieces),
            sum(piece.time_index.entry_count * 12 for piece in pieces),
        ]

    assert [piece for group in groups for piece in group] == log
    assert all(len(group) == 1 or max(total(group)) <= most for group in groups)
    for group, after in pairwise(groups):
        assert max(total([*group, after[0]])) > most
