"""Tables as CSV and Parquet.

CSV holds what the frame shows: floats with as many digits as read back equal, missing
values empty, no index unless it has a name. Parquet also keeps the types (labels as
dictionaries, offsets as nullable integers).
"""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from kafkasim.errors import OutputError, ValidationError
from kafkasim.result.folder import new_file

if TYPE_CHECKING:
    import pandas as pd


def table(frame: "pd.DataFrame", path: str | Path) -> Path:
    """Write a DataFrame to a CSV or Parquet file.

    Parameters
    ----------
    frame : pandas.DataFrame
        Such as ``result.records`` or any table of analysis.
    path : str or Path
        The suffix chooses the format. A file that stands there is replaced once the
        new one is complete; missing folders are made.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ValidationError
        The suffix is neither, or Parquet is asked for and pyarrow is not installed.
    OutputError
        The file cannot be written, or a column holds values of more than one type; what
        was there is untouched.
    """
    target = Path(path).expanduser()
    index = any(name is not None for name in frame.index.names)
    match target.suffix.lower():
        case ".csv":
            with new_file(target) as partial:
                frame.to_csv(
                    partial, index=index, encoding="utf-8", lineterminator="\n"
                )
        case ".parquet":
            _require_pyarrow(path)
            with new_file(target) as partial:
                _write_parquet(frame, partial, index=index)
        case _:
            raise ValidationError("path", str(path), "a name in .csv, .parquet")
    return target


def _write_parquet(frame: "pd.DataFrame", path: Path, *, index: bool) -> None:
    from pyarrow.lib import ArrowException

    try:
        frame.to_parquet(path, engine="pyarrow", index=index)
    except (ArrowException, OverflowError) as error:
        columns = ", ".join(repr(str(name)) for name in _unwritable(frame))
        text = f"cannot write {path}: column {columns} is of no type that Parquet has"
        raise OutputError(f"{text} ({error.args[0]})") from error


def _unwritable(frame: "pd.DataFrame") -> list[object]:
    """Return the columns that Arrow cannot take."""
    from pyarrow import array
    from pyarrow.lib import ArrowException

    found: list[object] = []
    for name in frame.columns:
        try:
            array(frame[name], from_pandas=True)
        except (ArrowException, OverflowError):
            found.append(name)
    return found


def _require_pyarrow(path: str | Path) -> None:
    if find_spec("pyarrow") is None:
        raise ValidationError(
            "path", str(path), "a name in .csv", "Parquet needs pyarrow: install it"
        )
