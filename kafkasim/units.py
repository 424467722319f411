"""Time and its conversions.

The engine and the data path count whole nanoseconds since the run's start (int64); a
float that enters is rounded once, where it enters. What people type and read is in
milliseconds or seconds. Kafka's own clock is `System.currentTimeMillis`, so whatever
Kafka stores (a record's timestamp) is floored to its millisecond.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

NS_PER_US: Final = 1_000
NS_PER_MS: Final = 1_000_000
NS_PER_S: Final = 1_000_000_000

MISSING_NS: Final = -(2**63)
"""A time that never came (int64 minimum), in every stored `_ns` column."""

FOREVER_NS: Final = 2**62
"""Later than any run; half of int64 is left for what is added to it."""

ENDLESS_NS: Final = 2**58
"""How long work takes that never ends: nine years, so that some of it can be added."""

NOT_YET_NS: Final = FOREVER_NS + 1
"""A time that nobody knows before it comes; no look ahead gets there."""


def ns_from_ms(milliseconds: float) -> int:
    """Return milliseconds as whole nanoseconds, rounded half to even."""
    return round(milliseconds * NS_PER_MS)


def ns_from_s(seconds: float) -> int:
    """Return seconds as whole nanoseconds, rounded half to even."""
    return round(seconds * NS_PER_S)


def ms_from_ns(times_ns: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return times in float milliseconds, a missing time as NaN.

    Parameters
    ----------
    times_ns : int64 array of any shape, nanoseconds
        `MISSING_NS` marks a time that never came.

    Returns
    -------
    float64 array of the same shape, milliseconds
    """
    milliseconds = times_ns / NS_PER_MS
    missing = times_ns == MISSING_NS
    if missing.any():
        milliseconds[missing] = np.nan
    return milliseconds
