"""One file in memory, as `MemoryStore` keeps it: what is appended is copied once."""

from typing import Final

from kafkasim.log.contents import ByteBatch

_LEAST_ROOM: Final = 1 << 12


class MemoryFile:
    """Bytes with room for more, then zeros that take no room.

    Parameters
    ----------
    data : bytes-like
        What it holds at first.
    """

    __slots__ = ("data", "filled", "lent", "size", "view")

    def __init__(self, data: ByteBatch = b"") -> None:
        self.data = bytearray(data)
        self.filled = self.size = len(self.data)
        self.view = memoryview(self.data).toreadonly()
        self.lent = False
        """Whether someone may hold a view of it."""

    def make_room(self, size: int) -> None:
        """Move to a new buffer of so many bytes; readers keep the old one."""
        room = bytearray(size)
        self.filled = min(self.filled, size)
        room[: self.filled] = self.view[: self.filled]
        self.data = room
        self.view = memoryview(room).toreadonly()
        self.lent = False

    def grow(self, size: int) -> None:
        """Make room for so many bytes, and for twice what there was."""
        self.make_room(max(size, 2 * len(self.data), _LEAST_ROOM))

    def fill(self, size: int) -> None:
        """Make bytes of the zeros up to a size."""
        if size > len(self.data):
            self.grow(size)
        if size > self.filled:
            self.data[self.filled : size] = bytes(size - self.filled)
            self.filled = size
