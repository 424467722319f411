"""Rows of a CSV file as cells, with the standard library's reader (RFC 4180).

A byte order mark, CRLF and quoted delimiters or line ends are read as they are meant;
lines without any character are no rows. Nothing is guessed: every cell is text, and
only the texts in `missing` are empty (an airline may be called NA).
"""

import codecs
import csv
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kafkasim.errors import TraceError, ValidationError
from kafkasim.traces.bad_rows import Problem
from kafkasim.traces.cells import Cells

_BLOCK_ROWS: Final = 16_384
_OPEN_QUOTE: Final = "unexpected end of data"


class Dialect(NamedTuple):
    """How a CSV file is written."""

    delimiter: str = ","
    """One character."""
    encoding: str = "utf-8"
    """Its name in Python; a byte order mark is allowed."""
    missing: Sequence[str] = ("",)
    """Texts that stand for an empty cell."""

    def codec(self) -> str:
        """Return the codec to open the file with.

        Raises
        ------
        ValidationError
            When there is no such encoding, or the delimiter is not one character.
        """
        if len(self.delimiter) != 1:
            raise ValidationError("delimiter", self.delimiter, "one character")
        try:
            name = codecs.lookup(self.encoding).name
        except LookupError:
            allowed = "an encoding such as 'utf-8' or 'latin-1'"
            raise ValidationError("encoding", self.encoding, allowed) from None
        return "utf-8-sig" if name == "utf-8" else name


class Table(NamedTuple):
    """A table as it was read."""

    columns: dict[str, Cells]
    rows: int
    problems: list[Problem]
    """Rows that are bad whatever their cells mean."""


class _Coder:
    """Distinct texts of one column and their codes, fed block by block."""

    def __init__(self, missing: Sequence[str]) -> None:
        self._code: dict[str | None, int] = {None: -1, **dict.fromkeys(missing, -1)}
        self._blocks: list[NDArray[np.int64]] = []
        self._values: list[str] = []

    def add(self, texts: Sequence[str | None]) -> None:
        """Code one block of cells."""
        for text in dict.fromkeys(texts):
            if text is not None and text not in self._code:
                self._code[text] = len(self._values)
                self._values.append(text)
        codes = map(self._code.__getitem__, texts)
        self._blocks.append(np.fromiter(codes, np.int64, len(texts)))

    def cells(self) -> Cells:
        """Return all blocks as one column."""
        return Cells(np.concatenate(self._blocks), self._values)


def read_csv_table(
    path: Path, dialect: Dialect, choose: Callable[[Sequence[str]], list[str]]
) -> Table:
    """Read the chosen columns of a CSV file whose first row names them.

    Parameters
    ----------
    path : path
    dialect : Dialect
    choose : callable
        Gets the header's names, returns those to read, raises for a wrong one.

    Returns
    -------
    Table
        A row with too few or too many cells, or with stray quotes, keeps its place with
        empty cells and is in `problems`.

    Raises
    ------
    TraceError
        When the file cannot be opened, is empty or has no row below the header, is not
        in this encoding, or ends inside quotes.
    """
    codec = dialect.codec()
    try:
        with path.open(encoding=codec, newline="") as file:
            reader = csv.reader(file, delimiter=dialect.delimiter, strict=True)
            return _read(reader, dialect, choose)
    except OSError as error:
        raise TraceError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeError as error:
        raise TraceError(f"{path} needs another encoding=: {error}") from error


def _read(
    reader: Iterator[list[str]],
    dialect: Dialect,
    choose: Callable[[Sequence[str]], list[str]],
) -> Table:
    rows = _rows(reader)
    header = next(rows, None)
    if header is None:
        raise TraceError("the file is empty")
    names = [str(name) for name in header]
    places = {name: names.index(name) for name in choose(names)}
    coders = {name: _Coder(dialect.missing) for name in places}
    stray: list[int] = []
    uneven: list[int] = []
    count = 0
    while block := list(islice(rows, _BLOCK_ROWS)):
        _set_aside(block, len(names), count, stray, uneven)
        count += len(block)
        columns = list(zip(*block, strict=True))
        for name, place in places.items():
            coders[name].add(columns[place])
    if not count:
        raise TraceError("there is no row below the header")
    hint = f"the header has {len(names)}"
    problems = [
        Problem("stray quotes", np.array(stray, np.int64)),
        Problem("wrong number of cells", np.array(uneven, np.int64), hint=hint),
    ]
    cells = {name: coder.cells() for name, coder in coders.items()}
    return Table(cells, count, problems)


def _rows(reader: Iterator[list[str]]) -> Iterator[Sequence[str | None]]:
    """Yield the rows that are not blank, and () for one with stray quotes."""
    started = 0  # the header counts as row 0
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if str(error) == _OPEN_QUOTE:
                text = "a quote is opened and never closed"
                raise TraceError(text, row=started or None) from error
            if not started:
                raise TraceError(f"the header cannot be read: {error}") from error
            row = []
        else:
            if not row:
                continue
        started += 1
        yield row


def _set_aside(
    block: list[Sequence[str | None]],
    width: int,
    start: int,
    stray: list[int],
    uneven: list[int],
) -> None:
    """Note rows that do not have the header's width and put empty cells there."""
    for place, row in enumerate(block):
        if len(row) != width:
            (uneven if row else stray).append(start + place)
            block[place] = (None,) * width
