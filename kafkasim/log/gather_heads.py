"""What stands in a record before its value, written at once for many records.

Where the keys have one size and the records are not far apart, a record begins with
five to eight bytes before its key: length, attributes, the two deltas and the key's
size. They are one number of eight bytes. What those have too many spoils the beginning
of the record's own key, which is written after them.
"""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.log.columns import Bytes, Ints
from kafkasim.log.gather_plan import Plan
from kafkasim.log.pieces import words
from kafkasim.log.record_size import VARINT_STEPS

HEAD_BYTES: Final = 8
"""Most bytes before the key."""
_LEAST_BYTES: Final = 5
"""Fewest: one of each."""
ONE_BYTE, TWO_BYTES = VARINT_STEPS[:2]
"""Varints below these have one byte, and two bytes at most."""

Words = NDArray[np.uint64]


@cache
def varint_words() -> Words:
    """Return the varints of 0 … 8191 and −8192 … −1 as little-endian numbers."""
    values = np.arange(2 * TWO_BYTES)
    values[TWO_BYTES:] -= 2 * TWO_BYTES
    zigzag = ((values << 1) ^ (values >> 63)).view(np.uint64)
    two = (zigzag & 0x7F | 0x80) | zigzag >> 7 << 8
    return np.where(zigzag < 0x80, zigzag, two).astype(np.uint64)


def are_short(plan: Plan) -> bool:
    """Return whether `write_heads` can write what stands before the values."""
    keys = plan.keys.sizes
    return bool(
        len(keys)
        and HEAD_BYTES - _LEAST_BYTES <= keys[0] < ONE_BYTE
        and (keys == keys[0]).all()
        and int(plan.body_bytes.max()) < TWO_BYTES
        and int(plan.timestamp_widths.max()) <= 2
        and int(plan.offset_widths.max()) <= 2
    )


def write_heads(out: Bytes, plan: Plan) -> Ints:
    """Write records up to their keys, in no byte more than those have.

    Parameters
    ----------
    out : uint8 array
        Where to.
    plan : Plan
        The records, and where they lie.

    Returns
    -------
    int64 array of shape (records,), bytes
        Where each key ends.
    """
    heads, at = _heads(plan)
    words(out, HEAD_BYTES)[plan.starts] = heads.view(f"V{HEAD_BYTES}")
    at += plan.starts
    key_bytes, starts = int(plan.keys.sizes[0]), plan.keys.starts
    word, first = f"V{key_bytes}", int(starts[0])
    if (starts[1:] - starts[:-1] == key_bytes).all():
        keys = np.ndarray(starts.shape, word, plan.keys.data, first, (key_bytes,))
    else:
        keys = words(plan.keys.data, key_bytes)[starts]
    words(out, key_bytes)[at] = keys
    return at + key_bytes


def _heads(plan: Plan) -> tuple[Words, Ints]:
    """Return what stands before each key as numbers, and its bytes."""
    varints = varint_words()
    at = plan.ends - plan.starts - plan.body_bytes
    heads = varints.take(plan.body_bytes)
    at += 1
    heads |= varints.take(plan.timestamp_deltas_ms, mode="wrap") << _bits(at)
    at += plan.timestamp_widths
    heads |= varints.take(plan.offset_deltas) << _bits(at)
    at += plan.offset_widths
    heads |= varints[int(plan.keys.sizes[0])] << _bits(at)
    at += 1
    return heads, at


def _bits(byte_counts: Ints) -> Words:
    """Return the bits of so many bytes."""
    return (byte_counts << 3).view(np.uint64)


def lanes(rows: Bytes, at: int, dtype: str) -> np.ndarray:
    """Return the items of a type that begin at one byte of every row."""
    return np.ndarray((len(rows),), dtype, rows, at, (rows.shape[1],))
