"""A synchronous source that crashes, or loses a connection."""

from kafkasim.engine.sim.run import run
from kafkasim.scenario.events import Crash, Lose
from kafkasim.scenario.pipelines import PointToPoint
from tests.engine.sim.systems.pipes import PLAIN, ends, of, times, world

SYSTEM = PointToPoint(hardware=PLAIN)


def test_what_is_on_its_way_when_its_source_crashes_is_worked_on() -> None:
    crash = Crash("source:web", at_s=0.003, for_s=0.010)
    result = run(world(SYSTEM, crash), check=True)

    # a has answered at 3 and b is at work; nobody hears b's answer.
    assert result.table("records")["outcome"].tolist() == ["failed", "acked", "acked"]
    assert result.table("records")["error"].tolist()[0] == "source crashed"
    assert ends(result, "a") == ends(result, "b") == ["once"] * 3
    assert times(result, "created") == [0, 13, 19]
    assert len(result.columns("drops")) == 0
    assert result.table("blocked")["cause"].tolist()[0] == "down"


def test_what_a_source_was_trying_to_send_when_it_crashes_is_lost() -> None:
    down = Crash("subscriber:b", at_s=0.003, for_s=1.0)
    crash = Crash("source:web", at_s=0.1, for_s=0.5)
    result = run(world(SYSTEM, down, crash), check=True)

    assert ends(result, "a") == ["once"] * 3
    assert ends(result, "b") == ["not_accepted", "once", "once"]
    drops = result.table("drops")
    assert drops[["record_id", "at_ms"]].to_numpy().tolist() == [[0, 100]]
    assert drops["subscriber"].tolist() == ["b"]


def test_an_answer_that_is_lost_makes_a_duplicate() -> None:
    lose = Lose("link:b->web", at_s=0, for_s=0.01)
    result = run(world(SYSTEM, lose, count=1), check=True)

    # Lost at 6, and sent again 100 ms later.
    assert of(result, "b") == [5, 111]
    assert ends(result, "b") == ["duplicated"]
    assert times(result, "acked") == [112]
    table = result.table("deliveries")
    assert table["delivery_count"][table["subscriber"] == "b"].tolist() == [1, 2]


def test_a_request_that_is_lost_makes_none() -> None:
    lose = Lose("link:web->b", at_s=0, for_s=0.01)
    result = run(world(SYSTEM, lose, count=1), check=True)

    assert of(result, "b") == [106]
    assert ends(result, "b") == ["once"]
    assert result.table("records")["send_count"].tolist() == [3]
