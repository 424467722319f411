"""A record batch byte by byte: which field each byte belongs to, and what it says.

The first 21 bytes are the broker's to stamp, so the CRC leaves them out; it covers all
from the attributes on. Records are made of varints: the smaller a number, the fewer
bytes, and so timestamps and offsets are written as differences from the header's.

Source: `org.apache.kafka.common.record.internal.DefaultRecordBatch`, `DefaultRecord`,
`ControlRecordType` and `EndTransactionMarker` (4.3).
"""

import struct
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from crc32c import crc32c
from numpy.typing import NDArray

from kafkasim.errors import CorruptBatchError, KafkasimError
from kafkasim.log.compression import decompress
from kafkasim.log.header import (
    CODECS,
    COVERED_AT,
    HEADER_BYTES,
    LOG_OVERHEAD_BYTES,
    BatchHeader,
    unpack_header,
)
from kafkasim.log.varint import VARINT_BYTES, VARLONG_BYTES, read_varint

KINDS: Final = (
    *("offset", "time", "size", "checksum", "flags", "producer"),
    *("key", "value", "header", "unread"),
)
"""What a field is about; figures and terminals give each a colour."""

_HEADER: Final = (
    ("base offset", 8, "offset"),
    ("batch length", 4, "size"),
    ("leader epoch", 4, "producer"),
    ("magic", 1, "flags"),
    ("CRC", 4, "checksum"),
    ("attributes", 2, "flags"),
    ("last offset delta", 4, "offset"),
    ("base timestamp", 8, "time"),
    ("max timestamp", 8, "time"),
    ("producer id", 8, "producer"),
    ("producer epoch", 2, "producer"),
    ("base sequence", 4, "producer"),
    ("record count", 4, "size"),
)
"""Fields of the header: name, bytes, kind."""

_COUNT: Final = len(_HEADER) - 1
"""Place of the record count."""

_LONGEST: Final = 40
"""Letters of a key or value that are told."""

_MARKERS: Final = ("abort", "commit")
"""Types of a transaction's marker, by number (`ControlRecordType`)."""


class Field(NamedTuple):
    """A run of bytes with one meaning."""

    start: int
    """Where it begins, counted from the batch's first byte."""
    size: int
    """How many bytes."""
    name: str
    kind: str
    """One of `KINDS`."""
    value: str
    """What the bytes hold."""
    meaning: str
    """What that says."""
    record: int = -1
    """Number of its record in the batch, from 0; −1 in the header."""
    depth: int = 0
    """0 in the batch's header, 1 in a record, 2 in a header of a record."""
    unpacked: bool = False
    """Whether it lies in a compressed batch: `start` is then counted in the bytes that
    decompression gives."""
    wrong: bool = False
    """Whether it is not what was written: a CRC or a record count that does not fit, or
    no record."""


def anatomy(batch: bytes | bytearray | memoryview, position: int = 0) -> dict[str, Any]:
    """Return the fields of a batch as columns, in the order of its bytes.

    Parameters
    ----------
    batch : bytes-like
        A batch, or a whole file of them.
    position : int
        Where the batch begins.

    Returns
    -------
    dict of str to list or ndarray
        Equally long columns: `start` and `size` (int64, bytes), `name`, `kind`,
        `value`, `meaning` and `hex` (lists of str), `covered` (bool: whether the CRC
        covers it), `record` (int64, −1 in the header), `depth` (int64, see `Field`),
        `unpacked` (bool: of a compressed batch, `start` counts in the decompressed
        bytes) and `wrong` (bool: a CRC or a count that does not fit, or no record).

    Raises
    ------
    CorruptBatchError
        There are fewer bytes than a header has. Whatever else is wrong is told by the
        fields: bytes that are no record are one field `no record` and its reason.
    """
    data = memoryview(batch).cast("B")[position:]
    if len(data) < HEADER_BYTES:
        text = f"{len(data)} bytes are no batch: a header alone has {HEADER_BYTES}"
        raise CorruptBatchError(text, position)
    header = unpack_header(data, 0)
    data = data[: min(max(header.size_bytes, HEADER_BYTES), len(data))]
    fields = list(_header_fields(data, header))
    stream = bytes(data[HEADER_BYTES:])
    unpacked = header.codec != 0
    if unpacked and stream:
        packed, stream = _compressed(stream, header)
        fields.append(packed)
    at = 0 if unpacked else HEADER_BYTES
    records = list(_records(stream, header, at, unpacked=unpacked))
    whole = _whole_records(records)
    if whole != header.record_count:
        said = f"records should follow; whole ones: {whole}"
        fields[_COUNT] = fields[_COUNT]._replace(meaning=said, wrong=True)
    fields += records
    return _columns(fields, bytes(data), stream)


def _columns(fields: list[Field], data: bytes, stream: bytes) -> dict[str, Any]:
    columns: dict[str, Any] = {
        name: [getattr(field, name) for field in fields]
        for name in ("name", "kind", "value", "meaning")
    }
    columns["hex"] = [
        (stream if each.unpacked else data)[each.start : each.start + each.size].hex(
            " "
        )
        for each in fields
    ]
    numbers = ("start", "size", "record", "depth")
    whole: dict[str, NDArray[Any]] = {
        name: np.array([getattr(field, name) for field in fields], dtype=np.int64)
        for name in numbers
    }
    whole |= {
        name: np.array([getattr(field, name) for field in fields], dtype=np.bool_)
        for name in ("unpacked", "wrong")
    }
    whole["covered"] = ~whole["unpacked"] & (whole["start"] >= COVERED_AT)
    return {name: whole[name] for name in ("start", "size")} | columns | whole


def _header_fields(data: memoryview, header: BatchHeader) -> Iterator[Field]:
    values = (
        *(header.base_offset, header.size_bytes - LOG_OVERHEAD_BYTES),
        *header[2:],
    )
    meanings = _header_meanings(header, bytes(data))
    torn = crc32c(data[COVERED_AT:]) != header.crc
    start = 0
    for (name, size, kind), value, meaning in zip(
        _HEADER, values, meanings, strict=True
    ):
        told = f"0x{value:08x}" if name == "CRC" else str(value)
        wrong = torn and name == "CRC"
        yield Field(start, size, name, kind, told, meaning, wrong=wrong)
        start += size


def _header_meanings(header: BatchHeader, data: bytes) -> Iterator[str]:
    """Say what each field of a header says, in their order."""
    yield "of its first record; stamped by the broker"
    size = header.size_bytes
    there = "" if size == len(data) else f"; only {len(data)} of {size} are there"
    yield f"bytes after this field: {size} − {LOG_OVERHEAD_BYTES}{there}"
    none = "; −1: no leader yet" if header.leader_epoch < 0 else ""
    yield f"of the leader that appended it; stamped by the broker{none}"
    yield "version of the format"
    found = crc32c(data[COVERED_AT:])
    fits = "fits" if found == header.crc else f"does NOT fit: they give 0x{found:08x}"
    yield f"CRC-32C of bytes {COVERED_AT} to {len(data) - 1}: {fits}"
    yield _attributes(header)
    yield f"last offset {header.last_offset} − base offset {header.base_offset}"
    horizon = header.delete_horizon_ms is not None
    what = "tombstones and markers may go then: " if horizon else ""
    yield what + _moment(header.base_timestamp_ms)
    yield _moment(header.max_timestamp_ms)
    idempotent = header.producer_id >= 0
    yield "of an idempotent producer" if idempotent else "−1: not idempotent"
    yield "of that id" if idempotent else "−1: none"
    last = f"up to {header.last_sequence}, one for each record"
    yield last if header.base_sequence >= 0 else "−1: none"
    yield "records follow"


def _attributes(header: BatchHeader) -> str:
    codec = CODECS[header.codec] if header.codec < len(CODECS) else "unknown"
    said = [f"codec {codec}"]
    said.append("LogAppendTime" if header.is_log_append_time else "CreateTime")
    said += ["transactional"] if header.is_transactional else []
    said += ["control"] if header.is_control else []
    said += ["delete horizon"] if header.delete_horizon_ms is not None else []
    return ", ".join(said)


def _moment(timestamp_ms: int) -> str:
    if timestamp_ms < 0:
        return "−1: none" if timestamp_ms == -1 else "no time"
    return f"{np.datetime64(timestamp_ms, 'ms')}".replace("T", " ") + " UTC"


def _compressed(stream: bytes, header: BatchHeader) -> tuple[Field, bytes]:
    """Return the field of compressed records, and the bytes they give."""
    codec = CODECS[header.codec] if header.codec < len(CODECS) else str(header.codec)
    try:
        unpacked = decompress(header.codec, stream)
        meaning = f"{codec}: {len(stream)} bytes instead of {len(unpacked)}"
    except KafkasimError as error:
        unpacked, meaning = b"", f"{codec}: {error}"
    size = len(stream)
    name = "compressed records"
    return Field(HEADER_BYTES, size, name, "value", "", meaning), bytes(unpacked)


class _Reader:
    """Takes fields off bytes, one after the other."""

    def __init__(self, data: bytes, at: int, *, unpacked: bool) -> None:
        self._data = data
        self._at = at  # of the first byte, as fields count
        self._unpacked = unpacked
        self.place = 0
        self.record = -1
        self.depth = 1

    def field(self, size: int, name: str, kind: str, value: str, what: str) -> Field:
        """Return the field of the next bytes and go behind them."""
        start = self._at + self.place
        self.place += size
        return Field(
            *(start, size, name, kind, value, what, self.record, self.depth),
            self._unpacked,
        )

    def number(self, most_bytes: int = VARINT_BYTES) -> tuple[int, int]:
        """Return the varint that comes next, and its bytes; it is not taken.

        Raises
        ------
        CorruptBatchError
            The bytes end within it, or it has more than `most_bytes`.
        """
        try:
            value, end = read_varint(self._data, self.place, most_bytes)
        except IndexError:
            raise CorruptBatchError("the bytes end within a number") from None
        except ValueError as error:
            raise CorruptBatchError(str(error)) from None
        return value, end - self.place

    def left(self) -> int:
        """Return how many bytes are left."""
        return len(self._data) - self.place

    def peek(self, size: int) -> bytes:
        """Return the next bytes; they are not taken.

        Raises
        ------
        CorruptBatchError
            There are fewer.
        """
        if size > self.left():
            raise CorruptBatchError(f"{size} bytes are said, {self.left()} are left")
        return self._data[self.place : self.place + size]


def _records(
    stream: bytes, header: BatchHeader, at: int, *, unpacked: bool
) -> Iterator[Field]:
    reader = _Reader(stream, at, unpacked=unpacked)
    try:
        while reader.record + 1 < header.record_count and reader.left():
            reader.record += 1
            reader.depth = 1
            yield from _record(reader, header)
        why = "bytes after the last record"
    except CorruptBatchError as error:
        why = error.text
    if reader.left():
        reader.record, reader.depth = -1, 0
        rest = reader.field(reader.left(), "no record", "unread", "", why)
        yield rest._replace(wrong=True)


def _whole_records(fields: Sequence[Field]) -> int:
    """Return how many records have as many bytes as they say."""
    missing: dict[int, int] = {}
    for field in fields:
        if field.name == "length":
            missing[field.record] = int(field.value)
        elif field.record in missing:
            missing[field.record] -= field.size
    return sum(not each for each in missing.values())


def _record(reader: _Reader, header: BatchHeader) -> Iterator[Field]:
    length, size = reader.number()
    end = reader.place + size + length
    yield reader.field(size, "length", "size", str(length), "bytes of it after this")
    yield reader.field(1, "attributes", "flags", str(reader.peek(1)[0]), "unused")
    delta, size = reader.number(VARLONG_BYTES)
    moment = header.base_timestamp_ms + delta
    if header.is_log_append_time:
        what = "of no account: the broker's time holds"
    elif header.delete_horizon_ms is not None:
        what = f"ms from the delete horizon: {_moment(moment)}"
    else:
        what = f"ms from the base timestamp: {_moment(moment)}"
    yield reader.field(size, "timestamp delta", "time", str(delta), what)
    delta, size = reader.number()
    what = f"offset {header.base_offset + delta}"
    yield reader.field(size, "offset delta", "offset", str(delta), what)
    key = None
    for name in ("key", "value"):
        length, size = reader.number()
        what = "−1: null" if length < 0 else f"bytes of {name}"
        yield reader.field(size, f"{name} length", "size", str(length), what)
        if length <= 0:
            continue
        data = reader.peek(length)
        what = _control(name, data) if header.is_control else ""
        key = data if name == "key" else key
        yield reader.field(length, name, name, _shown(data), what)
    yield from _record_headers(reader)
    if reader.place != end:
        raise CorruptBatchError(f"the record said {end - reader.place} bytes more")


def _record_headers(reader: _Reader) -> Iterator[Field]:
    count, size = reader.number()
    yield reader.field(size, "header count", "size", str(count), "headers follow")
    reader.depth = 2
    for _ in range(count):
        for name in ("key", "value"):
            length, size = reader.number()
            what = "−1: null" if length < 0 else f"bytes of the header's {name}"
            named = f"header {name} length"
            yield reader.field(size, named, "size", str(length), what)
            if length > 0:
                told = _shown(reader.peek(length))
                yield reader.field(length, f"header {name}", "header", told, "")


def _control(name: str, data: bytes) -> str:
    """Say what a marker's key or value says (`EndTransactionMarker`)."""
    if name == "key" and len(data) == 4:
        version, number = struct.unpack(">hh", data)
        kind = _MARKERS[number] if 0 <= number < len(_MARKERS) else f"type {number}"
        return f"version {version}, {kind}"
    if name == "value" and len(data) == 6:
        version, epoch = struct.unpack(">hi", data)
        return f"version {version}, coordinator epoch {epoch}"
    return ""


def _shown(data: bytes) -> str:
    """Return bytes as text if they are text, in hexadecimal otherwise; cut if long."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = ""
    if not text or not text.isprintable():
        text = f"0x{data[:_LONGEST].hex()}"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
