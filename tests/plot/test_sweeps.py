"""A metric against what was varied."""

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from kafkasim import plot
from kafkasim.errors import ValidationError
from kafkasim.plot.line_labels import MOST_NAMED
from kafkasim.plot.words import metric_label


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
    assert ax.get_ylabel() == metric_label("latency_ms_p99")
    assert "means of 3 replications, bars are 95 % intervals" in plot.caption(ax)
    assert "none from 1,000 at 1 to 125 at 8" in plot.alt_text(ax)


def test_partition_counts_stand_on_a_logarithmic_axis_of_base_two() -> None:
    ax = plot.sweep(table())
    assert ax.get_xscale() == "log"
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1", "2", "4", "8"]


def test_shares_are_percentages_and_no_interval_is_no_bar(
    drawn: Callable[[Axes], Figure],
) -> None:
    ax = plot.sweep(table(), y="overtaken_share")
    assert all(not container.has_yerr for container in containers(ax))
    drawn(ax)
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


def test_a_metric_that_does_not_apply_says_so(drawn: Callable[[Axes], Figure]) -> None:
    ax = plot.sweep(table(), y="lag_records_max")
    assert ax.texts[0].get_text() == "does not apply"
    drawn(ax)


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


def drains(**columns: list[float]) -> pd.DataFrame:
    """Return a sweep of which drain and share are given for each line."""
    rows = [
        {
            "partitions": 2**step,
            "keys": keys,
            "drain_s": value,
            "overtaken_share": 0.0 if keys == "carrier" else 0.1 * step,
            "latency_ms_p99": value,
        }
        for keys, values in columns.items()
        for step, value in enumerate(values)
    ]
    made = pd.DataFrame(rows)
    made.attrs["paths"] = {"partitions": "system.topics.a.partitions", "keys": "x"}
    return made


SLOWER = {"carrier": [270.0, 120.0, 85.0, 117.0], "none": [270.0, 110.0, 26.0, 0.3]}


def notes(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_lines_are_named_where_they_end_and_need_no_legend() -> None:
    ax = plot.sweep(drains(**SLOWER), y="drain_s")
    assert notes(ax)[-2:] == ["carrier", "none"]
    assert not ax.figure.legends
    assert ax.get_legend() is None
    heights = [text.xy[1] for text in ax.texts if isinstance(text, Annotation)]
    assert heights[-2] > heights[-1]


def test_more_lines_than_can_be_named_have_a_legend_and_many_more_a_count() -> None:
    few = {f"k{number}": [2.0, 1.0] for number in range(MOST_NAMED + 1)}
    legend = plot.sweep(drains(**few), y="drain_s").get_legend()
    assert legend is not None
    assert len(legend.get_texts()) == MOST_NAMED + 1
    many = {f"k{number}": [2.0, 1.0] for number in range(200)}
    ax = plot.sweep(drains(**many), y="drain_s")
    assert ax.get_legend() is None
    assert notes(ax) == ["200 lines, one for each of keys"]
    (thin,) = ax.collections
    assert isinstance(thin, LineCollection)
    assert len(thin.get_segments()) == 200
    assert ax.dataLim.y1 == 2


def test_of_many_points_only_the_ends_are_labelled_and_it_says_so() -> None:
    steps = 40
    table = drains(a=[float(steps - n) for n in range(steps)], b=[50.0] * steps)
    table["partitions"] = [*range(1, steps + 1)] * 2
    ax = plot.sweep(table, y="drain_s", x="partitions", label="overtaken_share")
    assert len([note for note in notes(ax) if note.endswith("%")]) == 4
    assert any(note.startswith("at the ends: ") for note in notes(ax))


def test_a_column_is_printed_at_the_points_and_said_in_words() -> None:
    ax = plot.sweep(drains(**SLOWER), y="drain_s", label="overtaken_share")
    shares = [note for note in notes(ax) if note.endswith("%")]
    # At one partition both lines are at one place with one text: it stands once.
    assert sorted(shares) == sorted(["0 %"] * 4 + ["10 %", "20 %", "30 %"])
    assert any(note.startswith("at the points: ") for note in notes(ax))
    assert "carrier 0 % and none 0 % to 30 %" in plot.alt_text(ax)
    with pytest.raises(ValidationError, match="label: 'share'"):
        plot.sweep(drains(**SLOWER), y="drain_s", label="share")
    with pytest.raises(ValidationError, match="several panels"):
        plot.sweep(
            drains(**SLOWER), y=["drain_s", "latency_ms_p99"], label="overtaken_share"
        )


def test_the_title_says_where_more_is_worse_or_what_it_is_told() -> None:
    found = plot.sweep(drains(**SLOWER), y="drain_s")
    assert found.get_title(loc="left") == (
        "More partitions, slower: carrier 85 s at 4, 117 s at 8"
    )
    assert "More partitions, slower" in plot.alt_text(found)
    told = plot.sweep(drains(**SLOWER), y="drain_s", title="It depends on the key")
    assert told.get_title(loc="left") == "It depends on the key"
    faster = drains(tail=[270.0, 110.0, 26.0])
    assert not plot.sweep(faster, y="drain_s").get_title(loc="left")
    labelled = plot.sweep(faster, y="drain_s", label="overtaken_share")
    assert labelled.get_title(loc="left").startswith("Time to drain by partitions")
    panels = plot.sweep(drains(**SLOWER), y=["drain_s", "latency_ms_p99"], title="Two")
    assert panels.figure.get_suptitle() == "Two"


def test_the_scale_can_be_chosen() -> None:
    table = drains(**SLOWER)
    assert plot.sweep(table, y="drain_s").get_yscale() == "log"
    linear = plot.sweep(table, y="drain_s", y_scale="linear")
    assert linear.get_yscale() == "linear"
    assert linear.get_ylim()[0] == 0
    with pytest.raises(ValidationError, match=r"y_scale: 'log'.*linear"):
        plot.sweep(table, y="overtaken_share", y_scale="log")


def test_a_thousand_settings_have_few_ticks_written_out(
    drawn: Callable[[Axes], Figure],
) -> None:
    many = pd.DataFrame(
        {"partitions": range(1, 1_001), "drain_s": np.linspace(9.0, 1.0, 1_000)}
    )
    ax = plot.sweep(many, y="drain_s")
    drawn(ax)
    low, high = ax.get_xlim()
    shown = [
        label.get_text()
        for label in ax.get_xticklabels()
        if low <= label.get_position()[0] <= high
    ]
    assert 2 <= len(shown) <= 11
    assert {"1", "1,024"} & set(shown) or all(text.isdigit() for text in shown)
    names = many.assign(partitions=[f"p{number}" for number in range(1_000)])
    assert len(plot.sweep(names, y="drain_s").get_xticks()) <= 10


def test_runs_without_a_value_leave_a_gap_and_an_empty_table_says_so(
    drawn: Callable[[Axes], Figure],
) -> None:
    table = drains(carrier=[math.nan, 3.0, 2.0], none=[math.nan] * 3)
    table = pd.concat([table, table.iloc[1:2].assign(partitions=math.nan)])
    ax = plot.sweep(table, y="drain_s", label="overtaken_share")
    drawn(ax)
    assert notes(ax).count("none") == 0
    assert notes(ax).count("carrier") == 1
    empty = plot.sweep(table[:0], y="drain_s", x="partitions", hue="keys")
    drawn(empty)
    assert "no runs" in notes(empty)
    assert "no runs" in plot.alt_text(empty)


def test_one_run_is_a_point(drawn: Callable[[Axes], Figure]) -> None:
    ax = plot.sweep(drains(carrier=[3.0]), y="drain_s", label="overtaken_share")
    drawn(ax)
    assert "0 %" in notes(ax)
