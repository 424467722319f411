"""Order: what was overtaken, within a partition, a key or an entity.

Kafka keeps the order of one producer's records within one partition (Kafka
documentation, Introduction, "Main Concepts and Terminology"); it promises nothing
across partitions. So `per="partition"` groups by source, topic and partition, and a
healthy run has no overtaken record there; `per="key"` and `per="entity"` group by
stream and name, and show what the choice of key does to those whose order matters.

Within a group records stand in the order intended (ties by record_id); a pair is
overtaken when the later one was processed first (end of work, first time; equal times
overtake nobody: those of two members may be equal, while one member's records have an
order, since a plan gives each at least 1 ns of work). Records without a key or an
entity, and records never processed, are in no group.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from kafkasim.analysis.arrays import Int64
from kafkasim.analysis.dealings import Dealings, dealings, joined
from kafkasim.analysis.frames import categorical, frame
from kafkasim.analysis.inversions import (
    Sequences,
    first_overtakers,
    group_sums,
    overtaker_counts,
    sequences,
)
from kafkasim.catalogue import say
from kafkasim.errors import ValidationError
from kafkasim.result.result import Result
from kafkasim.result.rows import wanted_ns
from kafkasim.result.table import Table
from kafkasim.units import NS_PER_MS, ms_from_ns

if TYPE_CHECKING:
    import pandas as pd

Per = Literal["partition", "key", "entity"]

GROUPED_BY: Final = {
    "partition": ("source", "topic", "partition"),
    "key": ("stream", "key"),
    "entity": ("stream", "entity"),
}
"""Columns of `records` that make a group."""


@dataclass(frozen=True, slots=True)
class _Groups:
    """One subscriber's processed records by group."""

    sequence: Sequences
    """Its `rows` are positions in `rows` below."""
    rows: Int64
    """Rows of `records`."""
    codes: tuple[Int64, ...]
    """For each column of the grouping, the code (or number) of each group."""
    count: int
    """Number of groups."""


def ordering(result: Result, *, per: Per = "entity") -> "pd.DataFrame":
    """Return how many records were overtaken, group by group.

    Parameters
    ----------
    result : Result
        With the tables `records` and `deliveries`.
    per : {"partition", "key", "entity"}
        What makes a group; see this module's first lines.

    Returns
    -------
    pandas.DataFrame
        One row per subscriber and group with a processed record: `subscriber`;
        `source`, `topic`, `partition`, or `stream` and `key` or `entity`; `records`
        (processed), `overtaken` (records with at least one pair), `overtaken_share`,
        `overtaken_pairs` (Kendall's count).

    Raises
    ------
    ValidationError
        `per` is none of the three.
    TableNotRecorded
        When the run did not record those tables.
    """
    records = result.columns("records")
    every = dealings(result)
    parts = [_groups(records, dealing, _checked(per)) for dealing in every]
    counted = [overtaker_counts(part.sequence) for part in parts]
    numbers = [
        (
            np.bincount(part.sequence.groups, minlength=part.count).astype(np.int64),
            group_sums(pairs > 0, part.sequence.groups, part.count),
            group_sums(pairs, part.sequence.groups, part.count),
        )
        for part, pairs in zip(parts, counted, strict=True)
    ]
    sizes, overtaken, pair_sums = (
        joined([number[place] for number in numbers]) for place in range(3)
    )
    names = [dealing.want.subscriber for dealing in every]
    owners = np.repeat(np.arange(len(names)), [part.count for part in parts])
    return frame(
        result,
        {"subscriber": categorical(owners, names)}
        | _labels(records, per, [part.codes for part in parts])
        | {
            "records": sizes,
            "overtaken": overtaken,
            "overtaken_share": overtaken / np.maximum(sizes, 1),
            "overtaken_pairs": pair_sums,
        },
    )


def overtakings(result: Result, *, per: Per = "entity") -> "pd.DataFrame":
    """Return each overtaken record, how many overtook it, and the first that did.

    Parameters
    ----------
    result : Result
        With the tables `records` and `deliveries`.
    per : {"partition", "key", "entity"}
        Within what; see this module's first lines.

    Returns
    -------
    pandas.DataFrame
        One row per subscriber and overtaken record: `subscriber`; the group's columns
        as in `ordering`; `record_id`, `intended_ms`, `processed_ms`, `record_partition`
        (−1 without one); `overtakers` (how many); and of the one among them that was
        processed first `first_overtaker` (its record_id), `overtaker_intended_ms`,
        `overtaker_processed_ms`, `overtaker_partition`. Sorted by group, then intended.

    Raises
    ------
    ValidationError
        `per` is none of the three.
    TableNotRecorded
        When the run did not record those tables.
    """
    records = result.columns("records")
    every = dealings(result)
    parts = [_groups(records, dealing, _checked(per)) for dealing in every]
    counts = [overtaker_counts(part.sequence) for part in parts]
    hits = [np.flatnonzero(count) for count in counts]
    pairs = list(zip(parts, hits, strict=True))
    firsts = [first_overtakers(part.sequence)[hit] for part, hit in pairs]
    slow = joined([part.rows[part.sequence.rows[hit]] for part, hit in pairs])
    fast = joined(
        [
            part.rows[part.sequence.rows[first]]
            for part, first in zip(parts, firsts, strict=True)
        ]
    )
    ended = [part.sequence.ended_ns for part in parts]
    names = [dealing.want.subscriber for dealing in every]
    owners = np.repeat(np.arange(len(names)), [len(hit) for hit in hits])
    group_codes = [
        tuple(code[part.sequence.groups[hit]] for code in part.codes)
        for part, hit in pairs
    ]
    return frame(
        result,
        {"subscriber": categorical(owners, names)}
        | _labels(records, per, group_codes)
        | {
            "record_id": slow,
            "intended_ms": ms_from_ns(wanted_ns(records)[slow]),
            "processed_ms": joined(_taken(ended, hits)) / NS_PER_MS,
            "record_partition": records["partition"][slow],
            "overtakers": joined(_taken(counts, hits)),
            "first_overtaker": fast,
            "overtaker_intended_ms": ms_from_ns(wanted_ns(records)[fast]),
            "overtaker_processed_ms": joined(_taken(ended, firsts)) / NS_PER_MS,
            "overtaker_partition": records["partition"][fast],
        },
    )


def _taken(arrays: list[Int64], places: list[Int64]) -> list[Int64]:
    return [array[place] for array, place in zip(arrays, places, strict=True)]


def _checked(per: str) -> str:
    if per not in GROUPED_BY:
        raise ValidationError(
            "per", per, say("one of {names}", names=", ".join(GROUPED_BY))
        )
    return per


def _groups(records: Table, dealing: Dealings, per: str) -> _Groups:
    columns = [records[name] for name in GROUPED_BY[per]]
    rows = dealing.rows
    kept = dealing.done.copy()
    packed = np.zeros(len(rows), dtype=np.int64)
    spans: list[int] = []
    for column in columns:
        codes = column[rows].astype(np.int64)
        kept &= codes >= 0
        spans.append(int(codes.max()) + 1 if len(codes) else 1)
        packed = packed * max(1, spans[-1]) + codes
    distinct, groups = np.unique(packed[kept], return_inverse=True)
    sequence = sequences(
        wanted_ns(records)[rows[kept]], dealing.first_processed_ns[kept], groups
    )
    return _Groups(sequence, rows[kept], _unpacked(distinct, spans), len(distinct))


def _unpacked(packed: Int64, spans: list[int]) -> tuple[Int64, ...]:
    codes: list[Int64] = []
    for span in reversed(spans):
        packed, code = np.divmod(packed, max(1, span))
        codes.append(code)
    return tuple(reversed(codes))


def _labels(
    records: Table, per: str, codes: list[tuple[Int64, ...]]
) -> dict[str, object]:
    columns: dict[str, object] = {}
    for place, name in enumerate(GROUPED_BY[per]):
        values = joined([code[place] for code in codes])
        labels = records.labels.get(name)
        columns[name] = values if labels is None else categorical(values, labels)
    return columns
