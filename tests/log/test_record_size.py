"""Sizes of records in batches of format v2."""

import numpy as np
import pytest

from kafkasim.log.record_size import (
    BOUND_OVER_BODY_BYTES,
    body_bytes_of,
    extra_delta_bytes,
    record_bytes,
    sized_bodies,
    varint_bytes,
    varint_bytes_of,
)


@pytest.mark.parametrize(
    ("value", "size"),
    [
        *((0, 1), (-1, 1), (63, 1), (-64, 1)),
        *((64, 2), (-65, 2), (8_191, 2), (-8_192, 2)),
        *((8_192, 3), (2**20 - 1, 3), (2**20, 4), (2**27, 5), (2**34, 6)),
    ],
)
def test_a_varint_grows_by_a_byte_for_every_seven_bits(value: int, size: int) -> None:
    assert varint_bytes(value) == size


def test_varints_of_an_array_are_those_of_its_items() -> None:
    values = np.array([-1, 0, 63, 64, 8_191, 8_192, 2**20, 2**27], dtype=np.int64)

    assert varint_bytes_of(values).tolist() == [
        varint_bytes(v) for v in values.tolist()
    ]
    assert varint_bytes_of(values[:0]).tolist() == []


@pytest.mark.parametrize(
    ("offset_delta", "delta_ms", "key_bytes", "value_bytes", "size"),
    [
        # length, attributes, timestamp, offset, key, value, headers
        (0, 0, -1, -1, 1 + 1 + 1 + 1 + 1 + 1 + 1),
        (0, 0, 0, 0, 1 + 1 + 1 + 1 + 1 + 1 + 1),
        (0, 0, 3, 5, 1 + 1 + 1 + 1 + (1 + 3) + (1 + 5) + 1),
        (63, 63, -1, 57, 1 + 1 + 1 + 1 + 1 + (1 + 57) + 1),
        (64, 63, -1, 57, 2 + 1 + 1 + 2 + 1 + (1 + 57) + 1),
        (63, 64, -1, 57, 2 + 1 + 2 + 1 + 1 + (1 + 57) + 1),
        (8_192, 8_192, 64, 64, 2 + 1 + 3 + 3 + (2 + 64) + (2 + 64) + 1),
        (0, 0, -1, 8_192, 3 + 1 + 1 + 1 + 1 + (3 + 8_192) + 1),
    ],
)
def test_a_record_is_its_fields(
    offset_delta: int, delta_ms: int, key_bytes: int, value_bytes: int, size: int
) -> None:
    assert record_bytes(offset_delta, delta_ms, key_bytes, value_bytes) == size

    body = body_bytes_of(
        np.array([key_bytes], dtype=np.int64), np.array([value_bytes], dtype=np.int64)
    )
    extra = extra_delta_bytes(offset_delta, delta_ms)
    assert sized_bodies(body, extra).tolist() == [size]


def test_the_bound_of_a_batch_is_header_overhead_and_fields() -> None:
    # DefaultRecordBatch.estimateBatchSizeUpperBound: 61 + 21 + key, value, headers
    body = body_bytes_of(np.array([3], dtype=np.int64), np.array([100], dtype=np.int64))

    assert body.tolist() == [3 + (1 + 3) + (2 + 100) + 1]
    assert (body + BOUND_OVER_BODY_BYTES).tolist() == [61 + 21 + 4 + 102 + 1]
