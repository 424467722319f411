"""Batches whose keys and values are what they are: those of `__consumer_offsets`.

What producers send in a run is a range of a plan. What a coordinator writes is made
while the run goes on: here a batch holds its records as bytes, all of one millisecond
(`CoordinatorRuntime` gives the records of a batch the time of the append). Such batches
lie in the same `PlannedBatches`, are copied by the same followers and compacted by the
same cleaner; their sizes are exact.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from kafkasim.engine.sim.planned_batches import Deltas, Held, parts
from kafkasim.engine.sim.replica import contents_of
from kafkasim.log.batch_retention import CleaningView, emptied
from kafkasim.log.header import DELETE_HORIZON, HEADER_BYTES, BatchHeader
from kafkasim.log.partition_log import PartitionLog
from kafkasim.log.record_size import record_bytes
from kafkasim.protocol.producing.batch import Batch
from kafkasim.units import NS_PER_MS

KeyValue = tuple[bytes, bytes | None]
"""Key and value of a record; a value of None is a tombstone."""

NO_SOURCE: Final = -1
"""Stands for the source of a batch that none has sent."""


def newest_ns(batch: Batch) -> int:
    """Return when the last record of such a batch was created."""
    return batch.opened_ns


class LiteralBatch(Batch):
    """A batch of records as bytes.

    Parameters
    ----------
    partition, partition_index : int
        Number of the partition in its topic, and in the run.
    records : sequence of KeyValue
        In order.
    now_ns : int
        When it is appended.
    """

    __slots__ = ("records",)

    def __init__(
        self,
        partition: int,
        partition_index: int,
        records: Sequence[KeyValue],
        now_ns: int,
    ) -> None:
        size_bytes = HEADER_BYTES + records_bytes(records)
        super().__init__(NO_SOURCE, partition, 0, len(records), size_bytes, now_ns)
        self.partition_index = partition_index
        self.records = records


def records_bytes(records: Sequence[KeyValue], first: int = 0) -> int:
    """Return how large records are in a batch, the first of them at a place in it."""
    return sum(_record_bytes(delta, each) for delta, each in enumerate(records, first))


def _record_bytes(delta: int, record: KeyValue, later_ms: int = 0) -> int:
    key, value = record
    return record_bytes(delta, later_ms, len(key), -1 if value is None else len(value))


class LiteralFacts:
    """Looks into the batches of one partition; a `BatchFacts`."""

    def __init__(self) -> None:
        self._codes: dict[bytes, int] = {}

    def key_codes(self, batch: Batch, deltas: Deltas | None = None) -> Deltas:
        """Return numbers that stand for the records' keys."""
        codes = self._codes
        keys = (key for key, _ in self.records(batch, deltas))
        return np.array([codes.setdefault(key, len(codes)) for key in keys], np.int64)

    def value_bytes(self, batch: Batch, deltas: Deltas | None = None) -> Deltas:
        """Return the sizes of the records' values; −1 for a tombstone."""
        values = (value for _, value in self.records(batch, deltas))
        return np.array([-1 if v is None else len(v) for v in values], np.int64)

    def records(self, batch: Batch, deltas: Deltas | None = None) -> list[KeyValue]:
        """Return a batch's records, or those of them that are left."""
        assert isinstance(batch, LiteralBatch)
        if deltas is None:
            return list(batch.records)
        return [batch.records[delta] for delta in deltas]

    def header(self, batch: Batch, base_offset: int) -> BatchHeader:  # noqa: ARG002
        """Return the header of a batch as it was appended."""
        assert batch.header is not None
        return batch.header

    def timestamps_ms(self, batch: Batch, deltas: Deltas | None) -> Deltas:
        """Return the records' timestamps: all the same."""
        count = batch.hi if deltas is None else len(deltas)
        return np.full(count, batch.opened_ns // NS_PER_MS, np.int64)

    def cleaning_view(self, batch: Batch, deltas: Deltas | None) -> CleaningView:
        """Return the records' keys, and which are tombstones."""
        records = self.records(batch, deltas)
        return CleaningView(
            offset_deltas=range(len(records)) if deltas is None else deltas.tolist(),
            keys=[key for key, _ in records],
            has_value=[value is not None for _, value in records],
        )

    def retained(
        self,
        batch: Batch,
        deltas: Deltas,
        header: BatchHeader,
        delete_horizon_ms: int | None,
    ) -> BatchHeader:
        """Return the header of a batch when some records are left of it.

        As `PlanFacts.retained`.
        """
        if not len(deltas):
            return emptied(header)
        created_ms = batch.opened_ns // NS_PER_MS
        base_ms = created_ms if delete_horizon_ms is None else delete_horizon_ms
        left = zip(deltas.tolist(), self.records(batch, deltas), strict=True)
        attributes = header.attributes
        if delete_horizon_ms is not None:
            attributes |= DELETE_HORIZON
        return header._replace(
            size_bytes=HEADER_BYTES
            + sum(
                _record_bytes(delta, each, created_ms - base_ms) for delta, each in left
            ),
            attributes=attributes,
            base_timestamp_ms=base_ms,
            max_timestamp_ms=created_ms,
            record_count=len(deltas),
        )


def records_in(log: PartitionLog[Held]) -> Iterator[KeyValue]:
    """Yield the records that are in a log of such batches, from its start on."""
    facts = LiteralFacts()
    start = log.log_start_offset
    for segment in log.segments:
        batches = contents_of(segment)
        for base, held in zip(batches.base_offsets, batches.batches, strict=True):
            assert held is not None
            batch, deltas = parts(held)
            places = range(batch.hi) if deltas is None else deltas.tolist()
            for delta, record in zip(places, facts.records(batch, deltas), strict=True):
                if base + delta >= start:
                    yield record
