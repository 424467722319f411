"""A trace's file: a zip of numpy arrays without pickle, and a header in JSON.

The same header and arrays give the same bytes; a file is written whole or not at all.
"""

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.errors import ChangedFileError, OutputError, TraceError

FORMAT_VERSION: Final = 1
"""Rises when the file's layout or the digest's recipe changes."""
_HEADER: Final = "header"


def write_arrays(
    path: Path, header: Mapping[str, object], arrays: Mapping[str, NDArray[Any]]
) -> None:
    """Write header and arrays beside `path` and move them there when they are whole.

    Raises
    ------
    OutputError
        When that fails; a file that stood there is untouched.
    """
    text = json.dumps({"format": FORMAT_VERSION, **header})
    packed: dict[str, Any] = {_HEADER: np.frombuffer(text.encode(), np.uint8), **arrays}
    unfinished = path.with_name(f".{path.name}.part")
    try:
        try:
            with unfinished.open("wb") as file:
                np.savez_compressed(file, **packed)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write the trace {path}: {error.strerror}") from error


def read_arrays(path: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read header and arrays.

    Raises
    ------
    TraceError
        When there is no such file or it cannot be opened.
    ChangedFileError
        When it is damaged, no trace, or of another format.
    """
    from zipfile import BadZipFile  # not at each start

    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
            header = json.loads(arrays.pop(_HEADER).tobytes())
            version = header["format"]
    except OSError as error:
        raise TraceError(f"cannot read the trace {path}: {error.strerror}") from error
    except (
        ValueError,
        TypeError,
        LookupError,
        EOFError,
        BadZipFile,
        zlib.error,
    ) as error:
        raise ChangedFileError(f"{path} is damaged or no trace: {error}") from error
    if version != FORMAT_VERSION:
        text = f"{path} has format {version}, this version reads {FORMAT_VERSION}"
        raise ChangedFileError(text)
    return header, arrays
