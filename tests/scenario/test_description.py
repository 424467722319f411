import numpy as np

from kafkasim.config.producer import ProducerConfig
from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.description import describe
from kafkasim.scenario.draft import Draft
from kafkasim.scenario.events import Crash
from kafkasim.scenario.keys import TraceColumn, UniformKeys
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.systems import Group, Kafka, Producer
from kafkasim.scenario.trace import Trace
from kafkasim.scenario.trace_columns import CodedColumn
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

TRAFFIC = Traffic(
    {"web": Source("orders", Poisson(10), keys=UniformKeys(3), tombstones=0.25)},
    {"billing": Subscriber(["orders"], work_ms=2, from_s=5, wants="all")},
    duration_s=60,
    warmup_s=5,
)


def test_a_cluster_is_described_and_what_was_filled_in_is_marked() -> None:
    kafka = Kafka(producers={"web": Producer(ProducerConfig(acks="1", linger_ms=5))})
    crash = Crash("subscriber:billing", at_s=3)

    text = describe(Draft(TRAFFIC, kafka, seed=7, events=[crash], name="shop"))

    assert text == (
        "Scenario 'shop'\n"
        "  seed 7; ends when every wanted record is settled, or after 600 s without "
        "progress\n"
        "\n"
        "Traffic: 60 s from 2026-01-01T00:00:00Z, warm-up 5 s\n"
        "  source web → stream orders: Poisson(rate_per_s=10.0), keys "
        "UniformKeys(count=3), entity the key, value 100 bytes, 25.0% null\n"
        "  subscriber billing ← orders: work 2.0 ms, comes at 5 s, wants everything\n"
        "\n"
        "System: Kafka 4.3\n"
        "  1 broker: Kafka's default settings\n"
        "  topic orders: partitions 1, replication_factor 1, Kafka's default settings  "
        "(filled in)\n"
        "  producer web: acks 1, enable_idempotence False (follows from the others), "
        "linger_ms 5\n"
        "  group billing: members 1, auto_offset_reset earliest (follows from the "
        "others)  (filled in)\n"
        "  network: 0.2 ms one way, 1250 MB/s per host\n"
        "  processors: 0.05 ms a request and 0.5 ms a MB\n"
        "\n"
        "Events\n"
        "  Crash(target='subscriber:billing', at_s=3.0)\n"
        "\n"
        "Not modelled yet\n"
        "  transactions; groups that divide records (share groups), and Kafka Streams\n"
        "  what compression costs, and logs= writes nothing compressed\n"
        "  logs that take time to load; disks, unless the hardware has some\n"
        "  timeouts of producers while no topic has two copies and no broker fails\n"
        "  in this run joining and rebalances: no group starts cold, and no event is "
        "at a member or a coordinator (unless a member polls too late)"
    )


def test_a_run_with_coordinators_leaves_out_no_rebalances() -> None:
    traffic = Traffic({}, {"billing": Subscriber(["orders"])}, duration_s=1)
    cold = Kafka(groups={"billing": Group(start="cold")})

    assert "joining and rebalances" in describe(Draft(traffic, Kafka()))
    assert "joining and rebalances" not in describe(Draft(traffic, cold))


def test_a_trace_gives_the_duration_and_its_columns() -> None:
    trace = Trace(
        np.array([0, 10**9]), {"tail": CodedColumn(np.array([0, 1]), ("a", "b"))}
    )
    source = Source("flights", trace, entity=TraceColumn("tail"))

    text = describe(Draft(Traffic({"a": source}, {}), PointToPoint(), end="cut"))

    assert "Traffic: 1 s from 2026-01-01T00:00:00Z  (filled in)" in text
    assert "no keys, entity column tail" in text
    assert "stops when the traffic's duration is over" in text
    assert "System: point to point" in text
    assert "Events: none" in text
