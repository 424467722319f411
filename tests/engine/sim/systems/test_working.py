"""Subscribers to which requests come, by hand."""

from kafkasim.scenario.events import Crash, Pause
from kafkasim.scenario.pipelines import PointToPoint
from tests.engine.sim.systems.pipes import PLAIN, ends, of, ran, times, world


def queued(**settings: object) -> PointToPoint:
    """Return asynchronous pipelines; they try again after 5 ms, 10 ms, …."""
    usual = {"hardware": PLAIN, "retry_backoff_ms": 5.0}
    return PointToPoint(mode="asynchronous", **usual | settings)  # type: ignore[arg-type]


def test_who_was_down_is_tried_again_and_works_anew() -> None:
    crash = Crash("subscriber:b", at_s=0.003, for_s=0.010)
    result = ran(world(queued(), crash, count=1))

    # Word of the crash is there at 4; tries at 9 (refused at 11) and, 10 ms later, at
    # 21: it is asked at 22, connected at 23, gets the record at 24.
    assert of(result, "b", "fetched_ns") == [1, 24]
    assert of(result, "b")[1] == 28
    table = result.table("deliveries")
    mine = table[table["subscriber"] == "b"]
    assert mine["outcome"].tolist() == ["abandoned", "processed"]
    assert mine["delivery_count"].tolist() == [1, 2]
    assert result.table("records")["send_count"].tolist() == [3]
    assert ends(result, "b") == ["once"]


def test_who_stands_still_too_long_does_it_twice() -> None:
    pause = Pause("subscriber:b", at_s=0.002, for_s=0.040)
    result = ran(world(queued(timeout_ms=25.0), pause, count=1))

    # No answer by 25: again at 30, at b at 33. It had 1 of 4 ms and ends at 45, then
    # does what came meanwhile.
    assert of(result, "b") == [45, 49]
    assert times(result, "acked") == [50]
    assert ends(result, "b") == ["duplicated"]
