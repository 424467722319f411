"""Streamed runs against full ones: random scenarios, the same numbers.

A failure prints the scenario; `Scenario.from_toml` of what it prints runs it again.
"""

import numpy as np
import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from kafkasim.analysis.measures import METRICS, metrics, summary
from kafkasim.analysis.producing import skew
from kafkasim.analysis.waiting import latency, latency_over_time, throughput
from kafkasim.config.consumer import ConsumerConfig
from kafkasim.config.producer import ProducerConfig
from kafkasim.engine.sim.run import run
from kafkasim.result.result import Result
from kafkasim.result.streaming_tables import stream_tables
from kafkasim.scenario.arrivals import Bursts, Periodic, Poisson
from kafkasim.scenario.distributions import Exponential, Uniform
from kafkasim.scenario.events import Crash, Event, Pause, Slow
from kafkasim.scenario.keys import Keys, NoKeys, UniformKeys
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Producer, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.units import NS_PER_MS
from tests.tiers import dear

EXACT = tuple(name for name in METRICS if not name.startswith("latency"))
QUANTILES = ("p50", "p90", "p99", "p999")
SUBSCRIBERS = ("audit", "billing")


@st.composite
def sources(draw: st.DrawFn) -> Source:
    rate = draw(st.sampled_from([60.0, 500.0]))
    laws: list[Poisson | Periodic | Bursts] = [
        Poisson(rate),
        Periodic(rate),
        Bursts(rate, burst=20),
    ]
    keys: list[Keys] = [NoKeys(), UniformKeys(5), UniformKeys(5, null_share=0.4)]
    sizes: list[int | Uniform] = [60, Uniform(0, 5_000)]
    return Source(
        draw(st.sampled_from(["orders", "orders", "payments"])),
        draw(st.sampled_from(laws)),
        keys=draw(st.sampled_from(keys)),
        entity=draw(st.sampled_from([None, UniformKeys(4), NoKeys()])),
        value_bytes=draw(st.sampled_from(sizes)),
    )


@st.composite
def traffics(draw: st.DrawFn) -> Traffic:
    named = {name: draw(sources()) for name in ("web", "app")}
    streams = sorted({source.stream for source in named.values()})
    works: list[float | Exponential] = [0.0, 1.5, Exponential(0.5)]
    return Traffic(
        named,
        {
            name: Subscriber(
                draw(st.sampled_from([streams, streams[:1]])),
                work_ms=draw(st.sampled_from(works)),
                from_s=draw(st.sampled_from([0.0, 0.0, 0.1])),
                wants=draw(st.sampled_from(["new", "all"])),
            )
            for name in SUBSCRIBERS
        },
        duration_s=0.3,
        warmup_s=draw(st.sampled_from([0.0, 0.0, 0.12])),
    )


@st.composite
def events(draw: st.DrawFn) -> Event:
    target = f"subscriber:{draw(st.sampled_from(SUBSCRIBERS))}"
    at_s = draw(st.integers(0, 300)) / 1_000
    kind = draw(st.sampled_from(["Crash", "Pause", "Slow"]))
    for_s = draw(st.one_of(st.none(), st.integers(1, 100).map(lambda n: n / 1_000)))
    if kind == "Crash":
        return Crash(target, at_s=at_s, for_s=for_s)
    if kind == "Pause":
        return Pause(target, at_s=at_s, for_s=for_s)
    return Slow(target, at_s=at_s, for_s=0.05, factor=3.0)


@st.composite
def clusters(draw: st.DrawFn, traffic: Traffic) -> Kafka | PointToPoint:
    if draw(st.integers(0, 3)) == 0:
        return PointToPoint()
    producer = Producer(
        config=ProducerConfig(
            linger_ms=draw(st.sampled_from([0, 5])),
            acks=draw(st.sampled_from(["all", "0"])),
            max_request_size=draw(st.sampled_from([1_048_576, 2_000])),
        )
    )
    consumer = ConsumerConfig(
        max_poll_records=draw(st.sampled_from([1, 7, 500])),
        auto_commit_interval_ms=draw(st.sampled_from([10, 5_000])),
        enable_auto_commit=draw(st.booleans()),
    )
    partitions = Topic(partitions=draw(st.integers(1, 4)))
    return Kafka(
        brokers=draw(st.integers(1, 2)),
        topics={source.stream: partitions for source in traffic.sources.values()},
        producers=dict.fromkeys(traffic.sources, producer),
        groups={
            name: Group(members=draw(st.integers(1, 3)), config=consumer)
            for name in SUBSCRIBERS
        },
    )


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    traffic = draw(traffics())
    faults = st.lists(
        events(), max_size=4, unique_by=lambda event: (type(event), event.target)
    )
    return Scenario(
        traffic,
        draw(clusters(traffic)),
        seed=draw(st.integers(0, 2**31)),
        events=tuple(draw(faults)),
        end=draw(st.sampled_from(["drain", "drain", "cut"])),
        drain_limit_s=2.0,
    )


@dear()
@given(scenarios(), st.sampled_from([1, 13, 65_536]))
def test_a_streamed_run_gives_the_numbers_of_the_full_one(
    scenario: Scenario, block_rows: int
) -> None:
    note(scenario.to_toml())
    full = run(scenario)
    streamed = run(scenario, result="streamed")
    assert streamed.digest == full.digest
    assert streamed.facts == full.facts
    _check_metrics(full, streamed)
    _check_over_time(full, streamed)
    blocks = stream_tables(full, block_rows=block_rows)
    assert blocks.columns("totals") == streamed.columns("totals")
    assert blocks.columns("histograms") == streamed.columns("histograms")


def _check_metrics(full: Result, streamed: Result) -> None:
    expected, found = metrics(full), metrics(streamed)
    for name in EXACT:
        np.testing.assert_equal(found[name], expected[name], err_msg=name)
    for name in set(METRICS) - set(EXACT):
        assert found[name] == pytest.approx(expected[name], rel=0.01, nan_ok=True)
    one, other = summary(full), summary(streamed)
    assert list(one) == list(other)
    for column in list(one):
        if not str(column).startswith("latency"):
            np.testing.assert_array_equal(other[column], one[column])


def _check_over_time(full: Result, streamed: Result) -> None:
    one, other = latency(full), latency(streamed)
    for name in ("records", "latency_ms_mean", "latency_ms_max"):
        np.testing.assert_array_equal(other[name], one[name], err_msg=name)
    for name in QUANTILES:
        np.testing.assert_allclose(
            other[f"latency_ms_{name}"], one[f"latency_ms_{name}"], rtol=0.01
        )
    bin_ms = _bin_ms(streamed)
    one, other = throughput(full, bin_ms=bin_ms), throughput(streamed)
    assert one.equals(other)
    one, other = latency_over_time(full, bin_ms=bin_ms), latency_over_time(streamed)
    for name in ("at_ms", "records"):
        np.testing.assert_array_equal(other[name], one[name], err_msg=name)
    for name in ("latency_ms_p50", "latency_ms_p99"):
        np.testing.assert_allclose(other[name], one[name], rtol=0.01)
    shown = ["topic", "partition", "records", "records_share"]
    assert skew(full)[shown].equals(skew(streamed))


def _bin_ms(streamed: Result) -> float:
    totals = streamed.columns("totals")
    row = totals["metric"] == totals.labels["metric"].index("bin_ns")
    return int(totals["value"][row][0]) / NS_PER_MS
