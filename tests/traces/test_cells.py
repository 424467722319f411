import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.errors import TraceError
from kafkasim.scenario.trace_columns import CodedColumn
from kafkasim.traces.cells import Cells, as_column, whole_number


def cells(*values: object) -> Cells:
    """Return a column with these values, None for an empty cell."""
    distinct = list(dict.fromkeys(value for value in values if value is not None))
    codes = [-1 if value is None else distinct.index(value) for value in values]
    return Cells(np.array(codes, np.int64), distinct)


def texts(column: object) -> list[str | None]:
    assert isinstance(column, CodedColumn)
    return [None if code < 0 else column.labels[code] for code in column.codes]


def test_rows_of_a_value_are_found_and_empty_ones_are_never_among_them() -> None:
    column = cells("a", None, "b", "a")

    assert column.rows_of(value == "a" for value in column.distinct).tolist() == [0, 3]
    assert column.rows_of(True for _ in column.distinct).tolist() == [0, 2, 3]
    assert column.empty_rows.tolist() == [1]


def test_taken_rows_number_their_values_by_first_appearance() -> None:
    taken = cells("a", "b", "c", None, "b").taken(np.array([4, 3, 2, 1]))

    assert taken.distinct == ["b", "c"]
    assert taken.codes.tolist() == [0, -1, 1, 0]


@given(
    values=st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1),
    data=st.data(),
)
def test_taken_rows_are_as_if_only_they_had_been_read(
    values: list[str | None], data: st.DataObject
) -> None:
    rows = data.draw(st.lists(st.integers(0, len(values) - 1)))

    taken = cells(*values).taken(np.array(rows, np.int64))
    alone = cells(*(values[row] for row in rows))

    assert taken.distinct == alone.distinct
    assert taken.codes.tolist() == alone.codes.tolist()


def test_digits_in_every_row_are_numbers() -> None:
    column = as_column("n", cells("7", "0", "-12", "7"))

    assert isinstance(column, np.ndarray)
    assert column.dtype == np.int64
    assert column.tolist() == [7, 0, -12, 7]


@pytest.mark.parametrize(
    "text", ["007", "7.0", "+7", "-0", "7 ", "", "9" * 19, "\u0667"]
)
def test_other_writings_of_a_number_stay_text_to_the_letter(text: str) -> None:
    assert texts(as_column("n", cells("1", text))) == ["1", text]


def test_a_number_missing_in_one_row_makes_the_column_text() -> None:
    assert texts(as_column("n", cells(7, None))) == ["7", None]


def test_the_largest_and_smallest_int64_are_numbers() -> None:
    column = as_column("n", cells(2**63 - 1, -(2**63)))

    assert isinstance(column, np.ndarray)
    assert column.tolist() == [2**63 - 1, -(2**63)]


def test_floats_are_text_and_whole_ones_lose_their_point() -> None:
    assert texts(as_column("n", cells(3.0, 0.5, 1e300))) == ["3", "0.5", "1e+300"]


def test_values_of_one_text_become_one_label() -> None:
    column = as_column("n", cells(1, "1", "x"))

    assert texts(column) == ["1", "1", "x"]
    assert isinstance(column, CodedColumn)
    assert column.labels == ("1", "x")


def test_bytes_are_no_text() -> None:
    with pytest.raises(TraceError, match="column 'k': holds bytes such as b'a'"):
        as_column("k", cells(b"a"))


@pytest.mark.parametrize(
    ("value", "number"),
    [("12", 12), (" 13 ", 13), ("14.0", 14), ("1e3", 1000), (16, 16), (17.0, 17)],
)
def test_whole_numbers_are_read(value: object, number: int) -> None:
    assert whole_number(value) == number


@pytest.mark.parametrize(
    "value", ["12.5", "", "many", "nan", float("inf"), True, "1_0"]
)
def test_what_is_no_whole_number_is_none(value: object) -> None:
    assert whole_number(value) is None
