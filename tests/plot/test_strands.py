"""Strands cross where the order of two records changed, and nowhere else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kafkasim.plot.strands import (
    KEPT,
    MOST_MARKED,
    OVERTAKEN,
    crossings,
    draw_strands,
    handles,
)


def axes() -> Axes:
    return Figure().add_subplot()


@given(st.permutations(range(9)))
def test_a_crossing_is_an_inversion(order: list[int]) -> None:
    left, right = np.arange(9), np.array(order)
    inversions = sum(order[i] > order[j] for i in range(9) for j in range(i + 1, 9))

    assert len(crossings(left, right)) == inversions
    shuffled = np.random.default_rng(1).permutation(9)
    assert len(crossings(left[shuffled], right[shuffled])) == inversions


def test_two_strands_that_change_places_meet_in_the_middle() -> None:
    assert crossings(np.array([0, 1]), np.array([1, 0])) == pytest.approx(
        np.array([[0.5, 0.5]])
    )


@given(st.permutations(range(7)))
def test_a_crossing_lies_on_two_strands(order: list[int]) -> None:
    ax = axes()
    draw_strands(ax, np.arange(7), np.arange(7), np.array(order), set())
    strands = [line for line in ax.lines if str(line.get_label()).startswith("record")]
    for along, height in crossings(np.arange(7), np.array(order)):
        heights = [
            np.interp(along, np.asarray(line.get_xdata()), np.asarray(line.get_ydata()))
            for line in strands
        ]
        assert sum(abs(each - height) < 0.02 for each in heights) >= 2


def test_an_overtaken_record_stands_out_without_its_colour() -> None:
    ax = axes()
    places = np.arange(2)
    draw_strands(ax, np.array([4, 7]), places, places[::-1], {4})
    late, kept, cross = ax.lines
    assert (late.get_label(), kept.get_label()) == ("record 4", "record 7")
    assert (late.get_color(), kept.get_color()) == (OVERTAKEN, KEPT)
    assert late.get_linewidth() > 1.5 * kept.get_linewidth()
    assert late.get_marker() != kept.get_marker()
    assert cross.get_marker() == "x"


def test_crossings_are_marked_only_while_there_is_room_and_when_asked() -> None:
    count = int((2 * MOST_MARKED) ** 0.5) + 2
    places = np.arange(count)
    many, unmarked = axes(), axes()
    draw_strands(many, places, places, places[::-1], set())
    draw_strands(unmarked, places[:2], places[:2], places[1::-1], set(), marked=False)
    assert len(many.lines) == count
    assert len(unmarked.lines) == 2


def test_a_legend_shows_crossings_only_when_they_are_marked() -> None:
    assert len(handles()) == 3
    assert len(handles(marked=False)) == 2
