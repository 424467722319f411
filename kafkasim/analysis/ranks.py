"""The distribution of latency: the share of records up to each value.

Nearest ranks throughout, as in `kafkasim.analysis.waiting`: the value at share s is the
smallest that at least the share s of the records do not exceed
(`numpy.quantile(..., method="inverted_cdf")`).
"""

from typing import TYPE_CHECKING, Final

import numpy as np

from kafkasim.analysis.arrays import Float64
from kafkasim.analysis.frames import categorical, frame
from kafkasim.analysis.keeping import kept_of
from kafkasim.analysis.kept import Latencies
from kafkasim.result.result import Result
from kafkasim.result.wants import wants_of
from kafkasim.units import NS_PER_MS

if TYPE_CHECKING:
    import pandas as pd

STEPS: Final = 400
"""Equal shares that a distribution of many records is told in."""

_TAIL: Final = tuple(1 - 10 ** (-tenth / 10) for tenth in range(24, 61))
"""Shares beyond the last step: ten in every power of ten, up to one in a million."""


def latency_ecdf(result: Result) -> "pd.DataFrame":
    """Return the empirical distribution of each subscriber's end-to-end latency.

    Parameters
    ----------
    result : Result
        Full or streamed.

    Returns
    -------
    pandas.DataFrame
        Rows of rising `share`: `subscriber`, `share` (of the records processed, in
        (0, 1]), `latency_ms` (the smallest latency that at least this share does not
        exceed). Of at most `STEPS` records each has a row; more are told in `STEPS`
        equal shares, and finer ones towards 1. The last row is the largest latency. No
        row for a subscriber that processed nothing.

    Raises
    ------
    TableNotRecorded
        When the run recorded neither its records and deliveries nor counts of them.
    """
    wants = wants_of(result.scenario.resolve())
    every = kept_of(result).latencies(wants)
    shares = [_shares(each.count) for each in every]
    values = [
        np.append(_below(each, of[:-1]), each.max_ns)
        for each, of in zip(every, shares, strict=True)
        if len(of)
    ]
    owners = np.repeat(np.arange(len(every)), [len(of) for of in shares])
    columns: dict[str, object] = {
        "subscriber": categorical(owners, [want.subscriber for want in wants]),
        "share": np.concatenate([np.zeros(0), *shares]),
        "latency_ms": np.concatenate([np.zeros(0), *values]) / NS_PER_MS,
    }
    return frame(result, columns)


def _below(latencies: Latencies, shares: Float64) -> list[float]:
    """Return the nearest ranks of the shares below 1; of one record there is none."""
    asked: tuple[float, ...] = tuple(shares.tolist())
    return latencies.spread.nearest_ranks(asked) if asked else []


def _shares(count: int) -> Float64:
    """Return the shares that the distribution of so many records is told in."""
    if count <= STEPS:
        return np.arange(1, count + 1, dtype=np.float64) / max(1, count)
    equal = np.arange(1, STEPS + 1, dtype=np.float64) / STEPS
    finer = np.array([share for share in _TAIL if (1 - share) * count >= 1])
    return np.unique(np.concatenate((equal, finer)))
