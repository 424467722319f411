"""Where a log's files are: in memory, or in a folder; nothing else opens a file.

Both stores behave alike, name by name and byte by byte, and a log cannot tell them
apart. What is read stays as it was read: bytes that were handed out are never written
over and never cut away under the reader.
"""

import contextlib
import mmap
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Protocol, TypeVar

from kafkasim.log.contents import ByteBatch, ByteContents, Contents, Files
from kafkasim.log.descriptors import read_fully, write_fully
from kafkasim.log.mapping import is_mapped, map_of
from kafkasim.log.memory_file import MemoryFile

BatchT = TypeVar("BatchT")

_BINARY: Final = getattr(os, "O_BINARY", 0)


class Store(Files, Protocol[BatchT]):
    """Files, and how a segment's batches are kept in one."""

    def contents(self, name: str) -> Contents[BatchT]:
        """Return the batches of the file of that name; it is made if not there."""


def _checked(name: str) -> str:
    if name in {"", ".", ".."} or "/" in name or "\\" in name:
        raise ValueError(f"{name!r} is no name of a file in one folder")
    return name


class MemoryStore:
    """Files in memory; nothing of them outlives the process.

    Parameters
    ----------
    files : mapping of str to bytes-like, optional
        What is in it at first: by name, copied.

    Examples
    --------
    >>> store = MemoryStore({"a": b"one"})
    >>> store.append("a", b"two")
    >>> bytes(store.read("a", 2))
    b'etwo'
    """

    def __init__(self, files: Mapping[str, ByteBatch] | None = None) -> None:
        self._files: dict[str, MemoryFile] = {}
        for name, data in (files or {}).items():
            self.write(name, data)

    def _file(self, name: str) -> MemoryFile:
        try:
            return self._files[name]
        except KeyError:
            raise FileNotFoundError(name) from None

    def names(self) -> list[str]:
        """Return the names of all files, sorted."""
        return sorted(self._files)

    def size(self, name: str) -> int:
        """Return how many bytes a file has."""
        return self._file(name).size

    def read(
        self, name: str, start: int = 0, end: int | None = None
    ) -> bytes | memoryview:
        """Return a view of the bytes from `start` to `end`."""
        file = self._file(name)
        stop = file.size if end is None or end > file.size else end
        if stop > file.filled:
            file.fill(stop)
        file.lent = True
        return file.view[start:stop]

    def append(self, name: str, data: ByteBatch) -> None:
        """Put bytes at a file's end."""
        try:
            file = self._files[name]
        except KeyError:
            file = self._files[_checked(name)] = MemoryFile()
        start = file.size
        end = start + len(data)
        if end > file.room:
            file.grow(end)
        if start > file.filled:
            file.fill(start)
        file.data[start:end] = data
        file.filled = file.size = end

    def write(self, name: str, data: ByteBatch) -> None:
        """Make a file of these bytes."""
        self._files[_checked(name)] = MemoryFile(data)

    def write_at(self, name: str, position: int, data: ByteBatch) -> None:
        """Put bytes over a file's bytes."""
        file = self._file(name)
        if not data:
            return
        if file.lent and position < file.filled:
            file.make_room(file.room)
        end = position + len(data)
        file.fill(end)
        file.data[position:end] = data
        file.size = max(file.size, end)

    def truncate(self, name: str, size: int) -> None:
        """Cut a file, or make it longer."""
        file = self._file(name)
        if size < file.filled:
            if file.lent:
                file.make_room(size)
            file.filled = size
        file.size = size

    def rename(self, old: str, new: str) -> None:
        """Give a file another name."""
        file = self._file(old)
        _checked(new)
        del self._files[old]
        self._files[new] = file

    def delete(self, name: str) -> None:
        """Remove a file."""
        self._file(name)
        del self._files[name]

    def seal(self, name: str) -> None:
        """Give back room that was kept for more."""
        file = self._file(name)
        if file.room > file.filled:
            file.make_room(file.filled)

    def sync(self, name: str) -> None:
        """Check that the file is there: memory has nothing to write."""
        self._file(name)

    def sync_directory(self) -> None:
        """Do nothing: memory has nothing to write."""

    def replace(self, name: str, data: ByteBatch) -> None:
        """Make a file of these bytes."""
        self.write(name, data)

    def contents(self, name: str) -> ByteContents:
        """Return the batches of the file of that name."""
        return ByteContents(self, name)

    def close(self) -> None:
        """Do nothing: the files stay."""


class _Tail:
    """Appended bytes that are not yet written."""

    __slots__ = ("at", "data", "filled", "lent")

    def __init__(self, at: int, room: int) -> None:
        self.data = bytearray(room)
        self.at = at
        """Size of the file as written: where the tail begins."""
        self.filled = 0
        self.lent = False
        """Whether someone may hold a view of it."""


class FolderStore:
    """Files in a folder of the machine; the folder is made if it is not there.

    Appended bytes are gathered and written by the megabyte; others who open the files
    see them after `sync` or `close`. A sealed file is mapped, and views of it given.

    Parameters
    ----------
    path : str or Path
        The folder.
    gathered_bytes : int
        Appended bytes of a file that are gathered.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, gathered_bytes: int = 1 << 20
    ) -> None:
        self.path = Path(path)
        self._gathered_bytes = gathered_bytes
        self.path.mkdir(parents=True, exist_ok=True)
        self._tails: dict[str, _Tail] = {}
        self._maps: dict[str, mmap.mmap | None] = {}
        """Sealed files; None until one is read."""

    def _where(self, name: str) -> Path:
        return self.path / _checked(name)

    def names(self) -> list[str]:
        """Return the names of all files, sorted; those of folders are left out."""
        with os.scandir(self.path) as entries:
            return sorted(entry.name for entry in entries if entry.is_file())

    def size(self, name: str) -> int:
        """Return how many bytes a file has, the waiting ones too."""
        tail = self._tails.get(name)
        if tail is not None:
            return tail.at + tail.filled
        return self._where(name).stat().st_size

    def read(
        self, name: str, start: int = 0, end: int | None = None
    ) -> bytes | memoryview:
        """Return the bytes from `start` to `end`: a view of what waits or is mapped."""
        size = self.size(name)
        stop = size if end is None or end > size else end
        if start >= stop:
            return b""
        tail = self._tails.get(name)
        if tail is not None:
            if start >= tail.at:
                tail.lent = True
                view = memoryview(tail.data).toreadonly()
                return view[start - tail.at : stop - tail.at]
            if stop > tail.at:
                self._write_out(name)
        elif name in self._maps:
            return self._mapped(name)[start:stop]
        with self._open(name, os.O_RDONLY) as descriptor:
            return read_fully(descriptor, start, stop)

    def append(self, name: str, data: ByteBatch) -> None:
        """Put bytes at a file's end."""
        tail = self._tails.get(name)
        if tail is None:
            tail = self._new_tail(name)
        end = tail.filled + len(data)
        if end > len(tail.data):
            self._write_out(name)
            end = len(data)
            if end > len(tail.data):
                with self._open(name, os.O_WRONLY) as descriptor:
                    write_fully(descriptor, tail.at, data)
                tail.at += end
                return
        tail.data[tail.filled : end] = data
        tail.filled = end

    def write(self, name: str, data: ByteBatch) -> None:
        """Make a file of these bytes."""
        self._tails.pop(name, None)
        self._unmap(name)
        if self._is_looked_at(name):
            self._where(name).unlink()
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        with self._open(name, flags) as descriptor:
            write_fully(descriptor, 0, data)

    def write_at(self, name: str, position: int, data: ByteBatch) -> None:
        """Put bytes over a file's bytes."""
        self._free(name)
        with self._open(name, os.O_WRONLY) as descriptor:
            write_fully(descriptor, position, data)

    def truncate(self, name: str, size: int) -> None:
        """Cut a file, or make it longer."""
        self._free(name)
        with self._open(name, os.O_WRONLY) as descriptor:
            os.ftruncate(descriptor, size)

    def rename(self, old: str, new: str) -> None:
        """Give a file another name."""
        self._where(old).stat()
        self._settle(old)
        self._unmap(old)
        if old != new:
            self._tails.pop(new, None)
            self._unmap(new)
        self._where(old).replace(self._where(new))

    def delete(self, name: str) -> None:
        """Remove a file."""
        self._tails.pop(name, None)
        self._unmap(name)
        self._where(name).unlink()

    def seal(self, name: str) -> None:
        """Write out what waits; reads are views of the mapped file from now on."""
        self._settle(name)
        self._where(name).stat()
        self._maps.setdefault(name, None)

    def sync(self, name: str) -> None:
        """Write out what waits, and have the machine put it on its disk."""
        self._write_out(name)
        with self._open(name, os.O_RDWR) as descriptor:
            os.fsync(descriptor)

    def sync_directory(self) -> None:
        """Have the machine put the names on its disk; Windows has no call for that."""
        if sys.platform != "win32":
            descriptor = os.open(self.path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def replace(self, name: str, data: ByteBatch) -> None:
        """Make a file of these bytes: a new one, synced, takes the name of the old."""
        temporary = f"{name}.tmp"
        self.write(temporary, data)
        self.sync(temporary)
        self.rename(temporary, name)
        self.sync_directory()

    def contents(self, name: str) -> ByteContents:
        """Return the batches of the file of that name."""
        return ByteContents(self, name)

    def close(self) -> None:
        """Write out what waits, and let go of all files; they open again when used."""
        for name in list(self._tails):
            self._settle(name)
        for name in list(self._maps):
            self._unmap(name)

    @contextlib.contextmanager
    def _open(self, name: str, flags: int) -> Iterator[int]:
        descriptor = os.open(self._where(name), flags | _BINARY, 0o644)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _new_tail(self, name: str) -> _Tail:
        self._unmap(name)
        with self._open(name, os.O_WRONLY | os.O_CREAT) as descriptor:
            tail = _Tail(os.fstat(descriptor).st_size, self._gathered_bytes)
        self._tails[name] = tail
        return tail

    def _write_out(self, name: str) -> None:
        """Write what waits; the tail goes on behind it."""
        tail = self._tails.get(name)
        if tail is None or not tail.filled:
            return
        with self._open(name, os.O_WRONLY) as descriptor:
            write_fully(descriptor, tail.at, memoryview(tail.data)[: tail.filled])
        tail.at += tail.filled
        tail.filled = 0
        if tail.lent:
            tail.data = bytearray(len(tail.data))
            tail.lent = False

    def _settle(self, name: str) -> None:
        """Write what waits, and keep no tail."""
        self._write_out(name)
        self._tails.pop(name, None)

    def _free(self, name: str) -> None:
        """Make sure that a change of the file changes nothing that was handed out."""
        self._settle(name)
        self._unmap(name)
        if self._is_looked_at(name):
            self.replace(name, self._where(name).read_bytes())

    def _mapped(self, name: str) -> memoryview:
        mapped = self._maps[name]
        if mapped is None:
            with self._open(name, os.O_RDONLY) as descriptor:
                mapped = self._maps[name] = map_of(descriptor)
        return memoryview(mapped)

    def _unmap(self, name: str) -> None:
        """Let go of a file's map; views of it keep it."""
        mapped = self._maps.pop(name, None)
        if mapped is not None:
            with contextlib.suppress(BufferError):
                mapped.close()

    def _is_looked_at(self, name: str) -> bool:
        """Say whether there are views of the file, of this store or another one."""
        try:
            return is_mapped(self._where(name).stat())
        except FileNotFoundError:
            return False
