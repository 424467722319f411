from dataclasses import dataclass

import numpy as np
import pytest

from kafkasim.errors import ValidationError
from kafkasim.experiments.grid import axes_of, labels_of, settings_of, short_names


@dataclass(frozen=True)
class Column:
    name: str


def test_a_path_is_called_by_its_shortest_end_that_is_its_own() -> None:
    names = short_names(
        [
            "system.topics.orders.partitions",
            "system.topics.returns.partitions",
            "system.groups.billing.members",
        ]
    )
    assert list(names.values()) == [
        "orders.partitions",
        "returns.partitions",
        "members",
    ]


def test_a_path_that_is_the_end_of_another_keeps_its_whole_name() -> None:
    assert short_names(["b.seed", "seed"]) == {"b.seed": "b.seed", "seed": "seed"}


def test_a_path_is_not_called_like_a_column_that_is_there() -> None:
    assert short_names(["world.records"], ["records"]) == {
        "world.records": "world.records"
    }


def test_a_quoted_name_stays_whole() -> None:
    path = 'system.topics."orders.v1".partitions'
    other = "system.topics.returns.partitions"
    assert short_names([path, other])[path] == '"orders.v1".partitions'


def test_the_last_path_changes_fastest() -> None:
    axes = axes_of({"a.x": [1, 2], "a.y": ["p", "q"]})
    assert settings_of(axes) == [
        {"a.x": 1, "a.y": "p"},
        {"a.x": 1, "a.y": "q"},
        {"a.x": 2, "a.y": "p"},
        {"a.x": 2, "a.y": "q"},
    ]
    assert labels_of(axes)[1] == {"x": 1, "y": "q"}


def test_a_mapping_names_its_values_and_other_variants_show_themselves() -> None:
    named, plain = axes_of(
        {"a.key": {"by carrier": Column("carrier")}, "b.column": [Column("tail"), None]}
    )
    assert named.values == (Column("carrier"),)
    assert named.labels == ("by carrier",)
    assert plain.labels == ("Column(name='tail')", "None")


def test_ranges_and_arrays_give_whole_numbers_of_python() -> None:
    (axis,) = axes_of({"n": np.array([1, 2], dtype=np.int32)})
    assert axis.values == (1, 2)
    assert {type(value) for value in axis.values} == {int}
    assert axes_of({"n": range(2)})[0].values == (0, 1)


@pytest.mark.parametrize("values", ["1,2", 5, [], {}, None])
def test_values_that_are_no_list_or_an_empty_one_are_refused(values: object) -> None:
    with pytest.raises(ValidationError, match=r"^a\.n: "):
        axes_of({"a.n": values})  # type: ignore[dict-item]


def test_an_empty_grid_is_refused() -> None:
    with pytest.raises(ValidationError, match="at least one path"):
        axes_of({})


def test_labels_of_more_than_one_type_become_text() -> None:
    mixed, numbers, named = axes_of(
        {"a.acks": ["all", 1, 0], "a.linger": [0, 0.5], "a.keys": {"none": 1, 3: 2}}
    )
    assert mixed.values == ("all", 1, 0)
    assert mixed.labels == ("all", "1", "0")
    assert numbers.labels == (0, 0.5)
    assert named.labels == ("none", "3")


@pytest.mark.parametrize(
    "values",
    [[4, 4], [1, 1.0], ["all", "1", 1], [Column("tail"), Column("tail")]],
)
def test_a_value_given_twice_is_refused(values: list[object]) -> None:
    with pytest.raises(ValidationError, match=r"^a\.n: .* each value once .*twice"):
        axes_of({"a.n": values})


def test_a_number_and_a_switch_are_two_values() -> None:
    assert axes_of({"a.n": [1, True]})[0].labels == ("1", "True")
