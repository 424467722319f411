import pytest

from kafkasim.errors import ValidationError
from kafkasim.experiments.running import run
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.distributions import Exponential
from kafkasim.scenario.hardware import Cpu, Hardware, Link
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic


def test_a_default_cluster_says_nothing() -> None:
    assert Kafka().to_dict() == {}
    assert repr(Kafka()) == "Kafka()"


def test_a_delay_is_a_number_or_a_distribution() -> None:
    fixed = Hardware(link=Link(delay_ms=1))
    drawn = Hardware(link=Link(delay_ms=Exponential(1)))

    assert fixed.link.to_dict() == {"delay_ms": 1.0}
    assert drawn.link.to_dict() == {"delay_ms": {"kind": "exponential", "mean": 1.0}}
    assert Hardware.from_dict(drawn.to_dict()) == drawn


def test_a_request_takes_a_fixed_time_or_a_drawn_one() -> None:
    drawn = Hardware(cpu=Cpu(request_ms=Exponential(1)))

    assert Hardware(cpu=Cpu(request_ms=1)).cpu.to_dict() == {"request_ms": 1.0}
    assert drawn.to_dict() == {
        "cpu": {"request_ms": {"kind": "exponential", "mean": 1.0}}
    }
    assert Hardware.from_dict(drawn.to_dict()) == drawn


def test_on_ideal_hardware_a_large_record_waits_for_its_linger_alone() -> None:
    source = Source("files", Periodic(1), value_bytes=1_000_000)
    scenario = Scenario(
        Traffic({"disk": source}, {"copy": Subscriber(["files"])}, duration_s=3),
        Kafka(hardware=Hardware.ideal()),
    )

    records = run(scenario).columns("records")

    waited_ns = records["acked_ns"] - records["created_ns"]  # linger.ms is 5
    assert waited_ns.tolist() == [5_000_002, 5_000_002, 5_000_002]


def test_there_are_brokers_for_all_copies() -> None:
    """PL-1."""
    Kafka(brokers=3, topics={"orders": Topic(replication_factor=3)})
    with pytest.raises(ValidationError, match="at most 2") as caught:
        Kafka(brokers=2, topics={"orders": Topic(replication_factor=3)})

    assert caught.value.path == "topics.orders.replication_factor"


def test_another_version_is_refused() -> None:
    with pytest.raises(ValidationError, match="kafka_version"):
        Kafka(kafka_version="3.9")  # type: ignore[arg-type]


@pytest.mark.parametrize("field", ["bandwidth_mb_per_s", "delay_ms"])
def test_a_link_has_no_negative_figures(field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Link.from_dict({field: -1})

    assert caught.value.path == field
