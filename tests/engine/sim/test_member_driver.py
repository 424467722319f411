"""When a machine is looked at again, with literal times; the machines are stubs."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from kafkasim.engine.sim.member_driver import DriverCalls, MemberDriver

MS = 1_000_000


class Looked:
    """A driver at a time, whose machine wants something, and when it is called."""

    def __init__(self, now_ns: int, **wants_ms: int | None) -> None:
        self.at: list[int] = []
        self.news = 0
        wants = {"polls_again_ms": None, "next_deadline_ms": None} | wants_ms
        self.calls: list[tuple[int, Callable[[object], None]]] = []
        network: Any = SimpleNamespace(on_ready=[], on_disconnect=[], at=self._set)
        nothing: Callable[..., Any] = lambda *_: None  # noqa: E731
        self.driver = MemberDriver(
            0,
            network,
            DriverCalls(
                now_ns=lambda: now_ns, next_request_id=lambda: 0, write_request=nothing,
                received=nothing, do=nothing, reads=lambda: True,
                stands_still=lambda: False, on_news=self._hear,
            ),
        )  # fmt: skip
        self.machine: Any = SimpleNamespace(handle_timeout=lambda _: [], **wants)
        self.driver.start(self.machine)

    def _set(self, at_ns: int, call: Callable[[object], None]) -> None:
        self.at.append(at_ns)
        self.calls.append((at_ns, call))

    def _hear(self) -> None:
        self.news += 1

    def pass_ms(self, at_ms: int) -> int:
        """Let come what is set for this time; return how often that was news."""
        before = self.news
        due = [call for at_ns, call in self.calls if at_ns == at_ms * MS]
        for call in due:
            call(None)
        return self.news - before


@pytest.mark.parametrize(
    ("due_ms", "at_ms"),
    [(7, 7), (6, 6), (5, 6), (3, 6)],  # it is 5.3 ms: until 6 its clock says 5
)
def test_a_poll_begins_anew_when_the_machines_clock_says_something_else(
    due_ms: int, at_ms: int
) -> None:
    looked = Looked(5_300_000, polls_again_ms=due_ms)

    looked.driver.arm_poll()

    assert looked.at == [at_ms * MS]


@pytest.mark.parametrize(("due_ms", "at_ms"), [(7, 7), (5, 6), (3, 6)])
def test_time_passes_for_a_machine_at_the_next_millisecond_at_the_earliest(
    due_ms: int, at_ms: int
) -> None:
    looked = Looked(5_300_000, next_deadline_ms=due_ms)

    looked.driver.catch_up()

    assert looked.at == [at_ms * MS]


def test_what_is_set_already_is_not_set_again() -> None:
    looked = Looked(5_300_000, next_deadline_ms=9)

    looked.driver.catch_up()
    looked.driver.catch_up()

    assert looked.at == [9 * MS]


def test_a_poll_that_was_set_twice_for_one_moment_begins_once() -> None:
    looked = Looked(5_300_000, polls_again_ms=9)
    looked.driver.arm_poll()
    looked.machine.polls_again_ms = 7
    looked.driver.arm_poll()

    assert looked.pass_ms(7) == 1
    looked.machine.polls_again_ms = 9
    looked.driver.arm_poll()

    assert looked.at == [9 * MS, 7 * MS, 9 * MS]
    assert looked.pass_ms(9) == 1


def test_a_machine_is_looked_at_once_for_a_moment_that_was_set_twice() -> None:
    looked = Looked(5_300_000, next_deadline_ms=9)
    looked.driver.catch_up()
    looked.machine.next_deadline_ms = 7
    looked.driver.catch_up()

    looked.machine.next_deadline_ms = 9
    assert looked.pass_ms(7) == 1
    looked.machine.next_deadline_ms = None
    assert looked.pass_ms(9) == 1
