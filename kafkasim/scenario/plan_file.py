"""A plan's file: a zip of numpy arrays without pickle, and a header in JSON.

A saved plan carries a run to a machine whose numpy would draw other numbers. Equal
plans give equal bytes; a file is written whole or not at all; every column is held
against its digest when it is read.
"""

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.errors import ChangedFileError, OutputError
from kafkasim.scenario.whole_file import whole_file

FILE_VERSION: Final = 1
"""Rises when the file's layout changes."""
_HEADER: Final = "header"


def write_columns(
    path: Path, header: Mapping[str, object], columns: Mapping[str, NDArray[Any]]
) -> None:
    """Write header and columns to a file beside `path`, then put it there.

    Raises
    ------
    OutputError
        When that fails; a file that stood there is untouched.
    """
    text = json.dumps({"file_version": FILE_VERSION, **header})
    packed: dict[str, Any] = {_HEADER: np.frombuffer(text.encode(), np.uint8)}
    packed |= columns
    try:
        with whole_file(path) as unfinished, unfinished.open("wb") as file:
            np.savez(file, **packed)
    except OSError as error:
        raise OutputError(f"cannot write the plan {path}: {error.strerror}") from error


def read_columns(path: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read header and columns; the columns are read-only.

    Raises
    ------
    ChangedFileError
        When the file is damaged, no plan, or of another version.
    OSError
        When there is no such file or it cannot be opened.
    """
    from zipfile import BadZipFile  # not at each start

    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            columns = {name: archive[name] for name in archive.files}
            header = json.loads(columns.pop(_HEADER).tobytes())
            version = header["file_version"]
    except OSError:
        raise
    except (
        ValueError,
        TypeError,
        LookupError,
        EOFError,
        BadZipFile,
        zlib.error,
    ) as error:
        raise ChangedFileError(f"{path} is damaged or no plan: {error}") from error
    if version != FILE_VERSION:
        text = f"{path} has version {version}, this kafkasim reads {FILE_VERSION}"
        raise ChangedFileError(text)
    for column in columns.values():
        column.flags.writeable = False
    return header, columns
