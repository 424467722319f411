"""Source: org.apache.kafka.common.utils.ByteUtils."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.log.varint import (
    COUNT_VARINTS,
    ONE_BYTE_VARINTS,
    TABLE_HALF,
    VARINT_BYTES,
    VARINTS,
    VARLONG_BYTES,
    read_varint,
    write_varint,
)

KNOWN = {
    0: "00",
    -1: "01",
    1: "02",
    -64: "7f",
    63: "7e",
    64: "8001",
    -65: "8101",
    8191: "fe7f",
    -8192: "ff7f",
    8192: "808001",
    -8193: "818001",
    2**31 - 1: "feffffff0f",
    -(2**31): "ffffffff0f",
    2**63 - 1: "feffffffffffffffff01",
    -(2**63): "ffffffffffffffffff01",
}
"""Vectors of Kafka's ByteUtilsTest (testCorrectnessWriteVarint, …Varlong), and more."""


@pytest.mark.parametrize("value", KNOWN)
def test_a_known_number_is_written_and_read(value: int) -> None:
    said = bytes.fromhex(KNOWN[value])
    most = VARINT_BYTES if -(2**31) <= value < 2**31 else VARLONG_BYTES

    assert write_varint(value) == said
    assert read_varint(b"?" + said + b"?", 1, most) == (value, 1 + len(said))
    assert read_varint(memoryview(said), 0, VARLONG_BYTES) == (value, len(said))


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_long_comes_back(value: int) -> None:
    said = write_varint(value)

    assert read_varint(said, 0, VARLONG_BYTES) == (value, len(said))
    bits = (value if value >= 0 else ~value).bit_length() + 1  # the sign takes one
    assert len(said) == -(-bits // 7)


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1])
def test_a_number_beyond_a_long_is_refused(value: int) -> None:
    with pytest.raises(OverflowError, match="64-bit"):
        write_varint(value)


def test_the_tables_say_what_the_writer_says() -> None:
    half = TABLE_HALF
    assert {value: write_varint(value) for value in range(-half, half)} == VARINTS
    assert [write_varint(count) for count in range(half)] == COUNT_VARINTS
    for byte, value in enumerate(ONE_BYTE_VARINTS):
        assert (value is None) == (byte >= 128)
        assert value is None or write_varint(value) == bytes((byte,))


def test_a_varint_that_does_not_end_in_its_bytes_is_refused() -> None:
    """Source: ByteUtils.illegalVarintException; 5 bytes for an int, 10 for a long."""
    endless = b"\xff" * 20
    with pytest.raises(ValueError, match="more than 5 bytes"):
        read_varint(endless, 0)
    with pytest.raises(ValueError, match="more than 10 bytes"):
        read_varint(endless, 0, VARLONG_BYTES)
    with pytest.raises(IndexError):
        read_varint(b"\xff\xff", 0)


def test_more_bytes_than_needed_and_bits_beyond_the_last_are_taken() -> None:
    """As ByteUtils.readUnsignedVarint, whose shifts lose what does not fit."""
    assert read_varint(b"\x82\x80\x00", 0) == (1, 3)
    assert read_varint(b"\xfe\xff\xff\xff\x7f", 0) == (2**31 - 1, 5)
    assert read_varint(b"\xfe" + b"\xff" * 8 + b"\x7f", 0, 10) == (2**63 - 1, 10)
