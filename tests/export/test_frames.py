import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from kafkasim.errors import OutputError, ValidationError
from kafkasim.export import frames


def _frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "record_id": [0, 1, 2],
            "created_ms": [0.1, np.nan, 1 / 3],
            "topic": pd.Categorical.from_codes(
                np.array([0, 1, -1], "i2"), pd.Index(["orders", 'a,"b"\nç'])
            ),
            "offset": pd.array([0, pd.NA, 2], dtype="Int64"),
        }
    )


def test_csv_has_a_header_and_empty_cells_for_what_is_missing(tmp_path: Path) -> None:
    path = frames.table(_frame(), tmp_path / "records.csv")
    assert path.read_bytes().decode() == (
        "record_id,created_ms,topic,offset\n"
        "0,0.1,orders,0\n"
        '1,,"a,""b""\nç",\n'
        "2,0.3333333333333333,,2\n"
    )


def test_parquet_reads_back_equal_with_its_types(tmp_path: Path) -> None:
    path = frames.table(_frame(), tmp_path / "records.parquet")
    assert_frame_equal(pd.read_parquet(path), _frame())


def test_equal_frames_give_equal_bytes(tmp_path: Path) -> None:
    for suffix in (".csv", ".parquet"):
        first = frames.table(_frame(), tmp_path / f"a{suffix}").read_bytes()
        assert frames.table(_frame(), tmp_path / f"b{suffix}").read_bytes() == first


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=20))
def test_floats_in_a_csv_read_back_equal(
    tmp_path_factory: pytest.TempPathFactory, values: list[float]
) -> None:
    path = tmp_path_factory.getbasetemp() / "floats.csv"
    frames.table(pd.DataFrame({"latency_ms": values}, dtype=float), path)
    assert [float(line) for line in path.read_text().split()[1:]] == values


def test_an_index_is_written_when_it_has_a_name(tmp_path: Path) -> None:
    frame = _frame().set_index("record_id")[["created_ms"]]
    path = frames.table(frame, tmp_path / "a.csv")
    assert path.read_text().startswith("record_id,created_ms\n0,0.1\n")
    path = frames.table(frame, tmp_path / "a.parquet")
    assert_frame_equal(pd.read_parquet(path), frame)


def test_an_index_without_a_name_is_left_out(tmp_path: Path) -> None:
    frame = _frame()[["record_id"]].iloc[::-1]
    path = frames.table(frame, tmp_path / "a.csv")
    assert path.read_text() == "record_id\n2\n1\n0\n"


def test_another_suffix_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=r"expected a name in \.csv, \.parquet"):
        frames.table(_frame(), tmp_path / "records.xlsx")


def test_parquet_without_pyarrow_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "find_spec", lambda _name: None)
    with pytest.raises(ValidationError, match="Parquet needs pyarrow"):
        frames.table(_frame(), tmp_path / "records.parquet")
    assert importlib.util.find_spec("pyarrow") is not None
    assert list(tmp_path.iterdir()) == []


def test_a_column_that_parquet_has_no_type_for_is_named(tmp_path: Path) -> None:
    mixed = pd.DataFrame({"runs": [1, 2, 3], "acks": ["all", 1, 0]})
    with pytest.raises(OutputError, match=r"a\.parquet: column 'acks' is of no type"):
        frames.table(mixed, tmp_path / "a.parquet")
    assert list(tmp_path.iterdir()) == []
