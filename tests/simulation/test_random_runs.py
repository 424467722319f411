"""Random scenarios under random faults: invariants hold and nothing is lost.

A failure prints the scenario; `Scenario.from_dict` of what it prints runs it again.
"""

from itertools import pairwise
from unittest.mock import patch

import numpy as np
from hypothesis import given, note
from hypothesis import strategies as st

from kafkasim.config.broker import BrokerConfig
from kafkasim.config.consumer import ConsumerConfig
from kafkasim.config.producer import ProducerConfig
from kafkasim.engine.sim.run import run
from kafkasim.protocol.producing import sticky
from kafkasim.result.result import Result
from kafkasim.scenario import blocks
from kafkasim.scenario.arrivals import Bursts, Periodic, Poisson
from kafkasim.scenario.distributions import Exponential, Uniform
from kafkasim.scenario.events import Crash, Event, Pause, Slow
from kafkasim.scenario.hardware import Cpu, Hardware, Link
from kafkasim.scenario.keys import NoKeys, UniformKeys
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Producer, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.units import MISSING_NS
from tests.tiers import dear

RATES = st.sampled_from([50.0, 400.0, 1_000.0])
SUBSCRIBERS = ("audit", "billing")


@st.composite
def sources(draw: st.DrawFn) -> Source:
    rate = draw(RATES)
    laws: list[Poisson | Periodic | Bursts] = [
        Poisson(rate),
        Periodic(rate),
        Bursts(rate, burst=20),
    ]
    arrivals = draw(st.sampled_from(laws))
    some_keys: list[NoKeys | UniformKeys] = [
        NoKeys(),
        UniformKeys(9),
        UniformKeys(9, null_share=0.4),
    ]
    keys = draw(st.sampled_from(some_keys))
    some_sizes: list[int | Uniform] = [0, 60, 5_000, Uniform(0, 9_000)]
    sizes = draw(st.sampled_from(some_sizes))
    return Source("orders", arrivals, keys=keys, value_bytes=sizes, tombstones=0.05)


@st.composite
def subscribers(draw: st.DrawFn) -> Subscriber:
    works: list[float | Exponential] = [0.0, 0.3, Exponential(0.5)]
    return Subscriber(
        ["orders"],
        work_ms=draw(st.sampled_from(works)),
        from_s=draw(st.sampled_from([0.0, 0.0, 0.15])),
        wants=draw(st.sampled_from(["new", "all"])),
    )


@st.composite
def events(draw: st.DrawFn) -> Event:
    target = f"subscriber:{draw(st.sampled_from(SUBSCRIBERS))}"
    at_s = draw(st.integers(0, 300)) / 1_000
    for_s = draw(st.integers(1, 100)) / 1_000
    kind = draw(st.sampled_from(["Crash", "Pause", "Slow"]))
    if kind == "Crash":
        return Crash(target, at_s=at_s, for_s=for_s)
    if kind == "Pause":
        return Pause(target, at_s=at_s, for_s=for_s)
    return Slow(target, at_s=at_s, for_s=for_s, factor=draw(st.sampled_from([0.5, 3])))


@st.composite
def clusters(draw: st.DrawFn) -> Kafka:
    producer = Producer(
        config=ProducerConfig(
            linger_ms=draw(st.sampled_from([0, 1, 5, 40])),
            batch_size=draw(st.sampled_from([200, 16_384])),
            acks=draw(st.sampled_from(["all", "1", "0"])),
            max_in_flight_requests_per_connection=draw(st.sampled_from([1, 2, 5])),
        )
    )
    consumer = ConsumerConfig(
        max_poll_records=draw(st.sampled_from([1, 7, 500])),
        fetch_min_bytes=draw(st.sampled_from([1, 3_000])),
        fetch_max_wait_ms=draw(st.sampled_from([0, 20, 500])),
        max_partition_fetch_bytes=draw(st.sampled_from([100, 1_048_576])),
        fetch_max_bytes=draw(st.sampled_from([5_000, 52_428_800])),
        auto_commit_interval_ms=draw(st.sampled_from([10, 5_000])),
        enable_auto_commit=draw(st.booleans()),
    )
    delays: list[float | Exponential] = [0.1, 0.5, Exponential(1.0)]
    services: list[float | Exponential] = [0.0, 0.05, 1.0, Exponential(0.2)]
    return Kafka(
        brokers=draw(st.integers(1, 3)),
        topics={"orders": Topic(partitions=draw(st.integers(1, 6)))},
        producers={"web": producer, "app": producer},
        groups={
            name: Group(members=draw(st.integers(1, 4)), config=consumer)
            for name in SUBSCRIBERS
        },
        hardware=Hardware(
            link=Link(
                delay_ms=draw(st.sampled_from(delays)),
                bandwidth_mb_per_s=draw(st.sampled_from([5.0, 1_250.0])),
            ),
            cpu=Cpu(
                request_ms=draw(st.sampled_from(services)),
                mb_ms=draw(st.sampled_from([0.0, 5.0])),
            ),
        ),
        broker_config=BrokerConfig(num_io_threads=draw(st.sampled_from([1, 8]))),
    )


@st.composite
def traffics(draw: st.DrawFn) -> Traffic:
    return Traffic(
        sources={name: draw(sources()) for name in ("web", "app")},
        subscribers={name: draw(subscribers()) for name in SUBSCRIBERS},
        duration_s=0.3,
    )


some_faults = st.lists(
    events(), max_size=3, unique_by=lambda event: (type(event), event.target)
)
"""Never two of a kind at one target: they might overlap, which is an error."""


@st.composite
def crashes(draw: st.DrawFn) -> list[Event]:
    """Draw crashes of one subscriber, each shorter than requests take at times."""
    target = f"subscriber:{draw(st.sampled_from(SUBSCRIBERS))}"
    at_ms = draw(st.lists(st.integers(0, 300), min_size=2, max_size=3, unique=True))
    for_ms = draw(st.sampled_from([0.1, 0.5, 1.0]))
    return [Crash(target, at_s=at / 1_000, for_s=for_ms / 1_000) for at in at_ms]


faults_of_a_run = some_faults | crashes()


def processed(result: Result, subscriber: str) -> set[int]:
    """Rows of the records that a subscriber processed at least once."""
    table = result.columns("deliveries")
    mine = table["subscriber"] == table.labels["subscriber"].index(subscriber)
    done = mine & (table["ended_ns"] != MISSING_NS)
    return set(table["record_id"][done].tolist())


@dear()
@given(traffics(), clusters(), faults_of_a_run, st.integers(0, 2**31))
def test_kafka_keeps_its_invariants_and_loses_nothing(
    traffic: Traffic, cluster: Kafka, faults: list[Event], seed: int
) -> None:
    scenario = Scenario(traffic, system=cluster, seed=seed, events=tuple(faults))
    note(scenario.to_toml())
    result = run(scenario, check=True)
    assert result.table("violations").to_dict("records") == []
    assert result.facts["drained"] == 1
    records = result.columns("records")
    everything = set(range(len(records)))
    for name, subscriber in traffic.subscribers.items():
        if subscriber.wants == "all" or subscriber.from_s == 0:
            assert processed(result, name) == everything
    times = ("intended_ns", "created_ns", "appended_ns")
    for earlier, later in pairwise(times):
        assert (records[earlier] <= records[later]).all()
    _check_offsets(result)


@dear()
@given(
    traffics(), clusters(), faults_of_a_run, st.integers(0, 2**31), st.integers(1, 40)
)
def test_the_size_of_the_blocks_shows_in_no_digest(
    traffic: Traffic, cluster: Kafka, faults: list[Event], seed: int, block: int
) -> None:
    scenario = Scenario(
        traffic,
        system=cluster,
        seed=seed,
        events=tuple(faults),
        end="cut" if seed % 3 == 0 else "drain",
    )
    note(scenario.to_toml())
    whole = run(scenario)
    with patch.object(blocks, "BLOCK", block), patch.object(sticky, "_TRIM", block):
        in_blocks = run(scenario, check=True)
    assert in_blocks.table("violations").empty
    assert in_blocks.digest == whole.digest
    numbers = np.sort(whole.columns("requests")["request_id"])
    assert (numbers == np.arange(len(numbers))).all()
    for name in ("records", "deliveries"):
        assert in_blocks.columns(name) == whole.columns(name)


def _check_offsets(result: Result) -> None:
    """Offsets of each partition are 0, 1, 2, … with one record each."""
    records = result.columns("records")
    for partition in np.unique(records["partition"]):
        offsets = np.sort(records["offset"][records["partition"] == partition])
        assert (offsets == np.arange(len(offsets))).all()


@given(traffics(), faults_of_a_run, st.integers(0, 2**31))
def test_point_to_point_delivers_all_that_was_sent_while_a_subscriber_was_there(
    traffic: Traffic, faults: list[Event], seed: int
) -> None:
    scenario = Scenario(traffic, system=PointToPoint(), seed=seed, events=tuple(faults))
    note(scenario.to_toml())
    result = run(scenario, check=True)
    assert result.facts["drained"] == 1
    created = result.columns("records")["created_ns"]
    for name, subscriber in traffic.subscribers.items():
        wanted = set(np.flatnonzero(created >= subscriber.from_s * 1e9).tolist())
        assert processed(result, name) == wanted
