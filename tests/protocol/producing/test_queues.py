"""Queues of batches, filled record by record."""

import numpy as np

from kafkasim.protocol.producing.batch import FULL, OPEN, Batch
from kafkasim.protocol.producing.columns import RecordColumns
from kafkasim.protocol.producing.queues import PartitionQueues


def queues_of(
    value_bytes: list[int], *, batch_size: int, timestamps_ms: list[int] | None = None
) -> tuple[PartitionQueues, list[tuple[int, int]]]:
    """Return queues of two partitions, and where they report full batches."""
    count = len(value_bytes)
    created_ms = np.array(timestamps_ms or [0] * count, dtype=np.int64)
    full: list[tuple[int, int]] = []
    queues = PartitionQueues(
        source_index=0,
        batch_size=batch_size,
        count=2,
        on_full=lambda partition, now_ns: full.append((partition, now_ns)),
    )
    columns = RecordColumns(
        created_ns=created_ms * 1_000_000,
        key_bytes=np.full(count, -1, dtype=np.int64),
        value_bytes=np.array(value_bytes, dtype=np.int64),
        partitions=np.full(count, -1, dtype=np.int32),
        max_request_size=1_048_576,
    )
    queues.extend([columns])
    return queues, full


def shown(batches: list[Batch]) -> list[tuple[int, int, int, int]]:
    return [(b.lo, b.hi, b.size_bytes, b.closed_by) for b in batches]


def test_a_record_goes_into_the_open_batch_while_it_has_room() -> None:
    queues, full = queues_of([50, 50, 50], batch_size=200)

    assert queues.try_append(1, 0, 10, 10) == -1
    assert queues.append_new_batch(1, 0, 10, 10) == 118
    assert queues.try_append(1, 1, 11, 11) == 57
    assert full == []
    assert queues.try_append(1, 2, 12, 12) == -1
    assert full == [(1, 12)]
    assert queues.tails[1] is None
    assert shown(list(queues.waiting[1])) == [(0, 2, 175, FULL)]


def test_a_batch_that_is_filled_to_the_byte_is_full() -> None:
    queues, full = queues_of([50, 50], batch_size=175)

    queues.append_new_batch(0, 0, 10, 10)
    assert queues.try_append(0, 1, 11, 11) == 57
    assert full == [(0, 11)]
    assert queues.tails[0] is None


def test_room_is_counted_with_the_bytes_of_both_deltas() -> None:
    # 64 records of 7 bytes, the 65th has an offset delta of two bytes: 8.
    queues, full = queues_of([0] * 65, batch_size=61 + 64 * 7 + 7)
    queues.append_new_batch(0, 0, 0, 0)
    for at in range(1, 64):
        assert queues.try_append(0, at, 0, 0) == 7
    assert queues.try_append(0, 64, 0, 0) == -1
    assert full == [(0, 0)]

    queues, full = queues_of([60, 60], batch_size=61 + 2 * 68, timestamps_ms=[36, 100])
    queues.append_new_batch(0, 0, 36_000_000, 36_000_000)
    assert queues.try_append(0, 1, 100_000_000, 100_000_000) == -1


def test_a_batch_has_room_for_the_upper_bound_of_its_first_record() -> None:
    # Size 61 + 309, bound 61 + 21 + 304: 16 bytes are left for two records of 7.
    queues, full = queues_of([300, -1, -1, -1], batch_size=200)

    queues.append_new_batch(0, 0, 0, 0)
    assert queues.try_append(0, 1, 0, 0) == 7
    assert queues.try_append(0, 2, 0, 0) == 7
    assert queues.try_append(0, 3, 0, 0) == -1
    assert full == [(0, 0)]


def test_a_stretch_stops_before_the_batch_is_full_or_the_bytes_are_used_up() -> None:
    queues, full = queues_of([50] * 20, batch_size=118 + 5 * 57)
    assert queues.append_stretch(0, 0, 20, 10_000) == 0

    queues.append_new_batch(0, 0, 0, 0)
    assert queues.append_stretch(0, 1, 20, 10_000) == 4 * 57
    assert queues.append_stretch(0, 5, 20, 10_000) == 0
    assert full == []
    assert list(queues.appends[0]) == [0, 1, 2, 3, 4]

    queues.append_new_batch(1, 5, 0, 0)
    assert queues.append_stretch(1, 6, 20, 2 * 57) == 57
    assert queues.append_stretch(1, 7, 20, 2 * 57 + 1) == 2 * 57


def test_going_back_restores_what_was_there_when_it_settled() -> None:
    queues, _ = queues_of([50] * 20, batch_size=200)
    queues.append_new_batch(0, 0, 0, 0)
    tail = queues.tails[0]
    queues.settle()
    queues.append_stretch(0, 1, 2, 10_000)
    queues.try_append(0, 2, 5, 5)
    queues.append_new_batch(0, 2, 5, 5)
    queues.append_new_batch(1, 3, 6, 6)

    queues.go_back()

    assert queues.tails == [tail, None]
    assert shown(list(queues.waiting[0])) == [(0, 1, 118, OPEN)]
    assert list(queues.waiting[1]) == []
    assert [list(appends) for appends in queues.appends] == [[0], []]
    assert queues.try_append(0, 1, 7, 7) == 57
