"""Student's t against published values, and the interval of replications."""

import math

import numpy as np
import pytest

from kafkasim.analysis import intervals

# NIST/SEMATECH e-Handbook of Statistical Methods, section 1.3.6.7.2 (critical values of
# Student's t), column for a two-sided 95 % interval.
PUBLISHED_975 = {
    1: 12.706,
    2: 4.303,
    3: 3.182,
    4: 2.776,
    5: 2.571,
    6: 2.447,
    7: 2.365,
    8: 2.306,
    9: 2.262,
    10: 2.228,
    11: 2.201,
    12: 2.179,
    13: 2.160,
    14: 2.145,
    15: 2.131,
    16: 2.120,
    17: 2.110,
    18: 2.101,
    19: 2.093,
    20: 2.086,
    21: 2.080,
    22: 2.074,
    23: 2.069,
    24: 2.064,
    25: 2.060,
    26: 2.056,
    27: 2.052,
    28: 2.048,
    29: 2.045,
    30: 2.042,
    40: 2.021,
    60: 2.000,
    100: 1.984,
}


@pytest.mark.parametrize(("freedom", "published"), PUBLISHED_975.items())
def test_quantiles_of_t_are_the_published_ones(freedom: int, published: float) -> None:
    found = intervals.student_t_quantile(0.975, freedom)
    assert found == pytest.approx(published, abs=5e-4)


def test_one_degree_of_freedom_is_cauchy() -> None:
    exact = math.tan(math.pi * 0.475)
    assert intervals.student_t_quantile(0.975, 1) == pytest.approx(exact, rel=1e-12)


def test_two_degrees_of_freedom_have_a_closed_form() -> None:
    exact = 0.95 * math.sqrt(2 / (1 - 0.95**2))
    assert intervals.student_t_quantile(0.975, 2) == pytest.approx(exact, rel=1e-12)


def test_many_degrees_of_freedom_are_normal() -> None:
    found = intervals.student_t_quantile(0.975, 10_000_000)
    assert found == pytest.approx(1.959963985, rel=1e-6)


def test_the_lower_tail_mirrors_the_upper_one() -> None:
    assert intervals.student_t_quantile(0.025, 7) == -intervals.student_t_quantile(
        0.975, 7
    )


@pytest.mark.parametrize(("share", "freedom"), [(0.0, 3), (1.0, 3), (0.5, 0)])
def test_there_is_no_quantile_outside(share: float, freedom: int) -> None:
    with pytest.raises(ValueError, match="no quantile of t"):
        intervals.student_t_quantile(share, freedom)


def test_one_value_has_a_mean_and_no_interval() -> None:
    mean, low, high = intervals.mean_interval([3.5])
    assert mean == 3.5
    assert math.isnan(low)
    assert math.isnan(high)


def test_no_value_has_no_mean() -> None:
    assert all(math.isnan(value) for value in intervals.mean_interval([math.nan]))


def test_equal_values_have_an_interval_of_no_width() -> None:
    assert intervals.mean_interval([2.0, 2.0, 2.0]) == (2.0, 2.0, 2.0)


def test_five_values_by_hand() -> None:
    # Mean 12, s² = (4 + 1 + 0 + 1 + 4) / 4 = 2.5, half = 2.7764451 · √(2.5 / 5).
    mean, low, high = intervals.mean_interval([10, 11, 12, 13, 14])
    assert mean == 12.0
    assert low == pytest.approx(12 - 1.9632432, abs=1e-6)
    assert high == pytest.approx(12 + 1.9632432, abs=1e-6)


def test_intervals_cover_the_true_mean_as_often_as_they_say() -> None:
    draws = np.random.Generator(np.random.PCG64(20)).normal(5.0, 2.0, size=(2_000, 4))
    bounds = [intervals.mean_interval(row) for row in draws]
    covered = sum(low <= 5.0 <= high for _, low, high in bounds)
    # Binomial(2000, 0.95): four standard deviations are 39.
    assert abs(covered - 1_900) <= 39
