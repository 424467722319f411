"""Quantiles, step functions and bins against definitions written out."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kafkasim.analysis import arrays


def ints(*values: int) -> arrays.Int64:
    return np.array(values, dtype=np.int64)


TIMES = st.lists(st.integers(0, 30), max_size=40)


@given(
    st.lists(st.integers(-50, 50), min_size=1, max_size=60),
    st.sampled_from([0.01, 0.25, 0.5, 0.9, 0.99, 1.0]),
)
@settings(max_examples=150, deadline=None)
def test_a_nearest_rank_is_the_smallest_value_that_covers_the_share(
    values: list[int], share: float
) -> None:
    ordered = sorted(values)
    wanted = next(
        value
        for place, value in enumerate(ordered, 1)
        if place / len(ordered) >= share - 1e-12
    )
    assert arrays.nearest_ranks(ints(*values), (share,)) == [wanted]


def test_nearest_ranks_are_numpys_inverted_cdf() -> None:
    values = np.random.Generator(np.random.PCG64(1)).integers(0, 10**9, 4_999)
    for share in (0.5, 0.9, 0.99, 0.999):
        theirs = np.quantile(values, share, method="inverted_cdf")
        assert arrays.nearest_ranks(values, (share,)) == [theirs]


def test_the_99th_of_a_hundred_is_the_99th_despite_rounding() -> None:
    assert arrays.nearest_ranks(np.arange(1, 101), (0.99, 0.07, 1.0)) == [99, 7, 100]


def test_no_values_have_no_quantile() -> None:
    assert math.isnan(arrays.nearest_ranks(ints(), (0.5,))[0])


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-9, 9)), max_size=50))
@settings(max_examples=100, deadline=None)
def test_quantiles_by_group_are_those_of_each_group(
    pairs: list[tuple[int, int]],
) -> None:
    groups = ints(*(pair[0] for pair in pairs))
    values = ints(*(pair[1] for pair in pairs))
    together = arrays.grouped_nearest_ranks(values, groups, 5, (0.5, 0.99))
    alone = [
        arrays.nearest_ranks(values[groups == group], (0.5, 0.99)) for group in range(5)
    ]
    np.testing.assert_array_equal(together, np.array(alone))


def test_order_by_group_is_a_stable_argsort() -> None:
    groups = np.random.Generator(np.random.PCG64(3)).integers(0, 40, 5_000)
    theirs = np.argsort(groups, kind="stable")
    np.testing.assert_array_equal(arrays.order_by_group(groups), theirs)


def test_a_counter_steps_once_per_time() -> None:
    at, values = arrays.step_counts(ints(5, 1, 5, 3), ints(1, 1, -2, 4))
    assert at.tolist() == [1, 3, 5]
    assert values.tolist() == [1, 5, 4]


def test_a_value_set_stands_until_the_next_and_may_fall() -> None:
    at, values = arrays.step_last(ints(4, 1, 3, 3), ints(2, 4, 9, 7))
    assert at.tolist() == [1, 3, 4]
    assert values.tolist() == [4, 9, 2]


def test_a_step_function_is_read_from_the_left() -> None:
    at, values = ints(10, 20), ints(3, 8)
    read = arrays.step_at(at, values, ints(0, 10, 19, 20, 99), before=1)
    assert read.tolist() == [1, 3, 3, 8, 8]
    assert arrays.step_at(ints(), ints(), ints(1, 2), before=7).tolist() == [7, 7]


def test_peaks_hold_what_a_bin_begins_with() -> None:
    at, values = ints(10, 20, 25), ints(6, 9, 2)
    edges = ints(0, 10, 20, 30, 40)
    assert arrays.step_peaks(at, values, edges).tolist() == [0, 6, 9, 2]


def test_bins_reach_past_the_end() -> None:
    assert arrays.bin_edges(0, 10).tolist() == [0, 10]
    assert arrays.bin_edges(9, 10).tolist() == [0, 10]
    assert arrays.bin_edges(10, 10).tolist() == [0, 10, 20]


def test_counts_leave_out_what_is_outside() -> None:
    edges = ints(0, 10, 20)
    assert arrays.counts_in_bins(ints(-1, 0, 9, 10, 20), edges).tolist() == [2, 1]
