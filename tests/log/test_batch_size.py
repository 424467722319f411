"""Sizes of ranges by prefix sums against sizes record by record."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from kafkasim.log.batch_size import RangeSizes, ints
from kafkasim.log.record_size import body_bytes_of, record_bytes

MS = 1_000_000


def sizes_of(
    value_bytes: list[int], timestamps_ms: list[int] | None = None
) -> RangeSizes:
    values = np.array(value_bytes, dtype=np.int64)
    keys = np.full(len(values), -1, dtype=np.int64)
    timestamps = np.array(timestamps_ms or [0] * len(values), dtype=np.int64)
    return RangeSizes(body_bytes_of(keys, values), timestamps * MS)


def test_a_batch_of_148_records_has_the_bytes_that_a_broker_was_sent() -> None:
    # Kafka 4.3.1, values of 100 bytes, batch.size 16384: batch-size-max 16277, and
    # values of 1000 bytes: 16205.
    sizes = sizes_of([100] * 200)
    assert sizes.fill(0, 200, 0, 0, 61, 16_384) == (148, 16_277)
    assert sizes.batch_bytes(0, 148) == 16_277

    sizes = sizes_of([1_000] * 20)
    assert sizes.fill(0, 20, 0, 0, 61, 16_384) == (16, 16_205)


def test_the_65th_record_of_a_batch_takes_a_byte_more() -> None:
    sizes = sizes_of([0] * 65)

    assert sizes.batch_bytes(0, 64) == 61 + 64 * 7
    assert sizes.batch_bytes(0, 65) == 61 + 64 * 7 + 8


def test_a_record_64_ms_after_the_first_takes_a_byte_more() -> None:
    sizes = sizes_of([0, 0, 0], [10, 73, 74])

    assert sizes.batch_bytes(0, 2) == 61 + 2 * 7
    assert sizes.batch_bytes(0, 3) == 61 + 2 * 7 + 8


def test_the_8193rd_record_of_a_batch_takes_a_byte_more_again() -> None:
    sizes = sizes_of([0] * 8_193)

    assert sizes.batch_bytes(0, 8_193) == 61 + 64 * 7 + 8_128 * 8 + 9


def test_a_record_that_fits_to_the_byte_is_added() -> None:
    sizes = sizes_of([10, 10, 10])

    assert sizes.fill(0, 3, 0, 0, 61, 61 + 2 * 17) == (2, 61 + 2 * 17)
    assert sizes.fill(0, 3, 0, 0, 61, 61 + 2 * 17 - 1) == (1, 61 + 17)
    assert sizes.fill(0, 3, 0, 0, 61, 61) == (0, 61)


def test_filling_goes_on_in_a_batch_that_has_records() -> None:
    sizes = sizes_of([0] * 10, [100] * 10)

    # 62 records before: two more take 7 bytes each, the next ones 8.
    assert sizes.fill(0, 10, 62, 100, 500, 500 + 7 + 7 + 8 + 7) == (3, 522)
    # The first record was 64 ms earlier.
    assert sizes.fill(0, 10, 1, 36, 500, 500 + 8 + 7) == (1, 508)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [0, 0, 1, MS - 1, MS, 63 * MS, 63 * MS + 1, 64 * MS - 1, 8_192 * MS]
            ),
            st.sampled_from([-1, 0, 53, 54, 55, 56, 8_180, 8_184]),
        ),
        min_size=1,
        max_size=200,
    ),
    st.data(),
)
def test_any_range_has_the_size_of_its_records(
    steps: list[tuple[int, int]], data: st.DataObject
) -> None:
    created_ns = np.cumsum([step for step, _ in steps])
    timestamps_ms = (created_ns // MS).tolist()
    value_bytes = [size for _, size in steps]
    keys = np.full(len(steps), -1, np.int64)
    sizes = RangeSizes(body_bytes_of(keys, np.array(value_bytes, np.int64)), created_ns)
    lo = data.draw(st.integers(0, len(steps) - 1))
    hi = data.draw(st.integers(lo + 1, len(steps)))

    expected = [61]
    for at in range(lo, hi):
        delta_ms = timestamps_ms[at] - timestamps_ms[lo]
        size = record_bytes(at - lo, delta_ms, -1, value_bytes[at])
        expected.append(expected[-1] + size)

    assert sizes.batch_bytes(lo, hi) == expected[-1]
    capacity = data.draw(st.integers(61, expected[-1] + 10))
    fits = sum(size <= capacity for size in expected) - 1
    base_ms = timestamps_ms[lo]
    assert sizes.fill(lo, hi, 0, base_ms, 61, capacity) == (lo + fits, expected[fits])


def test_a_view_of_ints_gives_python_ints() -> None:
    values: NDArray[np.int32] = np.array([3, -1], dtype=np.int32)

    assert list(ints(values)) == [3, -1]
    assert type(ints(values)[0]) is int
    assert list(ints(values[:0])) == []
