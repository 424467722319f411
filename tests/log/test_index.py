"""Source of the rules: AbstractIndex, OffsetIndex, TimeIndex (4.3)."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.errors import LogError
from kafkasim.log.index import OffsetIndex, TimeIndex

DATA = Path(__file__).parent / "data" / "segments_and_indexes.json"
SCRIPTS: list[dict[str, Any]] = json.loads(DATA.read_text(encoding="utf-8"))["indexes"]
MIB = 1 << 20


def opened(script: dict[str, Any]) -> OffsetIndex | TimeIndex:
    made = OffsetIndex if script["kind"] == "offset" else TimeIndex
    return made.from_bytes(script["base"], bytes.fromhex(script["file"]), MIB)


@pytest.mark.parametrize("number", range(len(SCRIPTS)))
def test_searches_end_where_kafkas_do_in_files_that_are_true_or_not(
    number: int,
) -> None:
    """Entries out of order, zeros behind them, stray bytes, more than 8 KiB of them."""
    script = SCRIPTS[number]
    for (kind, asked), said in zip(script["asked"], script["answer"], strict=True):
        index = opened(script)
        if kind == "find":
            assert list(index.look_up(asked)) == said
            if isinstance(index, OffsetIndex):
                many = index.look_up_many(np.array([asked]))
                assert [int(column[0]) for column in many] == said
        else:
            index.truncate_to(asked)
            assert index.entry_count == said


ENTRIES = st.lists(
    st.tuples(st.integers(1, 1000), st.integers(1, 1000)), max_size=30
).map(lambda steps: np.cumsum(steps, axis=0).tolist() if steps else [])
"""Offsets above the base, and positions or times: both rise."""


@given(ENTRIES, st.integers(0, 2**40), st.lists(st.integers(-5, 40_000), max_size=20))
def test_offsets_are_found_as_by_looking_at_every_entry(
    entries: list[list[int]], base: int, wanted: list[int]
) -> None:
    index = OffsetIndex(base, MIB)
    for offset, position in entries:
        index.append(base + offset, position)
    asked = [base + one for one in wanted]

    expected = []
    for one in wanted:
        below = [entry for entry in entries if entry[0] <= one]
        offset, position = below[-1] if below else (0, 0)
        expected.append((base + offset, position))

    assert [index.look_up(one) for one in asked] == expected
    offsets, positions = index.look_up_many(np.array(asked, np.int64))
    found = zip(offsets.tolist(), positions.tolist(), strict=True)
    assert list(found) == expected
    for one in asked:
        cut = OffsetIndex.from_bytes(base, index.to_bytes(), MIB)
        cut.truncate_to(one)
        kept = [entry for entry in entries if base + entry[0] < one]
        assert cut.entry_count == len(kept)
        assert cut.to_bytes() == index.to_bytes()[: 8 * len(kept)]


@given(ENTRIES, st.integers(0, 2**40), st.lists(st.integers(-5, 40_000), max_size=20))
def test_times_are_found_as_by_looking_at_every_entry(
    entries: list[list[int]], base: int, wanted: list[int]
) -> None:
    index = TimeIndex(base, MIB)
    for offset, time_ms in entries:
        index.append(time_ms, base + offset)

    for one in wanted:
        below = [entry for entry in entries if entry[1] <= one]
        found = (below[-1][1], base + below[-1][0]) if below else (-1, base)
        assert index.look_up(one) == found
        cut = TimeIndex.from_bytes(base, index.to_bytes(), MIB)
        cut.truncate_to(base + one)
        kept = [entry for entry in entries if entry[0] < one]
        assert cut.to_bytes() == index.to_bytes()[: 12 * len(kept)]


def test_the_bytes_are_kafkas() -> None:
    """Sources: OffsetIndex.append, TimeIndex.maybeAppend."""
    offsets = OffsetIndex(100, MIB)
    offsets.append(102, 5)
    offsets.append(100 + 0x01020304, 0x0A0B0C0D)
    times = TimeIndex(100, MIB)
    times.append(0x0102030405060708, 103)

    assert offsets.to_bytes().hex() == "0000000200000005" + "010203040a0b0c0d"
    assert offsets.to_bytes(1).hex() == "010203040a0b0c0d"
    assert times.to_bytes().hex() == "0102030405060708" + "00000003"
    assert times.to_bytes(1) == b""


def test_an_offset_index_takes_what_comes_after_and_fits() -> None:
    index = OffsetIndex(10, 3 * 8 + 7)
    index.append(10, 0)
    for offset in (10, 9):
        with pytest.raises(LogError, match="is not after 10"):
            index.append(offset, 1)
    for offset in (10 + 2**31, 2**60):
        with pytest.raises(LogError, match="too far from 10"):
            index.append(offset, 1)
    with pytest.raises(LogError, match="too far from 10"):
        OffsetIndex(10, 80).append(9, 0)
    room = []
    for offset in (11, 10 + 2**31 - 1):
        room.append(not index.is_full)
        index.append(offset, 1)
    assert room == [True, True] and index.is_full
    assert index.last_offset == 10 + 2**31 - 1
    with pytest.raises(LogError, match="full with 3 entries"):
        index.append(13, 3)
    assert index.holds(10) and index.holds(10 + 2**31 - 1)
    assert not index.holds(9) and not index.holds(10 + 2**31)


def test_a_time_index_takes_what_grows_and_keeps_a_place_for_the_roll() -> None:
    """Source: TimeIndex: isFull, maybeAppend."""
    index = TimeIndex(10, 3 * 12 + 11)
    index.append(-1, 11)
    assert index.entry_count == 0 and index.last_entry == (-1, 10)
    index.append(500, 12)
    index.append(500, 13)
    assert index.entry_count == 1 and index.last_entry == (500, 12)
    for time_ms, offset, text in ((499, 14, "time 499"), (600, 11, "offset 11")):
        with pytest.raises(LogError, match=text):
            index.append(time_ms, offset)
    with pytest.raises(LogError, match="too far from 10"):
        index.append(600, 10 + 2**31)
    index.append(501, 12)

    assert index.is_full and index.entry_count == 2
    with pytest.raises(LogError, match="full with 2 entries"):
        index.append(502, 13)
    index.append(502, 13, at_roll=True)
    assert index.last_entry == (502, 13) and index.entry(0) == (500, 12)


def test_emptied_indexes_begin_anew() -> None:
    offsets = OffsetIndex.from_bytes(7, b"\0\0\0\x09" * 2 + bytes(8), MIB)
    times = TimeIndex.from_bytes(7, b"\x01" * 12 + bytes(12), MIB)
    for index in (offsets, times):
        index.clear()
        assert index.entry_count == 0 and index.to_bytes() == b""
    offsets.append(8, 1)
    times.append(8, 8)

    assert offsets.look_up(9) == (8, 1) and times.look_up(9) == (8, 8)
    assert offsets.look_up_many(np.array([], np.int64))[0].size == 0


def test_the_entry_before_the_last_one_below_both() -> None:
    index = OffsetIndex(0, MIB)
    for number in range(1, 6):
        index.append(10 * number, 100 * number)

    assert index.before_last(300, 10**9) == (20, 200)
    assert index.before_last(299, 10**9) == (10, 100)
    assert index.before_last(10**9, 41) == (30, 300)
    assert index.before_last(10**9, 40) == (20, 200)
    assert index.before_last(199, 10**9) is None
    assert index.before_last(10**9, 11) is None
