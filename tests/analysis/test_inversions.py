"""Overtaken pairs: a case by hand, and the radix count against the dumb one."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kafkasim.analysis import inversions


def by_hand(
    intended: list[int], ended: list[int], groups: list[int]
) -> tuple[list[int], list[int]]:
    """Count overtakers and name the first, for each record, in O(n²)."""
    counts = []
    firsts = []
    for one in range(len(ended)):
        later = [
            (ended[other], intended[other], other)
            for other in range(len(ended))
            if groups[other] == groups[one]
            and (intended[other], other) > (intended[one], one)
            and ended[other] < ended[one]
        ]
        counts.append(len(later))
        firsts.append(min(later)[2] if later else -1)
    return counts, firsts


def make(
    intended: list[int], ended: list[int], groups: list[int]
) -> inversions.Sequences:
    return inversions.sequences(
        np.array(intended, dtype=np.int64),
        np.array(ended, dtype=np.int64),
        np.array(groups, dtype=np.int64),
    )


def test_five_records_over_two_partitions_give_four_overtaken_pairs() -> None:
    # Intended A B C D E; A and D wait behind others in a slow partition.
    # Processed at       7 2 3 9 4, that is B C E A D.
    # Pairs: A by B, A by C, A by E, D by E.
    five = make([0, 1, 2, 3, 4], [7, 2, 3, 9, 4], [0, 0, 0, 0, 0])
    assert inversions.overtaker_counts(five).tolist() == [3, 0, 0, 1, 0]
    assert inversions.overtaken_mask(five).tolist() == [True, False, False, True, False]
    assert inversions.first_overtakers(five).tolist() == [1, -1, -1, 4, -1]


def test_records_processed_at_the_same_time_do_not_overtake() -> None:
    tied = make([0, 1, 2], [5, 5, 5], [0, 0, 0])
    assert inversions.overtaker_counts(tied).tolist() == [0, 0, 0]
    assert not inversions.overtaken_mask(tied).any()


def test_records_of_different_groups_do_not_overtake() -> None:
    two = make([0, 1, 2, 3], [9, 1, 8, 2], [0, 1, 0, 1])
    assert inversions.overtaker_counts(two).sum() == 1
    assert two.rows[inversions.overtaken_mask(two)].tolist() == [0]


def test_records_intended_at_the_same_time_keep_the_order_given() -> None:
    same = make([4, 4], [2, 1], [0, 0])
    assert inversions.overtaker_counts(same).tolist() == [1, 0]


def test_nothing_gives_nothing() -> None:
    empty = make([], [], [])
    assert inversions.overtaker_counts(empty).tolist() == []
    assert inversions.overtaken_mask(empty).tolist() == []
    assert inversions.first_overtakers(empty).tolist() == []


def test_a_reversed_sequence_has_every_pair() -> None:
    reverse = make(list(range(1000)), list(range(1000, 0, -1)), [0] * 1000)
    assert inversions.overtaker_counts(reverse).sum() == 1000 * 999 // 2


def test_times_far_apart_in_many_groups_do_not_overflow() -> None:
    groups = [number // 2 for number in range(2000)]
    ended = [2**61 if number % 2 == 0 else 0 for number in range(2000)]
    wide = make(list(range(2000)), ended, groups)
    assert int(inversions.overtaken_mask(wide).sum()) == 1000


RECORDS = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(0, 4)), max_size=40
)


@given(RECORDS)
@settings(max_examples=200, deadline=None)
def test_the_radix_count_equals_the_dumb_count(
    records: list[tuple[int, int, int]],
) -> None:
    intended = [record[0] for record in records]
    ended = [record[1] for record in records]
    groups = [record[2] for record in records]
    counts, firsts = by_hand(intended, ended, groups)

    made = make(intended, ended, groups)
    in_rows = np.zeros(len(records), dtype=np.int64)
    in_rows[made.rows] = inversions.overtaker_counts(made)
    assert in_rows.tolist() == counts

    places = inversions.first_overtakers(made)
    named = np.full(len(records), -1)
    named[made.rows] = np.where(places >= 0, made.rows[np.maximum(places, 0)], -1)
    assert named.tolist() == firsts

    masked = np.zeros(len(records), dtype=bool)
    masked[made.rows] = inversions.overtaken_mask(made)
    assert masked.tolist() == [count > 0 for count in counts]
