"""Whether the fast way through a source with keys had memory enough."""

from collections.abc import Callable

import numpy as np
import pytest

from kafkasim.log.batch_size import RangeSizes
from kafkasim.protocol.producing.columns import RecordColumns
from kafkasim.protocol.producing.memory_watch import MemoryWatch, OutOfMemory, memory_of


def columns(count: int, first_ns: int = 0, value_bytes: int = 100) -> RecordColumns:
    """Make records that are created a nanosecond apart."""
    return RecordColumns(
        created_ns=np.arange(first_ns, first_ns + count, dtype=np.int64),
        key_bytes=np.full(count, 1, np.int64),
        value_bytes=np.full(count, value_bytes, np.int64),
        partitions=np.zeros(count, np.int32),
        max_request_size=1 << 20,
    )


def watch(memory: int, *blocks: RecordColumns, partitions: int = 1) -> MemoryWatch:
    made = MemoryWatch(7, batch_size=1_000, buffer_memory=memory, partitions=partitions)
    made.add(blocks)
    return made


def never(_: int) -> int:
    raise AssertionError("there is no need to count")


def counted(memory: int) -> Callable[[int], int]:
    return lambda _: memory


def test_so_many_records_are_safe_as_there_is_room_for_batches() -> None:
    made = watch(100_000, columns(500))
    made.held = 20_000

    made.check(9, 10, never)

    # 10 records were created and drained; 80 batches more have room, so 80 records.
    assert made.safe_until_ns == 89
    made.check(89, 10, never)


def test_no_record_is_safe_for_good_while_more_may_be_larger() -> None:
    made = watch(100_000, columns(20))
    made.check(9, 10, never)
    assert made.safe_until_ns >= 19 - 1

    made.add([columns(10, 20, value_bytes=9_000)])

    assert made.safe_until_ns == -1
    assert not made.is_uniform
    with pytest.raises(OutOfMemory):
        made.check(9, 10, counted(0))


def test_what_waits_is_counted_only_where_the_bound_is_not_enough() -> None:
    made = watch(40_000, columns(500), partitions=30)

    # 200 records may be 30 batches and more; they are 20.
    made.check(199, 0, counted(20_000))

    assert made.safe_until_ns == 219


def test_with_room_for_few_batches_the_watch_gives_up() -> None:
    made = watch(36_000, columns(500), partitions=30)

    with pytest.raises(OutOfMemory) as raised:
        made.check(199, 0, counted(21_000))

    assert raised.value.source_index == 7


def test_what_is_given_back_counts_until_the_check() -> None:
    made = watch(37_000, columns(500))
    made.held, made.released = 21_000, 10_000

    made.check(0, 1, never)
    assert made.held == 11_000

    made.held, made.released = 22_000, 10_000
    made.safe_until_ns = -1
    with pytest.raises(OutOfMemory):
        made.check(0, 1, counted(0))


def test_records_that_were_refused_open_no_batch() -> None:
    block = columns(40)
    block.partitions = np.where(np.arange(40) < 10, -2, 0).astype(np.int32)
    made = watch(30_000, block)

    made.check(9, 0, never)

    assert made.safe_until_ns == 10 + 30 - 2


def test_memory_is_that_of_the_batches_which_the_records_fill() -> None:
    bodies = np.array([400, 400, 400, 5_000, 20], np.int64)
    sizes = RangeSizes(bodies, np.zeros(5, np.int64))

    # 61 + 2 × 402; then the third alone, the large one with its bound, and the last.
    assert memory_of(sizes, bodies.data, 0, 5, 1_000) == 1_000 + 1_000 + 5_079 + 1_000
    assert memory_of(sizes, bodies.data, 4, 4, 1_000) == 0
