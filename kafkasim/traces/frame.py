"""A DataFrame's columns as cells."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kafkasim.errors import TraceError
from kafkasim.traces.cells import Cells
from kafkasim.traces.csv_rows import Table

if TYPE_CHECKING:
    import pandas as pd


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
    """
    names = [str(name) for name in frame.columns]
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
