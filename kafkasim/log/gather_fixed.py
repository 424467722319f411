"""Encoding batches that are all alike: one block of batches, records and bytes.

Where every batch has as many records, keys and values have one size each, and the
records at one place of all batches have deltas of the same bytes, the encoded batches
are a block of three axes. Each field is then one assignment to a strided view of it;
what does not change from batch to batch is written as a word.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.log.columns import Blob, Bytes, Columns, Ints
from kafkasim.log.gather_plan import MOST_BATCH_BYTES
from kafkasim.log.header import HEADER_BYTES
from kafkasim.log.pieces import words
from kafkasim.log.record_size import VARINT_STEPS, record_bytes, varint_bytes_of
from kafkasim.log.varint import write_varint

_MOST_RUNS: Final = 6
"""Runs of places with one layout, up to which a block is worth its calls."""
_FEWEST_BATCHES: Final = 2


@dataclass(frozen=True, slots=True, eq=False)
class FixedLayout:
    """The layout that all batches have.

    Parameters
    ----------
    count : int
        Records in a batch.
    key_bytes, value_bytes : int
        Sizes; −1 for null.
    keys_packed, values_packed : bool
        Whether they lie back to back in their buffers.
    runs : tuple of Run
        Places of a batch whose records have one layout.
    batch_bytes : int
        Bytes of a batch.
    """

    count: int
    key_bytes: int
    value_bytes: int
    keys_packed: bool
    values_packed: bool
    runs: "tuple[Run, ...]"
    batch_bytes: int


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Neighbours in a batch with one layout.

    Parameters
    ----------
    first, last : int
        First place in the batch, and one past the last.
    at : int
        Where the first lies, from the beginning of the batch on.
    size : int
        Bytes of each record.
    timestamp_width : int
        Bytes of the timestamps' deltas.
    timestamp_at : int
        Where in a record they lie.
    heads : uint8 array of shape (places, bytes)
        What stands before the value at each place; zeros for the timestamp's delta and
        the key.
    key_at : int
        Where in a record the key lies.
    """

    first: int
    last: int
    at: int
    size: int
    timestamp_width: int
    timestamp_at: int
    heads: Bytes
    key_at: int


def _only(sizes: NDArray[np.int64]) -> int | None:
    """Return the one value that all have; None if they differ."""
    first = int(sizes[0])
    return first if bool((sizes == first).all()) else None


def fixed_layout(columns: Columns) -> FixedLayout | None:
    """Return the layout that all batches of some columns have; None if they differ."""
    batches = columns.batch_count
    if (
        batches < _FEWEST_BATCHES
        or not columns.record_count
        or columns.headers is not None
        or columns.offset_deltas is not None
        or not isinstance(columns.delete_horizons_ms, int)
        or columns.delete_horizons_ms >= 0
    ):
        return None
    count = _only(np.diff(columns.batch_starts))
    key_bytes, value_bytes = _only(columns.keys.sizes), _only(columns.values.sizes)
    if count is None or key_bytes is None or value_bytes is None:
        return None
    timestamp_widths = _widths_by_place(columns.timestamps_ms.reshape(batches, count))
    if timestamp_widths is None:
        return None
    offset_widths = varint_bytes_of(np.arange(count))
    changes = np.diff(timestamp_widths) | np.diff(offset_widths)
    edges = [0, *(np.flatnonzero(changes) + 1).tolist(), count]
    if len(edges) - 1 > _MOST_RUNS:
        return None
    runs = []
    at = HEADER_BYTES
    for first, last in pairwise(edges):
        run = _run(
            range(first, last),
            at,
            int(timestamp_widths[first]),
            (key_bytes, value_bytes),
        )
        runs.append(run)
        at += (last - first) * run.size
    if at > MOST_BATCH_BYTES:
        return None
    return FixedLayout(
        count,
        key_bytes,
        value_bytes,
        columns.keys.is_packed,
        columns.values.is_packed,
        tuple(runs),
        at,
    )


def _run(places: range, at: int, timestamp_width: int, sizes: tuple[int, int]) -> Run:
    """Return the layout of records at some places, their offset deltas of one width."""
    key_bytes, value_bytes = sizes
    delta_ms = 0 if timestamp_width == 1 else 1 << (7 * timestamp_width - 8)
    size = record_bytes(places[0], delta_ms, key_bytes, value_bytes)
    sized = ((write_varint(size - width), width) for width in range(1, 6))
    length = next(written for written, width in sized if len(written) == width)
    prefix = length + bytes(1 + timestamp_width)
    key = write_varint(key_bytes)
    middle = key + bytes(max(key_bytes, 0)) + write_varint(value_bytes)
    heads = b"".join([prefix + write_varint(place) + middle for place in places])
    return Run(
        places[0],
        places[-1] + 1,
        at,
        size,
        timestamp_width,
        len(length) + 1,
        rows := np.frombuffer(heads, dtype=np.uint8).reshape(len(places), -1),
        rows.shape[1] - len(middle) + len(key),
    )


def _widths_by_place(timestamps_ms: Ints) -> Ints | None:
    """Return the bytes of the deltas at each place; None if batches differ in them."""
    deltas = timestamps_ms - timestamps_ms[:, :1]
    least, most = int(deltas.min()), int(deltas.max())
    widths = np.ones(timestamps_ms.shape[1], dtype=np.int64)
    for step in VARINT_STEPS:
        if step > max(most, -1 - least):
            break
        grown = deltas >= step
        if least < -step:
            grown |= deltas < -step
        if (grown != grown[0]).any():
            return None
        widths += grown[0]
    return widths


def write_fixed(
    out: Bytes, columns: Columns, layout: FixedLayout, first: int, last: int
) -> None:
    """Write the records of a range of batches, their headers left out."""
    count = layout.count
    base = columns.timestamps_ms[first * count : last * count : count, None]
    for run in layout.runs:
        block = _Block(out, layout, run, first, last)
        block.put_rows(run.heads)
        deltas = block.of(columns.timestamps_ms, count) - base
        block.put_varints(run.timestamp_at, deltas, run.timestamp_width)
        if layout.key_bytes > 0:
            packed = layout.keys_packed
            block.put_pieces(run.key_at, columns.keys, layout.key_bytes, packed=packed)
        if layout.value_bytes > 0:
            at, packed = run.heads.shape[1], layout.values_packed
            block.put_pieces(at, columns.values, layout.value_bytes, packed=packed)
        block.lanes(run.size - 1, "u1")[:] = 0


class _Block:
    """The records of one run in a range of batches, as an array of two axes."""

    __slots__ = ("_at", "_first", "_last", "_layout", "_out", "_run")

    def __init__(
        self, out: Bytes, layout: FixedLayout, run: Run, first: int, last: int
    ) -> None:
        self._out = out
        self._layout = layout
        self._run = run
        self._first, self._last = first, last
        self._at = first * layout.batch_bytes + run.at

    def lanes(self, at: int, dtype: str) -> np.ndarray:
        """Return the items of a type that lie at a byte of every record."""
        run = self._run
        return np.ndarray(
            (self._last - self._first, run.last - run.first),
            dtype,
            self._out,
            self._at + at,
            (self._layout.batch_bytes, run.size),
        )

    def of(self, column: np.ndarray, count: int) -> np.ndarray:
        """Return the part of a column, of shape (batches, places)."""
        part = column[self._first * count : self._last * count]
        return part.reshape(-1, count)[:, self._run.first : self._run.last]

    def put_rows(self, rows: Bytes) -> None:
        """Write what every record at a place begins with, a row for each place."""
        word = f"V{rows.shape[1]}"
        self.lanes(0, word)[:] = rows.view(word)[:, 0]

    def put_varints(self, at: int, values: Ints, width: int) -> None:
        """Write varints that all have `width` bytes."""
        zigzag = (values << 1) ^ (values >> 63)
        for plane in range(width):
            more = 0x80 if plane + 1 < width else 0
            septets = (zigzag >> (7 * plane)) & 0x7F
            self.lanes(at + plane, "u1")[:] = septets | more

    def put_pieces(self, at: int, blob: Blob, size: int, *, packed: bool) -> None:
        """Write keys or values of one size; packed ones lie back to back."""
        word = f"V{size}"
        starts = self.of(blob.starts, self._layout.count)
        if packed:
            strides = self._layout.count * size, size
            begin = int(starts[0, 0])
            source = np.ndarray(starts.shape, word, blob.data, begin, strides)
        else:
            source = words(blob.data, size)[starts]
        self.lanes(at, word)[:] = source
