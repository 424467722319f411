"""Encoding columns by whichever encoder is faster for so many.

A pass in numpy costs about 200 microseconds however little it encodes; in that time
plain Python encodes about a hundred records. Both write the same bytes.
"""

from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.log.column_checks import check_columns
from kafkasim.log.columns import Bytes, Columns, Ints, PerBatch
from kafkasim.log.encode import encode_batch
from kafkasim.log.gather import Arena, base_offsets, encode_batches, last_offset_deltas
from kafkasim.log.record import Record

FEW: Final = 150
"""What a pass in numpy costs, in records of the plain encoder."""
_BATCH: Final = 8
"""What the plain encoder does for a batch, in records."""


def encode_columns(columns: Columns, *, out: Arena | None = None) -> tuple[Bytes, Ints]:
    """Encode batches, few or many, uncompressed.

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
        No batch can be made of them: see `check_columns`.
    """
    if columns.record_count + _BATCH * columns.batch_count >= FEW:
        return encode_batches(columns, out=out)
    check_columns(columns)
    batches = encode_plainly(columns)
    positions = np.zeros(len(batches) + 1, dtype=np.int64)
    np.cumsum([len(batch) for batch in batches], out=positions[1:])
    data = (Arena() if out is None else out).room(int(positions[-1]))
    data[:] = np.frombuffer(b"".join(batches), dtype=np.uint8)
    return data, positions


def encode_plainly(columns: Columns) -> list[bytes]:
    """Encode batches one by one, by the plain encoder."""
    headers = columns.headers or [()] * columns.record_count
    fields = columns.timestamps_ms.tolist(), columns.keys, columns.values, headers
    records = [Record(*each) for each in zip(*fields, strict=True)]
    deltas = columns.offset_deltas
    last_deltas = last_offset_deltas(columns)
    ranges = pairwise(columns.batch_starts.tolist())
    per_batch = (
        _each(columns, value)
        for value in (
            base_offsets(columns, last_deltas),
            columns.leader_epochs,
            columns.producer_ids,
            columns.producer_epochs,
            columns.base_sequences,
            columns.transactional,
            columns.log_append_times_ms,
            columns.delete_horizons_ms,
            columns.max_timestamps_ms,
            last_deltas,
        )
    )
    return [
        encode_batch(
            records[lo:hi],
            base_offset=base,
            leader_epoch=leader_epoch,
            producer_id=producer_id,
            producer_epoch=epoch,
            base_sequence=sequence,
            transactional=transactional,
            log_append_time_ms=None if append_ms < 0 else append_ms,
            delete_horizon_ms=None if horizon_ms < 0 else horizon_ms,
            max_timestamp_ms=max_ms,
            offset_deltas=None if deltas is None else deltas[lo:hi].tolist(),
            last_offset_delta=last,
        )
        for (lo, hi), (
            base,
            leader_epoch,
            producer_id,
            epoch,
            sequence,
            transactional,
            append_ms,
            horizon_ms,
            max_ms,
            last,
        ) in zip(ranges, zip(*per_batch, strict=True), strict=True)
    ]


def _each(columns: Columns, value: PerBatch | NDArray[np.bool_]) -> list[Any]:
    """Return a value for each batch."""
    if isinstance(value, int):
        return [value] * columns.batch_count
    return list(np.asarray(value).tolist())
