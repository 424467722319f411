"""From rows per batch and per poll to columns per record, once, at the end of a run.

The event loop writes a row for a batch and for a poll; everything that is per record
follows from ranges, prefix sums and the plan, and is laid out here by whole arrays.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.engine.sim.producer import ProducerClient
from kafkasim.protocol.columns import ranges
from kafkasim.result.schema import OUTCOMES
from kafkasim.scenario.plan import Plan
from kafkasim.units import MISSING_NS

Ints = NDArray[np.int64]

ERRORS: Final = ("MESSAGE_TOO_LARGE",)
"""Labels of `records.error`."""

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
    ]
)
"""A row of `polls`: `kafkasim.engine.sim.consumer.Returned`, packed."""

POLL_FORMAT: Final = "<hiiqqqqdqb"


class RecordColumns:
    """The `records` table in the making: one row per planned record."""

    def __init__(self, plan: Plan) -> None:
        sizes = [len(source.intended_ns) for source in plan.sources.values()]
        self.bases = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        count = int(self.bases[-1])
        self.count = count
        intended = [source.intended_ns for source in plan.sources.values()]
        self.created_ns = np.concatenate([np.zeros(0, np.int64), *intended])
        self.acked_ns = np.full(count, MISSING_NS, np.int64)
        self.appended_ns = np.full(count, MISSING_NS, np.int64)
        self.error = np.full(count, -1, np.int8)
        self.outcome = np.full(count, OUTCOMES["records"].index("in_flight"), np.int8)
        self.batch_id = np.full(count, -1, np.int64)
        self.batch_index = np.full(count, -1, np.int32)
        self.sent = np.zeros(count, np.int16)
        self.topic = np.full(count, -1, np.int16)
        self.partition = np.full(count, -1, np.int32)
        self.offset = np.full(count, -1, np.int64)

    def fill(
        self,
        batches: NDArray[np.void],
        appends: NDArray[np.void],
        lists: Sequence[Sequence[NDArray[np.int32]]],
        producers: Sequence[ProducerClient],
        end_ns: int,
    ) -> None:
        """Lay the batches over the records.

        A producer's batches of one partition are consecutive ranges of its append list,
        in the order of their numbers, so their counts say which records each holds.

        Parameters
        ----------
        batches, appends : structured arrays
            Rows of the tables, every batch that was made among them.
        lists : sequence of sequence of int32 array
            For each source the append list of each partition of its topic.
        producers : sequence of ProducerClient
            By source.
        end_ns : int
            When the run ended: what was to be created later never was.
        """
        names = ("producer", "partition", "batch_id")
        order = np.lexsort([batches[name] for name in reversed(names)])
        batches = batches[order]
        base_offset = np.full(len(batches), -1, np.int64)
        appended_ns = np.full(len(batches), MISSING_NS, np.int64)
        base_offset[appends["batch_id"]] = appends["base_offset"]
        appended_ns[appends["batch_id"]] = appends["appended_ns"]
        for source, producer in enumerate(producers):
            mine = batches[batches["producer"] == source]
            if len(mine):
                number = mine["batch_id"]
                self._fill_source(
                    mine,
                    base_offset[number],
                    appended_ns[number],
                    source,
                    lists[source],
                )
            self._fill_outcome(source, producer, end_ns)
        self.created_ns[self.created_ns > end_ns] = MISSING_NS

    def _fill_outcome(self, source: int, producer: ProducerClient, end_ns: int) -> None:
        """Say what became of a source's records at its client."""
        outcomes = OUTCOMES["records"]
        mine = slice(self.bases[source], self.bases[source + 1])
        done = self.acked_ns[mine] != MISSING_NS
        if producer.awaits_answers:
            self.outcome[mine][done] = outcomes.index("acked")
        else:
            self.outcome[mine][done] = outcomes.index("unacked")
            self.acked_ns[mine] = MISSING_NS
        refused = self.bases[source] + producer.refused
        refused = refused[self.created_ns[refused] <= end_ns]
        self.outcome[refused] = outcomes.index("failed")
        self.error[refused] = ERRORS.index("MESSAGE_TOO_LARGE")

    def _fill_source(
        self,
        batches: NDArray[np.void],
        base_offset: Ints,
        appended_ns: Ints,
        source: int,
        lists: Sequence[NDArray[np.int32]],
    ) -> None:
        """Lay one source's batches, by partition and number, over its records."""
        counts = batches["record_count"].astype(np.int64)
        used = np.bincount(batches["partition"], counts, minlength=len(lists))
        ordinals = [part[: int(end)] for part, end in zip(lists, used, strict=True)]
        rows = np.concatenate(ordinals) + self.bases[source]
        index = ranges(np.zeros(len(batches), np.int64), counts)
        self.batch_index[rows] = index
        self.batch_id[rows] = np.repeat(batches["batch_id"], counts)
        self.acked_ns[rows] = np.repeat(batches["acked_ns"], counts)
        self.appended_ns[rows] = np.repeat(appended_ns, counts)
        self.sent[rows] = np.repeat(batches["sent_ns"] != MISSING_NS, counts)
        offsets = np.repeat(base_offset, counts)
        there = offsets >= 0
        self.offset[rows] = np.where(there, offsets + index, -1)
        self.topic[rows] = np.where(there, np.repeat(batches["topic"], counts), -1)
        partitions = np.repeat(batches["partition"], counts)
        self.partition[rows] = np.where(there, partitions, -1)


def record_at(
    partition_index: Ints, offset: Ints, ends: Ints
) -> tuple[NDArray[np.int64], Ints]:
    """Return which record stands at each offset of each partition.

    Parameters
    ----------
    partition_index, offset : int64 arrays
        Of each record, by row; -1 where it is in no log.
    ends : int64 array
        Log end offset of each partition of the run.

    Returns
    -------
    rows : int64 array
        Record rows, partition after partition, in offset order.
    starts : int64 array
        Where each partition begins in `rows`.
    """
    starts = np.concatenate([[0], np.cumsum(ends)])
    rows = np.full(int(starts[-1]), -1, np.int64)
    there = np.flatnonzero(offset >= 0)
    rows[starts[partition_index[there]] + offset[there]] = there
    return rows, starts


def deliveries(
    polls: NDArray[np.void], rows_at: Ints, starts: Ints, work_ns: Sequence[Ints]
) -> dict[str, NDArray[np.generic]]:
    """Return the columns of `deliveries` that follow from the polls.

    Parameters
    ----------
    polls : structured array of `POLL_DTYPE`
        What polls returned, in the order of writing.
    rows_at, starts : int64 arrays
        From `record_at`.
    work_ns : sequence of int64 array
        For each group the work of each record row, nanoseconds.
    """
    first = polls["from_offset"]
    counts = polls["to_offset"] - first
    rows = rows_at[ranges(starts[polls["partition"]] + first, counts)]
    group = np.repeat(polls["group"], counts)
    work = np.zeros(len(rows), np.int64)
    for code, column in enumerate(work_ns):
        mine = group == code
        work[mine] = column[rows[mine]]
    started, ended, outcome = poll_work(polls, counts, work)
    return {
        "record_id": rows,
        "subscriber": group,
        "member": np.repeat(polls["member"], counts),
        "offset": ranges(first, counts),
        "epoch": np.ones(len(rows), np.int32),
        "delivery_count": _delivery_counts(rows, group),
        "fetched_ns": np.repeat(polls["fetched_ns"], counts),
        "started_ns": started,
        "ended_ns": ended,
        "outcome": outcome,
        "poll": np.repeat(np.arange(len(polls)), counts),
    }


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
        work = np.where(factor == 1.0, work, np.rint(work * factor)).astype(np.int64)
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
