"""Columns of records."""

import numpy as np

from kafkasim.protocol.producing.batch import NEVER
from kafkasim.protocol.producing.columns import (
    REFUSED,
    STICKY,
    RecordBlocks,
    RecordColumns,
    partition_order,
)


def columns_of(
    created_ns: list[int],
    value_bytes: list[int],
    partitions: list[int],
    *,
    max_request_size: int = 1_048_576,
) -> RecordColumns:
    return RecordColumns(
        created_ns=np.array(created_ns, dtype=np.int64),
        key_bytes=np.full(len(created_ns), -1, dtype=np.int64),
        value_bytes=np.array(value_bytes, dtype=np.int64),
        partitions=np.array(partitions, dtype=np.int32),
        max_request_size=max_request_size,
    )


def test_a_record_whose_upper_bound_exceeds_a_request_is_refused() -> None:
    # 61 + 21 + 1 + (2 + value) + 1: a value of 214 bytes makes it 300.
    columns = columns_of(
        [0, 1, 2], [214, 215, 215], [4, 4, STICKY], max_request_size=300
    )

    assert columns.partitions.tolist() == [4, REFUSED, REFUSED]
    assert columns.refused().tolist() == [1, 2]


def some(created_ns: list[int]) -> RecordColumns:
    count = len(created_ns)
    return RecordColumns(
        created_ns=np.array(created_ns, np.int64),
        key_bytes=np.zeros(count, np.int64),
        value_bytes=np.zeros(count, np.int64),
        partitions=np.zeros(count, np.int32),
        max_request_size=1_000,
    )


def test_blocks_are_known_up_to_the_first_record_of_the_next() -> None:
    blocks = RecordBlocks([some([5, 6]), some([]), some([6, 9]), some([9])])

    assert (blocks.known_ns, blocks.exhausted) == (4, False)
    assert [len(block) for block in blocks.take(1)] == [2]
    # Another record of time 6 is still to come.
    assert (blocks.known_ns, blocks.exhausted) == (5, False)
    assert [len(block) for block in blocks.take(3)] == [2, 1]
    assert (blocks.known_ns, blocks.exhausted) == (NEVER, True)
    assert blocks.take(1) == []


def test_a_source_without_records_is_known_for_ever() -> None:
    blocks = RecordBlocks([some([])])

    assert (blocks.known_ns, blocks.exhausted) == (NEVER, True)


def test_records_are_ordered_by_partition_and_within_it_as_they_came() -> None:
    kept, added = np.array([2, 0, 1]), [np.array([2, 0, REFUSED]), np.array([1, 0])]

    order, counts = partition_order(kept, added)

    assert order is not None
    assert order.tolist() == [0, 1, 4, 7, 6, 2, 3]
    assert counts.tolist() == [4, 1, 2]


def test_records_of_one_partition_are_in_order_unless_one_was_refused() -> None:
    in_order = partition_order(np.array([2]), [np.array([0, 0])])
    order, counts = partition_order(np.array([2]), [np.array([0, REFUSED])])

    assert in_order[0] is None
    assert in_order[1].tolist() == [4]
    assert order is not None
    assert (order.tolist(), counts.tolist()) == ([0, 1, 2], [3])
