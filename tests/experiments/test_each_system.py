"""One traffic through several systems."""

from kafkasim.experiments.each_system import SystemFor, run_each
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.events import Crash
from kafkasim.scenario.many_to_many import many_to_many
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.systems import Kafka, Topic

TRAFFIC = many_to_many(2, 1, arrivals=Periodic(20.0), duration_s=0.5)
SYSTEMS: dict[str, SystemFor] = {
    "direct": PointToPoint(),
    "Kafka": lambda traffic: Kafka(
        topics={source.stream: Topic(2) for source in traffic.sources.values()}
    ),
}
CRASH = Crash("subscriber:subscriber-1", at_s=0.1, for_s=0.1)


def test_each_has_the_same_plan_and_a_function_makes_a_system_for_it() -> None:
    results = run_each(TRAFFIC, SYSTEMS, seed=3, events=[CRASH])

    assert list(results) == list(SYSTEMS)
    digests = {each.scenario.plan().digest for each in results.values()}
    assert len(digests) == 1
    system = results["Kafka"].scenario.system
    assert isinstance(system, Kafka)
    assert list(system.topics) == ["stream-1", "stream-2"]
    assert {len(each.columns("events")) for each in results.values()} == {1}
    assert {each.scenario.seed for each in results.values()} == {3}


def test_events_may_befall_one_of_them() -> None:
    results = run_each(TRAFFIC, SYSTEMS, events={"direct": [CRASH]})

    assert [len(each.columns("events")) for each in results.values()] == [1, 0]
