"""Log end, position and committed offset, as they are drawn."""

import numpy as np
import pandas as pd

from kafkasim import analysis, plot
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.testing.builders import small_result


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


def test_what_is_committed_and_not_read_is_passed_over_and_not_read_again() -> None:
    table = pd.DataFrame(
        {
            "at_ms": [0.0, 1.0, 2.0],
            "log_end": [9, 9, 9],
            "position": [4, 5, 6],
            "committed": [4, 8, 4],
        }
    )
    ax = plot.offsets(table)

    assert ax.get_title(loc="left").replace("\n", " ") == (
        "Offsets: up to 5 records not read yet, up to 3 passed over after a crash"
    )
    areas = {str(area.get_label()): area for area in ax.collections}
    tops = {
        name: np.vstack([path.vertices for path in areas[name].get_paths()])[:, 1].max()
        for name in ("again after a crash", "passed over after a crash")
    }
    assert tops["passed over after a crash"] == 8
    again = np.vstack([p.vertices for p in areas["again after a crash"].get_paths()])
    inside = (again[:, 0] > 0) & (again[:, 0] < 2)
    assert set(again[inside, 1]) <= {4, 8}


def test_a_table_is_drawn_as_its_run_is(five: Result) -> None:
    one = plot.offsets(five, partition=1)
    two = plot.offsets(analysis.offsets(five, partition=1))
    assert one.get_title(loc="left") == two.get_title(loc="left")
    assert plot.alt_text(one) == plot.alt_text(two)


def test_a_run_without_records_can_be_drawn(nothing_sent: Result) -> None:
    ax = plot.offsets(nothing_sent)
    assert "log end to 0" in plot.alt_text(ax)


def reread() -> Result:
    """Return a run by hand: two records are done, one commit, and a crash."""
    scenario = Scenario(
        Traffic(
            {"web": Source("orders", Periodic(1.0))},
            {"billing": Subscriber(["orders"])},
            1.0,
        )
    )
    return small_result(
        [
            {"intended_ms": 0, "appended_ms": 1, "partition": 0, "offset": offset}
            for offset in range(3)
        ],
        deliveries=[
            {
                "record_id": record,
                "offset": record,
                "started_ms": at,
                "ended_ms": at + 1,
            }
            for record, at in ((0, 2), (1, 3), (2, 4), (1, 20), (2, 21))
        ],
        appends=[{"base_offset": 0, "record_count": 3, "appended_ms": 1}],
        commits=[{"offset": 1, "at_ms": 3}],
        events=[
            {"event": "Crash", "target": "member:billing/1", "at_ms": 6, "until_ms": 9}
        ],
        scenario=scenario,
    )


def test_what_is_read_again_is_a_step_back_with_a_bar() -> None:
    ax = plot.offsets(reread())
    bar = next(line for line in ax.lines if line.get_label() == "read again")
    np.testing.assert_array_equal(bar.get_xdata(), [20, 20])
    np.testing.assert_array_equal(bar.get_ydata(), [1, 3])
    assert [text.get_text() for text in ax.texts] == ["2 again", "1: crash", "1: back"]
    assert "The position steps back 1 time." in plot.alt_text(ax)


def test_without_a_step_back_there_is_no_bar(five: Result) -> None:
    ax = plot.offsets(five)
    assert "read again" not in [line.get_label() for line in ax.lines]
    assert "steps back" not in plot.alt_text(ax)
