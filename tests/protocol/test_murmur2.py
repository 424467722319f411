"""Hashes that the real class gave."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.protocol.murmur2 import murmur2, murmur2_many

CAPTURED = json.loads(
    (Path(__file__).parent / "data" / "partitioner.json").read_text(encoding="utf-8")
)

# Apache Kafka 4.3.1, Utils.murmur2, and clients' UtilsTest.
GOLDEN = [
    (b"", 275646681),
    (b"a", -1563381124),
    (b"abc", 479470107),
    (b"key", -1079937367),
    (b"key-0", 29210041),
    (b"user1", 1619149554),
    (b"order-1001", 297523878),
    ("日本".encode(), -700811021),
    (b"the quick brown fox", 2136040129),
    ((42).to_bytes(4, "big"), 1606757304),
    (b"21", -973932308),
    (b"foobar", -790332482),
    (b"a-little-bit-long-string", -985981536),
    (b"a-little-bit-longer-string", -1486304829),
    (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
]


def hash_many(keys: list[bytes]) -> list[int]:
    offsets = np.cumsum([0, *map(len, keys)], dtype=np.int64)
    hashes: list[int] = murmur2_many(b"".join(keys), offsets).tolist()
    return hashes


@pytest.mark.parametrize(("key", "value"), GOLDEN)
def test_a_key_has_the_hash_that_kafka_gives_it(key: bytes, value: int) -> None:
    assert murmur2(key) == value


def test_captured_keys_have_the_hashes_that_kafka_gave_them() -> None:
    keys = [bytes.fromhex(row[0]) for row in CAPTURED["rows"]]
    hashes = [row[1] for row in CAPTURED["rows"]]

    assert [murmur2(key) for key in keys] == hashes
    assert hash_many(keys) == hashes


@given(st.lists(st.binary(max_size=40)))
def test_hashing_many_keys_is_hashing_each(keys: list[bytes]) -> None:
    assert hash_many(keys) == [murmur2(key) for key in keys]
