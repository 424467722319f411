"""The order in which a coordinator walks through its members.

The orders were printed by Kafka's `TimelineHashMap` (4.3.1) with these keys.
"""

import pytest

from kafkasim.protocol.groups.coordinator.timeline_map import TimelineMap


def walked(*numbers: int) -> str:
    names: TimelineMap[int] = TimelineMap()
    for number in numbers:
        names[f"m{number}"] = number
    return " ".join(names.walk())


@pytest.mark.parametrize(
    ("count", "order"),
    [
        (1, "m0"),
        (3, "m2 m0 m1"),
        (7, "m5 m0 m2 m4 m1 m6 m3"),
        (
            20,
            "m0 m5 m12 m17 m2 m14 m7 m19 m4 m11 m16 m9 m1 m6 m13 m18 m3 m10 m15 m8",
        ),
    ],
)
def test_names_are_walked_in_the_order_of_kafkas_table(count: int, order: str) -> None:
    assert walked(*range(count)) == order


def test_a_table_never_shrinks() -> None:
    names: TimelineMap[int] = TimelineMap()
    for number in range(9):
        names[f"m{number}"] = number
    for number in range(6):
        del names[f"m{number}"]
    names["m0"] = names["m6"] = 0
    assert names.walk() == ["m0", "m7", "m6", "m8"]


def test_what_is_put_in_again_counts_as_new_when_the_table_grows() -> None:
    names: TimelineMap[int] = TimelineMap()
    for name in "xyxx":
        names[name] = 0
    assert names.walk() == ["x", "y"]
