import numpy as np
import pytest
from crc32c import crc32c
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.log.encode import encode_batch
from kafkasim.log.record import Record
from kafkasim.log.salvage import salvage


def batch(base_offset: int, value: bytes = b"value") -> bytes:
    records = [Record(1_000 + n, b"key", value) for n in range(3)]
    return encode_batch(records, base_offset=base_offset, leader_epoch=2)


LOG = batch(0) + batch(3) + batch(6)
SIZE = len(batch(0))


def kinds(data: bytes) -> list[str]:
    return [piece.kind for piece in salvage(data)]


def test_a_sound_log_is_its_batches() -> None:
    pieces = list(salvage(LOG))

    assert [piece.position for piece in pieces] == [0, SIZE, 2 * SIZE]
    assert [piece.kind for piece in pieces] == ["", "", ""]


@given(st.integers(0, 8 * SIZE - 1), st.integers(0, 2))
def test_a_flipped_bit_is_found_and_flipped_back(bit: int, number: int) -> None:
    """But for offset and epoch, which neither the CRC nor the layout fixes."""
    at = number * SIZE + bit // 8
    damaged = bytearray(LOG)
    damaged[at] ^= 1 << bit % 8
    outside = bit // 8 < 8 or 12 <= bit // 8 < 16

    pieces = list(salvage(bytes(damaged)))

    assert [bool(piece.kind) for piece in pieces] == [
        n == number and not outside for n in range(3)
    ]
    if not outside:
        original = LOG[number * SIZE : (number + 1) * SIZE]
        assert pieces[number].mended == original


@pytest.mark.parametrize("count", [2, 3, 5])
def test_several_flipped_bits_are_found_and_nothing_is_invented(count: int) -> None:
    random = np.random.default_rng(count)
    for _ in range(50):
        damaged = bytearray(LOG)
        for bit in random.choice(np.arange(61 * 8, SIZE * 8), count, replace=False):
            damaged[SIZE + bit // 8] ^= 1 << int(bit) % 8

        pieces = list(salvage(bytes(damaged)))

        assert [piece.kind for piece in pieces] == ["", "bit rot", ""]
        assert pieces[1].mended is None


def test_a_length_of_any_other_value_is_found_from_the_next_batch() -> None:
    for length in (0, -1, 14, 48, 49, 60, 10_000, 2**31 - 1, -(2**31)):
        damaged = bytearray(LOG)
        damaged[SIZE + 8 : SIZE + 12] = length.to_bytes(4, "big", signed=True)

        pieces = list(salvage(bytes(damaged)))

        assert [piece.kind for piece in pieces] == ["", "header damage", ""]
        assert pieces[1].mended == batch(3)


@given(st.integers(1, SIZE - 1))
def test_a_torn_batch_is_a_tail(size: int) -> None:
    assert kinds(LOG[: 2 * SIZE + size]) == ["", "", "torn tail"]


@given(st.binary(min_size=1, max_size=200))
def test_foreign_bytes_between_batches_hide_nothing_behind_them(data: bytes) -> None:
    pieces = list(salvage(LOG[:SIZE] + data + LOG[SIZE:]))

    found = [piece.header.base_offset for piece in pieces if piece.header]
    assert found == [0, 3, 6]
    assert pieces[-1].end_position == len(LOG) + len(data)


@given(st.binary(max_size=300))
def test_pieces_cover_all_bytes_of_whatever_is_read(data: bytes) -> None:
    end = 0
    for piece in salvage(data):
        assert piece.position == end
        assert piece.end_position > end
        end = piece.end_position
    assert end == len(data)


def test_a_batch_with_a_right_crc_and_another_magic_is_one() -> None:
    damaged = bytearray(LOG)
    damaged[SIZE + 16] = 3

    piece = list(salvage(bytes(damaged)))[1]

    assert (piece.kind, piece.mended) == ("header damage", batch(3))


def test_a_flipped_bit_of_a_large_batch_is_found() -> None:
    data = bytearray(batch(0, np.random.default_rng(1).bytes(20_000)))
    crc = crc32c(bytes(data[21:]))
    data[31_000] ^= 0x10
    assert crc32c(bytes(data[21:])) != crc

    (piece,) = salvage(bytes(data))

    assert piece.mended is not None
    assert crc32c(piece.mended[21:]) == crc
    assert "bit 4 of byte 31000" in piece.text
