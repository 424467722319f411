"""The order of Java's `HashMap`, as OpenJDK 17 walked these maps."""

import pytest

from kafkasim.protocol.java_hash_map import JavaHashMap


def of(*keys: str) -> JavaHashMap[int]:
    return JavaHashMap((key, number) for number, key in enumerate(keys))


def test_keys_are_walked_by_bucket_and_not_as_they_came() -> None:
    fresh = of("m0", "m3", "m6", "m9", "m12", "BB", "Aa", "été", "\U0001f600", "")
    order = ["BB", "Aa", "", "m0", "m3", "\U0001f600", "m6", "m9", "été", "m12"]
    assert list(fresh) == order


def test_a_map_that_was_large_keeps_its_buckets() -> None:
    grown = of(*(f"m{number}" for number in range(14)))
    order = "m0 m1 m2 m3 m4 m5 m6 m7 m8 m9 m11 m10 m13 m12"
    assert list(grown) == order.split()
    for number in range(14):
        if number % 3:
            assert grown.pop(f"m{number}") == number
    grown["Aa"], grown["BB"] = 1, 2
    assert list(grown) == ["Aa", "BB", "m0", "m3", "m6", "m9", "m12"]


def test_in_a_bucket_the_first_to_come_is_the_first() -> None:
    both = of("Aa", "BB")
    assert list(both) == ["Aa", "BB"]
    both["Aa"] = 5
    assert both.items() == [("Aa", 5), ("BB", 1)]
    both.pop("Aa")
    both["Aa"] = 7
    assert (list(both), both.values()) == (["BB", "Aa"], [1, 7])


def test_it_is_a_map() -> None:
    one = of("a")
    assert len(one) == 1 and "a" in one and "b" not in one
    assert (one["a"], one.get("b"), one.pop("b")) == (0, None, None)
    assert list(one.unordered()) == [0]
    with pytest.raises(KeyError):
        one["b"]
