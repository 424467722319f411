"""What the log explorer shows of a run: numbers, from numpy columns."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from kafkasim.analysis.arrays import Bool, Float64, Int64, step_last
from kafkasim.analysis.dealings import dealings_of
from kafkasim.analysis.world import world_of
from kafkasim.result.removals import removed_ns
from kafkasim.result.result import Result
from kafkasim.result.rows import code, rows_with_label
from kafkasim.result.table import Table
from kafkasim.units import MISSING_NS, NS_PER_S

FOREVER: Final = np.inf
"""When what stays is deleted."""


@dataclass(frozen=True, slots=True)
class Segments:
    """The segments of the log, one a row, in the order in which they were made."""

    base: Int64
    """First offset."""
    end: Int64
    """Offset after the last."""
    created_s: Float64
    rolled_s: Float64
    """When it took no more batches; `FOREVER` of the one that still does."""
    deleted_s: Float64
    """When it left the log; `FOREVER` of those that stay."""
    expired: Bool
    """Which were deleted by retention."""
    merged: Bool
    """Which were replaced by what compaction made of them."""
    made: Bool
    """Which compaction made."""
    records: Int64
    """Records in each."""
    size_bytes: Int64


@dataclass(frozen=True, slots=True)
class Reader:
    """One subscriber's way through the log."""

    at_s: Float64
    """When its position changed."""
    position: Int64
    """One past the last record whose work has begun, from each of those times on;
    another place that it was given is in `resets`, and here once its work goes on."""
    jumps: Float64
    """Where records between two that it worked on were missing, a row for each: when
    it went on, in seconds; its position before; and the offset it went on with."""
    resets: Float64
    """Where it was given another place, a row for each: when, in seconds, and from
    which offset on it read."""
    missed: int
    """Records that left the log before it had processed them."""
    errors: int
    """Its fetches that were answered with OFFSET_OUT_OF_RANGE."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the late reader finds when it comes."""

    at_s: float
    """When that is."""
    written: int
    """Records written by then."""
    known: int
    """Keys that there can be."""
    keys: int
    """Different keys among them."""
    offsets: Int64
    """Of the records written by then those that it was given, rising."""
    key: Int64
    """Number of each one's key, from 0."""
    newest: Bool
    """Which are the newest of their key, of all written by then."""
    lost: Int64
    """Of the keys of which it was not given the newest: the newest's offset."""
    lost_key: Int64
    """And the key's number."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the figure shows of one run."""

    policy: str
    """`cleanup.policy`."""
    until_s: float
    """When the run ended."""
    segments: Segments
    end_at_s: Float64
    """When the log's end changed."""
    log_end: Int64
    """Where it was from each of those times on."""
    start_at_s: Float64
    """When the log's start changed; 0 first."""
    log_start: Int64
    """Where it was from each of those times on."""
    stays: Float64
    """Records that compaction kept, a row for each: offset, from when on it stood in a
    compacted segment, and until when."""
    most: int
    """Most records that were in the log at once."""
    newest_stay: bool
    """Whether what is left in compacted segments is the newest of each key there."""
    oldest_s: float
    """Age of the oldest record that retention deleted, in seconds since its timestamp,
    which is its creation; 0 without one."""
    slow: Reader | None
    """None when there is no slow reader."""
    found: Found

    @property
    def sent(self) -> int:
        """Records written."""
        return int(self.log_end[-1]) if len(self.log_end) else 0

    @property
    def compacted(self) -> tuple[int, int]:
        """In the end: records in compacted segments, and how many there had been."""
        of = self.segments
        there = of.made & np.isinf(of.deleted_s)
        return int(of.records[there].sum()), int((of.end - of.base)[there].sum())

    def start_then(self, at_s: Float64) -> Int64:
        """Return the log's start at each of these times."""
        slots = np.searchsorted(self.start_at_s, at_s, side="right") - 1
        found: Int64 = self.log_start[np.maximum(slots, 0)]
        return found


def shown_of(result: Result, policy: str, slow: str | None, late: str) -> Shown:
    """Return what the figure shows of a run.

    Parameters
    ----------
    result : Result
        Of one topic with one partition.
    policy : str
        Its `cleanup.policy`.
    slow : str or None
        The subscriber whose position is drawn.
    late : str
        The one that comes later and wants all.
    """
    records, appends = result.columns("records"), result.columns("appends")
    segments = _segments(result.columns("segments"))
    ends = appends["base_offset"] + appends["record_count"]
    end_at, log_end = step_last(appends["appended_ns"], ends)
    gone = np.flatnonzero(segments.expired)
    until_s = int(result.facts["end_ns"]) / NS_PER_S
    rows = np.argsort(records["offset"], kind="stable")
    rows = rows[records["offset"][rows] >= 0]
    appended_s = records["appended_ns"][rows] / NS_PER_S
    removed = removed_ns(records, rows, result.columns("removals"))
    removed_s = np.where(removed == MISSING_NS, until_s, removed / NS_PER_S)
    created_s = records["created_ns"][rows[segments.base[gone]]] / NS_PER_S
    ages_s = segments.deleted_s[gone] - created_s
    return Shown(
        policy=policy,
        until_s=until_s,
        segments=segments,
        end_at_s=end_at / NS_PER_S,
        log_end=log_end,
        start_at_s=np.concatenate(([0.0], segments.deleted_s[gone])),
        log_start=np.concatenate(([0], segments.end[gone])),
        stays=_stays(segments, removed_s),
        most=_most(appended_s, removed_s[removed != MISSING_NS]),
        newest_stay=_newest_stay(segments, records["key"][rows], removed),
        oldest_s=float(ages_s.max(initial=0.0)),
        slow=None if slow is None else _reader(result, slow),
        found=_found(result, late, rows),
    )


def _most(came_s: Float64, went_s: Float64) -> int:
    """Return the most that were there at once; who goes when one comes, goes first."""
    times = np.concatenate((went_s, came_s))
    steps = np.ones(len(times), dtype=np.int64)
    steps[: len(went_s)] = -1
    there = steps[np.argsort(times, kind="stable")].cumsum()
    return int(there.max(initial=0))


def _segments(of: Table) -> Segments:
    """Return the segments, those that retention deleted in the order of deletion."""
    stays = of["deleted_ns"] == MISSING_NS
    written = of["rolled_ns"] == MISSING_NS
    merged = of["cause"] == code(of, "cause", "compaction")
    return Segments(
        base=of["base_offset"],
        end=of["end_offset"],
        created_s=of["created_ns"] / NS_PER_S,
        rolled_s=np.where(written, FOREVER, of["rolled_ns"] / NS_PER_S),
        deleted_s=np.where(stays, FOREVER, of["deleted_ns"] / NS_PER_S),
        expired=~stays & ~merged,
        merged=merged,
        made=~written & (of["rolled_by"] < 0),
        records=of["record_count"],
        size_bytes=of["size_bytes"],
    )


def _stays(segments: Segments, removed_s: Float64) -> Float64:
    """Return which records outlived a cleaning: offset, from when on, until when.

    A record is cleaned for the first time when the segment that it was written to is
    replaced.
    """
    first = np.flatnonzero(segments.merged & ~segments.made)
    first = first[np.argsort(segments.base[first])]
    if not len(first):
        return np.zeros((0, 3))
    offsets = np.arange(int(segments.end[first[-1]]), dtype=np.int64)
    slots = np.searchsorted(segments.end[first], offsets, side="right")
    cleaned_s = segments.deleted_s[first][slots]
    until_s = removed_s[: len(offsets)]
    outlived = until_s > cleaned_s
    rows = (offsets.astype(np.float64), cleaned_s, until_s)
    return np.column_stack(rows)[outlived]


def _newest_stay(segments: Segments, keys: Int64, removed: Int64) -> bool:
    """Tell whether compacted segments hold the newest of each key, and nothing else."""
    there = segments.made & np.isinf(segments.deleted_s)
    count = int(segments.end[there].max(initial=0))
    newest = dict(zip(keys[:count].tolist(), range(count), strict=True))
    left = np.flatnonzero(removed[:count] == MISSING_NS)
    return count > 0 and left.tolist() == sorted(newest.values())


def _reader(result: Result, name: str) -> Reader:
    """Return one subscriber's way, and what it missed."""
    want = next(w for w in world_of(result).wants if w.subscriber == name)
    deliveries, requests = result.columns("deliveries"), result.columns("requests")
    rows = rows_with_label(deliveries, "subscriber", name)
    started = deliveries["started_ns"][rows]
    begun = started != MISSING_NS
    at, last = step_last(started[begun], deliveries["offset"][rows][begun])
    after = np.flatnonzero(np.diff(last) > 1)
    jumps = (at[after + 1] / NS_PER_S, last[after] + 1, last[after + 1])
    (dealing,) = dealings_of(result, [want])
    mine = [
        number
        for number, sender in enumerate(requests.labels["sender"])
        if sender.startswith(f"member:{name}/")
    ]
    refused = requests["error"] == code(requests, "error", "OFFSET_OUT_OF_RANGE")
    return Reader(
        at_s=np.concatenate(([want.from_ns / NS_PER_S], at / NS_PER_S)),
        position=np.concatenate(([0], last + 1)),
        jumps=np.column_stack(jumps).astype(np.float64),
        resets=_resets(result.columns("assignments"), name),
        missed=int(np.count_nonzero(dealing.expired)),
        errors=int(np.count_nonzero(refused & np.isin(requests["sender"], mine))),
    )


def _resets(of: Table, name: str) -> Float64:
    """Return when a group of one member began again elsewhere, and where."""
    rows = np.flatnonzero(of["group"] == code(of, "group", name))
    rows = rows[np.argsort(of["since_ns"][rows], kind="stable")][1:]
    resets: Float64 = np.column_stack(
        (of["since_ns"][rows] / NS_PER_S, of["start_offset"][rows].astype(np.float64))
    )
    return resets


def _found(result: Result, name: str, rows: Int64) -> Found:
    """Return what a subscriber was given of what was written before it came.

    `rows` are those of the table `records` by offset.
    """
    want = next(w for w in world_of(result).wants if w.subscriber == name)
    records, deliveries = result.columns("records"), result.columns("deliveries")
    written = np.flatnonzero(records["appended_ns"][rows] <= want.from_ns)
    keys = records["key"][rows[written]].astype(np.int64)
    newest = np.full(len(records.labels["key"]), -1, dtype=np.int64)
    newest[keys] = written  # rising: the last one stays
    mine = rows_with_label(deliveries, "subscriber", name)
    given = np.intersect1d(deliveries["offset"][mine], written)
    lost = np.flatnonzero((newest >= 0) & ~np.isin(newest, given))
    return Found(
        at_s=want.from_ns / NS_PER_S,
        written=len(written),
        known=len(newest),
        keys=int(np.count_nonzero(newest >= 0)),
        offsets=given,
        key=keys[given],
        newest=np.isin(given, newest),
        lost=newest[lost],
        lost_key=lost,
    )
