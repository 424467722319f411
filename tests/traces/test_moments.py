from datetime import datetime, timedelta, timezone
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.errors import TraceError, ValidationError
from kafkasim.traces.cells import Cells
from kafkasim.traces.moments import Clock, TimeUnit, read_times

BERLIN = timezone(timedelta(hours=1))
PLAIN = Clock()


def read(
    *values: object, clock: Clock = PLAIN
) -> tuple[list[int], dict[str, list[int]]]:
    """Return the times in ns and, by cause, the rows that are bad (from 0)."""
    codes = np.array([-1 if value is None else row for row, value in enumerate(values)])
    times_ns, problems = read_times("at", Cells(codes, list(values)), clock)
    bad = {each.cause: each.rows.tolist() for each in problems if len(each.rows)}
    return times_ns.tolist(), bad


@pytest.mark.parametrize(
    ("unit", "value", "time_ns"),
    [
        ("s", "1700000000", 1_700_000_000_000_000_000),
        ("s", "1700000000.123456789", 1_700_000_000_123_456_789),
        ("s", "-0.5", -500_000_000),
        ("s", " 1.5e3 ", 1_500_000_000_000),
        ("ms", "1700000000123.4", 1_700_000_000_123_400_000),
        ("us", 7, 7_000),
        ("ns", 1_700_000_000_123_456_789, 1_700_000_000_123_456_789),
        ("s", 0.1, 100_000_000),
        ("ns", "2.5", 2),
        ("ns", "3.5", 4),
    ],
)
def test_numbers_are_exact_in_their_unit(
    unit: TimeUnit, value: object, time_ns: int
) -> None:
    assert read(value, clock=Clock(unit)) == ([time_ns], {})


@given(
    time_ns=st.integers(-(2**62) + 1, 2**62 - 1),
    unit=st.sampled_from(get_args(TimeUnit)),
)
def test_decimals_lose_no_nanosecond(time_ns: int, unit: TimeUnit) -> None:
    digits = {"s": 9, "ms": 6, "us": 3, "ns": 0}[unit]
    whole, fraction = divmod(abs(time_ns), 10**digits)
    sign = "-" if time_ns < 0 else ""
    text = f"{sign}{whole}.{fraction:0{digits}d}" if digits else f"{time_ns}"

    assert read(text, clock=Clock(unit)) == ([time_ns], {})


@pytest.mark.parametrize(
    "value", ["", "noon", "1,5", "nan", "inf", "1e999999999", "2e10", "1_0", True]
)
def test_what_is_no_number_of_seconds_is_a_bad_row(value: object) -> None:
    assert read("1", value, clock=Clock("s"))[1] == {"unparseable time": [1]}


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        ("1970-01-01", 0),
        ("1970-01-01T00:00:01", 1_000_000_000),
        ("1970-01-01 00:00:01.5", 1_500_000_000),
        ("1970-01-01T00:00:00.123456789", 123_456_789),
        ("1970-01-01T00:00:00.1234567Z", 123_456_700),
        ("1970-01-01T01:00:00+01:00", 0),
        ("19700101T000001Z", 1_000_000_000),
        ("1969-12-31T23:59:59.999999999Z", -1),
        ("2013-03-10T03:30:00-04:00", 1_362_900_600_000_000_000),
    ],
)
def test_iso_8601_is_read_to_the_nanosecond(text: str, time_ns: int) -> None:
    assert read(text) == ([time_ns], {})


@given(moment=st.datetimes(datetime(1824, 1, 1), datetime(2115, 12, 31)))  # noqa: DTZ001 - a clock without zone
def test_any_iso_time_is_read_as_pandas_reads_it(moment: datetime) -> None:
    expected = pd.Timestamp(moment).as_unit("ns").value

    assert read(moment.isoformat()) == ([expected], {})
    assert read(moment) == ([expected], {})


@pytest.mark.parametrize(
    "text", ["noon", "2026-02-30", "31.01.2026", "2026-01-01T25:00", "9999-12-31", ""]
)
def test_what_is_no_time_is_a_bad_row(text: str) -> None:
    assert read("2026-01-01", text)[1] == {"unparseable time": [1]}


def test_timestamps_keep_their_nanoseconds() -> None:
    stamp = pd.Timestamp("2026-01-01T00:00:00.123456789+01:00")

    assert read(stamp) == ([1_767_222_000_123_456_789], {})


def test_a_format_reads_what_iso_does_not() -> None:
    clock = Clock(pattern="%d.%m.%Y %H:%M")

    assert read("02.01.1970 00:01", "1970-01-02", clock=clock) == (
        [86_460_000_000_000, 0],
        {"unparseable time": [1]},
    )


def test_a_format_may_be_all_digits() -> None:
    assert read("197001020001", clock=Clock(pattern="%Y%m%d%H%M"))[0] == [
        86_460_000_000_000
    ]


def test_a_missing_time_is_a_bad_row() -> None:
    assert read("1970-01-01", None)[1] == {"missing time": [1]}


def test_times_with_and_without_zone_do_not_mix() -> None:
    assert read("1970-01-01", "1970-01-02T00:00Z", "1970-01-03")[1] == {
        "mixed time zones": [1]
    }
    assert read("1970-01-01T00:00Z", "1970-01-02", clock=Clock(utc=True))[1] == {
        "mixed time zones": [1]
    }


def test_zones_may_differ_only_when_asked_for() -> None:
    times = ("1970-01-01T00:00+01:00", "1970-01-01T00:00-05:00")

    assert read(*times)[1] == {"mixed time zones": [1]}
    assert read(*times, clock=Clock(utc=True)) == (
        [-3_600_000_000_000, 18_000_000_000_000],
        {},
    )


def test_two_writings_of_one_zone_are_one_zone() -> None:
    assert (
        read("1970-01-01T00:00Z", "1970-01-01T00:00+00:00", "19700101T0000+00")[1] == {}
    )


def test_the_zone_that_counts_is_that_of_the_first_time() -> None:
    assert read("never", None, datetime(1970, 1, 1, tzinfo=BERLIN), "1970-01-01")[
        1
    ] == {
        "missing time": [1],
        "unparseable time": [0],
        "mixed time zones": [3],
    }


def test_an_error_about_zones_tells_the_remedy_where_there_is_one() -> None:
    cells = Cells(np.array([0, 1]), ["1970-01-01T00:00Z", "1970-01-01T00:00+02:00"])
    hint = read_times("at", cells, PLAIN)[1][-1].hint

    assert hint == (
        "the first time has UTC; utc=True takes each time as the instant it names"
    )


def test_numbers_without_a_unit_are_an_error() -> None:
    with pytest.raises(TraceError, match="column 'at': holds numbers; say their unit"):
        read("1700000000", "1700000001")


def test_one_number_among_timestamps_is_a_bad_row() -> None:
    assert read("1970-01-01", "20260101")[1] == {"unparseable time": [1]}


def test_an_array_of_timestamps_is_read_whole() -> None:
    values = np.array(["1970-01-01T00:00:01", "2200-01-01"], "datetime64[ns]")
    times_ns, problems = read_times("at", Cells(np.array([0, -1, 1]), values), PLAIN)

    assert times_ns[0] == 1_000_000_000
    assert {each.cause: each.rows.tolist() for each in problems} == {
        "missing time": [1],
        "unparseable time": [2],
    }


def test_timestamps_need_no_unit() -> None:
    values = np.array(["1970-01-01"], "datetime64[ns]")

    with pytest.raises(TraceError, match="holds timestamps; leave out time_unit"):
        read_times("at", Cells(np.array([0]), values), Clock("s"))


def test_options_about_time_are_checked() -> None:
    with pytest.raises(ValidationError, match="time_unit: 'h' is not allowed"):
        Clock("h").check()  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="time_format: '%Y' is not allowed"):
        Clock("s", "%Y").check()
    with pytest.raises(ValidationError, match="time_format: '%!' is not allowed"):
        Clock(pattern="%!").check()
    Clock(pattern="%d.%m.%Y").check()
