"""The columns of a trace: text as codes plus labels, whole numbers as they are.

A code is a row's position in the labels, −1 where its value is missing, so a million
rows of sixteen carriers hold sixteen texts.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kafkasim.errors import TraceError


class CodedColumn(NamedTuple):
    """A column of text."""

    codes: NDArray[np.int32]
    """Per row a position in `labels`, −1 where the value is missing."""
    labels: tuple[str, ...]
    """The distinct values."""


Column = CodedColumn | NDArray[np.int64]
"""Text, or a whole number in every row."""


def checked_column(name: str, column: Column, rows: int) -> Column:
    """Return a column checked and read-only."""
    if not isinstance(column, tuple):
        numbers = read_only(column, np.dtype(np.int64), name)
        _check_length(name, numbers, rows)
        return numbers
    labels = tuple(column[1])
    codes = read_only(column[0], np.dtype(np.int32), name)
    _check_length(name, codes, rows)
    outside = np.flatnonzero((codes < -1) | (codes >= len(labels)))
    if len(outside):
        row = int(outside[0])
        text = f"code {codes[row]} has none of the {len(labels)} labels"
        raise TraceError(text, row=row + 1, column=name)
    if len(set(labels)) != len(labels):
        raise TraceError("two labels are the same", column=name)
    try:
        "".join(labels).encode()
    except UnicodeEncodeError as error:  # a key's bytes are its text in UTF-8
        raise TraceError(f"a label is no text in UTF-8: {error}", column=name) from None
    return CodedColumn(codes, labels)


def _check_length(name: str, array: NDArray[np.signedinteger], rows: int) -> None:
    if len(array) != rows:
        raise TraceError(f"has {len(array)} rows, times_ns {rows}", column=name)


def read_only(values: object, dtype: np.dtype[Any], name: str) -> NDArray[Any]:
    """Return whole numbers as a read-only array that shares no memory with others."""
    array = np.asarray(values)
    if array.ndim != 1 or (array.dtype.kind not in "iu" and array.size):
        raise TraceError("needs one row of whole numbers", column=name)
    if array.dtype == dtype and array.base is None and not array.flags.writeable:
        return array
    bounds = np.iinfo(dtype)
    if array.size and not bounds.min <= array.min() <= array.max() <= bounds.max:
        raise TraceError(f"does not fit {dtype}", column=name)
    frozen = array.astype(dtype)
    frozen.setflags(write=False)
    return frozen


def no_such_column(name: str, columns: Sequence[str]) -> TraceError:
    """Return the error for a column name that is not there, with the nearest one."""
    from difflib import get_close_matches

    folded = {column.casefold(): column for column in columns}
    nearest = get_close_matches(name.casefold(), folded, 1)
    hint = f"did you mean {folded[nearest[0]]!r}? " if nearest else ""
    there = ", ".join(map(repr, columns)) or "none"
    return TraceError(f"there is no such column; {hint}Columns: {there}", column=name)
