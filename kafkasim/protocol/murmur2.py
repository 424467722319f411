"""murmur2, the hash that sends a key to its partition.

Kafka's variant (`common/utils/Utils.murmur2`, PR-9): 32 bits, seed 0x9747b28c xor
length, four bytes at a time little-endian, the tail xored from its highest byte. The
result is a signed Java int; the partition of a key takes its lower 31 bits
(`Utils.toPositive`, a mask and not the absolute value).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_SEED: Final = 0x9747B28C
_MULTIPLIER: Final = 0x5BD1E995
_SHIFT: Final = 24
_WORD: Final = 0xFFFFFFFF


def murmur2(key: bytes) -> int:
    """Return the hash of one key as Java's signed 32-bit int.

    Examples
    --------
    >>> murmur2(b"foobar")
    -790332482
    >>> murmur2(b"")
    275646681
    """
    value = _SEED ^ len(key)
    whole = len(key) & ~3
    for at in range(0, whole, 4):
        word = int.from_bytes(key[at : at + 4], "little") * _MULTIPLIER & _WORD
        word = (word ^ word >> _SHIFT) * _MULTIPLIER & _WORD
        value = value * _MULTIPLIER & _WORD ^ word
    if whole < len(key):
        value ^= int.from_bytes(key[whole:], "little")
        value = value * _MULTIPLIER & _WORD
    value = (value ^ value >> 13) * _MULTIPLIER & _WORD
    value ^= value >> 15
    return value - 2**32 if value >= 2**31 else value


def murmur2_many(blob: bytes, offsets: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the hashes of many keys that lie end to end.

    Keys of one length are hashed together, so the cost is one numpy pass per distinct
    length and four bytes of key.

    Parameters
    ----------
    blob : bytes
        The keys, one after the other.
    offsets : int64 array of shape (keys + 1,), bytes
        Where each key starts; the last entry is where the last one ends.

    Returns
    -------
    int32 array of shape (keys,)
        The hash of each key, Java's signed int.
    """
    starts = offsets[:-1]
    lengths = np.diff(offsets)
    data = np.frombuffer(blob, dtype=np.uint8)
    hashes = np.zeros(len(starts), dtype=np.uint32)
    for length in np.unique(lengths).tolist():
        chosen = np.flatnonzero(lengths == length)
        columns = data[starts[chosen, None] + np.arange(length)]
        hashes[chosen] = _hash_rows(columns)
    return hashes.view(np.int32)


def _hash_rows(rows: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Hash keys of one length, one per row."""
    count, length = rows.shape
    multiplier = np.uint32(_MULTIPLIER)
    values = np.full(count, _SEED ^ length, dtype=np.uint32)
    whole = length & ~3
    words = np.ascontiguousarray(rows[:, :whole]).view("<u4")
    for at in range(words.shape[1]):
        word = words[:, at].astype(np.uint32) * multiplier
        word ^= word >> np.uint32(_SHIFT)
        values = values * multiplier ^ word * multiplier
    if whole < length:
        for at in range(whole, length):
            values ^= rows[:, at].astype(np.uint32) << np.uint32(8 * (at - whole))
        values *= multiplier
    values ^= values >> np.uint32(13)
    values *= multiplier
    values ^= values >> np.uint32(15)
    return values
