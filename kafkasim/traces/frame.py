"""A DataFrame's columns as cells, and a Parquet file as a DataFrame."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from kafkasim.catalogue import say
from kafkasim.errors import TraceError, ValidationError
from kafkasim.traces.cells import Cells
from kafkasim.traces.csv_rows import Table

if TYPE_CHECKING:
    import pandas as pd


_UNNAMED_INDEX: Final = "__index_level_"


def read_parquet_frame(
    path: Path, choose: Callable[[Sequence[str]], list[str]]
) -> "pd.DataFrame":
    """Read the chosen columns of a Parquet file or folder.

    Parameters
    ----------
    path : path
    choose : callable
        Gets the columns' names, returns those to read, raises for a wrong one.

    Returns
    -------
    DataFrame
        Whole numbers with gaps stay whole; an index is a column if it has a name.

    Raises
    ------
    TraceError
        When the file cannot be opened or is no Parquet.
    """
    from pyarrow import dataset, parquet

    try:
        if path.is_file():  # a dataset does not open when two columns have one name
            names = parquet.read_schema(path).names
        else:
            names = dataset.dataset(path, format="parquet").schema.names
        chosen = choose([each for each in names if not each.startswith(_UNNAMED_INDEX)])
        table = dataset.dataset(path, format="parquet").to_table(columns=chosen)
    except TraceError:
        raise
    except OSError as error:
        raise TraceError(f"cannot read {path}: {error}") from error
    except (ValueError, NotImplementedError) as error:
        raise TraceError(f"{path} is no Parquet file to read: {error}") from error
    frame: pd.DataFrame = table.to_pandas(
        ignore_metadata=True, integer_object_nulls=True
    )
    return frame


def frame_table(
    frame: "pd.DataFrame", time: str, choose: Callable[[Sequence[str]], list[str]]
) -> Table:
    """Return the chosen columns of a DataFrame.

    Parameters
    ----------
    frame : DataFrame
        Its index is not read.
    time : str
        The column of times; timestamps in it stay a numpy array.
    choose : callable
        Gets the columns' names, returns those to read, raises for a wrong one.

    Returns
    -------
    Table

    Raises
    ------
    TraceError
        When there is no row, or a column holds lists or the like.
    ValidationError
        When it is no DataFrame.
    """
    import pandas as pd

    kind: type = type(frame)
    if not issubclass(kind, pd.DataFrame):
        given = f"{kind.__module__}.{kind.__qualname__}"
        why = say(
            "it is a {given}; pandas.DataFrame(…) or .to_pandas() may make it one",
            given=given,
        )
        raise ValidationError("frame", kind, say("a pandas DataFrame"), why)
    names = [str(name) for name in frame.columns]
    if time not in names and time == frame.index.name:
        text = "is the index; frame.reset_index() makes it a column"
        raise TraceError(text, column=time)
    chosen = choose(names)
    if not len(frame):
        raise TraceError("the table has no row")
    columns = {
        name: _cells(name, frame.iloc[:, names.index(name)], as_array=name == time)
        for name in chosen
    }
    return Table(columns, len(frame), [])


def _cells(name: str, series: "pd.Series[Any]", *, as_array: bool) -> Cells:
    import pandas as pd

    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(series.cat.categories.dtype)
    try:
        codes, values = pd.factorize(series)
    except TypeError as error:
        text = f"holds values that are neither text, number nor time: {error}"
        raise TraceError(text, column=name) from error
    if as_array and isinstance(values, pd.DatetimeIndex):
        return Cells(codes.astype(np.int64), values.to_numpy("datetime64[ns]"))
    return Cells(codes.astype(np.int64), values.tolist())
