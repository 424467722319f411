"""Where every record and batch will lie, before a byte of them is written.

The exact size of a record follows from its deltas, its key's and its value's size and
its headers (`DefaultRecord.sizeInBytes`); one running sum over the records and the
headers of the batches gives every place.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from kafkasim.log.columns import Blob, Columns, Headers, Ints
from kafkasim.log.encode import encoded_headers
from kafkasim.log.header import HEADER_BYTES, NO_TIMESTAMP
from kafkasim.log.record_size import varint_bytes_of
from kafkasim.log.varint_columns import is_one_byte, widths_of

MOST_BATCH_BYTES: Final = (1 << 31) - 1
"""What the length of a batch can say."""
_NO_HEADERS: Final = b"\0"


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Sizes and places.

    Parameters
    ----------
    offset_deltas, timestamp_deltas_ms : int64 arrays of shape (records,)
        What each record says of itself.
    offset_widths, timestamp_widths, key_widths, value_widths : int64, of that shape
        Bytes of the varints of those two and of the sizes of key and value.
    body_bytes, body_widths : int64 arrays of shape (records,)
        Bytes after the length, and of the length.
    starts, ends : int64 arrays of shape (records,), bytes
        Where each record lies.
    positions : int64 array of shape (batches + 1,), bytes
        Where each batch begins, and at last where all end.
    tails : Blob, optional
        The encoded headers of each record, their count before them; None if every one
        is the single byte of no headers.
    """

    offset_deltas: Ints
    timestamp_deltas_ms: Ints
    offset_widths: Ints
    timestamp_widths: Ints
    key_widths: Ints
    value_widths: Ints
    body_bytes: Ints
    body_widths: Ints
    starts: Ints
    ends: Ints
    positions: Ints
    tails: Blob | None


def base_timestamps(columns: Columns) -> Ints:
    """Return what each batch's timestamps count from (int64, milliseconds).

    The first record's timestamp, or the delete horizon if there is one; −1 for a batch
    without records (`DefaultRecordBatch.writeEmptyHeader`).
    """
    starts = columns.batch_starts
    filled = starts[1:] > starts[:-1]
    base = np.full(columns.batch_count, NO_TIMESTAMP, dtype=np.int64)
    base[filled] = columns.timestamps_ms[starts[:-1][filled]]
    horizons = np.broadcast_to(columns.delete_horizons_ms, base.shape)
    return np.where(filled & (horizons >= 0), horizons, base)


def _tails(headers: Sequence[Headers] | None) -> Blob | None:
    """Return the encoded headers of each record; equal ones are encoded once."""
    if headers is None or not any(headers):
        return None
    there_are: dict[Headers, int] = {}
    ids = [there_are.setdefault(tuple(each), len(there_are)) for each in headers]
    encoded: Iterable[bytes] = map(encoded_headers, there_are)
    return Blob.of(encoded).take(np.array(ids))


def plan_of(columns: Columns) -> Plan:
    """Return the places of all records and batches of some columns.

    Raises
    ------
    ValueError
        A batch takes more bytes than its length can say.
    """
    starts = columns.batch_starts
    counts = np.diff(starts)
    offset_deltas = columns.offset_deltas
    if offset_deltas is None:
        offset_deltas = np.arange(columns.record_count) - np.repeat(starts[:-1], counts)
    timestamp_deltas = columns.timestamps_ms - np.repeat(
        base_timestamps(columns), counts
    )
    tails = _tails(columns.headers)
    key_bytes, value_bytes = columns.keys.sizes, columns.values.sizes
    offset_widths, timestamp_widths = _widths(offset_deltas), _widths(timestamp_deltas)
    key_widths, value_widths = varint_bytes_of(key_bytes), varint_bytes_of(value_bytes)
    body_bytes = offset_widths + timestamp_widths
    body_bytes += key_widths
    body_bytes += value_widths
    body_bytes += np.maximum(key_bytes, 0)
    body_bytes += np.maximum(value_bytes, 0)
    body_bytes += 1 + (len(_NO_HEADERS) if tails is None else tails.sizes)
    body_widths = varint_bytes_of(body_bytes)
    ends = np.cumsum(body_bytes + body_widths)
    batch_ends = np.zeros(len(starts), dtype=np.int64)
    batch_ends[1:] = np.append(0, ends)[starts[1:]]
    positions = batch_ends + np.arange(len(starts)) * HEADER_BYTES
    if len(counts) and int(np.diff(positions).max()) > MOST_BATCH_BYTES:
        raise ValueError("a batch takes more than 2,147,483,647 bytes")
    ends += np.repeat(np.arange(1, len(starts)) * HEADER_BYTES, counts)
    return Plan(
        offset_deltas,
        timestamp_deltas,
        offset_widths,
        timestamp_widths,
        key_widths,
        value_widths,
        body_bytes,
        body_widths,
        ends - body_bytes - body_widths,
        ends,
        positions,
        tails,
    )


def _widths(values: Ints) -> Ints:
    """Return the bytes of varints that mostly have one."""
    return np.ones_like(values) if is_one_byte(values) else widths_of(values)


def encoded_sizes(columns: Columns) -> Ints:
    """Return the exact size of each batch, none of them encoded.

    Returns
    -------
    int64 array of shape (batches,), bytes
    """
    columns.check()
    return np.diff(plan_of(columns).positions)
