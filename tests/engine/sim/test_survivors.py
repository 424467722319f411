"""What compaction left, counted by hand: offsets 2, 3 and 7 of 10, dense from 10 on."""

import numpy as np
import pytest

from kafkasim.engine.sim.survivors import Survivors


def survivors() -> Survivors:
    return Survivors(1, np.array([2, 3, 7]), 10)


@pytest.mark.parametrize(
    ("from_offset", "to_offset", "count"),
    [(0, 10, 3), (0, 2, 0), (2, 4, 2), (4, 7, 0), (7, 8, 1), (3, 12, 4), (11, 15, 4)],
)
def test_records_in_a_range(from_offset: int, to_offset: int, count: int) -> None:
    assert survivors().count(from_offset, to_offset) == count


@pytest.mark.parametrize(
    ("from_offset", "count", "offset"),
    [(0, 1, 3), (0, 2, 4), (3, 2, 8), (4, 1, 8), (7, 2, 11), (0, 5, 12), (12, 3, 15)],
)
def test_the_offset_after_so_many_records(
    from_offset: int, count: int, offset: int
) -> None:
    assert survivors().offset_after(from_offset, count) == offset


def test_work_is_that_of_the_records_that_are_left() -> None:
    left = survivors()

    def work(from_offset: int, to_offset: int) -> int:
        return left.work_between(
            0,
            from_offset,
            to_offset,
            lambda end: np.arange(end) * 10,
            lambda start, end: 1_000 * (end - start),
        )

    assert work(0, 10) == 20 + 30 + 70
    assert work(3, 8) == 30 + 70
    assert work(4, 12) == 70 + 2_000
    assert work(11, 12) == 1_000
