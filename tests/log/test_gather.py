"""Many batches in one pass against the plain encoder, byte by byte."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given

from kafkasim.log import gather_plan
from kafkasim.log.batch_size import RangeSizes
from kafkasim.log.columns import Blob, Columns, Ints
from kafkasim.log.encode_any import encode_columns, encode_plainly
from kafkasim.log.gather import Arena, encode_batches
from kafkasim.log.gather_plan import CHUNK_RECORDS, encoded_sizes
from kafkasim.log.record_size import body_bytes_of, record_bytes
from kafkasim.log.scan import decode_columns
from kafkasim.units import NS_PER_MS
from tests.log.column_strategies import columns, plainly

ARENA = Arena()


@given(columns())
def test_many_batches_are_those_of_the_plain_encoder(columns: Columns) -> None:
    plain = plainly(columns)

    sizes = [len(batch) for batch in plain]
    for way in (encode_batches, encode_columns):
        data, positions = way(columns, out=ARENA)
        assert positions.tolist() == [0, *np.cumsum(sizes).tolist()]
        assert data.tobytes() == b"".join(plain)
    assert encode_plainly(columns) == plain
    assert encoded_sizes(columns).tolist() == sizes


def of_sizes(
    counts: list[int],
    value_sizes: Ints,
    step_ms: int = 1,
    key: bytes | None = b"Gander",
) -> Columns:
    """Return batches of records `step_ms` apart, all with one key."""
    records = sum(counts)
    data = np.arange(int(np.maximum(value_sizes, 0).sum())) % 251
    return Columns(
        2**40 + step_ms * np.arange(records),
        Blob.of([key]).take(np.zeros(records, dtype=np.int64)),
        Blob.packed(data.astype(np.uint8), value_sizes),
        np.append(0, np.cumsum(counts)).astype(np.int64),
    )


def same_as_plain(columns: Columns) -> bool:
    data, _ = encode_batches(columns, out=ARENA)
    return data.tobytes() == b"".join(encode_plainly(columns))


@pytest.mark.parametrize("value_size", [-1, 0, 1, 46, 47, 51, 100, 8_170, 8_180])
@pytest.mark.parametrize("counts", [[65, 65], [1, 64, 65, 130], [200], [1] * 9])
@pytest.mark.parametrize("step_ms", [0, 1, 70, 9_000])
def test_records_of_one_size_in_equal_and_in_unequal_batches(
    value_size: int, counts: list[int], step_ms: int
) -> None:
    sizes = np.full(sum(counts), value_size)

    assert same_as_plain(of_sizes(counts, sizes, step_ms))
    assert same_as_plain(of_sizes(counts, sizes, step_ms, None))
    assert same_as_plain(of_sizes(counts, sizes, step_ms, b"k" * 64))


@pytest.mark.parametrize("key", [None, b"", b"k", b"kk", b"kkk", b"k" * 63, b"k" * 64])
@pytest.mark.parametrize("step_ms", [0, 1, 70, 9_000])
def test_values_of_unlike_sizes_behind_keys_of_one(
    key: bytes | None, step_ms: int
) -> None:
    sizes = np.arange(200) ** 2 % 131 - 1

    unlike = of_sizes([130, 1, 69], sizes, step_ms, key)

    assert same_as_plain(unlike)
    assert same_as_plain(replace(unlike, keys=unlike.values, values=unlike.keys))
    assert same_as_plain(replace(unlike, headers=[(("h", b"x"),), ()] * 100))


def test_timestamps_that_go_to_and_fro() -> None:
    # Deltas of one byte and of two, below 0 and above, in stretches of any length.
    steps = np.array([-8_192, -65, -64, 0, 63, 64, 8_191])
    for sizes in (np.full(210, 9), np.arange(210) % 40):
        columns = of_sizes([70, 3, 0, 137], sizes, 0)
        columns = replace(columns, last_offset_deltas=np.array([69, 2, 5, 136]))
        for deltas in (np.tile(steps, 30), np.repeat(steps, 30), np.zeros(210, int)):
            times = 2**40 + deltas
            times[[0, 70, 73]] = 2**40
            assert same_as_plain(replace(columns, timestamps_ms=times))
            times[200] += 2**20
            assert same_as_plain(replace(columns, timestamps_ms=times))
    equal = of_sizes([7] * 30, np.full(210, 9))
    times = 2**40 + np.tile([0, -65, -64, 63, 64, -8_192, -8_193], 30)
    assert same_as_plain(replace(equal, timestamps_ms=times))


@pytest.mark.parametrize("delta_ms", [-8_193, -8_192, 8_191, 8_192])
@pytest.mark.parametrize("unlike", [0, 1])
def test_timestamps_at_the_edge_of_two_bytes(delta_ms: int, unlike: int) -> None:
    columns = of_sizes([2, 3], 9 + unlike * np.arange(5), 0)
    times = columns.timestamps_ms + delta_ms * np.array([0, 1, 0, 1, 0])

    assert same_as_plain(replace(columns, timestamps_ms=times))


@pytest.mark.parametrize("size", range(8_177, 8_182))
def test_lengths_at_the_edge_of_two_bytes(size: int) -> None:
    assert size + 13 in range(8_190, 8_195)  # of the record, its length left out

    assert same_as_plain(of_sizes([1, 2], np.full(3, size)))
    assert same_as_plain(of_sizes([1, 2], np.array([size, 7, size - 1])))


def test_values_of_very_unlike_sizes() -> None:
    sizes = np.array([3, 5_000, -1, 0, 70_000, 100, 4_096, 4_095, 2, 2_000, 900])

    assert same_as_plain(of_sizes([4, 3, 4], np.tile(sizes, 1)))
    assert same_as_plain(of_sizes([1] * 11, sizes))
    assert same_as_plain(of_sizes([11], sizes[::-1].copy()))


def test_more_records_than_are_written_at_once() -> None:
    assert CHUNK_RECORDS < 20_000
    sizes = np.arange(20_000) % 90
    assert same_as_plain(of_sizes([5_000, 9_000, 1, 5_999], sizes))
    assert same_as_plain(of_sizes([5_000, 9_000, 1, 5_999], sizes * 0 + 9))
    assert same_as_plain(of_sizes([10] * 2_000, sizes * 0 + 9, 0))
    assert same_as_plain(of_sizes([9, 11] * 1_000, sizes * 0 + 9, 0))


def test_items_may_lie_in_any_order_and_in_one_place() -> None:
    data = b"FrankfurtGanderOslo"
    blob = Blob(data, np.array([15, 0, 0, 9, 9]), np.array([4, 9, -1, 6, 0]))
    columns = Columns(np.arange(5), blob, blob[::-1], np.array([0, 2, 5]))

    assert same_as_plain(columns)
    assert blob[::-1].tolist() == [b"", b"Gander", None, b"Frankfurt", b"Oslo"]


def test_an_arena_keeps_its_memory() -> None:
    arena = Arena()
    columns = of_sizes([3, 3], np.full(6, 10))

    one, _ = encode_batches(columns, out=arena)
    other, _ = encode_batches(columns, out=arena)

    assert np.shares_memory(one, other)
    alone, _ = encode_batches(columns)
    assert not np.shares_memory(alone, other)


def test_a_batch_is_as_long_as_the_sum_of_its_sizes_says() -> None:
    # RangeSizes counts what the engine fills its batches by.
    values = np.tile(np.array([-1, 0, 46, 47, 8_170], dtype=np.int64), 420)
    columns = of_sizes([2_100], values, 7)
    sizes = RangeSizes(
        body_bytes_of(columns.keys.sizes, values), columns.timestamps_ms * NS_PER_MS
    )
    for lo, hi in ((0, 1), (0, 64), (3, 68), (1, 1_200), (0, 2_100)):
        part = Columns(
            columns.timestamps_ms[lo:hi],
            columns.keys[lo:hi],
            columns.values[lo:hi],
            np.array([0, hi - lo]),
        )
        assert sizes.batch_bytes(lo, hi) == len(encode_batches(part)[0])


@given(columns().filter(lambda drawn: drawn.headers is None))
def test_batches_are_as_long_as_record_by_record_sizes_say(columns: Columns) -> None:
    # DefaultRecord.sizeInBytes, record by record
    deltas = columns.offset_deltas
    lengths: list[int] = []
    for lo, hi in pairwise(columns.batch_starts.tolist()):
        horizon = np.broadcast_to(columns.delete_horizons_ms, (columns.batch_count,))
        base = int(horizon[len(lengths)])
        if base < 0 and lo < hi:
            base = int(columns.timestamps_ms[lo])
        lengths.append(
            61
            + sum(
                record_bytes(
                    i - lo if deltas is None else int(deltas[i]),
                    int(columns.timestamps_ms[i]) - base,
                    int(columns.keys.sizes[i]),
                    int(columns.values.sizes[i]),
                )
                for i in range(lo, hi)
            )
        )

    assert np.diff(encode_batches(columns)[1]).tolist() == lengths


def test_a_batch_that_its_length_cannot_say_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    columns = of_sizes([1], np.array([4]))
    monkeypatch.setattr(gather_plan, "MOST_BATCH_BYTES", 61 + 17)
    assert len(encode_batches(columns)[0]) == 61 + 17

    monkeypatch.setattr(gather_plan, "MOST_BATCH_BYTES", 61 + 17 - 1)
    with pytest.raises(ValueError, match="more than"):
        encode_batches(columns)


def test_equal_batches_that_differ_in_one_place() -> None:
    equal = of_sizes([5] * 4, np.full(20, 9))
    times = equal.timestamps_ms.copy()
    times[12] += 500  # two bytes in the third batch, one in the others

    assert same_as_plain(replace(equal, timestamps_ms=times))
    gaps = np.tile(np.array([0, 1, 2, 3, 90]), 4)
    assert same_as_plain(replace(equal, offset_deltas=gaps))
    assert same_as_plain(replace(equal, delete_horizons_ms=2**39))
    headers = [()] * 19 + [(("h", b"x"),)]
    assert same_as_plain(replace(equal, headers=headers))


def test_a_batch_ends_with_the_offset_of_its_last_record() -> None:
    gaps = np.array([0, 4, 90, 2, 3, 7])
    columns = replace(of_sizes([3, 3], np.full(6, 9)), offset_deltas=gaps)

    found = decode_columns(encode_batches(columns)[0])

    assert [found.header(i).last_offset_delta for i in (0, 1)] == [90, 7]
    assert found.offsets.tolist() == [0, 4, 90, 93, 94, 98]


def test_a_batch_without_records_has_no_delete_horizon() -> None:
    # DefaultRecordBatch.writeEmptyHeader
    some = of_sizes([2, 0, 3], np.full(5, 9))
    emptied = replace(
        some,
        last_offset_deltas=np.array([1, 7, 2]),
        delete_horizons_ms=np.array([2**39, 2**39, -1]),
        max_timestamps_ms=77,
    )

    assert same_as_plain(emptied)
