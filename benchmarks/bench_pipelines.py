"""Pipelines without a log against the model that someone new to SimPy would write.

There every message to a subscriber is a process (`naive/pipelines.py`). Both carry the
same plan: four sources, four subscribers, all pairs wanted. That both model the same is
checked message by message: the work on each ends at the same time, to a nanosecond a
hop (a transfer takes the engine one at least), and floats.
"""

from collections.abc import Iterator
from functools import partial
from statistics import median

import numpy as np

from benchmarks.bench import Figure, cpu_seconds, figure
from benchmarks.naive.pipelines import Numbers, Pipelines
from kafkasim.engine.sim.run import run
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.distributions import Exponential
from kafkasim.scenario.hardware import Cpu, Hardware, Link
from kafkasim.scenario.many_to_many import many_to_many
from kafkasim.scenario.pipelines import PointToPoint, Relay
from kafkasim.scenario.plan import Plan
from kafkasim.scenario.scenario import Scenario

BAR = 3.0
"""How many times as fast as a process per message."""
MOST_ENTRIES = 8.0
"""Of the calendar for each hand-out."""
MOST_APART_US = 1.0
ROUNDS = 5
WIDE = Hardware(link=Link(bandwidth_mb_per_s=1e9), cpu=Cpu(request_ms=0.05, mb_ms=0.0))
SYSTEMS: dict[str, PointToPoint | Relay] = {
    "point to point without queues": PointToPoint(hardware=WIDE),
    "point to point with queues": PointToPoint(
        mode="asynchronous", in_flight=1, queue_events=1_000_000, hardware=WIDE
    ),
    "relay": Relay(
        prefetch=100, buffer_events=1_000_000, queue_events=1_000_000, hardware=WIDE
    ),
}


def chosen(system: PointToPoint | Relay, duration_s: float = 10.0) -> Scenario:
    """Return four sources of 250 messages per second to four subscribers."""
    traffic = many_to_many(
        arrivals=Poisson(250.0), work_ms=Exponential(0.5), duration_s=duration_s
    )
    return Scenario(traffic, system, seed=5)


def naive_of(scenario: Scenario) -> Pipelines:
    """Return the naive model of a scenario, with its plan."""
    system, plan = scenario.system, scenario.plan()
    assert isinstance(system, PointToPoint | Relay)
    delay_ms, request_ms = system.hardware.link.delay_ms, system.hardware.cpu.request_ms
    assert isinstance(delay_ms, float)
    assert isinstance(request_ms, float)
    names = sorted(scenario.traffic.subscribers)
    return Pipelines(
        Numbers(
            delay_s=delay_ms / 1e3,
            request_s=request_ms / 1e3,
            timeout_s=system.timeout_ms / 1e3,
            window=system.prefetch if isinstance(system, Relay) else system.in_flight,
            threads=system.threads if isinstance(system, Relay) else 0,
            queues=isinstance(system, Relay) or system.mode == "asynchronous",
        ),
        [(source.intended_ns / 1e9).tolist() for source in plan.sources.values()],
        [
            [(plan.work_ns[name, source] / 1e9).tolist() for name in names]
            for source in plan.sources
        ],
    )


def apart_us(result: Result, naive: Pipelines) -> float:
    """Return how far the ends of the work are apart at most, in microseconds."""
    assert isinstance(result.plan, Plan)
    sizes = [len(each.intended_ns) for each in result.plan.sources.values()]
    bases = np.cumsum([0, *sizes])
    table = result.columns("deliveries")
    order = np.lexsort((table["subscriber"], table["record_id"]))
    ours = table["ended_ns"][order] / 1e3
    done = sorted(
        (bases[s] + message, reader, at) for s, message, reader, at in naive.done
    )
    theirs = np.array([at for _, _, at in done]) * 1e6
    return float(np.abs(ours - theirs).max())


def figures_against_a_process_per_message() -> Iterator[Figure]:
    for name, system in SYSTEMS.items():
        scenario = chosen(system)
        result, naive = run(scenario), naive_of(scenario)
        naive.run()
        count = len(result.columns("deliveries"))
        entries = result.facts["calendar_entries"]
        assert isinstance(entries, int)
        pairs = [
            (
                cpu_seconds(naive_of(scenario).run),
                cpu_seconds(partial(run, scenario)),
            )
            for _ in range(ROUNDS)
        ]
        theirs, ours = map(median, zip(*pairs, strict=True))
        yield figure(
            f"{name}: speed over a process per message",
            theirs / ours,
            BAR,
            at_least=True,
            hand_outs=count,
            hand_outs_per_s=round(count / ours),
            naive_hand_outs_per_s=round(count / theirs),
        )
        yield figure(
            f"{name}: calendar entries per hand-out", entries / count, MOST_ENTRIES
        )
        yield figure(
            f"{name}: ends of work apart from the naive model, in µs at most",
            apart_us(result, naive),
            MOST_APART_US,
        )
