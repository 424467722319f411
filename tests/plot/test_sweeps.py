"""A metric against what was varied."""

import math

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer

from kafkasim import plot
from kafkasim.errors import ValidationError


def table() -> pd.DataFrame:
    rows = [
        {
            "partitions": partitions,
            "keys": keys,
            "replications": 3,
            "latency_ms_p99": 1_000.0 / partitions * factor,
            "latency_ms_p99_low": 900.0 / partitions * factor,
            "latency_ms_p99_high": 1_200.0 / partitions * factor,
            "overtaken_share": 0.1 * factor,
            "overtaken_share_low": math.nan,
            "overtaken_share_high": math.nan,
            "lag_records_max": math.nan,
        }
        for keys, factor in (("none", 1.0), ("carrier", 2.0))
        for partitions in (1, 2, 4, 8)
    ]
    made = pd.DataFrame(rows)
    made.attrs["paths"] = {"partitions": "system.topics.a.partitions", "keys": "x"}
    return made


def containers(ax: Axes) -> list[ErrorbarContainer]:
    return [each for each in ax.containers if isinstance(each, ErrorbarContainer)]


def test_each_value_of_the_second_column_is_a_line_with_its_intervals() -> None:
    ax = plot.sweep(table())
    none, carrier = containers(ax)
    assert (none.get_label(), carrier.get_label()) == ("none", "carrier")
    data_line, _, (bars,) = none.lines
    assert np.asarray(data_line.get_xdata()).tolist() == [1, 2, 4, 8]
    assert np.asarray(data_line.get_ydata()).tolist() == [1000, 500, 250, 125]
    low, high = bars.get_segments()[0][:, 1]
    assert (low, high) == pytest.approx((900, 1200))
    assert ax.get_xlabel() == "partitions"
    assert ax.get_ylabel() == "99th percentile of latency (ms)"
    assert "means of 3 replications, bars are 95 % intervals" in plot.caption(ax)
    assert "none from 1,000 at 1 to 125 at 8" in plot.alt_text(ax)


def test_partition_counts_stand_on_a_logarithmic_axis_of_base_two() -> None:
    ax = plot.sweep(table())
    assert ax.get_xscale() == "log"
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1", "2", "4", "8"]


def test_shares_are_percentages_and_no_interval_is_no_bar() -> None:
    ax = plot.sweep(table(), y="overtaken_share")
    assert all(not container.has_yerr for container in containers(ax))
    ax.figure.canvas.draw()
    assert any("%" in label.get_text() for label in ax.get_yticklabels())


def test_names_along_the_bottom_are_not_joined_by_a_line() -> None:
    ax = plot.sweep(table(), x="keys", hue="partitions")
    assert [label.get_text() for label in ax.get_xticklabels()] == ["none", "carrier"]
    assert [str(each.get_label()) for each in containers(ax)] == ["1", "2", "4", "8"]
    assert {each.lines[0].get_linestyle() for each in containers(ax)} == {"None"}


def test_several_metrics_are_panels_with_one_legend() -> None:
    ax = plot.sweep(table(), y=("latency_ms_p99", "overtaken_share"))
    assert len(ax.figure.axes) == 2
    (legend,) = ax.figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["none", "carrier"]


def test_a_metric_that_does_not_apply_says_so() -> None:
    ax = plot.sweep(table(), y="lag_records_max")
    assert ax.texts[0].get_text() == "does not apply"
    ax.figure.canvas.draw()


def test_one_varied_column_needs_no_legend() -> None:
    one = table().query("keys == 'none'").drop(columns="keys")
    one.attrs = {}
    ax = plot.sweep(one)
    assert not ax.figure.legends
    assert len(containers(ax)) == 1


def test_columns_that_are_not_there_are_named() -> None:
    with pytest.raises(ValidationError, match="y: 'p99'"):
        plot.sweep(table(), y="p99")
    with pytest.raises(ValidationError, match="x: 'members'"):
        plot.sweep(table(), x="members")
    with pytest.raises(ValidationError, match="a column that was varied"):
        plot.sweep(pd.DataFrame({"latency_ms_p99": [1.0]}))
