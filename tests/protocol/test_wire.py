"""Fields of messages, flexible and not."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.protocol.wire import MalformedError, Reader, Writer


@given(st.integers(0, 2**32 - 1))
def test_an_unsigned_varint_comes_back_and_is_as_short_as_can_be(value: int) -> None:
    data = Writer().uvarint(value).done()
    assert len(data) == max(1, -(-value.bit_length() // 7))
    reader = Reader(data)
    assert (reader.uvarint(), reader.rest) == (value, 0)


@pytest.mark.parametrize(
    ("value", "data"), [(0, "00"), (127, "7f"), (128, "80 01"), (300, "ac 02")]
)
def test_an_unsigned_varint_has_kafkas_bytes(value: int, data: str) -> None:
    assert Writer().uvarint(value).done() == bytes.fromhex(data)


def test_an_unsigned_varint_ends_after_five_bytes() -> None:
    assert Reader(b"\xff\xff\xff\xff\x0f").uvarint() == 2**32 - 1
    with pytest.raises(MalformedError, match="more than 5 bytes"):
        Reader(b"\xff\xff\xff\xff\xff\x01").uvarint()


@pytest.mark.parametrize("flexible", [False, True])
def test_what_is_written_is_read(*, flexible: bool) -> None:
    out = Writer(flexible=flexible)
    out.int8(-1).int16(-2).int32(-3).int64(-4)
    out.string("ü").nullable_string(None).blob(b"\0\1").nullable_blob(None)
    out.array((1, 2), out.int16).array((), out.int16).tags({7: b"x", 3: b""})
    reader = Reader(out.done(), flexible=flexible)
    numbers = reader.int8(), reader.int16(), reader.int32(), reader.int64()
    assert numbers == (-1, -2, -3, -4)
    assert (reader.string(), reader.nullable_string()) == ("ü", None)
    assert (reader.blob(), reader.nullable_blob()) == (b"\0\1", None)
    assert reader.array(reader.int16) == (1, 2)
    assert reader.nullable_array(reader.int16) == ()
    assert reader.tags() == ({3: b"", 7: b"x"} if flexible else {})
    assert reader.rest == 0


def test_lengths_are_one_more_in_a_flexible_version() -> None:
    plain, flexible = Writer(), Writer(flexible=True)
    assert plain.string("ab").blob(b"").array((), plain.int8).done().hex() == (
        "000261620000000000000000"
    )
    assert flexible.string("ab").blob(b"").array((), flexible.int8).done().hex() == (
        "0361620101"
    )


def test_null_is_refused_where_it_may_not_be() -> None:
    with pytest.raises(MalformedError, match="null where a text must be"):
        Reader(b"\xff\xff").string()
    with pytest.raises(MalformedError, match="null where bytes must be"):
        Reader(b"\0", flexible=True).blob()
    with pytest.raises(MalformedError, match="null where an array must be"):
        Reader(b"\xff\xff\xff\xff").array(lambda: None)


def test_what_ends_too_early_is_no_message() -> None:
    with pytest.raises(MalformedError, match="4 bytes where 2 are left"):
        Reader(b"\0\0").int32()
    with pytest.raises(MalformedError, match="an array of 9 in 0 bytes"):
        Reader(b"\0\0\0\x09").array(lambda: None)
    with pytest.raises(MalformedError, match="utf-8"):
        Reader(b"\0\1\xff").string()


def test_a_number_that_does_not_fit_is_not_cut() -> None:
    with pytest.raises(struct.error):
        Writer().int16(1 << 15)
