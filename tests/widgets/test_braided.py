import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.widgets.braided import MOST, NO_BRAID, Braid, braid_of


def braid(ended: list[int], entities: list[int], labels: str = "abc") -> Braid:
    count = len(ended)
    return braid_of(
        np.arange(count, dtype=np.int64),
        np.array(ended, dtype=np.int64),
        np.array(entities, dtype=np.int64),
        tuple(labels),
    )


def test_without_a_record_there_is_no_braid() -> None:
    made = braid([], [])

    assert made is NO_BRAID
    assert made.crossed.tolist() == []


def test_one_record_crosses_nothing() -> None:
    made = braid([5], [1])

    assert (made.entity, made.records, made.overtaken, made.pairs) == ("b", 1, 0, 0)
    assert made.places.tolist() == [0]
    assert made.crossed.tolist() == [False]


def test_the_entity_with_most_overtaken_pairs_is_chosen() -> None:
    #       a  a  a   b  b  b   c  c  c  c
    ended = [1, 3, 2, 9, 8, 7, 20, 21, 22, 23]

    made = braid(ended, [0, 0, 0, 1, 1, 1, 2, 2, 2, 2])

    assert (made.entity, made.records, made.overtaken, made.pairs) == ("b", 3, 2, 3)
    assert made.places.tolist() == [2, 1, 0]
    assert made.crossed.tolist() == [True, True, False]


def test_without_a_pair_the_one_with_most_records_then_the_first_by_name() -> None:
    assert braid([1, 2, 3], [0, 2, 2]).entity == "c"
    assert braid([1, 2, 3, 4], [0, 0, 2, 2], "zyx").entity == "x"


def test_equal_times_overtake_nobody() -> None:
    made = braid([4, 4, 4], [0, 0, 0])

    assert made.pairs == 0
    assert made.places.tolist() == [0, 1, 2]


def test_of_many_records_those_are_drawn_where_most_pairs_cross() -> None:
    count, late = 200, 100
    ended = np.arange(count) * 10
    ended[late : late + MOST] = ended[late : late + MOST][::-1]

    made = braid(ended.tolist(), [0] * count)

    assert made.first == late
    assert made.places.tolist() == list(range(MOST))[::-1]
    assert made.records == count
    assert made.overtaken == MOST - 1
    assert made.pairs == MOST * (MOST - 1) // 2


def test_of_many_records_in_order_the_first_are_drawn() -> None:
    made = braid(list(range(100)), [0] * 100)

    assert (made.first, len(made.places)) == (0, MOST)


def plain(ended: list[int]) -> tuple[int, int]:
    """Count records overtaken and pairs by looking at every pair."""
    pairs = [
        (early, late)
        for early in range(len(ended))
        for late in range(early + 1, len(ended))
        if ended[late] < ended[early]
    ]
    return len({early for early, _ in pairs}), len(pairs)


@given(st.lists(st.integers(0, 60), min_size=1, max_size=90))
def test_counts_and_window_agree_with_looking_at_every_pair(ended: list[int]) -> None:
    made = braid(ended, [0] * len(ended))

    assert (made.overtaken, made.pairs) == plain(ended)
    starts = range(max(1, len(ended) - MOST + 1))
    most = max(plain(ended[start : start + MOST])[1] for start in starts)
    drawn = ended[made.first : made.first + MOST]
    assert plain(drawn)[1] == most
    assert int(made.crossed.sum()) == plain(drawn)[0]
    assert sorted(made.places.tolist()) == list(range(len(drawn)))


@pytest.mark.parametrize("count", [MOST - 1, MOST, MOST + 1])
def test_around_the_limit_all_or_so_many_are_drawn(count: int) -> None:
    assert len(braid(list(range(count)), [0] * count).places) == min(count, MOST)
