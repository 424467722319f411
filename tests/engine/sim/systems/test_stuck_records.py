import pytest

from kafkasim.engine.sim.run import run
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import ClosedLoop, Periodic
from kafkasim.scenario.distributions import Exponential
from kafkasim.scenario.events import Event, Slow
from kafkasim.scenario.member_events import StuckRecord
from kafkasim.scenario.pipelines import PointToPoint, Relay
from kafkasim.scenario.plan import Plan
from kafkasim.scenario.rabbitmq import RabbitMQ
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, Producer, System
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

BILLING = "subscriber:billing"


def ran(*events: Event, instances: int = 1, **options: str) -> Result:
    traffic = Traffic(
        sources={"web": Source(stream="orders", arrivals=Periodic(rate_per_s=10))},
        subscribers={
            "billing": Subscriber(streams=["orders"], work_ms=1),
            "audit": Subscriber(streams=["orders"], work_ms=1),
        },
        duration_s=10,
    )
    system = Kafka(producers={"web": Producer(instances=instances)})
    scenario = Scenario(traffic, system=system, seed=1, events=events)
    return run(scenario, check=True, **options)  # type: ignore[arg-type]


def work_ms(result: Result, subscriber: str) -> dict[int, float]:
    rows = result.deliveries[result.deliveries.subscriber == subscriber]
    return dict(zip(rows.record_id, rows.ended_ms - rows.started_ms, strict=True))


@pytest.mark.parametrize("instances", [1, 3])
def test_one_record_takes_long_and_those_behind_it_wait(instances: int) -> None:
    result = ran(StuckRecord(BILLING, "web", 30, work_ms=5_000), instances=instances)

    slow = work_ms(result, "billing")
    assert slow.pop(30) == pytest.approx(5_000)
    assert max(slow.values()) == pytest.approx(1)
    assert max(work_ms(result, "audit").values()) == pytest.approx(1)
    assert len(result.deliveries) == 200
    assert list(result.events.effect) == ["work on record 30 of web takes 5000 ms"]


def test_work_that_never_ends_holds_the_rest_up_and_not_the_end_of_the_run() -> None:
    result = ran(StuckRecord(BILLING, "web", 30))

    found = result.deliveries.groupby(["subscriber", "outcome"]).size()
    assert found.to_dict() == {
        ("audit", "processed"): 100,
        ("billing", "in_flight"): 1,
        ("billing", "processed"): 30,
    }
    assert list(result.events.effect) == ["work on record 30 of web never ends"]


def test_a_record_that_is_not_sent_is_said_to_be_none() -> None:
    result = ran(StuckRecord(BILLING, "web", 100))

    assert list(result.events.effect) == ["web sends 100 records only"]
    assert len(result.deliveries) == 200


LOOPING: list[System] = [
    Kafka(),
    Kafka(producers={"web": Producer(instances=2)}),
    PointToPoint(),
    PointToPoint(mode="asynchronous"),
    Relay(),
    RabbitMQ(),
]


@pytest.mark.parametrize("system", LOOPING)
@pytest.mark.parametrize("usual", [1.0, Exponential(1.0)])
def test_a_record_of_a_closed_loop_may_be_stuck_too(
    system: System, usual: float | Exponential
) -> None:
    loop = Source("orders", ClosedLoop(outstanding=2, think_ms=20))
    subscriber = Subscriber(["orders"], work_ms=usual)
    traffic = Traffic({"web": loop}, {"billing": subscriber}, duration_s=0.2)
    scenario = Scenario(traffic, system, events=[StuckRecord(BILLING, "web", 3, 400)])
    result = run(scenario, check=True)

    took_ms = work_ms(result, "billing")
    assert took_ms.pop(3) == pytest.approx(400)
    assert max(took_ms.values()) < 20
    assert list(result.events.effect) == ["work on record 3 of web takes 400 ms"]
    assert result.violations.empty


def test_the_plan_of_a_result_is_the_worlds_whatever_got_stuck() -> None:
    result = ran(StuckRecord(BILLING, "web", 30, work_ms=5_000))

    assert isinstance(result.plan, Plan)
    assert result.plan == result.scenario.plan()
    assert run(result.scenario, plan=result.plan).digest == result.digest


def test_a_streamed_run_counts_the_same() -> None:
    event = StuckRecord(BILLING, "web", 30, work_ms=5_000)

    assert ran(event, result="streamed").digest == ran(event).digest


def test_work_that_never_ends_does_not_end_for_being_slow() -> None:
    slow = Slow(BILLING, at_s=2, factor=1_000)

    result = ran(StuckRecord(BILLING, "web", 30), slow)

    found = result.deliveries.groupby(["subscriber", "outcome"]).size()
    assert found["billing", "in_flight"] == 1
    assert found["billing", "processed"] == 30
