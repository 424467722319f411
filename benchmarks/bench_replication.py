"""What copies of partitions cost: entries, speed over a naive model, and events.

*Entries*: the scenario `twin-100` with three copies of each partition and acks=all, on
three brokers; what the calendar runs for each batch.

*A process per message*: the naive model with followers (`naive/replicated.py`) against
the scenarios of the benchmark `naive` with three brokers and three copies, as there.

*Events*: the scenario `events`, in which subscribers and brokers stand still or crash
and recover, twenty times, against itself without its events.
"""

from collections.abc import Iterator

from benchmarks.bench import Figure, figure, interleaved, scenario
from benchmarks.bench_naive import difference, speed
from benchmarks.naive.replicated import ReplicatedPipeline
from kafkasim.engine.sim.run import run
from kafkasim.result.result import Result
from kafkasim.scenario.scenario import Scenario

COPIES = {"system.topics": {"orders": {"replication_factor": 3}}, "system.brokers": 3}
"""What a scenario of one partition and one broker becomes."""
BARS = {100: 40.0, 1_000: 120.0}
"""Records a batch → how many times as fast as the naive model."""
MOST_ENTRIES = 12.0
MOST_OF_EVENTS = 1.2


def replicated(batch_records: int) -> Scenario:
    """Return the scenario that the naive model is held against."""
    return scenario(f"naive-{batch_records}").where(COPIES)


def entries_per_batch(result: Result) -> float:
    """Return how many entries the calendar ran for each batch."""
    entries = result.facts["calendar_entries"]
    assert isinstance(entries, int)
    return entries / len(result.columns("batches"))


def figures_of_the_calendar() -> Iterator[Figure]:
    chosen = scenario("twin-100")
    copies = {"system.topics.orders.replication_factor": 3}
    result, unreplicated = run(chosen.where(copies)), run(chosen)
    batches = len(result.columns("batches"))
    records_per_batch = len(result.columns("records")) / batches
    assert round(records_per_batch) == 100
    yield figure(
        "calendar entries per batch, acks=all and three copies, 100 records a batch",
        entries_per_batch(result),
        MOST_ENTRIES,
        batches=batches,
        records_per_batch=records_per_batch,
        entries_per_batch_of_one_copy=entries_per_batch(unreplicated),
        entries_per_batch_with_one_partition=entries_per_batch(run(replicated(100))),
    )


def figures_against_a_process_per_message() -> Iterator[Figure]:
    for batch_records, bar in BARS.items():
        yield speed(
            f"{batch_records:,} records a batch, three copies: speed over a process "
            "per message",
            bar,
            replicated(batch_records),
            batch_records,
            ReplicatedPipeline,
        )


def figures_of_the_latencies() -> Iterator[Figure]:
    for batch_records in BARS:
        yield difference(
            f"{batch_records:,} records a batch, three copies",
            replicated(batch_records),
            batch_records,
            ReplicatedPipeline,
        )


def figures_of_events() -> Iterator[Figure]:
    chosen = scenario("events")
    calm = chosen.where({"events": ()})
    plan = chosen.plan()
    assert calm.plan().digest == plan.digest, "not the same traffic"
    found, calm_found = run(chosen, plan=plan), run(calm, plan=plan)
    batches, calm_batches = (len(r.columns("batches")) for r in (found, calm_found))
    took, took_calm = interleaved(
        lambda: run(chosen, plan=plan), lambda: run(calm, plan=plan)
    )
    yield figure(
        f"time of a run with {len(chosen.events)} events over the same without",
        took / took_calm,
        MOST_OF_EVENTS,
        ratio_per_batch=took / batches / (took_calm / calm_batches),
        seconds=took,
        calm_seconds=took_calm,
        entries=found.facts["calendar_entries"],
        calm_entries=calm_found.facts["calendar_entries"],
        batches=batches,
        calm_batches=calm_batches,
        deliveries=len(found.columns("deliveries")),
        calm_deliveries=len(calm_found.columns("deliveries")),
    )
