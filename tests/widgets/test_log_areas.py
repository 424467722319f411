"""Areas from a log of a few records, with corners that can be told by hand."""

from dataclasses import replace

import numpy as np

from kafkasim.widgets.log_areas import bars, closed, gone, growing, steps
from kafkasim.widgets.log_shown import Found, Reader, Segments, Shown

INF = float("inf")
FOUND = Found(
    at_s=1.0,
    written=0,
    known=0,
    keys=0,
    offsets=np.zeros(0, dtype=np.int64),
    key=np.zeros(0, dtype=np.int64),
    newest=np.zeros(0, dtype=np.bool_),
    lost=np.zeros(0, dtype=np.int64),
    lost_key=np.zeros(0, dtype=np.int64),
)
SEGMENTS = Segments(
    base=np.array([0, 4, 6]),
    end=np.array([4, 6, 6]),
    created_s=np.array([0.0, 2.0, 4.0]),
    rolled_s=np.array([2.0, 4.0, INF]),
    deleted_s=np.array([5.0, INF, INF]),
    expired=np.array([True, False, False]),
    merged=np.zeros(3, dtype=np.bool_),
    made=np.zeros(3, dtype=np.bool_),
    records=np.array([4, 2, 0]),
    size_bytes=np.array([400, 200, 0]),
)
SLOW = Reader(
    at_s=np.array([0.0, 1.0, 7.0]),
    position=np.array([0, 1, 5]),
    jumps=np.array([[7.0, 2.0, 4.0]]),
    resets=np.array([[7.0, 4.0]]),
    missed=2,
    errors=1,
)
SHOWN = Shown(
    policy="delete",
    until_s=8.0,
    segments=SEGMENTS,
    end_at_s=np.array([0.5, 1.0, 3.0]),
    log_end=np.array([2, 4, 6]),
    start_at_s=np.array([0.0, 5.0]),
    log_start=np.array([0, 4]),
    stays=np.zeros((0, 3)),
    most=6,
    newest_stay=False,
    oldest_s=4.5,
    slow=SLOW,
    found=FOUND,
)


def test_a_segment_grows_under_the_logs_end() -> None:
    first, second, last = growing(SHOWN)
    up = [[0, 0], [0.5, 0], [0.5, 2], [1, 2], [1, 4], [2, 4]]
    assert first[:6].tolist() == up
    assert first[6:].tolist() == [[x, 0] for x in (2, 1, 1, 0.5, 0.5, 0)]
    assert second[:, 1].max() == 6
    assert second[:, 0].tolist()[:4] == [2, 3, 3, 4]
    assert set(last[:, 1]) == {6}  # empty: a line
    assert last[:, 0].max() == SHOWN.until_s


def test_a_closed_segment_stands_until_it_is_deleted_or_the_run_ends() -> None:
    first, second = closed(SEGMENTS, ~SEGMENTS.made, 8.0)
    assert first.tolist() == [[2, 0], [5, 0], [5, 4], [2, 4]]
    assert second.tolist() == [[4, 4], [8, 4], [8, 6], [4, 6]]
    assert closed(SEGMENTS, SEGMENTS.made, 8.0) == []
    at_once = replace(SEGMENTS, rolled_s=np.array([5.0, 4.0, INF]))
    assert len(closed(at_once, ~SEGMENTS.made, 8.0)) == 1


def test_only_what_was_deleted_has_an_end_and_an_empty_one_has_none() -> None:
    assert [bar.tolist() for bar in bars(SEGMENTS)] == [[[5, 0], [5, 4]]]
    empty = replace(SEGMENTS, end=SEGMENTS.base)
    assert bars(empty) == []


def test_what_was_fetched_before_it_went_is_told_from_what_went_unread() -> None:
    (fetched,), (unread,) = gone(SHOWN)
    # It held the record at offset 1 when deletion passed it, and none after it.
    assert fetched.tolist() == [[5, 2], [7, 2], [7, 1], [5, 1]]
    assert unread.tolist() == [[5, 4], [7, 4], [7, 2], [5, 2]]


def test_without_a_slow_reader_or_deletion_nothing_went_unread() -> None:
    assert gone(replace(SHOWN, slow=None)) == ([], [])
    none = replace(SHOWN, start_at_s=np.zeros(1), log_start=np.zeros(1, dtype=np.int64))
    assert gone(none) == ([], [])


def test_areas_are_cut_where_nothing_lies_between() -> None:
    ahead = replace(
        SLOW,
        at_s=np.array([0.0, 6.0, 6.5]),
        position=np.array([0, 5, 6]),
        jumps=np.zeros((0, 3)),
    )
    fetched, unread = gone(replace(SHOWN, slow=ahead))
    assert [area.tolist() for area in fetched] == [[[5, 4], [6, 4], [6, 0], [5, 0]]]
    assert unread == []


def test_steps_go_up_along_one_line_and_back_along_the_other() -> None:
    made = steps(np.array([0.0, 1.0, 3.0]), np.array([0.0, 1.0]), np.array([2.0, 4.0]))
    assert made.tolist() == [
        *([0, 2], [1, 2], [1, 4], [3, 4]),
        *([3, 1], [1, 1], [1, 0], [0, 0]),
    ]
