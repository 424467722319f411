"""What runs without a log measure and count."""

import numpy as np
import pytest

from kafkasim.engine.sim.run import run
from kafkasim.scenario.events import Crash
from kafkasim.scenario.hardware import Hardware
from kafkasim.scenario.pipelines import PointToPoint
from tests.engine.sim.systems.pipes import PLAIN, of, ran, times, world


def queued(**settings: object) -> PointToPoint:
    """Return asynchronous pipelines; they try again after 5 ms, 10 ms, …."""
    usual = {"hardware": PLAIN, "retry_backoff_ms": 5.0}
    return PointToPoint(mode="asynchronous", **usual | settings)  # type: ignore[arg-type]


def test_with_more_in_flight_a_subscriber_has_the_next_at_hand() -> None:
    result = ran(world(queued(in_flight=2)))

    assert of(result, "b") == [5, 9, 13]
    assert result.table("links")["connection_count"].tolist() == [2, 2]


def test_a_source_holds_as_much_as_comes_in_an_outage() -> None:
    """PH-8: a buffer of r·s·T for each subscriber."""
    rate, outage_s = 1_000, 0.5
    crash = Crash("subscriber:b", at_s=0.2, for_s=outage_s)
    system = PointToPoint(
        mode="asynchronous",
        hardware=Hardware.ideal(),
        retry_backoff_ms=1.0,
        retry_backoff_max_ms=1.0,
    )
    scenario = world(
        system, crash, rate_per_s=rate, count=1_000, works_ms={"a": 0.1, "b": 0.1}
    )
    result = run(scenario, resources=True)

    table = result.table("resources")
    queues = table[table["kind"] == "queue"].groupby("resource", observed=True)
    held = queues["queue_max"]
    assert held.max()["source:web->subscriber:a"] == 1
    # A try may come 1 ms after it is back.
    assert held.max()["source:web->subscriber:b"] == pytest.approx(
        rate * outage_s, abs=2
    )


def test_the_backlog_of_an_outage_is_gone_after_its_rate_over_the_spare_one() -> None:
    """PH-9: T·λ/(μ − λ) after the outage."""
    rate, work_ms, outage_s = 100, 4.0, 0.6
    crash = Crash("subscriber:b", at_s=0.2, for_s=outage_s)
    system = PointToPoint(
        mode="asynchronous",
        hardware=Hardware.ideal(),
        retry_backoff_ms=0.5,
        retry_backoff_max_ms=0.5,
    )
    scenario = world(system, crash, rate_per_s=rate, count=200, works_ms={"b": work_ms})
    result = run(scenario)

    intended = np.array(times(result, "intended"))
    waited = np.array(of(result, "b")) - intended - work_ms
    late = np.flatnonzero((waited > 0.01) & (intended > 200))
    over_s = (intended[late[-1]] + 1e3 / rate) / 1e3 - 0.2 - outage_s
    service = 1e3 / work_ms
    expected = outage_s * rate / (service - rate)
    assert over_s == pytest.approx(expected, abs=1 / rate)
