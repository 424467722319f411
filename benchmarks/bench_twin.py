"""The engine against its twin: the same model, driven by ordinary SimPy processes.

The twin (`twin/`) shares plan, accumulators, logs, network cards, recorder and the
laying out of tables with the engine; only what waits for what, and how, is SimPy's:
generator processes, Stores, Resources, events and timeouts, in a plain
`simpy.Environment`. Both must write the same rows, which the digest shows.

A run is timed from the drawn plan to the result, in seconds of processor time, and so
is the event loop alone: without building the cluster and laying out the tables, which
are the same code at both. Entries are what a calendar ran, SimPy's events among them.
"""

import gc
from collections.abc import Callable, Iterator
from statistics import median
from time import process_time
from typing import NamedTuple

from benchmarks.bench import Figure, figure, scenario
from benchmarks.twin.run import Twin
from kafkasim.engine.sim.systems.kafka import KafkaRun
from kafkasim.scenario.plan import Plan
from kafkasim.scenario.scenario import Scenario

BAR = 3.0
ROUNDS = 9
SCENARIOS = {100: "twin-100", 10: "twin-10"}
"""Records a batch → scenario."""


class Timed(NamedTuple):
    """A run and its seconds of processor time."""

    digest: str
    entries: int
    batches: int
    records: int
    run_s: float
    loop_s: float


class Engine(KafkaRun):
    """A run of the engine that notes when its event loop ended."""

    def __init__(self, scenario: Scenario, plan: Plan) -> None:
        super().__init__(scenario, plan, check=False)
        self.began_s = process_time()
        self.ended_s = 0.0

    def _finish(self) -> None:
        self.ended_s = process_time()
        super()._finish()


class TimedTwin(Twin):
    """A run of the twin that notes when its event loop ended."""

    def __init__(self, scenario: Scenario, plan: Plan) -> None:
        super().__init__(scenario, plan)
        self.began_s = process_time()
        self.ended_s = 0.0

    def _finish(self) -> None:
        self.ended_s = process_time()
        super()._finish()


def timed(
    kind: Callable[[Scenario, Plan], Engine | TimedTwin], chosen: Scenario, plan: Plan
) -> Timed:
    """Run once, with nothing left over from the run before."""
    gc.collect()
    began_s = process_time()
    run = kind(chosen, plan)
    result = run.run()
    run_s = process_time() - began_s
    return Timed(
        digest=result.digest,
        entries=int(result.facts["calendar_entries"]),
        batches=len(result.columns("batches")),
        records=len(result.columns("records")),
        run_s=run_s,
        loop_s=run.ended_s - run.began_s,
    )


def figures_of_the_twin() -> Iterator[Figure]:
    for size, name in SCENARIOS.items():
        chosen = scenario(name)
        plan = chosen.plan()
        rounds = [
            (timed(Engine, chosen, plan), timed(TimedTwin, chosen, plan))
            for _ in range(1 + ROUNDS)
        ]
        engine, twin = rounds[0]
        assert engine.digest == twin.digest, f"{name}: the twin is none"
        engine_s, engine_loop_s, twin_s, twin_loop_s = (
            median(getattr(pair[side], seconds) for pair in rounds[1:])
            for side in (0, 1)
            for seconds in ("run_s", "loop_s")
        )
        yield figure(
            f"about {size} records a batch: speed of a Kafka run over its twin of "
            "SimPy processes",
            twin_s / engine_s,
            BAR,
            at_least=True,
            ratio_of_event_loops=twin_loop_s / engine_loop_s,
            records_per_batch=engine.records / engine.batches,
            entries_per_batch=engine.entries / engine.batches,
            twin_entries_per_batch=twin.entries / twin.batches,
            seconds=engine_s,
            twin_seconds=twin_s,
            loop_seconds=engine_loop_s,
            twin_loop_seconds=twin_loop_s,
        )
