"""How producers filled batches and partitions.

A batch costs a header of 61 bytes and an append, whatever it holds. A request carries
batches of many partitions, one of each (`RecordAccumulator.drain`), so it is not the
batch that costs one. Records per batch is what `linger_ms` buys, and `closed_by` says
what ended each batch. A **sticky run** is a stretch of one source's records without a
key (with `partitioner.ignore.keys`: of all its records) that went to one partition in a
row: the uniform sticky partitioner (KIP-480, KIP-794) stays with a
partition until it has sent it `batch.size` bytes, so a run, not a record, is what moves
elsewhere.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from kafkasim.analysis.arrays import Float64, Int64
from kafkasim.analysis.dealings import joined
from kafkasim.analysis.frames import categorical, frame
from kafkasim.analysis.keeping import kept_of
from kafkasim.analysis.world import world_of
from kafkasim.result.result import Result
from kafkasim.result.rows import code
from kafkasim.result.table import Table

if TYPE_CHECKING:
    import pandas as pd


def batching(result: Result) -> "pd.DataFrame":
    """Return how batches were closed and how full they were.

    Parameters
    ----------
    result : Result
        With the tables `batches` and `records`.

    Returns
    -------
    pandas.DataFrame
        One row per producer and cause that occurred: `producer`, `closed_by`,
        `batches`, `batches_share` (of the producer's), `records_per_batch`,
        `bytes_per_batch` (means), and `records_per_run`, the mean length of the sticky
        runs of the source of that name (the same in each of its rows; NaN when all its
        records have keys that choose the partition).

    Raises
    ------
    TableNotRecorded
        When the run did not record those tables: a system without batches has none.
    """
    batches = result.columns("batches")
    producers = batches.labels["producer"]
    causes = batches.labels["closed_by"]
    span = len(causes) + 1
    packed = batches["producer"].astype(np.int64) * span + batches["closed_by"] + 1
    size = max(1, len(producers)) * span
    counts = np.bincount(packed, minlength=size)
    records = np.bincount(packed, weights=batches["record_count"], minlength=size)
    total_bytes = np.bincount(packed, weights=batches["size_bytes"], minlength=size)
    occurred = np.flatnonzero(counts)
    owners, closed_by = np.divmod(occurred, span)
    count = counts[occurred]
    whole = np.bincount(owners, weights=count, minlength=len(producers))
    ignoring = world_of(result).ignoring_keys
    runs = _run_lengths(result.columns("records"), producers, ignoring)
    return frame(
        result,
        {
            "producer": categorical(owners, producers),
            "closed_by": categorical(closed_by - 1, causes),
            "batches": count.astype(np.int64),
            "batches_share": count / whole[owners],
            "records_per_batch": records[occurred] / count,
            "bytes_per_batch": total_bytes[occurred] / count,
            "records_per_run": runs[owners],
        },
    )


def _run_lengths(
    records: Table, sources: tuple[str, ...], ignoring: frozenset[str]
) -> Float64:
    means = np.full(len(sources), np.nan)
    for place, source in enumerate(sources):
        mine = records["source"] == code(records, "source", source)
        mine &= records["partition"] >= 0
        if source not in ignoring:
            mine &= records["key"] < 0
        partitions = records["partition"][mine]
        if len(partitions):
            means[place] = len(partitions) / run_count(partitions)
    return means


def run_count(values: Int64) -> int:
    """Return the number of stretches of equal values.

    Examples
    --------
    >>> import numpy as np
    >>> run_count(np.array([3, 3, 0, 0, 0, 3]))
    3
    """
    return int(np.count_nonzero(values[1:] != values[:-1])) + bool(len(values))


def skew(result: Result) -> "pd.DataFrame":
    """Return what each partition got.

    Parameters
    ----------
    result : Result
        Full or streamed.

    Returns
    -------
    pandas.DataFrame
        One row per topic and partition, empty ones included: `topic`, `partition`,
        `records` (in its log), `records_share` (of the topic's), and of a full run of
        these records `keys` (distinct), `null_keys` (records without a key),
        `entities` (distinct). No rows for a system without partitions.

    Raises
    ------
    TableNotRecorded
        When the run recorded neither its records nor counts of them.
    """
    kept, counts = kept_of(result), world_of(result).partition_counts
    sizes = [kept.partition_records(topic, count) for topic, count in counts.items()]
    shares = [size / max(1, int(size.sum())) for size in sizes]
    columns: dict[str, object] = {
        "topic": categorical(
            np.repeat(np.arange(len(counts)), list(counts.values())), list(counts)
        ),
        "partition": joined([np.arange(count) for count in counts.values()]),
        "records": joined(sizes),
        "records_share": np.concatenate([np.empty(0), *shares]),
    }
    if "records" in result.tables:
        columns |= _who_is_there(result.columns("records"), counts)
    return frame(result, columns)


def _who_is_there(records: Table, counts: Mapping[str, int]) -> dict[str, object]:
    """Return what only single records tell of each partition."""
    topics = list(counts.items())
    return {
        "keys": joined([_distinct(records, "key", *each) for each in topics]),
        "null_keys": joined([_null_keys(records, *each) for each in topics]),
        "entities": joined([_distinct(records, "entity", *each) for each in topics]),
    }


def _distinct(records: Table, column: str, topic: str, count: int) -> Int64:
    """Count the distinct names of a label column in each partition of a topic."""
    inside = records["topic"] == code(records, "topic", topic)
    inside &= (records["offset"] >= 0) & (records[column] >= 0)
    span = max(1, len(records.labels[column]))
    packed = records["partition"][inside].astype(np.int64) * span
    distinct = np.unique(packed + records[column][inside])
    return np.bincount(distinct // span, minlength=count).astype(np.int64)


def _null_keys(records: Table, topic: str, count: int) -> Int64:
    inside = records["topic"] == code(records, "topic", topic)
    inside &= (records["offset"] >= 0) & (records["key"] < 0)
    return np.bincount(records["partition"][inside], minlength=count).astype(np.int64)
