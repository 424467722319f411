import copy
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import FrozenInstanceError, replace
from typing import Annotated, Literal

import pytest

from kafkasim.config.document import (
    Document,
    document,
    said_names,
    set_names,
    setting,
    with_defaults,
)
from kafkasim.config.frozen import UNSET, FrozenDict
from kafkasim.config.rules import Whole, kind_of
from kafkasim.errors import ValidationError


@document
class Square(Document):
    side: float


@document
class RoundTable(Document):
    seats: Annotated[int, Whole(1)] = 4


@document
class Room(Document):
    name: str
    middle: Square | RoundTable | float | None = None
    doors: Mapping[str, RoundTable] = FrozenDict()
    colours: Sequence[Literal["red", "blue"]] = ()
    heating: int = setting(20)


def test_equal_documents_are_equal_and_hash_equal_however_they_were_said() -> None:
    one = Room("hall", middle=3, doors={"a": RoundTable()}, colours=["red"])
    other = Room("hall", middle=3.0, doors={"a": {}}, colours=("red",))  # type: ignore[dict-item]

    assert one == other
    assert hash(one) == hash(other)
    assert type(one.middle) is float


def test_a_document_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Square(1.0).side = 2.0  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del Room("hall").heating  # though it is UNSET
    with pytest.raises(AttributeError):
        Square(1.0).corners = 4


def test_documents_of_two_classes_are_never_equal() -> None:
    @document
    class Side(Document):
        side: float

    assert Side(1.0) != Square(1.0)
    assert Square(1.0) == Square(1.0) != Square(2.0)
    assert Square(1.0) != 1.0


def test_a_copy_is_equal_and_cannot_be_changed_either() -> None:
    room = Room("hall", middle=Square(2))

    for other in (copy.copy(room), copy.deepcopy(room), replace(room)):
        assert other == room
        assert hash(other) == hash(room)
        with pytest.raises(FrozenInstanceError):
            other.name = "kitchen"  # type: ignore[misc]


def test_only_what_was_said_is_shown_and_written() -> None:
    room = Room("hall", middle=Square(2))

    assert repr(room) == "Room(name='hall', middle=Square(side=2.0))"
    assert room.to_dict() == {"name": "hall", "middle": {"kind": "square", "side": 2.0}}
    assert said_names(room) == ["name", "middle"]


def test_everything_can_be_written_except_what_is_unset() -> None:
    assert Room("hall").to_dict(everything=True) == {
        "name": "hall",
        "middle": None,
        "doors": {},
        "colours": [],
    }


def test_what_was_written_is_read_back() -> None:
    room = Room("hall", RoundTable(6), {"a": RoundTable(2)}, ["blue"], heating=18)

    assert Room.from_dict(room.to_dict()) == room
    assert Room.from_dict(room.to_dict(everything=True)) == room
    assert pickle.loads(pickle.dumps(room)) == room


def test_a_variant_is_picked_by_its_kind() -> None:
    read = Room.from_dict({"name": "hall", "middle": {"kind": "round_table"}})

    assert read.middle == RoundTable()
    assert kind_of(RoundTable) == "round_table"


def test_an_unknown_kind_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValidationError) as caught:
        Room.from_dict({"name": "hall", "middle": {"kind": "squaree", "side": 1}})

    assert str(caught.value) == (
        "middle.kind: 'squaree' is not allowed; expected one of square, round_table "
        "(did you mean square?)"
    )


def test_a_table_without_kind_is_refused_where_there_is_a_choice() -> None:
    with pytest.raises(ValidationError, match=r"middle\.kind: None is not allowed"):
        Room.from_dict({"name": "hall", "middle": {"side": 1}})


def test_an_unknown_field_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValidationError) as caught:
        Room.from_dict({"name": "hall", "door": {}})

    assert caught.value.path == "door"
    assert caught.value.why == "did you mean doors?"


def test_a_missing_field_is_named() -> None:
    with pytest.raises(ValidationError, match=r"name: .*it has no default"):
        Room.from_dict({})


def test_a_wrong_value_deep_inside_is_named_by_its_path() -> None:
    with pytest.raises(ValidationError) as caught:
        Room.from_dict({"name": "hall", "doors": {"big.one": {"seats": 0}}})

    assert caught.value.path == 'doors."big.one".seats'
    assert caught.value.allowed == "a whole number ≥ 1"


def test_a_wrong_value_where_there_is_a_choice_lists_what_is_allowed() -> None:
    with pytest.raises(ValidationError) as caught:
        Room("hall", middle="big")  # type: ignore[arg-type]

    assert caught.value.allowed == "a number, or none, or one of square, round_table"


def test_a_setting_is_unset_until_said() -> None:
    room = Room("hall")

    assert room.heating is UNSET
    assert set_names(room) == []
    assert with_defaults(room).heating == 20
    assert set_names(Room("hall", heating=20)) == ["heating"]
    assert Room("hall", heating=20) != room


def test_a_document_with_all_its_settings_is_not_made_again() -> None:
    filled = with_defaults(Room("hall"))

    assert with_defaults(filled) is filled
