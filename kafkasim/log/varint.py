"""Zigzag varints: how a record writes its lengths and deltas.

Small numbers take few bytes, whatever their sign: 0, −1, 1, −2, 2 … become 0, 1, 2, 3,
4 … and those are written seven bits a byte, lowest first, the top bit set on all but
the last.

Source: `org.apache.kafka.common.utils.ByteUtils` (`readVarint`, `readVarlong` …).
"""

from typing import Final

VARINT_BYTES: Final = 5
"""Bytes that a 32-bit varint takes at most."""
VARLONG_BYTES: Final = 10
"""Bytes that a 64-bit varint takes at most."""

_CONTINUES: Final = 0x80
_LOW: Final = 0x7F
_MASKS: Final = {VARINT_BYTES: (1 << 32) - 1, VARLONG_BYTES: (1 << 64) - 1}


def write_varint(value: int) -> bytes:
    """Return a number as a zigzag varint, 1 to 10 bytes.

    Raises
    ------
    OverflowError
        It does not fit 64 bits.
    """
    if not -(1 << 63) <= value < 1 << 63:
        raise OverflowError(f"{value} does not fit a 64-bit varint")
    rest = value << 1 if value >= 0 else ~(value << 1)
    out = bytearray()
    while rest > _LOW:
        out.append(rest & _LOW | _CONTINUES)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def read_varint(
    data: bytes | bytearray | memoryview,
    position: int,
    most_bytes: int = VARINT_BYTES,
) -> tuple[int, int]:
    """Return the number at a position, and the position after it.

    As Kafka's reader: bytes that say more than they need to are taken, and bits beyond
    the 32nd (or the 64th) of the last byte are dropped.

    Parameters
    ----------
    data : bytes-like
        What to read.
    position : int
        Where the varint begins.
    most_bytes : int
        `VARINT_BYTES` for a 32-bit number, `VARLONG_BYTES` for a 64-bit one.

    Raises
    ------
    IndexError
        The data end within it.
    ValueError
        It is longer than that many bytes.
    """
    raw = data[position]
    if raw < _CONTINUES:
        return (raw >> 1) ^ -(raw & 1), position + 1
    byte = data[position + 1]
    raw = raw & _LOW | (byte & _LOW) << 7
    if byte < _CONTINUES:
        return (raw >> 1) ^ -(raw & 1), position + 2
    for place in range(2, most_bytes):
        byte = data[position + place]
        raw |= (byte & _LOW) << 7 * place
        if byte < _CONTINUES:
            raw &= _MASKS[most_bytes]
            return (raw >> 1) ^ -(raw & 1), position + place + 1
    raise ValueError(f"a varint of more than {most_bytes} bytes")


TABLE_HALF: Final = 1 << 13
"""Varints of −8192 … 8191, all of one or two bytes, stand in the tables."""


def _table() -> dict[int, bytes]:
    one = [bytes((raw,)) for raw in range(1 << 7)]
    two = [bytes((raw & _LOW | _CONTINUES, raw >> 7)) for raw in range(1 << 7, 1 << 14)]
    return {(raw >> 1) ^ -(raw & 1): said for raw, said in enumerate(one + two)}


VARINTS: Final = _table()
"""Number → its varint; no list, in which 8192 would be what −8192 is."""
COUNT_VARINTS: Final = [VARINTS[count] for count in range(TABLE_HALF)]
"""The same for lengths and counts, which are never negative; a list is faster."""
ONE_BYTE_VARINTS: Final = [
    (raw >> 1) ^ -(raw & 1) if raw < _CONTINUES else None for raw in range(1 << 8)
]
"""First byte → the number, if that byte is all of its varint."""
