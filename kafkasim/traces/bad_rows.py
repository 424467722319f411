"""Bad rows: one clear error at the first of them, or all skipped and counted.

A row may be bad for several causes; it counts under the first one found. Rows count
from 1 and a header is not counted.
"""

import warnings
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from kafkasim.errors import TraceError, ValidationError
from kafkasim.traces.cells import Cells

OnBadRows = Literal["raise", "skip"]
_SHOWN: Final = 60


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

    def error(self, row: int) -> TraceError:
        """Return the error for one of the rows."""
        text = self.cause
        if self.cells is not None and (code := self.cells.codes[row]) >= 0:
            shown = repr(self.cells.distinct[code])
            text += f" {shown if len(shown) <= _SHOWN else shown[:_SHOWN] + '…'}"
        if self.hint:
            text += f"; {self.hint}"
        text += " (row 1 is the first row of data)"
        return TraceError(text, row=row + 1, column=self.column)


def check_on_bad_rows(on_bad_rows: str) -> None:
    """Check the option.

    Raises
    ------
    ValidationError
        When it is neither `raise` nor `skip`.
    """
    if on_bad_rows not in get_args(OnBadRows):
        raise ValidationError("on_bad_rows", on_bad_rows, "'raise' or 'skip'")


def bad_mask(problems: Sequence[Problem], rows: int) -> NDArray[np.bool_]:
    """Return bool[rows]: whether a row has any of the problems."""
    mask = np.zeros(rows, np.bool_)
    for problem in problems:
        mask[problem.rows] = True
    return mask


def raise_first(problems: Sequence[Problem]) -> None:
    """Raise for the first bad row, if there is any.

    Raises
    ------
    TraceError
        With row, column, cause and value.
    """
    found = [problem for problem in problems if len(problem.rows)]
    if found:
        first = min(found, key=lambda problem: int(problem.rows[0]))
        raise first.error(int(first.rows[0]))


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
