"""A trace: arrivals that nobody invented, as columns.

Row k of a trace arrived at `times_ns[k]` and carries a value in every column, by which
it can be keyed, followed as an entity, or sized. Columns of text are codes plus labels;
columns of whole numbers are int64.

A trace holds what was written down, so its times have the grain of the file: departures
have whole minutes. `resolution_ns` says how wide that grain is. The jitter that spreads
rows within it is drawn in the plan from a seeded stream and is no part of the trace.

    arrival of row k = floor(kth smallest of (times + jitter) / speedup)
    jitter           = whole nanoseconds, uniform in [0, resolution_ns)

The kth arrival belongs to row k: rows keep the order of the file.
"""

import json
import math
import os
import re
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from fractions import Fraction
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.catalogue import say
from kafkasim.errors import ChangedFileError, TraceError, ValidationError
from kafkasim.scenario.trace_columns import (
    CodedColumn,
    Column,
    checked_column,
    no_such_column,
    read_only,
)
from kafkasim.scenario.trace_file import FORMAT_VERSION, read_arrays, write_arrays
from kafkasim.units import NS_PER_S

SPAN_LIMIT_NS: Final = 2**62
"""The longest a trace may take: 146 years."""
_NAME: Final = re.compile(r"[^\x00-\x1f/\\:*?\"<>|.][^\x00-\x1f/\\:*?\"<>|]*")


@dataclass(frozen=True, eq=False, repr=False)
class Trace:
    """Arrivals with their columns, sorted by time; arrays are read-only.

    Two traces are equal when their digests and speed-ups are; `name`, `source` and
    `skipped` say where a trace comes from, not what it is.

    Parameters
    ----------
    times_ns : int64[n], nanoseconds since the trace's start
        Sorted, none negative, at least one.
    columns : mapping of column name to CodedColumn or int64[n]
        A pair of codes and labels is read as a `CodedColumn`.
    name : str
        What it is called; also names the file that a saved scenario puts beside itself.
    resolution_ns : int, nanoseconds
        The grain of `times_ns`, over which rows are spread; 0 spreads nothing.
    speedup : float
        How many times faster than written down the rows arrive.
    source : tuple of pairs, optional
        How a bundled trace is named in a document, such as ``(("kind", "flights"),
        ("month", 7))``; None for a trace that has to be written out.
    skipped : mapping of str to int
        Rows left out by the reader, by cause.

    Raises
    ------
    TraceError
        When arrays do not fit together; names the row and the column.
    ValidationError
        When `name`, `resolution_ns` or `speedup` is out of range.

    Examples
    --------
    >>> trace = Trace([0, 5, 5], {"web": ([0, 1, -1], ("a", "b"))}, speedup=2)
    >>> trace
    Trace('trace', 3 rows in 3e-09 s, columns web)
    >>> trace.arrivals_ns(np.random.default_rng(1)).tolist()
    [0, 2, 2]
    """

    times_ns: NDArray[np.int64]
    columns: Mapping[str, Column]
    _: KW_ONLY
    name: str = "trace"
    resolution_ns: int = 0
    speedup: float = 1.0
    source: tuple[tuple[str, object], ...] | None = None
    skipped: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        def store(name: str, value: object) -> None:
            object.__setattr__(self, name, value)

        times_ns = read_only(self.times_ns, np.dtype(np.int64), "times_ns")
        _check_times(times_ns)
        store("times_ns", times_ns)
        store(
            "columns",
            MappingProxyType(
                {
                    name: checked_column(name, column, len(times_ns))
                    for name, column in self.columns.items()
                }
            ),
        )
        store("speedup", _checked_speedup(self.speedup))
        store("skipped", MappingProxyType(dict(self.skipped)))
        if not _NAME.fullmatch(self.name):
            raise ValidationError("name", self.name, say("a text fit for a file name"))
        whole = isinstance(self.resolution_ns, int)
        if not (whole and 0 <= self.resolution_ns < SPAN_LIMIT_NS):
            allowed = say("whole nanoseconds from 0")
            raise ValidationError("resolution_ns", self.resolution_ns, allowed)
        if self.duration_ns > SPAN_LIMIT_NS:
            allowed = say("a speed-up at which the trace takes less than 146 years")
            raise ValidationError("speedup", self.speedup, allowed)

    def __len__(self) -> int:
        return len(self.times_ns)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Trace):
            return NotImplemented
        return (self.digest, self.speedup) == (other.digest, other.speedup)

    def __hash__(self) -> int:
        return hash((self.digest, self.speedup))

    def __repr__(self) -> str:
        columns = ", ".join(self.columns)
        seconds = self.duration_ns / NS_PER_S
        rows = f"{len(self):,} rows in {seconds:g} s"
        return f"Trace({self.name!r}, {rows}, columns {columns or 'none'})"

    def __reduce__(self) -> tuple[object, ...]:
        return (
            partial(
                Trace,
                self.times_ns,
                dict(self.columns),
                name=self.name,
                resolution_ns=self.resolution_ns,
                speedup=self.speedup,
                source=self.source,
                skipped=dict(self.skipped),
            ),
            (),
        )

    @property
    def duration_ns(self) -> int:
        """Nanoseconds the trace takes at its speed-up; every arrival comes before."""
        whole_ns = int(self.times_ns[-1]) + max(self.resolution_ns, 1)
        return math.ceil(Fraction(whole_ns) / Fraction(self.speedup))

    @cached_property
    def digest(self) -> str:
        """SHA-256 over times, resolution and columns, in hexadecimal.

        The speed-up is not in it: it stands in a scenario as a number of its own, and
        changing it there does not make the trace's file another one. Nor is the order
        of the columns.
        """
        from hashlib import sha256

        sha = sha256()
        head = ["kafkasim trace", FORMAT_VERSION, len(self), self.resolution_ns]
        sha.update(json.dumps(head).encode())
        sha.update(self.times_ns.astype("<i8", copy=False).data)
        for name in sorted(self.columns):
            column = self.columns[name]
            if isinstance(column, CodedColumn):
                head = [name, "labels", *column.labels]
                array: NDArray[np.signedinteger] = column.codes.astype(
                    "<i4", copy=False
                )
            else:
                head = [name, "numbers"]
                array = column.astype("<i8", copy=False)
            sha.update(json.dumps(head).encode())
            sha.update(array.data)
        return sha.hexdigest()

    def codes(self, column: str) -> CodedColumn:
        """Return a column as codes and labels; a number's label is its digits.

        Parameters
        ----------
        column : str
            Its name.

        Raises
        ------
        TraceError
            When there is no such column; names the nearest.
        """
        found = self._find(column)
        if isinstance(found, CodedColumn):
            return found
        values, inverse = np.unique(found, return_inverse=True)
        return CodedColumn(
            inverse.astype(np.int32), tuple(str(value) for value in values.tolist())
        )

    def numbers(self, column: str) -> NDArray[np.int64]:
        """Return a column of whole numbers.

        Parameters
        ----------
        column : str
            Its name.

        Raises
        ------
        TraceError
            When there is no such column, or it holds text or misses a value.
        """
        found = self._find(column)
        if isinstance(found, CodedColumn):
            raise TraceError("holds no whole number in every row", column=column)
        return found

    def arrivals_ns(self, rng: "np.random.Generator") -> NDArray[np.int64]:
        """Draw the arrival times.

        Parameters
        ----------
        rng : numpy.random.Generator
            Gives the jitter; not used when the resolution is 0.

        Returns
        -------
        int64[n], nanoseconds since the trace's start
            Sorted, each below `duration_ns`; the kth belongs to row k.
        """
        times_ns = self.times_ns
        if self.resolution_ns > 1:
            times_ns = times_ns + rng.integers(self.resolution_ns, size=len(self))
            times_ns.sort()
        if self.speedup.is_integer():
            return times_ns // int(self.speedup)
        arrivals_ns = np.floor(times_ns / self.speedup).astype(np.int64)
        return np.minimum(arrivals_ns, self.duration_ns - 1)

    def with_speedup(self, speedup: float) -> "Trace":
        """Return the same trace at another speed-up."""
        return replace(self, speedup=speedup)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the trace to a file that `load_trace` reads back equal.

        Parameters
        ----------
        path : path
            An .npz file (a zip of numpy arrays, without pickle); replaced if it exists.

        Raises
        ------
        OutputError
            When it cannot be written; a file that stood there is untouched.
        """
        header = {
            "digest": self.digest,
            "name": self.name,
            "resolution_ns": self.resolution_ns,
            "speedup": self.speedup,
            "source": self.source,
            "skipped": dict(self.skipped),
            "columns": [
                [name, list(column.labels) if isinstance(column, CodedColumn) else None]
                for name, column in self.columns.items()
            ],
        }
        arrays: dict[str, NDArray[np.generic]] = {"times_ns": self.times_ns}
        for number, column in enumerate(self.columns.values()):
            array = column.codes if isinstance(column, CodedColumn) else column
            arrays[f"column_{number}"] = array
        write_arrays(Path(path), header, arrays)

    def _find(self, column: str) -> Column:
        found = self.columns.get(column)
        if found is None:
            raise no_such_column(column, list(self.columns))
        return found


def load_trace(path: str | os.PathLike[str], *, digest: str | None = None) -> Trace:
    """Read a trace that `Trace.save` wrote.

    Parameters
    ----------
    path : path
        The .npz file.
    digest : str, optional
        The digest that it must have; without it, the one written in the file.

    Returns
    -------
    Trace

    Raises
    ------
    TraceError
        When there is no such file or it cannot be opened.
    ChangedFileError
        When what is in the file is not what was saved.
    """
    header, arrays = read_arrays(Path(path))
    try:
        trace = _from_file(header, arrays)
        expected = header["digest"] if digest is None else digest
    except (ValueError, TypeError, LookupError) as error:
        raise ChangedFileError(f"{path} is no whole trace: {error}") from error
    if trace.digest != expected:
        raise ChangedFileError(
            f"{path} was changed: its digest is {trace.digest}, expected {expected}"
        )
    return trace


def _from_file(header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Trace:
    columns: dict[str, Column] = {}
    for number, (name, labels) in enumerate(header["columns"]):
        array = arrays[f"column_{number}"]
        columns[name] = array if labels is None else CodedColumn(array, tuple(labels))
    source = header["source"]
    return Trace(
        arrays["times_ns"],
        columns,
        name=header["name"],
        resolution_ns=header["resolution_ns"],
        speedup=header["speedup"],
        source=None if source is None else tuple((key, value) for key, value in source),
        skipped=header["skipped"],
    )


def _check_times(times_ns: NDArray[np.int64]) -> None:
    if not len(times_ns):
        raise TraceError("a trace needs at least one row")
    if times_ns[0] < 0:
        raise TraceError("is before the trace's start", row=1, column="times_ns")
    early = np.flatnonzero(np.diff(times_ns) < 0)
    if len(early):
        row = int(early[0]) + 2
        raise TraceError("is earlier than the row before", row=row, column="times_ns")
    if times_ns[-1] > SPAN_LIMIT_NS:
        row = len(times_ns)
        raise TraceError("is after more than 146 years", row=row, column="times_ns")


def _checked_speedup(speedup: float) -> float:
    try:
        number = float(speedup)
    except (TypeError, ValueError):
        number = math.nan
    if not 0 < number < math.inf:
        raise ValidationError("speedup", speedup, say("a number above 0"))
    return number
