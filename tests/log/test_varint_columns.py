"""Columns of varints against one varint at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.log.columns import Ints
from kafkasim.log.varint import read_varint, write_varint
from kafkasim.log.varint_columns import (
    MOST_INT_BYTES,
    MOST_LONG_BYTES,
    is_one_byte,
    read_varints,
    widths_of,
    write_varints,
)

near_steps = st.builds(
    lambda bits, more, sign: sign * ((1 << bits) + more),
    st.integers(0, 62),
    st.integers(-2, 1),
    st.sampled_from([-1, 1]),
)
columns = st.lists(near_steps | st.integers(-80, 80), min_size=1, max_size=30)


def ints(values: list[int]) -> Ints:
    return np.array(values, dtype=np.int64)


@given(columns)
def test_a_column_is_written_as_its_items_and_read_again(values: list[int]) -> None:
    encoded = [write_varint(value) for value in values]
    widths = widths_of(ints(values))
    assert widths.tolist() == [len(each) for each in encoded]
    assert is_one_byte(ints(values)) == (max(map(len, encoded)) == 1)
    # A byte between any two shows what is written past an end.
    places = np.cumsum(widths + 1) - widths - 1
    out = np.full(int(widths.sum()) + len(values), 7, dtype=np.uint8)

    write_varints(out, places, ints(values), widths)
    read, after, endless = read_varints(out, places, MOST_LONG_BYTES)

    assert out.tobytes() == b"".join(each + b"\7" for each in encoded)
    assert read.tolist() == values
    assert after.tolist() == (places + widths).tolist()
    assert endless is None


@given(
    st.lists(st.binary(min_size=11, max_size=11), min_size=1, max_size=9),
    st.sampled_from([MOST_INT_BYTES, MOST_LONG_BYTES]),
)
def test_any_bytes_are_read_as_one_by_one(rows: list[bytes], most_bytes: int) -> None:
    # ByteUtils.readVarint: bits beyond the 32nd are dropped, a sixth byte is refused.
    rows = [bytes(byte | 0x80 for byte in row[:6]) + row[6:] for row in rows] + rows
    data = b"".join(rows)
    places = 11 * np.arange(len(rows))

    read, after, endless = read_varints(
        np.frombuffer(data, dtype=np.uint8), places, most_bytes
    )

    for index, row in enumerate(rows):
        try:
            value, end = read_varint(row, 0, most_bytes)
        except ValueError:
            assert endless is not None
            assert endless[index]
        else:
            assert (read[index], after[index] - places[index]) == (value, end)
            assert endless is None or not endless[index]


@pytest.mark.parametrize("last", [b"\x02", b"\x80"])
def test_places_past_the_end_read_the_last_byte(last: bytes) -> None:
    data = np.frombuffer(b"\x04" + last, dtype=np.uint8)

    _, after, _ = read_varints(data, ints([0, 1, 2, 99]), MOST_INT_BYTES)

    assert after.tolist()[0] == 1
    assert (after > ints([0, 1, 2, 99])).all()
