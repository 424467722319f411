"""Copying pieces against a loop."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.log.columns import Blob, Ints
from kafkasim.log.pieces import copy_loosely, copy_pieces, loose_size

UNTOUCHED = 255
pieces = st.lists(
    st.sampled_from([-1, 0, 1, 2, 3, 15, 16, 17, 63, 64, 90, 4_095, 4_096, 5_000])
    | st.integers(-1, 9),
    max_size=30,
)


def laid_out(sizes: Ints, gap: int) -> tuple[Blob, Ints, list[int]]:
    """Return pieces in a buffer, where they are to go, and what is to be there then."""
    blob = Blob.packed(
        (np.arange(int(np.maximum(sizes, 0).sum())) % 251).astype(np.uint8), sizes
    )
    lengths = np.maximum(sizes, 0) + gap
    expected = [byte for item in blob for byte in [*(item or b""), *[UNTOUCHED] * gap]]
    return blob, np.cumsum(lengths) - lengths, expected


@given(pieces, st.integers(0, 2))
def test_pieces_are_copied_and_no_byte_more(lengths: list[int], gap: int) -> None:
    blob, places, expected = laid_out(np.array(lengths, dtype=np.int64), gap)
    out = np.full(len(expected), UNTOUCHED, dtype=np.uint8)

    copy_pieces(out, places, blob.data, blob.starts, blob.sizes)

    assert out.tolist() == expected


@given(pieces)
def test_loose_copies_spoil_no_piece(lengths: list[int]) -> None:
    sizes = np.array(lengths, dtype=np.int64)
    blob, places, expected = laid_out(sizes, 0)
    loose = loose_size(sizes)
    out = np.full(len(expected) + loose, UNTOUCHED, dtype=np.uint8)

    copy_loosely(out, places, blob, loose)

    assert out[: len(expected)].tolist() == expected


def test_few_large_pieces_do_not_widen_the_copies_of_the_others() -> None:
    sizes = np.array([100] * 999 + [100_000])

    assert loose_size(sizes) == 2 * 199 + 64
    assert loose_size(np.array([10, 20])) == 20
    assert loose_size(np.array([-1, 0])) == 0
