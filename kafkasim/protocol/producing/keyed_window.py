"""The records that a keyed accumulator holds: a window, partition after partition.

A record's place is its position in the window. Those that nobody needs any more are let
go when the next block is sorted in.
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.log.batch_size import RangeSizes, ints
from kafkasim.protocol.producing.accumulator import (
    Settings,
    WorkOf,
    count_surely_fit,
    running_sums,
)
from kafkasim.protocol.producing.batch import NEVER, Batch
from kafkasim.protocol.producing.careful import CarefulAccumulator
from kafkasim.protocol.producing.columns import (
    Keeper,
    RecordBlocks,
    RecordColumns,
    columns_of,
    partition_order,
    ranges,
)
from kafkasim.protocol.producing.memory_watch import MemoryWatch, memory_of

UNKNOWN: Final = NEVER + 1
"""The time at which a head is full was not computed."""


class KeyedWindow(CarefulAccumulator):
    """The part of a keyed accumulator that holds its records.

    Parameters
    ----------
    settings : Settings
        Configuration and cluster.
    blocks : RecordBlocks
        The records; none of them is `STICKY`.
    keeper : Keeper or None
        Says what is still needed; without one everything is kept.
    """

    def __init__(
        self, settings: Settings, blocks: RecordBlocks, keeper: Keeper | None
    ) -> None:
        super().__init__(settings, blocks, keeper)
        count = len(settings.leaders)
        self._drawn = 0
        self._window: dict[str, NDArray[Any]] = {
            "ordinal": np.zeros(0, np.int32),
            "created_ns": np.zeros(0, np.int64),
            "body_bytes": np.zeros(0, np.int64),
        }
        self._starts = [0] * count
        """Index in the window of position 0 of each append list; may be negative."""
        self._firsts = [0] * count
        """First position of each list in the window."""
        self._heads = [0] * count
        self._ends = [0] * count
        self._full_ns = [UNKNOWN] * count
        self._full_hi = [0] * count
        self._full_bytes = [0] * count
        self._watch = MemoryWatch(
            settings.source_index, settings.batch_size, settings.buffer_memory, count
        )
        self._work_sums: dict[str, Sequence[int]] = {}
        self._refer()

    def _lay_out(self, blocks: Sequence[RecordColumns]) -> None:
        """Make the window anew: what is still needed of it, then the blocks."""
        starts, ends = np.array(self._starts), np.array(self._ends)
        heads = np.array(self._heads) - starts
        firsts = np.minimum(np.array(self._keeper.needed()), heads)
        self._release(firsts.tolist())
        kept_counts = ends - starts - firsts
        kept = ranges(starts + firsts, kept_counts)
        order, counts = partition_order(kept_counts, [b.partitions for b in blocks])
        bounds = np.concatenate([[0], np.cumsum(counts)])
        columns = columns_of(blocks, self._drawn)
        self._watch.add(blocks)
        self._drawn += sum(map(len, blocks))
        for name, parts in columns.items():
            if name in self._window:
                parts.insert(0, self._window[name][kept])
            joined = np.concatenate(parts)
            self._window[name] = joined if order is None else joined[order]
        self._starts = (bounds[:-1] - firsts).tolist()
        self._firsts = firsts.tolist()
        self._ends = bounds[1:].tolist()
        self._heads = (heads + bounds[:-1] - firsts).tolist()
        moved = (bounds[:-1] - firsts - starts).tolist()
        for partition, by in enumerate(moved):
            self._full_hi[partition] += by
            if self._full_ns[partition] == NEVER:
                self._full_ns[partition] = UNKNOWN
        self._refer()

    def _release(self, firsts: Sequence[int]) -> None:
        """Let go of the records before these positions."""
        ordinals = self._window["ordinal"]
        for partition, first in enumerate(firsts):
            before = self._firsts[partition]
            if first > before:
                start = self._starts[partition]
                self._keeper.released(
                    partition, ordinals[start + before : start + first]
                )

    def _refer(self) -> None:
        """Prepare the window's columns for reading them number by number."""
        window = self._window
        self._created_ns: Sequence[int] = ints(window["created_ns"])
        self._body_bytes: Sequence[int] = ints(window["body_bytes"])
        self._sizes = RangeSizes(window["body_bytes"], window["created_ns"])
        self._surely_fit = 0
        if len(window["created_ns"]):
            self._surely_fit = count_surely_fit(
                self._settings.batch_size,
                len(window["created_ns"]),
                int(window["body_bytes"].max()),
                int(np.ptp(window["created_ns"])),
            )
        for name in self._work_sums:
            self._work_sums[name] = running_sums(self.column(name))

    def completed(self, batch: Batch) -> None:
        """Have back the memory of a batch: it was acknowledged, or it has failed."""
        self._watch.released += batch.capacity or self._settings.batch_size

    def answered(self, batches: Sequence[Batch], now_ns: int) -> None:
        """Have back the memory of batches that are acknowledged now."""
        watch = self._watch
        if watch.is_uniform and now_ns <= watch.safe_until_ns:
            watch.held -= len(batches) * self._settings.batch_size
        else:
            super().answered(batches, now_ns)

    def _check_memory(self, now_ns: int) -> None:
        drained = sum(self._heads) - sum(self._starts)
        self._watch.check(now_ns, drained, self._waiting_bytes)

    def append_list(self, partition: int) -> NDArray[np.int32]:
        """Return the ordinals of the partition's records, also of those to come."""
        start = self._starts[partition] + self._firsts[partition]
        return self._window["ordinal"][start : self._ends[partition]]

    def column(self, name: str) -> NDArray[np.signedinteger]:
        """Return a column of the window, in its order."""
        if name == "intended_ns":
            name = "created_ns"
        return self._window.get(name, np.zeros(0, np.int64))

    def places(
        self,
        partitions: NDArray[np.signedinteger],
        los: NDArray[np.int64],
        counts: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """Return where in the window's columns these ranges of append lists are."""
        return ranges(np.array(self._starts)[partitions] + los, counts)

    def rest(self, ends: Sequence[int]) -> NDArray[np.int64]:
        """Return where in the window the records beyond these positions stand."""
        begins = np.array(self._starts) + np.array(ends)
        return ranges(begins, np.array(self._ends) - begins)

    def newest_ns(self, batch: Batch) -> int:
        """Return when the last record of a batch was created."""
        return self._created_ns[self._starts[batch.partition] + batch.hi - 1]

    def created_ns_of(self, partition: int, position: int) -> int:
        """Return when a record of an append list was created."""
        return self._created_ns[self._starts[partition] + position]

    def work_of(self, name: str) -> WorkOf:
        """Return how to sum a carried column over a batch's first records."""
        self._work_sums[name] = running_sums(self.column(name))

        def from_sums(batch: Batch, count: int) -> int:
            sums = self._work_sums[name]
            at = self._starts[batch.partition] + batch.lo
            return sums[at + count] - sums[at]

        return from_sums

    def _waiting_bytes(self, now_ns: int) -> int:
        """Return the memory of what waits to be drained."""
        created_ns, bodies = self._created_ns, self._body_bytes
        size = self._settings.batch_size
        memory = 0
        for lo, hi in zip(self._heads, self._ends, strict=True):
            end = bisect_right(created_ns, now_ns, lo, hi)
            memory += memory_of(self._sizes, bodies, lo, end, size)
        return memory
