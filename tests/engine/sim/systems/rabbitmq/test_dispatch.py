"""Whom a queue hands its next message (RQ-5, RQ-6, RQ-13)."""

import pytest

from kafkasim.engine.sim.systems.rabbitmq.dispatch import Consumer, Dispatch

LAZY = pytest.mark.parametrize("lazy", [True, False])
"""As a classic queue keeps the line, and as a quorum queue does."""


def consumer_of(
    channel: int, prefetch: int = 0, priority: int = 0, *, auto_ack: bool = False
) -> Consumer:
    return Consumer(
        channel, "c", prefetch=prefetch, priority=priority, auto_ack=auto_ack
    )


def served(dispatch: Dispatch, count: int) -> list[int | None]:
    """Return the channels that get the next messages; None: nobody has credit."""
    found: list[int | None] = []
    for _ in range(count):
        consumer = dispatch.next()
        if consumer is None:
            found.append(None)
            continue
        dispatch.served(consumer)
        found.append(consumer.channel)
    return found


def dispatch_of(*consumers: Consumer, **settings: bool) -> Dispatch:
    dispatch = Dispatch(**settings)
    for consumer in consumers:
        dispatch.add(consumer)
    return dispatch


def test_consumers_get_messages_in_turn() -> None:
    dispatch = dispatch_of(consumer_of(1), consumer_of(2), consumer_of(3))

    assert served(dispatch, 7) == [1, 2, 3, 1, 2, 3, 1]


@LAZY
def test_who_has_no_credit_is_passed_over(*, lazy: bool) -> None:
    dispatch = dispatch_of(
        consumer_of(1, prefetch=1), consumer_of(2, prefetch=3), lazy=lazy
    )

    assert served(dispatch, 5) == [1, 2, 2, 2, None]


def test_a_settled_delivery_gives_credit_back() -> None:
    one, other = consumer_of(1, prefetch=1), consumer_of(2, prefetch=1)
    dispatch = dispatch_of(one, other)
    assert served(dispatch, 3) == [1, 2, None]

    dispatch.freed(other, 1)
    dispatch.freed(one, 1)

    assert served(dispatch, 3) == [2, 1, None]


def test_credit_never_exceeds_the_prefetch() -> None:
    one = consumer_of(1, prefetch=2)
    dispatch = dispatch_of(one)
    served(dispatch, 1)

    dispatch.freed(one, 5)

    assert served(dispatch, 3) == [1, 1, None]


@LAZY
def test_a_higher_priority_comes_first_until_it_is_out_of_credit(*, lazy: bool) -> None:
    high = consumer_of(2, prefetch=2, priority=10)
    dispatch = dispatch_of(consumer_of(1), high, consumer_of(3), lazy=lazy)

    assert served(dispatch, 5) == [2, 2, 1, 3, 1]

    dispatch.freed(high, 1)
    assert served(dispatch, 2) == [2, 3]


def test_a_classic_queue_keeps_the_place_of_who_acknowledges_before_its_turn() -> None:
    orders = []
    for lazy in (True, False):
        one, other = consumer_of(1, prefetch=1), consumer_of(2, prefetch=1)
        dispatch = dispatch_of(one, other, lazy=lazy)
        served(dispatch, 2)
        dispatch.freed(other, 1)
        dispatch.freed(one, 1)
        orders.append(served(dispatch, 2))

    assert orders == [[1, 2], [2, 1]]


def test_one_that_is_removed_gets_nothing_more() -> None:
    one = consumer_of(1)
    dispatch = dispatch_of(one, consumer_of(2))

    dispatch.remove(one)

    assert served(dispatch, 2) == [2, 2]


def test_the_first_that_registers_is_the_single_active_one() -> None:
    one, other = consumer_of(1, prefetch=2), consumer_of(2)
    dispatch = dispatch_of(one, other, single_active=True)

    assert served(dispatch, 3) == [1, 1, None]
    assert dispatch.active is one

    dispatch.remove(one)
    assert served(dispatch, 1) == [2]


def test_the_next_active_one_has_the_highest_priority_and_waited_longest() -> None:
    one = consumer_of(1)
    dispatch = dispatch_of(
        *(one, consumer_of(2), consumer_of(3, priority=5), consumer_of(4, priority=5)),
        single_active=True,
    )

    assert served(dispatch, 1) == [1], "a classic queue lets the active one be"

    dispatch.remove(one)
    assert served(dispatch, 1) == [3]


def test_a_higher_priority_takes_over_when_the_active_one_has_nothing_left() -> None:
    one = consumer_of(1)
    dispatch = dispatch_of(one, single_active=True, takes_over=True)
    served(dispatch, 2)
    one.unacked.update({6: 0, 7: 0})

    dispatch.add(consumer_of(2, priority=1))
    assert served(dispatch, 1) == [None], "the active one is to finish"

    del one.unacked[6]
    dispatch.freed(one, 1)
    assert served(dispatch, 1) == [None]

    del one.unacked[7]
    dispatch.freed(one, 1)
    assert served(dispatch, 2) == [2, 2]
    assert not one.quiescing


def test_a_higher_priority_takes_over_at_once_from_an_idle_one() -> None:
    dispatch = dispatch_of(
        *(consumer_of(1), consumer_of(2, priority=1), consumer_of(3, priority=1)),
        single_active=True,
        takes_over=True,
    )

    assert served(dispatch, 1) == [2]


def test_one_that_hands_over_waits_behind_its_equals() -> None:
    high = consumer_of(2, priority=1)
    dispatch = dispatch_of(
        *(consumer_of(1), consumer_of(3), high), single_active=True, takes_over=True
    )

    dispatch.remove(high)

    assert served(dispatch, 1) == [3]
    assert [one.channel for one in dispatch] == [3, 1]


def test_a_suspended_active_one_stays_active_until_it_is_passed_over() -> None:
    one = consumer_of(1)
    dispatch = dispatch_of(one, consumer_of(2), single_active=True)
    one.suspected = True

    dispatch.suspend(one)
    assert served(dispatch, 1) == [None]

    dispatch.pass_over(one)
    assert served(dispatch, 1) == [2]
