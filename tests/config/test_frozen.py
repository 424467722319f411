import copy
import pickle

import pytest

from kafkasim.config.frozen import UNSET, FrozenDict


def test_a_frozen_dict_is_a_copy_of_what_it_was_made_from() -> None:
    items = {"orders": 3}
    frozen = FrozenDict(items)

    items["orders"] = 4

    assert frozen["orders"] == 3


def test_order_is_kept_but_makes_no_difference() -> None:
    one = FrozenDict({"b": 1, "a": 2})
    other = FrozenDict({"a": 2, "b": 1})

    assert list(one) == ["b", "a"]
    assert one == other
    assert hash(one) == hash(other)
    assert one == {"a": 2, "b": 1}


def test_a_frozen_dict_cannot_be_changed() -> None:
    frozen = FrozenDict({"orders": 3})

    with pytest.raises(TypeError):
        frozen["orders"] = 4  # type: ignore[index]


def test_a_frozen_dict_survives_pickling() -> None:
    frozen = FrozenDict({"b": 1, "a": 2})

    again = pickle.loads(pickle.dumps(frozen))

    assert again == frozen
    assert list(again) == ["b", "a"]


def test_unset_is_one_object_wherever_it_goes() -> None:
    assert pickle.loads(pickle.dumps(UNSET)) is UNSET
    assert copy.deepcopy(UNSET) is UNSET
    assert copy.copy(UNSET) is UNSET
    assert repr(UNSET) == "UNSET"
    assert not UNSET
