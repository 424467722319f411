import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kafkasim.errors import ChangedFileError, OutputError
from kafkasim.result.folder import SUMS, check_sums, new_file, new_folder
from kafkasim.scenario.whole_file import free_sibling


def _tree(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != SUMS
    }


def _write(target: Path, text: str, *, overwrite: bool = False) -> None:
    with new_folder(target, overwrite=overwrite) as folder:
        (folder / "a.txt").write_text(text)
        (folder / "sub").mkdir()
        (folder / "sub" / "b.txt").write_text(text * 2)


@pytest.fixture
def out(tmp_path: Path) -> Iterator[Path]:
    """Yield a place to write; afterwards nothing hidden may stand beside it."""
    yield tmp_path / "out"
    hidden = [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    assert hidden == []


def _write_until(
    error: BaseException, target: Path, *, overwrite: bool = False
) -> None:
    with new_folder(target, overwrite=overwrite) as folder:
        (folder / "a.txt").write_text("new")
        raise error


def _no_space(*_arguments: object, **_named: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_the_folder_appears_when_the_block_ends(out: Path) -> None:
    with new_folder(out) as folder:
        (folder / "a.txt").write_text("x")
        assert not out.exists()
    assert _tree(out) == {"a.txt": "x"}


def test_missing_parents_are_made(out: Path) -> None:
    _write(out / "deep" / "er", "x")
    assert _tree(out / "deep" / "er") == {"a.txt": "x", "sub/b.txt": "xx"}


def test_the_folder_has_the_rights_any_new_folder_has(out: Path) -> None:
    _write(out, "x")
    plain = out / "plain"
    plain.mkdir()
    assert out.stat().st_mode == plain.stat().st_mode


def test_sums_are_in_the_format_of_sha256sum(out: Path) -> None:
    with new_folder(out) as folder:
        (folder / "empty").write_bytes(b"")
    assert (out / SUMS).read_text() == (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  empty\n"
    )
    assert check_sums(out) == {"empty"}


def test_an_empty_folder_that_stands_there_is_used(out: Path) -> None:
    out.mkdir()
    _write(out, "x")
    assert _tree(out)["a.txt"] == "x"


def test_a_folder_with_something_in_it_is_refused_and_untouched(out: Path) -> None:
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="out is not empty; name another folder"):
        _write(out, "x")
    assert _tree(out) == {"mine.txt": "mine"}


def test_overwriting_replaces_what_was_written_before(out: Path) -> None:
    _write(out, "old")
    (out / "a.txt").write_text("edited")
    with new_folder(out, overwrite=True) as folder:
        (folder / "c.txt").write_text("new")
        assert _tree(out) == {"a.txt": "edited", "sub/b.txt": "oldold"}
    assert _tree(out) == {"c.txt": "new"}


def test_a_folder_within_a_folder_is_replaced_with_it(out: Path) -> None:
    def write(text: str) -> None:
        with new_folder(out, overwrite=True) as folder:
            _write(folder / "result", text)

    write("old")
    write("new")
    assert _tree(out)["result/a.txt"] == "new"
    assert f"result/{SUMS}" in check_sums(out)
    assert check_sums(out / "result") == {"a.txt", "sub/b.txt"}


def test_overwriting_never_destroys_a_file_of_someone_else(out: Path) -> None:
    _write(out, "old")
    (out / "sub" / "notes.md").write_text("mine")
    with pytest.raises(OutputError, match=r"'sub/notes\.md', which was not written"):
        _write(out, "new", overwrite=True)
    assert _tree(out)["sub/notes.md"] == "mine"
    assert _tree(out)["a.txt"] == "old"


def test_a_file_that_appears_meanwhile_is_not_destroyed_either(out: Path) -> None:
    def write_while_another_does() -> None:
        with new_folder(out) as folder:
            (folder / "a.txt").write_text("x")
            out.mkdir()
            (out / "other.txt").write_text("other")

    with pytest.raises(OutputError, match="is not empty"):
        write_while_another_does()
    assert _tree(out) == {"other.txt": "other"}


def test_a_file_in_the_way_is_refused(out: Path) -> None:
    out.write_text("a file")
    with pytest.raises(OutputError, match="out is a file; a folder is wanted"):
        _write(out, "x", overwrite=True)
    with pytest.raises(OutputError, match="cannot write"):
        _write(out / "below", "x")
    for no_name in ("x" * 300, "a\0b", "~nobody-of-this-name/x"):
        with pytest.raises(OutputError, match="cannot write"):
            _write(Path(no_name), "x")
    assert out.read_text() == "a file"


def test_the_current_folder_is_not_replaced_under_ones_feet(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (out / "inner").mkdir(parents=True)
    monkeypatch.chdir(out / "inner")
    for path in (".", ".."):
        with pytest.raises(OutputError, match="is the current folder"):
            _write(Path(path), "x", overwrite=True)


def test_an_error_in_the_block_leaves_nothing(out: Path) -> None:
    with pytest.raises(KeyError):
        _write_until(KeyError(), out / "deep" / "er")
    assert not out.exists()


def test_ctrl_c_in_the_block_leaves_the_old_folder(out: Path) -> None:
    _write(out, "old")
    with pytest.raises(KeyboardInterrupt):
        _write_until(KeyboardInterrupt(), out, overwrite=True)
    assert _tree(out)["a.txt"] == "old"


def test_a_full_disk_is_an_output_error_that_names_the_folder(out: Path) -> None:
    _write(out, "old")
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(OutputError, match=r"cannot write .*out: .*No space left"):
        _write_until(full, out, overwrite=True)
    assert _tree(out)["a.txt"] == "old"


def test_an_error_names_the_place_that_was_meant_not_the_temporary_one(
    out: Path,
) -> None:
    with new_folder(out / "whole") as folder:
        (folder / "a.txt").write_text("x")

    def fill_a_full_part() -> None:
        with new_folder(out / "outer") as folder:  # and "new" within: 3 bytes
            _write_until(OSError(28, "full", str(folder / "b")), folder / "part")

    with pytest.raises(OutputError) as raised:
        fill_a_full_part()
    text = f"cannot write {out}/outer/part: [Errno 28] full: '{out}/outer/b'"
    assert str(raised.value) == f"{text}; it needs more than 3 bytes"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG])
def test_a_full_disk_says_how_much_had_been_written_in_all(
    out: Path, number: int
) -> None:
    def fill() -> None:
        with new_folder(out) as folder:
            (folder / "a.txt").write_text("12345")
            _write_until(OSError(number, os.strerror(number)), folder / "part")

    with pytest.raises(OutputError, match=f"cannot write {out}/part: ") as raised:
        fill()
    assert str(raised.value).endswith("; it needs more than 8 bytes")


def test_another_error_says_nothing_of_what_is_needed(out: Path) -> None:
    with pytest.raises(OutputError, match=r"Input/output error$"):
        _write_until(OSError(errno.EIO, os.strerror(errno.EIO)), out)


def test_a_read_only_place_is_an_output_error(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(_path: Path, *_mode: object, **_named: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "mkdir", read_only)
    with pytest.raises(OutputError, match="Permission denied"):
        _write(out, "x")
    assert not out.exists()


def test_when_the_new_folder_cannot_take_its_place_the_old_one_comes_back(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(out, "old")
    rename = Path.rename

    def failing(path: Path, target: Path) -> Path:
        if "partial" in path.name:
            _no_space()
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OutputError, match="No space left"):
        _write(out, "new", overwrite=True)
    assert _tree(out)["a.txt"] == "old"


def test_ctrl_c_right_after_the_new_folder_took_its_place_leaves_only_that(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(out, "old")
    rename = Path.rename

    def stopped(path: Path, target: Path) -> Path:
        done = rename(path, target)
        if "partial" in path.name:
            raise KeyboardInterrupt
        return done

    monkeypatch.setattr(Path, "rename", stopped)
    with pytest.raises(KeyboardInterrupt):
        _write(out, "new", overwrite=True)
    assert _tree(out)["a.txt"] == "new"


def test_a_changed_or_missing_file_is_named(out: Path) -> None:
    _write(out, "x")
    (out / "sub" / "b.txt").write_text("xy")
    with pytest.raises(ChangedFileError, match=r"sub/b\.txt is not what it was"):
        check_sums(out)
    (out / "sub" / "b.txt").unlink()
    with pytest.raises(ChangedFileError, match=r"sub/b\.txt is missing"):
        check_sums(out)


@pytest.mark.parametrize("text", ["\n", "abc\n", "\xff\n"])
def test_sums_that_are_no_sums_are_named(out: Path, text: str) -> None:
    _write(out, "x")
    (out / SUMS).write_text(text, encoding="latin-1")
    with pytest.raises(ChangedFileError, match=f"{SUMS} is not what it was"):
        check_sums(out)


def test_missing_sums_are_named(out: Path) -> None:
    with pytest.raises(ChangedFileError, match="there is no folder"):
        check_sums(out)
    out.mkdir()
    with pytest.raises(ChangedFileError, match=f"{SUMS} is missing"):
        check_sums(out)


def test_a_new_file_replaces_the_old_one_only_when_complete(out: Path) -> None:
    def write(text: str, then: Callable[[], None]) -> None:
        with new_file(out) as partial:
            partial.write_text(text)
            then()

    write("old", lambda: None)
    assert out.read_text() == "old"
    with pytest.raises(OutputError, match="No space left"):
        write("half", _no_space)
    assert out.read_text() == "old"
    write("new", lambda: None)
    assert out.read_text() == "new"


def test_a_new_file_makes_its_folders_and_is_no_folder(out: Path) -> None:
    with new_file(out / "deep" / "a.txt") as partial:
        partial.write_text("x")
    with pytest.raises(OutputError, match="cannot write"), new_file(out) as partial:
        partial.write_text("x")
    assert _tree(out) == {"deep/a.txt": "x"}


KILLED = """
import os, signal, sys
from pathlib import Path
from kafkasim.result.folder import new_folder

rename = Path.rename
def rename_or_end(path, target):
    if sys.argv[2] in path.name:
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(path, target)
Path.rename = rename_or_end

with new_folder(sys.argv[1], overwrite=True) as folder:
    (folder / "a.txt").write_text("new")
    if sys.argv[2] == "block":
        os.kill(os.getpid(), signal.SIGKILL)
"""


def _killed(target: Path, when: str) -> None:
    """Let a process write to `target` that is killed in the block or at a rename."""
    done = subprocess.run([sys.executable, "-c", KILLED, target, when], check=False)
    assert done.returncode < 0


def _hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


@pytest.mark.skipif(sys.platform == "win32", reason="it has no SIGKILL")
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_killed_process_leaves_what_was_there_and_the_next_one_tidies_up(
    out: Path, *, overwrite: bool
) -> None:
    if overwrite:
        _write(out, "old")
    _killed(out, "block")
    assert out.exists() == overwrite
    assert not overwrite or _tree(out)["a.txt"] == "old"
    (left,) = _hidden(out.parent)
    assert left.startswith(".out.partial-")
    _write(out, "newer", overwrite=overwrite)
    assert _tree(out)["a.txt"] == "newer"


@pytest.mark.skipif(sys.platform == "win32", reason="it has no SIGKILL")
def test_a_process_killed_between_the_renames_loses_nothing(out: Path) -> None:
    _write(out, "old")
    _killed(out, ".out.partial-")
    assert not out.exists()
    assert len(_hidden(out.parent)) == 2
    with pytest.raises(OutputError, match="out is not empty"):
        _write(out, "newer")
    assert _tree(out)["a.txt"] == "old"
    assert _hidden(out.parent) == []


def test_what_was_replaced_goes_when_its_successor_is_there(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(out, "new")
    monkeypatch.setattr(os, "getpid", _ended_process)
    old = free_sibling(out, "old")
    monkeypatch.undo()
    old.mkdir()
    _write(out, "newer", overwrite=True)
    assert not old.exists()


def test_a_folder_of_others_in_that_place_does_not_cost_the_one_that_was_replaced(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    monkeypatch.setattr(os, "getpid", _ended_process)
    old = free_sibling(out, "old")
    monkeypatch.undo()
    _write(old, "old")
    with pytest.raises(OutputError, match="out is not empty"):
        _write(out, "newer")
    assert _tree(old)["a.txt"] == "old"
    for path in sorted(old.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    old.rmdir()


def _ended_process() -> int:
    """Return the number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid
