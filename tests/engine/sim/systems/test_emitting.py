"""Sources that hand over to queues, by hand."""

from kafkasim.scenario.arrivals import ClosedLoop
from kafkasim.scenario.events import Crash
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from tests.engine.sim.systems.pipes import PLAIN, ends, of, ran, times, world


def queued(**settings: object) -> PointToPoint:
    """Return asynchronous pipelines; they try again after 5 ms, 10 ms, …."""
    usual = {"hardware": PLAIN, "retry_backoff_ms": 5.0}
    return PointToPoint(mode="asynchronous", **usual | settings)  # type: ignore[arg-type]


def test_a_full_queue_blocks_its_source_and_so_everybody() -> None:
    """PH-10: with a bounded queue that blocks, the slowest sets the pace again."""
    result = ran(world(queued(queue_events=1)))

    assert times(result, "created") == [0, 6, 12]
    assert of(result, "a") == [2, 8, 14]
    blocked = result.table("blocked")
    assert blocked[["since_ms", "until_ms"]].to_numpy().tolist() == [[2, 12]]
    assert blocked["cause"].tolist() == ["queue full"]


def test_a_full_queue_may_let_a_record_go_and_hurts_nobody_else() -> None:
    result = ran(world(queued(queue_events=1, on_full="drop"), rate_per_s=250))

    assert times(result, "created") == [0, 4, 8]
    assert of(result, "a") == [2, 6, 10]
    assert ends(result, "a") == ["once"] * 3
    assert ends(result, "b") == ["once", "not_accepted", "once"]
    assert result.table("records")["outcome"].tolist() == ["acked", "failed", "acked"]
    drops = result.table("drops")
    assert drops[["record_id", "at_ms"]].to_numpy().tolist() == [[1, 4]]
    assert drops["cause"].tolist() == ["queue full"]


def test_a_source_that_crashes_loses_what_it_holds() -> None:
    """PH-8: what is undelivered then is lost, and what is on its way is not."""
    crash = Crash("source:web", at_s=0.008, for_s=0.010)
    result = ran(world(queued(), crash, count=10))

    # b has the second record since 7; the third and the fourth are lost in memory.
    lost = ["not_accepted"] * 2
    assert ends(result, "b") == ["once", "once", *lost, *["once"] * 6]
    assert of(result, "b")[:2] == [5, 11]
    assert set(result.table("drops")["cause"]) == {"source crashed"}
    # What the world wants meanwhile is sent when it is back.
    assert times(result, "created")[4:] == [18] * 6
    assert result.table("blocked")["cause"].tolist() == ["down"]


def test_users_of_a_closed_loop_wait_for_all_answers() -> None:
    traffic = Traffic(
        {"app": Source("orders", ClosedLoop(1, think_ms=2.0), value_bytes=100)},
        {
            "a": Subscriber(["orders"], work_ms=1.0),
            "b": Subscriber(["orders"], work_ms=4.0),
        },
        duration_s=0.02,
    )
    result = ran(Scenario(traffic, queued()))

    # 6 ms for an answer, and 2 ms to think.
    assert times(result, "created") == [0, 8, 16]
    assert times(result, "acked") == [6, 14, 22]


def test_a_source_that_crashes_in_a_closed_loop_goes_on_with_its_users() -> None:
    traffic = Traffic(
        {"app": Source("orders", ClosedLoop(1, think_ms=2.0), value_bytes=100)},
        {"b": Subscriber(["orders"], work_ms=4.0)},
        duration_s=0.02,
    )
    crash = Crash("source:app", at_s=0.003, for_s=0.005)
    result = ran(Scenario(traffic, queued(), events=[crash]))

    # The first is with b then; its user thinks from 8 on. The connection is a new one.
    assert times(result, "created") == [0, 10]
    assert of(result, "b") == [5, 17]
    assert ends(result, "b") == ["once", "once"]
    assert result.table("records")["outcome"].tolist() == ["failed", "acked"]
