"""Whole columns of zigzag varints: written and read byte plane by byte plane.

A varint has seven bits a byte, the lowest first, and the high bit of a byte says that
another follows (`ByteUtils.writeVarint`, `writeVarlong`). Of a column of them first all
first bytes are written or read, then the second bytes of those that have one, and so
on: most columns of a log end after one or two planes.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.log.columns import Bytes, Ints
from kafkasim.log.record_size import VARINT_STEPS, varint_bytes_of

MOST_INT_BYTES: Final = 5
"""Longest varint of 32 bits."""
MOST_LONG_BYTES: Final = 10
"""Longest varint of 64 bits."""

_MORE: Final = 0x80
_BITS: Final = np.uint8(0x7F)
_SEVEN: Final = np.uint8(7)
_ONE_BIT: Final = np.uint8(1)
_ONE: Final = np.uint16(1)


def magnitudes(values: Ints) -> Ints:
    """Return what a value's varint grows with: v, or −v − 1 if it is negative."""
    return values ^ (values >> 63)


def widths_of(values: Ints) -> Ints:
    """Return the bytes of each value's varint (int64)."""
    return varint_bytes_of(magnitudes(values))


def write_varints(out: Bytes, at: Ints, values: Ints, widths: Ints) -> None:
    """Write a varint at each of some places, in no byte more than it has.

    Parameters
    ----------
    out : uint8 array
        Where to.
    at : int64 array of shape (varints,), bytes
        Where each begins.
    values, widths : int64 arrays of shape (varints,)
        What they say, and how many bytes each has (`widths_of`).
    """
    if not len(at):
        return
    zigzag = ((values << 1) ^ (values >> 63)).view(np.uint64)
    least, most = int(widths.min()), int(widths.max())
    if most == 1:
        out[at] = zigzag.astype(np.uint8)
        return
    for plane in range(most):
        if plane == least:
            longer = np.flatnonzero(widths > plane)
            at, zigzag, widths = (
                at.take(longer),
                zigzag.take(longer),
                widths.take(longer),
            )
            least = int(widths.min())
        septet = (zigzag & np.uint64(_BITS)).astype(np.uint8)
        if plane + 1 < least:
            septet |= np.uint8(_MORE)
        elif plane + 1 < most:
            septet |= (widths > plane + 1).view(np.uint8) << _SEVEN
        out[at + plane if plane else at] = septet
        zigzag = zigzag >> np.uint64(7)


def read_varints(
    data: Bytes, at: Ints, most_bytes: int
) -> tuple[Ints, Ints, NDArray[np.bool_] | None]:
    """Read a varint at each of some places.

    Parameters
    ----------
    data : uint8 array, at least one byte
        Where from. A place past its end reads the last byte: the caller sees by where
        a record ends that it went too far.
    at : int64 array of shape (varints,), bytes
        Where each begins, not negative.
    most_bytes : int
        `MOST_INT_BYTES`, and the value is of 32 bits, or `MOST_LONG_BYTES`.

    Returns
    -------
    values, after : int64 arrays of shape (varints,)
        What they say, and the places after them.
    endless : bool array of shape (varints,), or None
        Those with more bytes than there may be; None if there are none.
    """
    first = data.take(at, mode="clip")
    after = at + 1
    if int(first.max(initial=0)) < _MORE:
        halves = (first >> _ONE_BIT) ^ -(first & _ONE_BIT)
        return halves.view(np.int8).astype(np.int64), after, None
    second = data.take(after, mode="clip")
    longer = first >> _SEVEN
    short = (second & _BITS).astype(np.uint16) << np.uint16(7)
    short *= longer
    short |= first & _BITS
    signs = -(short & _ONE).view(np.int16)
    values = ((short >> _ONE).view(np.int16) ^ signs).astype(np.int64)
    after += longer
    longer &= second >> _SEVEN
    if not longer.any():
        return values, after, None
    endless = _read_on((data, most_bytes), short, values, after, np.flatnonzero(longer))
    return values, after, endless


def _read_on(
    source: tuple[Bytes, int],
    short: NDArray[np.uint16],
    values: Ints,
    after: Ints,
    longer: NDArray[np.intp],
) -> NDArray[np.bool_] | None:
    """Read the third and later bytes of those varints that have them, in place."""
    data, most_bytes = source
    zigzag = short.take(longer).astype(np.uint64)
    place = after.take(longer)
    going: NDArray[np.intp] = np.arange(len(longer))
    for plane in range(2, most_bytes):
        byte = data.take(place.take(going), mode="clip")
        septets = (byte & _BITS).astype(np.uint64)
        zigzag[going] |= septets << np.uint64(7 * plane)
        place[going] += 1
        going = going[byte >= _MORE]
        if not len(going):
            break
    if most_bytes == MOST_INT_BYTES:
        zigzag &= np.uint64(0xFFFFFFFF)
    halves = (zigzag >> np.uint64(1)).view(np.int64)
    values[longer] = halves ^ -(zigzag & np.uint64(1)).view(np.int64)
    after[longer] = place
    if not len(going):
        return None
    endless = np.zeros(len(after), dtype=np.bool_)
    endless[longer[going]] = True
    return endless


def is_one_byte(values: Ints) -> bool:
    """Return whether every value's varint has one byte."""
    first = VARINT_STEPS[0]
    return int(values.max(initial=0)) < first and int(values.min(initial=0)) >= -first
