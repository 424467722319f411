"""Throughput and latency over time.

Latency of a record for a subscriber is first processed − intended: it begins when the
world wanted the record sent, not when a client that was busy or blocked took it
(leaving that wait out is what Gil Tene calls coordinated omission). Quantiles are
nearest ranks. Records never processed have no latency; the tables count the others.
"""

from typing import TYPE_CHECKING

import numpy as np

from kafkasim.analysis.arrays import (
    Int64,
    bin_edges,
    counts_in_bins,
    grouped_nearest_ranks,
    nearest_ranks,
)
from kafkasim.analysis.dealings import Dealings, dealings, joined
from kafkasim.analysis.frames import categorical, frame
from kafkasim.errors import ValidationError
from kafkasim.result.histogram import round_width_ns
from kafkasim.result.result import Result
from kafkasim.result.table import Table
from kafkasim.units import MISSING_NS, NS_PER_MS, NS_PER_S, ns_from_ms

if TYPE_CHECKING:
    import pandas as pd


def throughput(result: Result, *, bin_ms: float | None = None) -> "pd.DataFrame":
    """Return records intended, appended and processed per second, over time.

    Parameters
    ----------
    result : Result
        With the tables `records` and `deliveries`.
    bin_ms : float, optional
        Width of a bin in milliseconds; without it a round width that makes at most
        `BINS` bins.

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
        `bin_ms` is not above 0.
    TableNotRecorded
        When the run did not record those tables.
    """
    records = result.columns("records")
    every = dealings(result)
    edges = time_bins(records, every, bin_ms)
    per_s = NS_PER_S / int(edges[1] - edges[0])
    columns: dict[str, list[Int64]] = {"intended": [], "appended": [], "processed": []}
    for dealing in every:
        columns["intended"].append(
            counts_in_bins(records["intended_ns"][dealing.rows], edges)
        )
        columns["appended"].append(
            counts_in_bins(records["appended_ns"][dealing.rows], edges)
        )
        columns["processed"].append(counts_in_bins(dealing.first_processed_ns, edges))
    rates = {f"{name}_per_s": joined(c) * per_s for name, c in columns.items()}
    return frame(result, _bin_columns(every, edges) | rates)


def latency(result: Result) -> "pd.DataFrame":
    """Return each subscriber's end-to-end latency.

    Parameters
    ----------
    result : Result
        With the tables `records` and `deliveries`.

    Returns
    -------
    pandas.DataFrame
        One row per subscriber: `subscriber`, `records` (processed), and in milliseconds
        `latency_ms_mean`, `_p50`, `_p90`, `_p99`, `_p999`, `_max`.

    Raises
    ------
    TableNotRecorded
        When the run did not record those tables.
    """
    every = dealings(result)
    shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999, "max": 1.0}
    latencies = [latencies_ns(result, dealing)[1] for dealing in every]
    ranks = [nearest_ranks(each, tuple(shares.values())) for each in latencies]
    names = [dealing.want.subscriber for dealing in every]
    columns: dict[str, object] = {
        "subscriber": categorical(np.arange(len(names)), names),
        "records": [len(each) for each in latencies],
        "latency_ms_mean": [
            float(each.mean()) / NS_PER_MS if len(each) else float("nan")
            for each in latencies
        ],
    }
    for place, name in enumerate(shares):
        columns[f"latency_ms_{name}"] = [rank[place] / NS_PER_MS for rank in ranks]
    return frame(result, columns)


def latency_over_time(result: Result, *, bin_ms: float | None = None) -> "pd.DataFrame":
    """Return latency quantiles of the records intended in each bin of time.

    Parameters
    ----------
    result : Result
        With the tables `records` and `deliveries`.
    bin_ms : float, optional
        Width of a bin in milliseconds; without it a round width that makes at most
        `BINS` bins.

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
        `bin_ms` is not above 0.
    TableNotRecorded
        When the run did not record those tables.
    """
    intended = result.columns("records")["intended_ns"]
    end_ns = int(intended.max()) if len(intended) else 0
    edges = bins_until(end_ns, bin_ms)
    every = dealings(result)
    count = len(edges) - 1
    numbers: list[Int64] = []
    quantiles = [np.empty((0, 2))]
    for dealing in every:
        begun, latencies = latencies_ns(result, dealing)
        bins = begun // int(edges[1])
        numbers.append(np.bincount(bins, minlength=count).astype(np.int64))
        quantiles.append(grouped_nearest_ranks(latencies, bins, count, (0.5, 0.99)))
    milliseconds = np.concatenate(quantiles) / NS_PER_MS
    return frame(
        result,
        _bin_columns(every, edges)
        | {
            "records": joined(numbers),
            "latency_ms_p50": milliseconds[:, 0],
            "latency_ms_p99": milliseconds[:, 1],
        },
    )


def latencies_ns(result: Result, dealing: Dealings) -> tuple[Int64, Int64]:
    """Return when each processed record was intended, and its latency (ns)."""
    intended = result.columns("records")["intended_ns"][dealing.rows]
    done = dealing.first_processed_ns != MISSING_NS
    if done.all():
        return intended, dealing.first_processed_ns - intended
    return intended[done], dealing.first_processed_ns[done] - intended[done]


def time_bins(
    records: Table, every: tuple[Dealings, ...], bin_ms: float | None
) -> Int64:
    """Return edges of bins up to the last thing that happened to a record, in ns.

    A run that waits for what never comes goes on for ten minutes after that.
    """
    times = [records["intended_ns"], records["appended_ns"]]
    times += [dealing.first_processed_ns for dealing in every]
    return bins_until(max(int(each.max(initial=0)) for each in times), bin_ms)


def bins_until(end_ns: int, bin_ms: float | None) -> Int64:
    """Return edges of bins from 0 past `end_ns`, of a width asked for or a round one.

    Raises
    ------
    ValidationError
        The width is not above 0.
    """
    if bin_ms is None:
        return bin_edges(end_ns, round_width_ns(end_ns))
    if not bin_ms > 0:
        raise ValidationError("bin_ms", bin_ms, "a width above 0 ms")
    return bin_edges(end_ns, max(1, ns_from_ms(bin_ms)))


def _bin_columns(every: tuple[Dealings, ...], edges: Int64) -> dict[str, object]:
    names = [dealing.want.subscriber for dealing in every]
    count = len(edges) - 1
    return {
        "subscriber": categorical(np.repeat(np.arange(len(names)), count), names),
        "at_ms": np.tile(edges[:-1] / NS_PER_MS, len(names)),
    }
