import numpy as np
import pandas as pd
import pytest

from kafkasim.errors import TraceError
from kafkasim.traces.cells import Cells
from kafkasim.traces.frame import frame_table


def read(values: object, *, time: str = "none") -> Cells:
    return frame_table(pd.DataFrame({"b": values}), time, list).columns["b"]


def plain(cells: Cells) -> list[object]:
    return [None if code < 0 else cells.distinct[code] for code in cells.codes]


def test_gaps_are_missing_in_every_kind_of_column() -> None:
    assert plain(read(["x", None, "x"])) == ["x", None, "x"]
    assert plain(read([1.5, np.nan])) == [1.5, None]
    assert plain(read(pd.array([7, None], "Int64"))) == [7, None]
    assert plain(read(pd.Categorical(["x", None, "y"]))) == ["x", None, "y"]


def test_values_are_plain_python_values() -> None:
    assert [type(value) for value in read(np.array([1, 2])).distinct] == [int, int]
    assert [type(value) for value in read(pd.array(["a"], "string")).distinct] == [str]


def test_unused_categories_leave_no_trace() -> None:
    assert read(pd.Categorical(["b"], categories=["a", "b"])).distinct == ["b"]


def test_timestamps_in_the_time_column_stay_an_array_in_utc() -> None:
    stamps = pd.to_datetime(["2026-01-01T00:00+01:00", "NaT", "2026-01-02T00:00+01:00"])
    cells = read(stamps, time="b")

    assert isinstance(cells.distinct, np.ndarray)
    assert cells.distinct.dtype == "datetime64[ns]"
    assert cells.distinct[0] == np.datetime64("2025-12-31T23:00")
    assert cells.codes.tolist() == [0, -1, 1]


def test_timestamps_in_another_column_are_text_with_their_zone() -> None:
    cells = read(pd.to_datetime(["2026-01-01T00:00+01:00"]))

    assert [str(value) for value in cells.distinct] == ["2026-01-01 00:00:00+01:00"]


def test_columns_are_known_by_the_text_of_their_labels() -> None:
    table = frame_table(pd.DataFrame({0: [1], "b": [2]}), "0", list)

    assert list(table.columns) == ["0", "b"]


def test_an_index_is_no_column_and_the_error_says_how_to_make_it_one() -> None:
    frame = pd.DataFrame({"at": [1], "b": [2]}).set_index("at")

    with pytest.raises(TraceError, match=r"column 'at': is the index; .*reset_index"):
        frame_table(frame, "at", list)


def test_lists_in_cells_are_an_error() -> None:
    with pytest.raises(TraceError, match="column 'b': holds values that are neither"):
        read([[1], [2]])


def test_a_table_without_rows_is_an_error() -> None:
    with pytest.raises(TraceError, match="the table has no row"):
        read([])
