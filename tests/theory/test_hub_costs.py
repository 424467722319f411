"""What a hub does once, and what it costs: measured on runs."""

import pytest

from kafkasim.analysis import pipeline_theory as theory
from kafkasim.analysis.dealings import dealings
from kafkasim.analysis.measures import metrics
from kafkasim.analysis.piping import pipelines
from kafkasim.config.producer import ProducerConfig
from kafkasim.engine.sim.run import run
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.events import Crash
from kafkasim.scenario.hardware import Cpu, Hardware, Link
from kafkasim.scenario.keys import UniformKeys
from kafkasim.scenario.many_to_many import many_to_many
from kafkasim.scenario.pipelines import PointToPoint, Relay
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Producer, System, Topic
from kafkasim.scenario.traffic import Traffic

COUNT = 100
"""Records of each source."""


def pair_of_sources(subscribers: int) -> Traffic:
    return many_to_many(
        2, subscribers, arrivals=Periodic(500.0), value_bytes=200, duration_s=0.2
    )


def packed(ratio: float | None) -> Kafka:
    codec = ProducerConfig(linger_ms=50)
    if ratio is not None:
        codec = ProducerConfig(linger_ms=50, compression_type="lz4")
    producer = Producer(codec, compression_ratio=ratio)
    return Kafka(producers={"source-1": producer, "source-2": producer})


def to_each(result: Result) -> list[int]:
    """Return the bytes that each subscriber was sent."""
    links = result.table("links")
    ends = links["receiver"].astype(str).str.startswith(("subscriber", "member"))
    return sorted(links[ends].groupby("receiver", observed=True)["moved_bytes"].sum())


@pytest.mark.parametrize("many", [1, 4])
def test_a_hub_gets_each_batch_once_however_many_read_it(many: int) -> None:  # PH-7
    result = run(Scenario(pair_of_sources(many), packed(None)))
    direct = run(Scenario(pair_of_sources(many), PointToPoint()))

    batches = len(result.columns("batches"))
    assert batches < 2 * COUNT / 10
    sent = result.table("links").set_index("sender")["request_count"]
    assert sent[["source:source-1", "source:source-2"]].sum() == batches
    # Without a hub nothing is batched: one request for each record and subscriber.
    calls = direct.table("links").groupby("sender", observed=True)["request_count"]
    assert calls.sum().filter(like="source:").sum() == 2 * COUNT * many


@pytest.mark.parametrize("many", [1, 4])
def test_what_is_compressed_once_is_small_on_every_way(many: int) -> None:  # PH-7
    plain, small = (
        run(Scenario(pair_of_sources(many), packed(ratio))) for ratio in (None, 0.4)
    )
    moved = pipelines(small)
    sizes = small.columns("batches")["size_bytes"]

    # Its header is not compressed (61 bytes of each batch).
    headers = 61 * len(sizes)
    whole = pipelines(plain)["source_bytes"] - 61 * len(plain.columns("batches"))
    assert moved["source_bytes"] == sizes.sum()
    assert sizes.sum() - headers == pytest.approx(0.4 * whole, abs=len(sizes))
    assert moved["disk_bytes"] == moved["source_bytes"]
    assert to_each(small) == [moved["source_bytes"]] * many


LINK_MS = 1.0
NEAR = Hardware(
    link=Link(delay_ms=LINK_MS, bandwidth_mb_per_s=1e9),
    cpu=Cpu(request_ms=0.0, mb_ms=0.0),
)


def of_copies(copies: int, linger_ms: int = 0) -> Kafka:
    return Kafka(
        brokers=copies,
        topics={"stream-1": Topic(replication_factor=copies)},
        producers={"source-1": Producer(ProducerConfig(linger_ms=linger_ms))},
        hardware=NEAR,
    )


@pytest.mark.parametrize(
    ("system", "hops"),
    [
        (PointToPoint(hardware=NEAR), 1),
        (Relay(hardware=NEAR), 2),
        (of_copies(1), 2),
        # The followers' fetches fetch it, and tell that they have it.
        (of_copies(3), 4),
        (of_copies(3, linger_ms=5), 9),
    ],
    ids=["direct", "relay", "log", "log of three copies", "log and linger"],
)
def test_a_hub_is_one_hop_more_and_two_for_its_copies(
    system: System, hops: int
) -> None:  # PH-15
    traffic = many_to_many(1, 1, arrivals=Periodic(50.0), work_ms=0.0, duration_s=0.5)
    latency_ms = metrics(run(Scenario(traffic, system)))["latency_ms_p50"]

    assert latency_ms == pytest.approx(hops * LINK_MS, abs=1e-4)


def test_a_log_is_machines_and_copies_of_all_that_is_sent() -> None:  # PH-15
    traffic = many_to_many(3, 2, arrivals=Periodic(50.0), duration_s=0.5)
    for copies in (1, 3):
        topic = Topic(partitions=3, replication_factor=copies)
        topics = {f"stream-{n}": topic for n in (1, 2, 3)}
        hub = pipelines(run(Scenario(traffic, Kafka(brokers=3, topics=topics))))
        assert hub["hub_nodes"] == 3
        exact = theory.hub_traffic(3, 2, 1.0, hub["source_bytes"] / 3, copies)
        assert hub["disk_bytes"] == exact.disk == copies * hub["source_bytes"]
        assert hub["total_bytes"] == exact.total
    direct = pipelines(run(Scenario(traffic, PointToPoint())))
    assert (direct["hub_nodes"], direct["disk_bytes"]) == (0, 0)


def test_by_default_a_log_gives_some_twice_and_keeps_order_in_a_partition() -> None:
    """PH-15: at least once; order is a partition's."""
    traffic = many_to_many(
        1, 1, arrivals=Periodic(100.0), keys=UniformKeys(40), duration_s=9.0
    )
    system = Kafka(
        topics={"stream-1": Topic(partitions=3)},
        groups={"subscriber-1": Group()},
    )
    crash = Crash("subscriber:subscriber-1", at_s=3.0, for_s=0.5)
    result = run(Scenario(traffic, system, events=[crash]))
    (dealing,) = dealings(result)

    assert dealing.done.all()
    assert (dealing.processed > 1).any()
    offsets = result.columns("deliveries")
    first = offsets["delivery_count"] == 1
    for partition in range(3):
        mine = first & (offsets["partition"] == partition)
        assert (offsets["offset"][mine][1:] > offsets["offset"][mine][:-1]).all()
    rows = offsets["record_id"][first]
    assert (rows[1:] < rows[:-1]).any()
