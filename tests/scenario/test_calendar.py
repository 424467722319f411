"""Which date a simulated second is."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.bundled import YEAR_IN_A_MINUTE, flights
from kafkasim.scenario.calendar import Calendar, calendar_of
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.trace import Trace
from kafkasim.scenario.traffic import Arrivals, Source, Subscriber, Traffic

NEW_YORK = ZoneInfo("America/New_York")


def scenario(*arrivals: Arrivals, start_time: str = "") -> Scenario:
    sources = {
        f"web-{number}": Source("orders", each) for number, each in enumerate(arrivals)
    }
    said = {"start_time": start_time} if start_time else {}
    return Scenario(
        Traffic(
            sources,
            {"billing": Subscriber(["orders"])},
            duration_s=1.0,
            **said,  # type: ignore[arg-type]
        )
    )


def dated(*arrivals: Arrivals, start_time: str = "") -> Calendar:
    found = calendar_of(scenario(*arrivals, start_time=start_time))
    assert found is not None
    return found


@pytest.mark.parametrize("month", [None, 1, 3, 4, 7, 11, 12])
def test_flights_have_the_clock_of_new_york_hour_by_hour(month: int | None) -> None:
    speedup = 7_200.0
    dates = dated(flights(month, speedup=speedup))
    start = datetime(2013, month or 1, 1, tzinfo=NEW_YORK).astimezone(UTC)
    for hour in range(24 * (365 if month is None else 31)):
        moment = (start + timedelta(hours=hour)).astimezone(NEW_YORK)
        assert dates.at(hour / 2) == moment.replace(tzinfo=None, fold=0)


def test_the_hour_that_clocks_skip_comes_never_and_a_repeated_one_first() -> None:
    march, november = dated(flights(3)), dated(flights(11))
    assert march.when(datetime(2013, 3, 10, 2, 30)) is None  # noqa: DTZ001
    one = november.when(datetime(2013, 11, 3, 1, 30))  # noqa: DTZ001
    two = november.when(datetime(2013, 11, 3, 2, 30))  # noqa: DTZ001
    assert one == (2 * 24 + 1.5) * 3_600
    assert two == one + 2 * 3_600


def test_a_second_is_as_long_as_the_speed_up_says() -> None:
    dates = dated(flights(7, speedup=YEAR_IN_A_MINUTE))
    assert dates.speedup == YEAR_IN_A_MINUTE
    assert dates.at(1.0) == datetime(2013, 7, 7, 2)  # noqa: DTZ001
    assert dates.when(datetime(2013, 7, 7, 2)) == 1.0  # noqa: DTZ001
    assert (dates.zone, dates.start.month) == ("New York", 7)


def test_a_start_time_that_was_said_wins() -> None:
    dates = dated(Poisson(5.0), start_time="2026-03-01T09:00:00+09:00")
    assert (dates.zone, dates.speedup) == ("UTC", 1.0)
    assert dates.at(90.0) == datetime(2026, 3, 1, 0, 1, 30)  # noqa: DTZ001
    of_trace = dated(flights(7, speedup=60), start_time="2020-01-01T00:00:00Z")
    assert of_trace.at(1.0) == datetime(2020, 1, 1, 0, 1)  # noqa: DTZ001


def test_without_a_date_there_is_no_calendar() -> None:
    assert calendar_of(scenario(Poisson(5.0))) is None
    assert calendar_of(scenario(Trace(np.array([0, 1]), {}))) is None
    two = scenario(flights(7, speedup=2), flights(7, speedup=3))
    assert calendar_of(two) is None


def test_a_saved_scenario_and_its_resolved_form_have_the_same_calendar() -> None:
    said = scenario(flights(7, speedup=YEAR_IN_A_MINUTE))
    again = Scenario.from_toml(said.to_toml())
    assert calendar_of(again) == calendar_of(said)
    assert calendar_of(said.resolve()) == calendar_of(said)


def test_a_calendar_is_remembered_as_plain_values() -> None:
    dates = dated(flights(2, speedup=2.5))
    assert Calendar.from_plain(dates.plain()) == dates
    assert len(dates.changes) == 2
