"""The replica placer against what the real one placed, and its rules one by one."""

import pickle
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.protocol.cluster.placement import (
    PlacementError,
    UsableBroker,
    check_assignment,
    place_replicas,
)
from kafkasim.protocol.producing.partitioner import Draws


class JavaRandom:
    """`next(31)` of a `java.util.Random`, by index (its linear congruence, 48 bits)."""

    def __init__(self, seed: int) -> None:
        self._state = (seed ^ 0x5DEECE66D) & ((1 << 48) - 1)
        self._values: list[int] = []

    def __getitem__(self, index: int, /) -> int:
        while index >= len(self._values):
            self._state = (self._state * 0x5DEECE66D + 11) & ((1 << 48) - 1)
            self._values.append(self._state >> 17)
        return self._values[index]


class Listed:
    """Draws that are written down."""

    def __init__(self, *values: int) -> None:
        self._values = values

    def __getitem__(self, index: int, /) -> int:
        return self._values[index]


def plain(count: int) -> list[UsableBroker]:
    return [UsableBroker(node) for node in range(count)]


RACKS = [UsableBroker(node, "abc"[node // 2]) for node in range(6)]


@pytest.mark.parametrize(
    ("brokers", "replication_factor", "expected"),
    [
        (
            plain(3),
            3,
            [[0, 1, 2], [1, 2, 0], [2, 0, 1], [1, 2, 0], [2, 0, 1], [0, 1, 2]],
        ),
        (plain(5), 3, [[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 0], [4, 0, 1]]),
        (RACKS, 3, [[0, 2, 4], [3, 5, 1], [4, 0, 2], [1, 3, 5], [2, 4, 0], [5, 1, 3]]),
        (plain(1), 1, [[0], [0], [0], [0]]),
    ],
    ids=["P1", "P1c", "P4", "P9"],
)
def test_without_draws_the_real_placer_placed_these(
    brokers: list[UsableBroker], replication_factor: int, expected: list[list[int]]
) -> None:
    placed = place_replicas(brokers, len(expected), replication_factor)

    assert [list(replicas) for replicas in placed] == expected


@pytest.mark.parametrize(
    ("seed", "brokers", "expected"),
    [
        (
            0,
            plain(3),
            "012 120 201 021 210 102 201 012",
        ),
        (
            1,
            plain(3),
            "012 120 201 201 012 120 021 210",
        ),
        (
            0,
            plain(5),
            "012 123 234 340 401 103 032 324 241 410",
        ),
        (
            0,
            RACKS,
            "413 025 341 502 134 250 421 305",
        ),
    ],
    ids=["P2 seed 0", "P2 seed 1", "P3", "P5"],
)
def test_with_the_draws_of_a_seed_the_real_placer_placed_these(
    seed: int, brokers: list[UsableBroker], expected: str
) -> None:
    lists = expected.split()
    placed = place_replicas(brokers, len(lists), 3, JavaRandom(seed))

    assert ["".join(map(str, replicas)) for replicas in placed] == lists


def test_a_fenced_broker_never_leads_and_follows_only_where_it_must() -> None:
    brokers = [UsableBroker(node, fenced=node == 1) for node in range(4)]

    assert place_replicas(brokers, 3, 3) == [(0, 2, 3), (2, 3, 0), (3, 0, 2)]
    assert place_replicas(brokers, 3, 4) == [(0, 2, 3, 1), (2, 3, 0, 1), (3, 0, 2, 1)]


def test_a_fenced_broker_comes_after_its_rack_s_unfenced_ones() -> None:
    brokers = [
        UsableBroker(0, "a"),
        UsableBroker(1, "b", fenced=True),
        UsableBroker(2, "b"),
    ]

    assert place_replicas(brokers, 1, 3) == [(0, 2, 1)]


def test_a_rack_without_an_unfenced_broker_is_passed_over_for_the_leader() -> None:
    brokers = [UsableBroker(0, "a", fenced=True), UsableBroker(1, "b")]

    assert place_replicas(brokers, 2, 2) == [(1, 0), (1, 0)]


def test_brokers_without_a_rack_form_the_first_one() -> None:
    brokers = [UsableBroker(0, "a"), UsableBroker(1), UsableBroker(2)]

    assert place_replicas(brokers, 2, 2) == [(1, 0), (0, 2)]


def test_a_single_unfenced_broker_is_not_dealt_anew() -> None:
    brokers = [UsableBroker(0), UsableBroker(1, fenced=True)]

    assert place_replicas(brokers, 3, 2) == [(0, 1)] * 3


@pytest.mark.parametrize("replication_factor", [0, -1, 4])
def test_a_replication_factor_that_brokers_cannot_carry_is_refused(
    replication_factor: int,
) -> None:
    with pytest.raises(PlacementError) as refused:
        place_replicas(plain(3), 1, replication_factor)

    assert refused.value.code == "INVALID_REPLICATION_FACTOR"
    assert pickle.loads(pickle.dumps(refused.value)).text == refused.value.text


def test_fenced_brokers_count_for_the_factor_but_one_must_be_unfenced() -> None:
    half = [UsableBroker(0), UsableBroker(1, fenced=True)]

    assert place_replicas(half, 1, 2) == [(0, 1)]
    with pytest.raises(PlacementError, match="no broker is unfenced"):
        place_replicas([UsableBroker(0, fenced=True)], 1, 1)


def test_racks_draw_their_start_in_the_order_of_a_java_hash_map() -> None:
    # Hash 81 of "Q" is in bucket 1 of 16, hash 98 of "b" in bucket 2. Each rack draws
    # once, the list of racks last.
    brokers = [UsableBroker(node, "b") for node in range(2)]
    brokers += [UsableBroker(node, "Q") for node in range(2, 4)]
    high, low = (1 << 31) - 1, 0

    assert place_replicas(brokers, 1, 2, Listed(high, low, low)) == [(3, 0)]
    assert place_replicas(brokers, 1, 2, Listed(low, high, low)) == [(2, 1)]
    assert place_replicas(brokers, 1, 2, Listed(low, low, high)) == [(0, 2)]


def test_a_draw_from_the_ragged_end_is_drawn_again() -> None:
    brokers = plain(3)  # 2^31 is 2 mod 3: the last two draws would favour 0 and 1

    assert place_replicas(brokers, 1, 1, Listed((1 << 31) - 1, 5, 0)) == [(2,)]
    assert place_replicas(brokers, 1, 1, Listed((1 << 31) - 3, 0)) == [(2,)]


@pytest.mark.parametrize(
    ("replicas", "text"),
    [
        ((), "needs a replica"),
        ((0, 7), "no broker 7"),
        ((1, 1), "named twice"),
        ((0, 1, 2), "the other partitions have 2"),
    ],
)
def test_an_assignment_by_hand_is_checked(replicas: tuple[int, ...], text: str) -> None:
    with pytest.raises(PlacementError, match=text) as refused:
        check_assignment(replicas, range(3), 2)

    assert refused.value.code == "INVALID_REPLICA_ASSIGNMENT"
    check_assignment((2, 0), range(3), 2)


racked = st.lists(
    st.tuples(st.sampled_from([None, "a", "b", "c"]), st.booleans()),
    min_size=1,
    max_size=8,
).filter(lambda brokers: not all(fenced for _, fenced in brokers))


@given(brokers=racked, data=st.data(), seed=st.integers(0, 99))
def test_replicas_differ_leaders_are_unfenced_and_racks_are_spread(
    brokers: list[tuple[str | None, bool]], data: st.DataObject, seed: int
) -> None:
    usable = [UsableBroker(i, *broker) for i, broker in enumerate(brokers)]
    factor = data.draw(st.integers(1, len(usable)))
    rack_sizes = Counter(broker.rack for broker in usable)

    for replicas in place_replicas(
        usable, 12, factor, Draws(np.random.default_rng(seed))
    ):
        assert len(set(replicas)) == len(replicas) == factor
        assert not usable[replicas[0]].fenced
        in_racks = Counter(usable[node].rack for node in replicas)
        if factor <= len(rack_sizes):
            assert max(in_racks.values()) == 1
        for rack, count in rack_sizes.items():  # a rack is left out only when empty
            missing = count - in_racks[rack]
            assert missing == 0 or in_racks[rack] >= max(in_racks.values()) - 1


@given(count=st.integers(2, 6), rounds=st.integers(1, 4), seed=st.integers(0, 99))
def test_every_broker_leads_once_before_one_leads_again(
    count: int, rounds: int, seed: int
) -> None:
    placed = place_replicas(
        plain(count), count * rounds, 1, Draws(np.random.default_rng(seed))
    )

    for lo in range(0, count * rounds, count):
        leaders = [replicas[0] for replicas in placed[lo : lo + count]]
        assert sorted(leaders) == list(range(count))
