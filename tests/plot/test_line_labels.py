"""Words on lines stand apart, in the order of their lines."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from kafkasim.plot.line_labels import Line, label_points, name_ends, spread_apart
from kafkasim.plot.style import canvas, style

HEIGHTS = st.lists(st.integers(0, 100).map(lambda n: n / 100), min_size=1, max_size=9)


@given(HEIGHTS)
def test_heights_come_apart_and_keep_their_order(heights: list[float]) -> None:
    moved = spread_apart(np.array(heights), 0.05)
    order = np.argsort(heights, kind="stable")
    assert (np.diff(moved[order]) >= 0.05 - 1e-9).all()
    assert abs(np.mean(moved) - np.mean(heights)) < 1e-9


@given(HEIGHTS)
def test_heights_that_are_apart_stay(heights: list[float]) -> None:
    distinct = np.array(sorted(set(heights)))
    assert np.allclose(spread_apart(distinct, 0.01), distinct)


def lines(*courses: list[float]) -> list[Line]:
    return [
        (f"line {number}", "black", np.arange(len(y), dtype=float), np.array(y))
        for number, y in enumerate(courses)
    ]


def drawn(made: list[Line]) -> Axes:
    ax = canvas(None)
    for _, _, x, y in made:
        ax.plot(x, y)
    ax.set_ylim(0, 10)
    return ax


def boxes(ax: Axes) -> list[tuple[str, float, float]]:
    figure = ax.figure
    assert isinstance(figure, Figure)
    FigureCanvasAgg(figure)
    figure.draw_without_rendering()
    extents = [(text.get_text(), text.get_window_extent()) for text in ax.texts]
    return [(name, float(box.y0), float(box.y1)) for name, box in extents]


def test_names_of_lines_that_end_together_do_not_overlap() -> None:
    made = lines([9.0, 1.0], [9.0, 1.01], [9.0, 0.99], [9.0, 9.0])
    with style():
        ax = drawn(made)
        name_ends(ax, made)
    names = sorted(boxes(ax), key=lambda box: box[1])
    assert [name for name, *_ in names] == ["line 2", "line 0", "line 1", "line 3"]
    for (_, _, top), (_, bottom, _) in pairwise(names):
        assert bottom >= top - 2


def test_a_line_without_a_point_has_no_name() -> None:
    made = lines([np.nan, np.nan], [1.0, np.nan])
    with style():
        ax = drawn(made)
        name_ends(ax, made)
        name_ends(ax, made[:1])
    (name,) = ax.texts
    assert name.get_text() == "line 1"
    assert isinstance(name, Annotation)
    assert name.xy[0] == 0


def test_of_two_points_together_the_upper_is_labelled_above() -> None:
    made = lines([5.0, 5.0], [5.1, 5.1])
    with style():
        ax = drawn(made)
        label_points(ax, made, [["low", "low"], ["high", "high"]])
    tops = {name: bottom for name, bottom, _ in boxes(ax)}
    point = ax.transData.transform((0, 5.05))[1]
    assert tops["low"] < point < tops["high"]


def test_one_text_at_one_place_is_written_once_and_at_two_places_twice() -> None:
    together, apart = lines([5.0], [5.0]), lines([5.0], [5.4])
    with style():
        one, two = drawn(together), drawn(apart)
        label_points(one, together, [["0 %"], ["0 %"]])
        label_points(two, apart, [["0 %"], ["0 %"]])
    assert len(one.texts) == 1
    assert len(two.texts) == 2


def test_a_label_stands_where_its_line_is_not() -> None:
    made = lines([9.0, 5.0, 1.0], [1.0, 2.0, 9.0])
    with style():
        ax = drawn(made)
        label_points(ax, made, [["", "falls", ""], ["", "rises", ""]])
    sides = {
        text.get_text(): text.get_horizontalalignment()
        for text in ax.texts
        if text.get_text()
    }
    # The upper of two is labelled above: to the right of a line that falls.
    assert sides["falls"] == "left"
    assert sides["rises"] == "right"
