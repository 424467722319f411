"""Writes a run's logs as real folders, as a broker leaves them after a clean stop.

A run's segments hold batches without bytes. Here the bytes of each segment are made in
one pass and go through the same `Segment` into a folder; what a broker keeps beside the
batches follows from them when the folder is opened. Keys are those of the scenario,
values a text that says which record it is (`kafkasim.log.payload`).
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kafkasim.engine.sim.literal_batches import KeyValue, LiteralFacts
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.plan_facts import KeyCodes, PlanFacts
from kafkasim.engine.sim.planned_batches import Held, PlannedBatches, parts
from kafkasim.engine.sim.replica import LogSegment, Replica, contents_of
from kafkasim.log import checkpoints
from kafkasim.log.columns import Blob, Columns
from kafkasim.log.contents import ByteBatch
from kafkasim.log.gather import encode_batches
from kafkasim.log.header import NO_TIMESTAMP, unpack_header
from kafkasim.log.partition_log import PartitionLog
from kafkasim.log.payload import payload
from kafkasim.log.segment import Segment
from kafkasim.log.store import FolderStore
from kafkasim.protocol.topic_ids import made_id
from kafkasim.scenario.plan import Plan

Ints = NDArray[np.int64]


def write_logs(
    folder: Path, topics: Sequence[str], logs: Sequence["RunLog"], now_ms: int
) -> None:
    """Write the logs of a run that is over.

    Parameters
    ----------
    folder : Path
        Gets a log directory `broker-N` for each broker; they must not be there.
    topics : sequence of str
        Names by code.
    logs : sequence of RunLog
        One for each copy of a partition.
    now_ms : int
        When the run ended, since 1970.
    """
    cluster = made_id(" ".join(topics))
    for broker in sorted({log.replica.node for log in logs}):
        directory = folder / f"broker-{broker + 1}"
        mine = [log for log in logs if log.replica.node == broker]
        ends: dict[tuple[str, int], int] = {}
        marks: dict[tuple[str, int], int] = {}
        starts: dict[tuple[str, int], int] = {}
        clean: dict[tuple[str, int], int] = {}
        for log in mine:
            partition = log.partition
            topic = topics[partition.topic]
            log.write(directory / f"{topic}-{partition.number}", topic, now_ms)
            name = topic, partition.number
            mine_log = log.replica.log
            ends[name] = mine_log.log_end_offset
            marks[name] = mine_log.high_watermark
            if mine_log.log_start_offset:
                starts[name] = mine_log.log_start_offset
            if mine_log.first_dirty_offset is not None:
                clean[name] = mine_log.first_dirty_offset
        for file, offsets in (
            (checkpoints.RECOVERY_POINTS, ends),
            (checkpoints.HIGH_WATERMARKS, marks),
            (checkpoints.LOG_STARTS, starts),
            (checkpoints.CLEANER_OFFSETS, clean),
        ):
            (directory / file).write_text(checkpoints.offsets_text(offsets))
        node = made_id(f"{cluster} {broker}")
        text = checkpoints.meta_properties_text(cluster, broker + 1, node)
        (directory / checkpoints.META_PROPERTIES).write_text(text)
        text = checkpoints.clean_shutdown_text()
        (directory / checkpoints.CLEAN_SHUTDOWN).write_text(text)


def run_logs(
    plan: Plan,
    partitions: Sequence[Partition],
    facts: Sequence[PlanFacts | LiteralFacts],
    epoch_ms: int,
    record_ids: Sequence[Ints] | None = None,
) -> list["RunLog"]:
    """Return the logs of a run.

    Parameters
    ----------
    plan : Plan
        Its records.
    partitions : sequence of Partition
        Of the run.
    facts : sequence of PlanFacts or LiteralFacts
        One for each partition.
    epoch_ms : int
        When the run started, since 1970.
    record_ids : sequence of int64 array, optional
        By source, the record that the value of each of its records is made of; its own
        one after the other if not given.
    """
    plans = list(plan.sources.values())
    counts = [len(source.intended_ns) for source in plans]
    if record_ids is None:
        firsts = [sum(counts[:place]) for place in range(len(counts))]
        ids = zip(firsts, counts, strict=True)
        record_ids = [first + np.arange(count, dtype=np.int64) for first, count in ids]
    codes = KeyCodes(plans)
    logs: list[RunLog] = []
    for partition, each in zip(partitions, facts, strict=True):
        for replica in partition.replicas.values():
            if isinstance(each, LiteralFacts):
                logs.append(RunLog(replica, partition, LiteralRecords(each), epoch_ms))
            else:
                planned = PlannedRecords(each, codes, record_ids)
                logs.append(RunLog(replica, partition, planned, epoch_ms))
    return logs


class Records(Protocol):
    """What is known of the records in a log."""

    def columns(
        self, held: Sequence[Held]
    ) -> tuple[list[Ints], Blob, Blob, list[Ints]]:
        """Return of batches the times, the keys, the values and the offset deltas.

        Times in milliseconds since the run's start and deltas are by batch.
        """


class PlannedRecords:
    """Records of the plan.

    Parameters
    ----------
    facts : PlanFacts
        What the batches hold, in times since the run's start.
    codes : KeyCodes
        The run's keys.
    record_ids : sequence of int64 array
        By source, what the value of each of its records is made of.
    """

    def __init__(
        self, facts: PlanFacts, codes: KeyCodes, record_ids: Sequence[Ints]
    ) -> None:
        self._facts = facts
        self._keys = Blob.of([*codes.keys, None])
        self._record_ids = record_ids

    def columns(
        self, held: Sequence[Held]
    ) -> tuple[list[Ints], Blob, Blob, list[Ints]]:
        """Return times, keys, values and offset deltas, as `Records.columns`."""
        facts, record_ids = self._facts, self._record_ids
        times_ms, codes, sizes, records, deltas = [], [], [], [], []
        for each in held:
            batch, left = parts(each)
            stays = left is None  # compaction writes the times that readers see
            times = facts.created_ms if stays else facts.timestamps_ms
            times_ms.append(times(batch, left))
            codes.append(facts.key_codes(batch, left))
            sizes.append(facts.value_bytes(batch, left))
            mine = record_ids[batch.source_index]
            records.append(mine[facts.ordinals(batch, left)])
            deltas.append(np.arange(batch.hi - batch.lo) if left is None else left)
        keys = self._keys.take(np.concatenate(codes))
        values = payload(np.concatenate(records), np.concatenate(sizes))
        return times_ms, keys, values, deltas


class LiteralRecords:
    """Records that are bytes already.

    Parameters
    ----------
    facts : LiteralFacts
        What the batches hold.
    """

    def __init__(self, facts: LiteralFacts) -> None:
        self._facts = facts

    def columns(
        self, held: Sequence[Held]
    ) -> tuple[list[Ints], Blob, Blob, list[Ints]]:
        """Return times, keys, values and offset deltas, as `Records.columns`."""
        facts = self._facts
        times_ms, deltas = [], []
        records: list[KeyValue] = []
        for each in held:
            batch, left = parts(each)
            times_ms.append(facts.timestamps_ms(batch, left))
            deltas.append(np.arange(batch.hi) if left is None else left)
            records += facts.records(batch, left)
        keys = Blob.of(key for key, _ in records)
        return times_ms, keys, Blob.of(value for _, value in records), deltas


class RunLog:
    """One copy of a partition, and how to write it.

    Parameters
    ----------
    replica, partition : Replica and Partition
        The copy, and of what.
    records : Records
        What its batches hold.
    epoch_ms : int
        When the run started, since 1970.
    """

    def __init__(
        self,
        replica: Replica,
        partition: Partition,
        records: Records,
        epoch_ms: int,
    ) -> None:
        self.replica = replica
        self.partition = partition
        self._records = records
        self._epoch_ms = epoch_ms

    def write(self, folder: Path, topic: str, now_ms: int) -> None:
        """Write its segments, then open them as a broker does after a crash.

        So all that is kept beside the batches is made of them; and stop cleanly. Only
        where an epoch began may be in no batch any more.
        """
        mine, store = self.replica.log, FolderStore(folder)
        for segment in mine.segments:
            self._write_segment(store, segment)
        log: PartitionLog[ByteBatch] = PartitionLog(
            store,
            self.partition.config,
            now_ms=now_ms,
            log_start_offset=mine.log_start_offset,
            topic_id=made_id(topic),
        )
        log.advance_high_watermark(mine.high_watermark)
        log.close()
        epochs = checkpoints.leader_epochs_text(mine.leader_epochs.entries)
        store.replace(checkpoints.LEADER_EPOCHS, epochs.encode())

    def _write_segment(self, store: FolderStore, segment: LogSegment) -> None:
        made_ms = segment.created_ms + self._epoch_ms
        config = self.partition.config
        written = Segment(store, segment.base_offset, config, made_ms)
        batches = contents_of(segment)
        if batches.batches:
            data, positions = encode_batches(self._columns(batches))
            view = data.data
            for start, end in pairwise(positions.tolist()):
                written.append(unpack_header(view, start), view[start:end])
        written.flush()
        written.close()

    def _columns(self, batches: PlannedBatches) -> Columns:
        """Return the records of a segment, and what the headers of its batches say."""
        held = [batches.at(position) for position in batches.positions[:-1]]
        times_ms, keys, values, deltas = self._records.columns(held)
        counts = np.array([len(part) for part in times_ms], np.int64)
        headers = [header for _, header in batches.headers()]
        horizons = [_or_none(header.delete_horizon_ms) for header in headers]
        largest = np.array([header.max_timestamp_ms for header in headers])
        stamped = np.array([header.is_log_append_time for header in headers])
        return Columns(
            timestamps_ms=np.concatenate(times_ms) + self._epoch_ms,
            keys=keys,
            values=values,
            batch_starts=np.concatenate([[0], np.cumsum(counts)]),
            offset_deltas=np.concatenate(deltas),
            last_offset_deltas=np.array([h.last_offset_delta for h in headers]),
            base_offsets=np.array(batches.base_offsets),
            leader_epochs=np.array([h.leader_epoch for h in headers]),
            producer_ids=np.array([h.producer_id for h in headers]),
            producer_epochs=np.array([h.producer_epoch for h in headers]),
            base_sequences=np.array([h.base_sequence for h in headers]),
            delete_horizons_ms=self._since_1970(np.array(horizons)),
            max_timestamps_ms=self._since_1970(largest),
            log_append_times_ms=self._since_1970(np.where(stamped, largest, -1)),
        )

    def _since_1970(self, times_ms: Ints) -> Ints:
        return np.where(times_ms < 0, NO_TIMESTAMP, times_ms + self._epoch_ms)


def _or_none(time_ms: int | None) -> int:
    return NO_TIMESTAMP if time_ms is None else time_ms
