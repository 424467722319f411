"""A segment's batches without bytes, by literal offsets and positions."""

import numpy as np

from kafkasim.engine.sim.planned_batches import (
    PlannedBatches,
    offsets_in,
)
from kafkasim.protocol.producing.batch import Batch
from tests.engine.sim.partitions import partition


def three() -> PlannedBatches:
    """Batches of 10 records at offsets 0, 10 and 20, of 100, 70 and 50 bytes."""
    read = partition()
    for number, size_bytes in enumerate((100, 70, 50)):
        read.append(Batch(0, 0, 10 * number, 10 * number + 10, size_bytes, 0), 0)
    return read.active


def test_an_offset_is_in_the_batch_that_holds_it() -> None:
    batches = three()
    assert [batches.number_of(offset) for offset in (0, 9, 10, 25, 30)] == [
        0, 0, 1, 2, 3
    ]  # fmt: skip
    assert batches.positions == [0, 100, 170, 220]
    assert (batches.size_bytes, batches.record_count) == (220, 30)
    assert offsets_in(batches).tolist() == list(range(30))


def test_a_read_stays_below_bytes_and_high_watermark() -> None:
    batches = three()

    def end(first: int, most: int, high_watermark: int = 30) -> int:
        return batches.read_end(first, most, high_watermark, at_least_one=False)

    assert [end(0, most) for most in (99, 100, 169, 170, 220)] == [0, 1, 1, 2, 3]
    assert end(1, 120) == 3
    assert [end(0, 999, mark) for mark in (29, 20, 19, 0)] == [2, 2, 1, 0]
    assert batches.read_end(0, 1, 30, at_least_one=True) == 1
    assert batches.read_end(0, 1, 5, at_least_one=True) == 0


def test_what_was_released_is_counted_and_what_was_cut_is_not() -> None:
    batches = three()
    batches.release(15)
    assert [held is None for held in batches.batches] == [True, True, False]
    assert [batches.end_offset(number) for number in range(3)] == [10, 20, 30]

    batches = three()
    batches.truncate(170)
    assert (len(batches.batches), batches.next_offset, batches.size_bytes) == (
        2,
        20,
        170,
    )


def test_the_only_batch_between_two_positions_is_read() -> None:
    batches = three()
    assert batches.read(100, 170) is batches.batches[1]
    assert np.array_equal(batches.base_offsets, [0, 10, 20])


def test_batches_are_given_as_they_were_appended_but_for_those_released() -> None:
    batches = three()
    first, second, third = batches.batches

    assert batches.held_between(0, 2) == [first, second]
    assert batches.held_between(2, 2) == []
    batches.release(10)
    assert batches.held_between(0, 3) == [second, third]
