"""Where every record and batch will lie, before a byte of them is written.

The exact size of a record follows from its deltas, its key's and its value's size and
its headers (`DefaultRecord.sizeInBytes`); one running sum over the records and the
headers of the batches gives every place.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from kafkasim.log.column_checks import check_columns
from kafkasim.log.columns import Blob, Columns, Headers, Ints
from kafkasim.log.encode import encoded_headers
from kafkasim.log.header import HEADER_BYTES, NO_TIMESTAMP
from kafkasim.log.pieces import total_bytes
from kafkasim.log.record_size import body_bytes_of, sized_bodies
from kafkasim.log.varint_columns import is_one_byte, widths_of

MOST_BATCH_BYTES: Final = (1 << 31) - 1
"""What the length of a batch can say."""
CHUNK_RECORDS: Final = 1 << 14
CHUNK_BYTES: Final = 1 << 21
"""About so many records and bytes are finished, CRC and all, before the next."""
_NO_HEADERS: Final = b"\0"
_MOST_RECORD_OVERHEAD_BYTES: Final = 5 + 1 + 10 + 5 + 5 + 5 + len(_NO_HEADERS)
"""Length, attributes, the two deltas, the two sizes, and no headers."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Sizes and places of a range of batches and of their records.

    Parameters
    ----------
    keys, values : Blob
        Of the records of this range.
    offset_deltas, timestamp_deltas_ms : int64 arrays of shape (records,)
        What each record says of itself.
    offset_widths, timestamp_widths : int64 arrays of shape (records,)
        Bytes of the varints of those two.
    body_bytes : int64 array of shape (records,)
        Bytes after the length.
    starts, ends : int64 arrays of shape (records,), bytes
        Where each record lies.
    positions : int64 array of shape (batches + 1,), bytes
        Where each batch begins, and at last where all end.
    tails : Blob, optional
        The encoded headers of each record, their count before them; None if every one
        is the single byte of no headers.
    """

    keys: Blob
    values: Blob
    offset_deltas: Ints
    timestamp_deltas_ms: Ints
    offset_widths: Ints
    timestamp_widths: Ints
    body_bytes: Ints
    starts: Ints
    ends: Ints
    positions: Ints
    tails: Blob | None


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """Columns, checked, and what is found once for all their batches.

    Parameters
    ----------
    columns : Columns
        The records.
    base_timestamps_ms : int64 array of shape (batches,), milliseconds
        What the timestamps of each batch count from.
    tails : Blob, optional
        See `Plan`, of all records.
    most_bytes : int
        Bytes that the batches do not exceed.
    """

    columns: Columns
    base_timestamps_ms: Ints
    tails: Blob | None
    most_bytes: int


def gathered(columns: Columns) -> Gathered:
    """Check columns, and find what concerns all their batches.

    Raises
    ------
    ValueError
        See `check_columns`.
    """
    check_columns(columns)
    tails = _tails(columns.headers)
    most_bytes = (
        columns.batch_count * HEADER_BYTES
        + columns.record_count * _MOST_RECORD_OVERHEAD_BYTES
        + total_bytes(columns.keys.sizes)
        + total_bytes(columns.values.sizes)
        + (0 if tails is None else int(tails.sizes.sum()))
    )
    return Gathered(columns, _base_timestamps(columns), tails, most_bytes)


def _base_timestamps(columns: Columns) -> Ints:
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


def plan_of(source: Gathered, first: int, last: int, at: int) -> Plan:
    """Return the places of some batches and of their records.

    Parameters
    ----------
    source : Gathered
        The records.
    first, last : int
        The first of the batches, and one past the last.
    at : int
        Where the first is to begin.

    Raises
    ------
    ValueError
        A batch takes more bytes than its length can say.
    """
    columns = source.columns
    starts = columns.batch_starts[first : last + 1]
    records = slice(int(starts[0]), int(starts[-1]))
    starts = starts - starts[0]
    counts = starts[1:] - starts[:-1]
    keys, values = columns.keys[records], columns.values[records]
    if columns.offset_deltas is None:
        offset_deltas = np.arange(int(starts[-1])) - np.repeat(starts[:-1], counts)
    else:
        offset_deltas = columns.offset_deltas[records]
    base_ms = source.base_timestamps_ms[first:last]
    timestamp_deltas = columns.timestamps_ms[records] - np.repeat(base_ms, counts)
    tails = None if source.tails is None else source.tails[records]
    offset_widths, timestamp_widths = _widths(offset_deltas), _widths(timestamp_deltas)
    body_bytes = offset_widths + timestamp_widths
    body_bytes += body_bytes_of(keys.sizes, values.sizes) - 2  # those two at one byte
    if tails is not None:
        body_bytes += tails.sizes - len(_NO_HEADERS)
    sizes = sized_bodies(body_bytes, 0)
    ends = np.cumsum(sizes)
    batch_ends = np.zeros(len(starts), dtype=np.int64)
    filled = starts > 0
    batch_ends[filled] = ends[starts[filled] - 1]
    positions = batch_ends + np.arange(len(starts)) * HEADER_BYTES + at
    check_sizes(positions)
    ends += np.repeat(at + np.arange(1, len(starts)) * HEADER_BYTES, counts)
    return Plan(
        keys,
        values,
        offset_deltas,
        timestamp_deltas,
        offset_widths,
        timestamp_widths,
        body_bytes,
        ends - sizes,
        ends,
        positions,
        tails,
    )


def check_sizes(positions: Ints) -> None:
    """Raise ValueError when a batch takes more bytes than its length can say."""
    if int(np.diff(positions).max(initial=0)) > MOST_BATCH_BYTES:
        raise ValueError("a batch takes more than 2,147,483,647 bytes")


def _widths(values: Ints) -> Ints:
    """Return the bytes of varints that mostly have one."""
    return np.ones_like(values) if is_one_byte(values) else widths_of(values)


def chunks(source: Gathered) -> list[tuple[int, int]]:
    """Return ranges of batches that are small enough to stay in the cache."""
    columns = source.columns
    records = columns.record_count
    if not columns.batch_count or not records:
        return [(0, columns.batch_count)] if columns.batch_count else []
    mean_bytes = 1 + source.most_bytes // records
    step = min(max(CHUNK_BYTES // mean_bytes, 1), CHUNK_RECORDS)
    marks = np.searchsorted(columns.batch_starts, range(0, records, step))
    return list(pairwise(np.unique(np.append(marks, columns.batch_count)).tolist()))


def encoded_sizes(columns: Columns) -> Ints:
    """Return the exact size of each batch, none of them encoded.

    Returns
    -------
    int64 array of shape (batches,), bytes
    """
    source = gathered(columns)
    plans = (plan_of(source, first, last, 0) for first, last in chunks(source))
    sizes = [np.diff(plan.positions) for plan in plans]
    return np.concatenate(sizes) if sizes else np.zeros(0, dtype=np.int64)
