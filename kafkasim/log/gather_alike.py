"""Encoding records whose keys and values have one size each, in batches of any kind.

Such records are the same from the key on, and before it they have eight bytes at most,
unless they are far apart: length, attributes, the two deltas and the key's size. So all
of them are written as rows of a block, the eight bytes as one number whose last byte is
the key's size; and every row is copied to where its record ends. What a row has before
its record spoils the end of the record before, which is written after it: the rows go
from the last to the first.

Where the records lie follows from few numbers. A delta grows by a byte at 64, so a
batch is a few stretches of records with one layout, and what is the same in a stretch
is found once for it.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.log.columns import Blob, Bytes, Columns, Ints
from kafkasim.log.gather_heads import (
    HEAD_BYTES,
    ONE_BYTE,
    TWO_BYTES,
    Words,
    lanes,
    varint_words,
)
from kafkasim.log.gather_plan import Gathered, check_sizes
from kafkasim.log.header import HEADER_BYTES
from kafkasim.log.pieces import BLOCK_BYTES, words
from kafkasim.log.record_size import record_bytes, varint_bytes_of
from kafkasim.log.varint import write_varint

_TOP: Final = 8 * (HEAD_BYTES - 1)
"""Bits below the last of those bytes, the key's size."""


@dataclass(frozen=True, slots=True, eq=False)
class Stretches:
    """Neighbours in a batch with one layout, and what they say.

    Parameters
    ----------
    positions : int64 array of shape (batches + 1,), bytes
        Where each batch begins, and at last where all end.
    records : slice
        Those of the batches, in the columns.
    counts : int64 array of shape (stretches,)
        Records in each.
    sizes, body_bytes : int64 arrays of shape (stretches,), bytes
        Of each record, with and without its length.
    at : int64 array of shape (stretches,), bytes
        Where the first record lies.
    timestamp_widths, offset_widths : int64 arrays of shape (stretches,)
        Bytes of the varints of the two deltas.
    timestamp_deltas_ms, offset_deltas : int64 arrays of shape (records,)
        What each record says of itself.
    """

    positions: Ints
    records: slice
    counts: Ints
    sizes: Ints
    body_bytes: Ints
    at: Ints
    timestamp_widths: Ints
    offset_widths: Ints
    timestamp_deltas_ms: Ints
    offset_deltas: Ints


def are_alike(columns: Columns) -> bool:
    """Return whether keys and values have one size each, and records nothing else."""
    if columns.headers is not None or columns.offset_deltas is not None:
        return False
    keys, values = columns.keys.sizes, columns.values.sizes
    return bool(
        len(keys)
        and keys[0] < ONE_BYTE
        and values[0] < TWO_BYTES - 2 * HEAD_BYTES - ONE_BYTE
        and (keys == keys[0]).all()
        and (values == values[0]).all()
    )


def stretches_of(source: Gathered, first: int, last: int, at: int) -> Stretches | None:
    """Return the places of some batches and of their records, which are alike.

    Parameters
    ----------
    source : Gathered
        The records.
    first, last : int
        The first of the batches, and one past the last.
    at : int
        Where the first is to begin.

    Returns
    -------
    Stretches or None
        None if a delta takes more than two bytes, or there are no records.

    Raises
    ------
    ValueError
        A batch takes more bytes than its length can say.
    """
    columns = source.columns
    starts = columns.batch_starts[first : last + 1]
    records = slice(int(starts[0]), int(starts[-1]))
    starts = starts - starts[0]
    total, counts = int(starts[-1]), np.diff(starts)
    base_ms = np.repeat(source.base_timestamps_ms[first:last], counts)
    deltas = np.subtract(columns.timestamps_ms[records], base_ms, out=base_ms)
    least, most = int(deltas.min(initial=0)), int(deltas.max(initial=0))
    if not total or max(most, -1 - least, int(counts.max()) - 1) >= TWO_BYTES:
        return None
    wide = None
    if max(most, -1 - least) >= ONE_BYTE:
        wide = (deltas >= ONE_BYTE) | (deltas < -ONE_BYTE)
    edges = _edges(starts, counts, wide)
    whose = np.searchsorted(starts, edges, side="right") - 1
    timestamp_widths = np.ones_like(edges) if wide is None else 1 + wide[edges]
    offset_widths = 1 + (edges - starts[whose] >= ONE_BYTE)
    body_bytes = timestamp_widths + offset_widths + (_body_bytes(columns) - 2)
    sizes = body_bytes + varint_bytes_of(body_bytes)
    lengths = np.append(edges[1:], total) - edges
    before = np.zeros(len(edges) + 1, dtype=np.int64)
    np.cumsum(lengths * sizes, out=before[1:])
    positions = at + np.arange(len(starts)) * HEADER_BYTES
    positions += before[np.searchsorted(edges, starts)]
    check_sizes(positions)
    return Stretches(
        positions,
        records,
        lengths,
        sizes,
        body_bytes,
        at + (whose + 1) * HEADER_BYTES + before[:-1],
        timestamp_widths,
        offset_widths,
        deltas,
        np.arange(total) - np.repeat(starts[:-1], counts),
    )


def _edges(starts: Ints, counts: Ints, wide: NDArray[np.bool_] | None) -> Ints:
    """Return where stretches begin: with a batch, or where a delta grows or shrinks."""
    edges = [starts[:-1][counts > 0]]
    longer = starts[:-1][counts > ONE_BYTE] + ONE_BYTE
    if len(longer):
        edges.append(longer)
    if wide is not None:
        edges.append(np.flatnonzero(wide[1:] != wide[:-1]) + 1)
    return edges[0] if len(edges) == 1 else np.unique(np.concatenate(edges))


def _body_bytes(columns: Columns) -> int:
    """Return the bytes after the length of a record whose deltas have one byte each."""
    sizes = int(columns.keys.sizes[0]), int(columns.values.sizes[0])
    size = record_bytes(0, 0, *sizes)
    return size - (1 if size <= ONE_BYTE else 2)


class AlikeWriter:
    """Writes records that are alike, stretches after stretches.

    Parameters
    ----------
    columns : Columns
        All records, `are_alike`.
    """

    __slots__ = ("_key_bytes", "_keys", "_rows", "_value_at", "_values")

    def __init__(self, columns: Columns) -> None:
        self._keys, self._values = _Items(columns.keys), _Items(columns.values)
        self._key_bytes = int(columns.keys.sizes[0])
        value_bytes = int(columns.values.sizes[0])
        value_size = write_varint(value_bytes)
        at = HEAD_BYTES + max(self._key_bytes, 0)
        self._value_at = at + len(value_size)
        size = self._value_at + max(value_bytes, 0) + 1
        count = min(max(64, BLOCK_BYTES // size), columns.record_count)
        self._rows = np.zeros((count, size), dtype=np.uint8)
        lanes(self._rows, at, f"V{len(value_size)}")[:] = np.void(value_size)

    def write(self, out: Bytes, stretches: Stretches) -> None:
        """Write some records.

        Parameters
        ----------
        out : uint8 array
            Where to; up to 3 bytes before the first record of a batch are spoilt.
        stretches : Stretches
            The records, and where they lie.
        """
        heads = _heads(stretches, self._key_bytes)
        step, size = self._rows.shape
        target = words(out, size)
        places = _ends(stretches)
        places -= size
        first = stretches.records.start
        for hi in range(len(heads), 0, -step):
            lo = max(0, hi - step)
            block = self._rows[: hi - lo]
            lanes(block, 0, "<u8")[:] = heads[lo:hi]
            self._keys.put(block, HEAD_BYTES, first + lo, first + hi)
            self._values.put(block, self._value_at, first + lo, first + hi)
            whole = block.reshape(-1).view(f"V{size}")
            target[places[lo:hi][::-1]] = whole[::-1]


def _ends(stretches: Stretches) -> Ints:
    """Return where each record ends."""
    counts, sizes = stretches.counts, stretches.sizes
    ends = np.arange(1, len(stretches.offset_deltas) + 1)
    if (sizes == sizes[0]).all():
        ends *= sizes[0]
    else:
        ends *= np.repeat(sizes, counts)
    ends += np.repeat(stretches.at - (np.cumsum(counts) - counts) * sizes, counts)
    return ends


@cache
def _offset_words() -> Words:
    """Return the varints of 0 … 8191 so that they end where the key's size begins."""
    varints = varint_words()[:TWO_BYTES]
    return varints << np.where(varints < 0x80, _TOP - 8, _TOP - 16).view(np.uint64)


def _heads(stretches: Stretches, key_bytes: int) -> Words:
    """Return what stands before each key, its last byte in the number's last."""
    varints, counts = varint_words(), stretches.counts
    bits = _TOP - 8 * (stretches.offset_widths + stretches.timestamp_widths)
    lengths = varints[stretches.body_bytes] << (
        bits - 8 * (1 + stretches.sizes - stretches.body_bytes)
    ).view(np.uint64)
    lengths |= varints[key_bytes] << np.uint64(_TOP)
    heads = varints.take(stretches.timestamp_deltas_ms, mode="wrap")
    if (stretches.sizes == stretches.sizes[0]).all():  # then so are the bits
        heads <<= np.uint64(bits[0])
        heads |= lengths[0]
    else:
        heads <<= np.repeat(bits.view(np.uint64), counts)
        heads |= np.repeat(lengths, counts)
    heads |= _offset_words().take(stretches.offset_deltas)
    return heads


class _Items:
    """Keys or values that all have one size."""

    __slots__ = ("_data", "_packed", "_size", "_starts")

    def __init__(self, blob: Blob) -> None:
        self._data = blob.data
        self._starts = blob.starts
        self._size = max(int(blob.sizes[0]), 0)
        steps = blob.starts[1:] - blob.starts[:-1]
        self._packed = bool((steps == self._size).all())

    def put(self, rows: Bytes, at: int, lo: int, hi: int) -> None:
        """Write a range of them into the rows."""
        size = self._size
        if not size:
            return
        word = f"V{size}"
        if self._packed:
            first = int(self._starts[lo])
            source = np.ndarray((hi - lo,), word, self._data, first, (size,))
        else:
            source = words(self._data, size)[self._starts[lo:hi]]
        lanes(rows, at, word)[:] = source
