"""A file is written whole or not at all.

What is not complete stands beside its place under a hidden name that says what it is,
on which machine and in which process: `.a.npz.partial-HOST-PID-0`. A process that was
killed cannot tidy up; the next that writes to the same place does, when that process is
of this machine and no longer runs.
"""

import errno
import os
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Final

FULL: Final = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
"""Errors of a disk that takes no more, or not so much in one file."""

_HOST: Final = re.sub(r"[^\w.]+", "_", platform.node()) or "here"


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a place beside `path` to write to, and put what stands there in its place.

    The file gets the permissions that any new file gets. When the block fails, what
    stood at `path` is untouched and nothing is left beside it.

    Raises
    ------
    OSError
        When it cannot be put in its place; from a full disk it says how much was asked
        of it.
    """
    for left in abandoned(path, "partial"):
        remove(left)
    unfinished = free_sibling(path, "partial")
    try:
        yield unfinished
        unfinished.replace(path)
    except OSError as error:
        if error.errno in FULL:
            error.strerror = needing(str(error.strerror), bytes_in(unfinished))
        raise
    finally:
        unfinished.unlink(missing_ok=True)


def needing(text: str, more_bytes: int) -> str:
    """Say what a full disk was asked for, in all, when `text` says some of it."""
    found = re.fullmatch(r"(.*); it needs more than ([\d,]+) bytes", text, re.DOTALL)
    if found:
        text = found[1]
        more_bytes += int(found[2].replace(",", ""))
    if not more_bytes:
        return text
    return f"{text}; it needs more than {more_bytes:,} bytes"


def bytes_in(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder, as far as is known."""
    total = 0
    for file in (path, *path.rglob("*")):
        with suppress(OSError):
            total += file.stat().st_size if file.is_file() else 0
    return total


def free_sibling(target: Path, what: str) -> Path:
    """Return a hidden name beside `target` that no file has."""
    names = (f".{target.name}.{what}-{_HOST}-{os.getpid()}-{n}" for n in count())
    paths = (target.with_name(name) for name in names)
    return next(path for path in paths if not os.path.lexists(path))


def abandoned(target: Path, what: str) -> list[Path]:
    """Return what stands beside `target` and belongs to a process that was killed."""
    name = re.compile(rf"\.{re.escape(target.name)}\.{what}-(.+)-(\d+)-\d+")
    left = []
    with suppress(OSError):  # a folder that is not there or cannot be listed
        for entry in os.scandir(target.parent):
            found = name.fullmatch(entry.name)
            if found and found[1] == _HOST and not _runs(int(found[2])):
                left.append(Path(entry.path))
    return sorted(left)


def remove(path: Path) -> None:
    """Remove a file or a folder, as far as that goes."""
    from shutil import rmtree  # not at each start

    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            rmtree(path, ignore_errors=True)
        else:
            path.unlink()


def _runs(process: int) -> bool:
    """Return whether a process runs; True where one cannot ask."""
    if os.name == "nt":  # there os.kill is not a question
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # of another user
        return True
    return True
