"""When records come into being: the laws of arrival.

Each law turns a stream into sorted intended times in whole nanoseconds, from 0 up to,
but not including, the duration. The random ones are made from one process of unit rate
(gaps exponential with mean 1) that is stretched in time. So with one seed a source at
twice the rate sees the same pattern twice as fast, and the numbers do not depend on the
size of the blocks they are drawn in.

In an open loop the world wants a record at its time, whatever became of the last one; a
closed loop waits for what it sent.
"""

import math
from collections.abc import Iterator
from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.config.document import Document, document
from kafkasim.config.rules import AtLeastZero, Count, Moment, Number, Seconds, Whole
from kafkasim.scenario.distributions import Distribution
from kafkasim.units import NS_PER_S, ns_from_s

Rate = Annotated[float, Number(low=1e-9, high=1e9)]
"""Records per second."""

_BLOCK: Final = 1 << 16
"""Unit gaps drawn at a time; any size gives the same numbers."""
_CELLS: Final = 1 << 16
"""Cells of a day's table, from which Newton's steps start."""


@document
class Poisson(Document):
    """Independent arrivals at a constant mean rate; gaps are exponential."""

    rate_per_s: Rate
    """Mean records per second."""

    def blocks_ns(
        self, generator: "np.random.Generator", duration_ns: int
    ) -> Iterator[NDArray[np.int64]]:
        """Yield the intended times before `duration_ns`, sorted, in blocks."""
        mean_ns = NS_PER_S / self.rate_per_s
        for units in unit_blocks(generator, duration_ns / mean_ns):
            yield _whole_ns(units * mean_ns, duration_ns)


@document
class Periodic(Document):
    """Arrivals at equal distances, like a sensor that reports on the clock."""

    rate_per_s: Rate
    """Records per second."""
    phase_s: Moment = 0.0
    """Time of the first record, in seconds."""

    def blocks_ns(
        self,
        generator: "np.random.Generator",  # noqa: ARG002 - it draws nothing
        duration_ns: int,
    ) -> Iterator[NDArray[np.int64]]:
        """Yield the intended times before `duration_ns`, sorted, in blocks."""
        gap_ns = NS_PER_S / self.rate_per_s
        phase_ns = ns_from_s(self.phase_s)
        count = max(0, math.ceil((duration_ns - phase_ns) / gap_ns) + 1)
        for start in range(0, count, _BLOCK):
            numbers = np.arange(start, min(count, start + _BLOCK), dtype=np.float64)
            yield _whole_ns(numbers * gap_ns, duration_ns - phase_ns) + phase_ns


@document
class Bursts(Document):
    """Groups of records at one instant; the groups come as a Poisson process."""

    rate_per_s: Rate
    """Mean records per second, all groups together."""
    burst: Count = 10
    """Records of a group."""

    def blocks_ns(
        self, generator: "np.random.Generator", duration_ns: int
    ) -> Iterator[NDArray[np.int64]]:
        """Yield the intended times before `duration_ns`, sorted, in blocks."""
        groups = Poisson(self.rate_per_s / self.burst)
        step = max(1, _BLOCK // self.burst)
        for times in groups.blocks_ns(generator, duration_ns):
            for start in range(0, len(times), step):
                yield np.repeat(times[start : start + step], self.burst)


@document
class DayCurve(Document):
    """A Poisson process whose rate swings between night and day.

    The rate is `mean · (1 − (peak_ratio − 1) · cos(2π t / day))`: lowest at the start,
    highest after half a day. Drawn by inverting the cumulative rate.
    """

    mean_rate_per_s: Rate
    """Mean records per second over a whole day."""
    peak_ratio: Annotated[float, Number(low=1.0, high=2.0)] = 2.0
    """Highest rate over mean rate; at 2 the night is silent."""
    day_s: Seconds = 86_400.0
    """Length of a day, in seconds."""

    def blocks_ns(
        self, generator: "np.random.Generator", duration_ns: int
    ) -> Iterator[NDArray[np.int64]]:
        """Yield the intended times before `duration_ns`, sorted, in blocks."""
        swing = self.peak_ratio - 1.0
        day_ns = self.day_s * NS_PER_S
        per_day = self.mean_rate_per_s * self.day_s
        end = 2 * math.pi * duration_ns / day_ns
        total = (end - swing * math.sin(end)) * per_day / (2 * math.pi)
        latest = 0.0
        for units in unit_blocks(generator, total):
            days = units / per_day
            whole = np.floor(days)
            angle = _kepler((days - whole) * (2 * math.pi), swing)
            times = np.maximum((whole + angle / (2 * math.pi)) * day_ns, latest)
            np.maximum.accumulate(times, out=times)
            latest = float(times[-1])
            yield _whole_ns(times, duration_ns)


@document
class ClosedLoop(Document):
    """So many users, each of whom sends a record when the last one is done.

    A record is created when an earlier one is acknowledged, or has failed, and the time
    to think is over; all users begin by sending at the start. So there are never more
    records on their way than users, and who answers late is sent less. When there will
    be one more is known to nobody before.
    """

    outstanding: Annotated[int, Whole(1, 1_000_000)] = 1
    """Records that are sent or thought about at any time: the users."""
    think_ms: AtLeastZero | Distribution = 0.0
    """From when one is done to the next, in milliseconds."""


def unit_blocks(
    generator: "np.random.Generator", total: float
) -> Iterator[NDArray[np.float64]]:
    """Yield the points of a Poisson process of unit rate below `total`, in blocks.

    None of them is empty. The sum runs strictly from left to right across blocks, so
    that the block size shows in no bit of it.
    """
    reached = 0.0
    while reached < total:
        missing = total - reached
        enough = int(missing + 4 * math.sqrt(missing)) + 1
        gaps = generator.standard_exponential(min(_BLOCK, enough))
        gaps[0] += reached
        np.cumsum(gaps, out=gaps)
        reached = float(gaps[-1])
        below = gaps if reached < total else gaps[: np.searchsorted(gaps, total)]
        if len(below):
            yield below


def _whole_ns(times: NDArray[np.float64], duration_ns: int) -> NDArray[np.int64]:
    """Round sorted times and drop those that are not before the duration."""
    whole = np.rint(times).astype(np.int64)
    return whole[: np.searchsorted(whole, duration_ns, side="left")]


def _kepler(mean: NDArray[np.float64], eccentricity: float) -> NDArray[np.float64]:
    """Solve `x − e·sin(x) = mean` for x in one turn (Kepler's equation).

    A table gives the start; Newton's steps are kept inside the table's cell, where the
    left side rises.
    """
    grid = np.linspace(0.0, 2 * math.pi, _CELLS + 1)
    table = grid - eccentricity * np.sin(grid)
    cell = np.clip(np.searchsorted(table, mean, side="right") - 1, 0, _CELLS - 1)
    low, high = grid[cell], grid[cell + 1]
    share = (mean - table[cell]) / (table[cell + 1] - table[cell])
    x = low + share * (high - low)
    for _ in range(2):
        slope = np.maximum(1.0 - eccentricity * np.cos(x), 1e-12)
        x -= (x - eccentricity * np.sin(x) - mean) / slope
        np.clip(x, low, high, out=x)
    return x
