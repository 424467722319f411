"""What the accumulator must know of a source's records, as columns.

Sizes, timestamps and the partition of the key; never the key or the value itself. The
records come in blocks, so that a run of any length needs memory only for the records
that are on their way.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from kafkasim.log.record_size import BOUND_OVER_BODY_BYTES, body_bytes_of
from kafkasim.protocol.producing.batch import NEVER

STICKY: Final = -1
"""Partition of a record that goes where the sticky partitioner says."""
REFUSED: Final = -2
"""Partition of a record that was never appended: it is larger than a request (PR-5)."""
ROUND_ROBIN: Final = -3
"""Partition of a record that goes to the next one that has a leader then (PR-11)."""
KEY_HASH: Final = "key_hash"
"""The carried column with the hashes of keys, −1 without; where topics may grow."""


class RecordColumns:
    """What the accumulator must know of some records of a source.

    Parameters
    ----------
    created_ns : int64 array of shape (records,), nanoseconds
        When each is handed to the client, sorted.
    key_bytes, value_bytes : int64 arrays of shape (records,), bytes
        Sizes; −1 for null.
    partitions : int32 array of shape (records,)
        Partition of the key; `STICKY` for a record that the sticky partitioner places.
    max_request_size : int
        Records whose upper bound exceeds it are refused (PR-5,
        `KafkaProducer.ensureValidRecordSize`).
    carried : mapping of str to array of shape (records,), optional
        Columns that mean nothing to the accumulator and are kept beside the others.
    """

    __slots__ = ("body_bytes", "carried", "created_ns", "partitions")

    def __init__(
        self,
        *,
        created_ns: NDArray[np.int64],
        key_bytes: NDArray[np.int64],
        value_bytes: NDArray[np.int64],
        partitions: NDArray[np.int32],
        max_request_size: int,
        carried: Mapping[str, NDArray[np.signedinteger]] | None = None,
    ) -> None:
        self.created_ns = created_ns
        self.body_bytes = body_bytes_of(key_bytes, value_bytes)
        self.partitions = partitions
        refused = self.body_bytes > max_request_size - BOUND_OVER_BODY_BYTES
        if refused.any():
            self.partitions = np.where(refused, np.int32(REFUSED), partitions)
        self.carried = dict(carried or {})

    def __len__(self) -> int:
        return len(self.created_ns)

    def refused(self) -> NDArray[np.int64]:
        """Return the positions of the records that are too large for a request."""
        return np.flatnonzero(self.partitions == REFUSED)


class RecordBlocks:
    """A source's records in blocks, read one block ahead.

    Parameters
    ----------
    blocks : iterable of RecordColumns
        In the order of creation, all with the same carried columns.

    Attributes
    ----------
    known_ns : int
        No record created up to then is in a block that was not taken yet.
    """

    __slots__ = ("_ahead", "_blocks", "known_ns")

    def __init__(self, blocks: Iterable[RecordColumns]) -> None:
        self._blocks: Iterator[RecordColumns] = (b for b in blocks if len(b))
        self._ahead: RecordColumns | None = None
        self.known_ns = NEVER
        self._look()

    def _look(self) -> None:
        self._ahead = next(self._blocks, None)
        ahead = self._ahead
        self.known_ns = NEVER if ahead is None else int(ahead.created_ns[0]) - 1

    @property
    def exhausted(self) -> bool:
        """Whether every block was taken."""
        return self._ahead is None

    def take(self, at_least: int) -> list[RecordColumns]:
        """Take blocks that hold so many records, or all that are left."""
        taken: list[RecordColumns] = []
        count = 0
        while self._ahead is not None and count < max(1, at_least):
            taken.append(self._ahead)
            count += len(self._ahead)
            self._look()
        return taken


class Keeper(Protocol):
    """Who says which records are still needed, and takes leave of the others."""

    def needed(self) -> Sequence[int]:
        """Return per partition the first position of its append list still needed."""
        ...

    def released(self, partition: int, ordinals: NDArray[np.int32]) -> None:
        """Take the next ordinals of the partition's append list, about to be let go."""
        ...


class KeepAll:
    """Keeps every record.

    Parameters
    ----------
    partition_count : int
        Number of partitions.
    """

    def __init__(self, partition_count: int) -> None:
        self._zeros = [0] * partition_count

    def needed(self) -> Sequence[int]:
        """Return 0 for every partition."""
        return self._zeros

    def released(self, partition: int, ordinals: NDArray[np.int32]) -> None:
        """Nothing is ever released."""
        raise AssertionError(f"{len(ordinals)} records of partition {partition}")


def ranges(starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return start, start+1, … for each range, one after the other.

    Examples
    --------
    >>> ranges(np.array([5, 0]), np.array([2, 3])).tolist()
    [5, 6, 0, 1, 2]
    """
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return np.repeat(starts - (ends - counts), counts) + np.arange(total)


def columns_of(
    blocks: Sequence[RecordColumns], first: int
) -> dict[str, list[NDArray[np.signedinteger]]]:
    """Return the columns of blocks by name, and `ordinal` from `first` on."""
    columns: dict[str, list[NDArray[np.signedinteger]]] = {
        "ordinal": [],
        "created_ns": [],
        "body_bytes": [],
    }
    for block in blocks:
        until = first + len(block)
        columns["ordinal"].append(np.arange(first, until, dtype=np.int32))
        columns["created_ns"].append(block.created_ns)
        columns["body_bytes"].append(block.body_bytes)
        for name, column in block.carried.items():
            columns.setdefault(name, []).append(column)
        first = until
    return columns


def partition_order(
    kept_counts: NDArray[np.int64], added: Sequence[NDArray[np.signedinteger]]
) -> tuple[NDArray[np.int64] | None, NDArray[np.int64]]:
    """Return how to sort records by partition, kept ones first, then those added.

    Parameters
    ----------
    kept_counts : int64 array of shape (partitions,)
        Records of each partition that are there, partition after partition.
    added : sequence of int array
        Partition of each record that comes after them, block by block, no block being
        empty; one whose partition is negative is left out.

    Returns
    -------
    order : int64 array or None
        Places of the records in the order of their partitions; None when they are in it
        as they stand.
    counts : int64 array of shape (partitions,)
        How many records each partition then has.

    Examples
    --------
    >>> order, counts = partition_order(np.array([1, 2]), [np.array([0, -1, 1])])
    >>> order.tolist(), counts.tolist()
    ([0, 3, 1, 2, 5], [2, 3])
    """
    count = len(kept_counts)
    if count == 1 and all(int(part.min()) == 0 for part in added):
        return None, kept_counts + sum(map(len, added))
    # Two bytes are sorted by radix, ten times as fast as four.
    narrow = np.int16 if count < 1 << 15 else np.int32
    kept = np.repeat(np.arange(count, dtype=narrow), kept_counts)
    partitions = np.concatenate([kept, *(part.astype(narrow) for part in added)])
    order = np.argsort(partitions, kind="stable")
    order = order[np.count_nonzero(partitions < 0) :]
    return order, np.bincount(partitions[order], minlength=count)
