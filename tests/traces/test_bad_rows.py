import numpy as np
import pytest

from kafkasim.errors import TraceError, ValidationError
from kafkasim.traces.bad_rows import (
    Problem,
    bad_mask,
    check_on_bad_rows,
    count_by_cause,
    raise_first,
    warn_of_skipped,
)
from kafkasim.traces.cells import Cells


def problem(cause: str, *rows: int) -> Problem:
    return Problem(cause, np.array(rows, np.int64), "at")


def test_the_first_bad_row_is_raised_whatever_its_cause() -> None:
    with pytest.raises(TraceError, match="row 3, column 'at': late") as caught:
        raise_first([problem("early", 7, 9), problem("none"), problem("late", 2, 7)])

    assert (caught.value.row, caught.value.column) == (3, "at")


def test_without_bad_rows_nothing_is_raised() -> None:
    raise_first([problem("none")])


def test_an_error_shows_the_value_and_what_to_do() -> None:
    values = Cells(np.array([0, 1, -1]), ["fine", "x" * 100])
    wrong = Problem("odd time", np.array([1, 2]), "at", "expected a date", values)

    assert str(wrong.error(1)) == (
        f"row 2, column 'at': odd time '{'x' * 59}…; expected a date"
        " (row 1 is the first row of data)"
    )
    assert str(wrong.error(2)).startswith("row 3, column 'at': odd time; expected")


def test_a_row_counts_under_its_first_cause_only() -> None:
    problems = [problem("a", 0, 1), problem("b", 1), problem("c", 1, 2), problem("d")]

    assert count_by_cause(problems, 4) == {"a": 2, "c": 1}
    assert bad_mask(problems, 4).tolist() == [True, True, True, False]


def test_one_warning_names_what_was_skipped() -> None:
    with pytest.warns(UserWarning, match="skipped") as caught:
        warn_of_skipped({"missing time": 1, "negative size": 1200}, 5000)

    assert [str(each.message) for each in caught] == [
        "skipped 1,201 of 5,000 rows: 1 missing time, 1,200 negative size"
    ]


def test_bad_rows_are_raised_or_skipped() -> None:
    check_on_bad_rows("raise")
    check_on_bad_rows("skip")
    with pytest.raises(ValidationError, match=r"on_bad_rows: 'drop' .* 'skip'"):
        check_on_bad_rows("drop")
