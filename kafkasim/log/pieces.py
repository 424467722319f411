"""Copying many pieces of many sizes into one buffer, in numpy.

A piece of a fixed size is one item of a void type, and a buffer can be seen as an array
of such items that begin at every byte. So `to[places] = source[starts]` copies a
thousand keys in one call. Pieces whose sizes differ take one of three ways:

- in order and too wide: each is copied as if it had the size of the largest. What is
  written past a piece's end is overwritten by what follows, which is written later;
- as two overlapping words: a piece of 64 to 127 bytes is its first 64 and its last 64;
- one by one, when they are so large that the call costs nothing beside the copying.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.log.columns import Blob, Bytes, Ints

BLOCK_BYTES: Final = 1 << 18
"""Bytes that are copied between two arrays at once: they stay in the cache."""
_FEW_SIZES: Final = 4
"""So many different sizes are copied size by size."""
_TABLED: Final = 1 << 12
"""Sizes below this are copied as words, and those above one by one."""


def words(data: Bytes, size: int) -> NDArray[np.void]:
    """Return a view of a buffer whose item `i` is the `size` bytes from byte `i` on.

    Parameters
    ----------
    data : uint8 array of at least `size` bytes, contiguous
        The buffer.
    size : int
        At least 1.
    """
    return np.ndarray((len(data) - size + 1,), f"V{size}", data, 0, (1,))


def total_bytes(sizes: Ints) -> int:
    """Return how many bytes items have together, nulls none."""
    total = int(sizes.sum())
    if int(sizes.min(initial=0)) < 0:
        total += int((sizes < 0).sum())
    return total


def copy_words(out: Bytes, at: Ints, data: Bytes, starts: Ints, size: int) -> None:
    """Copy pieces of one size, in order, block by block.

    Parameters
    ----------
    out : uint8 array
        Where to.
    at : int64 array of shape (pieces,), bytes
        Where each is to begin in it.
    data : uint8 array
        Where from.
    starts : int64 array of shape (pieces,), bytes
        Where each begins in it.
    size : int
        Bytes of every piece.
    """
    if not size or not len(at):
        return
    target, source = words(out, size), words(data, size)
    block = max(64, BLOCK_BYTES // size)
    for lo in range(0, len(at), block):
        target[at[lo : lo + block]] = source[starts[lo : lo + block]]


def copy_pieces(out: Bytes, at: Ints, data: Bytes, starts: Ints, sizes: Ints) -> None:
    """Copy pieces of any sizes, no byte more than they have; nulls are nothing.

    Parameters
    ----------
    out : uint8 array
        Where to.
    at : int64 array of shape (pieces,), bytes
        Where each is to begin in it.
    data : uint8 array
        Where from.
    starts, sizes : int64 arrays of shape (pieces,), bytes
        Where each begins in it, and how long it is.
    """
    least, most = int(sizes.min(initial=_TABLED)), int(sizes.max(initial=0))
    if least == most:
        copy_words(out, at, data, starts, most)
        return
    if most < _TABLED:
        counted = np.bincount(np.maximum(sizes, 0))
        there_are = np.flatnonzero(counted)
        if len(there_are) <= _FEW_SIZES:
            for size in there_are.tolist():
                these = np.flatnonzero(sizes == size)
                copy_words(out, at.take(these), data, starts.take(these), size)
            return
    _copy_overlapping(out, at, data, starts, sizes)


def _copy_overlapping(
    out: Bytes, at: Ints, data: Bytes, starts: Ints, sizes: Ints
) -> None:
    """Copy pieces as two words each, and the largest one by one."""
    size = 1
    most = int(sizes.max())
    while size <= most and size < _TABLED:
        these = np.flatnonzero((sizes >= size) & (sizes < 2 * size))
        if len(these):
            to, source = at.take(these), starts.take(these)
            copy_words(out, to, data, source, size)
            if size > 1:
                rest = sizes.take(these) - size
                copy_words(out, to + rest, data, source + rest, size)
        size *= 2
    large = np.flatnonzero(sizes >= _TABLED)
    columns = (at, starts, sizes)
    for to, start, length in zip(
        *(c.take(large).tolist() for c in columns), strict=True
    ):
        out[to : to + length] = data[start : start + length]


def loose_size(sizes: Ints) -> int:
    """Return the size that `copy_loosely` takes for all pieces up to it."""
    most = int(sizes.max(initial=0))
    if not most:
        return 0
    mean = total_bytes(sizes) // len(sizes)
    return min(most, 2 * mean + 64)


def copy_loosely(out: Bytes, at: Ints, blob: Blob, size: int) -> None:
    """Copy pieces in order, those up to `size` bytes as if they had so many.

    Parameters
    ----------
    out : uint8 array
        Where to; `size` bytes past the last piece must be there.
    at : int64 array of shape (pieces,), bytes
        Where each is to begin, rising. What lies behind a piece is spoilt, up to `size`
        bytes from its beginning, but no other piece.
    blob : Blob of as many items
        The pieces.
    size : int
        Of `loose_size`; larger pieces are copied as they are.
    """
    if not size or not len(at):
        return
    starts, sizes = blob.starts, blob.sizes
    data = blob.data
    if len(data) < size:
        copy_pieces(out, at, data, starts, sizes)
        return
    exact = (sizes > size) | (starts > len(data) - size)
    if exact.any():
        some = np.flatnonzero(~exact & (sizes > 0))
        copy_words(out, at.take(some), data, starts.take(some), size)
        rest = np.flatnonzero(exact & (sizes > 0))
        copy_pieces(out, at.take(rest), data, starts.take(rest), sizes.take(rest))
        return
    copy_words(out, at, data, starts, size)
