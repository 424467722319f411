import math

import numpy as np
import pytest

from kafkasim.errors import ValidationError
from kafkasim.scenario.distributions import (
    Distribution,
    Exponential,
    LogNormal,
    Uniform,
    draw_ns,
    draw_whole,
)
from kafkasim.scenario.streams import stream

COUNT = 100_000


@pytest.mark.parametrize(
    ("distribution", "mean", "variance"),
    [
        (Exponential(3.0), 3.0, 9.0),
        (Uniform(2.0, 8.0), 5.0, 36 / 12),
        (LogNormal(3.0, 0.5), 3.0, 9.0 * (math.exp(0.25) - 1)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_mean_is_within_four_standard_errors_of_theory(
    distribution: Distribution, mean: float, variance: float
) -> None:
    values = distribution.draw(stream(1, "a"), COUNT)

    assert abs(values.mean() - mean) < 4 * math.sqrt(variance / COUNT)


@pytest.mark.parametrize(
    ("distribution", "quantile"),
    [
        (Exponential(3.0), 3.0 * math.log(2)),
        (Uniform(2.0, 8.0), 5.0),
        (LogNormal(3.0, 0.5), 3.0 * math.exp(-0.125)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_half_of_the_values_are_below_the_median(
    distribution: Distribution, quantile: float
) -> None:
    values = distribution.draw(stream(1, "a"), COUNT)

    share = (values < quantile).mean()
    assert abs(share - 0.5) < 4 * math.sqrt(0.25 / COUNT)


def test_milliseconds_are_rounded_once_to_whole_nanoseconds() -> None:
    assert draw_ns(1.5, stream(1, "a"), 3).tolist() == [1_500_000] * 3
    drawn = draw_ns(Uniform(1.0, 2.0), stream(1, "a"), 1_000)
    exact = Uniform(1.0, 2.0).draw(stream(1, "a"), 1_000) * 1e6
    assert drawn.dtype == np.int64
    assert np.abs(drawn - exact).max() <= 0.5


def test_a_constant_draws_nothing() -> None:
    generator = stream(1, "a")

    draw_ns(1.0, generator, 1_000)

    assert generator.random() == stream(1, "a").random()


def test_a_value_never_exceeds_the_limit() -> None:
    sizes = draw_whole(LogNormal(1e9, 3.0), stream(1, "a"), 1_000, 1, 2**31 - 1)

    assert sizes.max() == 2**31 - 1
    assert sizes.min() >= 0
    assert draw_whole(1e12, stream(1, "a"), 1, 1, 10).tolist() == [10]


@pytest.mark.parametrize(
    ("make", "path"),
    [
        (lambda: Exponential(0), "mean"),
        (lambda: Uniform(2, 1), "high"),
        (lambda: Uniform(-1, 1), "low"),
        (lambda: LogNormal(1, -1), "sigma"),
        (lambda: Exponential(math.nan), "mean"),
    ],
    ids=["no mean", "wrong order", "negative", "negative sigma", "nan"],
)
def test_a_distribution_that_is_none_is_refused(make, path) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    with pytest.raises(ValidationError) as caught:
        make()

    assert caught.value.path == path
