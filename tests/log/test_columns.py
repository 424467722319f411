"""Columns of bytes, and what columns are refused."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from kafkasim.log.columns import Blob, Columns, DecodedColumns
from kafkasim.log.encode_any import encode_columns
from kafkasim.log.gather import encode_batches
from kafkasim.log.record import Record
from kafkasim.log.scan import decode_columns

ITEMS = [b"Gander", None, b"", b"Oslo"]


def test_a_blob_holds_items_nulls_and_empty_ones() -> None:
    blob = Blob.of(ITEMS)

    assert blob.tolist() == ITEMS == list(blob) == [blob[i] for i in range(4)]
    assert blob[1:3].tolist() == ITEMS[1:3]
    assert blob.take(np.array([3, 3, 1])).tolist() == [b"Oslo", b"Oslo", None]
    assert Blob.nulls(2).tolist() == [None, None]
    assert len(Blob.of([])) == 0


@pytest.mark.parametrize(
    ("starts", "sizes"),
    [([0], [5]), ([-1], [1]), ([5], [0]), ([4], [1]), ([0], [-2]), ([0, 1], [1])],
)
def test_items_outside_the_buffer_are_refused(
    starts: list[int], sizes: list[int]
) -> None:
    blob = Blob(b"Oslo", np.array(starts), np.array(sizes))

    with pytest.raises(ValueError, match=r"outside|starts"):
        blob.check()


def test_an_empty_item_may_lie_at_the_end_of_the_buffer() -> None:
    Blob(b"Oslo", np.array([4, 0]), np.array([0, 4])).check()


def sound() -> Columns:
    return Columns(np.arange(4), Blob.of(ITEMS), Blob.of(ITEMS), np.array([0, 1, 4]))


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"keys": Blob.nulls(3)}, "3 keys"),
        ({"values": Blob.nulls(5)}, "5 values"),
        ({"batch_starts": np.array([0, 3])}, "rise"),
        ({"batch_starts": np.array([1, 4])}, "rise"),
        ({"batch_starts": np.array([0, 3, 2, 4])}, "rise"),
        ({"batch_starts": np.array([], dtype=np.int64)}, "rise"),
        ({"batch_starts": np.array([0, 0, 4])}, "last_offset_delta"),
        ({"headers": [()]}, "headers of 1"),
        ({"offset_deltas": np.arange(3)}, "offset_deltas of 3"),
        ({"offset_deltas": np.array([0, 5, 5, 6])}, "offset delta 5 of record 2"),
        ({"offset_deltas": np.array([-1, 5, 6, 7])}, "offset delta -1 of record 0"),
        ({"offset_deltas": np.array([0, 1, 2, 2**31])}, "32 bits"),
        ({"timestamps_ms": np.array([0, 1, -2, 3])}, "negative timestamp -2"),
        ({"leader_epochs": 2**31}, "leader_epochs"),
        ({"producer_epochs": np.array([0, 2**15])}, "16 bits"),
        ({"base_sequences": 2**31}, "base_sequences"),
        ({"last_offset_deltas": np.array([0, 2**31])}, "32 bits"),
        ({"transactional": True}, "needs a producer id"),
        ({"producer_ids": 7}, "needs a producer epoch"),
        ({"producer_ids": np.array([-1, 7]), "producer_epochs": 1}, "base sequence"),
    ],
)
def test_what_makes_no_batch_is_refused(changed: dict[str, Any], text: str) -> None:
    # MemoryRecordsBuilder: appendWithOffset, validateProducerState
    columns = replace(sound(), **changed)

    for way in (encode_columns, encode_batches):
        with pytest.raises(ValueError, match=text):
            way(columns)


def test_offsets_may_begin_anew_in_every_batch() -> None:
    columns = replace(sound(), offset_deltas=np.array([9, 0, 1, 7]))

    found = decode_columns(encode_batches(columns)[0])

    assert found.offsets.tolist() == [9, 10, 11, 17]
    assert found.header(1).next_offset == 18


def test_what_is_decoded_says_which_records_are_markers() -> None:
    found: DecodedColumns = decode_columns(encode_columns(sound())[0])

    assert found.record_count == 4
    assert found.is_control.tolist() == [False] * 4
    assert found.keys.tolist() == [Record(0, key, None).key for key in ITEMS]
