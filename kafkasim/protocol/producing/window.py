"""The records that a producer holds of its source, in the order of their creation.

A window over the source: blocks are added at its end, and what nobody needs any more is
let go at its beginning. A record's *place* is its position in the window.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kafkasim.log.batch_size import ints
from kafkasim.protocol.producing.columns import (
    KEY_HASH,
    STICKY,
    RecordBlocks,
    RecordColumns,
)


class Window:
    """A window over a source's records.

    Parameters
    ----------
    blocks : RecordBlocks
        The records; the window begins empty.

    Attributes
    ----------
    base : int
        Ordinal of the first record in the window.
    created_ns, partitions : sequences of int
        Of each record in the window.
    stretch_ends : sequence of int
        Of each record in the window, the place of the next one that is not for the
        sticky partition.
    """

    def __init__(self, blocks: RecordBlocks) -> None:
        self._blocks = blocks
        self._columns: dict[str, NDArray[Any]] = {
            "created_ns": np.zeros(0, np.int64),
            "partition": np.zeros(0, np.int32),
        }
        self._numbers: dict[str, Sequence[int]] = {}
        self.base = 0
        self._partition_count = 0
        """Of its topic, if there are more than when the records were read."""
        self._refer()

    def __len__(self) -> int:
        return len(self.created_ns)

    def extend(self) -> list[RecordColumns]:
        """Add the next block, or half as many records as there are; return them."""
        first = len(self)
        taken = self._blocks.take(first // 2)
        columns: dict[str, list[NDArray[np.signedinteger]]] = {
            "created_ns": [block.created_ns for block in taken],
            "partition": [block.partitions for block in taken],
        }
        if "intended_ns" in self._columns:
            columns["intended_ns"] = columns["created_ns"].copy()
        for name in taken[0].carried:
            columns[name] = [block.carried[name] for block in taken]
        for name, parts in columns.items():
            if name in self._columns:
                parts.insert(0, self._columns[name])
            self._columns[name] = np.concatenate(parts)
        self._place(first, len(self._columns["partition"]))
        self._refer()
        return taken

    def trim(self, places: int) -> None:
        """Let go of the first `places` records."""
        for name, column in self._columns.items():
            self._columns[name] = column[places:].copy()
        self.base += places
        self._refer()

    def delay(self, place: int, created_ns: int) -> None:
        """Write down that a record is created later than was intended."""
        if "intended_ns" not in self._columns:
            self._columns["intended_ns"] = self._columns["created_ns"].copy()
        self._columns["created_ns"][place] = created_ns

    def forget_delay(self, place: int) -> None:
        """Let a record be created when it was intended, for all that is known."""
        if "intended_ns" in self._columns and place < len(self):
            intended_ns = self._columns["intended_ns"][place]
            self._columns["created_ns"][place] = intended_ns

    def begin(self, first: int, end: int, now_ns: int) -> None:
        """Let the records at these places be created now."""
        for name in ("created_ns", "intended_ns"):
            if name in self._columns:
                self._columns[name][first:end] = now_ns

    def insert(self, place: int, added: RecordColumns) -> None:
        """Put records before the one at a place."""
        columns: dict[str, NDArray[Any]] = {
            "created_ns": added.created_ns,
            "intended_ns": added.created_ns,
            "partition": added.partitions,
            **added.carried,
        }
        for name, column in self._columns.items():
            self._columns[name] = np.insert(column, place, columns[name])
        self._place(place, place + len(added))
        self._refer()

    def spread(self, first: int, partition_count: int) -> None:
        """Let records with a key, from a place on, go to one of so many partitions.

        What comes later does so too. Carried along must be `KEY_HASH`.
        """
        self._partition_count = partition_count
        self._place(first, len(self))
        self._refer()

    def _place(self, first: int, end: int) -> None:
        """Find the partitions of some records anew, if there are more by now."""
        if not self._partition_count or KEY_HASH not in self._columns:
            return
        partitions = self._columns["partition"][first:end]
        hashes = self._columns[KEY_HASH][first:end]
        keyed = (partitions >= 0) & (hashes >= 0)
        partitions[keyed] = hashes[keyed] % self._partition_count

    def column(self, name: str) -> NDArray[Any]:
        """Return a column: `ordinal`, `created_ns`, `partition` or a carried one.

        `intended_ns` is when a record was to be created.
        """
        if name == "ordinal":
            return np.arange(self.base, self.base + len(self), dtype=np.int32)
        if name == "intended_ns" and name not in self._columns:
            name = "created_ns"
        return self._columns.get(name, np.zeros(0, np.int64))

    def numbers(self, name: str) -> Sequence[int]:
        """Return a column for reading it number by number."""
        found = self._numbers.get(name)
        if found is None:
            found = self._numbers[name] = ints(self.column(name))
        return found

    def _refer(self) -> None:
        """Prepare the columns for reading them number by number."""
        self._numbers.clear()
        self.created_ns: Sequence[int] = ints(self._columns["created_ns"])
        self.partitions: Sequence[int] = ints(self._columns["partition"])
        self.stretch_ends = _stretch_ends(self._columns["partition"])


def _stretch_ends(partitions: NDArray[np.signedinteger]) -> Sequence[int]:
    count = len(partitions)
    ends = np.arange(count, dtype=np.int64)
    ends[partitions == STICKY] = count
    return ints(np.minimum.accumulate(ends[::-1])[::-1].copy())
