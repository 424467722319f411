"""From rows per batch to columns per record, once, at the end of a run.

The event loop writes a row for a batch; everything that is per record follows from
ranges, prefix sums and the plan, and is laid out here by whole arrays.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.engine.sim.handing_over import SourceHandOver
from kafkasim.engine.sim.laying import CHUNK, chunks, constant
from kafkasim.engine.sim.live_records import LiveRecords
from kafkasim.engine.sim.producer import ProducerClient
from kafkasim.protocol.errors import MESSAGE_TOO_LARGE, REQUEST_TIMED_OUT
from kafkasim.protocol.producing.columns import ranges
from kafkasim.result.schema import OUTCOMES
from kafkasim.scenario.plan import Plan
from kafkasim.units import MISSING_NS

Ints = NDArray[np.int64]

_IN_FLIGHT: Final = OUTCOMES["records"].index("in_flight")


class RecordColumns:
    """The `records` table in the making: one row per planned record.

    A producer's batches of one partition are consecutive ranges of its append list, in
    the order of their numbers, so their counts say which records each holds. What a
    batch was split into stands in its place. What is the same for all records of a
    batch is looked up by the batch.

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
    handed : sequence of SourceHandOver
        By source.
    end_ns : int
        When the run ended: what was to be created later never was.
    live : mapping of int to LiveRecords
        By source, where its records were not all known before.
    """

    def __init__(  # noqa: PLR0917
        self,
        plan: Plan,
        batches: NDArray[np.void],
        appends: NDArray[np.void],
        lists: Sequence[Sequence[NDArray[np.int32]]],
        producers: Sequence[ProducerClient],
        handed: Sequence[SourceHandOver],
        end_ns: int,
        live: Mapping[int, LiveRecords],
    ) -> None:
        self._live = live
        sizes = [len(source.intended_ns) for source in plan.sources.values()]
        self._bases = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self.count = int(self._bases[-1])
        self._id_count = len(batches)
        batches, paths = _unsplit(batches)
        keys = [batches["producer"], batches["partition"], *paths]
        order = np.lexsort(keys[::-1])
        self._batches = batches[order]
        self._counts = self._batches["record_count"].astype(np.int64)
        self._starts = np.cumsum(self._counts) - self._counts
        self._rows = self._rows_of(lists)
        self.batch_index = np.full(self.count, -1, np.int32)
        self.columns = self._columns(self._batch_of_each(), appends, producers)
        self._lay_refused(producers, handed, end_ns)

    def _rows_of(
        self, lists: Sequence[Sequence[NDArray[np.int32]]]
    ) -> NDArray[np.int32]:
        """Return the rows of the records in the batches, batch after batch."""
        parts = [np.zeros(0, np.int32)]
        for source, partitions in enumerate(lists):
            mine = self._batches["producer"] == source
            used = np.bincount(
                self._batches["partition"][mine],
                self._counts[mine],
                minlength=len(partitions),
            )
            base = np.int32(self._bases[source])
            mine_in = [p[: int(end)] for p, end in zip(partitions, used, strict=True)]
            parts += [p + base for p in mine_in] if base else mine_in
        # New memory costs more than what is written into it: none for one list alone.
        parts = [part for part in parts if len(part)] or parts[:1]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _batch_of_each(self) -> NDArray[np.int32]:
        """Return of each record the row of its batch, −1 without one; number them."""
        found = np.full(self.count, -1, np.int32)
        number = np.arange(len(self._batches), dtype=np.int32)
        for first, end in chunks(self._counts):
            counts, starts = self._counts[first:end], self._starts[first:end]
            rows = self._rows[starts[0] : starts[-1] + counts[-1]]
            found[rows] = np.repeat(number[first:end], counts)
            place = np.arange(starts[0], starts[0] + len(rows))
            self.batch_index[rows] = place - np.repeat(starts, counts)
        return found

    def _columns(
        self,
        batch: NDArray[np.int32],
        appends: NDArray[np.void],
        producers: Sequence[ProducerClient],
    ) -> dict[str, NDArray[Any]]:
        """Lay what a batch knows over its records."""
        batches = self._batches
        number = batches["batch_id"]
        base_offset = np.full(self._id_count, -1, np.int64)
        appended_ns = np.full(self._id_count, MISSING_NS, np.int64)
        committed_ns = np.full(self._id_count, MISSING_NS, np.int64)
        left = appends[appends["truncated_ns"] == MISSING_NS]
        copies = np.bincount(left["batch_id"], minlength=self._id_count)[number]
        left = left[::-1]  # of a batch that is there twice the first one counts
        base_offset[left["batch_id"]] = left["base_offset"]
        appended_ns[left["batch_id"]] = left["appended_ns"]
        committed_ns[left["batch_id"]] = left["committed_ns"]
        base_offset = base_offset[number]
        there = base_offset >= 0
        acked_ns, outcome = self._answers(producers)
        values: dict[str, tuple[NDArray[Any], int]] = {
            "acked_ns": (acked_ns, MISSING_NS),
            "outcome": (outcome, _IN_FLIGHT),
            "batch_id": (number, -1),
            "send_count": (batches["attempts"], 0),
            "error": (batches["error"], -1),
            "log_copies": (copies.astype(np.int16), 0),
            "topic": (np.where(there, batches["topic"], np.int16(-1)), -1),
            "partition": (np.where(there, batches["partition"], np.int32(-1)), -1),
            "offset": (base_offset, 0),
            "appended_ns": (appended_ns[number], MISSING_NS),
            "committed_ns": (committed_ns[number], MISSING_NS),
        }
        whole = len(self._rows) == self.count
        columns = {
            name: _each(column, otherwise, batch, whole=whole)
            for name, (column, otherwise) in values.items()
        }
        if columns["offset"].flags.writeable:
            columns["offset"] += self.batch_index
        else:
            columns["offset"] = columns["offset"] + self.batch_index
        if not there.all():
            columns["offset"][columns["topic"] < 0] = -1
        return columns

    def _answers(
        self, producers: Sequence[ProducerClient]
    ) -> tuple[Ints, NDArray[np.int8]]:
        """Return when each batch was acknowledged, and the outcome of its records."""
        outcomes = OUTCOMES["records"]
        acked_ns = self._batches["acked_ns"].copy()
        done = acked_ns != MISSING_NS
        awaits = np.array([producer.awaits_answers for producer in producers], bool)
        told = awaits[self._batches["producer"]]
        outcome = np.full(len(acked_ns), _IN_FLIGHT, np.int8)
        outcome[done & told] = outcomes.index("acked")
        outcome[done & ~told] = outcomes.index("unacked")
        outcome[self._batches["error"] >= 0] = outcomes.index("failed")
        acked_ns[~told] = MISSING_NS
        return acked_ns, outcome

    def _lay_refused(
        self,
        producers: Sequence[ProducerClient],
        handed: Sequence[SourceHandOver],
        end_ns: int,
    ) -> None:
        """Say which records were never created and which the clients refused."""
        created = [source.created_ns for source in handed]
        times_ns = [each for each in created if each is not None]
        created_ns = (
            times_ns[0]
            if len(times_ns) == 1
            else np.concatenate([np.zeros(0, np.int64), *times_ns])
        )
        refused = self._rows_at([self._refused(*each) for each in enumerate(producers)])
        refused = refused[created_ns[refused] <= end_ns]
        timed_out = self._rows_at([np.array(s.failed, np.int64) for s in handed])
        if len(refused) or len(timed_out):
            self.columns["outcome"] = self.columns["outcome"].copy()
            self.columns["error"] = self.columns["error"].copy()
            for rows, error in (
                (refused, MESSAGE_TOO_LARGE),
                (timed_out, REQUEST_TIMED_OUT),
            ):
                self.columns["outcome"][rows] = OUTCOMES["records"].index("failed")
                self.columns["error"][rows] = error
        if any(len(each) and each.max() > end_ns for each in times_ns):
            created_ns = np.where(created_ns > end_ns, MISSING_NS, created_ns)
        self.columns["created_ns"] = created_ns
        self.columns["batch_index"] = self.batch_index

    def _refused(self, number: int, producer: ProducerClient) -> Ints:
        """Return the ordinals of what a client refused."""
        live = self._live.get(number)
        return producer.refused if live is None else live.ordinals_of(producer.refused)

    def _rows_at(self, ordinals: Sequence[Ints]) -> Ints:
        """Return the rows of some ordinals of each source."""
        parts = [mine + base for mine, base in zip(ordinals, self._bases, strict=False)]
        return np.concatenate([np.zeros(0, np.int64), *parts])

    def rows_of(self, append: np.void) -> NDArray[np.int32]:
        """Return the rows of the records of one append."""
        place = int(np.flatnonzero(self._batches["batch_id"] == append["batch_id"])[0])
        first = int(self._starts[place])
        return self._rows[first : first + int(self._counts[place])]

    def record_at(
        self, appends: NDArray[np.void], partition_index: Ints, partition_count: int
    ) -> tuple[NDArray[np.int32], Ints]:
        """Return which record stands at each offset of each partition.

        Parameters
        ----------
        appends : structured array
            Rows of the table that stayed in the log.
        partition_index : int64 array of shape (appends,)
            Run-wide index of each one's partition.
        partition_count : int
            Partitions of the run.

        Returns
        -------
        rows : int32 array
            Record rows, partition after partition, in offset order.
        starts : int64 array of shape (partition_count + 1,)
            Where each partition begins in `rows`.
        """
        order = np.lexsort((appends["base_offset"], partition_index))
        batch_row = np.empty(self._id_count, np.int64)
        batch_row[self._batches["batch_id"]] = np.arange(len(self._batches))
        batch = batch_row[appends["batch_id"][order]]
        counts = self._counts[batch]
        if np.array_equal(batch, np.arange(len(self._batches))):
            rows = self._rows  # as they stand
        else:
            rows = np.empty(int(counts.sum()), np.int32)
            at = 0
            for first, end in chunks(counts):
                places = ranges(self._starts[batch[first:end]], counts[first:end])
                rows[at : at + len(places)] = self._rows[places]
                at += len(places)
        lengths = np.bincount(
            partition_index, appends["record_count"], minlength=partition_count
        )
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        return rows, starts


def _unsplit(batches: NDArray[np.void]) -> tuple[NDArray[np.void], list[Ints]]:
    """Return the batches that were not split, and by what to order those of a list.

    A batch comes in the place of the one it was split from: by the number of the first
    of its line, then of that one's part, and so on.
    """
    ids, parents = batches["batch_id"], batches["parent_batch_id"]
    if not (parents >= 0).any():
        return batches, [ids]
    parent_of = np.full(len(batches), -1, np.int64)
    parent_of[ids] = parents
    left = batches[~np.isin(ids, parents)]
    above = [left["batch_id"].astype(np.int64)]
    while (above[-1] >= 0).any():
        above.append(np.where(above[-1] >= 0, parent_of[above[-1]], -1))
    depths = sum((each >= 0).astype(np.int64) for each in above)
    line = np.stack(above)
    columns = np.arange(len(left))
    return left, [line[depths - 1 - level, columns] for level in range(len(above) - 1)]


def _each(
    values: NDArray[Any], otherwise: int, batch: NDArray[np.int32], *, whole: bool
) -> NDArray[Any]:
    """Return the value of each record's batch, `otherwise` if it is in none.

    `whole` says that each is in one.
    """
    if whole and len(values) and (values == values[0]).all():
        return constant(int(values[0]), len(batch), values.dtype.type)
    # −1 looks up what stands last.
    table = np.append(values, values.dtype.type(otherwise))
    found = np.empty(len(batch), values.dtype)
    for start in range(0, len(batch), CHUNK):
        part = slice(start, start + CHUNK)
        np.take(table, batch[part], out=found[part], mode="wrap")
    return found
