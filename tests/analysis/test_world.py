"""What analysis reads of a scenario."""

from kafkasim.analysis.world import world_of
from kafkasim.config.producer import ProducerConfig
from kafkasim.result.wants import Want
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, Producer, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.testing.builders import small_result

TRAFFIC = Traffic(
    {"web": Source(stream="orders", arrivals=Periodic(rate_per_s=1.0))},
    {
        "billing": Subscriber(streams=["orders"]),
        "audit": Subscriber(streams=["orders"], from_s=0.25, wants="all"),
    },
    duration_s=1.0,
    warmup_s=0.5,
)


def test_times_become_nanoseconds_and_wants_keep_the_scenarios_order() -> None:
    world = world_of(small_result(scenario=Scenario(TRAFFIC)))
    assert world.wants == (
        Want("billing", ("orders",), 0, "new"),
        Want("audit", ("orders",), 250_000_000, "all"),
    )
    assert world.warmup_ns == 500_000_000
    assert world.partition_counts == {"orders": 1}


def test_empty_partitions_count() -> None:
    kafka = Kafka(topics={"orders": Topic(partitions=6)})
    result = small_result(
        [{"intended_ms": 0, "partition": 1, "offset": 0}],
        scenario=Scenario(TRAFFIC, kafka),
    )
    assert world_of(result).partition_counts == {"orders": 6}


def test_sources_whose_keys_are_ignored_are_named() -> None:
    assert world_of(small_result(scenario=Scenario(TRAFFIC))).ignoring_keys == set()
    config = ProducerConfig(partitioner_ignore_keys=True)
    kafka = Kafka(producers={"web": Producer(config=config)})
    result = small_result(scenario=Scenario(TRAFFIC, kafka))
    assert world_of(result).ignoring_keys == {"web"}


def test_queues_that_no_scenario_names_are_those_that_records_show() -> None:
    result = small_result(
        [{"intended_ms": 0, "topic": "q", "partition": 2, "offset": 0}],
        scenario=Scenario(TRAFFIC, PointToPoint()),
    )
    assert world_of(result).partition_counts == {"q": 3}


def test_the_topic_of_offsets_is_no_topic_of_a_scenario() -> None:
    result = small_result(
        [{"intended_ms": 0, "topic": "__consumer_offsets", "partition": 2}],
        scenario=Scenario(TRAFFIC),
    )
    assert world_of(result).partition_counts == {"orders": 1}
