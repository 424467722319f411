"""The engine against its twin: the same model, driven by ordinary SimPy processes.

The twin (`twin/`) shares plan, accumulators, logs, network cards, recorder and the
laying out of tables with the engine; only what waits for what, and how, is SimPy's:
generator processes, Stores, Resources, events and timeouts, in a plain
`simpy.Environment`. Both must write the same rows, which the digest shows.

A run is timed from the drawn plan to the result, and so is the event loop alone:
without building the cluster and laying out the tables, which are the same code at both.
Entries are what a calendar ran, SimPy's events among them. In further rounds the loops
are sampled, for how much of them is driving at all: the rest bounds the ratio.
"""

import gc
from collections.abc import Callable, Iterator
from statistics import median
from time import process_time
from typing import NamedTuple

from benchmarks.bench import Figure, figure, scenario
from benchmarks.twin.run import Twin
from benchmarks.twin.shares import Samples
from kafkasim.engine.sim.systems.kafka import KafkaRun
from kafkasim.scenario.plan import Plan
from kafkasim.scenario.scenario import Scenario

BAR = 3.0
ROUNDS = 9
SAMPLED_ROUNDS = 5
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
    """A run of the engine that says when its event loop is over."""

    def __init__(self, scenario: Scenario, plan: Plan) -> None:
        super().__init__(scenario, plan, check=False)
        self.loop_over: Callable[[], None] = lambda: None

    def _finish(self) -> None:
        self.loop_over()
        super()._finish()


class SimPyTwin(Twin):
    """A run of the twin that says when its event loop is over."""

    def __init__(self, scenario: Scenario, plan: Plan) -> None:
        super().__init__(scenario, plan)
        self.loop_over: Callable[[], None] = lambda: None

    def _finish(self) -> None:
        self.loop_over()
        super()._finish()


Kind = type[Engine | SimPyTwin]


def timed(kind: Kind, chosen: Scenario, plan: Plan) -> Timed:
    """Run once, with nothing left over from the run before."""
    gc.collect()
    times_s = [process_time()]
    run = kind(chosen, plan)
    run.loop_over = lambda: times_s.append(process_time())
    times_s.append(process_time())
    result = run.run()
    times_s.append(process_time())
    began_s, built_s, looped_s, ended_s = times_s
    return Timed(
        digest=result.digest,
        entries=int(result.facts["calendar_entries"]),
        batches=len(result.columns("batches")),
        records=len(result.columns("records")),
        run_s=ended_s - began_s,
        loop_s=looped_s - built_s,
    )


def shared_share(kind: Kind, chosen: Scenario, plan: Plan) -> float:
    """Return how much of the event loop is what engine and twin share."""
    samples = Samples()
    for _ in range(SAMPLED_ROUNDS):
        gc.collect()
        run = kind(chosen, plan)
        run.loop_over = samples.stop
        samples.start()
        run.run()
    return samples.shared_share


def figures_of_the_twin() -> Iterator[Figure]:
    for size, name in SCENARIOS.items():
        chosen = scenario(name)
        plan = chosen.plan()
        rounds = [
            (timed(Engine, chosen, plan), timed(SimPyTwin, chosen, plan))
            for _ in range(1 + ROUNDS)
        ]
        engine, twin = rounds[0]
        assert engine.digest == twin.digest, f"{name}: the twin is none"
        run_s, loop_s, twin_run_s, twin_loop_s = (
            median(getattr(pair[side], seconds) for pair in rounds[1:])
            for side in (0, 1)
            for seconds in ("run_s", "loop_s")
        )
        share = shared_share(Engine, chosen, plan)
        twin_share = shared_share(SimPyTwin, chosen, plan)
        yield figure(
            f"about {size} records a batch: speed of a Kafka run over its twin of "
            "SimPy processes",
            twin_run_s / run_s,
            BAR,
            at_least=True,
            ratio_of_event_loops=twin_loop_s / loop_s,
            entries_per_batch=engine.entries / engine.batches,
            twin_entries_per_batch=twin.entries / twin.batches,
            shared_part_of_the_loop=share,
            twin_shared_part_of_the_loop=twin_share,
            ratio_of_driving=twin_loop_s * (1 - twin_share) / (loop_s * (1 - share)),
            ratio_of_event_loops_if_driving_cost_nothing=twin_loop_s / (loop_s * share),
            records_per_batch=engine.records / engine.batches,
            seconds=run_s,
            twin_seconds=twin_run_s,
            loop_seconds=loop_s,
            twin_loop_seconds=twin_loop_s,
        )
