"""What columns must be, so that a batch can be made of them.

What is refused here, Kafka's own builder refuses too (`MemoryRecordsBuilder`), or the
field of the format cannot hold.
"""

from typing import Final

import numpy as np

from kafkasim.log.columns import Columns, Ints
from kafkasim.log.header import (
    NO_PRODUCER_EPOCH,
    NO_PRODUCER_ID,
    NO_TIMESTAMP,
)

_FIELD_BITS: Final = {
    "leader_epochs": 32,
    "producer_epochs": 16,
    "base_sequences": 32,
    "last_offset_deltas": 32,
    "offset_deltas": 32,
}


def check_columns(columns: Columns) -> None:
    """Refuse columns that make no batches.

    Raises
    ------
    ValueError
        The columns do not fit each other, an item lies outside its buffer, or no batch
        can have a value; the text says which.
    """
    _check_shapes(columns)
    columns.keys.check()
    columns.values.check()
    records = columns.record_count
    if records and int(columns.timestamps_ms.min()) < NO_TIMESTAMP:
        least = int(columns.timestamps_ms.min())
        raise ValueError(f"invalid negative timestamp {least}")
    for name, bits in _FIELD_BITS.items():
        _check_range(name, getattr(columns, name), bits)
    if columns.offset_deltas is not None:
        _check_rising(columns.offset_deltas, columns.batch_starts)
    _check_producers(columns)


def _check_shapes(columns: Columns) -> None:
    """Refuse columns that are not of as many records and batches."""
    records, starts = columns.record_count, columns.batch_starts
    if len(columns.keys) != records or len(columns.values) != records:
        raise ValueError(
            f"{records:,} timestamps, {len(columns.keys):,} keys and"
            f" {len(columns.values):,} values"
        )
    if (
        not len(starts)
        or starts[0] != 0
        or starts[-1] != records
        or bool((starts[1:] < starts[:-1]).any())
    ):
        raise ValueError(f"batch_starts must rise from 0 to the {records:,} records")
    for name in ("headers", "offset_deltas"):
        column = getattr(columns, name)
        if column is not None and len(column) != records:
            raise ValueError(f"{name} of {len(column):,} of {records:,} records")
    if columns.last_offset_deltas is None and bool((starts[1:] == starts[:-1]).any()):
        raise ValueError("a batch without records needs its last_offset_delta")


def _check_range(name: str, values: Ints | None, bits: int) -> None:
    """Refuse numbers that a field of so many bits cannot hold."""
    if values is None or not np.size(values):
        return
    least, most = int(np.min(values)), int(np.max(values))
    if least < -(1 << (bits - 1)) or most >= 1 << (bits - 1):
        raise ValueError(f"{name} {least} … {most} do not fit {bits} bits")


def _check_rising(deltas: Ints, starts: Ints) -> None:
    """Refuse offsets that do not rise within a batch."""
    rises = np.ones(len(deltas), dtype=np.bool_)
    rises[1:] = deltas[1:] > deltas[:-1]
    firsts = starts[:-1][starts[1:] > starts[:-1]]
    rises[firsts] = deltas[firsts] >= 0
    if not rises.all():
        at = int(rises.argmin())
        raise ValueError(
            f"offset delta {int(deltas[at])} of record {at:,} does not rise"
        )


def _check_producers(columns: Columns) -> None:
    """Refuse what `MemoryRecordsBuilder.validateProducerState` refuses."""
    shape = (columns.batch_count,)
    ids = np.broadcast_to(columns.producer_ids, shape)
    some = ids != NO_PRODUCER_ID
    if (np.broadcast_to(columns.transactional, shape) & ~some).any():
        raise ValueError("a transactional batch needs a producer id")
    epochs = np.broadcast_to(columns.producer_epochs, shape)
    if (some & (epochs == NO_PRODUCER_EPOCH)).any():
        raise ValueError("a batch with a producer id needs a producer epoch")
    if (some & (np.broadcast_to(columns.base_sequences, shape) < 0)).any():
        raise ValueError("a batch with a producer id needs a base sequence")
