"""One file in memory, as `MemoryStore` keeps it: what is appended is copied once."""

from typing import Final

import numpy as np

from kafkasim.log.contents import ByteBatch

_LEAST_ROOM: Final = 1 << 12


class MemoryFile:
    """Bytes with room for more, then zeros that take no room.

    The room comes from numpy: the memory of a large array is touched in large pages,
    which costs a third of a bytearray's first touch.

    Parameters
    ----------
    data : bytes-like
        What it holds at first.
    """

    __slots__ = ("data", "filled", "lent", "room", "size", "view")

    def __init__(self, data: ByteBatch = b"") -> None:
        self.filled = self.size = len(data)
        self.room = 0
        """Bytes that `data` has; those after `filled` are anything."""
        self.data = memoryview(bytearray())
        self.view = self.data.toreadonly()
        self.lent = False
        """Whether someone may hold a view of it."""
        if data:
            self.make_room(len(data), data)

    def make_room(self, room: int, data: ByteBatch | None = None) -> None:
        """Move to a new buffer of so many bytes; readers keep the old one.

        Parameters
        ----------
        room : int
            Bytes of the buffer.
        data : bytes-like, optional
            What it then begins with; by default what there was.
        """
        buffer = np.empty(room, np.uint8).data
        self.filled = min(self.filled, room)
        buffer[: self.filled] = self.view[: self.filled] if data is None else data
        self.data = buffer
        self.view = buffer.toreadonly()
        self.room = room
        self.lent = False

    def grow(self, size: int) -> None:
        """Make room for so many bytes, and for twice what there was."""
        self.make_room(max(size, 2 * self.room, _LEAST_ROOM))

    def fill(self, size: int) -> None:
        """Make bytes of the zeros up to a size."""
        if size > self.room:
            self.grow(size)
        if size > self.filled:
            self.data[self.filled : size] = bytes(size - self.filled)
            self.filled = size
