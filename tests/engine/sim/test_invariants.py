"""Each invariant sees what it is there for."""

from collections.abc import Callable

import pytest

from kafkasim.engine.sim.systems.kafka import KafkaRun
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.keys import UniformKeys
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic


def finished_run() -> KafkaRun:
    scenario = Scenario(
        Traffic(
            {"web": Source("orders", Periodic(500.0), keys=UniformKeys(9))},
            {"b": Subscriber(["orders"])},
            duration_s=0.1,
        ),
        system=Kafka(
            topics={"orders": Topic(partitions=2)}, groups={"b": Group(members=2)}
        ),
    )
    run = KafkaRun(scenario, scenario.plan(), check=True)
    run.run()
    return run


def high_watermark_goes_back(run: KafkaRun) -> None:
    run.partitions[0].log.high_watermark = 1


def high_watermark_passes_the_log_end(run: KafkaRun) -> None:
    run.partitions[0].log.high_watermark += 1


def a_batch_overlaps_the_one_before(run: KafkaRun) -> None:
    first = run.partitions[0]
    first.batches.append(first.batches[-1])
    first.base_offsets.append(first.base_offsets[-1])


def more_is_committed_than_was_processed(run: KafkaRun) -> None:
    group = run.groups["b"]
    group.committed[0] = group.processed[0] + 1


def two_members_own_one_partition(run: KafkaRun) -> None:
    one, other = run.members["b"]
    other.owned.extend(one.owned)


def a_position_goes_back(run: KafkaRun) -> None:
    run.members["b"][0].positions[0] -= 1


@pytest.mark.parametrize(
    ("breaks", "rule"),
    [
        (high_watermark_goes_back, "high watermark"),
        (high_watermark_passes_the_log_end, "high watermark"),
        (a_batch_overlaps_the_one_before, "offsets without gaps"),
        (more_is_committed_than_was_processed, "committed"),
        (two_members_own_one_partition, "one owner"),
        (a_position_goes_back, "positions rise"),
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
    assert {violation.at_ns for violation in run.inspection.violations} == {7}


def test_one_rule_broken_in_one_place_is_one_violation() -> None:
    run = finished_run()
    assert run.inspection is not None
    more_is_committed_than_was_processed(run)
    run.inspection.inspect(now_ns=7)
    run.inspection.inspect(now_ns=8)
    assert len(run.inspection.violations) == 1
