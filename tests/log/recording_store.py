"""A store that notes every call which changes it, to replay a part of them.

What a machine's disk holds after a crash is not all that was written: bytes that were
not synced may be missing, in one file or in all, and the last write may be torn. Names
and cuts are taken to come in order, as on a journalled file system.

After Pillai et al., "All File Systems Are Not Created Equal" (OSDI 2014).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kafkasim.log.contents import ByteBatch, ByteContents
from kafkasim.log.store import MemoryStore

CHANGES_BYTES = {"append", "write", "write_at"}


@dataclass(frozen=True)
class Call:
    """One call of a store: its method, the file, and the other arguments."""

    method: str
    name: str = ""
    arguments: tuple[object, ...] = ()

    def on(self, store: MemoryStore) -> None:
        """Do it."""
        if self.method == "sync_directory":
            return
        getattr(store, self.method)(self.name, *self.arguments)

    def torn(self) -> Iterator["Call"]:
        """Yield what of a write may be there if the machine stops within it."""
        if self.method in {"append", "write", "write_at"}:
            *others, data = self.arguments
            assert isinstance(data, bytes)
            for size in range(len(data)):
                yield Call(self.method, self.name, (*others, data[:size]))


class RecordingStore(MemoryStore):
    """A store in memory with a list of all calls that changed it."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []

    def append(self, name: str, data: ByteBatch) -> None:
        super().append(name, data)
        self.calls.append(Call("append", name, (bytes(data),)))

    def write(self, name: str, data: ByteBatch) -> None:
        super().write(name, data)
        self.calls.append(Call("write", name, (bytes(data),)))

    def write_at(self, name: str, position: int, data: ByteBatch) -> None:
        super().write_at(name, position, data)
        self.calls.append(Call("write_at", name, (position, bytes(data))))

    def truncate(self, name: str, size: int) -> None:
        super().truncate(name, size)
        self.calls.append(Call("truncate", name, (size,)))

    def rename(self, old: str, new: str) -> None:
        super().rename(old, new)
        self.calls.append(Call("rename", old, (new,)))

    def delete(self, name: str) -> None:
        super().delete(name)
        self.calls.append(Call("delete", name))

    def sync(self, name: str) -> None:
        super().sync(name)
        self.calls.append(Call("sync", name))

    def sync_directory(self) -> None:
        self.calls.append(Call("sync_directory"))

    def replace(self, name: str, data: ByteBatch) -> None:
        """Do what `FolderStore` does, call by call."""
        temporary = f"{name}.tmp"
        self.write(temporary, data)
        self.sync(temporary)
        self.rename(temporary, name)
        self.sync_directory()

    def contents(self, name: str) -> ByteContents:
        return ByteContents(self, name)


def replayed(calls: Sequence[Call]) -> MemoryStore:
    """Return what a disk holds after these calls."""
    store = MemoryStore()
    for call in calls:
        call.on(store)
    return store


def without_unsynced(
    calls: Sequence[Call], names: set[str] | None = None
) -> list[Call]:
    """Return the calls without those whose bytes were not synced by the end.

    Parameters
    ----------
    calls : sequence of Call
    names : set of str, optional
        Only what is in files of these names at the end is lost; of all if not given.

    Notes
    -----
    A file that was made stays, with no bytes: names change in order.
    """
    waiting = _unsynced(calls)
    return [
        Call("append", call.name, (b"",))
        if at in waiting and (names is None or waiting[at] in names)
        else call
        for at, call in enumerate(calls)
    ]


def with_a_hole(calls: Sequence[Call]) -> list[Call]:
    """Return the calls with zeros for the first bytes that were not synced.

    A file can have its size, and what was written last, before what was written first.
    """
    waiting = _unsynced(calls)
    for at, call in enumerate(calls):
        if at in waiting and call.method == "append" and call.arguments[0]:
            data = call.arguments[0]
            assert isinstance(data, bytes)
            zeros = Call("append", call.name, (bytes(len(data)),))
            return [*calls[:at], zeros, *calls[at + 1 :]]
    return list(calls)


def unsynced_names(calls: Sequence[Call]) -> set[str]:
    """Return the names of files with bytes that were not synced."""
    return set(_unsynced(calls).values())


def _unsynced(calls: Sequence[Call]) -> dict[int, str]:
    """Return which calls' bytes were not synced, and their files' names at the end."""
    name_now: dict[str, int] = {}  # a number for each file, as names are given again
    waiting: dict[int, list[int]] = {}
    for at, call in enumerate(calls):
        if call.method == "sync_directory":
            continue
        number = name_now.setdefault(call.name, at)
        if call.method in CHANGES_BYTES:
            waiting.setdefault(number, []).append(at)
        elif call.method == "sync":
            waiting.pop(number, None)
        elif call.method == "rename":
            name_now[str(call.arguments[0])] = name_now.pop(call.name)
        else:
            del name_now[call.name]
            waiting.pop(number, None)
    last = {number: name for name, number in name_now.items()}
    return {
        at: last[number]
        for number, ats in waiting.items()
        for at in ats
        if number in last
    }
