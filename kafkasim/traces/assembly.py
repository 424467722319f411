"""From a table to a trace: choose columns, set bad rows aside, sort, count from zero.

One column says when each row arrived; every other column can serve by name as key,
entity or size. The first usable row is at time 0.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.catalogue import say
from kafkasim.errors import TraceError, ValidationError
from kafkasim.scenario.trace import SPAN_LIMIT_NS, Trace
from kafkasim.scenario.trace_columns import no_such_column
from kafkasim.traces.bad_rows import (
    OnBadRows,
    Problem,
    bad_mask,
    check_on_bad_rows,
    count_by_cause,
    raise_first,
    raise_first_spread,
    warn_of_skipped,
)
from kafkasim.traces.cells import Cells, as_column, whole_number
from kafkasim.traces.csv_rows import Table
from kafkasim.traces.moments import Clock, read_times
from kafkasim.units import ns_from_s

_SIZES: Final = range(2**31)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a caller said about a table.

    Raises
    ------
    ValidationError
        When an option has a value that is not allowed.
    """

    time: str
    """The column of times."""
    columns: Sequence[str] | None
    """The columns to carry; None: all but the time."""
    sizes: Sequence[str]
    """The columns that must hold sizes in bytes; carried too."""
    speedup: float
    """How many times faster than written down the rows arrive."""
    sort: bool
    """Whether rows may be out of order, to be sorted by time."""
    clock: Clock
    """How times are written."""
    resolution_s: float
    """The grain of the times in seconds."""
    on_bad_rows: OnBadRows
    """Whether a bad row is an error or skipped."""
    name: str
    """What the trace is called."""

    def __post_init__(self) -> None:
        self.clock.check()
        check_on_bad_rows(self.on_bad_rows)
        if not 0 <= self.resolution_s < math.inf:
            raise ValidationError(
                "resolution_s", self.resolution_s, say("seconds from 0")
            )
        if not isinstance(self.time, str):
            raise ValidationError(
                "time", self.time, say("the name of a column, as text")
            )
        for path in ("columns", "sizes"):
            _check_names(path, getattr(self, path))

    def choose(self, names: Sequence[str]) -> list[str]:
        """Return the columns to read: the time, then those to carry.

        Raises
        ------
        TraceError
            When a name is missing, with the nearest, or stands there twice.
        """
        for name in names:
            if names.count(name) > 1:
                raise TraceError("two columns have this name", column=name)
        for name in (self.time, *(self.columns or ()), *self.sizes):
            if name not in names:
                raise no_such_column(name, names)
        others = [name for name in names if name != self.time]
        carried = others if self.columns is None else [*self.columns, *self.sizes]
        return list(dict.fromkeys([self.time, *carried]))


def _check_names(path: str, value: object) -> None:
    if isinstance(value, str):
        raise ValidationError(
            path, value, say("a list of names such as [{value!r}]", value=value)
        )
    if value is None and path == "columns":
        return
    if not isinstance(value, Collection):
        raise ValidationError(path, value, say("a list of names"))
    for name in value:
        if not isinstance(name, str):
            raise ValidationError(path, name, say("names of columns, as text"))


def build_trace(table: Table, reading: Reading) -> Trace:
    """Return the trace of a table.

    Raises
    ------
    TraceError
        For the first bad row, or the first over several lines of its file when others
        are skipped, or when none can be used.
    """
    times_ns, problems = read_times(
        reading.time, table.columns[reading.time], reading.clock
    )
    problems = [*table.problems, *problems]
    if not reading.sort:
        timed = ~bad_mask(problems, table.rows)
        problems.append(_out_of_order(reading.time, times_ns, timed))
    sizes = {}
    for name in reading.sizes:
        sizes[name], wrong = _read_sizes(name, table.columns[name])
        problems += wrong
    if reading.on_bad_rows == "raise":
        raise_first(problems, table.spans)
    raise_first_spread(problems, table.spans)
    rows = np.flatnonzero(~bad_mask(problems, table.rows))
    skipped = count_by_cause(problems, table.rows)
    if skipped:
        warn_of_skipped(skipped, table.rows)
    if not len(rows):
        raise TraceError(f"none of the {table.rows} rows can be used: {skipped}")
    if reading.sort:
        rows = rows[np.argsort(times_ns[rows], kind="stable")]
    offsets_ns = times_ns[rows] - times_ns[rows[0]]
    if offsets_ns[-1] > SPAN_LIMIT_NS:
        text = "is more than 146 years after the first"
        raise TraceError(text, row=int(rows[-1]) + 1, column=reading.time)
    columns = {
        name: sizes[name][rows] if name in sizes else as_column(name, cells.taken(rows))
        for name, cells in table.columns.items()
        if name != reading.time
    }
    return Trace(
        offsets_ns,
        columns,
        name=reading.name,
        resolution_ns=ns_from_s(reading.resolution_s),
        speedup=reading.speedup,
        skipped=skipped,
    )


def _out_of_order(
    column: str, times_ns: NDArray[np.int64], timed: NDArray[np.bool_]
) -> Problem:
    """Return the rows earlier than one before them; the hint is for the first."""
    rows = np.flatnonzero(timed)
    latest_ns = np.maximum.accumulate(times_ns[rows])
    places = np.flatnonzero(times_ns[rows] < latest_ns)
    hint = ""
    if len(places):  # up to the first of them the rows are in order
        before = int(rows[places[0] - 1]) + 1
        hint = f"it is earlier than row {before}; sort=True sorts the rows by time"
    return Problem("time out of order", rows[places], column, hint)


def _read_sizes(column: str, cells: Cells) -> tuple[NDArray[np.int64], list[Problem]]:
    """Return a column of sizes in bytes, 0 for a bad one."""
    sizes = [whole_number(value) for value in cells.distinct]
    good = [size if size is not None and size in _SIZES else 0 for size in sizes]
    fractions = cells.rows_of(size is None for size in sizes)
    negative = cells.rows_of(size is not None and size < 0 for size in sizes)
    large = cells.rows_of(size is not None and size > _SIZES[-1] for size in sizes)
    bytes_hint = "expected whole bytes"
    problems = [
        Problem("missing size", cells.empty_rows, column),
        Problem("size is no whole number", fractions, column, bytes_hint, cells),
        Problem("negative size", negative, column, bytes_hint, cells),
        Problem("size above 2147483647", large, column, bytes_hint, cells),
    ]
    return np.array([*good, 0], np.int64)[cells.codes], problems
