"""The calendar above the simulated seconds."""

from datetime import datetime

import pandas as pd
import pytest
from matplotlib.axes import Axes

from kafkasim import analysis, plot
from kafkasim.plot.calendar_axis import calendar, sentence
from kafkasim.plot.style import canvas
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.bundled import YEAR_IN_A_MINUTE, flights
from kafkasim.scenario.calendar import Calendar
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.testing.builders import small_result

START = datetime(2013, 7, 1)  # noqa: DTZ001 - the clock in New York
JULY = Calendar(START, "New York", 86_400.0)
"""A day in a second."""


def above(ax: Axes) -> list[tuple[float, str]]:
    """Return where the dates stand, and what they say."""
    (axis,) = ax.child_axes
    return [
        (place, label.get_text())
        for place, label in zip(axis.get_xticks(), axis.get_xticklabels(), strict=True)
    ]


def drawn(dates: Calendar, until: float, scale: float = 1_000.0) -> Axes:
    ax = canvas(None)
    ax.set_xlim(0, until)
    calendar(ax, {"calendar": dates.plain()}, scale)
    return ax


@pytest.mark.parametrize(
    ("until_s", "first"),
    [
        (40.0, [(0, "1 Jul"), (10, "11 Jul"), (20, "21 Jul"), (31, "1 Aug")]),
        (5.0, [(0, "1 Jul"), (1, "2 Jul"), (2, "3 Jul"), (3, "4 Jul")]),
        (1.2, [(0, "1 Jul 00:00"), (0.5, "1 Jul 12:00"), (1, "2 Jul 00:00")]),
        (400.0, [(0, "Jul"), (62, "Sep"), (123, "Nov"), (184, "Jan")]),
        (4_000.0, [(184, "2014"), (914, "2016"), (1_645, "2018")]),
    ],
)
def test_dates_are_round_and_few(until_s: float, first: list[object]) -> None:
    shown = above(drawn(JULY, until_s))
    assert shown[: len(first)] == first
    assert len(shown) <= 7


def test_they_stand_where_their_moment_is_in_the_unit_of_the_axis() -> None:
    shown = above(drawn(JULY, 5_000.0, scale=1.0))
    assert shown[:2] == [(0, "1 Jul"), (1_000, "2 Jul")]


def test_the_clocks_of_march_move_the_dates_by_an_hour() -> None:
    march = Calendar(
        datetime(2013, 3, 9),  # noqa: DTZ001
        "New York",
        3_600.0,
        ((26 * 3_600.0, 3_600.0),),
    )
    shown = {text: at for at, text in above(drawn(march, 75.0))}
    assert (shown["10 Mar"], shown["11 Mar"]) == (24, 47)


def test_a_short_run_is_dated_to_the_second() -> None:
    shown = above(drawn(Calendar(START, "UTC"), 10.0))
    assert shown[1] == (5, "1 Jul 00:00:05")


def test_less_than_a_second_has_no_dates() -> None:
    assert above(drawn(Calendar(START, "UTC"), 0.5)) == []


def test_axes_of_a_run_without_a_date_have_no_calendar(five: Result) -> None:
    assert plot.lag(five).child_axes == []
    assert sentence({}) == ""


def test_a_figure_of_the_flights_says_where_and_when() -> None:
    source = Source("flights", flights(7, speedup=YEAR_IN_A_MINUTE))
    traffic = Traffic({"new york": source}, {"board": Subscriber(["flights"])})
    result = small_result(
        records=[{"intended_ms": at * 1_000, "acked_ms": at} for at in range(5)],
        deliveries=[
            {"record_id": at, "subscriber": "board", "ended_ms": at * 1_000 + 2}
            for at in range(5)
        ],
        scenario=Scenario(traffic, Kafka(), seed=1),
    )
    ax = plot.throughput(result)
    assert (0.0, "1 Jul") in above(ax)
    assert ax.child_axes[0].get_xlabel() == "New York, 2013"
    assert "1 s of the run is 6.08 days" in plot.caption(ax)
    table = analysis.throughput(result)
    assert above(plot.throughput(table)) == above(ax)
    assert isinstance(table, pd.DataFrame)


def test_a_start_time_alone_is_a_sentence_without_a_speed_up() -> None:
    source = Source("orders", Periodic(1.0))
    traffic = Traffic(
        {"web": source},
        {"billing": Subscriber(["orders"])},
        duration_s=5.0,
        start_time="2026-03-01T09:00:00Z",
    )
    result = small_result(
        records=[{"intended_ms": 0}, {"intended_ms": 4_000}],
        deliveries=[{"record_id": 0, "subscriber": "billing", "ended_ms": 5_000}],
        scenario=Scenario(traffic, Kafka(), seed=1),
    )
    text = sentence(analysis.throughput(result).attrs)
    assert text == "Time 0 is 1 Mar 2026 09:00 (UTC)"
