"""Which partition a record goes to.

A record with a key goes to ``(murmur2(key) & 0x7fffffff) mod partitions``, over all
partitions (`BuiltInPartitioner.partitionForKey`, PR-8: an empty key is hashed, only a
null one is not). A record without a key goes to the sticky partition, which the
accumulator changes when enough bytes went to it (KIP-794, PR-12 to PR-15b). The next
one is drawn with a 31-bit random integer r: uniformly, as ``r mod partitions`` (PR-17),
or, while the queues of batches differ, in favour of those where less waits (PR-18).
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.protocol.murmur2 import murmur2, murmur2_many

_POSITIVE: Final = 0x7FFFFFFF
_BLOCK: Final = 256


def key_partition(key: bytes, partitions: int) -> int:
    """Return the partition of a key.

    Examples
    --------
    >>> [key_partition(b"foobar", partitions) for partitions in (3, 6, 12)]
    [0, 0, 6]
    """
    return (murmur2(key) & _POSITIVE) % partitions


def key_partitions(keys: tuple[bytes, ...], partitions: int) -> NDArray[np.int32]:
    """Return the partition of each key (int32, in the order of the keys)."""
    hashes = _murmur2_of(keys)
    return (hashes & np.int32(_POSITIVE)) % np.int32(partitions)


def key_hashes(keys: tuple[bytes, ...]) -> NDArray[np.int32]:
    """Return of each key what its partition is worked out of, at least 0 (int32)."""
    return _murmur2_of(keys) & np.int32(_POSITIVE)


def _murmur2_of(keys: tuple[bytes, ...]) -> NDArray[np.int32]:
    lengths = np.fromiter(map(len, keys), dtype=np.int64, count=len(keys))
    offsets = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(lengths)))
    return murmur2_many(b"".join(keys), offsets)


def load_table(lengths: Sequence[int], partitions: int) -> list[int] | None:
    """Return running sums of weights, by which the sticky partition is drawn.

    The longest queue weighs 1, each other one as much more as it is shorter
    (`BuiltInPartitioner.updatePartitionLoadStats`, PR-18).

    Parameters
    ----------
    lengths : sequence of int
        Batches that wait, of each partition that may be drawn.
    partitions : int
        Number of partitions of the topic.

    Returns
    -------
    list of int or None
        None where all are drawn alike: nothing is left out and the queues are as long
        as each other, or there are fewer than two partitions, or none left (PR-19).

    Examples
    --------
    >>> load_table([2, 0, 5], 3)
    [4, 10, 11]
    >>> load_table([2, 2, 2], 3) is None
    True
    """
    if partitions < 2 or not lengths:
        return None
    longest = max(lengths)
    if len(lengths) == partitions and min(lengths) == longest:
        return None
    return [*accumulate([longest + 1 - length for length in lengths])]


def place_in_table(draw: int, table: Sequence[int]) -> int:
    """Return the position that a random integer means in a table of running sums.

    Examples
    --------
    >>> [place_in_table(draw, [4, 10, 11]) for draw in (3, 4, 9, 10, 11)]
    [0, 1, 1, 2, 0]
    """
    return bisect_right(table, draw % table[-1])


class Draws:
    """31-bit random integers by index, made in blocks when first asked for.

    Looking ahead and coming back reads the same draw again, so a look consumes none.

    Parameters
    ----------
    generator : numpy.random.Generator
        Its own stream, used by nothing else.
    """

    __slots__ = ("_generator", "_values")

    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator
        self._values: list[int] = []

    def __getitem__(self, index: int) -> int:
        while index >= len(self._values):
            block = self._generator.integers(0, 1 << 31, size=_BLOCK)
            self._values.extend(block.tolist())
        return self._values[index]
