"""Rows of work laid anew, with literal times; work is 10 ns a record."""

import pytest

from kafkasim.engine.sim.at_work import AtWork, Returned, slowed_ns
from kafkasim.units import FOREVER_NS, MISSING_NS
from tests.engine.sim.partitions import partition


def at_work() -> AtWork:
    read = partition()
    read.add_group(0, [], 10)
    return AtWork(0, {0: read})


def row(
    from_offset: int, to_offset: int, started_ns: int, slowed: float = 1.0
) -> Returned:
    return Returned(
        0, 0, 0, from_offset, to_offset, 0, started_ns, slowed, MISSING_NS, 0, 0
    )


def told(rows: list[Returned]) -> list[tuple[int, int, int, float]]:
    return [(r.from_offset, r.to_offset, r.started_ns, r.slowed) for r in rows]


@pytest.mark.parametrize(
    ("now_ns", "rows", "end_ns"),
    [
        (100, [(0, 3, 100, 3.0)], 190),
        (104, [(0, 1, 100, 1.0), (1, 3, 110, 3.0)], 170),
        (110, [(0, 1, 100, 1.0), (1, 3, 110, 3.0)], 170),
        (125, [(0, 3, 100, 1.0)], 130),
        (130, [(0, 3, 100, 1.0)], MISSING_NS),
    ],
)
def test_what_begins_from_now_on_goes_at_the_new_speed(
    now_ns: int, rows: list[tuple[int, int, int, float]], end_ns: int
) -> None:
    laid, ends = at_work().slowed([row(0, 3, 100)], now_ns, 3.0)

    assert told(laid) == rows
    assert ends == end_ns


@pytest.mark.parametrize(
    ("now_ns", "rows", "end_ns"),
    [
        (100, [(0, 3, 150, 1.0)], 180),
        (104, [(0, 1, 100, 5.6), (1, 3, 156, 1.0)], 176),
        (110, [(0, 1, 100, 1.0), (1, 3, 150, 1.0)], 170),
        (125, [(0, 2, 100, 1.0), (2, 3, 120, 3.5)], 155),
        (130, [(0, 3, 100, 1.0)], MISSING_NS),
    ],
)
def test_nothing_goes_on_until_150(
    now_ns: int, rows: list[tuple[int, int, int, float]], end_ns: int
) -> None:
    laid, ends = at_work().held([row(0, 3, 100)], now_ns, 150)

    assert told(laid) == rows
    assert ends == end_ns


def test_rows_that_are_over_stay_and_those_behind_are_moved() -> None:
    three = [row(0, 2, 100), row(7, 8, 120, 2.0), row(9, 10, 140)]

    laid, ends = at_work().held(three, 125, 150)

    # The record at work was to end at 140: 15 of its 20 ns are left.
    assert told(laid) == [(0, 2, 100, 1.0), (7, 8, 120, 4.5), (9, 10, 165, 1.0)]
    assert ends == 175


def test_a_speed_that_changes_in_a_pause_leaves_what_the_pause_met() -> None:
    work = at_work()
    held, _ = work.held([row(0, 3, 100)], 104, 150)

    laid, ends = work.slowed(held, 120, 2.0)

    assert told(laid) == [(0, 1, 100, 5.6), (1, 3, 156, 2.0)]
    assert ends == 196


def test_a_pause_for_good_ends_later_than_any_run() -> None:
    work = at_work()

    (met, rest), ends = work.held([row(0, 3, 100)], 104, FOREVER_NS)

    # A factor is a double: 53 bits of the 62 that forever has.
    assert work.ends_ns(met, 1) == pytest.approx(FOREVER_NS)
    assert rest.started_ns >= FOREVER_NS
    assert ends < 2**63


def test_a_record_is_processed_when_its_work_ends() -> None:
    work, one = at_work(), row(0, 3, 100)

    until = [work.processed_until(one, now_ns) for now_ns in (100, 109, 110, 130)]

    assert until == [0, 0, 1, 3]


def test_work_is_slowed_in_whole_nanoseconds() -> None:
    assert slowed_ns(10, 1.0) == 10
    assert slowed_ns(3, 0.5) == 2  # 1.5, half to even
