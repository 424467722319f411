"""Source of the rules: SkimpyOffsetMap, Cleaner.buildOffsetMapForSegment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.log.offset_map import OffsetMap, keys_that_fit


def test_the_default_buffer_holds_five_million_keys() -> None:
    """LG-14: 128 MiB of 24 bytes each, nine tenths of them filled."""
    assert keys_that_fit() == int(128 * 2**20 // 24 * 0.9) == 5_033_164
    assert keys_that_fit(threads=2) == int(64 * 2**20 // 24 * 0.9)
    assert keys_that_fit(480, 0.5) == 10


def test_a_buffer_without_room_for_more_than_a_key_is_refused() -> None:
    """Source: the assertion in Cleaner's constructor."""
    with pytest.raises(ValueError, match="more than one key"):
        keys_that_fit(24, 1.0)
    assert keys_that_fit(48, 1.0) == 2


def test_the_newest_offset_of_a_key_stays() -> None:
    """LG-17, pass 1."""
    latest = OffsetMap(10)

    assert latest.add(5, range(3), ["a", "b", "a"], 0)
    assert latest.add(20, [0, 7], ["b", "c"], 0)
    assert latest.newest == {"a": 7, "b": 20, "c": 27}


def test_records_that_are_clean_or_have_no_key_are_passed_over() -> None:
    latest = OffsetMap(10)

    assert latest.add(5, range(4), ["a", None, "c", "d"], 7)
    assert latest.newest == {"c": 7, "d": 8}


def test_a_full_map_ends_with_the_record_that_filled_it() -> None:
    """LG-14: the round ends in the middle of a batch, and even at a record whose key
    the map has (Cleaner.buildOffsetMapForSegment)."""
    latest = OffsetMap(2)

    assert not latest.add(5, range(4), ["a", "b", "a", "c"], 0)
    assert latest.newest == {"a": 5, "b": 6} and latest.latest_offset == 6
    assert not latest.add(9, range(1), ["a"], 0)
    assert latest.add(9, range(1), [None], 0)
    assert latest.latest_offset == 6


@given(st.lists(st.sampled_from([*"abcd", None]), max_size=8), st.integers(0, 9))
def test_one_batch_or_many_make_the_same_map(
    keys: list[str | None], first_offset: int
) -> None:
    whole, single = OffsetMap(3), OffsetMap(3)
    fits = whole.add(0, range(len(keys)), keys, first_offset)
    each = [single.add(n, [0], [key], first_offset) for n, key in enumerate(keys)]
    took = each.index(False) if False in each else len(keys)

    assert fits == all(each)
    expected = {
        key: offset
        for offset, key in enumerate(keys[:took])
        if key is not None and offset >= first_offset
    }
    assert whole.newest == expected
