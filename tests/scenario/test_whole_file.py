"""Files are written whole or not at all, readable as any other."""

import errno
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from kafkasim.scenario import whole_file as module
from kafkasim.scenario.whole_file import (
    abandoned,
    free_sibling,
    needing,
    remove,
    whole_file,
)


def test_a_file_takes_the_place_of_the_one_that_stood_there(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with whole_file(target) as unfinished:
        unfinished.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_a_failure_leaves_what_stood_there_and_nothing_beside_it(
    tmp_path: Path,
) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")

    def fails() -> None:
        with whole_file(target) as unfinished:
            unfinished.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_it_may_be_read_by_whom_any_new_file_may(tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("")
    target = tmp_path / "a.txt"
    with whole_file(target) as unfinished:
        unfinished.write_text("new")
    assert target.stat().st_mode == other.stat().st_mode


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG, errno.EIO])
def test_a_full_disk_says_how_much_was_asked_of_it(tmp_path: Path, number: int) -> None:
    def fills() -> None:
        with whole_file(tmp_path / "a.txt") as unfinished:
            unfinished.write_text("half")
            raise OSError(number, "oh")

    with pytest.raises(OSError, match="oh") as raised:
        fills()
    full = number != errno.EIO
    assert raised.value.strerror == "oh" + "; it needs more than 4 bytes" * full


def test_what_parts_of_a_folder_need_is_added_up() -> None:
    once = needing("the disk is full", 1_000)
    assert once == "the disk is full; it needs more than 1,000 bytes"
    assert needing(once, 234) == "the disk is full; it needs more than 1,234 bytes"


@pytest.fixture
def ended() -> int:
    """Return the number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


@pytest.mark.skipif(sys.platform == "win32", reason="it cannot ask for a process")
def test_what_a_killed_process_left_is_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ended: int
) -> None:
    target = tmp_path / "a.txt"
    monkeypatch.setattr(os, "getpid", lambda: ended)
    left = free_sibling(target, "partial")
    left.write_text("half")
    assert free_sibling(target, "partial") != left
    monkeypatch.undo()
    with whole_file(target) as unfinished:
        unfinished.write_text("new")
    assert list(tmp_path.iterdir()) == [target]


def test_what_a_running_process_or_another_machine_writes_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ended: int
) -> None:
    target = tmp_path / "a.txt"
    running = free_sibling(target, "partial")
    monkeypatch.setattr(module, "_HOST", "elsewhere")
    monkeypatch.setattr(os, "getpid", lambda: ended)
    far = free_sibling(target, "partial")
    monkeypatch.undo()
    strangers = [tmp_path / name for name in (".a.txt.partial", ".a.txt.partial-x")]
    for path in (running, far, *strangers):
        path.write_text("half")
    assert abandoned(target, "partial") == []
    with whole_file(target) as unfinished:
        unfinished.write_text("new")
    assert set(tmp_path.iterdir()) == {target, running, far, *strangers}


def test_a_hidden_name_says_what_where_and_who(tmp_path: Path) -> None:
    name = free_sibling(tmp_path / "a-1.npz", "old").name
    assert name.startswith(".a-1.npz.old-")
    assert name.endswith(f"-{os.getpid()}-0")
    assert platform.node().split(".")[0].replace("-", "_") in name


def test_a_file_a_folder_and_what_is_not_there_are_removed(tmp_path: Path) -> None:
    (tmp_path / "folder" / "deep").mkdir(parents=True)
    (tmp_path / "file").write_text("")
    for name in ("folder", "file", "missing"):
        remove(tmp_path / name)
    assert list(tmp_path.iterdir()) == []
