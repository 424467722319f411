import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kafkasim.log.store import FolderStore, MemoryStore

NAMES = st.sampled_from(("one.log", "two.index", "three"))
SIZES = st.integers(0, 40)
GATHERED = 16


class Stores(RuleBasedStateMachine):
    """Both stores against a dict of bytes; what was read must stay as it was read.

    Found when planted: a tail that is used again while a view of it is held, a mapped
    file that is cut in place (in the thorough tier: it kills the process), zeros that a
    memory file forgets, a rename that leaves bytes waiting under the old name.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.mkdtemp()
        self.model: dict[str, bytes] = {}
        self.stores = (
            MemoryStore(),
            FolderStore(self.folder, gathered_bytes=GATHERED),
        )
        self.held: list[tuple[bytes | memoryview, bytes]] = []
        self.fresh = (bytes([n % 255 + 1]) for n in count())

    def teardown(self) -> None:
        self.held.clear()
        self.stores[1].close()
        shutil.rmtree(self.folder)

    def each(self, name: str, act: Callable[[MemoryStore | FolderStore], None]) -> bool:
        """Do it to both stores; False, and an error from both, if the name is none."""
        for store in self.stores:
            if name in self.model:
                act(store)
            else:
                with pytest.raises(FileNotFoundError):
                    act(store)
        return name in self.model

    def data(self, size: int) -> bytes:
        return next(self.fresh) * size

    @rule(name=NAMES, size=SIZES)
    def append(self, name: str, size: int) -> None:
        data = self.data(size)
        for store in self.stores:
            store.append(name, data)
        self.model[name] = self.model.get(name, b"") + data

    @rule(name=NAMES, size=SIZES)
    def write(self, name: str, size: int) -> None:
        data = self.data(size)
        for store in self.stores:
            store.write(name, data)
        self.model[name] = data

    @rule(name=NAMES, size=SIZES)
    def replace(self, name: str, size: int) -> None:
        data = self.data(size)
        for store in self.stores:
            store.replace(name, data)
        self.model[name] = data

    @rule(name=NAMES, position=SIZES, size=SIZES)
    def write_at(self, name: str, position: int, size: int) -> None:
        data = self.data(size)
        if self.each(name, lambda store: store.write_at(name, position, data)) and data:
            old = self.model[name].ljust(position, b"\0")
            self.model[name] = old[:position] + data + old[position + size :]

    @rule(name=NAMES, size=st.integers(0, 100))
    def truncate(self, name: str, size: int) -> None:
        if self.each(name, lambda store: store.truncate(name, size)):
            self.model[name] = self.model[name][:size].ljust(size, b"\0")

    @rule(old=NAMES, new=NAMES)
    def rename(self, old: str, new: str) -> None:
        if self.each(old, lambda store: store.rename(old, new)):
            self.model[new] = self.model.pop(old)

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        if self.each(name, lambda store: store.delete(name)):
            del self.model[name]

    @rule(name=NAMES)
    def seal(self, name: str) -> None:
        self.each(name, lambda store: store.seal(name))

    @rule(name=NAMES)
    def sync(self, name: str) -> None:
        if self.each(name, lambda store: store.sync(name)):
            assert Path(self.folder, name).read_bytes() == self.model[name]

    @rule(name=NAMES, start=SIZES, size=SIZES)
    def read(self, name: str, start: int, size: int) -> None:
        def look(store: MemoryStore | FolderStore) -> None:
            part = store.read(name, start, start + size)
            self.held.append((part, self.model[name][start : start + size]))

        self.each(name, look)

    @rule(name=NAMES)
    def read_whole(self, name: str) -> None:
        def look(store: MemoryStore | FolderStore) -> None:
            assert store.size(name) == len(self.model[name])
            self.held.append((store.read(name), self.model[name]))

        self.each(name, look)

    @rule()
    def close(self) -> None:
        for store in self.stores:
            store.close()

    @precondition(lambda self: self.held)
    @rule()
    def let_go(self) -> None:
        self.held.clear()

    @invariant()
    def what_was_read_stays(self) -> None:
        for part, expected in self.held:
            assert bytes(part) == expected

    @invariant()
    def names_are_those(self) -> None:
        for store in self.stores:
            assert store.names() == sorted(self.model)


TestStores = Stores.TestCase


def test_a_name_is_one_of_a_file_in_the_folder(
    store: MemoryStore | FolderStore,
) -> None:
    store.append("a", b"kept")
    for name in ("", ".", "..", "b/c", "..\\c"):
        for act in (store.append, store.write, store.rename):
            with pytest.raises(ValueError, match="no name of a file"):
                act(*((name, b"") if act != store.rename else ("a", name)))

    assert store.names() == ["a"] and bytes(store.read("a")) == b"kept"


def test_a_store_in_memory_begins_with_copies_of_files() -> None:
    data = bytearray(b"one")
    store = MemoryStore({"b": data, "a": b""})

    data[0] = 0
    store.append("b", b"two")

    assert store.names() == ["a", "b"]
    assert bytes(store.read("b")) == b"onetwo"
    with pytest.raises(ValueError, match="no name of a file"):
        MemoryStore({"a/b": b""})


def test_what_was_read_while_it_waited_stays_as_it_was(tmp_path: Path) -> None:
    store = FolderStore(tmp_path, gathered_bytes=8)
    store.append("a", b"first ")
    waiting = store.read("a")
    store.append("a", b"second")
    store.sync("a")
    store.append("a", b"third ")

    assert isinstance(waiting, memoryview) and bytes(waiting) == b"first "
    assert bytes(store.read("a")) == b"first secondthird "


def test_views_cannot_be_written_to(store: MemoryStore | FolderStore) -> None:
    store.append("a", bytes(10))
    waiting = store.read("a")
    store.seal("a")
    sealed = store.read("a")

    for view in (waiting, sealed):
        assert isinstance(view, memoryview) and view.readonly


def test_appended_bytes_are_copied_once_and_a_sealed_file_is_not_read_again(
    tmp_path: Path,
) -> None:
    store = FolderStore(tmp_path)
    store.append("a", b"x" * 1000)
    store.seal("a")

    first, second = store.read("a", 0, 500), store.read("a", 100)

    assert isinstance(first, memoryview) and isinstance(second, memoryview)
    assert first.obj is second.obj


def test_a_folder_is_written_by_large_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []
    original = os.write

    def write(descriptor: int, data: bytes) -> int:
        written.append(len(data))
        return original(descriptor, data)

    monkeypatch.setattr(os, "write", write)
    store = FolderStore(tmp_path, gathered_bytes=1 << 10)
    for _ in range(100):
        store.append("a", bytes(100))
    store.append("a", bytes(5000))
    store.close()

    assert written == [1000] * 10 + [5000]


def test_what_is_cut_or_written_over_stays_for_those_who_read_it(
    store: MemoryStore | FolderStore,
) -> None:
    for seal in (False, True):
        store.write("a", b"")
        store.append("a", b"x" * 5000)
        if seal:
            store.seal("a")
        views = [store.read("a"), store.read("a", 4000)]
        store.truncate("a", 10)
        store.append("a", b"y" * 4000)
        views.append(store.read("a", 10, 20))
        store.write_at("a", 5, b"z" * 50)

        expected = [b"x" * 5000, b"x" * 1000, b"y" * 10]
        assert [bytes(view) for view in views] == expected
        assert bytes(store.read("a", 0, 12)) == b"x" * 5 + b"z" * 7


def test_a_view_outlives_its_store_and_what_a_second_one_does_to_the_file(
    tmp_path: Path,
) -> None:
    first = FolderStore(tmp_path)
    first.append("a", b"x" * 9000)
    first.seal("a")
    view = first.read("a")
    first.close()
    second = FolderStore(tmp_path)
    second.rename("a", "b")
    second.truncate("b", 10)

    assert bytes(view) == b"x" * 9000 and second.size("b") == 10
    second.write("b", b"y")
    assert bytes(view) == b"x" * 9000 and bytes(second.read("b")) == b"y"


def test_room_that_is_made_takes_none(store: MemoryStore | FolderStore) -> None:
    """An index file of 10 MiB of zeros, before the first entry."""
    store.write("a", b"")
    store.truncate("a", 10 << 20)

    assert store.size("a") == 10 << 20
    if isinstance(store, MemoryStore):
        assert store._files["a"].room == 0
    elif sys.platform == "linux":
        assert (store.path / "a").stat().st_blocks * 512 < 1 << 16


def test_a_crash_during_replace_leaves_the_old_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Source: CheckpointFile.write: a file beside it, synced, then renamed."""
    store = FolderStore(tmp_path)
    store.replace("a", b"old")
    calls: list[str] = []
    monkeypatch.setattr(store, "sync", calls.append)

    def crash(old: str, new: str) -> None:
        calls.append(f"{old} to {new}")
        raise KeyboardInterrupt

    monkeypatch.setattr(store, "rename", crash)
    with pytest.raises(KeyboardInterrupt):
        store.replace("a", b"new")

    assert calls == ["a.tmp", "a.tmp to a"]
    assert (tmp_path / "a").read_bytes() == b"old"
