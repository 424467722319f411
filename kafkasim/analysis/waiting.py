"""Throughput and latency over time.

Latency of a record for a subscriber is first processed − intended: it begins when the
world wanted the record sent, not when a client that was busy or blocked took it
(leaving that wait out is what Gil Tene calls coordinated omission). Quantiles are
nearest ranks. Records never processed have no latency; the tables count the others.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kafkasim.analysis.arrays import Int64
from kafkasim.analysis.dealings import joined
from kafkasim.analysis.frames import categorical, frame
from kafkasim.analysis.keeping import kept_of
from kafkasim.result.result import Result
from kafkasim.result.wants import Want, wants_of
from kafkasim.units import NS_PER_MS, NS_PER_S

if TYPE_CHECKING:
    import pandas as pd


def throughput(result: Result, *, bin_ms: float | None = None) -> "pd.DataFrame":
    """Return records intended, appended and processed per second, over time.

    Parameters
    ----------
    result : Result
        Full or streamed.
    bin_ms : float, optional
        Width of a bin in milliseconds; without it a round width that makes at most
        `kafkasim.result.histogram.BINS` bins. A streamed run has only the width in
        which it counted.

    Returns
    -------
    pandas.DataFrame
        One row per subscriber and bin: `subscriber`, `at_ms` (where the bin begins),
        `intended_per_s`, `appended_per_s`, `processed_per_s` (first time), all of
        records that the subscriber wants. A count is divided by the whole width, also
        in the last bin, which the run may end within.

    Raises
    ------
    ValidationError
        `bin_ms` is not above 0, or a streamed run counted in another width.
    TableNotRecorded
        When the run recorded neither its records and deliveries nor counts of them.
    """
    wants = wants_of(result.scenario.resolve())
    bins = kept_of(result).rate_bins(wants, bin_ms)
    per_s = NS_PER_S / int(bins.edges[1])
    rates = {
        "intended_per_s": joined(bins.intended) * per_s,
        "appended_per_s": joined(bins.appended) * per_s,
        "processed_per_s": joined(bins.processed) * per_s,
    }
    return frame(result, _bin_columns(wants, bins.edges) | rates)


def latency(result: Result) -> "pd.DataFrame":
    """Return each subscriber's end-to-end latency.

    Parameters
    ----------
    result : Result
        Full or streamed.

    Returns
    -------
    pandas.DataFrame
        One row per subscriber: `subscriber`, `records` (processed), and in milliseconds
        `latency_ms_mean`, `_p50`, `_p90`, `_p99`, `_p999`, `_max`.

    Raises
    ------
    TableNotRecorded
        When the run recorded neither its records and deliveries nor counts of them.
    """
    wants = wants_of(result.scenario.resolve())
    every = kept_of(result).latencies(wants)
    shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999}
    ranks = [each.spread.nearest_ranks(tuple(shares.values())) for each in every]
    names = [want.subscriber for want in wants]
    columns: dict[str, object] = {
        "subscriber": categorical(np.arange(len(names)), names),
        "records": [each.count for each in every],
        "latency_ms_mean": [
            each.sum_ns / each.count / NS_PER_MS if each.count else float("nan")
            for each in every
        ],
    }
    for place, name in enumerate(shares):
        columns[f"latency_ms_{name}"] = [rank[place] / NS_PER_MS for rank in ranks]
    columns["latency_ms_max"] = [
        each.max_ns / NS_PER_MS if each.count else float("nan") for each in every
    ]
    return frame(result, columns)


def latency_over_time(result: Result, *, bin_ms: float | None = None) -> "pd.DataFrame":
    """Return latency quantiles of the records intended in each bin of time.

    Parameters
    ----------
    result : Result
        Full or streamed.
    bin_ms : float, optional
        Width of a bin in milliseconds; without it a round width that makes at most
        `kafkasim.result.histogram.BINS` bins. A streamed run has only the width in
        which it counted.

    Returns
    -------
    pandas.DataFrame
        One row per subscriber and bin: `subscriber`, `at_ms` (where the bin begins),
        `records` (intended in it and processed at some time), `latency_ms_p50`,
        `latency_ms_p99` (NaN for a bin without any). Only bins up to the last record
        intended.

    Raises
    ------
    ValidationError
        `bin_ms` is not above 0, or a streamed run counted in another width.
    TableNotRecorded
        When the run recorded neither its records and deliveries nor counts of them.
    """
    wants = wants_of(result.scenario.resolve())
    bins = kept_of(result).latency_bins(wants, bin_ms, (0.5, 0.99))
    milliseconds = np.concatenate([np.empty((0, 2)), *bins.quantiles_ns]) / NS_PER_MS
    return frame(
        result,
        _bin_columns(wants, bins.edges)
        | {
            "records": joined(bins.counts),
            "latency_ms_p50": milliseconds[:, 0],
            "latency_ms_p99": milliseconds[:, 1],
        },
    )


def _bin_columns(wants: Sequence[Want], edges: Int64) -> dict[str, object]:
    names = [want.subscriber for want in wants]
    count = len(edges) - 1
    return {
        "subscriber": categorical(np.repeat(np.arange(len(names)), count), names),
        "at_ms": np.tile(edges[:-1] / NS_PER_MS, len(names)),
    }
