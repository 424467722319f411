"""Overtaking told in blocks, against looking at every pair."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.result.streaming_order import Overtaking, ProcessedRows, _in_order

Row = tuple[int, int, int]
"""Group, intended, ended; its place in the list is the record's row."""

ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 8), st.integers(0, 20)), max_size=25
)


def rows_of(rows: list[tuple[int, Row]]) -> ProcessedRows:
    group, intended, ended = (
        np.array([row[place] for _, row in rows], dtype=np.int64) for place in range(3)
    )
    record = np.array([number for number, _ in rows], dtype=np.int64)
    return ProcessedRows(group, intended, record, ended)


def by_pairs(rows: list[Row]) -> int:
    return sum(
        any(
            other[0] == one[0] and (other[1], m) > (one[1], n) and other[2] < one[2]
            for m, other in enumerate(rows)
        )
        for n, one in enumerate(rows)
    )


@given(ROWS, st.sets(st.integers(0, 20), max_size=6), st.integers(1, 9))
def test_the_count_is_exact_whenever_it_is_summed(
    rows: list[Row], stops: set[int], size: int
) -> None:
    overtaking = Overtaking()
    numbered = list(enumerate(rows))
    last = -1
    for until in [*sorted(stops), 100]:
        due = [each for each in numbered if last < each[1][2] <= until]
        for first in range(0, len(due), size):
            overtaking.add(rows_of(due[first : first + size]))
        overtaking.advance(until)
        last = until
    assert overtaking.records == len(rows)
    assert overtaking.overtaken == by_pairs(rows)


def test_what_is_told_early_waits_for_its_time() -> None:
    overtaking = Overtaking()
    overtaking.add(rows_of([(0, (0, 0, 50)), (1, (0, 1, 5))]))
    overtaking.advance(20)
    assert (overtaking.records, overtaking.overtaken) == (1, 0)
    overtaking.add(rows_of([(2, (0, 2, 30))]))
    overtaking.advance(60)
    assert (overtaking.records, overtaking.overtaken) == (3, 1)


def test_of_two_intended_at_one_time_the_higher_row_is_the_later() -> None:
    early, late = (7, (0, 4, 9)), (8, (0, 4, 3))
    for blocks in ([early, late],), ([late], [early]):
        overtaking = Overtaking()
        for block in blocks:
            overtaking.add(rows_of(block))
            overtaking.advance(block[0][1][2] if len(block) == 1 else 100)
        assert overtaking.overtaken == 1


@given(ROWS, st.integers(1, 2**33))
def test_groups_of_any_number_are_kept_apart(rows: list[Row], step: int) -> None:
    spread = [(group * step, at, ended) for group, at, ended in rows]
    found = rows_of(list(enumerate(spread)))
    if rows:
        expected = np.lexsort((found.record, found.intended_ns, found.group))
        assert _in_order(found).tolist() == expected.tolist()


def test_times_too_far_apart_to_be_shifted_are_ranked() -> None:
    overtaking = Overtaking()
    far = 2**61
    overtaking.add(rows_of([(0, (0, 0, far)), (1, (0, 1, 5)), (2, (9, 2, far + 1))]))
    overtaking.advance(2**62)
    assert overtaking.overtaken == 1


def test_a_broken_promise_is_an_error_and_no_wrong_number() -> None:
    overtaking = Overtaking()
    overtaking.advance(5)
    with pytest.raises(AssertionError, match="that time was over"):
        overtaking.add(rows_of([(0, (0, 0, 9)), (1, (0, 1, 5))]))
    overtaking.add(rows_of([(0, (0, 0, 6))]))
