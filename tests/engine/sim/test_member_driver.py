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
        network: Any = SimpleNamespace(
            on_ready=[], on_disconnect=[], at=lambda at_ns, _: self.at.append(at_ns)
        )
        nothing: Callable[..., Any] = lambda *_: None  # noqa: E731
        self.driver = MemberDriver(
            0,
            network,
            DriverCalls(
                now_ns=lambda: now_ns, next_request_id=lambda: 0, write_request=nothing,
                received=nothing, do=nothing, reads=lambda: True,
                stands_still=lambda: False, on_news=nothing,
            ),
        )  # fmt: skip
        machine: Any = SimpleNamespace(handle_timeout=lambda _: [], **wants)
        self.driver.start(machine)


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
