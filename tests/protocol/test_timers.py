"""Timers with keys against a table that is searched anew each time."""

from hypothesis import given
from hypothesis import strategies as st

from kafkasim.protocol.timers import Timers


def test_the_earliest_comes_first_and_is_taken_once() -> None:
    timers = Timers[str]()
    timers.schedule("b", 20, "second")
    timers.schedule("a", 10, "first")

    assert timers.next_deadline_ms == 10
    assert timers.pop_due(9) is None
    assert [timers.pop_due(20) for _ in range(3)] == ["first", "second", None]
    assert timers.next_deadline_ms is None


def test_a_timer_that_is_set_again_fires_at_its_new_time_only() -> None:
    timers = Timers[str]()
    timers.schedule("a", 10, "early")
    timers.schedule("a", 30, "late")
    assert timers.next_deadline_ms == 30
    timers.schedule("a", 20, "between")
    assert timers.deadline_ms("a") == 20
    assert [timers.pop_due(40) for _ in range(2)] == ["between", None]


def test_a_timer_that_was_stopped_never_fires() -> None:
    timers = Timers[str]()
    timers.schedule("a", 10, "never")
    timers.schedule("b", 10, "now")
    timers.cancel("a")

    assert "a" not in timers and "b" in timers and len(timers) == 1
    assert [timers.pop_due(10) for _ in range(2)] == ["now", None]
    timers.cancel("b")
    timers.schedule("c", 1, "never")
    timers.clear()
    assert timers.next_deadline_ms is None


def test_of_timers_due_at_once_the_one_set_last_comes_last() -> None:
    timers = Timers[str]()
    for key in ("a", "b", "c"):
        timers.schedule(key, 10, key)
    timers.schedule("a", 10, "a again")

    assert [timers.pop_due(10) for _ in range(3)] == ["b", "c", "a again"]


def test_to_put_timers_off_for_ever_does_not_fill_the_heap() -> None:
    timers = Timers[int]()
    for now_ms in range(0, 100_000, 10):
        timers.schedule(now_ms % 30, now_ms + 45_000, now_ms)
        timers.schedule("nearer", 1_000_000 - now_ms, now_ms)
        timers.schedule(("once", now_ms), now_ms + 1_000, now_ms)
        timers.cancel(("once", now_ms))

    assert len(timers) == 4
    assert len(timers._heap) < 100


STEPS = st.tuples(
    st.sampled_from(["schedule", "schedule", "cancel", "pop"]),
    st.integers(0, 4),
    st.integers(0, 20),
)


@given(st.lists(STEPS, max_size=60))
def test_it_does_what_a_table_does(steps: list[tuple[str, int, int]]) -> None:
    timers = Timers[int]()
    table: dict[int, tuple[int, int]] = {}
    for number, (kind, key, at_ms) in enumerate(steps):
        if kind == "schedule":
            timers.schedule(key, at_ms, number)
            table[key] = (at_ms, number)
        elif kind == "cancel":
            timers.cancel(key)
            table.pop(key, None)
        else:
            earliest = min(table, key=table.__getitem__, default=None)
            if earliest is None or table[earliest][0] > at_ms:
                expected = None
            else:
                expected = table.pop(earliest)[1]
            assert timers.pop_due(at_ms) == expected
        assert timers.next_deadline_ms == min(
            (at for at, _ in table.values()), default=None
        )
        assert len(timers) == len(table)
