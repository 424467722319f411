"""The eleven numbers of a run, the same for every system, sweep and comparison.

Each is defined on records and subscribers, never on what a system calls its parts:

`throughput_per_s`
    records processed for the first time ÷ the span from the first record intended to
    the last one processed (or intended, if that is later); per subscriber, then the
    mean over subscribers.
`latency_ms_p50`, `latency_ms_p99`
    nearest-rank quantiles, over all subscribers together, of first processed −
    intended. A record never processed has none: see `lost` and `pending`.
`lag_records_max`
    the largest number of records appended to a log and not yet processed by a
    subscriber, exact, summed over partitions; the worst subscriber. A subscriber's lag
    counts from when it comes, and what a reset position skips leaves it then. NaN for
    a system that keeps no log.
`drain_s`
    last processed − last intended, at least 0; the worst subscriber. NaN while a record
    is pending: it has not drained. A skipped one is waited for no more.
`partition_imbalance`
    records in the log of the fullest partition ÷ mean over all partitions of its topic,
    empty ones included; the worst topic. NaN without partitions.
`overtaken_share`
    share of processed records with an entity for which a record of the same entity and
    stream, intended later, was processed before; per subscriber, then the mean.
`duplicated`, `lost`
    records × subscribers processed more than once; acknowledged and never to come.
`records`
    records that the world wanted sent.
`pending`
    records × subscribers that wanted them and for which nothing was final when the run
    ended. Above 0 the run is unfinished, and the other numbers are of what was done.

Records intended during `traffic.warmup_s` are left out of throughput, latency and
overtaken share, and lag counts from its end; the other numbers are of the whole run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from kafkasim.analysis.arrays import Int64, nearest_ranks, peak_backlog
from kafkasim.analysis.dealings import (
    Dealings,
    dealings_with,
    joined,
    outcome_counts,
)
from kafkasim.analysis.frames import categorical, frame
from kafkasim.analysis.inversions import overtaken_mask, sequences
from kafkasim.analysis.world import world_of
from kafkasim.result.result import Result
from kafkasim.result.table import Table
from kafkasim.units import MISSING_NS, NS_PER_MS, NS_PER_S

if TYPE_CHECKING:
    import pandas as pd

METRICS: Final = (
    "throughput_per_s",
    "latency_ms_p50",
    "latency_ms_p99",
    "lag_records_max",
    "drain_s",
    "partition_imbalance",
    "overtaken_share",
    "duplicated",
    "lost",
    "records",
    "pending",
)
"""Names of the metrics, in the order of their columns."""

_LEFT: Final = ("skipped", "not_kept", "not_accepted")
"""What else a summary counts: receipts that are no success and no loss."""

_COUNTS: Final = ("duplicated", "lost", "records", "pending", *_LEFT)
"""Columns of whole numbers."""

_NAN: Final = float("nan")


@dataclass(frozen=True, slots=True)
class _Measured:
    """What one subscriber adds to the metrics."""

    throughput_per_s: float
    latencies_ns: Int64
    lag_records_max: float
    drain_s: float
    overtaken_share: float
    outcomes: dict[str, int]


def metrics(result: Result) -> dict[str, float]:
    """Return the metrics of a run over all its subscribers.

    Parameters
    ----------
    result : Result
        With the tables `records` and `deliveries`.

    Returns
    -------
    dict of str to float
        `METRICS`, in that order; this module's first lines define each. NaN where one
        does not apply.

    Raises
    ------
    TableNotRecorded
        When the run did not record those tables.
    """
    records = result.columns("records")
    world = world_of(result)
    measured = [
        _measure(records, dealing, world.warmup_ns)
        for dealing in dealings_with(result, world)
    ]
    imbalance = partition_imbalance(records, world.partition_counts)
    return _combined(measured, imbalance, len(records))


def summary(result: Result) -> "pd.DataFrame":
    """Return one row per subscriber: the metrics, and what else became of records.

    Parameters
    ----------
    result : Result
        With the tables `records` and `deliveries`.

    Returns
    -------
    pandas.DataFrame
        `subscriber`, the columns `METRICS` (here `records` is the number that this
        subscriber wants) and `skipped`, `not_kept`, `not_accepted` (records).

    Raises
    ------
    TableNotRecorded
        When the run did not record those tables.
    """
    records = result.columns("records")
    world = world_of(result)
    imbalance = partition_imbalance(records, world.partition_counts)
    every = dealings_with(result, world)
    rows = [
        _combined([measured], imbalance, len(dealing.rows)) | _left(measured)
        for dealing in every
        for measured in (_measure(records, dealing, world.warmup_ns),)
    ]
    names = [dealing.want.subscriber for dealing in every]
    columns: dict[str, object] = {
        "subscriber": categorical(np.arange(len(names)), names)
    }
    for name in (*METRICS, *_LEFT):
        kind = np.int64 if name in _COUNTS else np.float64
        columns[name] = np.array([row[name] for row in rows], dtype=kind)
    return frame(result, columns)


def _left(measured: _Measured) -> dict[str, float]:
    return {name: float(measured.outcomes[name]) for name in _LEFT}


def partition_imbalance(records: Table, counts: Mapping[str, int]) -> float:
    """Return records in the fullest partition ÷ mean; the worst topic's.

    Parameters
    ----------
    records : Table
    counts : mapping of topic to partitions
    """
    worst = _NAN
    for topic, count in counts.items():
        per_partition = records_per_partition(records, topic, count)
        total = int(per_partition.sum())
        if total:
            worst = float(np.fmax(worst, per_partition.max() * count / total))
    return worst


def records_per_partition(records: Table, topic: str, count: int) -> Int64:
    """Count the records appended to each of a topic's partitions.

    A record that a cut run left in a batch at its producer has no offset, and is none.

    Parameters
    ----------
    records : Table
    topic : str
    count : int
        Partitions the topic has.
    """
    if topic not in records.labels["topic"]:
        return np.zeros(count, dtype=np.int64)
    inside = records["topic"] == records.labels["topic"].index(topic)
    inside &= records["offset"] >= 0
    partitions = records["partition"] if inside.all() else records["partition"][inside]
    return np.bincount(partitions, minlength=count).astype(np.int64)


def _measure(records: Table, dealing: Dealings, since: int) -> _Measured:
    rows, first = dealing.rows, dealing.first_processed_ns
    intended = dealing.take(records["intended_ns"])
    outcomes = outcome_counts(dealing, records)
    drain_s = _NAN
    if len(rows) and not outcomes["pending"] and bool(dealing.done.any()):
        drain_s = max(0.0, (int(first.max()) - int(intended.max())) / NS_PER_S)
    lag = _peak_lag(records, dealing, max(since, dealing.want.from_ns))
    if since > 0 and len(rows) and int(intended.min()) < since:
        measured = intended >= since
        rows, first, intended = rows[measured], first[measured], intended[measured]
    wanted_until = int(intended.max()) if len(intended) else 0
    begun = int(intended.min()) if len(intended) else 0
    done = first != MISSING_NS
    if not done.all():
        rows, first, intended = rows[done], first[done], intended[done]
    span = max(int(first.max()) if len(first) else 0, wanted_until) - begun
    return _Measured(
        throughput_per_s=len(first) * NS_PER_S / span if span > 0 else _NAN,
        latencies_ns=first - intended,
        lag_records_max=lag,
        drain_s=drain_s,
        overtaken_share=_overtaken_share(records, rows, intended, first),
        outcomes=outcomes,
    )


def _peak_lag(records: Table, dealing: Dealings, since_ns: int) -> float:
    appended = dealing.take(records["appended_ns"])
    left = dealing.left_ns
    kept = appended != MISSING_NS
    if not kept.all():
        appended, left = appended[kept], left[kept]
    if not len(appended):
        return _NAN
    gone = left != MISSING_NS
    arrivals = np.maximum(appended, since_ns) if since_ns > 0 else appended
    return float(peak_backlog(arrivals, left if gone.all() else left[gone]))


def _overtaken_share(
    records: Table, rows: Int64, intended: Int64, first: Int64
) -> float:
    entity, streams = records["entity"], records["stream"]
    if len(rows) < len(records):
        entity, streams = entity[rows], streams[rows]
    owned = entity >= 0
    if not owned.all():
        entity, streams = entity[owned], streams[owned]
        intended, first = intended[owned], first[owned]
    if not len(entity):
        return _NAN
    groups = streams.astype(np.int64) * len(records.labels["entity"]) + entity
    return float(overtaken_mask(sequences(intended, first, groups)).mean())


def _combined(
    measured: Sequence[_Measured], imbalance: float, records: int
) -> dict[str, float]:
    latencies = joined([each.latencies_ns for each in measured])
    p50, p99 = nearest_ranks(latencies, (0.50, 0.99))
    values = (
        _mean([each.throughput_per_s for each in measured]),
        p50 / NS_PER_MS,
        p99 / NS_PER_MS,
        _worst([each.lag_records_max for each in measured]),
        _all_or_none([each.drain_s for each in measured]),
        imbalance,
        _mean([each.overtaken_share for each in measured]),
        float(sum(each.outcomes["duplicated"] for each in measured)),
        float(sum(each.outcomes["lost"] for each in measured)),
        float(records),
        float(sum(each.outcomes["pending"] for each in measured)),
    )
    return dict(zip(METRICS, values, strict=True))


def _mean(values: Sequence[float]) -> float:
    """Return the mean of those that apply."""
    kept = [value for value in values if not np.isnan(value)]
    return sum(kept) / len(kept) if kept else _NAN


def _worst(values: Sequence[float]) -> float:
    """Return the largest of those that apply."""
    return max((value for value in values if not np.isnan(value)), default=_NAN)


def _all_or_none(values: Sequence[float]) -> float:
    """Return the largest, or NaN when one of them is NaN."""
    return float(np.max(values)) if values else _NAN
