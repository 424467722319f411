"""How long, how large: distributions of a number.

A distribution carries no unit; the field that holds it does (`work_ms`,
`value_bytes`). A plain number stands for a constant.
"""

from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.catalogue import say
from kafkasim.config.document import Document, document
from kafkasim.config.rules import AtLeastZero, Number, Positive
from kafkasim.errors import ValidationError
from kafkasim.units import NS_PER_MS

_LIMIT_NS: Final = 1e15
"""Longest duration that is drawn, 11 days: sums over many stay within int64."""


@document
class Exponential(Document):
    """Exponentially distributed: no memory, standard deviation equal to the mean."""

    mean: Positive
    """Mean, in the field's unit."""

    def draw(self, generator: "np.random.Generator", count: int) -> NDArray[np.float64]:
        """Return `count` values."""
        return generator.standard_exponential(count) * self.mean


@document
class Uniform(Document):
    """Equally likely anywhere between two bounds."""

    low: AtLeastZero
    """Smallest value, in the field's unit."""
    high: AtLeastZero
    """Largest value, in the field's unit."""

    def check(self) -> None:
        """Check the order of the bounds."""
        if self.high < self.low:
            raise ValidationError(
                "high", self.high, say("at least low, {low:g}", low=self.low)
            )

    def draw(self, generator: "np.random.Generator", count: int) -> NDArray[np.float64]:
        """Return `count` values."""
        return generator.random(count) * (self.high - self.low) + self.low


@document
class LogNormal(Document):
    """Logarithm normally distributed: many small values, a few very large ones."""

    mean: Positive
    """Mean of the values themselves, in the field's unit."""
    sigma: Annotated[float, Number(low=0.0, high=10.0)]
    """Standard deviation of the logarithm; 1 puts the median at 61 % of the mean."""

    def draw(self, generator: "np.random.Generator", count: int) -> NDArray[np.float64]:
        """Return `count` values."""
        values = generator.standard_normal(count)
        values *= self.sigma
        values += np.log(self.mean) - self.sigma**2 / 2
        return np.exp(values, out=values)


Distribution = Exponential | Uniform | LogNormal


def draw_ns(
    distribution_ms: Distribution | float, generator: "np.random.Generator", count: int
) -> NDArray[np.int64]:
    """Return `count` durations drawn in milliseconds, as whole nanoseconds.

    Parameters
    ----------
    distribution_ms : distribution or float
        In milliseconds; a number is a constant and draws nothing.
    generator : numpy.random.Generator
        The stream to draw from.
    count : int
        How many.

    Returns
    -------
    int64 array, nanoseconds
        From 0 to 11 days.
    """
    return draw_whole(distribution_ms, generator, count, NS_PER_MS, _LIMIT_NS)


def draw_whole(
    distribution: Distribution | float,
    generator: "np.random.Generator",
    count: int,
    scale: int,
    limit: float,
) -> NDArray[np.int64]:
    """Return `count` values times `scale`, rounded half to even and cut at `limit`."""
    if isinstance(distribution, (int, float)):
        return np.full(count, min(round(distribution * scale), int(limit)), np.int64)
    values = distribution.draw(generator, count)
    values *= scale
    np.rint(values, out=values)
    np.minimum(values, limit, out=values)
    return values.astype(np.int64)
