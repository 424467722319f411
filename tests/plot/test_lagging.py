"""Records that wait in the log: the data and labels shown."""

import pandas as pd
import pytest
from matplotlib.axes import Axes

from kafkasim import analysis, plot
from kafkasim.errors import ValidationError
from kafkasim.result.result import Result


def legend_texts(ax: Axes) -> list[str]:
    legend = ax.get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


def test_lag_marks_its_peak(five: Result) -> None:
    ax = plot.lag(five, bin_ms=1)
    assert "billing\n(peak 3 near 5.5 ms)" in legend_texts(ax)
    assert ax.get_ylabel() == "records waiting"
    assert "billing peaks at 3 near 5.5 ms" in plot.alt_text(ax)
    title = ax.get_title(loc="left")
    assert title == "billing has most waiting: 3 records, near 5.5 ms"
    alone = plot.lag(five, subscriber="billing", bin_ms=1)
    title = alone.get_title(loc="left")
    assert title == "billing has up to 3 records waiting, near 5.5 ms"


def test_lag_by_partition_stacks_up_to_the_whole(five: Result) -> None:
    ax = plot.lag(five, by="partition", subscriber="billing", bin_ms=1)
    assert legend_texts(ax) == ["orders-0", "orders-1"]
    assert plot.caption(ax).startswith("Lag of billing by partition.")
    title = ax.get_title(loc="left").replace("\n", " ")
    assert title == (
        "orders-0 holds 67 % of 3 records waiting for billing at 5 ms, "
        "the highest point"
    )
    assert plot.alt_text(ax).startswith(title)
    total = analysis.lag(five, subscriber="billing", bin_ms=1)["lag_records"].max()
    highest = max(
        path.get_extents().y1 for area in ax.collections for path in area.get_paths()
    )
    assert highest == total


def test_partitions_beyond_the_fifth_are_one_grey_area(five: Result) -> None:
    table = analysis.lag(five, by="partition", subscriber="billing", bin_ms=1)
    part = table[table["partition"] == 0]
    many = pd.concat([part.assign(partition=number) for number in range(8)])
    texts = legend_texts(plot.lag(many, by="partition"))
    assert len(texts) == 6
    assert texts[-1] == "3 others"


def test_stacking_needs_partitions(five: Result) -> None:
    with pytest.raises(ValidationError, match="subscriber, as the table"):
        plot.lag(analysis.lag(five), by="partition")


def test_without_a_log_the_empty_axes_say_why(direct: Result) -> None:
    for ax in (plot.lag(direct), plot.lag(direct, by="partition")):
        assert "no record was appended" in ax.texts[0].get_text()
        assert plot.alt_text(ax)


def test_more_than_six_subscribers_share_one_grey_label(five: Result) -> None:
    one = analysis.lag(five, subscriber="billing", bin_ms=1)
    many = pd.concat([one.assign(subscriber=f"s{number}") for number in range(30)])
    texts = legend_texts(plot.lag(many))
    assert len(texts) == 7
    assert texts[-1] == "24 others"


def test_one_moment_of_a_stack_can_be_seen(five: Result) -> None:
    table = analysis.lag(five, by="partition", subscriber="billing", bin_ms=1)
    moment = table[table["at_ms"] == 5.0]
    ax = plot.lag(moment, by="partition")
    boxes = [path.get_extents() for area in ax.collections for path in area.get_paths()]
    assert max(box.width for box in boxes) == 1.0


def test_where_nothing_waits_the_title_says_so(five: Result) -> None:
    table = analysis.lag(five, bin_ms=1).assign(lag_records_max=0)
    assert plot.lag(table).get_title(loc="left") == "No record waits in a log"


def test_lag_in_seconds_is_a_line_of_the_oldest_s_age(five: Result) -> None:
    """Record 3, appended at 4 ms, is done at 9 ms; record 0 waits from 1 to 7 ms."""
    ax = plot.lag(five, subscriber="billing", bin_ms=1, unit="seconds")
    table = analysis.lag(five, subscriber="billing", bin_ms=1)
    assert ax.lines[0].get_ydata().tolist() == table["lag_s_max"].tolist()  # type: ignore[union-attr]
    assert table["lag_s_max"].max() == 0.006
    assert ax.get_ylabel() == "age of the oldest record waiting (s)"
    title = ax.get_title(loc="left")
    assert title == "The oldest record waits 0.006 s for billing, near 6.5 ms"
    assert "billing peaks at 0.006 s near 6.5 ms" in plot.alt_text(ax)


def test_seconds_are_not_stacked_and_days_are_no_unit(five: Result) -> None:
    with pytest.raises(ValidationError, match="records"):
        plot.lag(five, by="partition", unit="seconds")
    with pytest.raises(ValidationError, match="records and seconds"):
        plot.lag(five, unit="days")  # type: ignore[arg-type]
