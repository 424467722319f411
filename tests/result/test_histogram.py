"""Buckets and bins: what is in which, and how wide it is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.result.histogram import (
    BINS,
    BUCKETS,
    BucketCounts,
    TimeCounts,
    bucket_bounds,
    bucket_codes,
    middles,
    round_width,
    round_width_ns,
)

WHOLE = st.one_of(
    st.integers(0, 2**63 - 1),
    st.integers(0, 300),
    st.integers(0, 62).flatmap(lambda k: st.integers(2**k - 1, 2**k + 1)),
)


def codes_of(*values: int) -> np.ndarray:
    return bucket_codes(np.array(values, dtype=np.int64))


@given(WHOLE)
def test_a_value_is_within_its_buckets_bounds(value: int) -> None:
    (low,), (high,) = (bound.tolist() for bound in bucket_bounds(codes_of(value)))
    # Above 2⁵³ a float has not every whole number: the value is the one next to it.
    assert low <= round(float(value)) or value == low
    assert value <= high + value // 2**53


@given(st.integers(0, 2**53))
def test_a_bucket_is_at_most_one_per_cent_wide_and_its_middle_within_half_of_it(
    value: int,
) -> None:
    lows, highs = bucket_bounds(codes_of(value))
    assert lows[0] <= value <= highs[0]
    assert highs[0] <= lows[0] * (1 + 1 / 128)
    assert middles(lows, highs)[0] == pytest.approx(value, rel=0.004)


def test_small_values_have_a_bucket_of_their_own() -> None:
    values = np.arange(129)
    lows, highs = bucket_bounds(bucket_codes(values))
    assert lows.tolist() == highs.tolist() == values.tolist()


@given(WHOLE, WHOLE)
def test_codes_rise_with_the_value(one: int, other: int) -> None:
    low, high = codes_of(min(one, other), max(one, other))
    assert 0 <= low <= high < BUCKETS


def test_buckets_follow_each_other_without_a_gap() -> None:
    codes = np.unique(bucket_codes(np.arange(100_000)))
    lows, highs = bucket_bounds(codes)
    assert lows[0] == 0
    assert (lows[1:] == highs[:-1] + 1).all()


def test_the_longest_wait_has_a_bucket() -> None:
    longest = np.iinfo(np.int64).max
    assert bucket_bounds(codes_of(longest))[1] == [longest]


@pytest.mark.parametrize(
    ("span", "bins", "width"),
    [
        (60_000, 100, 1_000),
        (60_000, 60, 1_000),
        (7, 100, 0.1),
        (0, 10, 1),
        (1e6, 99, 2e4),
    ],
)
def test_widths_are_round(span: float, bins: int, width: float) -> None:
    assert round_width(span, bins) == pytest.approx(width)


def test_a_run_of_a_minute_has_bins_of_a_second() -> None:
    assert round_width_ns(60_000_000_000) == 1_000_000_000
    assert BINS == 80


def test_times_are_counted_in_bins_near_and_far() -> None:
    counts = TimeCounts(10)
    counts.add(np.array([0, 9, 10]))
    counts.add(np.array([], dtype=np.int64))
    counts.add(np.array([2**62, 5]))
    begin, count = counts.filled()
    assert begin.tolist() == [0, 10, 2**62 // 10 * 10]
    assert count.tolist() == [3, 1, 1]


def test_values_are_counted_by_bin_and_bucket() -> None:
    counts = BucketCounts(10)
    counts.add(np.array([0, 25, 9]), np.array([7, 7, 7]))
    counts.add(np.array([10 * (BINS + 5), 25]), np.array([0, 3]))
    begin, codes, count = counts.filled()
    assert begin.tolist() == [0, 20, 20, 10 * (BINS + 5)]
    assert bucket_bounds(codes)[0].tolist() == [7, 3, 7, 0]
    assert count.tolist() == [2, 1, 1, 1]
