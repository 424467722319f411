"""Point to point with queues, by hand: a source waits for nobody."""

from kafkasim.scenario.events import Crash, Lose
from kafkasim.scenario.pipelines import PointToPoint
from tests.engine.sim.systems.pipes import PLAIN, ends, of, ran, times, world


def queued(**settings: object) -> PointToPoint:
    """Return asynchronous pipelines; they try again after 5 ms, 10 ms, …."""
    usual = {"hardware": PLAIN, "retry_backoff_ms": 5.0}
    return PointToPoint(mode="asynchronous", **usual | settings)  # type: ignore[arg-type]


def test_a_source_takes_a_record_when_the_world_wants_it() -> None:
    result = ran(world(queued()))

    assert times(result, "created") == [0, 2, 4]
    # One request at a time: the next goes when the answer is there.
    assert of(result, "a") == [2, 5, 8]
    assert of(result, "b") == [5, 11, 17]
    assert times(result, "acked") == [6, 12, 18]
    assert len(result.columns("blocked")) == 0


def test_a_queue_is_bounded_in_bytes_too() -> None:
    result = ran(world(queued(queue_mb=0.000_15)))  # one record of 100 bytes

    assert times(result, "created") == [0, 6, 12]


def test_others_do_not_notice_that_one_is_down() -> None:
    crash = Crash("subscriber:b", at_s=0.003, for_s=1.0)
    calm, hurt = ran(world(queued())), ran(world(queued(), crash))

    assert of(hurt, "a") == of(calm, "a")
    assert times(hurt, "created") == times(calm, "created")


def test_an_answer_that_is_lost_makes_a_duplicate() -> None:
    lose = Lose("link:b->web", at_s=0, for_s=0.01, only="responses")
    result = ran(world(queued(), lose, count=1))

    # Done at 5, the answer breaks its connection at 6; again from 11 on.
    assert of(result, "b") == [5, 18]
    assert times(result, "acked") == [19]
    assert ends(result, "b") == ["duplicated"]


def test_a_request_that_is_lost_makes_none() -> None:
    lose = Lose("link:web->b", at_s=0, for_s=0.005)
    result = ran(world(queued(), lose, count=1))

    # Lost at 1, tried again at 6, connected at 8.
    assert of(result, "b") == [13]
    assert ends(result, "b") == ["once"]


def test_a_source_lets_go_of_what_it_has_tried_for_too_long() -> None:
    crash = Crash("subscriber:b", at_s=0)
    result = ran(world(queued(give_up_s=0.03), crash, count=1))

    # Refused at 2, 9 and 21; the next try would be at 41.
    drops = result.table("drops")
    assert drops[["record_id", "at_ms"]].to_numpy().tolist() == [[0, 41]]
    assert drops["cause"].tolist() == ["gave up"]
    assert ends(result, "b") == ["not_accepted"]
    assert ends(result, "a") == ["once"]
    assert result.table("records")["error"].tolist() == ["gave up"]
