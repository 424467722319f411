"""A file is written whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a place beside `path` to write to, and put what stands there in its place.

    The file gets the permissions that any new file gets. When the block fails, what
    stood at `path` is untouched and nothing is left beside it.

    Raises
    ------
    OSError
        When it cannot be put in its place.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
