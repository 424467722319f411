"""What a system is like to its subscribers, beside the metrics of how fast it is.

Seven numbers that tell a queue from a log, and both from a direct link. Each is defined
on records and subscribers, as `kafkasim.analysis.measures` has it:

`order_kept_share`
    of all pairs of records that one source sent and the subscriber processed, the share
    that it processed in the order in which they were intended; then the mean over
    subscribers. NaN with fewer than two. It is about order as sent, whatever the key:
    for that within an entity see `overtaken_share`.
`redelivered`
    hand-outs of a record to a subscriber after the first one; summed.
`left_to_read`
    records of its streams that the system holds when the run ends and would give to a
    new reader, whether they were consumed or not; over the whole system each counts
    once.
`history_share`
    of the records intended before a latecomer that wants everything came (`from_s`,
    `wants="all"`), the share that it processed; then the mean over such subscribers.
    NaN for others.
`latency_ms_p99_others`
    the nearest-rank p99 of latency without the one record on which the subscriber
    worked longest: what a slow job does to those behind it; the worst subscriber.
`blocked_s`
    seconds for which sources of its streams could not hand a record over, summed over
    sources; pauses of a source itself aside.
`refused`
    records × subscribers that wanted them which the client gave up and no log holds.

The numbers of single records are NaN of a streamed run, which keeps none.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from kafkasim.analysis.arrays import Bool, Int64, nearest_ranks
from kafkasim.analysis.dealings import Dealings, dealings_of
from kafkasim.analysis.inversions import overtaker_counts, sequences
from kafkasim.analysis.keeping import kept_of
from kafkasim.analysis.world import World, world_of
from kafkasim.result.removals import removed_ns
from kafkasim.result.result import Result
from kafkasim.result.rows import code, rows_with_label, wanted_ns
from kafkasim.result.table import Table
from kafkasim.units import MISSING_NS, NS_PER_MS, NS_PER_S

SERVICE: Final = (
    "order_kept_share",
    "redelivered",
    "left_to_read",
    "history_share",
    "latency_ms_p99_others",
    "blocked_s",
    "refused",
)
"""Names of the numbers, in the order of their columns."""

_NAN: Final = float("nan")
_SUMMED: Final = ("redelivered", "refused")
_OF_RECORDS: Final = SERVICE[:5]
"""Those that are asked of single records."""


def service(result: Result) -> list[dict[str, float]]:
    """Return the numbers of each subscriber, in the scenario's order.

    Parameters
    ----------
    result : Result
        Full or streamed.

    Returns
    -------
    list of dict of str to float
        `SERVICE`, in that order; this module's first lines define each.
    """
    world = world_of(result)
    measured = kept_of(result).measured(world.wants, world.warmup_ns)
    per_record: list[dict[str, float]] = [dict.fromkeys(_OF_RECORDS, _NAN)] * len(
        measured
    )
    if "deliveries" in result.tables:
        held = _held(result)
        per_record = [
            _of_records(result, dealing, world, held)
            for dealing in dealings_of(result, world.wants)
        ]
    return [
        of_records
        | {
            "blocked_s": _blocked_s(result, each.want.streams),
            "refused": float(each.outcomes["not_accepted"]),
        }
        for each, of_records in zip(measured, per_record, strict=True)
    ]


def service_of_all(result: Result) -> dict[str, float]:
    """Return the numbers of a run over all its subscribers, `SERVICE` in that order."""
    rows = service(result)
    streams = {each.stream for each in result.scenario.traffic.sources.values()}
    combined = {name: _mean(row[name] for row in rows) for name in SERVICE}
    combined |= {name: sum(row[name] for row in rows) for name in _SUMMED}
    worst = [row["latency_ms_p99_others"] for row in rows]
    combined["latency_ms_p99_others"] = max(
        (value for value in worst if not np.isnan(value)), default=_NAN
    )
    combined["blocked_s"] = _blocked_s(result, tuple(streams))
    if "deliveries" in result.tables:
        combined["left_to_read"] = float(np.count_nonzero(_held(result)))
    return combined


def _mean(values: Iterable[float]) -> float:
    kept = [value for value in values if not np.isnan(value)]
    return sum(kept) / len(kept) if kept else _NAN


def _held(result: Result) -> Bool:
    """Return which records the system holds for a new reader when the run ends."""
    records = result.columns("records")
    held: Bool = records["log_copies"] > 0
    if "removals" in result.tables:
        rows = np.arange(len(records), dtype=np.int64)
        gone_ns = removed_ns(records, rows, result.columns("removals"))
        held = held & (gone_ns == MISSING_NS)
    return held


def _of_records(
    result: Result, dealing: Dealings, world: World, held: Bool
) -> dict[str, float]:
    records = result.columns("records")
    of_streams = _of_streams(records, dealing.want.streams)
    return {
        "order_kept_share": _order_kept(records, dealing),
        "redelivered": float(np.maximum(dealing.deliveries - 1, 0).sum()),
        "left_to_read": float(np.count_nonzero(held & of_streams)),
        "history_share": _history(records, dealing),
        "latency_ms_p99_others": _others_p99(result, dealing, world.warmup_ns),
    }


def _of_streams(records: Table, streams: Sequence[str]) -> Bool:
    """Return which records belong to some streams."""
    codes = [code(records, "stream", name) for name in streams]
    return np.isin(records["stream"], codes)


def _order_kept(records: Table, dealing: Dealings) -> float:
    """Return the share of one source's pairs that were processed as intended."""
    done = dealing.done
    rows = dealing.rows[done]
    sources = records["source"][rows].astype(np.int64)
    first = dealing.first_processed_ns[done]
    overtaken = overtaker_counts(sequences(wanted_ns(records)[rows], first, sources))
    sizes = np.bincount(sources).astype(np.int64)
    pairs = int((sizes * (sizes - 1) // 2).sum())
    return 1.0 - int(overtaken.sum()) / pairs if pairs else _NAN


def _history(records: Table, dealing: Dealings) -> float:
    """Return the share of what was before a latecomer that it processed."""
    if dealing.want.history != "all" or not dealing.want.from_ns:
        return _NAN
    early = wanted_ns(records)[dealing.rows] < dealing.want.from_ns
    count = np.count_nonzero(early)
    return float(np.count_nonzero(early & dealing.done) / count) if count else _NAN


def _others_p99(result: Result, dealing: Dealings, since_ns: int) -> float:
    """Return the p99 of latency without the record that took most work, in ms."""
    intended = dealing.take(wanted_ns(result.columns("records")))
    kept = dealing.done & (intended >= since_ns)
    kept[dealing.rows == _slowest(result, dealing.want.subscriber)] = False
    latencies: Int64 = dealing.first_processed_ns[kept] - intended[kept]
    return nearest_ranks(latencies, (0.99,))[0] / NS_PER_MS


def _slowest(result: Result, subscriber: str) -> int:
    """Return the record on which a subscriber worked longest; −1 when on none."""
    handed = result.columns("deliveries")
    mine = rows_with_label(handed, "subscriber", subscriber)
    done = handed["outcome"][mine] == code(handed, "outcome", "processed")
    took = (handed["ended_ns"][mine] - handed["started_ns"][mine])[done]
    return int(handed["record_id"][mine][done][took.argmax()]) if len(took) else -1


def _blocked_s(result: Result, streams: Sequence[str]) -> float:
    """Return for how long the sources of some streams could not hand over, seconds."""
    if "blocked" not in result.tables:
        return _NAN
    blocked = result.columns("blocked")
    names = result.scenario.traffic.sources
    theirs = [
        code(blocked, "source", name)
        for name, source in names.items()
        if source.stream in streams
    ]
    mine = np.isin(blocked["source"], theirs)
    mine &= blocked["cause"] != code(blocked, "cause", "paused")
    until = blocked["until_ns"][mine]
    until = np.where(until == MISSING_NS, int(result.facts["end_ns"]), until)
    return float((until - blocked["since_ns"][mine]).sum() / NS_PER_S)
