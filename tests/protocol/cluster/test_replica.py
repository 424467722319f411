"""What a leader knows of its followers; node 0 leads, offsets and times are literal."""

import pytest
from hypothesis import given

from kafkasim.protocol.cluster.replica import LeaderState
from kafkasim.protocol.errors import (
    NONE,
    NOT_ENOUGH_REPLICAS_AFTER_APPEND,
)
from tests.protocol.cluster.leader_pairs import STEPS, Pair, Step, pairs
from tests.protocol.cluster.leaders import LAG_S, S, leader


def shrunk_at_s(state: LeaderState, checks_s: range) -> int | None:
    """Return when the check that runs each half of the lag finds a laggard."""
    return next((at for at in checks_s if state.shrinkable(at * S)), None)


# The high watermark


def test_the_high_watermark_is_the_lowest_log_end_in_the_isr() -> None:
    state = leader()

    assert not state.fetched(1, 10, 1 * S)
    assert state.high_watermark == 0
    assert state.fetched(2, 4, 1 * S)
    assert state.high_watermark == 4
    assert state.fetched(2, 7, 2 * S)
    assert state.high_watermark == 7
    assert state.fetched(2, 10, 3 * S)
    assert state.high_watermark == 10
    assert state.log_ends == {0: 10, 1: 10, 2: 10}


def test_a_new_leader_hears_of_each_member_before_the_high_watermark_moves() -> None:
    state = leader(high_watermark=6)

    assert state.log_ends == {0: 10, 1: -1, 2: -1}
    assert not state.fetched(1, 8, 0)
    assert state.high_watermark == 6
    assert state.fetched(2, 9, 0)
    assert state.high_watermark == 8


def test_the_high_watermark_stays_where_a_member_fetches_from_further_back() -> None:
    state = leader(isr=(0, 1), replicas=(0, 1))
    assert state.fetched(1, 8, 1 * S)

    assert not state.fetched(1, 3, 2 * S)
    assert state.high_watermark == 8
    assert state.log_ends[1] == 3


def test_a_fetch_that_says_nothing_new_moves_nothing() -> None:
    state = leader(isr=(0, 1), replicas=(0, 1), log_end=0)
    assert not state.fetched(1, 0, 1 * S)
    assert not state.appended(5, 2 * S)
    assert not state.fetched(1, 0, 3 * S)
    assert state.high_watermark == 0


def test_a_leader_alone_in_the_isr_commits_what_it_appends() -> None:
    state = leader(isr=(0,), high_watermark=10)

    assert state.appended(15, 100 * S)
    assert state.high_watermark == 15


def test_under_min_isr_the_high_watermark_does_not_move() -> None:
    state = leader(isr=(0,), min_isr=2, high_watermark=10)

    assert state.under_min_isr
    assert not state.appended(15, 1 * S)
    assert not state.fetched(1, 15, 2 * S)  # it may join, but it has not yet
    assert state.high_watermark == 10

    assert state.ask() == (0, 1)
    assert state.altered((0, 1), 8, 3 * S)
    assert state.high_watermark == 15


def test_more_than_all_replicas_cannot_be_asked_for() -> None:
    state = leader(replicas=(0,), isr=(0,), min_isr=2, high_watermark=10)

    assert not state.under_min_isr
    assert state.appended(11, 1 * S)
    assert state.verdict(11) == NONE


def test_a_follower_that_was_caught_up_of_late_holds_the_high_watermark() -> None:
    state = leader(isr=(0,), high_watermark=10, epoch_start=12)
    state.fetched(
        1, 10, 1 * S
    )  # has all there is, but not yet what the epoch began with
    assert state.wants is None

    assert not state.appended(12, 31 * S)
    assert state.high_watermark == 10
    assert state.appended(13, 31 * S + 1)
    assert state.high_watermark == 13


def test_a_fenced_follower_does_not_hold_the_high_watermark() -> None:
    state = leader(isr=(0,), high_watermark=10)
    state.fetched(1, 10, 1 * S, eligible=False)

    assert state.wants is None
    assert state.appended(12, 2 * S)
    assert state.high_watermark == 12


def test_a_follower_that_is_fenced_lets_the_high_watermark_go_on() -> None:
    state = leader(replicas=(0, 1), isr=(0, 1), high_watermark=10)
    state.fetched(1, 10, 1 * S)
    assert not state.appended(14, 2 * S)

    state.eligibility(1, eligible=False)
    assert state.altered((0,), 8, 3 * S)
    assert state.high_watermark == 14


def test_a_follower_that_left_the_isr_holds_the_high_watermark_for_the_lag() -> None:
    state = leader(replicas=(0, 1), isr=(0, 1), high_watermark=10)
    state.fetched(1, 10, 1 * S)
    state.appended(14, 2 * S)

    assert not state.altered((0,), 8, 3 * S)
    assert not state.appended(15, 31 * S)
    assert state.appended(16, 31 * S + 1)


def test_a_follower_that_has_not_fetched_is_waited_for_only_in_the_isr() -> None:
    state = leader(replicas=(0, 1), isr=(0, 1), high_watermark=10)
    state.eligibility(1, eligible=True)
    assert not state.appended(11, 1 * S)

    assert state.altered(
        (0,), 8, 2 * S
    )  # in sync since its election at 0 s, all the same
    assert state.high_watermark == 11


def test_a_follower_outside_the_isr_is_not_waited_for_after_an_election() -> None:
    state = leader(isr=(0,), now_s=100)
    state.fetched(1, 4, 100 * S, eligible=False)
    state.eligibility(1, eligible=True)

    assert state.appended(11, 101 * S)
    assert state.high_watermark == 11


# Who is in sync


def test_a_follower_is_in_sync_until_it_was_not_caught_up_for_the_lag() -> None:
    state = leader(replicas=(0, 1), isr=(0, 1))
    state.fetched(1, 10, 5 * S)
    state.appended(11, 5 * S)

    assert not state.shrinkable(35 * S)
    assert state.shrinkable(35 * S + 1)
    assert state.wants == (0,)


def test_a_follower_that_has_all_is_in_sync_however_long_ago_it_fetched() -> None:
    state = leader(replicas=(0, 1), isr=(0, 1))
    state.fetched(1, 10, 5 * S)

    assert not state.shrinkable(500 * S)


def test_a_member_is_caught_up_when_the_leader_is_elected() -> None:
    state = leader(replicas=(0, 1), isr=(0, 1), now_s=100)

    assert not state.shrinkable(130 * S)
    assert state.shrinkable(130 * S + 1)


def test_what_a_fetch_reaches_is_held_against_the_end_at_the_fetch_before() -> None:
    state = leader(replicas=(0, 1), isr=(0, 1))
    state.fetched(1, 9, 5 * S)  # the log ends at 10
    state.appended(20, 6 * S)
    state.fetched(1, 10, 7 * S)  # so it had caught up as of 5 s, not as of 7 s

    assert not state.shrinkable(35 * S)
    assert state.shrinkable(35 * S + 1)


def test_what_a_follower_reached_is_not_forgotten() -> None:
    state = leader(replicas=(0, 1), isr=(0, 1), now_s=20)
    state.fetched(1, 10, 5 * S)  # of a fetch before the election

    assert not state.shrinkable(50 * S)
    state.appended(11, 50 * S)
    assert not state.shrinkable(50 * S)
    assert state.shrinkable(50 * S + 1)


def test_a_fetch_behind_both_ends_catches_up_with_nothing() -> None:
    state = leader(replicas=(0, 1), isr=(0, 1))
    state.fetched(1, 8, 5 * S)
    state.fetched(1, 9, 7 * S)

    assert not state.shrinkable(30 * S)
    assert state.shrinkable(30 * S + 1)  # since the election at 0 s


def test_a_follower_just_behind_a_busy_leader_stays_in_sync() -> None:
    state = leader(replicas=(0, 1), isr=(0, 1), log_end=0)
    for at in range(1, 200):  # always one second's records behind, never at the end
        state.appended(100 * at, at * S)
        state.fetched(1, 100 * (at - 1), at * S)

        assert not state.shrinkable(at * S)
    assert state.high_watermark == 100 * 198


@pytest.mark.parametrize(
    ("caught_up_s", "leaves_s"), [(0, 45), (1, 45), (14, 45), (15, 60), (16, 60)]
)
def test_a_dead_follower_leaves_within_one_and_a_half_lags(
    caught_up_s: int, leaves_s: int
) -> None:
    state = leader(replicas=(0, 1), isr=(0, 1))
    state.fetched(1, 10, caught_up_s * S)
    state.appended(11, caught_up_s * S)

    assert shrunk_at_s(state, range(0, 100, LAG_S // 2)) == leaves_s


def test_all_laggards_leave_together_and_the_others_stay_in_order() -> None:
    state = leader(replicas=(3, 0, 2, 1), isr=(3, 0, 2, 1))
    for node in (1, 2, 3):
        state.fetched(node, 10, 1 * S)
    state.appended(11, 2 * S)
    state.fetched(2, 11, 3 * S)

    assert state.shrinkable(32 * S)
    assert state.wants == (0, 2)


def test_who_is_outside_the_isr_is_no_reason_to_shrink_it() -> None:
    state = leader(isr=(0, 1))
    state.fetched(1, 10, 1 * S)

    assert not state.shrinkable(100 * S)
    assert state.wants is None


# The answer to acks=all


def test_a_producer_that_waits_for_all_waits_for_the_high_watermark() -> None:
    state = leader(replicas=(0, 1), isr=(0, 1), min_isr=2)
    assert state.verdict(10) is None

    state.fetched(1, 9, 1 * S)
    assert state.verdict(10) is None
    assert state.verdict(9) == NONE
    state.fetched(1, 10, 2 * S)
    assert state.verdict(10) == NONE


def test_an_isr_that_fell_below_the_least_fails_what_is_committed() -> None:
    state = leader(isr=(0, 1), min_isr=2)
    state.fetched(1, 10, 1 * S)
    state.altered((0,), 8, 2 * S)

    assert state.verdict(10) == NOT_ENOUGH_REPLICAS_AFTER_APPEND
    assert state.verdict(11) is None
    state.fetched(1, 10, 3 * S)  # about to join, which counts
    assert state.verdict(10) == NONE


# The same as a plain leader, whatever happens


@given(pairs(), STEPS)
def test_a_leader_does_as_a_plain_one(pair: Pair, steps: list[Step]) -> None:
    for step in steps:
        pair.take(step)

        state, plain = pair.state, pair.plain
        assert state.high_watermark == plain.high_watermark
        assert state.isr == plain.isr
        assert (state.wants or state.altering) == plain.pending
        assert set(state.maximal_isr) == plain.maximal_isr()
        assert state.under_min_isr == plain.under_min_isr()


@given(pairs(), STEPS)
def test_the_high_watermark_never_goes_back_and_every_member_has_what_is_below(
    pair: Pair, steps: list[Step]
) -> None:
    state = pair.state
    for step in steps:
        before, held = state.high_watermark, state.under_min_isr
        pair.take(step)

        assert state.high_watermark >= before
        if held and state.under_min_isr:
            assert state.high_watermark == before
        for member in state.maximal_isr:
            end = state.log_end if member == 0 else pair.ends[member]
            assert state.high_watermark <= end
