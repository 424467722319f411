"""The life of a message: every way of the table, and no other."""

from itertools import product

import pytest

from kafkasim.engine.sim.systems.rabbitmq.lifecycle import (
    TRANSITIONS,
    IllegalTransitionError,
    Lives,
    State,
    Step,
)
from kafkasim.engine.sim.systems.rabbitmq.messages import Reason, Returned
from kafkasim.engine.sim.systems.rabbitmq.queue_messages import (
    Enqueued,
    Handed,
    LeaderChanged,
    QueueEffect,
    Removed,
    Requeued,
)

STEPS: dict[object, tuple[State, QueueEffect]] = {
    Step.ENQUEUED: (State.READY, Enqueued("q", 7, 1)),
    Step.HANDED: (
        State.UNACKED,
        Handed(
            queue="q",
            channel=1,
            consumer_tag="c",
            position=7,
            message=1,
            redelivered=False,
        ),
    ),
    **{each: (State.GONE, Removed("q", 7, 1, each)) for each in Reason},
    **{each: (State.READY, Requeued("q", 7, 7, 1, each)) for each in Returned},
}
"""Where each cause leads, and the effect that tells of it."""


def test_effects_take_the_ways_of_the_table_alone() -> None:
    for before, cause in product(State, STEPS):
        lives = Lives()
        lives.states[7] = before
        to, effect = STEPS[cause]
        if cause in TRANSITIONS.get((before, to), ()):
            lives.follow(effect)
            assert lives.states == {7: to}
        else:
            with pytest.raises(IllegalTransitionError, match=f"at 7: {before} to {to}"):
                lives.follow(effect)
            assert lives.states == {7: before}


def test_a_message_may_come_back_at_another_place() -> None:
    lives = Lives()
    lives.states[7] = State.UNACKED

    lives.follow(Requeued("q", 9, 7, 1, Returned.NACKED))

    assert lives.states == {9: State.READY}
    assert lives.count(State.READY) == 1


def test_what_is_no_message_is_passed_over() -> None:
    lives = Lives()

    lives.follow(LeaderChanged("q", 2, 1))

    assert lives.states == {}
