"""Means over replications and their 95 % intervals, by Student's t.

A simulation run once is one draw. Replications with other seeds are independent draws;
their mean has the interval mean ± t · s / √n with n − 1 degrees of freedom (Student,
Biometrika 6, 1908; Law, Simulation Modeling and Analysis, section 9.4.1: fixed sample
size). It is right for normal means and nearly right for what averages many records.

The quantile of t is found without scipy: its distribution is an incomplete beta
function (Abramowitz and Stegun 26.7.1), computed by Lentz's continued fraction
(Numerical Recipes, section 6.4), and inverted by bisection.
"""

import math
from collections.abc import Iterable
from functools import lru_cache

_TINY = 1e-300


def mean_interval(
    values: Iterable[float], level: float = 0.95
) -> tuple[float, float, float]:
    """Return the mean of replications and the bounds of its interval.

    Parameters
    ----------
    values : iterable of float
        One for each replication; NaN (a metric that does not apply) is left out.
    level : float
        Share of such intervals that cover the true mean.

    Returns
    -------
    mean, low, high : float
        Bounds are NaN for a single value; all are NaN for none.

    Examples
    --------
    >>> mean, low, high = mean_interval([9.0, 10.0, 11.0])
    >>> print(f"{mean:.2f} {low:.2f} {high:.2f}")
    10.00 7.52 12.48
    """
    kept = [float(value) for value in values if not math.isnan(value)]
    if not kept:
        return math.nan, math.nan, math.nan
    mean = math.fsum(kept) / len(kept)
    if len(kept) == 1 or math.isinf(mean):
        return mean, math.nan, math.nan
    squares = math.fsum((value - mean) ** 2 for value in kept)
    deviation = math.sqrt(squares / (len(kept) - 1))
    quantile = student_t_quantile((1 + level) / 2, len(kept) - 1)
    half = quantile * deviation / math.sqrt(len(kept))
    return mean, mean - half, mean + half


@lru_cache(maxsize=256)
def student_t_quantile(share: float, freedom: int) -> float:
    """Return the value that Student's t does not exceed with probability `share`.

    Parameters
    ----------
    share : float
        In (0, 1).
    freedom : int
        Degrees of freedom, 1 or more.

    Examples
    --------
    >>> round(student_t_quantile(0.975, 4), 3)
    2.776
    """
    if not 0 < share < 1 or freedom < 1:
        raise ValueError(f"no quantile of t for share {share} and {freedom} degrees")
    if share < 0.5:
        return -student_t_quantile(1 - share, freedom)
    low, high = 0.0, 1.0
    while student_t_share(high, freedom) < share:
        low, high = high, 2 * high
    for _ in range(200):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        if student_t_share(middle, freedom) < share:
            low = middle
        else:
            high = middle
    return high


def student_t_share(value: float, freedom: int) -> float:
    """Return the probability that Student's t does not exceed `value`."""
    tail = incomplete_beta(freedom / (freedom + value * value), freedom / 2, 0.5) / 2
    return 1 - tail if value > 0 else tail


def incomplete_beta(at: float, first: float, second: float) -> float:
    """Return the regularised incomplete beta function I_at(first, second).

    Parameters
    ----------
    at : float
        In [0, 1].
    first, second : float
        Both above 0.
    """
    if at in (0.0, 1.0):
        return at
    if at > (first + 1) / (first + second + 2):
        return 1 - incomplete_beta(1 - at, second, first)
    logarithm = (
        math.lgamma(first + second)
        - math.lgamma(first)
        - math.lgamma(second)
        + first * math.log(at)
        + second * math.log1p(-at)
    )
    return math.exp(logarithm) / first * _beta_fraction(at, first, second)


def _beta_fraction(at: float, first: float, second: float) -> float:
    """Evaluate the continued fraction of the incomplete beta function (Lentz)."""
    numerator, denominator, fraction = 1.0, 0.0, 1.0
    for step in range(1000):
        half = step // 2
        if step == 0:
            term = 1.0
        elif step % 2 == 0:
            term = (
                half
                * (second - half)
                * at
                / ((first + 2 * half - 1) * (first + 2 * half))
            )
        else:
            term = (
                -(first + half)
                * (first + second + half)
                * at
                / ((first + 2 * half) * (first + 2 * half + 1))
            )
        denominator = 1.0 / _nonzero(1.0 + term * denominator)
        numerator = _nonzero(1.0 + term / numerator)
        fraction *= numerator * denominator
        if abs(1.0 - numerator * denominator) < 1e-15:
            break
    return fraction - 1.0


def _nonzero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
