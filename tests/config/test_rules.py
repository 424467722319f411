import math

import numpy as np
import pytest

from kafkasim.config.frozen import UNSET, FrozenDict
from kafkasim.config.rules import (
    Choice,
    Flag,
    ListOf,
    MapOf,
    Name,
    Nothing,
    Number,
    Rule,
    Text,
    Whole,
)
from kafkasim.errors import ValidationError


@pytest.mark.parametrize("given", [4, 4.0, np.int64(4), np.float32(4)])
def test_a_whole_number_becomes_a_python_int(given: object) -> None:
    number = Whole(1, 10).read(given)

    assert number == 4
    assert type(number) is int


@pytest.mark.parametrize(
    "given", [0, 11, 4.5, True, np.True_, "4", None, math.nan, math.inf]
)
def test_what_is_no_whole_number_within_bounds_is_refused(given: object) -> None:
    with pytest.raises(ValidationError, match="a whole number from 1 to 10"):
        Whole(1, 10).read(given)


@pytest.mark.parametrize("given", [4, np.float64(4.0), np.int8(4)])
def test_a_number_becomes_a_python_float(given: object) -> None:
    number = Number(low=0.0).read(given)

    assert number == 4.0
    assert type(number) is float


def test_minus_zero_becomes_zero() -> None:
    assert math.copysign(1.0, Number().read(-0.0)) == 1.0


@pytest.mark.parametrize("given", [True, "1", None, math.nan, math.inf, 10**400, 1j])
def test_what_is_no_finite_number_is_refused(given: object) -> None:
    with pytest.raises(ValidationError):
        Number().read(given)


def test_bounds_are_said_in_words() -> None:
    assert Number().allowed == "a number"
    assert Number(above=0.0).allowed == "a number > 0"
    assert Number(above=0.0, high=4.0).allowed == "a number > 0 and ≤ 4"
    assert Number(low=0.0).allowed == "a number ≥ 0"
    assert Number(low=0.0, high=1.0).allowed == "a number from 0 to 1"
    assert Whole().allowed == "a whole number"
    assert Whole(1).allowed == "a whole number ≥ 1"


def test_an_exclusive_bound_leaves_the_bound_out() -> None:
    with pytest.raises(ValidationError):
        Number(above=0.0).read(0)


def test_a_flag_is_true_or_false_and_no_number() -> None:
    assert Flag().read(np.True_) is True
    with pytest.raises(ValidationError):
        Flag().read(1)


def test_a_choice_reads_digits_and_aliases() -> None:
    acks = Choice(("all", "1", "0"), FrozenDict({"-1": "all"}))

    assert acks.read(1) == "1"
    assert acks.read(-1) == "all"
    for wrong in ("2", 2, True, None):
        with pytest.raises(ValidationError, match="one of 'all', '1', '0'"):
            acks.read(wrong)


@pytest.mark.parametrize("given", ["", "a/b", "a:b", " a", "a\n", 3])
def test_a_name_that_cannot_stand_in_a_target_is_refused(given: object) -> None:
    with pytest.raises(ValidationError):
        Name().read(given)


def test_half_a_surrogate_pair_is_no_text() -> None:
    with pytest.raises(ValidationError, match="surrogate"):
        Text().read("\ud800")


def test_a_list_becomes_a_tuple_and_names_the_position_of_a_wrong_item() -> None:
    rule = ListOf(Whole(1))

    assert rule.read([1, 2]) == (1, 2)
    assert rule.read(np.array([1, 2])) == (1, 2)
    with pytest.raises(ValidationError) as caught:
        rule.read([1, 0])
    assert caught.value.path == "1"


@pytest.mark.parametrize("given", ["orders", {"orders"}, {"orders": 1}, 3])
def test_text_and_what_has_no_order_is_no_list(given: object) -> None:
    with pytest.raises(ValidationError, match="a list"):
        ListOf(Text()).read(given)


def test_a_mapping_names_the_key_of_a_wrong_item() -> None:
    with pytest.raises(ValidationError) as caught:
        MapOf(Whole(1)).read({"orders.v1": 0})

    assert caught.value.path == '"orders.v1"'


def test_parts_of_lists_and_mappings_are_replaced_by_name() -> None:
    listed: Rule = ListOf(Whole())
    named: Rule = MapOf(Whole())

    assert listed.put((1, 2), {"1": 5}) == (1, 5)
    assert named.put(FrozenDict({"a": 1}), {"b": 2}) == {"a": 1, "b": 2}


def test_absence_is_one_object_only() -> None:
    assert Nothing(None).read(None) is None
    with pytest.raises(ValidationError):
        Nothing(UNSET).read(None)
