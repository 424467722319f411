"""Reads and writes of an open file, whole: the system may do a part at a time."""

import os

from kafkasim.log.contents import ByteBatch


def read_fully(descriptor: int, start: int, stop: int) -> bytes:
    """Return the bytes from `start` to `stop`, or to where the file ends."""
    os.lseek(descriptor, start, os.SEEK_SET)
    pieces = []
    left = stop - start
    while left and (piece := os.read(descriptor, left)):
        pieces.append(piece)
        left -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def write_fully(descriptor: int, position: int, data: ByteBatch) -> None:
    """Write bytes over those from `position` on."""
    os.lseek(descriptor, position, os.SEEK_SET)
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]
