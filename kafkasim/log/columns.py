"""Records as columns: what many batches are encoded from and decoded to.

A column of keys or values is a `Blob`: one buffer of bytes, and where each item lies in
it. So a million values are three arrays and not a million objects, several items may
lie in the same place (keys out of a small dictionary), and what is decoded from a log
stays where it is: its values are views of the log's own bytes.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, overload

import numpy as np
from numpy.typing import NDArray

from kafkasim.log.header import (
    CONTROL,
    HEADER_BYTES,
    NO_LEADER_EPOCH,
    NO_PRODUCER_EPOCH,
    NO_PRODUCER_ID,
    NO_SEQUENCE,
    NO_TIMESTAMP,
    BatchHeader,
)

NULL_SIZE: Final = -1
"""Size of an item that is null."""

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]
Headers = tuple[tuple[str, bytes | None], ...]
"""The headers of one record: names and values."""
Buffer = bytes | bytearray | memoryview | Bytes

HEADER_DTYPE: Final = np.dtype(
    [
        ("base_offset", ">i8"),
        ("length", ">i4"),
        ("leader_epoch", ">i4"),
        ("magic", "i1"),
        ("crc", ">u4"),
        ("attributes", ">i2"),
        ("last_offset_delta", ">i4"),
        ("base_timestamp_ms", ">i8"),
        ("max_timestamp_ms", ">i8"),
        ("producer_id", ">i8"),
        ("producer_epoch", ">i2"),
        ("base_sequence", ">i4"),
        ("record_count", ">i4"),
    ]
)
"""The 61 bytes of a batch header as they lie in a log (`DefaultRecordBatch`)."""
assert HEADER_DTYPE.itemsize == HEADER_BYTES

BATCH_DTYPE: Final = np.dtype(
    [
        ("position", np.int64),
        ("size_bytes", np.int64),
        *(
            (name, HEADER_DTYPE[name].newbyteorder("="))
            for name in HEADER_DTYPE.names or ()
            if name != "length"
        ),
    ]
)
"""A batch header in native numbers, with the batch's position and whole size."""


def bytes_of(buffer: Buffer) -> Bytes:
    """Return bytes as an array, uint8 of shape (bytes,); a view, nothing is copied."""
    if isinstance(buffer, np.ndarray):
        return buffer
    return np.frombuffer(buffer, dtype=np.uint8)


class Blob:
    """A column of byte strings in one buffer.

    Parameters
    ----------
    data : bytes-like or uint8 array of shape (bytes,)
        Where the items lie; kept as it is.
    starts : int64 array of shape (items,), bytes
        Where each begins.
    sizes : int64 array of shape (items,), bytes
        How long each is; −1 for null.

    Examples
    --------
    >>> blob = Blob.of([b"Gander", None, b""])
    >>> len(blob), blob[0], blob[1], blob[2]
    (3, b'Gander', None, b'')
    >>> blob.take(np.array([0, 0])).tolist()
    [b'Gander', b'Gander']
    """

    __slots__ = ("data", "sizes", "starts")

    def __init__(self, data: Buffer, starts: Ints, sizes: Ints) -> None:
        self.data = bytes_of(data)
        self.starts = starts
        self.sizes = sizes

    @classmethod
    def of(cls, items: Iterable[bytes | None]) -> "Blob":
        """Return a column that holds a copy of the items."""
        kept = list(items)
        sizes = np.array(
            [NULL_SIZE if item is None else len(item) for item in kept], dtype=np.int64
        )
        return cls.packed(b"".join(item for item in kept if item), sizes)

    @classmethod
    def packed(cls, data: Buffer, sizes: Ints) -> "Blob":
        """Return a column of items that lie back to back in a buffer."""
        starts = np.zeros(len(sizes), dtype=np.int64)
        np.cumsum(np.maximum(sizes[:-1], 0), out=starts[1:])
        return cls(data, starts, sizes)

    @classmethod
    def nulls(cls, count: int) -> "Blob":
        """Return a column of so many nulls."""
        return cls(b"", np.zeros(count, np.int64), np.full(count, NULL_SIZE, np.int64))

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.sizes)

    @overload
    def __getitem__(self, index: int) -> bytes | None: ...
    @overload
    def __getitem__(self, index: slice) -> "Blob": ...
    def __getitem__(self, index: int | slice) -> "bytes | Blob | None":
        """Return a copy of one item, or the column of a slice in the same buffer."""
        if isinstance(index, slice):
            return Blob(self.data, self.starts[index], self.sizes[index])
        size = int(self.sizes[index])
        start = int(self.starts[index])
        return None if size < 0 else self.data[start : start + size].tobytes()

    def take(self, indices: NDArray[np.integer]) -> "Blob":
        """Return the items at some indices, in the same buffer."""
        return Blob(self.data, self.starts.take(indices), self.sizes.take(indices))

    def __iter__(self) -> Iterator[bytes | None]:
        """Yield a copy of each item."""
        data = self.data.data
        ends = self.starts + self.sizes
        for start, end in zip(self.starts.tolist(), ends.tolist(), strict=True):
            yield None if end < start else bytes(data[start:end])

    def tolist(self) -> list[bytes | None]:
        """Return copies of all items."""
        return list(self)

    @property
    def is_packed(self) -> bool:
        """Whether every item begins where the one before ends."""
        ends = self.starts[:-1] + np.maximum(self.sizes[:-1], 0)
        return bool((self.starts[1:] == ends).all())

    def check(self) -> None:
        """Raise ValueError when an item does not lie within the buffer."""
        if len(self.starts) != len(self.sizes):
            raise ValueError(
                f"{len(self.starts):,} starts for {len(self.sizes):,} sizes"
            )
        if not len(self.sizes):
            return
        if (
            int(self.starts.min()) < 0
            or int(self.starts.max()) > len(self.data)
            or int(self.sizes.min()) < NULL_SIZE
            or int((self.starts + self.sizes).max()) > len(self.data)
        ):
            raise ValueError("an item lies outside the buffer of its column")


PerBatch = Ints | Sequence[int] | int
"""A value for each batch, or one for all."""


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Records of many batches, and what their headers shall say.

    Parameters
    ----------
    timestamps_ms : int64 array of shape (records,), milliseconds
        Each record's timestamp; none of them need be in order.
    keys, values : Blob of as many items
        Null where the size is −1.
    batch_starts : int64 array of shape (batches + 1,)
        The first record of each batch, and at the end the number of records. Two equal
        ones are a batch without records, as compaction leaves behind.
    headers : sequence of tuples, optional
        Each record's headers; None if no record has any.
    offset_deltas : int64 array of shape (records,), optional
        Each record's offset minus the base offset of its batch, rising; otherwise
        0, 1, …
    last_offset_deltas : int64 array of shape (batches,), optional
        What the header says; otherwise the last record's. A batch without records
        needs it.
    base_offsets : int64 array of shape (batches,) or int, optional
        Otherwise each batch follows the one before, from 0 on.
    leader_epochs, producer_ids, producer_epochs, base_sequences : array or int
        Per batch or one for all; −1 is none.
    transactional : bool array of shape (batches,) or bool
        Whether the batch belongs to a transaction.
    log_append_times_ms : int64 array of shape (batches,) or int, milliseconds
        When the broker stamped the batch; −1 if it did not (CreateTime).
    delete_horizons_ms : int64 array of shape (batches,) or int, milliseconds
        When tombstones may go; −1 for a batch that has no such time. One without
        records has none.
    max_timestamps_ms : int64 array of shape (batches,) or int, milliseconds
        Of batches without records: what stood there before they went.
    """

    timestamps_ms: Ints
    keys: Blob
    values: Blob
    batch_starts: Ints
    headers: Sequence[Headers] | None = None
    offset_deltas: Ints | None = None
    last_offset_deltas: Ints | None = None
    base_offsets: PerBatch | None = None
    leader_epochs: PerBatch = NO_LEADER_EPOCH
    producer_ids: PerBatch = NO_PRODUCER_ID
    producer_epochs: PerBatch = NO_PRODUCER_EPOCH
    base_sequences: PerBatch = NO_SEQUENCE
    transactional: NDArray[np.bool_] | bool = False
    log_append_times_ms: PerBatch = NO_TIMESTAMP
    delete_horizons_ms: PerBatch = NO_TIMESTAMP
    max_timestamps_ms: PerBatch = NO_TIMESTAMP

    @property
    def record_count(self) -> int:
        """Records in all batches."""
        return len(self.timestamps_ms)

    @property
    def batch_count(self) -> int:
        """Batches, those without records too."""
        return len(self.batch_starts) - 1


@dataclass(frozen=True, slots=True, eq=False)
class DecodedColumns:
    """What `decode_columns` found.

    Parameters
    ----------
    batches : structured array of shape (batches,), dtype `BATCH_DTYPE`
        The headers, with the position of each batch in the bytes that were read.
    offsets : int64 array of shape (records,)
        Offset of each record.
    timestamps_ms : int64 array of shape (records,), milliseconds
        Timestamp of each; of a batch that the broker stamped, that of the batch.
    keys, values : Blob
        In the bytes that were read, or in decompressed ones.
    batch : int32 array of shape (records,)
        Index into `batches`.
    headers : sequence of tuples, optional
        Each record's headers; None if no record has any.
    """

    batches: NDArray[np.void]
    offsets: Ints
    timestamps_ms: Ints
    keys: Blob
    values: Blob
    batch: NDArray[np.int32]
    headers: Sequence[Headers] | None = None

    @property
    def record_count(self) -> int:
        """Records in all batches, transaction markers among them."""
        return len(self.offsets)

    @property
    def is_control(self) -> NDArray[np.bool_]:
        """Whether each record is a transaction's marker, bool of shape (records,)."""
        controls: NDArray[np.bool_] = (self.batches["attributes"] & CONTROL) != 0
        return controls.take(self.batch)

    def header(self, index: int) -> BatchHeader:
        """Return the header of a batch."""
        _, size_bytes, base_offset, *rest = self.batches[index].tolist()
        return BatchHeader(base_offset, size_bytes, *rest)
