"""From rows per poll to columns per hand-out, once, at the end of a run.

A poll's row says which offsets of a partition it returned and when work on the first of
them began; everything else follows from the work on each record.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kafkasim.engine.sim.laying import chunks, constant, spread
from kafkasim.engine.sim.survivors import Survivors
from kafkasim.protocol.producing.columns import ranges
from kafkasim.result.schema import OUTCOMES
from kafkasim.units import ENDLESS_NS, MISSING_NS

Ints = NDArray[np.int64]

POLL_DTYPE: Final = np.dtype(
    [
        ("group", "<i2"),
        ("member", "<i4"),
        ("partition", "<i4"),
        ("from_offset", "<i8"),
        ("to_offset", "<i8"),
        ("fetched_ns", "<i8"),
        ("started_ns", "<i8"),
        ("slowed", "<f8"),
        ("until_ns", "<i8"),
        ("crashed", "<i1"),
        ("cleaned", "<i4"),
    ]
)
"""A row of `polls`: `kafkasim.engine.sim.at_work.Returned`, packed; `cleaned` is the
number of the round of compaction after which the records were read, 0 for none."""

POLL_FORMAT: Final = "<hiiqqqqdqbi"


class Ghost(NamedTuple):
    """An append that readers could read before it was cut off again."""

    partition: int
    """Run-wide index."""
    append: np.void
    """Its row in `appends`."""
    rows: NDArray[np.int32]
    """Rows of its records."""


def deliveries(  # noqa: PLR0917
    polls: NDArray[np.void],
    topics: NDArray[np.int16],
    numbers: NDArray[np.int32],
    rows_at: NDArray[np.signedinteger],
    starts: Ints,
    work_ns: Sequence[Ints],
    *,
    again: bool,
    ghosts: Sequence[Ghost] = (),
    survivors_of: Callable[[int, int], Survivors | None] | None = None,
) -> dict[str, NDArray[Any]]:
    """Return the columns of `deliveries`.

    Parameters
    ----------
    polls : structured array of `POLL_DTYPE`
        What polls returned, in the order of writing.
    topics, numbers : int16 and int32 arrays of shape (partitions,)
        Topic and number of each partition of the run.
    rows_at, starts : int32 and int64 arrays
        From `RecordColumns.record_at`.
    work_ns : sequence of int64 array
        For each group the work of each record row, nanoseconds.
    again : bool
        Whether a group may have been given a record more than once.
    ghosts : sequence of Ghost
        What was read and is gone.
    survivors_of : callable, optional
        Takes a partition and a number in `cleaned`; returns what compaction had left
        then. Without it there was no compaction.
    """
    counts = polls["to_offset"] - polls["from_offset"]
    read = None
    if survivors_of is not None:
        read, counts = _left(polls, counts, survivors_of)
    columns = _by_record(polls, counts, read, rows_at, starts, work_ns, ghosts)
    total = len(columns["record_id"])
    columns |= {
        "subscriber": spread(polls["group"], counts),
        "member": spread(polls["member"], counts),
        "topic": spread(topics[polls["partition"]], counts),
        "partition": spread(numbers[polls["partition"]], counts),
        "fetched_ns": spread(polls["fetched_ns"], counts),
        "epoch": constant(1, total, np.int32),
    }
    columns["delivery_count"] = (
        _delivery_counts(columns["record_id"], columns["subscriber"])
        if again
        else constant(1, total, np.int16)
    )
    return columns


def _left(
    polls: NDArray[np.void],
    counts: Ints,
    survivors_of: Callable[[int, int], Survivors | None],
) -> tuple[Ints, Ints]:
    """Return the offsets that polls returned of compacted logs, and how many each."""
    offsets = ranges(polls["from_offset"], counts)
    begins = np.cumsum(counts) - counts
    log = polls["partition"].astype(np.int64) << 32 | polls["cleaned"]
    left = np.ones(len(offsets), np.bool_)
    for each in np.unique(log[polls["cleaned"] > 0]).tolist():
        survivors = survivors_of(each >> 32, each & 0xFFFF_FFFF)
        assert survivors is not None
        mine = np.flatnonzero(log == each)
        at = ranges(begins[mine], counts[mine])
        at = at[offsets[at] < survivors.end]
        left[at] = survivors.held[offsets[at]]
    poll = np.repeat(np.arange(len(polls)), counts)[left]
    return offsets[left], np.bincount(poll, minlength=len(polls))


def _by_record(  # noqa: PLR0917
    polls: NDArray[np.void],
    counts: Ints,
    read: Ints | None,
    rows_at: NDArray[np.signedinteger],
    starts: Ints,
    work_ns: Sequence[Ints],
    ghosts: Sequence[Ghost],
) -> dict[str, NDArray[Any]]:
    """Return those columns of all deliveries that differ from row to row.

    `read` has the offsets that polls returned, where that is not all of each range.
    """
    total = int(counts.sum())
    columns: dict[str, NDArray[Any]] = {
        "record_id": np.empty(total, np.int64),
        "offset": np.empty(total, np.int64),
        "started_ns": np.empty(total, np.int64),
        "ended_ns": np.empty(total, np.int64),
        "outcome": np.empty(total, np.int8),
    }
    at = 0
    for first, end in chunks(counts):
        here = counts[first:end]
        offset = (
            ranges(polls["from_offset"][first:end], here)
            if read is None
            else read[at : at + int(here.sum())]
        )
        some = _some_deliveries(
            polls[first:end], here, offset, rows_at, starts, work_ns, ghosts
        )
        part = slice(at, at + len(some["record_id"]))
        for name, column in some.items():
            columns[name][part] = column
        at = part.stop
    return columns


def _some_deliveries(  # noqa: PLR0917
    polls: NDArray[np.void],
    counts: Ints,
    offset: Ints,
    rows_at: NDArray[np.signedinteger],
    starts: Ints,
    work_ns: Sequence[Ints],
    ghosts: Sequence[Ghost],
) -> dict[str, NDArray[Any]]:
    """Return those columns of some polls' deliveries that differ from row to row."""
    places = offset + np.repeat(starts[polls["partition"]], counts)
    if ghosts:
        there = rows_at if len(rows_at) else np.zeros(1, rows_at.dtype)  # all were cut
        rows = there[np.minimum(places, len(there) - 1)]
        _put_ghosts(rows, ghosts, polls, counts, offset)
    else:
        rows = rows_at[places]
    if len(work_ns) == 1:
        work = work_ns[0][rows]
    else:
        group = np.repeat(polls["group"], counts)
        work = np.zeros(len(rows), np.int64)
        for code, column in enumerate(work_ns):
            mine = group == code
            work[mine] = column[rows[mine]]
    started, ended, outcome = poll_work(polls, counts, work)
    return {
        "record_id": rows,
        "offset": offset,
        "started_ns": started,
        "ended_ns": ended,
        "outcome": outcome,
    }


def _put_ghosts(
    rows: NDArray[np.signedinteger],
    ghosts: Sequence[Ghost],
    polls: NDArray[np.void],
    counts: Ints,
    offset: Ints,
) -> None:
    """Put records in place that were read at offsets at which others stand now."""
    partition = np.repeat(polls["partition"], counts)
    fetched_ns = np.repeat(polls["fetched_ns"], counts)
    for ghost in ghosts:
        base, cut_ns = ghost.append["base_offset"], ghost.append["truncated_ns"]
        read = (partition == ghost.partition) & (
            fetched_ns >= ghost.append["committed_ns"]
        )
        read &= (fetched_ns <= cut_ns) & (offset >= base)
        read &= offset < base + len(ghost.rows)
        rows[read] = ghost.rows[offset[read] - base]


def poll_work(
    polls: NDArray[np.void], counts: Ints, work_ns: Ints
) -> tuple[Ints, Ints, NDArray[np.int8]]:
    """Return when the work on each record that polls returned began and ended.

    Parameters
    ----------
    polls : structured array of `POLL_DTYPE`
        What polls returned.
    counts : int64 array of shape (polls,)
        Records of each.
    work_ns : int64 array of shape (records,)
        Work on each record, poll after poll, nanoseconds.

    Returns
    -------
    started_ns, ended_ns : int64 arrays of shape (records,)
        `MISSING_NS` where a crash or the run's end came before.
    outcome : int8 array of shape (records,)
        Codes into the schema's outcomes of `deliveries`.
    """
    total = np.cumsum(work_ns)
    before = (
        np.repeat((total - work_ns)[np.cumsum(counts) - counts], counts)
        if len(counts)
        else total
    )
    started = _later(polls, counts, total - work_ns - before)
    ended = _later(polls, counts, total - before)
    outcome, started, ended = _cut(polls, counts, started, ended)
    return started, ended, outcome


def _later(polls: NDArray[np.void], counts: Ints, work: Ints) -> Ints:
    """Return the start of each poll's work plus `work`, slowed where it was."""
    slowed = polls["slowed"]
    if (slowed != 1.0).any():
        factor = np.repeat(slowed, counts)
        longer = np.minimum(np.rint(work * factor), float(ENDLESS_NS))
        work = np.where(factor == 1.0, work, longer).astype(np.int64)
    return np.repeat(polls["started_ns"], counts) + work


def _cut(
    polls: NDArray[np.void], counts: Ints, started: Ints, ended: Ints
) -> tuple[NDArray[np.int8], Ints, Ints]:
    names = OUTCOMES["deliveries"]
    outcome = np.full(len(started), names.index("processed"), np.int8)
    until = np.repeat(polls["until_ns"], counts)
    unfinished = (until != MISSING_NS) & (ended > until)
    if unfinished.any():
        crashed = np.repeat(polls["crashed"] == 1, counts)
        outcome[unfinished & crashed] = names.index("abandoned")
        outcome[unfinished & ~crashed] = names.index("in_flight")
        ended = np.where(unfinished, MISSING_NS, ended)
        started = np.where(unfinished & (started > until), MISSING_NS, started)
    return outcome, started, ended


def _delivery_counts(rows: Ints, group: NDArray[np.int16]) -> NDArray[np.int16]:
    """Return which hand-out of its record to its group each row is, from 1."""
    if not len(rows):
        return np.zeros(0, np.int16)
    handed_out = rows * (int(group.max()) + 1) + group
    counts = np.bincount(handed_out)
    if counts.max() == 1:
        return np.ones(len(rows), np.int16)
    order = np.argsort(handed_out, kind="stable")
    ends = np.cumsum(counts[counts > 0])
    starts = np.repeat(ends - counts[counts > 0], counts[counts > 0])
    result = np.empty(len(rows), np.int16)
    result[order] = np.arange(len(rows)) - starts + 1
    return result
