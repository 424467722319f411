"""Bad rows: one clear error at the first of them, or all skipped and counted.

A row may be bad for several causes; it counts under the first one found. Rows count
from 1 and a header is not counted. A bad row that takes several lines of its file is
never skipped: a quote may have swallowed other rows, and how many cannot be known.
"""

import warnings
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from kafkasim.catalogue import say
from kafkasim.errors import TraceError, ValidationError
from kafkasim.traces.cells import Cells

OnBadRows = Literal["raise", "skip"]
_SHOWN: Final = 60
NO_SPANS: Final[NDArray[np.int64]] = np.empty((0, 3), np.int64)
"""int64[n, 3]: row from 0, its first and last line of the file from 1; here none."""


class SpreadRowError(TraceError):
    """A row over several lines of its file is bad; names the lines too."""

    def __init__(
        self, text: str, *, row: int, lines: tuple[int, int], column: str = ""
    ) -> None:
        super().__init__(text, row=row, column=column)
        self.lines = lines
        where = f"row {row}, file lines {lines[0]}-{lines[1]}"
        where += f", column {column!r}" if column else ""
        self.args = (f"{where}: {text}",)

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (_spread_row_error, (self.text, self.row, self.lines, self.column))


def _spread_row_error(
    text: str, row: int, lines: tuple[int, int], column: str
) -> SpreadRowError:
    return SpreadRowError(text, row=row, lines=lines, column=column)


class Problem(NamedTuple):
    """Rows that are bad for one cause."""

    cause: str
    """What is wrong, as it is counted: `negative size`."""
    rows: NDArray[np.int64]
    """Which rows, from 0."""
    column: str = ""
    """In which column; empty when the whole row is meant."""
    hint: str = ""
    """What could be done about it."""
    cells: Cells | None = None
    """Where the wrong value stands, to show it."""

    def error(self, row: int, lines: tuple[int, int] | None = None) -> TraceError:
        """Return the error for one of the rows, with its lines if it has several."""
        text = self.cause
        if self.cells is not None and (code := self.cells.codes[row]) >= 0:
            shown = repr(self.cells.distinct[code])
            text += f" {shown if len(shown) <= _SHOWN else shown[:_SHOWN] + '…'}"
        if self.hint:
            text += f"; {self.hint}"
        note = " (row 1 is the first row of data)"
        if lines is not None:
            text += (
                "; rows lost inside quotes cannot be counted, so it is never skipped"
            )
            return SpreadRowError(
                text + note, row=row + 1, lines=lines, column=self.column
            )
        text += note
        return TraceError(text, row=row + 1, column=self.column)


def check_on_bad_rows(on_bad_rows: str) -> None:
    """Check the option.

    Raises
    ------
    ValidationError
        When it is neither `raise` nor `skip`.
    """
    if on_bad_rows not in get_args(OnBadRows):
        raise ValidationError(
            "on_bad_rows", on_bad_rows, say(" or ").join(("'raise'", "'skip'"))
        )


def bad_mask(problems: Sequence[Problem], rows: int) -> NDArray[np.bool_]:
    """Return bool[rows]: whether a row has any of the problems."""
    mask = np.zeros(rows, np.bool_)
    for problem in problems:
        mask[problem.rows] = True
    return mask


def raise_first(
    problems: Sequence[Problem], spans: NDArray[np.int64] = NO_SPANS
) -> None:
    """Raise for the first bad row, if there is any.

    Parameters
    ----------
    problems : sequence of Problem
    spans : int64[n, 3]
        The rows over several lines of the file, as in `NO_SPANS`.

    Raises
    ------
    TraceError
        With row, column, cause and value.
    """
    found = [problem for problem in problems if len(problem.rows)]
    if found:
        first = min(found, key=lambda problem: int(problem.rows[0]))
        row = int(first.rows[0])
        lines = [(int(start), int(end)) for _, start, end in spans[spans[:, 0] == row]]
        raise first.error(row, lines[0] if lines else None)


def raise_first_spread(problems: Sequence[Problem], spans: NDArray[np.int64]) -> None:
    """Raise for the first bad row over several lines, if there is any.

    Raises
    ------
    SpreadRowError
        With row, lines, column, cause and value.
    """
    spread = spans[:, 0]
    raise_first(
        [each._replace(rows=np.intersect1d(each.rows, spread)) for each in problems],
        spans,
    )


def count_by_cause(problems: Sequence[Problem], rows: int) -> dict[str, int]:
    """Return the number of bad rows by cause, each row once."""
    counts: dict[str, int] = {}
    counted = np.zeros(rows, np.bool_)
    for problem in problems:
        fresh = int(np.count_nonzero(~counted[problem.rows]))
        counted[problem.rows] = True
        if fresh:
            counts[problem.cause] = counts.get(problem.cause, 0) + fresh
    return counts


def warn_of_skipped(counts: dict[str, int], rows: int) -> None:
    """Give one warning, at the line that called the reader."""
    causes = ", ".join(f"{count:,} {cause}" for cause, count in counts.items())
    text = f"skipped {sum(counts.values()):,} of {rows:,} rows: {causes}"
    warnings.warn(text, stacklevel=4)
