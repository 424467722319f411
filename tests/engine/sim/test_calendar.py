"""The calendar: order at one time, SimPy's own code, and whole nanoseconds."""

import pytest
import simpy

from kafkasim.engine.sim.calendar import (
    ACTOR_BITS,
    Calendar,
    CheckedCalendar,
    Rank,
    key_base,
)
from kafkasim.errors import RunError


def test_at_one_time_ranks_go_before_actors_and_actors_before_order_of_entry() -> None:
    calendar = Calendar()
    log: list[str] = []
    calendar.at(5, key_base(Rank.WAKE, 1), log.append, "wake 1")
    calendar.at(5, key_base(Rank.ARRIVAL, 2), log.append, "arrival 2")
    calendar.at(5, key_base(Rank.ARRIVAL, 1) + 1, log.append, "arrival 1 second")
    calendar.at(5, key_base(Rank.ARRIVAL, 1), log.append, "arrival 1 first")
    calendar.at(5, key_base(Rank.COMMAND, 9), log.append, "command")
    calendar.at(4, key_base(Rank.WAKE, 9), log.append, "earlier")
    calendar.run_entries(10)
    assert log == [
        "earlier",
        "command",
        "arrival 1 first",
        "arrival 1 second",
        "arrival 2",
        "wake 1",
    ]


def test_simpy_events_come_last_at_their_time_in_order_of_scheduling() -> None:
    calendar = Calendar()
    log: list[object] = []

    def process(name: str) -> "simpy.events.ProcessGenerator":
        yield calendar.timeout(5)
        log.append(name)

    calendar.process(process("first"))
    calendar.process(process("second"))
    calendar.at(5, key_base(Rank.WAKE, 1), log.append, "entry")
    calendar.run()
    assert log == ["entry", "first", "second"]


def test_run_entries_stops_at_its_end_and_runs_what_stands_there() -> None:
    calendar = Calendar()
    log: list[int] = []
    for time in (1, 2, 3):
        calendar.at(time, key_base(Rank.TIMER, 0) + time, log.append, time)
    calendar.run_entries(2)
    assert log == [1, 2]
    assert calendar.now_ns == 2
    assert calendar.entry_count == 2


def test_stop_ends_the_run_after_the_entry_that_called_it() -> None:
    calendar = Calendar()
    log: list[int] = []
    calendar.at(1, 1, lambda _: calendar.stop(), None)
    calendar.at(2, 2, log.append, 2)
    calendar.run_entries(10)
    assert log == []
    assert calendar.now_ns == 1


def test_a_run_that_was_stopped_leaves_its_end_to_the_next() -> None:
    calendar = Calendar()
    log: list[int] = []
    calendar.at(1, 1, lambda _: calendar.stop(), None)
    calendar.at(5, 2, log.append, 5)
    calendar.run_entries(3)
    assert calendar.pending() == [5]
    calendar.run_entries(10)
    assert log == [5]
    assert calendar.entry_count == 2


def test_the_clock_goes_to_the_end_when_nothing_is_left() -> None:
    calendar = Calendar()
    calendar.at(1, 1, print, "")
    calendar.run_entries(10)
    assert calendar.now_ns == 10
    assert calendar.entry_count == 1
    assert calendar.pending() == []


def test_an_entry_for_now_must_rank_higher_than_the_one_that_runs() -> None:
    calendar = CheckedCalendar()

    def goes_back(_: object) -> None:
        calendar.at(1, key_base(Rank.TIMER, 0), print, None)

    calendar.at(1, key_base(Rank.SERVICE, 0), goes_back, None)
    with pytest.raises(AssertionError, match="goes back"):
        calendar.run_entries(10)


def test_simpys_resources_stores_and_conditions_run_unchanged() -> None:
    env = Calendar()
    log: list[tuple[int, str]] = []
    desk = simpy.Resource(env, capacity=1)
    box: simpy.Store = simpy.Store(env)

    def customer(name: str, comes: int) -> "simpy.events.ProcessGenerator":
        yield env.timeout(comes)
        with desk.request() as turn:
            yield turn
            yield env.timeout(10)
        log.append((env.now, name))
        yield box.put(name)

    def collector() -> "simpy.events.ProcessGenerator":
        first = yield box.get()
        both = yield box.get() & env.timeout(100)
        log.append((env.now, f"{first} and {next(iter(both.values()))}"))

    env.process(customer("a", 1))
    env.process(customer("b", 2))
    env.process(collector())
    env.run()
    assert log == [(11, "a"), (21, "b"), (111, "a and b")]


def test_run_until_a_time_and_until_an_event() -> None:
    env = Calendar()
    done = env.timeout(7, value="seven")
    env.timeout(50)
    assert env.run(until=done) == "seven"
    env.run(until=20)
    assert env.now == 20
    with pytest.raises(ValueError, match="must be after now"):
        env.run(until=20)


def test_a_failing_process_raises_its_error() -> None:
    env = Calendar()

    def fails() -> "simpy.events.ProcessGenerator":
        yield env.timeout(1)
        raise KeyError("gone")

    env.process(fails())
    with pytest.raises(KeyError, match="gone"):
        env.run()


def test_an_interrupt_reaches_its_process() -> None:
    env = Calendar()
    log: list[tuple[int, object]] = []

    def sleeper() -> "simpy.events.ProcessGenerator":
        try:
            yield env.timeout(100)
        except simpy.Interrupt as interrupt:
            log.append((env.now, interrupt.cause))

    def waker(sleeping: simpy.Process) -> "simpy.events.ProcessGenerator":
        yield env.timeout(3)
        sleeping.interrupt("up")

    env.process(waker(env.process(sleeper())))
    env.run()
    assert log == [(3, "up")]


def test_a_delay_that_is_not_a_whole_nanosecond_is_refused() -> None:
    env = Calendar()
    with pytest.raises(RunError, match=r"use env\.ms"):
        env.timeout(0.5)
    assert env.ms(0.0000015) == 2


def test_an_event_that_never_comes_is_reported() -> None:
    env = Calendar()
    with pytest.raises(RuntimeError, match="nothing is left to run"):
        env.run(until=env.event())


def test_an_actor_number_must_fit_its_bits() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        key_base(Rank.TIMER, 1 << ACTOR_BITS)
