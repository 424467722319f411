"""Readers: a table of a user's own becomes a `Trace`.

    trace = ks.traces.from_csv("taxi.csv", time="pickup", sizes=["bytes"], speedup=60)

A row that cannot be used is an error that names row and column, or is skipped and
counted when the caller says so. Rows count from 1, without the header. Nothing is
mended in silence, and no unit, zone or resolution is guessed.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kafkasim.scenario.trace import Trace
from kafkasim.traces.assembly import Reading, build_trace
from kafkasim.traces.bad_rows import OnBadRows
from kafkasim.traces.csv_rows import Dialect, read_csv_table
from kafkasim.traces.frame import frame_table, read_parquet_frame
from kafkasim.traces.moments import Clock, TimeUnit

if TYPE_CHECKING:
    import pandas as pd

_NOT_IN_NAMES: Final = re.compile(r"^\.|[\x00-\x1f/\\:*?\"<>|]")


def from_csv(
    path: str | os.PathLike[str],
    *,
    time: str,
    columns: Sequence[str] | None = None,
    sizes: Sequence[str] = (),
    speedup: float = 1.0,
    sort: bool = False,
    time_unit: TimeUnit | None = None,
    time_format: str | None = None,
    utc: bool = False,
    resolution_s: float = 0.0,
    on_bad_rows: OnBadRows = "raise",
    name: str | None = None,
    delimiter: str = ",",
    encoding: str = "utf-8",
    missing: Sequence[str] = ("",),
) -> Trace:
    """Read a CSV file whose first row names the columns.

    Parameters
    ----------
    path : path
    time : str
        The column that says when a row arrived. Row 1, the first of the data, is at
        time 0.
    columns : sequence of str, optional
        The columns to carry, to serve as key, entity or size; all but the time when
        left out.
    sizes : sequence of str
        Columns that hold sizes in bytes; each is checked in every row.
    speedup : float
        How many times faster than written down the rows arrive.
    sort : bool
        Sort the rows by time, those of equal time staying in order. Without it a row
        earlier than one before it is a bad row.
    time_unit : {"s", "ms", "us", "ns"}, optional
        The unit of times that are numbers.
    time_format : str, optional
        The `datetime.strptime` format of text that is not ISO 8601.
    utc : bool
        Allow zones that differ from row to row, as daylight saving makes them; each
        time is the instant it names.
    resolution_s : float, seconds
        The grain of the times, over which a plan spreads the rows by a seeded jitter:
        60 for whole minutes. 0 leaves ties together.
    on_bad_rows : {"raise", "skip"}
        What a row that cannot be used is: an error, or left out and counted in
        `Trace.skipped`, with one warning.
    name : str, optional
        What the trace is called; the file's name without suffix when left out.
    delimiter : str
        What stands between cells.
    encoding : str
        How the file is encoded; a byte order mark is allowed.
    missing : sequence of str
        Texts that mean an empty cell. `NA` is not among them unless said: it may be an
        airline.

    Returns
    -------
    Trace

    Raises
    ------
    TraceError
        For the first bad row, naming row and column: a missing or unparseable time,
        a time out of order, mixed time zones, a missing, fractional or negative
        size, a wrong number of cells, stray quotes. For a bad row over several lines
        of the file even when others are skipped: how many rows an open quote swallowed
        cannot be known. When a column is missing or named twice, or no row is there.
        When the file is compressed or in another encoding, or a cell is longer than
        `csv.field_size_limit()`.
    ValidationError
        When an option has a value that is not allowed.
    """
    reading = Reading(
        time=time,
        columns=columns,
        sizes=sizes,
        speedup=speedup,
        sort=sort,
        clock=Clock(time_unit, time_format, utc=utc),
        resolution_s=resolution_s,
        on_bad_rows=on_bad_rows,
        name=_named(path, name),
    )
    dialect = Dialect(delimiter, encoding, missing)
    return build_trace(read_csv_table(Path(path), dialect, reading.choose), reading)


def from_parquet(
    path: str | os.PathLike[str],
    *,
    time: str,
    columns: Sequence[str] | None = None,
    sizes: Sequence[str] = (),
    speedup: float = 1.0,
    sort: bool = False,
    time_unit: TimeUnit | None = None,
    time_format: str | None = None,
    utc: bool = False,
    resolution_s: float = 0.0,
    on_bad_rows: OnBadRows = "raise",
    name: str | None = None,
) -> Trace:
    """Read a Parquet file, or a folder of them in the order of their names.

    Parameters
    ----------
    path : path
        An index that pandas wrote with a name is a column like any other.
    time : str
        The column that says when a row arrived. Row 1, the first of the data, is at
        time 0.
    columns : sequence of str, optional
        The columns to carry, to serve as key, entity or size; all but the time when
        left out.
    sizes : sequence of str
        Columns that hold sizes in bytes; each is checked in every row.
    speedup : float
        How many times faster than written down the rows arrive.
    sort : bool
        Sort the rows by time, those of equal time staying in order. Without it a row
        earlier than one before it is a bad row.
    time_unit : {"s", "ms", "us", "ns"}, optional
        The unit of times that are numbers.
    time_format : str, optional
        The `datetime.strptime` format of text that is not ISO 8601.
    utc : bool
        Allow zones that differ from row to row, as daylight saving makes them; each
        time is the instant it names.
    resolution_s : float, seconds
        The grain of the times, over which a plan spreads the rows by a seeded jitter:
        60 for whole minutes. 0 leaves ties together.
    on_bad_rows : {"raise", "skip"}
        What a row that cannot be used is: an error, or left out and counted in
        `Trace.skipped`, with one warning.
    name : str, optional
        What the trace is called; the file's name without suffix when left out.

    Returns
    -------
    Trace

    Raises
    ------
    TraceError
        For the first bad row, naming row and column: a missing or unparseable time,
        a time out of order, mixed time zones, a missing, fractional or negative
        size. When a column is missing or named twice, or no row is there.
    ValidationError
        When an option has a value that is not allowed.
    """
    reading = Reading(
        time=time,
        columns=columns,
        sizes=sizes,
        speedup=speedup,
        sort=sort,
        clock=Clock(time_unit, time_format, utc=utc),
        resolution_s=resolution_s,
        on_bad_rows=on_bad_rows,
        name=_named(path, name),
    )
    frame = read_parquet_frame(Path(path), reading.choose)
    return build_trace(frame_table(frame, time, reading.choose), reading)


def from_dataframe(
    frame: "pd.DataFrame",
    *,
    time: str,
    columns: Sequence[str] | None = None,
    sizes: Sequence[str] = (),
    speedup: float = 1.0,
    sort: bool = False,
    time_unit: TimeUnit | None = None,
    time_format: str | None = None,
    utc: bool = False,
    resolution_s: float = 0.0,
    on_bad_rows: OnBadRows = "raise",
    name: str | None = None,
) -> Trace:
    """Read a pandas DataFrame; its index is left aside.

    Parameters
    ----------
    frame : DataFrame
    time : str
        The column that says when a row arrived. Row 1, the first of the data, is at
        time 0.
    columns : sequence of str, optional
        The columns to carry, to serve as key, entity or size; all but the time when
        left out.
    sizes : sequence of str
        Columns that hold sizes in bytes; each is checked in every row.
    speedup : float
        How many times faster than written down the rows arrive.
    sort : bool
        Sort the rows by time, those of equal time staying in order. Without it a row
        earlier than one before it is a bad row.
    time_unit : {"s", "ms", "us", "ns"}, optional
        The unit of times that are numbers.
    time_format : str, optional
        The `datetime.strptime` format of text that is not ISO 8601.
    utc : bool
        Allow zones that differ from row to row, as daylight saving makes them; each
        time is the instant it names.
    resolution_s : float, seconds
        The grain of the times, over which a plan spreads the rows by a seeded jitter:
        60 for whole minutes. 0 leaves ties together.
    on_bad_rows : {"raise", "skip"}
        What a row that cannot be used is: an error, or left out and counted in
        `Trace.skipped`, with one warning.
    name : str, optional
        What the trace is called; "trace" when left out.

    Returns
    -------
    Trace

    Raises
    ------
    TraceError
        For the first bad row, naming row and column: a missing or unparseable time,
        a time out of order, mixed time zones, a missing, fractional or negative
        size. When a column is missing or named twice, or no row is there.
    ValidationError
        When an option has a value that is not allowed.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"at": [0.0, 0.5, 2.0], "user": ["ann", "bob", "ann"]})
    >>> from_dataframe(frame, time="at", time_unit="s").codes("user").labels
    ('ann', 'bob')
    """
    reading = Reading(
        time=time,
        columns=columns,
        sizes=sizes,
        speedup=speedup,
        sort=sort,
        clock=Clock(time_unit, time_format, utc=utc),
        resolution_s=resolution_s,
        on_bad_rows=on_bad_rows,
        name="trace" if name is None else name,
    )
    return build_trace(frame_table(frame, time, reading.choose), reading)


def _named(path: str | os.PathLike[str], name: str | None) -> str:
    """Return the trace's name: as said, or the file's, fit for a file name."""
    return _NOT_IN_NAMES.sub("_", Path(path).stem) if name is None else name
