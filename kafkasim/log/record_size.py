"""How many bytes a record takes in a batch of Kafka's format v2.

A record is a varint length and a body: attributes (one byte), the timestamp's and the
offset's distance from the batch's first as varints, key and value with varint lengths
(a null has length −1, one byte), and the number of headers
(`DefaultRecord.sizeInBytes`).
So the same record takes more bytes further back in a batch: a varint grows from one
byte to two at 64, to three at 8192, and so on by factors of 128, for it is zigzag
coded. `MemoryRecordsBuilder.hasRoomFor` counts these real sizes, without compression.

The buffer of a new batch is sized by an upper bound instead (PR-7,
`DefaultRecordBatch.estimateBatchSizeUpperBound`): 61 bytes of batch header, 21 of
record overhead, and the fields.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

BATCH_HEADER_BYTES: Final = 61
"""`DefaultRecordBatch.RECORD_BATCH_OVERHEAD`."""
MAX_RECORD_OVERHEAD_BYTES: Final = 21
"""`DefaultRecord.MAX_RECORD_OVERHEAD`."""
VARINT_STEPS: Final = tuple(1 << (6 + 7 * step) for step in range(9))
"""Values from which a non-negative zigzag varint takes one more byte: 64, 8192, …"""

_ONE_BYTE_DELTAS: Final = 3
"""Attributes, timestamp delta and offset delta at one byte each."""
BOUND_OVER_BODY_BYTES: Final = (
    BATCH_HEADER_BYTES + MAX_RECORD_OVERHEAD_BYTES - _ONE_BYTE_DELTAS
)
"""Bound of a batch with one record minus that record's body with one-byte deltas."""


def varint_bytes(value: int) -> int:
    """Return the bytes of a zigzag varint (`ByteUtils.sizeOfVarint`, `sizeOfVarlong`).

    Examples
    --------
    >>> [varint_bytes(value) for value in (-1, 0, 63, 64, -64, -65, 8191, 8192)]
    [1, 1, 1, 2, 1, 2, 2, 3]
    """
    magnitude = value if value >= 0 else -value - 1
    return 1 + magnitude.bit_length() // 7 if magnitude >= 64 else 1


def record_bytes(
    offset_delta: int, timestamp_delta_ms: int, key_bytes: int, value_bytes: int
) -> int:
    """Return the size of a record without headers in a batch.

    Parameters
    ----------
    offset_delta : int
        Its place in the batch, from 0.
    timestamp_delta_ms : int
        Its timestamp minus that of the batch's first record.
    key_bytes, value_bytes : int
        Sizes; −1 for null.
    """
    body = (
        1
        + varint_bytes(timestamp_delta_ms)
        + varint_bytes(offset_delta)
        + varint_bytes(key_bytes)
        + max(key_bytes, 0)
        + varint_bytes(value_bytes)
        + max(value_bytes, 0)
        + varint_bytes(0)
    )
    return varint_bytes(body) + body


def extra_delta_bytes(offset_delta: int, timestamp_delta_ms: int) -> int:
    """Return by how many bytes the two deltas exceed one byte each."""
    return varint_bytes(offset_delta) + varint_bytes(timestamp_delta_ms) - 2


def varint_bytes_of(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the varint sizes of many values ≥ −1 (int64, bytes)."""
    sizes = np.ones_like(values)
    largest = int(values.max(initial=0))
    for step in VARINT_STEPS:
        if step > largest:
            break
        sizes += values >= step
    return sizes


_TABLED: Final = 1 << 14
"""Sizes below this are looked up."""
_SIZES: Final[NDArray[np.int64]] = np.append(np.arange(_TABLED), -1)
"""0, 1, …, and at the end, where −1 looks, −1."""
_VARINTS: Final = varint_bytes_of(_SIZES)
_FIELDS: Final[NDArray[np.int64]] = _VARINTS + np.maximum(_SIZES, 0)
_SIZED: Final[NDArray[np.int64]] = _VARINTS + _SIZES


def _field_bytes_of(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the bytes of keys or values with their lengths."""
    if int(sizes.max(initial=0)) < _TABLED:
        return _FIELDS.take(sizes)
    return varint_bytes_of(sizes) + np.maximum(sizes, 0)


def body_bytes_of(
    key_bytes: NDArray[np.int64], value_bytes: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the bodies of many records, their deltas at one byte each.

    Parameters
    ----------
    key_bytes, value_bytes : int64 arrays of shape (records,), bytes
        Sizes; −1 for null.

    Returns
    -------
    int64 array of shape (records,), bytes
    """
    body_bytes = _field_bytes_of(key_bytes)
    body_bytes += _field_bytes_of(value_bytes)
    body_bytes += _ONE_BYTE_DELTAS + 1
    return body_bytes


def sized_bodies(body_bytes: NDArray[np.int64], extra: int) -> NDArray[np.int64]:
    """Return whole record sizes of bodies that grew by `extra` bytes (int64)."""
    grown = body_bytes + extra
    if int(grown.max(initial=0)) < _TABLED:
        return _SIZED.take(grown)
    return grown + varint_bytes_of(grown)
