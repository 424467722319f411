"""Output that is there whole or not at all.

A folder is written beside its place under a hidden name and renamed when it is
complete; so is a single file. A full disk, a read-only folder or Ctrl-C leaves what was
there untouched and nothing behind. A process that was killed leaves its hidden name,
and the next one that writes to the same place removes it; killed in the moment between
the two renames that replace a folder, it leaves the old one under a hidden name, and
the next one puts that back. Each folder ends with `SHA256SUMS`, in the format of
`sha256sum --check`: it tells a changed file, and a stranger's file that overwriting the
folder would destroy.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from kafkasim.errors import ChangedFileError, OutputError
from kafkasim.scenario.whole_file import (
    FULL,
    abandoned,
    bytes_in,
    free_sibling,
    needing,
    remove,
)

SUMS: Final = "SHA256SUMS"
"""Name of the file of digests in every folder written here."""


@contextmanager
def new_folder(path: str | Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield a folder to write into, which becomes `path` when the block ends well.

    Parameters
    ----------
    path : str or Path
        Where the folder will be. Missing parents are made.
    overwrite : bool
        Whether a folder that stands there may be replaced, once the new one is
        complete. It must hold only files that were written here.

    Yields
    ------
    Path
        The temporary folder, beside `path`.

    Raises
    ------
    OutputError
        `path` is not empty, is a file, is the current folder, holds files of others, or
        cannot be written. What was there is untouched.
    """
    target = _absolute(path)
    with _written(target) as partial:
        _check_replaceable(target, overwrite=overwrite)
        partial.mkdir()
        yield partial
        _write_sums(partial)
        _check_replaceable(target, overwrite=overwrite)
        _put_in_place(partial, target)


@contextmanager
def new_file(path: str | Path) -> Iterator[Path]:
    """Yield a file to write, which becomes `path` when the block ends well.

    A file that stands there is replaced; missing parents are made.

    Raises
    ------
    OutputError
        The file cannot be written. What was there is untouched.
    """
    target = _absolute(path)
    with _written(target) as partial:
        yield partial
        partial.replace(target)


def check_sums(folder: Path) -> frozenset[str]:
    """Compare every file that `SHA256SUMS` lists with its digest.

    Returns
    -------
    frozenset of str
        The files listed, as paths within the folder.

    Raises
    ------
    ChangedFileError
        A file is missing or no longer what it was; names it.
    """
    if not folder.is_dir():
        raise ChangedFileError(f"there is no folder {folder}")
    sums = _read_sums(folder)
    for name, expected in sums.items():
        try:
            found = _sha256(folder / name)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise ChangedFileError(f"{folder / name} is missing") from None
        if found != expected:
            raise ChangedFileError(
                f"{folder / name} is not what it was when it was saved: "
                f"its SHA-256 differs from the one in {SUMS}"
            )
    return frozenset(sums)


def _absolute(path: str | Path) -> Path:
    try:
        return Path(path).expanduser().resolve()
    except (OSError, RuntimeError, ValueError) as error:  # no such user, a loop, a NUL
        raise OutputError(f"cannot write {str(path)!r}: {error}") from error


@contextmanager
def _written(target: Path) -> Iterator[Path]:
    """Yield a free name beside `target`; tidy up and explain when the block fails."""
    made: list[Path] = []
    partial = free_sibling(target, "partial")
    try:
        _tidy_after_killed(target)
        _make_parents(target, made)
        yield partial
    except OSError as error:
        raise OutputError(_explained(error, partial, target)) from error
    finally:
        remove(partial)
        for parent in made:  # those that hold something stay
            with suppress(OSError):
                parent.rmdir()


def _tidy_after_killed(target: Path) -> None:
    """Remove what processes left that were killed while they wrote to `target`.

    A folder that was about to be replaced comes back when its successor did not come.
    """
    for partial in abandoned(target, "partial"):
        remove(partial)
    for old in abandoned(target, "old"):
        if not os.path.lexists(target):
            old.rename(target)
        elif (target / SUMS).exists():
            remove(old)


def _explained(error: OSError, partial: Path, target: Path) -> str:
    """Say what could not be written, and when the disk is full how much it was."""
    text = str(error).replace(str(partial), str(target))
    if not isinstance(error, OutputError):
        text = f"cannot write {target}: {text}"
    return needing(text, bytes_in(partial)) if _says_full(error) else text


def _says_full(error: BaseException | None) -> bool:
    """Return whether an error, or what it came from, is of a full disk."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL:
            return True
        error = error.__cause__
    return False


def _make_parents(target: Path, made: list[Path]) -> None:
    """Make the folders above `target`, noting each in `made`, the deepest first."""
    missing = []
    parent = target.parent
    while not parent.exists():
        missing.append(parent)
        parent = parent.parent
    for folder in reversed(missing):
        folder.mkdir()
        made.insert(0, folder)


def _check_replaceable(target: Path, *, overwrite: bool) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise OutputError(f"{target} is a file; a folder is wanted")
    if Path.cwd().is_relative_to(target):
        raise OutputError(f"{target} is the current folder; name one inside it")
    if not overwrite and any(target.iterdir()):
        raise OutputError(
            f"{target} is not empty; name another folder, or say overwrite=True "
            "(--force)"
        )
    strangers = _files(target)
    with suppress(ChangedFileError):
        strangers -= {SUMS, *_read_sums(target)}
    if strangers:
        raise OutputError(
            f"{target} holds {min(strangers)!r}, which was not written with it; "
            "overwriting would destroy it"
        )


def _put_in_place(partial: Path, target: Path) -> None:
    if not target.exists():
        partial.rename(target)
        return
    old = free_sibling(target, "old")
    try:
        target.rename(old)
        partial.rename(target)
    except BaseException:
        if os.path.lexists(target):
            remove(old)
        else:
            old.rename(target)
        raise
    try:
        shutil.rmtree(old)
    except OSError as error:
        raise OutputError(
            f"{target} is complete, but what it replaced is still in {old}: {error}"
        ) from error


def _files(folder: Path) -> set[str]:
    """Return the paths within a folder of all that is no folder, at any depth."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_symlink() or not path.is_dir()
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_sums(folder: Path) -> None:
    lines = [f"{_sha256(folder / name)}  {name}\n" for name in sorted(_files(folder))]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8", newline="\n")


def _read_sums(folder: Path) -> dict[str, str]:
    path = folder / SUMS
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        raise ChangedFileError(f"{path} is missing") from None
    except UnicodeDecodeError:
        raise ChangedFileError(f"{path} is not what it was when it was saved") from None
    sums: dict[str, str] = {}
    for line in text.split("\n")[:-1]:
        digest, gap, name = line[:64], line[64:66], line[66:]
        if gap != "  " or not name or name in sums:
            raise ChangedFileError(f"{path} is not what it was when it was saved")
        sums[name] = digest
    return sums
