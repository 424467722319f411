"""Axes of a sweep: settings as they were set, metrics from nothing up."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kafkasim.errors import ValidationError
from kafkasim.plot.sweep_scales import are_numbers, places_along, scale_x, scale_y


@pytest.fixture
def ax() -> Axes:
    return Figure().add_subplot()


def test_numbers_stand_at_their_value_and_names_in_their_order() -> None:
    assert places_along(pd.Series([4, 2, 4])) == {4: 4.0, 2: 2.0}
    assert places_along(pd.Series(["b", "a", "b"])) == {"b": 0.0, "a": 1.0}
    assert places_along(pd.Series([1.0, np.nan])) == {1.0: 1.0}
    assert are_numbers(pd.Series([1.5]))
    assert not are_numbers(pd.Series(["1.5"]))


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ([1, 2, 4, 8], "log"),
        ([1, 2, 4], "linear"),
        ([1, 8], "linear"),
        ([0, 1, 8], "linear"),
    ],
)
def test_settings_that_double_stand_on_a_logarithm(
    ax: Axes, values: list[int], scale: str
) -> None:
    scale_x(ax, pd.Series(values))
    assert ax.get_xscale() == scale
    assert [text.get_text() for text in ax.get_xticklabels()] == list(map(str, values))


def test_a_metric_begins_at_nothing_and_leaves_room_for_labels(ax: Axes) -> None:
    values = np.array([2.0, 10.0, np.nan])
    scale_y(ax, "drain_s", values, scale="linear", labelled=False)
    assert ax.get_ylim()[0] == 0
    scale_y(ax, "drain_s", values, scale="linear", labelled=True)
    assert ax.get_ylim() == pytest.approx((-0.9, 10.9))


def test_the_marks_of_values_that_are_all_alike_are_whole(ax: Axes) -> None:
    ax.plot([1, 2, 3], [5.9, 5.9, 5.9], "o")
    scale_y(ax, "latency_ms_p99", np.full(3, 5.9), scale=None, labelled=False)
    low, high = ax.get_ylim()
    assert low == 0
    assert high > 1.03 * 5.9


def test_a_logarithm_needs_values_above_nothing(ax: Axes) -> None:
    scale_y(ax, "drain_s", np.array([1.0, 100.0]), scale=None, labelled=False)
    assert ax.get_yscale() == "log"
    with pytest.raises(ValidationError, match="values of 0 or less"):
        scale_y(ax, "drain_s", np.array([0.0]), scale="log", labelled=False)


def test_what_there_is_not_is_said(ax: Axes) -> None:
    scale_y(ax, "drain_s", np.array([np.nan]), scale=None, labelled=False)
    scale_y(ax, "drain_s", np.array([]), scale=None, labelled=False)
    assert [text.get_text() for text in ax.texts] == ["does not apply", "no runs"]
