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
from typing import TYPE_CHECKING, Final

import numpy as np

from kafkasim.analysis.frames import categorical, frame
from kafkasim.analysis.keeping import kept_of
from kafkasim.analysis.kept import Kept, Measured, joined_spread
from kafkasim.analysis.world import world_of
from kafkasim.result.result import Result
from kafkasim.units import NS_PER_MS

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

_LEFT: Final = ("expired", "skipped", "not_kept", "not_accepted")
"""What else a summary counts: receipts that are no success and no loss."""

_COUNTS: Final = ("duplicated", "lost", "records", "pending", *_LEFT)
"""Columns of whole numbers."""

_NAN: Final = float("nan")


def metrics(result: Result) -> dict[str, float]:
    """Return the metrics of a run over all its subscribers.

    Parameters
    ----------
    result : Result
        Full or streamed.

    Returns
    -------
    dict of str to float
        `METRICS`, in that order; this module's first lines define each. NaN where one
        does not apply.

    Raises
    ------
    TableNotRecorded
        When the run recorded neither its records and deliveries nor counts of them.
    """
    world, kept = world_of(result), kept_of(result)
    measured = kept.measured(world.wants, world.warmup_ns)
    imbalance = partition_imbalance(kept, world.partition_counts)
    return _combined(measured, imbalance, kept.record_count)


def summary(result: Result) -> "pd.DataFrame":
    """Return one row per subscriber: the metrics, and what else became of records.

    Parameters
    ----------
    result : Result
        Full or streamed.

    Returns
    -------
    pandas.DataFrame
        `subscriber`, the columns `METRICS` (here `records` is the number that this
        subscriber wants) and `expired`, `skipped`, `not_kept`, `not_accepted`
        (records).

    Raises
    ------
    TableNotRecorded
        When the run recorded neither its records and deliveries nor counts of them.
    """
    world, kept = world_of(result), kept_of(result)
    imbalance = partition_imbalance(kept, world.partition_counts)
    every = kept.measured(world.wants, world.warmup_ns)
    rows = [_combined([each], imbalance, each.wanted) | _left(each) for each in every]
    names = [each.want.subscriber for each in every]
    columns: dict[str, object] = {
        "subscriber": categorical(np.arange(len(names)), names)
    }
    for name in (*METRICS, *_LEFT):
        kind = np.int64 if name in _COUNTS else np.float64
        columns[name] = np.array([row[name] for row in rows], dtype=kind)
    return frame(result, columns)


def _left(measured: Measured) -> dict[str, float]:
    return {name: float(measured.outcomes[name]) for name in _LEFT}


def partition_imbalance(kept: Kept, counts: Mapping[str, int]) -> float:
    """Return records in the fullest partition ÷ mean; the worst topic's.

    Parameters
    ----------
    kept : Kept
    counts : mapping of topic to partitions
    """
    worst = _NAN
    for topic, count in counts.items():
        per_partition = kept.partition_records(topic, count)
        total = int(per_partition.sum())
        if total:
            worst = float(np.fmax(worst, per_partition.max() * count / total))
    return worst


def _combined(
    measured: Sequence[Measured], imbalance: float, records: int
) -> dict[str, float]:
    latencies = joined_spread([each.latencies for each in measured])
    p50, p99 = latencies.nearest_ranks((0.50, 0.99))
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
