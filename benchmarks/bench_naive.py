"""kafkasim against the model that someone new to SimPy would write.

There every message is a process (`naive/model.py`). Both carry the same traffic in law,
each from its own random numbers, and both keep a row per message. The naive model runs
fewer messages, so rates per message are compared: plan, run and per-record columns at
kafkasim, the whole run at the naive model.

That both model the same is checked by their mean end-to-end latency: over the same
number of messages and several seeds each, the means differ by at most three standard
errors.
"""

from collections.abc import Iterator
from statistics import fmean, median, variance

import numpy as np

from benchmarks.bench import Figure, cpu_seconds, figure, scenario
from benchmarks.naive.model import Message, Pipeline, Settings
from kafkasim.engine.sim.run import run
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.distributions import Exponential
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka

BARS = {10: 10.0, 100: 50.0, 1_000: 150.0}
"""Records a batch → how many times as fast."""
NAIVE_S = 2.0
"""Simulated seconds of a naive run: 40,000 messages."""
ROUNDS = 5
SEEDS = range(1, 11)
MOST_ERRORS = 3.0


def settings_of(chosen: Scenario, batch_records: int) -> Settings:
    """Return what a scenario says, in the naive model's words."""
    resolved = chosen.resolve()
    system, traffic = resolved.system, resolved.traffic
    assert isinstance(system, Kafka)
    arrivals = traffic.sources["web"].arrivals
    work = traffic.subscribers["billing"].work_ms
    delay_ms = system.hardware.link.delay_ms
    request_ms = system.hardware.cpu.request_ms
    config = system.producers["web"].config
    assert isinstance(arrivals, Poisson)
    assert isinstance(work, Exponential)
    assert isinstance(delay_ms, (int, float))
    assert isinstance(request_ms, (int, float))
    return Settings(
        duration_s=NAIVE_S,
        rate_per_s=arrivals.rate_per_s,
        batch_records=batch_records,
        record_bytes=config.batch_size / batch_records,
        linger_s=config.linger_ms / 1e3,
        delay_s=delay_ms / 1e3,
        s_per_byte_sent=1e-6 / system.hardware.link.bandwidth_mb_per_s,
        request_s=request_ms / 1e3,
        s_per_byte_served=system.hardware.cpu.mb_ms / 1e9,
        io_threads=system.broker_config.num_io_threads,
        work_s=work.mean / 1e3,
        followers=max(topic.replication_factor for topic in system.topics.values()) - 1,
    )


def naive_latency_ms(messages: list[Message]) -> float:
    """Return the mean time from created to worked on, in milliseconds."""
    return fmean(message.ended - message.created for message in messages) * 1e3


def latency_ms(result: Result) -> float:
    """Return the mean time from intended to worked on, in milliseconds."""
    deliveries, records = result.columns("deliveries"), result.columns("records")
    intended_ns = records["intended_ns"][deliveries["record_id"]]
    return float(np.mean(deliveries["ended_ns"] - intended_ns)) / 1e6


def speed(
    name: str,
    bar: float,
    chosen: Scenario,
    batch_records: int,
    model: type[Pipeline] = Pipeline,
) -> Figure:
    """Return how many times as fast a record is as a message of the naive model."""
    settings = settings_of(chosen, batch_records)
    messages = len(model(settings, 0).run())
    result = run(chosen)
    records = len(result.columns("records"))
    assert records / len(result.columns("batches")) > 0.99 * batch_records
    del result
    pairs = [
        (cpu_seconds(model(settings, seed).run), cpu_seconds(lambda: run(chosen)))
        for seed in range(ROUNDS)
    ]
    naive, ours = map(median, zip(*pairs, strict=True))
    return figure(
        name,
        (naive / messages) / (ours / records),
        bar,
        at_least=True,
        records=records,
        records_per_s=round(records / ours),
        naive_messages=messages,
        naive_messages_per_s=round(messages / naive),
    )


def difference(
    name: str,
    chosen: Scenario,
    batch_records: int,
    model: type[Pipeline] = Pipeline,
) -> Figure:
    """Return how far the mean latencies are apart, in standard errors."""
    settings = settings_of(chosen, batch_records)
    short = chosen.where({"traffic.duration_s": NAIVE_S})
    ours = [latency_ms(run(short.where({"seed": seed}))) for seed in SEEDS]
    naive = [naive_latency_ms(model(settings, seed).run()) for seed in SEEDS]
    error = ((variance(ours) + variance(naive)) / len(SEEDS)) ** 0.5
    return figure(
        f"{name}: difference of the mean latencies, in standard errors over "
        f"{len(SEEDS)} seeds",
        abs(fmean(ours) - fmean(naive)) / error,
        MOST_ERRORS,
        mean_latency_ms=fmean(ours),
        naive_mean_latency_ms=fmean(naive),
        standard_error_ms=error,
    )


def figures_against_a_process_per_message() -> Iterator[Figure]:
    for batch_records, bar in BARS.items():
        yield speed(
            f"{batch_records:,} records a batch: speed over a process per message",
            bar,
            scenario(f"naive-{batch_records}"),
            batch_records,
        )


def figures_of_the_latencies() -> Iterator[Figure]:
    for batch_records in BARS:
        yield difference(
            f"{batch_records:,} records a batch",
            scenario(f"naive-{batch_records}"),
            batch_records,
        )
