"""Bands: what a mark stands at, what fits into a box, and artists that stay."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from kafkasim.plot.bands import Band, Bands, Lane, heights
from kafkasim.plot.style import GREY

BOARD = Lane("board", 0, first=0, position=3, committed=1)
LATE = Lane("late", 1, why="not there yet")
BAND = Band("orders-0", 4, ("a", "b", "c", "d"), (BOARD, LATE))


def drawn(*bands: Band, width: int = 4, inches: float = 8.0) -> Bands:
    ax = Figure().add_subplot()
    return Bands(ax, bands, width=width, boxes=True, inches=inches)


def places(points: object) -> list[float]:
    return [float(x) for x, _ in np.asarray(points)]


def shown(bands: Bands, which: str) -> list[str]:
    return [
        text.get_text() for text in getattr(bands, which).values() if text.get_visible()
    ]


def test_marks_stand_at_the_offset_of_the_next_record() -> None:
    bands = drawn(BAND)
    assert places(bands.positions.get_offsets()) == [3]
    assert places(bands.commits.get_offsets()) == [1]
    assert places(bands.ghosts.get_offsets()) == []


def test_a_line_covers_what_was_begun_from_where_it_began() -> None:
    bands = drawn(replace(BAND, lanes=(replace(BOARD, first=1),)))
    (line,) = bands._spans.get_segments()
    assert line[:, 0].tolist() == [0.5, 2.5]
    (start,) = bands._starts.get_segments()
    assert set(start[:, 0]) == {0.5}


def test_one_that_began_behind_its_position_has_no_line_backwards() -> None:
    # Work that was begun again after a crash stands before where it first began.
    bands = drawn(replace(BAND, lanes=(replace(BOARD, first=3, position=1),)))
    (line,) = bands._spans.get_segments()
    assert line[:, 0].tolist() == [2.5, 2.5]


def test_another_moment_moves_the_same_artists() -> None:
    bands = drawn(BAND)
    artists = (bands.positions, bands._records, *bands._numbers.values())
    late = replace(LATE, first=0, position=1, before=2)
    bands.update([replace(BAND, log_end=2, lanes=(replace(BOARD, position=2), late))])
    assert places(bands.positions.get_offsets()) == [2, 1]
    assert places(bands.ghosts.get_offsets()) == [2]
    assert len(bands._records.get_paths()) == 2
    assert shown(bands, "_numbers") == ["0", "1", "2"]
    assert shown(bands, "_labels") == ["a", "b"]
    assert artists[:2] == (bands.positions, bands._records)
    assert set(artists[2:]) == set(bands._numbers.values())


def test_an_outline_is_drawn_only_where_the_position_was_another() -> None:
    still = replace(BOARD, before=3)
    assert places(drawn(replace(BAND, lanes=(still,))).ghosts.get_offsets()) == []


def test_labels_are_left_out_where_they_do_not_fit_then_numbers() -> None:
    many = Band("orders-0", 40, ("key-1234",) * 40, (BOARD,))
    wide = drawn(many, width=40, inches=60.0)
    assert len(shown(wide, "_labels")) == 40
    narrow = drawn(many, width=40, inches=9.0)
    assert shown(narrow, "_labels") == []
    assert len(shown(narrow, "_numbers")) == 41
    tiny = drawn(many, width=40, inches=4.0)
    assert shown(tiny, "_numbers") == [str(n) for n in range(0, 41, 5)]


def test_a_number_without_a_label_stands_in_the_middle_of_its_box() -> None:
    keyless, keyed = drawn(replace(BAND, labels=("",) * 4)), drawn(BAND)
    middle = keyless._numbers[0, 4].get_position()[1]
    assert keyless._numbers[0, 0].get_position()[1] == middle
    assert keyed._numbers[0, 0].get_position()[1] < middle


def test_a_lane_says_where_it_stands_or_why_it_does_not() -> None:
    assert BOARD.told(4, 1) == "position 3, 1 to read"
    assert BOARD.told(3, 0) == "position 3, at the end"
    assert LATE.told(4, 4) == "not there yet"


@pytest.mark.parametrize(
    ("gone", "told"),
    [
        ((), "position 1, 3 to read"),
        (((0, 1),), "position 1, 3 to read"),
        (((0, 2), (3, 4)), "position 1, 1 to read"),
        (((0, 4),), "position 1, what comes next is gone"),
    ],
)
def test_what_is_gone_is_not_to_be_read(
    gone: tuple[tuple[int, int], ...], told: str
) -> None:
    assert replace(BAND, gone=gone).told(Lane("slow", 0, position=1)) == told


def test_bands_lie_under_each_other_without_touching() -> None:
    assert heights([2, 1]) == pytest.approx(heights([2]) + heights([1]))
    two = drawn(BAND, BAND)
    tops = sorted({path.get_extents().y0 for path in two._records.get_paths()})
    lowest = max(y for _, y in np.asarray(two.positions.get_offsets())[:1])
    assert tops[0] < lowest < tops[1]


def test_what_has_left_the_log_has_a_grey_number_and_no_box() -> None:
    bands = drawn(replace(BAND, gone=((2, 3), (0, 1), (0, 2))))
    boxes = [path.get_extents() for path in bands._records.get_paths()]
    assert [(box.x0 + box.x1) / 2 for box in boxes] == [3]
    assert shown(bands, "_labels") == ["d"]
    numbers = {at: text.get_color() for (_, at), text in bands._numbers.items()}
    assert numbers == {0: GREY, 1: GREY, 2: GREY, 3: "black", 4: GREY}


@pytest.mark.parametrize(
    ("gone", "kept"),
    [
        ((), [(0, 4)]),
        (((0, 2),), [(2, 4)]),
        (((2, 3), (0, 1)), [(1, 2), (3, 4)]),
        (((0, 3), (1, 2)), [(3, 4)]),
        (((0, 4),), []),
    ],
)
def test_what_is_kept_is_all_but_what_is_gone(
    gone: tuple[tuple[int, int], ...], kept: list[tuple[int, int]]
) -> None:
    assert replace(BAND, gone=gone).kept == kept
