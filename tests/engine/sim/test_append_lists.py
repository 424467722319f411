"""What of an append list is still needed, and what is left of the rest."""

import numpy as np

from kafkasim.engine.sim.append_lists import AppendLists
from kafkasim.engine.sim.producer import Batch
from kafkasim.protocol.producing.batch import NEVER
from tests.engine.sim.partitions import partition


class Case:
    """One partition with batches of sources 0 and 1 in turn, 10 records each."""

    def __init__(self) -> None:
        self.partition = partition()
        self.low_offset = 0
        self.taken: list[list[int]] = []
        self.flushed = 0
        self.lists = AppendLists(
            partitions=[self.partition],
            source_index=0,
            low_offset=lambda _: min(self.low_offset, self.end),
            take=lambda _, ordinals: self.taken.append(ordinals.tolist()),
            before=self.flush,
        )
        for number in range(6):
            batch = Batch(number % 2, 0, number // 2 * 10, number // 2 * 10 + 10, 99, 0)
            self.partition.append(batch, 0)
            if batch.source_index == 0:
                self.lists.appended[0] = batch.hi
        self.lists.written[0] = 30

    @property
    def end(self) -> int:
        return self.partition.log.log_end_offset

    def flush(self) -> None:
        self.flushed += 1


def test_a_record_is_needed_from_the_lowest_offset_a_group_may_read() -> None:
    case = Case()
    needed: list[int] = []
    for low_offset in (0, 9, 10, 25, 39, 40, 50, 60):
        case.low_offset = low_offset
        needed += case.lists.needed()
    # Offsets 0, 20 and 40 begin the source's batches; the others are of source 1.
    assert needed == [0, 0, 10, 10, 20, 20, 30, 30]
    assert case.flushed == 8


def test_a_record_is_needed_until_its_batch_is_written() -> None:
    case = Case()
    case.low_offset = NEVER
    case.lists.written[0] = 10
    assert case.lists.needed() == [10]


def test_batches_below_the_lowest_offset_are_forgotten_and_still_counted() -> None:
    case = Case()
    case.low_offset = 25
    case.lists.needed()
    forgotten = [True] * 2 + [False] * 4
    assert [batch is None for batch in case.partition.batches] == forgotten
    held = case.partition.active
    assert [batch is None for batch in held.batches] == forgotten
    assert held.read_end(0, 10**6, case.end, at_least_one=False) == 6
    assert held.end_offset(0) == 10
    assert held.positions[6] == 6 * 99


def test_what_is_let_go_comes_in_order_and_once() -> None:
    case = Case()
    case.lists.released(0, np.array([4, 7], np.int32))
    case.lists.released(0, np.array([9], np.int32))
    assert case.taken == [[4, 7], [9]]
