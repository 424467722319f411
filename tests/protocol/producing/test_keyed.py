"""The accumulator whose records all know their partition."""

import numpy as np

from kafkasim.protocol.producing.accumulator import Settings
from kafkasim.protocol.producing.batch import CUT, DRAINED, FULL, LINGER, NEVER, Batch
from kafkasim.protocol.producing.columns import RecordBlocks, RecordColumns
from kafkasim.protocol.producing.keyed import KeyedAccumulator
from kafkasim.units import MISSING_NS

MS = 1_000_000
# A keyless record of 50 bytes takes 57; a batch of one 61 + 57.
ONE = 118
TWO = 175


def accumulator(
    *blocks: list[tuple[float, int]],
    value_bytes: int | list[int] = 50,
    leaders: tuple[int, ...] = (0,),
    batch_size: int = 200,
    linger_ms: int = 5,
    max_request_size: int = 1_048_576,
) -> KeyedAccumulator:
    """Make one for blocks of records given as (created, in ms; partition)."""
    columns = [
        RecordColumns(
            created_ns=np.array([round(at * MS) for at, _ in block], dtype=np.int64),
            key_bytes=np.full(len(block), -1, dtype=np.int64),
            value_bytes=np.broadcast_to(np.array(value_bytes, np.int64), len(block)),
            partitions=np.array([partition for _, partition in block], np.int32),
            max_request_size=max_request_size,
        )
        for block in blocks
    ]
    settings = Settings(
        source_index=0,
        batch_size=batch_size,
        linger_ns=linger_ms * MS,
        max_request_size=max_request_size,
        leaders=leaders,
        node_count=max(leaders) + 1,
    )
    return KeyedAccumulator(settings, RecordBlocks(columns))


def shown(batches: list[Batch]) -> list[tuple[int, int, int, int, int, int]]:
    """Return partition, range, bytes, and when and why each was closed."""
    return [
        (b.partition, b.lo, b.hi, b.size_bytes, b.closed_ns, b.closed_by)
        for b in batches
    ]


def test_a_node_is_ready_when_the_oldest_record_has_waited_for_linger() -> None:
    records = accumulator([(1, 0), (4, 0)])

    assert records.ready_ns == [6 * MS]
    assert shown(records.drain(0, 6 * MS)) == [(0, 0, 2, TWO, 6 * MS, LINGER)]
    assert records.ready_ns == [NEVER]


def test_a_record_that_has_no_room_closes_the_batch_before_it() -> None:
    records = accumulator([(1, 0), (2, 0), (3, 0)])

    assert records.ready_ns == [3 * MS]
    assert shown(records.drain(0, 3 * MS)) == [(0, 0, 2, TWO, 3 * MS, FULL)]
    assert records.ready_ns == [8 * MS]
    assert shown(records.drain(0, 8 * MS)) == [(0, 2, 3, ONE, 8 * MS, LINGER)]


def test_a_record_that_fills_the_batch_to_the_byte_closes_it() -> None:
    records = accumulator([(1, 0), (2, 0)], batch_size=TWO)

    assert records.ready_ns == [2 * MS]
    assert shown(records.drain(0, 2 * MS)) == [(0, 0, 2, TWO, 2 * MS, FULL)]


def test_a_record_that_is_created_as_the_node_is_drained_comes_along() -> None:
    records = accumulator([(1, 0), (6, 0), (6, 0), (6.000001, 0)], batch_size=1_000)

    assert shown(records.drain(0, 6 * MS)) == [(0, 0, 3, 232, 6 * MS, LINGER)]


def test_partitions_that_are_not_ready_are_drained_with_one_that_is() -> None:
    records = accumulator([(1, 0), (5, 1), (7, 2)], leaders=(0, 0, 0))

    assert shown(records.drain(0, 6 * MS)) == [
        (0, 0, 1, ONE, 6 * MS, LINGER),
        (1, 0, 1, ONE, 6 * MS, DRAINED),
    ]
    assert records.ready_ns == [12 * MS]


def test_a_node_takes_only_partitions_it_leads() -> None:
    records = accumulator([(1, 0), (1, 1), (1, 2)], leaders=(1, 0, 1))

    assert records.ready_ns == [6 * MS, 6 * MS]
    assert [b.partition for b in records.drain(1, 6 * MS)] == [0, 2]
    assert records.ready_ns == [6 * MS, NEVER]


def test_a_batch_that_was_not_drained_for_long_may_fill_in_the_end() -> None:
    records = accumulator([(1, 0), (20, 0), (40, 0)])

    assert records.ready_ns == [6 * MS]
    assert shown(records.drain(0, 50 * MS)) == [(0, 0, 2, TWO, 40 * MS, FULL)]
    assert records.ready_ns[0] <= 50 * MS


def test_a_batch_is_as_large_as_the_upper_bound_of_its_first_record() -> None:
    # Capacity 61 + 21 + 1 + (2 + 300) + 1 = 386; the two take 61 + 309 and 7 bytes.
    records = accumulator([(1, 0), (1, 0)], value_bytes=[300, -1], batch_size=200)

    assert records.ready_ns == [6 * MS]
    assert shown(records.drain(0, 6 * MS)) == [(0, 0, 2, 61 + 309 + 7, 6 * MS, LINGER)]


def test_records_larger_than_batch_size_do_not_share_a_batch() -> None:
    records = accumulator([(1, 0), (1, 0)], value_bytes=300, batch_size=200)

    assert records.ready_ns == [1 * MS]
    assert shown(records.drain(0, 1 * MS)) == [(0, 0, 1, 370, 1 * MS, FULL)]


def test_linger_0_makes_a_node_ready_at_once() -> None:
    records = accumulator([(1, 0), (1, 0), (2, 0)], linger_ms=0)

    assert records.ready_ns == [1 * MS]
    assert shown(records.drain(0, 1 * MS)) == [(0, 0, 2, TWO, 1 * MS, LINGER)]
    assert records.ready_ns == [2 * MS]


def test_a_refused_record_is_in_no_append_list() -> None:
    records = accumulator(
        [(1, 0), (2, 0), (3, 1)],
        value_bytes=[50, 5_000, 50],
        leaders=(0, 0),
        max_request_size=300,
    )

    assert list(records.append_list(0)) == [0]
    assert list(records.append_list(1)) == [2]


def test_what_is_left_at_the_end_is_cut_and_later_records_are_in_no_batch() -> None:
    records = accumulator(
        [(1, 1), (1, 0), (2, 0), (3, 0), (4, 0), (9, 0)], leaders=(0, 0)
    )

    batches = records.finish(4 * MS)

    assert shown(batches) == [
        (0, 0, 2, TWO, 3 * MS, FULL),
        (0, 2, 4, TWO, 4 * MS, CUT),
        (1, 0, 1, ONE, 4 * MS, CUT),
    ]
    assert {batch.sent_ns for batch in batches} == {MISSING_NS}


def test_a_producer_without_records_is_never_ready() -> None:
    records = accumulator([], leaders=(0, 1))

    assert records.look_ahead([True, True], 0) == NEVER
    assert records.finish(5 * MS) == []


def test_a_look_for_a_node_without_records_goes_one_block_at_a_time() -> None:
    records = accumulator([(1, 0)], [(20, 0)], [(40, 0)], leaders=(0, 1))

    assert records.look_ahead([True, True], 0) == 6 * MS
    assert records.look_ahead([False, True], 6 * MS) == 20 * MS - 1
    assert len(records.column("ordinal")) == 1
    assert records.look_ahead([False, True], 20 * MS - 1) == 40 * MS - 1
    assert len(records.column("ordinal")) == 2
    assert records.look_ahead([False, True], 40 * MS) == NEVER


def test_a_look_sees_the_nodes_that_may_be_sent_to() -> None:
    records = accumulator([(1, 0), (3, 1)], leaders=(0, 1))
    records.catch_up(0)

    assert records.look_ahead([True, True], 0) == 6 * MS
    assert records.look_ahead([False, True], 0) == 8 * MS
    assert records.look_ahead([False, False], 0) == NEVER
