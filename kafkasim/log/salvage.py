"""Find the batches in bytes that are damaged, and mend what is certain.

Kafka cuts a segment at the first batch that it cannot read. Much more can be told from
the bytes. Of a header the offset, the length, the epoch and the magic do not count into
the CRC, so the CRC, being right, proves where a batch of a false length ends. And a
CRC-32C that is wrong says which bit is, if it is one: no two of a batch's single-bit
errors change it alike. After bytes that are no batch, the next one with a right CRC
goes on.

Source of the layout: `DefaultRecordBatch` (4.3); of what a CRC can tell: Koopman,
"32-Bit Cyclic Redundancy Codes for Internet Applications" (2002): CRC-32C has a Hamming
distance of at least 4 up to 2^31 bits.
"""

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from crc32c import crc32c

from kafkasim.log.header import (
    COVERED_AT,
    HEADER_BYTES,
    LOG_OVERHEAD_BYTES,
    MAGIC,
    BatchHeader,
    unpack_header,
)

Bytes = bytes | bytearray | memoryview

_LENGTH_AT: Final = 8
_MAGIC_AT: Final = 16
_CRC_AT: Final = 17
_POLYNOMIAL: Final = 0x82F6_3B78
"""CRC-32C's, its bits reversed."""
_UNIT: Final = 0x8000_0000
_MOST_MENDED_BYTES: Final = 4 << 20
"""A flipped bit is not looked for in larger batches: that takes some seconds."""
_MOST_READ_TIMES: Final = 32
"""A search reads so many times the bytes that are left, and then gives up."""


class Piece(NamedTuple):
    """A run of bytes: a batch, perhaps damaged, or bytes that are none."""

    position: int
    end_position: int
    header: BatchHeader | None
    """Of the batch, as it stands or as it was mended; None if this is none."""
    kind: str
    """What is wrong: "" for nothing, "header damage", "bit rot", "unreadable" or
    "torn tail"."""
    text: str
    """The damage in words."""
    mended: bytes | None
    """The batch as it was before, if that is certain."""


def salvage(data: Bytes) -> Iterator[Piece]:
    """Yield the batches of a segment's bytes, and what lies between them.

    Parameters
    ----------
    data : bytes-like
        The content of a `.log` file.

    Yields
    ------
    Piece
        In order; together they cover all bytes.
    """
    view = memoryview(data)
    position = 0
    while position < len(view):
        piece = _sound(view, position) or _damaged(view, position)
        yield piece
        position = piece.end_position


def _sound(view: memoryview, position: int) -> Piece | None:
    """Return the batch at a position if its size and its CRC are right."""
    if len(view) - position < HEADER_BYTES:
        return None
    header = unpack_header(view, position)
    end = position + header.size_bytes
    if header.size_bytes < HEADER_BYTES or end > len(view):
        return None
    if crc32c(view[position + COVERED_AT : end]) != header.crc:
        return None
    if header.magic == MAGIC:
        return Piece(position, end, header, "", "", None)
    mended = _with(view[position:end], _MAGIC_AT, bytes([MAGIC]))
    text = f"magic is {header.magic}, which the CRC does not cover"
    header = header._replace(magic=MAGIC)
    return Piece(position, end, header, "header damage", text, mended)


def _damaged(view: memoryview, position: int) -> Piece:
    """Return what begins at a position where no sound batch does."""
    if len(view) - position >= HEADER_BYTES:
        header = unpack_header(view, position)
        piece = _of_another_length(view, position, header)
        if piece is None and _ends_well(view, position, header.size_bytes):
            piece = _with_a_wrong_crc(view, position, header)
        if piece is not None:
            return piece
    following = _next_sound(view, position + 1)
    end = len(view) if following is None else following
    piece = _of_length(view, position, end - position)
    if piece is not None:
        return piece
    text = f"{end - position} bytes that are no batch"
    kind = "torn tail" if following is None else "unreadable"
    if not any(view[position:end]):
        text += ", all zeros"
    return Piece(position, end, None, kind, text, None)


def _of_another_length(
    view: memoryview, position: int, header: BatchHeader
) -> Piece | None:
    """Return the batch if its length with one bit flipped makes its CRC right."""
    length = header.size_bytes - LOG_OVERHEAD_BYTES
    for bit in range(31):  # the highest is the sign
        size = (length ^ 1 << bit) + LOG_OVERHEAD_BYTES
        if _ends_well(view, position, size):
            piece = _of_length(view, position, size)
            if piece is not None:
                return piece
    return None


def _of_length(view: memoryview, position: int, size: int) -> Piece | None:
    """Return the batch that ends after so many bytes, if its CRC is right then."""
    end = position + size
    if size < HEADER_BYTES:
        return None
    header = unpack_header(view, position)
    if crc32c(view[position + COVERED_AT : end]) != header.crc:
        return None
    said, length = header.size_bytes - LOG_OVERHEAD_BYTES, size - LOG_OVERHEAD_BYTES
    mended = _with(view[position:end], _LENGTH_AT, struct.pack(">i", length))
    text = f"its length says {said}, the CRC is right with {length}"
    found = unpack_header(mended, 0)
    return Piece(position, end, found, "header damage", text, mended)


def _ends_well(view: memoryview, position: int, size: int) -> bool:
    """Say whether a batch of this size ends where the bytes do, or one begins."""
    end = position + size
    if size < HEADER_BYTES or end > len(view):
        return False
    return end == len(view) or (
        end + _MAGIC_AT < len(view) and view[end + _MAGIC_AT] == MAGIC
    )


def _with_a_wrong_crc(
    view: memoryview, position: int, header: BatchHeader
) -> Piece | None:
    """Return the batch whose end is known and whose CRC is not that of its bytes.

    None if its end is not certain: no sound batch begins there, and no one bit explains
    the CRC.
    """
    end = position + header.size_bytes
    batch = view[position:end]
    computed = crc32c(batch[COVERED_AT:])
    text = f"the CRC says {header.crc:#010x}, the bytes have {computed:#010x}"
    difference = computed ^ header.crc
    if difference.bit_count() == 1:
        mended = _with(batch, _CRC_AT, struct.pack(">I", computed))
        text += "; one bit of the CRC itself explains it"
        return Piece(position, end, unpack_header(mended, 0), "bit rot", text, mended)
    at = _flipped_bit(difference, len(batch) - COVERED_AT)
    if at is not None:
        byte = COVERED_AT + at // 8
        mended = _with(batch, byte, bytes([batch[byte] ^ (1 << at % 8)]))
        text += f"; bit {at % 8} of byte {byte} of the batch explains it"
        return Piece(position, end, unpack_header(mended, 0), "bit rot", text, mended)
    if end < len(view) and _sound(view, end) is None:
        return None
    return Piece(position, end, header, "bit rot", text, None)


def _flipped_bit(difference: int, size: int) -> int | None:
    """Return the bit, counted from the start, that changes a CRC-32C so; None if none.

    A flipped bit enters the register as its highest power and is moved on by every bit
    after it; here it is moved back. `size` is in bytes.
    """
    if size > _MOST_MENDED_BYTES:
        return None
    register = difference
    for at in range(size * 8 - 1, -1, -1):
        # The last step moved the register right and, if a one fell out, added the
        # polynomial, whose highest bit is set: so that bit says what fell out.
        fell_out = register & _UNIT
        register = ((register ^ _POLYNOMIAL) << 1 | 1) if fell_out else register << 1
        register &= 0xFFFF_FFFF
        if register == 1:
            return at
    return None


def _next_sound(view: memoryview, start: int) -> int | None:
    """Return the first position from `start` on at which a sound batch begins."""
    last = len(view) - HEADER_BYTES
    if start > last:
        return None
    data = np.frombuffer(view, np.uint8)
    found = start + np.flatnonzero(
        data[start + _MAGIC_AT : last + _MAGIC_AT + 1] == MAGIC
    )
    budget = _MOST_READ_TIMES * (len(view) - start)
    for at in found.tolist():
        header = unpack_header(view, at)
        if not (HEADER_BYTES <= header.size_bytes <= len(view) - at):
            continue
        if header.base_offset < 0 or header.last_offset_delta < 0:
            continue
        if budget <= 0:
            return None
        budget -= header.size_bytes
        if _sound(view, at):
            return int(at)
    return None


def _with(batch: Bytes, at: int, changed: bytes) -> bytes:
    return bytes(batch[:at]) + changed + bytes(batch[at + len(changed) :])
