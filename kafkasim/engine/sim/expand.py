"""From rows per batch and per poll to columns per record, once, at the end of a run.

The event loop writes a row for a batch and for a poll; everything that is per record
follows from ranges, prefix sums and the plan, and is laid out here by whole arrays.
"""

from collections.abc import Sequence
from typing import Any, Final

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
    """The `records` table in the making: one row per planned record.

    A producer's batches of one partition are consecutive ranges of its append list, in
    the order of their numbers, so their counts say which records each holds. What is
    the same for all records of a batch is looked up by the batch.

    Parameters
    ----------
    plan : Plan
        What was to happen.
    batches, appends : structured arrays
        Rows of the tables, every batch that was made among them.
    lists : sequence of sequence of int32 array
        For each source the append list of each partition of its topic.
    producers : sequence of ProducerClient
        By source.
    end_ns : int
        When the run ended: what was to be created later never was.
    """

    def __init__(  # noqa: PLR0917
        self,
        plan: Plan,
        batches: NDArray[np.void],
        appends: NDArray[np.void],
        lists: Sequence[Sequence[NDArray[np.int32]]],
        producers: Sequence[ProducerClient],
        end_ns: int,
    ) -> None:
        sizes = [len(source.intended_ns) for source in plan.sources.values()]
        self._bases = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self.count = int(self._bases[-1])
        names = ("producer", "partition", "batch_id")
        order = np.lexsort([batches[name] for name in reversed(names)])
        self._batches = batches[order]
        self._counts = self._batches["record_count"].astype(np.int64)
        self._starts = np.cumsum(self._counts) - self._counts
        self._rows = self._rows_of(lists)
        self._batch = np.full(self.count, -1, np.int32)
        """Of each record, the row of its batch; −1 picks what follows the last row."""
        self.batch_index = np.full(self.count, -1, np.int32)
        number = np.arange(len(self._batches), dtype=np.int32)
        self._batch[self._rows] = np.repeat(number, self._counts)
        index = np.arange(len(self._rows)) - np.repeat(self._starts, self._counts)
        self.batch_index[self._rows] = index
        del index
        self._lay_batches(appends)
        self._lay_outcomes(plan, producers, end_ns)

    def _rows_of(self, lists: Sequence[Sequence[NDArray[np.int32]]]) -> Ints:
        """Return the rows of the records in the batches, batch after batch."""
        parts = [np.zeros(0, np.int64)]
        for source, partitions in enumerate(lists):
            mine = self._batches["producer"] == source
            used = np.bincount(
                self._batches["partition"][mine],
                self._counts[mine],
                minlength=len(partitions),
            )
            ordinals = [p[: int(end)] for p, end in zip(partitions, used, strict=True)]
            parts.append(np.concatenate(ordinals) + self._bases[source])
        return np.concatenate(parts)

    def _lay_batches(self, appends: NDArray[np.void]) -> None:
        """Lay what a batch knows over its records."""
        batches = self._batches
        number = batches["batch_id"]
        base_offset = np.full(len(batches), -1, np.int64)
        appended_ns = np.full(len(batches), MISSING_NS, np.int64)
        base_offset[appends["batch_id"]] = appends["base_offset"]
        appended_ns[appends["batch_id"]] = appends["appended_ns"]
        base_offset = base_offset[number]
        there = base_offset >= 0
        self.batch_id = self._each(number, -1)
        self.acked_ns = self._each(batches["acked_ns"], MISSING_NS)
        self.appended_ns = self._each(appended_ns[number], MISSING_NS)
        self.sent = self._each((batches["sent_ns"] != MISSING_NS).astype(np.int16), 0)
        self.log_copies = self._each(there.astype(np.int16), 0)
        self.topic = self._each(np.where(there, batches["topic"], np.int16(-1)), -1)
        self.partition = self._each(
            np.where(there, batches["partition"], np.int32(-1)), -1
        )
        self.offset = self._each(base_offset, 0)
        self.offset += self.batch_index
        if not there.all():
            self.offset[self.topic < 0] = -1

    def _each(self, values: NDArray[Any], otherwise: int) -> NDArray[Any]:
        """Return the value of each record's batch, `otherwise` if it is in none."""
        return np.append(values, values.dtype.type(otherwise))[self._batch]

    def _lay_outcomes(
        self, plan: Plan, producers: Sequence[ProducerClient], end_ns: int
    ) -> None:
        """Say what became of the records at their clients."""
        intended = [source.intended_ns for source in plan.sources.values()]
        self.created_ns = (
            intended[0]
            if len(intended) == 1
            else np.concatenate([np.zeros(0, np.int64), *intended])
        )
        outcomes = OUTCOMES["records"]
        self.outcome = np.full(self.count, outcomes.index("in_flight"), np.int8)
        self.error = np.full(self.count, -1, np.int8)
        for source, producer in enumerate(producers):
            mine = slice(self._bases[source], self._bases[source + 1])
            done = self.acked_ns[mine] != MISSING_NS
            if producer.awaits_answers:
                self.outcome[mine][done] = outcomes.index("acked")
            else:
                self.outcome[mine][done] = outcomes.index("unacked")
                self.acked_ns[mine] = MISSING_NS
            refused = self._bases[source] + producer.refused
            refused = refused[self.created_ns[refused] <= end_ns]
            self.outcome[refused] = outcomes.index("failed")
            self.error[refused] = ERRORS.index("MESSAGE_TOO_LARGE")
        never = self.created_ns > end_ns
        if never.any():
            self.created_ns = np.where(never, MISSING_NS, self.created_ns)

    def record_at(
        self, appends: NDArray[np.void], partition_index: Ints, partition_count: int
    ) -> tuple[Ints, Ints]:
        """Return which record stands at each offset of each partition.

        Parameters
        ----------
        appends : structured array
            Rows of the table, in the order of appending.
        partition_index : int64 array of shape (appends,)
            Run-wide index of each one's partition.
        partition_count : int
            Partitions of the run.

        Returns
        -------
        rows : int64 array
            Record rows, partition after partition, in offset order.
        starts : int64 array of shape (partition_count + 1,)
            Where each partition begins in `rows`.
        """
        order = np.argsort(partition_index, kind="stable")
        batch_row = np.empty(len(self._batches), np.int64)
        batch_row[self._batches["batch_id"]] = np.arange(len(self._batches))
        batch = batch_row[appends["batch_id"][order]]
        rows = self._rows[ranges(self._starts[batch], self._counts[batch])]
        lengths = np.bincount(
            partition_index, appends["record_count"], minlength=partition_count
        )
        return rows, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def deliveries(
    polls: NDArray[np.void],
    rows_at: Ints,
    starts: Ints,
    work_ns: Sequence[Ints],
    *,
    again: bool,
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
    again : bool
        Whether a group may have been given a record more than once.
    """
    first = polls["from_offset"]
    counts = polls["to_offset"] - first
    rows = rows_at[ranges(starts[polls["partition"]] + first, counts)]
    group = np.repeat(polls["group"], counts)
    if len(work_ns) == 1:
        work = work_ns[0][rows]
    else:
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
        "epoch": constant(1, len(rows), np.int32),
        "delivery_count": _delivery_counts(rows, group)
        if again
        else constant(1, len(rows), np.int16),
        "fetched_ns": np.repeat(polls["fetched_ns"], counts),
        "started_ns": started,
        "ended_ns": ended,
        "outcome": outcome,
        "partition": np.repeat(polls["partition"], counts),
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


def constant(value: int, count: int, dtype: type[np.signedinteger]) -> NDArray[Any]:
    """Return a column that says the same in every row, and takes no memory."""
    return np.broadcast_to(dtype(value), count)
