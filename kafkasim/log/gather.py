"""Encoding many batches in one pass, in numpy.

A batch alone is encoded faster in plain Python (`kafkasim.log.encode`): a pass in numpy
costs the same for one record and for a hundred. So batches are gathered, of a step or
of many partitions, and written column by column: first all values, then the varints of
all records, then their keys, then the headers of the batches and their CRCs. The bytes
are those of the plain encoder.

What is written goes into an `Arena`, memory that is used again: the first touch of
fresh memory costs more than the encoding.
"""

from typing import Final

import numpy as np
from crc32c import crc32c
from numpy.typing import NDArray

from kafkasim.log.columns import (
    HEADER_DTYPE,
    Bytes,
    Columns,
    Ints,
    PerBatch,
)
from kafkasim.log.gather_alike import AlikeWriter, are_alike, stretches_of
from kafkasim.log.gather_fixed import fixed_layout, write_fixed
from kafkasim.log.gather_heads import are_short, write_heads
from kafkasim.log.gather_plan import Gathered, Plan, chunks, gathered, plan_of
from kafkasim.log.header import (
    COVERED_AT,
    DELETE_HORIZON,
    HEADER_BYTES,
    LOG_APPEND_TIME,
    LOG_OVERHEAD_BYTES,
    MAGIC,
    TRANSACTIONAL,
)
from kafkasim.log.pieces import copy_loosely, copy_pieces, loose_size, words
from kafkasim.log.record_size import varint_bytes_of
from kafkasim.log.varint_columns import write_varints

_CRC_AT: Final = COVERED_AT - 4


class Arena:
    """Memory for encoded batches that is used again.

    Parameters
    ----------
    size_bytes : int
        How large it is at first; it grows as it must.
    """

    __slots__ = ("_memory",)

    def __init__(self, size_bytes: int = 0) -> None:
        self._memory: Bytes = np.empty(size_bytes, dtype=np.uint8)

    def room(self, size_bytes: int) -> Bytes:
        """Return so many bytes of it; what was there before is no longer anyone's."""
        if len(self._memory) < size_bytes:
            grown = max(size_bytes, 2 * len(self._memory))
            self._memory = np.empty(grown, dtype=np.uint8)
        return self._memory[:size_bytes]


def encode_batches(columns: Columns, *, out: Arena | None = None) -> tuple[Bytes, Ints]:
    """Encode many batches in one pass, uncompressed.

    Parameters
    ----------
    columns : Columns
        The records, where batches begin, and what their headers say.
    out : Arena, optional
        Where to; what it held is overwritten. Otherwise fresh memory.

    Returns
    -------
    data : uint8 array of shape (bytes,)
        All batches, back to back; a view of the arena until it is used again.
    positions : int64 array of shape (batches + 1,)
        Where each begins, and at last where they end.

    Raises
    ------
    ValueError
        No batch can be made of them (see `check_columns`), or one is too large.
    """
    source = gathered(columns)
    arena = Arena() if out is None else out
    layout = fixed_layout(columns)
    writer = None
    if layout is None and are_alike(columns):
        writer = AlikeWriter(columns)
    headers = _batch_headers(source)
    positions = np.zeros(columns.batch_count + 1, dtype=np.int64)
    if layout is not None:
        memory = arena.room(layout.batch_bytes * columns.batch_count)
        loose = 0
    else:
        loose = loose_size(columns.values.sizes)
        memory = arena.room(source.most_bytes + loose)
    for first, last in chunks(source):
        at = int(positions[first])
        if layout is not None:
            positions[first : last + 1] = at + layout.batch_bytes * np.arange(
                last + 1 - first
            )
            write_fixed(memory, columns, layout, first, last)
        elif writer and (found := stretches_of(source, first, last, at)):
            positions[first : last + 1] = found.positions
            writer.write(memory, found)
        else:
            plan = plan_of(source, first, last, at)
            positions[first : last + 1] = plan.positions
            _write_records(memory, plan, loose)
        _write_headers(memory, positions[first : last + 1], headers[first:last])
    return memory[: int(positions[-1])], positions


def _write_records(out: Bytes, plan: Plan, loose: int) -> None:
    """Write records of any sizes; the values first, for they spoil what follows."""
    values, tails = plan.values, plan.tails
    value_ends = plan.ends - (1 if tails is None else tails.sizes)
    copy_loosely(out, value_ends - np.maximum(values.sizes, 0), values, loose)
    at = write_heads(out, plan) if are_short(plan) else _write_long_heads(out, plan)
    write_varints(out, at, values.sizes, varint_bytes_of(values.sizes))
    if tails is None:
        out[value_ends] = 0
    else:
        copy_pieces(out, value_ends, tails.data, tails.starts, tails.sizes)


def _write_long_heads(out: Bytes, plan: Plan) -> Ints:
    """Write records up to their keys, of any sizes; return where the keys end."""
    keys, at = plan.keys, plan.starts

    def put(numbers: Ints, widths: Ints) -> Ints:
        write_varints(out, at, numbers, widths)
        return at + widths

    at = put(plan.body_bytes, plan.ends - plan.starts - plan.body_bytes)
    out[at] = 0  # attributes
    at += 1
    at = put(plan.timestamp_deltas_ms, plan.timestamp_widths)
    at = put(plan.offset_deltas, plan.offset_widths)
    at = put(keys.sizes, varint_bytes_of(keys.sizes))
    copy_pieces(out, at, keys.data, keys.starts, keys.sizes)
    return at + np.maximum(keys.sizes, 0)


def _batch_headers(source: Gathered) -> NDArray[np.void]:
    """Return the headers of all batches, lengths and CRCs left out.

    Returns
    -------
    structured array of shape (batches,), dtype `HEADER_DTYPE`
    """
    columns = source.columns
    starts = columns.batch_starts
    counts = np.diff(starts)
    shape = counts.shape
    last = last_offset_deltas(columns)
    appended = np.broadcast_to(columns.log_append_times_ms, shape)
    horizons = np.broadcast_to(columns.delete_horizons_ms, shape)
    headers = np.empty(shape, dtype=HEADER_DTYPE)
    headers["base_offset"] = base_offsets(columns, last)
    headers["leader_epoch"] = columns.leader_epochs
    headers["magic"] = MAGIC
    headers["crc"] = 0
    headers["attributes"] = (
        np.where(appended >= 0, LOG_APPEND_TIME, 0)
        | np.where(np.broadcast_to(columns.transactional, shape), TRANSACTIONAL, 0)
        | np.where((horizons >= 0) & (counts > 0), DELETE_HORIZON, 0)
    )
    headers["last_offset_delta"] = last
    headers["base_timestamp_ms"] = source.base_timestamps_ms
    newest = np.array(np.broadcast_to(columns.max_timestamps_ms, shape), dtype=np.int64)
    filled = np.flatnonzero(counts)
    if len(filled):
        newest[filled] = np.maximum.reduceat(columns.timestamps_ms, starts[:-1][filled])
    headers["max_timestamp_ms"] = np.where(appended >= 0, appended, newest)
    headers["producer_id"] = columns.producer_ids
    headers["producer_epoch"] = columns.producer_epochs
    headers["base_sequence"] = columns.base_sequences
    headers["record_count"] = counts
    return headers


def last_offset_deltas(columns: Columns) -> Ints:
    """Return each batch's last offset delta (int64)."""
    if columns.last_offset_deltas is not None:
        return columns.last_offset_deltas
    starts = columns.batch_starts
    counts = np.diff(starts)
    if columns.offset_deltas is None:
        return counts - 1
    return columns.offset_deltas[starts[1:] - 1]


def base_offsets(columns: Columns, last: Ints) -> PerBatch:
    """Return each batch's base offset; those of batches in a row if none are given."""
    if columns.base_offsets is not None:
        return columns.base_offsets
    spans = last + 1
    return np.cumsum(spans) - spans


def _write_headers(out: Bytes, positions: Ints, headers: NDArray[np.void]) -> None:
    """Lay the headers in, then write each batch's CRC into its own."""
    at = positions[:-1]
    headers["length"] = positions[1:] - at - LOG_OVERHEAD_BYTES
    words(out, HEADER_BYTES)[at] = headers.view(f"V{HEADER_BYTES}")
    crcs = crcs_of(out, at + COVERED_AT, positions[1:])
    words(out, 4)[at + _CRC_AT] = crcs.astype(">u4").view("V4")


def crcs_of(data: Bytes, starts: Ints, ends: Ints) -> NDArray[np.uint32]:
    """Return the CRC-32C of each of some ranges (uint32)."""
    count = len(starts)
    size = int(ends[0] - starts[0]) if count else 0
    step = int(starts[1] - starts[0]) if count > 1 else 0
    evenly = starts[:1] + step * np.arange(count)
    if step > 0 and (starts == evenly).all() and (ends == evenly + size).all():
        # The rows of an array are made faster than slices of a buffer.
        rows = np.ndarray((count, size), np.uint8, data, int(starts[0]), (step, 1))
        return np.fromiter(map(crc32c, rows), dtype=np.uint32, count=count)
    memory = data.data
    ranges = zip(starts.tolist(), ends.tolist(), strict=True)
    return np.array([crc32c(memory[lo:hi]) for lo, hi in ranges], dtype=np.uint32)
