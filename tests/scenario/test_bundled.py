import pytest

from kafkasim.errors import ValidationError
from kafkasim.scenario.bundled import YEAR_IN_A_MINUTE, flights

DIGEST = "3fca806a025a08c6d3f566fcb9f8acae47ea153122e8e56a435001b8bd0475ef"


def test_the_year_takes_a_minute_at_5613_records_a_second() -> None:
    trace = flights(speedup=YEAR_IN_A_MINUTE)

    assert trace.duration_ns == 60_000_000_000
    assert round(len(trace) / 60) == 5613


def test_the_year_is_the_same_on_every_machine() -> None:
    assert flights().digest == DIGEST


def test_times_have_the_grain_of_a_minute() -> None:
    trace = flights()

    assert trace.resolution_ns == 60_000_000_000
    assert not (trace.times_ns % 60_000_000_000).any()
    assert trace.times_ns[0] == 315 * 60_000_000_000


def test_the_columns_are_named_for_what_they_hold() -> None:
    trace = flights()

    assert list(trace.columns) == ["tail", "carrier", "origin", "destination"]
    assert trace.codes("carrier").labels[:4] == ("9E", "AA", "AS", "B6")
    assert (trace.codes("tail").codes == -1).sum() == 2512


def test_a_bundled_trace_says_how_a_document_names_it() -> None:
    assert flights().source == (("kind", "flights"),)
    assert flights(7).source == (("kind", "flights"), ("month", 7))
    assert flights(7).name == "flights"


@pytest.mark.parametrize("month", [0, 13, 1.5])
def test_a_month_that_is_none_is_an_error(month: int) -> None:
    with pytest.raises(ValidationError, match=r"month: .* from 1 to 12"):
        flights(month)
