"""RabbitMQ against the same rules with a SimPy process per message, of a quorum queue
also for each copy of it.

Both carry the same traffic in law, each from its own random numbers, and keep a row per
message and per thing that happens to it in its queue. That both model the same is
checked by their mean end-to-end latency: over the same number of messages and several
seeds each, the means differ by at most three standard errors.
"""

from collections.abc import Iterator, Mapping
from statistics import fmean, median, variance
from typing import Final, Literal

from benchmarks.bench import Figure, cpu_seconds, figure
from benchmarks.bench_naive import latency_ms
from benchmarks.naive.queue_of_messages import Pipeline, Settings
from benchmarks.naive.queue_with_copies import CopiedPipeline
from kafkasim.engine.sim.run import run
from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.distributions import Exponential
from kafkasim.scenario.rabbitmq import Queue, RabbitMQ
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

Kind = Literal["classic", "quorum"]
MODELS: Final[Mapping[Kind, type[Pipeline]]] = {
    "classic": Pipeline,
    "quorum": CopiedPipeline,
}
BAR = 3.0
"""How many times as fast."""
RATE_PER_S = 4_000.0
WORK_MS = 0.15
VALUE_BYTES = 200
DURATION_S = 5.0
ROUNDS = 5
SEEDS = range(1, 11)
MOST_ERRORS = 3.0


def scenario_of(duration_s: float = DURATION_S, *, kind: Kind = "classic") -> Scenario:
    """Return one source and one subscriber, whose work takes 60 % of its time.

    A quorum queue has three members, one on each node.
    """
    nodes = 1 if kind == "classic" else 3
    traffic = Traffic(
        {"web": Source("orders", Poisson(RATE_PER_S), value_bytes=VALUE_BYTES)},
        {"a": Subscriber(["orders"], work_ms=Exponential(WORK_MS))},
        duration_s=duration_s,
    )
    return Scenario(traffic, RabbitMQ(nodes=nodes, queues={"a": Queue(type=kind)}))


def settings_of(chosen: Scenario) -> Settings:
    """Return what a scenario says, in the naive model's words."""
    resolved = chosen.resolve()
    system = resolved.system
    assert isinstance(system, RabbitMQ)
    link, cpu = system.hardware.link, system.hardware.cpu
    assert isinstance(link.delay_ms, (int, float))
    assert isinstance(cpu.request_ms, (int, float))
    return Settings(
        duration_s=resolved.traffic.duration_s,
        rate_per_s=RATE_PER_S,
        value_bytes=VALUE_BYTES,
        delay_s=link.delay_ms / 1e3,
        s_per_byte_sent=1e-6 / link.bandwidth_mb_per_s,
        request_s=cpu.request_ms / 1e3,
        s_per_byte_served=cpu.mb_ms / 1e9,
        work_s=WORK_MS / 1e3,
        prefetch=system.consumers["a"].prefetch,
    )


def figures_against_a_process_per_message() -> Iterator[Figure]:
    for kind in MODELS:
        yield speed(kind)


def speed(kind: Kind) -> Figure:
    """Return how many times as fast a message is as one of the naive model."""
    chosen, model = scenario_of(kind=kind), MODELS[kind]
    settings = settings_of(chosen)
    messages = len(model(settings, 0).run())
    result = run(chosen)
    records = len(result.columns("records"))
    entries = int(result.facts["calendar_entries"]) / records
    del result
    pairs = [
        (cpu_seconds(model(settings, seed).run), cpu_seconds(lambda: run(chosen)))
        for seed in range(ROUNDS)
    ]
    naive, ours = map(median, zip(*pairs, strict=True))
    return figure(
        f"a message in a {kind} queue: speed over a process per message",
        (naive / messages) / (ours / records),
        BAR,
        at_least=True,
        records=records,
        records_per_s=round(records / ours),
        naive_messages_per_s=round(messages / naive),
        calendar_entries_per_message=round(entries, 2),
    )


def figures_of_the_latencies() -> Iterator[Figure]:
    for kind in MODELS:
        yield difference(kind)


def difference(kind: Kind) -> Figure:
    """Return how far the mean latencies are apart, in standard errors."""
    short, model = scenario_of(duration_s=2.0, kind=kind), MODELS[kind]
    settings = settings_of(short)
    ours = [latency_ms(run(short.where({"seed": seed}))) for seed in SEEDS]
    naive = [
        fmean(each.ended - each.created for each in model(settings, seed).run()) * 1e3
        for seed in SEEDS
    ]
    error = ((variance(ours) + variance(naive)) / len(SEEDS)) ** 0.5
    return figure(
        f"a {kind} queue: difference of the mean latencies, in standard errors over "
        f"{len(SEEDS)} seeds",
        abs(fmean(ours) - fmean(naive)) / error,
        MOST_ERRORS,
        mean_latency_ms=fmean(ours),
        naive_mean_latency_ms=fmean(naive),
        standard_error_ms=error,
    )
