import numpy as np
import pandas as pd
import pytest

from kafkasim.errors import ValidationError
from kafkasim.result.frame import as_frame, frame_columns
from kafkasim.result.schema import TABLES
from kafkasim.result.table import Array, Table
from kafkasim.units import MISSING_NS


def _deliveries(rows: int = 2) -> Table:
    columns: dict[str, Array] = {
        column.name: np.zeros(rows, column.dtype) for column in TABLES["deliveries"]
    }
    columns["topic"] = np.array([0, -1, 1][:rows], "<i2")
    columns["offset"] = np.array([7, -1, 8][:rows], "<i8")
    columns["ended_ns"] = np.array([1_500_000, MISSING_NS, 0][:rows], "<i8")
    columns["partition"] = np.array([3, -1, 0][:rows], "<i4")
    labels = {
        "topic": ("orders", "returns"),
        "subscriber": ("billing",),
        "member": ("billing/1",),
    }
    return Table("deliveries", columns, labels)


def test_times_become_milliseconds_and_a_missing_one_nan() -> None:
    ended = as_frame(_deliveries())["ended_ms"]
    assert ended.dtype == np.float64
    assert ended.tolist()[0] == 1.5
    assert ended.isna().tolist() == [False, True]


def test_labels_become_categories_and_none_nan() -> None:
    topic = as_frame(_deliveries())["topic"]
    assert topic.cat.categories.tolist() == ["orders", "returns"]
    assert topic[0] == "orders"
    assert topic.isna().tolist() == [False, True]


def test_a_missing_offset_is_na_and_offsets_stay_whole() -> None:
    offset = as_frame(_deliveries())["offset"]
    assert offset.dtype == pd.Int64Dtype()
    assert offset[0] == 7
    assert offset[1] is pd.NA


def test_a_number_that_does_not_apply_stays_minus_one() -> None:
    assert as_frame(_deliveries())["partition"].tolist() == [3, -1]


def test_all_columns_stand_in_the_schemas_order() -> None:
    frame = as_frame(_deliveries())
    assert tuple(frame.columns) == frame_columns("deliveries")
    assert tuple(frame.columns)[-4:] == (
        *("fetched_ms", "started_ms", "ended_ms", "outcome"),
    )


def test_only_the_columns_asked_for_are_built_in_the_order_asked() -> None:
    frame = as_frame(_deliveries(), ["ended_ms", "record_id"])
    assert list(frame.columns) == ["ended_ms", "record_id"]


def test_an_unknown_column_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValidationError, match=r"did you mean 'ended_ms'\?"):
        as_frame(_deliveries(), ["ended_ns"])
    with pytest.raises(ValidationError, match=r"deliveries\.xyz.*one of record_id, "):
        as_frame(_deliveries(), ["xyz"])


def test_changing_a_frame_changes_no_result() -> None:
    deliveries = _deliveries()
    frame = as_frame(deliveries)
    frame.loc[0, "partition"] = 5
    frame.loc[0, "offset"] = 5
    frame.loc[0, "ended_ms"] = 5.0
    frame.loc[0, "topic"] = "returns"
    assert deliveries == _deliveries()


def test_an_empty_table_has_all_columns_and_types() -> None:
    frame = as_frame(_deliveries(0))
    assert len(frame) == 0
    assert frame.dtypes["ended_ms"] == np.float64
    assert frame.dtypes["offset"] == pd.Int64Dtype()
    columns = {c.name: np.zeros(0, c.dtype) for c in TABLES["links"]}
    assert as_frame(Table("links", columns)).dtypes["sender"] == "category"
