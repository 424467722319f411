"""One line that says what ran."""

from kafkasim.analysis.provenance import provenance
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.events import Slow
from kafkasim.scenario.member_events import RemoveMember
from kafkasim.scenario.members import Member
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.rabbitmq import Consumers, RabbitMQ
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.testing.builders import small_result


def traffic(*subscribers: str) -> Traffic:
    return Traffic(
        {"web": Source(stream="orders", arrivals=Periodic(rate_per_s=1.0))},
        {name: Subscriber(streams=["orders"]) for name in subscribers},
        duration_s=60.0,
    )


def line(scenario: Scenario, records: int = 1) -> str:
    return provenance(small_result([{"intended_ms": 0}] * records, scenario=scenario))


def test_kafka_is_said_with_its_sizes() -> None:
    kafka = Kafka(
        topics={"orders": Topic(partitions=4)}, groups={"billing": Group(members=2)}
    )
    scenario = Scenario(traffic("billing"), kafka, seed=7)
    assert line(scenario, records=1_234) == (
        "Kafka, 1 broker; orders: 4 partitions; billing: 2 members; "
        "1,234 records in 60 s; seed 7"
    )


def test_another_system_is_said_in_words_and_events_and_the_name_too() -> None:
    scenario = Scenario(
        traffic("billing"),
        PointToPoint(),
        events=[Slow("subscriber:billing", at_s=5.0, factor=4.0)],
        name="slow billing",
    )
    assert line(scenario) == (
        "slow billing; Point to point; 1 record in 60 s; "
        "slow of subscriber:billing at 5 s; seed 0"
    )


def test_rabbitmq_is_said_with_its_nodes_and_consumers() -> None:
    rabbit = RabbitMQ(nodes=3, consumers={"billing": Consumers(count=4)})
    scenario = Scenario(traffic("billing", "audit"), rabbit, seed=7)
    assert line(scenario) == (
        "RabbitMQ, 3 nodes; billing: 4 consumers; audit: 1 consumer; "
        "1 record in 60 s; seed 7"
    )


def test_an_event_is_said_in_words() -> None:
    leaves = RemoveMember("member:billing/1", at_s=5.5)

    said = line(Scenario(traffic("billing"), events=[leaves]))

    assert "; remove member of member:billing/1 at 5.5 s; " in said


def test_many_groups_are_counted_together() -> None:
    assert "; 4 members; " in line(Scenario(traffic("a", "b", "c", "d")))


def test_members_by_name_are_counted() -> None:
    said = Group(members={"a": Member(instance_id="x"), "b": Member()})
    kafka = Kafka(groups={"billing": said})

    assert "; billing: 2 members; " in line(Scenario(traffic("billing"), kafka))
