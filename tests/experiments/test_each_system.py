"""One traffic through several systems."""

from dataclasses import replace
from typing import Any

import pytest

from kafkasim.errors import ValidationError
from kafkasim.experiments import each_system
from kafkasim.experiments.each_system import SystemFor, run_each
from kafkasim.scenario.applicability import NOT_REACHED
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.events import Crash
from kafkasim.scenario.many_to_many import many_to_many
from kafkasim.scenario.pipelines import PointToPoint, Relay
from kafkasim.scenario.rabbitmq import RabbitMQ
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


def test_an_event_after_the_end_is_told_of_as_not_reached_in_every_system() -> None:
    systems = SYSTEMS | {
        "queues": PointToPoint(mode="asynchronous"),
        "relay": Relay(),
        "RabbitMQ": RabbitMQ(),
    }
    late = replace(CRASH, at_s=30.0)
    results = run_each(TRAFFIC, systems, events=[late, CRASH])

    for result in results.values():
        done = result.events
        assert done["at_ms"].tolist() == [100.0, 30_000.0]
        assert done["until_ms"].isna().tolist() == [False, True]
        reached = [not text.startswith(NOT_REACHED) for text in done["effect"]]
        assert reached == [True, False]
    calm = run_each(TRAFFIC, systems)
    late_only = run_each(TRAFFIC, systems, events=[late])
    for name, result in late_only.items():
        mine, digests = calm[name].digests, result.digests
        assert {table for table in mine if mine[table] != digests[table]} == {"events"}


def test_events_may_befall_one_of_them() -> None:
    results = run_each(TRAFFIC, SYSTEMS, events={"direct": [CRASH]})

    assert [len(each.columns("events")) for each in results.values()] == [1, 0]


@pytest.mark.parametrize(
    ("systems", "events", "told"),
    [
        ({}, (), r"^systems: .* at least one system"),
        ([Kafka()], (), r"^systems: .* by its name"),
        ({"a": Kafka}, (), r"^systems\.a: .* such as Kafka\(\)"),
        (SYSTEMS, {"kafka": [CRASH]}, "^events: 'kafka' .* one of direct, Kafka"),
        (SYSTEMS, CRASH, "^events: .* a list of events"),
        (SYSTEMS, [Crash("broker:1", at_s=0.1)], r"^events\.0\.target: 'broker:1'"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_runs(
    systems: Any,  # noqa: ANN401 - wrong ones, too
    events: Any,  # noqa: ANN401
    told: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(each_system, "run", lambda *_, **__: pytest.fail("it ran"))
    with pytest.raises(ValidationError, match=told):
        run_each(TRAFFIC, systems, events=events)
