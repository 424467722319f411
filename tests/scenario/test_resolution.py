import numpy as np
import pytest

from kafkasim.config.frozen import UNSET
from kafkasim.config.producer import ProducerConfig
from kafkasim.config.topic import TopicConfig
from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.resolution import (
    resolved_system,
    resolved_traffic,
    stream_names,
)
from kafkasim.scenario.systems import Group, Kafka, Producer, Topic
from kafkasim.scenario.trace import Trace
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.units import ns_from_s

TRAFFIC = Traffic(
    {
        "web": Source("orders", Poisson(10)),
        "app": Source("orders", Poisson(10)),
        "till": Source("sales", Poisson(10)),
    },
    {"billing": Subscriber(["orders", "sales"])},
    duration_s=10,
)


def test_a_topic_per_stream_a_producer_per_source_a_group_per_subscriber() -> None:
    system = resolved_system(Kafka(), TRAFFIC)

    assert isinstance(system, Kafka)
    topic = Topic(config=TopicConfig().resolve())
    assert system.topics == {"orders": topic, "sales": topic}
    assert list(system.producers) == ["web", "app", "till"]
    assert list(system.groups) == ["billing"]
    assert system.groups["billing"].members == 1
    assert system.producers["app"].config == ProducerConfig().resolve()
    assert system.broker_config.num_io_threads == 8


def test_what_was_said_stays() -> None:
    said = Kafka(
        topics={"sales": Topic(partitions=6)},
        producers={"web": Producer(ProducerConfig(acks="1"))},
        groups={"billing": Group(members=3)},
    )

    system = resolved_system(said, TRAFFIC)

    assert isinstance(system, Kafka)
    config = TopicConfig().resolve()
    sales = Topic(partitions=6, config=config)
    assert system.topics == {"sales": sales, "orders": Topic(config=config)}
    assert system.producers["web"].config.enable_idempotence is False
    assert system.groups["billing"].members == 3


def test_filling_in_again_changes_nothing() -> None:
    once = resolved_system(Kafka(), TRAFFIC)

    assert resolved_system(once, TRAFFIC) == once
    assert resolved_system(PointToPoint(), TRAFFIC) == PointToPoint()


def test_streams_are_named_in_the_order_of_their_first_source() -> None:
    assert stream_names(TRAFFIC) == ("orders", "sales")


@pytest.mark.parametrize(
    "last_ns", [0, 1, 999_999_999, 10**9, 31_535_999_999_999_999, 2**61]
)
def test_traces_alone_last_as_long_as_the_longest(last_ns: int) -> None:
    traces = {
        "a": Source("s", Trace(np.array([0]), {})),
        "b": Source("s", Trace(np.array([0, last_ns]), {})),
    }

    traffic = resolved_traffic(Traffic(traces, {}))

    covered_ns = ns_from_s(traffic.duration_s)
    assert last_ns < covered_ns <= last_ns + 1 + last_ns // 2**51
    assert resolved_traffic(traffic) == traffic


def test_a_duration_is_not_invented_where_a_law_could_go_on_for_ever() -> None:
    traffic = Traffic({"web": Source("orders", Poisson(10))}, {})

    assert resolved_traffic(traffic).duration_s is UNSET
