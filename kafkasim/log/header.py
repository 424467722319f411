"""The header of a record batch, format v2: 61 bytes, big-endian.

Source: `org.apache.kafka.common.record.internal.DefaultRecordBatch` (4.3).
"""

import struct
from typing import Final, NamedTuple

HEADER_BYTES: Final = 61
"""`DefaultRecordBatch.RECORD_BATCH_OVERHEAD`."""
LOG_OVERHEAD_BYTES: Final = 12
"""Base offset and length: what the length does not count (`Records.LOG_OVERHEAD`)."""
MAGIC: Final = 2
NO_TIMESTAMP: Final = -1
"""`RecordBatch.NO_TIMESTAMP`."""
NO_PRODUCER_ID: Final = -1
NO_PRODUCER_EPOCH: Final = -1
NO_SEQUENCE: Final = -1
NO_LEADER_EPOCH: Final = -1
"""What stands where there is none (`RecordBatch`)."""

CODECS: Final = ("none", "gzip", "snappy", "lz4", "zstd")
"""Names of the compression codecs, by their number (`CompressionType`)."""

CODEC_MASK: Final = 0x07
LOG_APPEND_TIME: Final = 0x08
TRANSACTIONAL: Final = 0x10
CONTROL: Final = 0x20
DELETE_HORIZON: Final = 0x40
"""Bits of the attributes."""

PREFIX: Final = struct.Struct(">qiibI")
"""Base offset, length, leader epoch, magic, CRC: what the CRC does not cover."""
COVERED: Final = struct.Struct(">hiqqqhii")
"""Attributes, last offset delta, base and max timestamp, producer id, producer epoch,
base sequence, record count: with the records that follow, what the CRC covers."""
COVERED_AT: Final = PREFIX.size
"""Where in a batch the CRC begins to cover: byte 21."""
_ALL: Final = struct.Struct(">qiibIhiqqqhii")


class BatchHeader(NamedTuple):
    """A batch's header; all but `size_bytes` as it stands in the bytes."""

    base_offset: int
    """Offset of its first record, also when compaction has removed that one."""
    size_bytes: int
    """Bytes of the whole batch: the length field and the 12 bytes it leaves out."""
    leader_epoch: int
    """Epoch of the leader that appended it; −1 before."""
    magic: int
    """Version of the format: 2."""
    crc: int
    """CRC-32C of all bytes from the attributes on."""
    attributes: int
    """Codec, and the bits of this module."""
    last_offset_delta: int
    """Offset of its last record as appended, minus the base offset."""
    base_timestamp_ms: int
    """Timestamp that the records' deltas count from; the delete horizon, if there is
    one; −1 if it has no records."""
    max_timestamp_ms: int
    """Largest timestamp of its records; of a batch stamped by the broker, theirs."""
    producer_id: int
    producer_epoch: int
    base_sequence: int
    """Sequence number of the first record; −1, as those two, if there is none."""
    record_count: int
    """Records that are in it."""

    @property
    def last_offset(self) -> int:
        """Offset of its last record, as appended."""
        return self.base_offset + self.last_offset_delta

    @property
    def next_offset(self) -> int:
        """Offset after its last."""
        return self.base_offset + self.last_offset_delta + 1

    @property
    def last_sequence(self) -> int:
        """Sequence number of its last record, wrapped; −1 if there are none.

        As `DefaultRecordBatch.incrementSequence`: after 2147483647 comes 0.
        """
        if self.base_sequence < 0:
            return NO_SEQUENCE
        return (self.base_sequence + self.last_offset_delta) % (1 << 31)

    @property
    def codec(self) -> int:
        """Number of its codec, an index into `CODECS` if it is a known one."""
        return self.attributes & CODEC_MASK

    @property
    def is_log_append_time(self) -> bool:
        """Whether the broker stamped it: all its records have `max_timestamp_ms`."""
        return bool(self.attributes & LOG_APPEND_TIME)

    @property
    def is_transactional(self) -> bool:
        """Whether it belongs to a transaction."""
        return bool(self.attributes & TRANSACTIONAL)

    @property
    def is_control(self) -> bool:
        """Whether its record is a transaction's marker, and no data."""
        return bool(self.attributes & CONTROL)

    @property
    def delete_horizon_ms(self) -> int | None:
        """When its tombstones and markers may go; None before a first compaction."""
        return self.base_timestamp_ms if self.attributes & DELETE_HORIZON else None

    def pack(self) -> bytes:
        """Return the 61 bytes; the CRC is the one that the header says."""
        return _ALL.pack(
            self.base_offset,
            self.size_bytes - LOG_OVERHEAD_BYTES,
            *self[2:],
        )


def unpack_header(data: bytes | bytearray | memoryview, position: int) -> BatchHeader:
    """Return the header at a position, nothing in it checked.

    Parameters
    ----------
    data : bytes-like
        At least 61 bytes from `position` on.
    position : int
        Where the batch begins.

    Raises
    ------
    struct.error
        There are fewer bytes.
    """
    base_offset, length, *rest = _ALL.unpack_from(data, position)
    fields = (base_offset, length + LOG_OVERHEAD_BYTES, *rest)
    return tuple.__new__(BatchHeader, fields)  # as _make, without its call
