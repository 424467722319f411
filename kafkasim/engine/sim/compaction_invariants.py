"""What must hold of the copies of a compacted topic: each is compacted on its own."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kafkasim.engine.sim.calendar import Calendar
from kafkasim.engine.sim.literal_batches import LiteralFacts
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.plan_facts import PlanFacts
from kafkasim.engine.sim.planned_batches import offsets_in
from kafkasim.engine.sim.replica import Replica, contents_of
from kafkasim.units import NS_PER_MS


class _Newest(NamedTuple):
    """The newest committed record of each key of a partition, one column each."""

    offsets: NDArray[np.int64]
    tombstones: NDArray[np.bool_]
    appended_ns: NDArray[np.int64]


class NewestOfEachKey:
    """Compaction takes the newest committed record of a key from no copy.

    Unless it is a tombstone whose time is over, or the copy does not reach so far
    (LG-17, LG-18, LG-22). Where an unclean election has cut a log off, a copy that was
    compacted before may have lost an older record, which is the newest again then.

    Parameters
    ----------
    partitions : sequence of Partition
        By index.
    facts : sequence of PlanFacts or LiteralFacts
        What their batches hold.
    calendar : Calendar
        Knows the time.
    """

    rule = "newest of each key"

    def __init__(
        self,
        partitions: Sequence[Partition],
        facts: Sequence[PlanFacts | LiteralFacts],
        calendar: Calendar,
    ) -> None:
        self._partitions = [p for p in partitions if p.config.compacts]
        self._facts = facts
        self._calendar = calendar
        self._seen: dict[tuple[int, int], object] = {}

    def broken(self) -> Iterator[tuple[str, str]]:
        """Look at the copies that were compacted since the last look."""
        for partition in self._partitions:
            newest: _Newest | None = None
            for node, replica in partition.replicas.items():
                log = replica.log
                state = log.first_dirty_offset, len(log.segments), len(replica.removed)
                key = partition.index, node
                if self._seen.get(key) == state:
                    continue
                self._seen[key] = state
                if partition.config.unclean_leader_election_enable and partition.cuts:
                    continue
                if newest is None:
                    newest = self._newest(partition)
                for offset in self._missing(partition, replica, newest)[:1]:
                    where = f"topic {partition.topic} partition {partition.number}"
                    yield f"{where}, broker {node + 1}", f"lacks offset {offset}"

    def _newest(self, partition: Partition) -> _Newest:
        """Return the newest record of each key below the high watermark."""
        facts = self._facts[partition.index]
        found: dict[int, tuple[int, bool, int]] = {}
        end = partition.log.high_watermark
        for base, batch in zip(partition.base_offsets, partition.batches, strict=True):
            if base >= end:
                break
            keys = facts.key_codes(batch).tolist()
            sizes = facts.value_bytes(batch).tolist()
            for number, (key, size) in enumerate(zip(keys, sizes, strict=True)):
                found[key] = base + number, size < 0, batch.appended_ns
        rows = list(found.values())
        return _Newest(
            np.array([row[0] for row in rows], np.int64),
            np.array([row[1] for row in rows], np.bool_),
            np.array([row[2] for row in rows], np.int64),
        )

    def _missing(
        self, partition: Partition, replica: Replica, newest: _Newest
    ) -> list[int]:
        """Return offsets that a copy should hold and does not."""
        log = replica.log
        begin = max(log.log_start_offset, log.segments[0].base_offset)
        wanted = (newest.offsets >= begin) & (newest.offsets < log.log_end_offset)
        kept_ms = partition.config.delete_retention_ms
        since_ns = self._calendar.now_ns - newest.appended_ns
        over = newest.tombstones & (since_ns // NS_PER_MS >= kept_ms)
        held = [offsets_in(contents_of(segment)) for segment in log.segments]
        there = np.isin(newest.offsets, np.concatenate(held))
        missing: list[int] = newest.offsets[wanted & ~over & ~there].tolist()
        return missing
