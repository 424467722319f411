"""Each invariant of copies and leaders sees what it is there for."""

from collections.abc import Callable

import pytest

from kafkasim.engine.sim.systems.kafka import KafkaRun
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic


def finished_run() -> KafkaRun:
    scenario = Scenario(
        Traffic(
            {"web": Source("orders", Periodic(500.0))},
            {"b": Subscriber(["orders"])},
            duration_s=0.1,
        ),
        system=Kafka(brokers=3, topics={"orders": Topic(replication_factor=3)}),
    )
    run = KafkaRun(scenario, scenario.plan(), check=True)
    run.run()
    return run


def the_high_watermark_goes_back(run: KafkaRun) -> None:
    run.partitions[0].log.high_watermark -= 1


def the_high_watermark_passes_a_copys_end(run: KafkaRun) -> None:
    follower = run.partitions[0].replicas[1].log
    follower.log_end_offset = run.partitions[0].log.high_watermark - 1


def a_copy_has_another_batch(run: KafkaRun) -> None:
    partition = run.partitions[0]
    held = partition.replicas[2].active.batches
    held[-1] = held[0]


def two_brokers_lead(run: KafkaRun) -> None:
    partition = run.partitions[0]
    partition.replicas[1].state = partition.replicas[0].state


@pytest.mark.parametrize(
    ("breaks", "rule"),
    [
        (the_high_watermark_goes_back, "high watermark"),
        (the_high_watermark_passes_a_copys_end, "high watermark"),
        (a_copy_has_another_batch, "copies agree"),
        (two_brokers_lead, "one leader"),
    ],
)
def test_what_is_broken_on_purpose_is_found(
    breaks: Callable[[KafkaRun], None], rule: str
) -> None:
    run = finished_run()
    assert run.inspection is not None
    assert run.inspection.violations == []

    breaks(run)
    run.inspection.inspect(now_ns=7)

    assert {violation.rule for violation in run.inspection.violations} == {rule}
