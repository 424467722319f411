"""Decoding whole logs to columns, in numpy.

First the headers are walked, batch by batch; then where each record begins is found, of
many batches in step (`kafkasim.log.record_walk`); then the fields of all records are
read, column by column. Keys and values are not copied: they are places in the bytes
that were read.

Nothing is believed that is not checked: no count makes a loop or an array larger than
the bytes can hold, and a record must end where the next one begins.

Source: `DefaultRecordBatch`, `DefaultRecord.readFrom`; the checks of a batch are those
of `kafkasim.log.decode`.
"""

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.errors import CorruptBatchError
from kafkasim.log.columns import (
    BATCH_DTYPE,
    HEADER_DTYPE,
    Blob,
    Buffer,
    Bytes,
    DecodedColumns,
    Ints,
    bytes_of,
)
from kafkasim.log.compression import MOST_BYTES, decompress
from kafkasim.log.gather import crcs_of
from kafkasim.log.header import (
    CODEC_MASK,
    COVERED_AT,
    HEADER_BYTES,
    LOG_APPEND_TIME,
    LOG_OVERHEAD_BYTES,
    MAGIC,
)
from kafkasim.log.pieces import words
from kafkasim.log.record_fields import Fields, read_fields
from kafkasim.log.record_walk import record_places

_LENGTH_AT: Final = 8
_LENGTH_AND_MAGIC: Final = struct.Struct(f">{_LENGTH_AT}xi4xb")
"""Of a batch, from its beginning on."""
_FIELDS_BYTES: Final = _LENGTH_AND_MAGIC.size - _LENGTH_AT
_LEAST_RECORD_BYTES: Final = 7
"""Length, attributes, two deltas, two null sizes and a count of headers."""


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """The headers of all sound batches up to the first that is not one.

    Parameters
    ----------
    batches : structured array of shape (batches,), dtype `BATCH_DTYPE`
        Their headers and positions.
    end_position : int
        Where they end: the end of the bytes, or where the first unsound batch begins.
    problem : str, optional
        What is wrong with that one; None if the bytes end with a whole batch.
    """

    batches: NDArray[np.void]
    end_position: int
    problem: str | None


def scan(data: Buffer, position: int = 0, *, check_crc: bool = True) -> Scan:
    """Return the headers of all batches from a position on.

    Parameters
    ----------
    data : bytes-like
        Batches, back to back.
    position : int
        Where the first begins.
    check_crc : bool
        Whether to compute the CRCs.
    """
    buffer = bytes_of(data)
    positions, end, problem = _walk_headers(buffer, position)
    batches = np.empty(len(positions), dtype=BATCH_DTYPE)
    if not len(positions):
        return Scan(batches, end, problem)
    headers = words(buffer, HEADER_BYTES)[positions].view(HEADER_DTYPE)
    for name in BATCH_DTYPE.names[2:] if BATCH_DTYPE.names else ():
        batches[name] = headers[name]
    batches["position"] = positions
    sizes = headers["length"] + np.int64(LOG_OVERHEAD_BYTES)
    batches["size_bytes"] = sizes
    if check_crc:
        crcs = crcs_of(buffer, positions + COVERED_AT, positions + sizes)
        wrong = np.flatnonzero(crcs != batches["crc"])
        if len(wrong):
            at = int(wrong[0])
            problem = f"CRC is {crcs[at]}, the header says {batches['crc'][at]}"
            return Scan(batches[:at], int(positions[at]), problem)
    return Scan(batches, end, problem)


def _walk_headers(buffer: Bytes, position: int) -> tuple[Ints, int, str | None]:
    """Return the positions of batches, their end, and why there are no more."""
    data, total = buffer.data, len(buffer)
    alike = _batches_alike(buffer, position)
    if alike is not None:
        return alike, total, None
    last = total - HEADER_BYTES
    unpack = _LENGTH_AND_MAGIC.unpack_from
    positions: list[int] = []
    append = positions.append
    at = position
    least = HEADER_BYTES - LOG_OVERHEAD_BYTES
    while at <= last:
        length, magic = unpack(data, at)
        if magic != MAGIC or length < least:
            break
        append(at)
        at += length + LOG_OVERHEAD_BYTES
    if at > total and positions:
        at = positions.pop()
    problem = None if at == total else _problem(buffer, at)
    return np.array(positions, dtype=np.int64), at, problem


def _batches_alike(buffer: Bytes, position: int) -> Ints | None:
    """Return the positions of batches that all have one size; None if they do not."""
    room = len(buffer) - position
    if room < 2 * HEADER_BYTES:
        return None
    (length, _) = _LENGTH_AND_MAGIC.unpack_from(buffer.data, position)
    size = length + LOG_OVERHEAD_BYTES
    if size < HEADER_BYTES or room % size:
        return None
    at = position + _LENGTH_AT
    fields = np.ndarray((room // size, _FIELDS_BYTES), np.uint8, buffer, at, (size, 1))
    if (fields[:, :4] != fields[0, :4]).any() or (fields[:, -1] != MAGIC).any():
        return None
    return np.arange(position, len(buffer), size)


def _problem(buffer: Bytes, at: int) -> str:
    """Return why there is no batch at a position."""
    room = len(buffer) - at
    if room < HEADER_BYTES:
        return f"{room} bytes are fewer than a batch's header has"
    length, magic = _LENGTH_AND_MAGIC.unpack_from(buffer.data, at)
    size = length + LOG_OVERHEAD_BYTES
    if magic != MAGIC:
        return f"magic is {magic}, not {MAGIC}"
    if size < HEADER_BYTES:
        return f"a size of {size} bytes is below a header's {HEADER_BYTES}"
    return f"the batch should have {size} bytes, {room} are there"


def decode_columns(
    data: Buffer, *, check_crc: bool = True, most_bytes: int = MOST_BYTES
) -> DecodedColumns:
    """Return the records of many batches as columns.

    Parameters
    ----------
    data : bytes-like
        Batches, back to back, of any codec.
    check_crc : bool
        Whether to compute the CRCs.
    most_bytes : int
        Most bytes that the records of one compressed batch may have.

    Returns
    -------
    DecodedColumns
        Keys and values are views of `data`; if any batch is compressed, views of a copy
        of `data` and all decompressed records behind it.

    Raises
    ------
    CorruptBatchError
        A batch is none, or its records are not what its header says; with its position.
    MissingExtraError
        The library of a codec is not installed.
    """
    buffer = bytes_of(data)
    found = scan(buffer, check_crc=check_crc)
    if found.problem is not None:
        raise CorruptBatchError(found.problem, found.end_position)
    batches = found.batches
    counts = batches["record_count"].astype(np.int64)
    _check(counts < 0, batches, "a batch's record count is negative")
    buffer, starts, ends = _regions(buffer, batches, most_bytes)
    _check(
        counts * _LEAST_RECORD_BYTES > ends - starts,
        batches,
        "a batch has fewer bytes than so many records take",
    )
    return _decoded(buffer, batches, counts, starts, ends)


def _check(bad: NDArray[np.bool_], batches: NDArray[np.void], text: str) -> None:
    """Raise CorruptBatchError at the first batch that is bad."""
    if bad.any():
        raise CorruptBatchError(text, int(batches["position"][int(bad.argmax())]))


def _regions(
    buffer: Bytes, batches: NDArray[np.void], most_bytes: int
) -> tuple[Bytes, Ints, Ints]:
    """Return where each batch's records lie, and in which bytes."""
    starts = batches["position"] + HEADER_BYTES
    ends = batches["position"] + batches["size_bytes"]
    codecs = batches["attributes"] & CODEC_MASK
    compressed = np.flatnonzero((codecs != 0) & (batches["record_count"] > 0))
    if not len(compressed):
        return buffer, starts, ends
    pieces = [buffer.data]
    total = len(buffer)
    for index in compressed.tolist():
        packed = buffer.data[starts[index] : ends[index]]
        try:
            records = decompress(int(codecs[index]), packed, most_bytes=most_bytes)
        except CorruptBatchError as error:
            position = int(batches["position"][index])
            raise CorruptBatchError(error.text, position) from error
        pieces.append(memoryview(records))
        starts[index], ends[index] = total, total + len(records)
        total += len(records)
    return bytes_of(b"".join(pieces)), starts, ends


def _decoded(
    buffer: Bytes, batches: NDArray[np.void], counts: Ints, starts: Ints, ends: Ints
) -> DecodedColumns:
    """Return the columns of batches whose records lie in some regions."""
    batch = np.repeat(np.arange(len(batches), dtype=np.int32), counts)
    if not len(batch):
        nothing = np.zeros(0, dtype=np.int64)
        return DecodedColumns(
            batches, nothing, nothing, Blob.nulls(0), Blob.nulls(0), batch
        )
    fields = _read(buffer, starts, ends, counts)
    if isinstance(fields, int):
        raise CorruptBatchError(
            "a record is not what its length and its fields say",
            int(batches["position"][batch[fields]]),
        )
    times = np.repeat(batches["base_timestamp_ms"], counts)
    times += fields.timestamp_deltas_ms
    offsets = np.repeat(batches["base_offset"], counts)
    offsets += fields.offset_deltas
    appended = (batches["attributes"] & LOG_APPEND_TIME) != 0
    if appended.any():
        stamps = batches["max_timestamp_ms"].take(batch)
        times = np.where(appended.take(batch), stamps, times)
    return DecodedColumns(
        batches,
        offsets,
        times,
        fields.keys,
        fields.values,
        batch,
        fields.headers,
    )


def _read(buffer: Bytes, starts: Ints, ends: Ints, counts: Ints) -> Fields | int:
    """Return the fields of all records, or the index of the first that is none."""
    filled = np.flatnonzero(counts)
    starts, ends, counts = starts[filled], ends[filled], counts[filled]
    fields: Fields | int = 0
    for places in record_places(buffer, starts, ends, counts):
        stops = np.empty_like(places)
        stops[:-1] = places[1:]
        stops[np.cumsum(counts) - 1] = ends
        fields = read_fields(buffer, places, stops)
        if not isinstance(fields, int):
            break
    return fields
