"""The engine's part of the demo: 18 Kafka runs of the whole year, on two workers."""

from collections.abc import Iterator

from benchmarks.bench import Figure, figure, interleaved, seconds
from kafkasim.cli.demo import KEYS, PARTITIONS, one_group
from kafkasim.engine.sim.run import run
from kafkasim.experiments.sweeping import sweep

BUDGET_S = 60.0
RECORDS = 336_776


def figures_of_the_demo() -> Iterator[Figure]:
    grid = {
        "traffic.sources.departures.keys": KEYS,
        "system.topics.flights.partitions": PARTITIONS,
    }
    scenario = one_group()
    took = seconds(lambda: sweep(scenario, grid, workers=2, progress=False))
    runs = len(KEYS) * len(PARTITIONS)
    yield figure(
        f"{runs} Kafka runs of the year's flights on two workers, as a share of 60 s",
        took / BUDGET_S,
        1.0,
        seconds=took,
        records_per_s=runs * RECORDS / took,
    )


def figures_of_one_run() -> Iterator[Figure]:
    """Time per calendar entry: small batches over many partitions against full ones."""
    scenario = one_group()
    path = "system.topics.flights.partitions"
    many, one = scenario.where({path: 32}), scenario.where({path: 1})
    plan = scenario.plan()
    result_many, result_one = run(many, plan=plan), run(one, plan=plan)
    took_many, took_one = interleaved(
        lambda: run(many, plan=plan), lambda: run(one, plan=plan)
    )
    each_many = took_many / int(result_many.facts["calendar_entries"])
    each_one = took_one / int(result_one.facts["calendar_entries"])
    yield figure(
        "time per calendar entry, 32 partitions over 1",
        each_many / each_one,
        2.0,
        microseconds_per_batch=took_many / len(result_many.columns("batches")) * 1e6,
    )
