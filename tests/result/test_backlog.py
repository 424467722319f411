"""The peak of a backlog, whole or in blocks, against counting at every moment."""

from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kafkasim.result import backlog as backlogs
from kafkasim.result.backlog import Backlog, Pending, peak_backlog

TIMES = st.lists(st.integers(0, 30), max_size=20)

STAYS = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 20) | st.none()), max_size=25
)
"""When each came, and how long it stayed."""


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def peak_by_counting(stays: list[tuple[int, int | None]], since: int) -> int:
    return max(
        0,
        *(
            sum(came <= now for came, _ in stays)
            - sum(s is not None and came + s <= now for came, s in stays)
            for now in range(since, 60)
        ),
    )


@given(STAYS, st.integers(0, 40), st.sets(st.integers(0, 55), max_size=6))
def test_the_peak_is_exact_whenever_it_is_summed(
    stays: list[tuple[int, int | None]], since: int, stops: set[int]
) -> None:
    backlog = Backlog(since)
    last = -1
    for until in [*sorted(stops), 100]:
        backlog.came(ints(*(c for c, _ in stays if last < c <= until)))
        backlog.went(
            ints(*(c + s for c, s in stays if s is not None and last < c + s <= until))
        )
        backlog.advance(until)
        last = until
    assert backlog.peak == peak_by_counting(stays, since)


def test_what_is_told_early_waits_for_its_time() -> None:
    backlog = Backlog(0)
    backlog.came(ints(1, 2, 3, 50, 51, 52, 53))
    backlog.went(ints(10, 11, 12))
    backlog.advance(20)
    assert backlog.peak == 3
    backlog.advance(60)
    assert backlog.peak == 4


def test_who_goes_when_another_comes_has_gone() -> None:
    backlog = Backlog(0)
    backlog.came(ints(1, 2))
    backlog.went(ints(2))
    backlog.advance(5)
    assert backlog.peak == 1


def test_a_backlog_from_before_counts_when_it_is_still_there() -> None:
    backlog = Backlog(10)
    backlog.came(ints(1, 2, 3, 4, 30))
    backlog.went(ints(5, 6, 20, 21))
    backlog.advance(7)
    assert backlog.peak == 0
    backlog.advance(100)
    assert backlog.peak == 2


def test_pending_keeps_no_more_than_what_is_left() -> None:
    pending = Pending()
    pending.add(np.arange(1_000))
    assert len(pending.take(997)) == 998
    (rest,) = pending._parts
    assert rest.base is None
    assert pending.take(2_000).tolist() == [998, 999]
    assert pending._parts == []


@given(TIMES, TIMES)
@settings(max_examples=200, deadline=None)
def test_the_peak_backlog_is_the_highest_step(
    arrived: list[int], left: list[int]
) -> None:
    counters = [
        sum(time <= now for time in arrived) - sum(time <= now for time in left)
        for now in range(31)
    ]
    found = peak_backlog(ints(*arrived), ints(*left))
    assert found == max(0, *counters)


@given(TIMES, TIMES, st.integers(1, 6))
@settings(max_examples=300, deadline=None)
def test_the_peak_is_the_same_however_it_is_bounded(
    arrived: list[int], left: list[int], bins: int
) -> None:
    counters = [
        sum(time <= now for time in arrived) - sum(time <= now for time in left)
        for now in range(31)
    ]
    with mock.patch.object(backlogs, "_PEAK_BINS", bins):
        found = peak_backlog(ints(*arrived), ints(*left))
    assert found == max(0, *counters)


def test_what_was_there_before_counts_and_less_than_that_is_not_looked_for() -> None:
    arrivals, departures = ints(1, 2, 8), ints(3, 4)
    assert peak_backlog(arrivals, departures, present=5) == 7
    assert peak_backlog(arrivals, departures, present=5, least=9) == 9
    assert peak_backlog(ints(), ints(1), present=5, least=3) == 3


@pytest.mark.parametrize("told", ["came", "went"])
def test_a_broken_promise_is_an_error_and_no_wrong_number(told: str) -> None:
    backlog = Backlog(0)
    backlog.came(ints(1, 2))
    backlog.advance(5)
    with pytest.raises(AssertionError, match="that time was over"):
        getattr(backlog, told)(ints(9, 5))
    getattr(backlog, told)(ints(9, 6))
