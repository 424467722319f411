"""Encoding records whose keys and values have one size each, in batches of any kind.

Such records are the same from the key on, and before it they have eight bytes at most,
unless they are far apart: length, attributes, the two deltas and the key's size. So all
of them are written as rows of a block, the eight bytes as one number whose last byte is
the key's size; and every row is copied to where its record ends. What a row has before
its record spoils the end of the record before, which is written after it: the rows go
from the last to the first.
"""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.log.columns import Blob, Bytes
from kafkasim.log.gather_plan import Plan
from kafkasim.log.pieces import BLOCK_BYTES, words
from kafkasim.log.record_size import VARINT_STEPS
from kafkasim.log.varint import write_varint

HEAD_BYTES: Final = 8
"""Bytes of a row before the key."""
_TABLED: Final = VARINT_STEPS[1]
"""Varints below this have two bytes at most."""


@cache
def _varint_words() -> NDArray[np.uint64]:
    """Return the varints of 0 … 8191 and −8192 … −1 as little-endian numbers."""
    values = np.arange(2 * _TABLED)
    values[_TABLED:] -= 2 * _TABLED
    zigzag = ((values << 1) ^ (values >> 63)).view(np.uint64)
    two = (zigzag & 0x7F | 0x80) | zigzag >> 7 << 8
    return np.where(zigzag < 0x80, zigzag, two).astype(np.uint64)


def are_alike(plan: Plan) -> bool:
    """Return whether `write_alike` can write the records of a plan."""
    if plan.tails is not None or not len(plan.keys):
        return False
    keys, values = plan.keys.sizes, plan.values.sizes
    return bool(
        keys[0] < VARINT_STEPS[0]
        and (keys == keys[0]).all()
        and (values == values[0]).all()
        and int(plan.body_bytes.max()) < _TABLED
        and int(plan.timestamp_widths.max()) <= 2
        and int(plan.offset_widths.max()) <= 2
    )


def write_alike(out: Bytes, plan: Plan) -> None:
    """Write records that are alike.

    Parameters
    ----------
    out : uint8 array
        Where to; up to 3 bytes before the first record of a batch are spoilt.
    plan : Plan
        The records, and where they lie.
    """
    heads = _heads(plan)
    key_bytes, value_bytes = int(plan.keys.sizes[0]), int(plan.values.sizes[0])
    value_size = write_varint(value_bytes)
    value_at = HEAD_BYTES + max(key_bytes, 0) + len(value_size)
    size = value_at + max(value_bytes, 0) + 1
    step = max(64, BLOCK_BYTES // size)
    rows = np.zeros((min(step, len(heads)), size), dtype=np.uint8)
    _lanes(rows, value_at - len(value_size), f"V{len(value_size)}")[:] = np.void(
        value_size
    )
    target = words(out, size)
    places = plan.ends - size
    for hi in range(len(heads), 0, -step):
        lo = max(0, hi - step)
        block = rows[: hi - lo]
        _lanes(block, 0, "<u8")[:] = heads[lo:hi]
        if key_bytes > 0:
            _put(block, HEAD_BYTES, plan.keys, lo, hi)
        if value_bytes > 0:
            _put(block, value_at, plan.values, lo, hi)
        whole = block.reshape(-1).view(f"V{size}")
        target[places[lo:hi][::-1]] = whole[::-1]


def _heads(plan: Plan) -> NDArray[np.uint64]:
    """Return what stands before each key, its last byte in the number's last."""
    varints = _varint_words()
    at = plan.ends - plan.starts - plan.body_bytes
    heads = varints.take(plan.body_bytes)
    at += 1
    bits = (at << 3).view(np.uint64)
    heads |= varints.take(plan.timestamp_deltas_ms, mode="wrap") << bits
    bits += (plan.timestamp_widths << 3).view(np.uint64)
    heads |= varints.take(plan.offset_deltas) << bits
    bits += (plan.offset_widths << 3).view(np.uint64)
    heads |= varints[int(plan.keys.sizes[0])] << bits
    return heads << (np.uint64(8 * (HEAD_BYTES - 1)) - bits)


def _lanes(rows: Bytes, at: int, dtype: str) -> np.ndarray:
    """Return the items of a type that begin at one byte of every row."""
    return np.ndarray((len(rows),), dtype, rows, at, (rows.shape[1],))


def _put(rows: Bytes, at: int, blob: Blob, lo: int, hi: int) -> None:
    """Write a range of keys or values, all of one size, into the rows."""
    size = int(blob.sizes[0])
    starts = blob.starts[lo:hi]
    first = int(starts[0])
    target = _lanes(rows, at, f"V{size}")
    if (starts == first + size * np.arange(hi - lo)).all():
        target[:] = np.ndarray((hi - lo,), f"V{size}", blob.data, first, (size,))
    else:
        target[:] = words(blob.data, size)[starts]
