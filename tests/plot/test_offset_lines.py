"""Log end, position and committed offset, as they are drawn."""

import numpy as np

from kafkasim import analysis, plot
from kafkasim.result.result import Result


def test_offsets_are_steps_of_three_kinds(five: Result) -> None:
    ax = plot.offsets(five, subscriber="billing", partition=0)
    table = analysis.offsets(five, subscriber="billing", partition=0)
    drawn = {str(line.get_label()): line for line in ax.lines}
    assert list(drawn) == ["log end", "position", "committed"]
    for label, line in drawn.items():
        column = table[label.replace(" ", "_")].to_numpy(dtype=np.float64)
        np.testing.assert_array_equal(line.get_xdata(), table["at_ms"])
        np.testing.assert_array_equal(line.get_ydata(), column)
        assert line.get_drawstyle() == "steps-post"
    assert plot.caption(ax).startswith("Offsets of orders-0, read by billing.")
    assert "committed to 1" in plot.alt_text(ax)
    assert "seed 7" in plot.caption(ax)


def test_the_title_says_what_was_not_read_and_what_would_be_read_again(
    five: Result,
) -> None:
    table = analysis.offsets(five, subscriber="billing", partition=0)
    unread = (table["log_end"] - table["position"]).max()
    again = (table["position"] - table["committed"]).max()
    title = plot.offsets(table).get_title(loc="left").replace("\n", " ")
    records = "record" if unread == 1 else "records"
    assert title == (
        f"Offsets of orders-0, read by billing: up to {unread} {records} not read yet, "
        f"up to {again} to read again after a crash"
    )
    assert unread > 0
    assert again > 0


def test_a_table_is_drawn_as_its_run_is(five: Result) -> None:
    one = plot.offsets(five, partition=1)
    two = plot.offsets(analysis.offsets(five, partition=1))
    assert one.get_title(loc="left") == two.get_title(loc="left")
    assert plot.alt_text(one) == plot.alt_text(two)


def test_a_run_without_records_can_be_drawn(nothing_sent: Result) -> None:
    ax = plot.offsets(nothing_sent)
    assert "log end to 0" in plot.alt_text(ax)
