"""Throughput and latency over time: the data and labels they show."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from kafkasim import analysis, plot
from kafkasim.result.result import Result


def line(ax: Axes, label: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what the line of that label shows."""
    (found,) = [line for line in ax.lines if line.get_label() == label]
    x, y = found.get_data()
    return np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)


def legend_texts(ax: Axes) -> list[str]:
    legend = ax.get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


def test_throughput_draws_rates_at_the_middle_of_their_bins(five: Result) -> None:
    ax = plot.throughput(five, bin_ms=2)
    x, y = line(ax, "processed by billing")
    assert x.tolist() == [1, 3, 5, 7, 9]
    assert y.tolist() == [0, 1000, 500, 500, 500]
    assert line(ax, "intended")[1].tolist() == [1000, 1000, 500, 0, 0]
    assert legend_texts(ax) == [
        "intended",
        "appended",
        "processed by billing",
        "processed by audit",
    ]
    assert ax.get_xlabel() == "simulated time (ms)"
    assert ax.get_ylabel() == "records per second"
    assert "seed 7" in plot.caption(ax)
    assert "intended 500/s on average" in plot.alt_text(ax)


def test_throughput_says_what_was_processed_while_records_were_sent(
    five: Result,
) -> None:
    # Records are intended up to the third bin of 2 ms; of the five, billing has then
    # processed those done at 2.5, 3.5 and 5.5 ms, and audit all.
    ax = plot.throughput(five, bin_ms=2)
    title = ax.get_title(loc="left").replace("\n", " ")
    assert (
        title
        == "While records are sent, billing, furthest behind, processes 500/s of 833/s"
    )
    assert plot.alt_text(ax).startswith(title)


def test_a_system_without_a_log_has_no_line_of_appends(direct: Result) -> None:
    assert "appended" not in legend_texts(plot.throughput(direct))


def test_latency_draws_two_quantiles_for_each_subscriber(five: Result) -> None:
    ax = plot.latency(five, bin_ms=1)
    assert line(ax, "billing, p99")[1].tolist() == [7, 1.5, 1.5, 6, 1.5]
    assert line(ax, "audit, median")[1].tolist() == [1.5] * 5
    assert ax.get_yscale() == "linear"
    assert ax.get_xlabel() == "simulated time of the intended send (ms)"
    assert "billing has a median up to 7 ms" in plot.alt_text(ax)


def test_latency_says_its_worst_bin(five: Result) -> None:
    table = analysis.latency_over_time(five, bin_ms=1)
    table.loc[2, "latency_ms_p99"] = 30.0
    ax = plot.latency(table)
    said = "billing: p99 latency up to 30 ms, 20 times the median then"
    assert ax.get_title(loc="left") == said
    assert plot.alt_text(ax).startswith(said)


def test_more_than_six_subscribers_share_one_grey_label(five: Result) -> None:
    one = analysis.throughput(five, bin_ms=2)
    one = one[one["subscriber"] == "billing"]
    many = pd.concat([one.assign(subscriber=f"s{number}") for number in range(30)])
    texts = legend_texts(plot.throughput(many))
    assert texts[-2:] == ["processed by s5", "24 others"]
    assert len(texts) == 9


def test_latencies_far_apart_are_drawn_on_a_logarithmic_axis(five: Result) -> None:
    table = analysis.latency_over_time(five, bin_ms=1)
    table["latency_ms_p99"] *= 100
    ax = plot.latency(table)
    assert ax.get_yscale() == "log"
    assert "seed 7" in plot.caption(ax)


def test_a_result_and_its_table_give_the_same_picture(five: Result) -> None:
    from_table = plot.throughput(analysis.throughput(five, bin_ms=2))
    from_result = plot.throughput(five, bin_ms=2)
    for one, two in zip(from_table.lines, from_result.lines, strict=True):
        np.testing.assert_array_equal(one.get_xydata(), two.get_xydata())
    assert plot.caption(from_table) == plot.caption(from_result)


def test_axes_given_are_drawn_into(five: Result) -> None:
    left, right = Figure().subplots(1, 2)
    assert plot.lag(five, ax=left) is left
    assert plot.latency(five, ax=right) is right
    assert "Lag" in plot.caption(left)
    assert "latency" in plot.caption(right)


def test_a_run_without_records_can_be_drawn(
    nothing_sent: Result, drawn: Callable[[Axes], Figure]
) -> None:
    for draw in (plot.throughput, plot.latency, plot.lag):
        ax = draw(nothing_sent)
        drawn(ax)
        assert plot.alt_text(ax)
