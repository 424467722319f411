"""The hub of a relay, by hand: its threads, its card, and what befalls it."""

import pytest

from kafkasim.engine.sim.run import run
from kafkasim.scenario.events import Crash, Lose, Pause, Slow
from kafkasim.scenario.hardware import Cpu, Hardware, Link
from kafkasim.scenario.pipelines import Relay
from tests.engine.sim.systems.pipes import (
    SERVED,
    ends,
    of,
    ran,
    times,
    world,
)


def relay(**settings: object) -> Relay:
    """Return a hub that takes 1 ms for a request; it tries again after 5 ms."""
    usual = {"hardware": SERVED, "retry_backoff_ms": 5.0}
    return Relay(**usual | settings)  # type: ignore[arg-type]


def test_pushes_share_the_threads_of_the_hub() -> None:
    result = ran(world(relay(threads=1), count=1))

    assert of(result, "a", "fetched_ns") == [4]
    assert of(result, "b", "fetched_ns") == [5]


def test_a_hub_that_crashes_loses_what_it_has_acknowledged() -> None:
    crash = Crash("hub", at_s=0.011, for_s=0.010)
    scenario = world(relay(prefetch=1), crash, works_ms={"b": 4.0})
    result = ran(scenario)

    # Acknowledged at 3, 6 and 9. The first is done at 9; the second was pushed when
    # its answer came, and the third is lost in the queue.
    assert times(result, "acked") == [3, 6, 9]
    assert ends(result, "b")[0] == "once"
    assert ends(result, "b")[2] == "lost"
    drops = result.table("drops")
    assert set(drops["at_ms"]) == {11}
    assert set(drops["cause"]) == {"hub crashed"}


def test_what_the_hub_had_not_acknowledged_is_sent_again() -> None:
    crash = Crash("hub", at_s=0.0015, for_s=0.010)
    result = ran(world(relay(), crash, count=1))

    # It had the record for half of its 1 ms. Word is there at 2.5; tries at 7.5
    # (refused) and at 19.5: connected at 21.5.
    assert times(result, "acked") == [24.5]
    assert ends(result, "b") == ["once"]
    assert result.table("records")["send_count"].tolist() == [2]


def test_an_answer_of_the_hub_that_is_lost_makes_duplicates_for_all() -> None:
    lose = Lose("link:hub->web", at_s=0, for_s=0.004)
    result = ran(world(relay(), lose, count=1))

    assert ends(result, "a") == ends(result, "b") == ["duplicated"]
    deliveries = result.table("deliveries")
    assert sorted(deliveries["delivery_count"]) == [1, 1, 2, 2]


def test_the_hub_may_stand_still_and_be_slow() -> None:
    pause = Pause("hub", at_s=0.0015, for_s=0.010)
    result = ran(world(relay(), pause, count=1))
    assert times(result, "acked") == [13]

    slow = Slow("hub", at_s=0.0, factor=3.0)
    result = ran(world(relay(), slow, count=1))
    assert times(result, "acked") == [5]


def test_the_hub_is_measured() -> None:
    scenario = world(relay(threads=1), count=1)
    table = run(scenario, resources=True).table("resources")

    hub = table[(table["resource"] == "hub") & (table["kind"] == "cpu")]
    # One request and two pushes of 1 ms each, in a run of 10 ms.
    assert hub["busy_share"].tolist() == pytest.approx([0.3], rel=0.2)


def test_the_card_of_the_hub_is_shared() -> None:
    slow = Hardware(
        link=Link(delay_ms=1.0, bandwidth_mb_per_s=0.1),
        cpu=Cpu(request_ms=0.0, mb_ms=0.0),
    )
    result = ran(world(relay(hardware=slow), count=1))

    # 100 bytes take 1 ms of it: at the hub at 2, and pushed one after the other.
    assert of(result, "a", "fetched_ns") == [4]
    assert of(result, "b", "fetched_ns") == [5]
