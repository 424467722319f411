"""Who joins the ISR, who leaves it, and what counts meanwhile; node 0 leads."""

import pytest

from kafkasim.protocol.errors import (
    INELIGIBLE_REPLICA,
    INVALID_UPDATE_VERSION,
    NOT_CONTROLLER,
)
from tests.protocol.cluster.leaders import S, leader


def test_a_follower_joins_when_it_has_all_that_is_committed() -> None:
    state = leader(isr=(0, 1), high_watermark=0)
    state.fetched(1, 6, 1 * S)
    assert state.high_watermark == 6

    state.fetched(2, 5, 1 * S)
    assert state.wants is None
    state.fetched(2, 6, 1 * S)
    assert state.wants == (0, 1, 2)


def test_a_follower_joins_when_it_reaches_the_start_of_the_epoch() -> None:
    state = leader(isr=(0, 1), high_watermark=2, epoch_start=8)

    state.fetched(2, 7, 1 * S)
    assert state.wants is None
    state.fetched(2, 8, 2 * S)
    assert state.wants == (0, 1, 2)


def test_a_follower_that_the_controller_would_refuse_does_not_ask_to_join() -> None:
    state = leader(isr=(0, 1))

    state.fetched(2, 10, 1 * S, eligible=False)
    assert state.wants is None
    state.fetched(2, 10, 2 * S)
    assert state.ask() == (0, 1, 2)


def test_who_is_about_to_join_counts_at_once() -> None:
    state = leader(isr=(0, 1), log_end=20)
    state.fetched(1, 5, 1 * S)
    state.fetched(2, 5, 1 * S)  # joins, and was never caught up

    assert state.maximal_isr == (0, 1, 2)
    assert not state.fetched(1, 20, 2 * S)
    assert state.ask() == (0, 1, 2)
    assert state.maximal_isr == (0, 1, 2)
    assert state.isr == (0, 1)
    assert not state.appended(21, 3 * S)
    assert state.high_watermark == 5


def test_who_joins_counts_before_the_same_fetch_moves_the_high_watermark() -> None:
    state = leader(isr=(0, 1), high_watermark=10)
    state.fetched(2, 10, 1 * S, eligible=False)
    state.eligibility(2, eligible=True)  # from now on it is waited for, while in sync
    state.appended(20, 2 * S)
    assert not state.fetched(1, 20, 3 * S)

    assert state.fetched(2, 15, 40 * S)  # last caught up at 1 s, but now it joins
    assert state.maximal_isr == (0, 1, 2)
    assert state.high_watermark == 15


def test_who_is_about_to_leave_counts_until_the_controller_says_so() -> None:
    state = leader(isr=(0, 1, 2))
    state.fetched(1, 10, 1 * S)
    state.fetched(2, 4, 1 * S)
    state.fetched(1, 10, 31 * S)
    assert state.shrinkable(31 * S)
    assert state.ask() == (0, 1)

    assert 2 in state.maximal_isr
    assert not state.appended(12, 32 * S)
    assert not state.fetched(1, 12, 32 * S)
    assert state.high_watermark == 4

    assert state.altered((0, 1), 8, 33 * S)
    assert 2 not in state.maximal_isr
    assert state.high_watermark == 12


def test_one_change_is_under_way_at_a_time() -> None:
    state = leader(isr=(0, 1), replicas=(0, 1, 2, 3), log_end=10)
    state.fetched(2, 10, 1 * S)
    assert state.ask() == (0, 1, 2)

    state.fetched(3, 10, 1 * S)
    assert state.wants is None
    assert not state.shrinkable(100 * S)  # member 1 never fetched
    with pytest.raises(ValueError, match="no other ISR"):
        state.ask()

    state.altered((0, 1, 2), 8, 100 * S)
    assert state.shrinkable(100 * S)
    assert state.wants == (0, 2)


def test_a_change_that_is_wanted_and_not_yet_asked_for_is_the_one() -> None:
    state = leader(isr=(0, 1), replicas=(0, 1, 2, 3), log_end=10)
    state.fetched(2, 10, 1 * S)
    state.fetched(3, 10, 1 * S)

    assert state.wants == (0, 1, 2)
    assert not state.shrinkable(100 * S)


def test_an_isr_older_than_the_one_known_is_passed_over() -> None:
    state = leader(isr=(0,), high_watermark=10)
    state.fetched(1, 10, 1 * S)
    state.ask()

    assert not state.altered((0, 2), 6, 2 * S)
    assert state.isr == (0,)
    assert 1 in state.maximal_isr
    state.altered((0,), 7, 2 * S)  # as old as the one known: it settles what is pending
    assert 1 not in state.maximal_isr
    state.altered((0, 1), 8, 2 * S)
    assert state.maximal_isr == (0, 1)
    assert (state.partition_epoch, state.leader_epoch) == (8, 3)


def test_what_the_controller_changes_by_itself_settles_what_is_pending() -> None:
    state = leader(isr=(0, 1), log_end=10, high_watermark=10)
    state.fetched(1, 10, 1 * S)
    state.fetched(2, 10, 1 * S)
    assert state.ask() == (0, 1, 2)
    state.appended(15, 2 * S)
    state.fetched(1, 15, 2 * S)

    state.eligibility(2, eligible=False)
    assert state.altered((0, 1), 8, 3 * S)
    assert state.altering is None
    assert state.maximal_isr == (0, 1)
    assert state.high_watermark == 15


def test_a_refused_member_counts_no_more_and_may_ask_again() -> None:
    state = leader(isr=(0,), high_watermark=10)
    state.fetched(1, 10, 1 * S)
    state.ask()

    state.refused(INELIGIBLE_REPLICA, retry=False)
    assert state.maximal_isr == (0,)
    state.eligibility(1, eligible=False)
    assert state.appended(12, 2 * S)

    state.fetched(1, 12, 3 * S)
    assert state.wants == (0, 1)


@pytest.mark.parametrize(
    ("error", "retry"), [(INVALID_UPDATE_VERSION, False), (NOT_CONTROLLER, True)]
)
def test_after_an_error_that_leaves_it_open_the_change_stays_pending(
    error: int, *, retry: bool
) -> None:
    state = leader(isr=(0,), high_watermark=10)
    state.fetched(1, 10, 1 * S)
    state.ask()

    state.refused(error, retry=retry)
    assert state.altering == (0, 1)
    assert not state.appended(12, 100 * S)
    assert state.high_watermark == 10
