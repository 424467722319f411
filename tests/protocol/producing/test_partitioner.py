"""Partitions of keys, and draws for records without one."""

import json
from pathlib import Path

import numpy as np
import pytest

from kafkasim.protocol.producing.partitioner import Draws, key_partition, key_partitions

CAPTURED = json.loads(
    (Path(__file__).parents[1] / "data" / "partitioner.json").read_text(
        encoding="utf-8"
    )
)


@pytest.mark.parametrize(
    ("key", "of_3", "of_6", "of_12"),
    [
        (b"", 0, 3, 9),
        (b"a", 1, 4, 4),
        (b"key-4", 0, 3, 9),
        (b"key-5", 2, 2, 8),
        (b"foobar", 0, 0, 6),
        (b"a-little-bit-long-string", 2, 2, 8),
        ((1_000_000).to_bytes(4, "big"), 0, 0, 6),
    ],
)
def test_a_key_goes_where_kafka_sends_it(
    key: bytes, of_3: int, of_6: int, of_12: int
) -> None:
    assert [key_partition(key, count) for count in (3, 6, 12)] == [of_3, of_6, of_12]


@pytest.mark.parametrize("place", range(7))
def test_captured_keys_go_where_kafka_sent_them(place: int) -> None:
    keys = tuple(bytes.fromhex(row[0]) for row in CAPTURED["rows"])
    count = CAPTURED["partition_counts"][place]

    partitions = key_partitions(keys, count)

    assert partitions.dtype == np.int32
    assert partitions.tolist() == [row[2][place] for row in CAPTURED["rows"]]


@pytest.mark.parametrize(
    ("before", "after", "share"),
    [(3, 4, 0.7502), (6, 8, 0.7509), (6, 12, 0.5009), (12, 13, 0.9230)],
)
def test_more_partitions_move_the_share_of_keys_that_was_counted(
    before: int, after: int, share: float
) -> None:
    keys = tuple(f"user-{number}".encode() for number in range(100_000))

    moved = key_partitions(keys, before) != key_partitions(keys, after)

    assert round(float(moved.mean()), 4) == share


def test_no_keys_have_no_partitions() -> None:
    assert key_partitions((), 3).tolist() == []


def test_a_draw_is_the_same_however_often_and_in_whatever_order_it_is_read() -> None:
    forward = Draws(np.random.default_rng(7))
    backward = Draws(np.random.default_rng(7))

    read = [forward[index] for index in range(600)]

    assert [backward[index] for index in reversed(range(600))] == read[::-1]
    assert [forward[index] for index in range(600)] == read
    assert min(read) >= 0
    assert max(read) < 2**31
