"""The walk over a node's partitions."""

import numpy as np
import pytest

from kafkasim.protocol.producing.accumulator import Accumulator, Settings
from kafkasim.protocol.producing.columns import RecordBlocks, RecordColumns
from kafkasim.protocol.producing.keyed import KeyedAccumulator
from kafkasim.protocol.producing.partitioner import Draws
from kafkasim.protocol.producing.sticky import StickyAccumulator

MS = 1_000_000
ONE = 118
"""Bytes of a batch with one record of 50 bytes."""


@pytest.fixture(params=["keyed", "sticky"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def four_partitions(kind: str, *, rounds: int, room: int) -> Accumulator:
    """Make one with a record in each of four partitions every 10 ms from 0 on."""
    count = 4 * rounds
    columns = RecordColumns(
        created_ns=np.arange(count, dtype=np.int64) // 4 * 10 * MS,
        key_bytes=np.full(count, -1, dtype=np.int64),
        value_bytes=np.full(count, 50, dtype=np.int64),
        partitions=np.tile(np.arange(4, dtype=np.int32), rounds),
        max_request_size=room,
    )
    settings = Settings(
        source_index=0,
        batch_size=150,
        linger_ns=0,
        max_request_size=room,
        leaders=(0, 0, 0, 0),
        node_count=1,
    )
    if kind == "keyed":
        return KeyedAccumulator(settings, RecordBlocks([columns]))
    return StickyAccumulator(
        settings, RecordBlocks([columns]), Draws(np.random.default_rng(1))
    )


def drained(records: Accumulator, now_ms: int) -> list[int]:
    records.catch_up(now_ms * MS)
    partitions = [batch.partition for batch in records.drain(0, now_ms * MS)]
    records.look_ahead([True], now_ms * MS)
    return partitions


def test_the_partition_that_did_not_fit_is_examined_first_next_time(kind: str) -> None:
    records = four_partitions(kind, rounds=2, room=3 * ONE)

    assert drained(records, 0) == [0, 1, 2]
    assert records.ready_ns[0] <= 0
    assert drained(records, 0) == [3]
    # That walk went on over 0 and 1 and ended at 2, the last one examined.
    assert drained(records, 10) == [2, 3, 0]


def test_a_request_takes_one_batch_of_a_partition(kind: str) -> None:
    """PR-28: also where several wait that are full."""
    records = four_partitions(kind, rounds=3, room=1_048_576)

    # A batch has room for one record; those of 0 ms, 10 ms and 20 ms wait.
    assert [drained(records, 20) for _ in range(3)] == [
        [0, 1, 2, 3],
        [3, 0, 1, 2],
        [2, 3, 0, 1],
    ]


def test_a_whole_circle_ends_and_the_next_begins_with_the_last_partition(
    kind: str,
) -> None:
    records = four_partitions(kind, rounds=3, room=1_048_576)

    assert drained(records, 0) == [0, 1, 2, 3]
    assert drained(records, 10) == [3, 0, 1, 2]
    assert drained(records, 20) == [2, 3, 0, 1]


def test_a_single_batch_larger_than_a_request_goes_alone(kind: str) -> None:
    # The bound of a record is 133 bytes, so none is refused; two in a batch take 175.
    count = 3
    columns = RecordColumns(
        created_ns=np.zeros(count, dtype=np.int64),
        key_bytes=np.full(count, -1, dtype=np.int64),
        value_bytes=np.full(count, 50, dtype=np.int64),
        partitions=np.array([0, 0, 1], dtype=np.int32),
        max_request_size=140,
    )
    settings = Settings(
        source_index=0,
        batch_size=1_000,
        linger_ns=0,
        max_request_size=140,
        leaders=(0, 0),
        node_count=1,
    )
    records: Accumulator = (
        KeyedAccumulator(settings, RecordBlocks([columns]))
        if kind == "keyed"
        else StickyAccumulator(
            settings, RecordBlocks([columns]), Draws(np.random.default_rng(1))
        )
    )
    records.catch_up(0)

    assert [batch.size_bytes for batch in records.drain(0, 0)] == [175]
    assert [batch.size_bytes for batch in records.drain(0, 0)] == [118]
