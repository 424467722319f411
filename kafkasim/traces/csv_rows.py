"""Rows of a CSV file as cells, with the standard library's reader (RFC 4180).

A byte order mark, CRLF and quoted delimiters or line ends are read as they are meant;
lines without any character are no rows. Nothing is guessed: every cell is text, and
only the texts in `missing` are empty (an airline may be called NA).
"""

import codecs
import csv
import io
import re
from array import array
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from kafkasim.catalogue import say
from kafkasim.errors import TraceError, ValidationError
from kafkasim.traces.bad_rows import NO_SPANS, Problem, SpreadRowError
from kafkasim.traces.cells import Cells

_BLOCK_ROWS: Final = 16_384
_OPEN_QUOTE: Final = "unexpected end of data"
_LARGE_CELL: Final = "field larger than field limit"
_PACKED: Final = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip, which a workbook is too",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}
_BZIP2: Final = re.compile(rb"BZh[1-9]1AY&SY")
_HEAD_BYTES: Final = 10
_ESCAPED: Final = re.compile("[\udc80-\udcff]")
_ESCAPE_BASE: Final = 0xDC00
_DELIMITERS: Final = {";": "';'", "\t": "'\\t'", "|": "'|'", ",": "','"}


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
            raise ValidationError("delimiter", self.delimiter, say("one character"))
        try:
            name = codecs.lookup(self.encoding).name
        except LookupError:
            allowed = say("an encoding such as 'utf-8' or 'latin-1'")
            raise ValidationError("encoding", self.encoding, allowed) from None
        return "utf-8-sig" if name == "utf-8" else name


class Table(NamedTuple):
    """A table as it was read."""

    columns: dict[str, Cells]
    rows: int
    problems: list[Problem]
    """Rows that are bad whatever their cells mean."""
    spans: NDArray[np.int64] = NO_SPANS
    """Rows over several lines of the file, as in `NO_SPANS`."""


class _Reader(Protocol):
    """What is used of `csv.reader`."""

    @property
    def line_num(self) -> int: ...

    def __next__(self) -> list[str]: ...


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
        When the file cannot be opened, is compressed, is empty or has no row below the
        header, is not in this encoding, holds a cell above `csv.field_size_limit()`, or
        ends inside quotes.
    """
    codec = dialect.codec()
    try:
        with path.open("rb") as file:
            _check_unpacked(path, file.peek(_HEAD_BYTES))
            text = io.TextIOWrapper(file, encoding=codec, newline="")
            reader = csv.reader(text, delimiter=dialect.delimiter, strict=True)
            return _read(reader, dialect, choose)
    except OSError as error:
        raise TraceError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeError as error:
        raise _wrong_encoding(path, dialect, error) from error


def _check_unpacked(path: Path, head: bytes) -> None:
    kinds = [kind for magic, kind in _PACKED.items() if head.startswith(magic)]
    if _BZIP2.match(head):
        kinds.append("bzip2")
    if kinds:
        raise TraceError(f"{path} is compressed ({kinds[0]}); unpack it first")


def _wrong_encoding(path: Path, dialect: Dialect, error: UnicodeError) -> TraceError:
    """Return the error for the first byte that is not in the encoding.

    The file is read again, as the decoder does not say where in the file it was.
    """
    text = f"{path} needs another encoding="
    whole = TraceError(f"{text}: {error}")
    if not path.is_file():
        return whole
    found: list[tuple[int, int]] = []

    def lines_before(file: Iterator[str]) -> Iterator[str]:
        for number, line in enumerate(file, 1):
            if escaped := _ESCAPED.search(line):
                found.append((number, ord(escaped[0]) - _ESCAPE_BASE))
                return
            yield line

    try:
        with path.open(
            encoding=dialect.codec(), errors="surrogateescape", newline=""
        ) as file:
            lines = lines_before(file)
            reader = csv.reader(lines, delimiter=dialect.delimiter, strict=True)
            row = _count_rows(reader)
    except (OSError, UnicodeError):  # UTF-16 and the like cannot be read past it
        return whole
    if not found:
        return whole
    line, byte = found[0]
    text += f": byte 0x{byte:02x} in file line {line} is not {dialect.encoding}"
    return TraceError(text, row=row or None)


def _count_rows(reader: Iterator[list[str]]) -> int:
    """Return how many rows, the header too, end before the lines do."""
    count = 0
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return count
        except csv.Error as error:
            if str(error) == _OPEN_QUOTE:
                return count
            count += 1
        else:
            count += bool(row)


def _choose(
    names: list[str],
    dialect: Dialect,
    choose: Callable[[Sequence[str]], list[str]],
) -> list[str]:
    """Return the chosen names; an error says when the delimiter seems another."""
    try:
        return choose(names)
    except TraceError as error:
        if len(names) != 1:
            raise
        others = [each for each in _DELIMITERS if each in names[0]]
        if not others or dialect.delimiter in names[0]:
            raise
        shown = _DELIMITERS[max(others, key=names[0].count)]
        text = f"{error.text}; if {shown} stands between cells, say delimiter={shown}"
        raise TraceError(text, column=error.column) from None


def _read(
    reader: _Reader,
    dialect: Dialect,
    choose: Callable[[Sequence[str]], list[str]],
) -> Table:
    spans = array("q")
    rows = _rows(reader, spans)
    header = next(rows, None)
    if header is None:
        raise TraceError("the file is empty")
    names = [str(name) for name in header]
    places = {name: names.index(name) for name in _choose(names, dialect, choose)}
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
    lines = np.array(spans, np.int64).reshape(-1, 3)
    return Table(cells, count, problems, lines)


def _rows(reader: _Reader, spans: "array[int]") -> Iterator[Sequence[str | None]]:
    """Yield the rows that are not blank, and () for one with stray quotes.

    Those over several lines of the file are noted in `spans`: row, first line, last.
    """
    started = 0  # the header counts as row 0
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            _check_countable(error, started, (line, reader.line_num))
            row = []
        else:
            if not row:
                continue
        if started and reader.line_num > line:
            spans.extend((started - 1, line, reader.line_num))
        started += 1
        yield row


def _check_countable(error: csv.Error, row: int, lines: tuple[int, int]) -> None:
    """Raise unless what is wrong ends with its line, so that it is one bad row."""
    if str(error) == _OPEN_QUOTE:
        text = f"a quote is opened and never closed; the row begins in line {lines[0]}"
        raise TraceError(text, row=row or None) from error
    if str(error).startswith(_LARGE_CELL):
        text = (
            f"a cell has more than {csv.field_size_limit():,} characters, the limit of"
            " Python's csv module; is a quote left open? csv.field_size_limit(n) allows"
            " n (row 1 is the first row of data)"
        )
        if row and lines[1] > lines[0]:
            raise SpreadRowError(text, row=row, lines=lines) from error
        raise TraceError(text, row=row or None) from error
    if not row:
        raise TraceError(f"the header cannot be read: {error}") from error


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
