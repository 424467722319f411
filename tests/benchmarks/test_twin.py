"""The benchmark's twin of SimPy processes writes the engine's rows."""

import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from benchmarks.bench import scenario
from benchmarks.twin.run import run_twin
from benchmarks.twin.shares import Samples
from kafkasim.engine.sim.calendar import ACTOR_BITS, SEQUENCE_BITS
from kafkasim.engine.sim.run import run
from kafkasim.engine.sim.systems.kafka import KafkaRun
from kafkasim.scenario.distributions import Exponential
from kafkasim.scenario.events import Crash
from kafkasim.scenario.keys import NoKeys, UniformKeys
from kafkasim.scenario.scenario import Scenario

COMMITS = {
    "system.groups.audit.config.auto_commit_interval_ms": 90,
    "system.groups.billing.config.auto_commit_interval_ms": 70,
}
"""So often that members commit within a short run."""


def short(name: str, duration_s: float = 0.3) -> Scenario:
    return scenario(name).where({"traffic.duration_s": duration_s, **COMMITS})


def assert_twins(chosen: Scenario) -> None:
    plan = chosen.plan()
    engine = run(chosen, plan=plan)
    twin = run_twin(chosen, plan)

    assert len(engine.columns("batches")) > 50
    assert dict(twin.digests) == dict(engine.digests)
    assert twin.facts["end_ns"] == engine.facts["end_ns"]


@pytest.mark.parametrize("name", ["twin-100", "twin-10"])
def test_the_twin_writes_the_same_rows(name: str) -> None:
    chosen = short(name)

    assert_twins(chosen)
    assert len(run_twin(chosen, chosen.plan()).columns("commits")) > 20


CHANGES: dict[str, dict[str, Any]] = {
    "no answers": {
        "system.producers.web.config.acks": "0",
        "system.producers.web.config.enable_idempotence": False,
    },
    "one request in flight": {
        "system.producers.web.config.max_in_flight_requests_per_connection": 1,
        "system.producers.web.config.linger_ms": 0,
    },
    "full batches": {"system.producers.web.config.batch_size": 1_000},
    "no keys": {"traffic.sources.web.keys": NoKeys()},
    "few keys": {"traffic.sources.web.keys": UniformKeys(100, null_share=0.3)},
    "one slow IO thread": {
        "system.broker_config.num_io_threads": 1,
        "system.hardware.cpu.request_ms": 0.3,
    },
    "fetches that wait": {
        "system.groups.audit.config.fetch_min_bytes": 30_000,
        "system.groups.audit.config.fetch_max_wait_ms": 15,
    },
    "fetches that never wait": {"system.groups.audit.config.fetch_max_wait_ms": 0},
    "slow network cards": {"system.hardware.link.bandwidth_mb_per_s": 20.0},
    "small polls": {"system.groups.audit.config.max_poll_records": 20},
    "cut while members work": {
        "end": "cut",
        "traffic.subscribers.audit.work_ms": Exponential(0.03),
        "system.groups.audit.config.max_poll_records": 20,
    },
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_twin_follows_what_a_scenario_changes(change: dict[str, Any]) -> None:
    assert_twins(short("twin-100", duration_s=0.1).where(change))


@pytest.mark.parametrize("name", ["twin-100", "twin-10"])
def test_only_timers_without_effect_on_others_coincide(name: str) -> None:
    chosen = short(name)
    kafka = KafkaRun(chosen, chosen.plan(), check=False)
    push = kafka.calendar.push
    actors_at: dict[int, set[int]] = defaultdict(set)

    def watched(entry: tuple[int, int, Callable[[Any], object], Any]) -> None:
        time_ns, key, function, _ = entry
        if function.__name__ not in {"_commit_timer", "_look", "_look_for_timeouts"}:
            actors_at[time_ns].add(key >> SEQUENCE_BITS & (1 << ACTOR_BITS) - 1)
        push(entry)

    kafka.calendar.push = watched
    kafka.run()

    assert len(actors_at) > 1_000
    assert [time_ns for time_ns, who in actors_at.items() if len(who) > 1] == []


def test_the_twin_refuses_what_it_does_not_know() -> None:
    chosen = short("twin-10")
    crash = Crash("subscriber:audit", at_s=0.1, for_s=0.1)
    with_crash = Scenario(
        chosen.traffic, system=chosen.system, seed=chosen.seed, events=(crash,)
    )
    for unknown in (
        with_crash,
        chosen.where({"traffic.subscribers.audit.from_s": 0.1}),
        chosen.where({"traffic.sources.web.value_bytes": 2_000_000}),
    ):
        with pytest.raises(ValueError, match="the twin knows no"):
            run_twin(unknown, unknown.plan())


def called_through(modules: Sequence[str], last: Callable[[], None]) -> None:
    """Call `last` through a function of each module, the first one outermost."""
    if not modules:
        last()
        return
    namespace: dict[str, Any] = {"__name__": modules[0]}
    exec("def call(rest):\n    rest()", namespace)
    namespace["call"](lambda: called_through(modules[1:], last))


@pytest.mark.parametrize(
    ("modules", "found"),
    [
        (["kafkasim.engine.sim.calendar", "kafkasim.engine.sim.broker"], (1, 0)),
        (["kafkasim.engine.sim.broker", "kafkasim.log.segment"], (0, 1)),
        (["simpy.core", "benchmarks.twin.broker", "kafkasim.result.recorder"], (0, 1)),
        (["benchmarks.twin.consumer", "simpy.events", "heapq"], (1, 0)),
        (["kafkasim.protocol.producing.keyed", "numpy"], (0, 1)),
    ],
)
def test_the_innermost_function_that_is_known_decides(
    modules: list[str], found: tuple[int, int]
) -> None:
    samples = Samples()

    called_through(modules, lambda: samples._look(0, sys._getframe()))

    assert (samples.driving, samples.shared) == found


def test_samples_are_taken_between_start_and_stop() -> None:
    samples = Samples()
    chosen = short("twin-10")
    plan = chosen.plan()

    samples.start()
    while samples.driving + samples.shared < 10:
        run_twin(chosen, plan)
    samples.stop()
    taken = samples.driving + samples.shared
    run_twin(chosen, plan)

    assert samples.driving + samples.shared == taken
    assert 0 < samples.shared_share < 1
