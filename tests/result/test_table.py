import pickle

import numpy as np
import pytest

from kafkasim.errors import ValidationError
from kafkasim.result.table import Array, Table, schema_of


def _link_columns(rows: int = 2) -> dict[str, Array]:
    return {
        "sender": np.zeros(rows, "<i4"),
        "receiver": np.zeros(rows, "<i4"),
        "connection_count": np.ones(rows, "<i4"),
        "request_count": np.arange(rows, dtype="<i8"),
        "moved_bytes": np.arange(rows, dtype="<i8") * 100,
    }


_LABELS = {"sender": ("source:web",), "receiver": ("broker:1",)}


def test_a_table_gives_its_columns_and_labels_by_name() -> None:
    links = Table("links", _link_columns(), _LABELS)
    assert len(links) == 2
    assert links["moved_bytes"].tolist() == [0, 100]
    assert links.labels["receiver"] == ("broker:1",)
    assert repr(links) == "Table('links', 2 rows)"


def test_columns_stand_in_the_schemas_order_in_whatever_order_they_come() -> None:
    columns = dict(reversed(_link_columns().items()))
    assert list(Table("links", columns, _LABELS).columns) == list(_link_columns())


def test_arrays_are_read_only_and_the_givers_own_array_is_not_touched() -> None:
    columns = _link_columns()
    links = Table("links", columns, _LABELS)
    with pytest.raises(ValueError, match="read-only"):
        links["moved_bytes"][0] = 7
    assert columns["moved_bytes"].flags.writeable


def test_labels_that_kafka_fixes_come_from_the_schema() -> None:
    columns = {
        column.name: np.full(1, -1, column.dtype) for column in schema_of("batches")
    }
    assert Table("batches", columns).labels["closed_by"] == (
        *("full", "linger", "drained", "cut"),
    )


def test_tables_are_equal_when_names_labels_and_values_are() -> None:
    links = Table("links", _link_columns(), _LABELS)
    assert links == Table("links", _link_columns(), _LABELS)
    assert links == pickle.loads(pickle.dumps(links))
    assert links != Table("links", _link_columns(3), _LABELS)
    assert links != Table("links", _link_columns(), _LABELS | {"sender": ("b",)})
    other = _link_columns() | {"moved_bytes": np.array([0, 101], "<i8")}
    assert links != Table("links", other, _LABELS)
    assert links != "links"


def test_an_unknown_table_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValidationError, match=r"'linkz' is not allowed.*records, "):
        Table("linkz", {})


def test_a_column_too_many_is_refused_by_name() -> None:
    columns = _link_columns() | {"colour": np.zeros(2, "<i8")}
    with pytest.raises(ValidationError, match=r"links\.colour"):
        Table("links", columns, _LABELS)


def test_a_missing_column_is_named() -> None:
    columns = _link_columns()
    del columns["moved_bytes"]
    with pytest.raises(ValidationError, match="also moved_bytes"):
        Table("links", columns, _LABELS)


def test_another_dtype_is_refused_with_both() -> None:
    columns = _link_columns() | {"moved_bytes": np.zeros(2, "<i4")}
    with pytest.raises(
        ValidationError, match=r"links\.moved_bytes: '<i4 .*expected .*<i8"
    ):
        Table("links", columns, _LABELS)


def test_big_endian_and_two_dimensional_arrays_are_refused() -> None:
    for wrong in (np.zeros(2, ">i8"), np.zeros((2, 1), "<i8")):
        with pytest.raises(ValidationError, match=r"links\.moved_bytes"):
            Table("links", _link_columns() | {"moved_bytes": wrong}, _LABELS)


def test_columns_of_unequal_length_are_refused() -> None:
    columns = _link_columns() | {"moved_bytes": np.zeros(3, "<i8")}
    with pytest.raises(ValidationError, match="columns of one length"):
        Table("links", columns, _LABELS)


@pytest.mark.parametrize("code", [1, -2])
def test_a_code_without_a_label_is_refused(code: int) -> None:
    columns = _link_columns() | {"sender": np.array([0, code], "<i4")}
    with pytest.raises(ValidationError, match=rf"links\.sender: {code} is not"):
        Table("links", columns, _LABELS)


def test_minus_one_means_no_label() -> None:
    columns = _link_columns() | {"sender": np.array([0, -1], "<i4")}
    assert Table("links", columns, _LABELS)["sender"].tolist() == [0, -1]


def test_equal_labels_and_labels_of_a_number_are_refused() -> None:
    with pytest.raises(ValidationError, match="differ from each other"):
        Table("links", _link_columns(), _LABELS | {"sender": ("a", "a")})
    with pytest.raises(ValidationError, match="labels only for sender, receiver"):
        Table("links", _link_columns(), _LABELS | {"moved_bytes": ("a",)})


def test_a_table_may_be_empty() -> None:
    assert len(Table("links", _link_columns(0))) == 0
