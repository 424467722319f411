"""Systems side by side."""

import math

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from kafkasim import plot
from kafkasim.errors import ValidationError


def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "system": ["Kafka", "Kafka", "point to point", "point to point"],
            "subscriber": ["audit", "billing"] * 2,
            "throughput_per_s": [300.0, 300.0, 100.0, 100.0],
            "latency_ms_p99": [5.0, 8.0, 900.0, 1_000.0],
            "lag_records_max": [10.0, 20.0, math.nan, math.nan],
            "overtaken_share": [0.0, 0.25, 0.0, 0.0],
        }
    )


def test_each_metric_is_a_panel_and_each_value_is_written() -> None:
    ax = plot.comparison(table(), y=("throughput_per_s", "lag_records_max"))
    left, right = ax.figure.axes
    assert ax is left
    assert [text.get_text() for text in left.texts] == ["300", "100", "300", "100"]
    assert [text.get_text() for text in right.texts] == ["10", "–", "20", "–"]
    assert [label.get_text() for label in left.get_yticklabels()] == [
        "Kafka",
        "point to point",
    ]
    assert [label.get_text() for label in right.get_yticklabels()] == ["", ""]
    assert right.get_xlabel() == "peak lag (records)"


def test_subscribers_are_told_apart_in_one_legend() -> None:
    ax = plot.comparison(table(), y="throughput_per_s")
    (legend,) = ax.figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["audit", "billing"]
    assert "Kafka and point to point with the same traffic" in plot.caption(ax)
    assert "point to point billing 100" in plot.alt_text(ax)


def test_values_far_apart_are_on_a_logarithmic_axis_without_stems() -> None:
    ax = plot.comparison(table(), y="latency_ms_p99")
    assert ax.get_xscale() == "log"
    assert all(np.size(line.get_xdata()) == 1 for line in ax.lines)


def test_shares_are_percentages() -> None:
    ax = plot.comparison(table(), y="overtaken_share")
    assert "25 %" in [text.get_text() for text in ax.texts]


def test_the_title_says_from_whom_to_whom_the_first_metric_goes() -> None:
    ax = plot.comparison(table(), y=("latency_ms_p99", "throughput_per_s"))
    figure = ax.get_figure(root=True)
    assert isinstance(figure, Figure)
    title = figure.get_suptitle().replace("\n", " ")
    assert title == (
        "p99 latency (ms): from 5 (Kafka, audit) to 1,000 (point to point, billing)"
    )
    assert plot.alt_text(ax).startswith(title)
    inside = plot.comparison(table(), y="throughput_per_s", ax=Figure().subplots())
    whole = inside.get_figure(root=True)
    assert isinstance(whole, Figure)
    assert not whole.get_suptitle(), "the figure is not ours to name"


def test_a_metric_that_nobody_has_is_said() -> None:
    gone = table().assign(drain_s=math.nan)
    ax = plot.comparison(gone, y="drain_s")
    assert plot.alt_text(ax).startswith("No system has a time to drain (s).")


def test_systems_as_a_whole_need_no_legend() -> None:
    whole = table().groupby("system", as_index=False)[["throughput_per_s"]].mean()
    ax = plot.comparison(whole, y="throughput_per_s")
    assert not ax.figure.legends


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(ValidationError, match="'p99'"):
        plot.comparison(table(), y="p99")
