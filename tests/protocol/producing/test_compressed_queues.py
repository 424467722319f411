"""A batch is full by its expected size, and going back undoes that too."""

import numpy as np
import pytest

from kafkasim.log.record_size import body_bytes_of
from kafkasim.protocol.producing.batch import FULL, OPEN
from kafkasim.protocol.producing.columns import RecordColumns
from kafkasim.protocol.producing.compressed_queues import CompressedQueues
from kafkasim.protocol.producing.compression import Compression


def queues_with(
    estimate: float, *, batch_size: int = 1_000, value_bytes: int = 100
) -> tuple[CompressedQueues, list[int]]:
    compression = Compression(iter(()))
    compression.estimate = np.float32(estimate)
    full: list[int] = []
    queues = CompressedQueues(
        source_index=0,
        batch_size=batch_size,
        count=1,
        on_full=lambda _, now_ns: full.append(now_ns),
        compression=compression,
    )
    count = 40
    none = np.full(count, -1)
    queues.extend(
        [
            RecordColumns(
                created_ns=np.arange(count, dtype=np.int64),
                key_bytes=none,
                value_bytes=np.full(count, value_bytes),
                partitions=np.zeros(count, np.int32),
                max_request_size=1 << 20,
            )
        ]
    )
    return queues, full


def filled(queues: CompressedQueues) -> int:
    """Append until a record has no room; return how many had."""
    queues.append_new_batch(0, 0, 0, 0)
    at = 1
    while queues.try_append(0, at, at, at) >= 0:
        at += 1
    return at


@pytest.mark.parametrize("estimate", [1.0, 0.5, 0.31])
def test_a_record_counts_in_full_beside_what_is_expected_of_the_others(
    estimate: float,
) -> None:
    """PR-23: `hasRoomFor` takes no compression of the new record into account."""
    queues, full = queues_with(estimate)
    size = int(body_bytes_of(np.array([-1]), np.array([100]))[0]) + 2  # its length

    count = 1
    while 61 + int(count * size * estimate * 1.05) + size <= 1_000:
        count += 1
    assert filled(queues) == count
    assert full == [count]
    (batch,) = queues.waiting[0]
    assert batch.closed_by == FULL
    assert batch.raw_bytes == count * size
    assert batch.size_bytes == 61 + int(count * size * estimate * 1.05)


def test_a_batch_keeps_the_estimate_that_it_was_opened_with() -> None:
    queues, _ = queues_with(1.0)
    compression = queues._compression
    queues.append_new_batch(0, 0, 0, 0)
    compression.estimate = np.float32(0.25)
    before = queues.try_append(0, 1, 1, 1)

    other, _ = queues_with(1.0)
    other.append_new_batch(0, 0, 0, 0)
    assert before == other.try_append(0, 1, 1, 1)


def test_a_batch_may_be_full_with_its_first_record() -> None:
    """`MemoryRecordsBuilder.isFull`, where the batch was made for this record alone."""
    queues, full = queues_with(1.0, batch_size=1, value_bytes=1_000)

    queues.append_new_batch(0, 0, 5, 5)

    assert full == [5]
    assert queues.tails[0] is None


def test_going_back_leaves_a_batch_as_it_was() -> None:
    queues, _ = queues_with(0.5)
    queues.append_new_batch(0, 0, 0, 0)
    queues.try_append(0, 1, 1, 1)
    queues.settle()
    tail = queues.tails[0]
    assert tail is not None
    was = tail.size_bytes, tail.raw_bytes, tail.hi
    queues._compression.estimate = np.float32(0.25)
    at = 2
    while queues.try_append(0, at, at, at) >= 0:
        at += 1
    queues.append_new_batch(0, at, at, at)

    queues.go_back()

    assert queues.tails[0] is tail
    assert (tail.size_bytes, tail.raw_bytes, tail.hi) == was
    assert tail.closed_by == OPEN
    assert len(queues.waiting[0]) == 1
    assert filled_on(queues, 2) == filled(queues_with(0.5)[0])


def filled_on(queues: CompressedQueues, at: int) -> int:
    """Go on appending; return how many the batch then holds."""
    while queues.try_append(0, at, at, at) >= 0:
        at += 1
    return at
