import numpy as np
import pytest

from kafkasim.errors import TraceError
from kafkasim.scenario.trace_columns import (
    CodedColumn,
    checked_column,
    no_such_column,
    read_only,
)

INT64 = np.dtype(np.int64)


def test_a_pair_of_codes_and_labels_is_a_column_of_text() -> None:
    column = checked_column("web", CodedColumn(np.array([1, -1, 0]), ("a", "b")), 3)

    assert isinstance(column, CodedColumn)
    assert column.codes.dtype == np.int32
    assert column.codes.tolist() == [1, -1, 0]


@pytest.mark.parametrize("code", [2, -2])
def test_a_code_without_label_names_the_row(code: int) -> None:
    with pytest.raises(TraceError, match="row 2, column 'web': code") as caught:
        checked_column("web", CodedColumn(np.array([0, code]), ("a", "b")), 2)

    assert (caught.value.row, caught.value.column) == (2, "web")


def test_labels_must_differ() -> None:
    with pytest.raises(TraceError, match="two labels are the same"):
        checked_column("web", CodedColumn(np.array([0]), ("a", "a")), 1)


def test_labels_must_be_text_that_can_be_sent() -> None:
    with pytest.raises(TraceError, match="no text in UTF-8"):
        checked_column("web", CodedColumn(np.array([0]), ("\ud800",)), 1)


def test_a_column_of_another_length_is_an_error() -> None:
    with pytest.raises(TraceError, match="column 'n': has 2 rows, times_ns 3"):
        checked_column("n", np.array([1, 2]), 3)


@pytest.mark.parametrize("values", [[0.5], [[1, 2]], ["a"], 7])
def test_what_is_no_row_of_whole_numbers_is_an_error(values: object) -> None:
    with pytest.raises(TraceError, match="needs one row of whole numbers"):
        read_only(values, INT64, "n")


def test_a_number_that_does_not_fit_is_an_error() -> None:
    with pytest.raises(TraceError, match="does not fit int64"):
        read_only(np.array([2**63], np.uint64), INT64, "n")


def test_an_array_is_copied_and_closed() -> None:
    mine = np.array([1, 2])
    theirs = read_only(mine, INT64, "n")
    mine[0] = 9

    assert theirs.tolist() == [1, 2]
    with pytest.raises(ValueError, match="read-only"):
        theirs[0] = 9


def test_a_closed_array_is_not_copied_again() -> None:
    closed = read_only([1, 2], INT64, "n")

    assert read_only(closed, INT64, "n") is closed


@pytest.mark.parametrize(
    ("name", "nearest"), [("tial", "tail"), ("Tail", "tail"), ("ORGIN", "Origin")]
)
def test_a_wrong_column_name_brings_the_nearest(name: str, nearest: str) -> None:
    error = no_such_column(name, ["tail", "carrier", "Origin"])

    assert f"did you mean {nearest!r}?" in str(error)
    assert error.column == name


def test_a_name_like_no_other_lists_the_columns_only() -> None:
    assert str(no_such_column("xyz", ["tail", "carrier"])) == (
        "column 'xyz': there is no such column; Columns: 'tail', 'carrier'"
    )
