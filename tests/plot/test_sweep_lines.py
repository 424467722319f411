"""Which rows of a sweep are one line."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from kafkasim import plot
from kafkasim.plot.sweep_lines import View, are_joined, lines_of, places_of, settings_of

GRID = pd.DataFrame(
    [
        {"partitions": partitions, "bytes": size, "work": work, "drain_s": drain}
        for partitions, one in ((1, 9.0), (2, 5.0), (4, 1.0))
        for size in (100, 1_000)
        for work, drain in ((1, one), (3, one + size))
    ]
)
GRID.attrs["paths"] = {name: f"x.{name}" for name in ("partitions", "bytes", "work")}


def courses(ax: Axes) -> list[list[float]]:
    """Return the heights of each line of points."""
    return [
        np.asarray(each.lines[0].get_ydata()).tolist()  # type: ignore[attr-defined]
        for each in ax.containers
    ]


def test_no_line_joins_two_settings() -> None:
    assert settings_of(GRID, None, None) == ("partitions", "bytes", ("work",))
    assert settings_of(GRID, None, "work") == ("partitions", "work", ("bytes",))
    ax = plot.sweep(GRID, y="drain_s")
    assert courses(ax) == [
        [9, 5, 1],
        [109, 105, 101],
        [9, 5, 1],
        [1_009, 1_005, 1_001],
    ]
    assert "bytes 100, work 3 from 109 at 1 to 101 at 4" in plot.alt_text(ax)
    panels = plot.sweep(GRID, y=("drain_s", "drain_s"))
    (legend,) = panels.figure.legends
    assert len(legend.get_texts()) == 4
    assert not legend.get_title().get_text()


def test_a_setting_of_one_value_parts_nothing() -> None:
    assert settings_of(GRID[GRID["work"] == 1], None, None)[2] == ()


def test_a_table_of_ones_own_says_nothing_of_its_other_columns() -> None:
    own = GRID.drop(columns="work")
    own.attrs = {}
    assert settings_of(own.assign(guess=range(12)), "partitions", "bytes")[2] == ()


def test_what_is_drawn_upwards_is_no_setting_of_a_table_of_ones_own() -> None:
    own = pd.DataFrame({"partitions": [1, 2], "requests": [7, 9], "outage": [3, 4]})
    assert settings_of(own, "partitions", None, ["requests", "outage"])[1] is None
    assert settings_of(own, "partitions", None, ["requests"])[1] == "outage"
    ax = plot.sweep(own, y=("requests", "outage"))
    assert courses(ax) == [[7, 9]]
    assert ax.figure.legends == []


def test_points_at_one_place_are_not_joined_and_find_nothing() -> None:
    table = pd.DataFrame({"partitions": [1, 1, 2, 2], "drain_s": [1.0, 9.0, 4.0, 8.0]})
    view = View("partitions", None, (), None, None)
    assert not are_joined(lines_of(table, view), view)
    assert are_joined(lines_of(table.iloc[1:3], view), view)
    ax = plot.sweep(table, y="drain_s", x="partitions")
    assert not ax.get_title(loc="left")
    (points,) = ax.containers
    assert points.lines[0].get_linestyle() == "None"  # type: ignore[attr-defined]
    assert "from 1 to 9." in plot.alt_text(ax)


def test_a_line_goes_from_left_to_right_whatever_the_order_of_rows() -> None:
    table = pd.DataFrame({"partitions": [4, 1, 2], "drain_s": [1.0, 9.0, 5.0]})
    ax = plot.sweep(table, y="drain_s", x="partitions")
    assert courses(ax) == [[9.0, 5.0, 1.0]]
    assert "from 9 at 1 to 1 at 4" in plot.alt_text(ax)


def test_a_value_without_a_place_stands_nowhere() -> None:
    view = View("keys", None, (), None, None)
    part = pd.DataFrame({"keys": ["none", None]})
    assert np.isnan(places_of(part, {"none": 0.0}, view)).tolist() == [False, True]
