from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest

from kafkasim.config.document import Document, setting
from kafkasim.config.frozen import FrozenDict
from kafkasim.config.walking import changed, set_paths, value_at
from kafkasim.errors import ValidationError


@dataclass(frozen=True, slots=True, repr=False)
class Range(Document):
    low: int = 0
    high: int = 1

    def check(self) -> None:
        if self.low > self.high:
            raise ValidationError("high", self.high, "at least low")


@dataclass(frozen=True, slots=True, repr=False)
class Shop(Document):
    ranges: Mapping[str, Range] = FrozenDict()
    listed: Sequence[Range] = ()
    size: Range | int = 3
    floor: int = setting(1)


FILLED = Shop({"a": Range(), "b": Range()}, [Range(2, 3)])


def test_a_value_is_found_by_names_and_positions() -> None:
    assert value_at(FILLED, ("ranges", "a", "high")) == 1
    assert value_at(FILLED, ("listed", "0", "low")) == 2
    assert value_at(FILLED, ()) == FILLED


def test_a_wrong_path_names_the_wrong_part_and_what_is_there() -> None:
    with pytest.raises(ValidationError) as caught:
        value_at(FILLED, ("ranges", "a", "hihg"))

    assert str(caught.value) == (
        "ranges.a.hihg: 'hihg' is not allowed; expected one of low, high in ranges.a "
        "(did you mean high?)"
    )


def test_nothing_stands_below_a_plain_value() -> None:
    with pytest.raises(ValidationError, match="nothing below size, which is 3; set it"):
        value_at(FILLED, ("size", "low"))


def test_a_part_that_was_only_filled_in_is_made_by_a_change() -> None:
    said = Shop({"a": Range(0, 5)})

    done = changed(said, FILLED, {("ranges", "b", "high"): 9})

    assert done == Shop({"a": Range(0, 5), "b": Range(0, 9)})


def test_two_bounds_of_one_part_move_at_once() -> None:
    done = changed(
        FILLED, FILLED, {("ranges", "a", "low"): 7, ("ranges", "a", "high"): 8}
    )

    assert value_at(done, ("ranges", "a")) == Range(7, 8)


def test_a_breach_between_two_fields_is_named_by_its_whole_path() -> None:
    with pytest.raises(ValidationError) as caught:
        changed(FILLED, FILLED, {("listed", "0", "high"): 1})

    assert caught.value.path == "listed.0.high"


def test_a_variant_is_set_whole_by_object_or_by_table() -> None:
    by_object = changed(FILLED, FILLED, {("size",): Range(1, 2)})
    by_table = changed(
        FILLED, FILLED, {("size",): {"kind": "range", "low": 1, "high": 2}}
    )

    assert by_object == by_table
    assert value_at(by_table, ("size", "high")) == 2


def test_settings_that_were_said_are_listed_by_path() -> None:
    assert set_paths(FILLED) == []
    assert set_paths(Shop(floor=2)) == ["floor"]
