"""Read a record batch, and never trust what it says of itself.

A CRC that is right proves nothing about counts and lengths: whoever wrote them may have
written nonsense. So nothing here loops or takes memory by a number read from the bytes.

Source: `DefaultRecordBatch` (`ensureValid`, `RecordIterator`) and
`DefaultRecord.readFrom`; sizes and magic, `ByteBufferLogInputStream`.
"""

import struct
from typing import Final

from crc32c import crc32c

from kafkasim.errors import CorruptBatchError
from kafkasim.log.compression import MOST_BYTES, decompress
from kafkasim.log.header import (
    COVERED_AT,
    HEADER_BYTES,
    LOG_APPEND_TIME,
    MAGIC,
    BatchHeader,
    unpack_header,
)
from kafkasim.log.record import Record
from kafkasim.log.varint import ONE_BYTE_VARINTS, VARLONG_BYTES, read_varint

Bytes = bytes | bytearray | memoryview

_FAR: Final = 1 << 62
_MARKER_KEY: Final = struct.Struct(">hh")
_MARKER_KINDS: Final[dict[int, str]] = {0: "abort", 1: "commit"}


def check_batch(
    data: Bytes, position: int = 0, *, check_crc: bool = True
) -> BatchHeader:
    """Return the header of the batch at a position, if it is a whole and sound one.

    Parameters
    ----------
    data : bytes-like
        What holds the batch.
    position : int
        Where it begins.
    check_crc : bool
        Whether to compute its CRC.

    Raises
    ------
    CorruptBatchError
        The bytes end within it, its length is below a header's, its magic is not 2, or
        its CRC is another.
    """
    room = len(data) - position
    if position < 0 or room < HEADER_BYTES:
        raise CorruptBatchError(
            f"{max(room, 0)} bytes are fewer than a batch's header has", position
        )
    header = unpack_header(data, position)
    if header.magic != MAGIC:
        raise CorruptBatchError(f"magic is {header.magic}, not {MAGIC}", position)
    if header.size_bytes < HEADER_BYTES:
        raise CorruptBatchError(
            f"a size of {header.size_bytes} bytes is below a header's {HEADER_BYTES}",
            position,
        )
    if header.size_bytes > room:
        raise CorruptBatchError(
            f"the batch should have {header.size_bytes} bytes, {room} are there",
            position,
        )
    if check_crc:
        covered = memoryview(data)[position + COVERED_AT : position + header.size_bytes]
        crc = crc32c(covered)
        if crc != header.crc:
            raise CorruptBatchError(
                f"the CRC says {header.crc:#010x}, the bytes have {crc:#010x}", position
            )
    return header


def decode_batch(
    data: Bytes,
    position: int = 0,
    *,
    check_crc: bool = True,
    most_bytes: int = MOST_BYTES,
) -> list[Record]:
    """Return the records of the batch at a position, in order, with their offsets.

    Parameters
    ----------
    data : bytes-like
        What holds the batch.
    position : int
        Where it begins.
    check_crc : bool
        Whether to check its CRC first.
    most_bytes : int
        Most bytes that its records may have decompressed.

    Raises
    ------
    CorruptBatchError
        It is no sound batch: see `check_batch`; or its records are not what its header
        says, even if its CRC is right.
    MissingExtraError
        The library of its codec is not installed.
    """
    header = check_batch(data, position, check_crc=check_crc)
    if not header.record_count:
        return []  # what follows is not looked at, as `DefaultRecordBatch.iterator`
    if header.record_count < 0:
        raise CorruptBatchError(f"a batch of {header.record_count} records", position)
    body = bytes(
        memoryview(data)[position + HEADER_BYTES : position + header.size_bytes]
    )
    try:
        if header.codec:
            body = decompress(header.codec, body, most_bytes=most_bytes)
        return _records(body, header)
    except CorruptBatchError as error:
        raise CorruptBatchError(error.text, position) from error
    except IndexError:
        raise CorruptBatchError("the bytes end within a record", position) from None
    except ValueError as error:
        raise CorruptBatchError(str(error), position) from None


def _records(  # noqa: PLR0912 - hot path: a call a field would cost most of it
    body: bytes, header: BatchHeader
) -> list[Record]:
    """Return the records of a batch's decompressed bytes.

    Raises
    ------
    IndexError
        The bytes end within a record.
    ValueError
        A length or count is not what it should be.
    """
    base_offset = header.base_offset
    base_ms = header.base_timestamp_ms
    new = tuple.__new__
    numbers = ONE_BYTE_VARINTS
    records: list[Record] = []
    at = 0
    for _ in range(header.record_count):
        if (number := numbers[body[at]]) is None:
            number, at = read_varint(body, at)
        else:
            at += 1
        end = at + number
        at += 1  # the record's attributes: none has a meaning, any are accepted
        if (number := numbers[body[at]]) is None:
            number, at = read_varint(body, at, VARLONG_BYTES)
        else:
            at += 1
        timestamp_ms = base_ms + number
        if (number := numbers[body[at]]) is None:
            number, at = read_varint(body, at)
        else:
            at += 1
        offset = base_offset + number
        if (number := numbers[body[at]]) is None:
            number, at = read_varint(body, at)
        else:
            at += 1
        key = body[at : at + number] if number >= 0 else None
        at += max(0, number)
        if (number := numbers[body[at]]) is None:
            number, at = read_varint(body, at)
        else:
            at += 1
        value = body[at : at + number] if number >= 0 else None
        at += max(0, number)
        headers, at = read_headers(body, at) if body[at] else ((), at + 1)
        if at != end:
            raise ValueError("a record is not as long as it says")
        records.append(new(Record, (timestamp_ms, key, value, headers, offset)))
    if at != len(body):
        raise ValueError(f"{len(body) - at} bytes follow the last record")
    near = -_FAR < base_ms < _FAR and -_FAR < base_offset < _FAR
    if header.attributes & LOG_APPEND_TIME or not near:
        return _settled(records, header)
    return records


def _settled(records: list[Record], header: BatchHeader) -> list[Record]:
    """Give records the broker's time if it stamped them, and wrap as Java's long."""
    stamp_ms = header.max_timestamp_ms if header.is_log_append_time else None
    return [
        record._replace(
            timestamp_ms=_wrapped(
                record.timestamp_ms if stamp_ms is None else stamp_ms
            ),
            offset=_wrapped(record.offset),
        )
        for record in records
    ]


def _wrapped(number: int) -> int:
    """Return what Java's long is after adding that much."""
    return (number + (1 << 63)) % (1 << 64) - (1 << 63)


def read_headers(
    body: bytes, at: int
) -> tuple[tuple[tuple[str, bytes | None], ...], int]:
    """Return the headers whose count is at a position, and the position after them."""
    count, at = read_varint(body, at)
    if not 0 <= count <= len(body) - at:
        raise ValueError(f"{count} headers")
    headers: list[tuple[str, bytes | None]] = []
    for _ in range(count):
        size, at = read_varint(body, at)
        if size < 0:
            raise ValueError(f"a header's name of {size} bytes")
        name = body[at : at + size].decode("utf-8", "replace")
        at += size
        size, at = read_varint(body, at)
        value = None
        if size >= 0:
            value = body[at : at + size]
            at += size
        headers.append((name, value))
    return tuple(headers), at


def control_kind(record: Record) -> str | int:
    """Return what a control record says: "abort", "commit", or the number of its type.

    Source: `ControlRecordType.parseTypeId`: a newer version is read as this one; other
    types, as those of KRaft, are to be skipped.

    Raises
    ------
    CorruptBatchError
        Its key is too short, or its version below 0.
    """
    key = record.key or b""
    if len(key) < _MARKER_KEY.size:
        raise CorruptBatchError(f"a control record's key has {len(key)} bytes, not 4")
    version, kind = _MARKER_KEY.unpack_from(key)
    if version < 0:
        raise CorruptBatchError(f"a control record's version is {version}")
    return _MARKER_KINDS.get(kind) or int(kind)
