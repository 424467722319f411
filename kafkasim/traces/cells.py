"""Cells: a table's column as it was read, each distinct value once.

Whatever a reader does per value (read a time, check a size, write a label) is done once
per distinct value and spread over the rows by code, so that a million rows of sixteen
carriers cost sixteen steps.
"""

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kafkasim.errors import TraceError
from kafkasim.scenario.trace_columns import CodedColumn, Column

NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_INTEGER: Final = re.compile(r"0|-?[1-9]\d{0,18}", re.ASCII)
_INT64: Final = range(-(2**63), 2**63)
_EXACT_FLOAT: Final = 2**53


class Cells(NamedTuple):
    """One column of a table."""

    codes: NDArray[np.int64]
    """Per row a position in `distinct`, −1 where the cell is empty."""
    distinct: Sequence[object] | NDArray[np.datetime64]
    """The values, each once; timestamps may come as datetime64[ns]."""

    def rows_of(self, chosen: Iterable[bool]) -> NDArray[np.int64]:
        """Return the rows whose value is chosen (one truth per value)."""
        flags = np.array([*chosen, False], np.bool_)  # the last is for code −1
        return np.flatnonzero(flags[self.codes])

    @property
    def empty_rows(self) -> NDArray[np.int64]:
        """Return the rows without a value."""
        return np.flatnonzero(self.codes < 0)

    def taken(self, rows: NDArray[np.int64]) -> "Cells":
        """Return the cells of some rows, values in order of first appearance.

        Two tables with the same rows give the same cells, whatever else their files
        held.
        """
        codes = self.codes[rows]
        first = np.full(len(self.distinct) + 1, len(codes), np.int64)
        first[codes[::-1]] = np.arange(len(codes))[::-1]  # the last assigned stays
        order = np.argsort(first[:-1], kind="stable")
        order = order[first[order] < len(codes)]
        renumbered = np.full(len(self.distinct) + 1, -1, np.int64)
        renumbered[order] = np.arange(len(order))
        return Cells(renumbered[codes], [self.distinct[place] for place in order])


def as_column(name: str, cells: Cells) -> Column:
    """Return cells as whole numbers if each row has one, else as text.

    Text counts as a whole number when its digits are written as Python writes them:
    `7`, not `007` or `7.0`; so a key is sent with the very characters of the file.

    Raises
    ------
    TraceError
        When a value is neither text nor number nor time.
    """
    texts = [_text(name, value) for value in cells.distinct]
    if not len(cells.empty_rows) and all(map(_is_int64, cells.distinct, texts)):
        return np.array([int(text) for text in texts], np.int64)[cells.codes]
    code = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    codes = np.array([*(code[text] for text in texts), -1], np.int32)
    return CodedColumn(codes[cells.codes], tuple(code))


def whole_number(value: object) -> int | None:
    """Return a value as a whole number, or None when it is none.

    Sizes may be written by a program that makes them floats: `12.0` is 12.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = str(value).strip()
    if not NUMBER.fullmatch(text):
        return None
    number = Decimal(text)
    return int(number) if number == number.to_integral_value() else None


def _is_int64(value: object, text: str) -> bool:
    if isinstance(value, float) or not _INTEGER.fullmatch(text):
        return False
    return int(text) in _INT64


def _text(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (bytes, bytearray)):
        raise TraceError(f"holds bytes such as {value!r}, no text", column=name)
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT_FLOAT:
        return str(int(value))  # pandas turns whole numbers with a gap into floats
    return str(value)
