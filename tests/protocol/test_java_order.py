"""The order of Java's hash maps, as JDK 17 walks through them."""

import pytest

from kafkasim.protocol.java_order import (
    JavaSet,
    copied_size,
    id_hash,
    number_hash,
    partition_hash,
    table_size,
    text_hash,
    walk_grouped,
    walk_names,
)

ALIKE = ["AaAa", "BBBB", "AaBB", "BBAa"]
"""Names of one hash code."""


def test_hashes_are_java_s_with_their_upper_half_mixed_in() -> None:
    assert text_hash("") == 0
    assert text_hash("a") == 97
    assert text_hash("w.orders2") == 1314038646 ^ 1314038646 >> 16
    assert text_hash("s.orders4") & 15 == 4  # a negative hash code
    assert {text_hash(name) for name in ALIKE} == {text_hash("AaAa")}
    assert partition_hash(("a", 2)) == 31 * 33 + 97
    assert id_hash(1 << 96 | 7) == 6


def test_a_walk_goes_bin_by_bin_and_through_each_in_the_order_of_arrival() -> None:
    assert walk_names(["b", "a", "q", "A"]) == ["a", "q", "A", "b"]
    assert walk_names(ALIKE) == ALIKE
    assert walk_grouped(ALIKE) == ALIKE[::-1]


@pytest.mark.parametrize(
    ("capacity", "tables", "grouped"),
    [
        (0, [2, 4, 4, 8, 8, 8, 16], [1, 2, 4, 4, 8, 8, 8]),
        (2, [2, 4, 4, 8, 8, 8, 16], [2, 2, 4, 4, 8, 8, 8]),
        (3, [4, 4, 4, 8, 8, 8, 16], [4, 4, 4, 4, 8, 8, 8]),
    ],
)
def test_a_table_doubles_when_it_is_three_quarters_full(
    capacity: int, tables: list[int], grouped: list[int]
) -> None:
    put = JavaSet(number_hash, table_size(capacity))
    computed = JavaSet(number_hash, table_size(capacity))
    sizes: tuple[list[int], list[int]] = ([], [])
    for key in range(7):
        put.add(key * 37)
        computed.add_first(key * 37)
        sizes[0].append(put.capacity)
        sizes[1].append(computed.capacity)
    assert sizes == (tables, grouped)


def test_a_key_that_is_there_doubles_a_full_table_if_it_is_computed() -> None:
    keys: JavaSet[int] = JavaSet(number_hash, 1)
    keys.add_first(1)
    keys.add_first(2)
    assert (keys.capacity, len(keys)) == (2, 2)
    keys.add_first(2)
    assert (keys.capacity, len(keys)) == (4, 2)


def test_the_ninth_key_of_a_bin_doubles_a_small_table() -> None:
    eight = [16 * key for key in range(8)]
    assert JavaSet(number_hash, keys=eight).capacity == 16
    assert JavaSet(number_hash, keys=[*eight, 128]).capacity == 32
    assert JavaSet(number_hash, 64, [64 * key for key in range(9)]).capacity == 64


def test_taking_out_leaves_the_table_as_large_as_it_was() -> None:
    keys = JavaSet(number_hash, keys=range(13))
    for key in range(12):
        keys.remove(key)
    keys.add(33)
    assert keys.capacity == 32
    assert keys.walk() == [33, 12]
    assert keys.first() == 33
    assert 12 in keys


def test_a_copied_set_has_room_for_what_it_is_made_of() -> None:
    assert [copied_size(count) for count in (0, 11, 12, 23, 24)] == [16, 16, 32, 32, 64]


def test_many_at_once_are_as_one_after_the_other() -> None:
    names = [f"member-{number}" for number in range(300)]
    one_by_one: JavaSet[str] = JavaSet(text_hash)
    for name in names:
        one_by_one.add(name)
    assert walk_names(names) == one_by_one.walk()
    assert one_by_one.capacity == 512
