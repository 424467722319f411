"""What compaction may take from no copy is missed when it is gone."""

from collections.abc import Callable

import numpy as np
import pytest

from kafkasim.config.broker import BrokerConfig
from kafkasim.config.topic import TopicConfig
from kafkasim.engine.sim.planned_batches import CleanedBatch, parts
from kafkasim.engine.sim.replica import contents_of
from kafkasim.engine.sim.systems.kafka import KafkaRun
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.keys import UniformKeys
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, Topic
from kafkasim.scenario.traffic import Source, Traffic


def finished_run(tombstones: float = 0.0, **config: int) -> KafkaRun:
    """Three copies of a compacted log, compacted every 20 ms; all keys are the same."""
    scenario = Scenario(
        Traffic(
            {
                "web": Source(
                    "orders",
                    Periodic(500.0),
                    keys=UniformKeys(1),
                    tombstones=tombstones,
                )
            },
            {},
            duration_s=0.2,
        ),
        system=Kafka(
            brokers=3,
            topics={
                "orders": Topic(
                    replication_factor=3,
                    config=TopicConfig(
                        cleanup_policy="compact",
                        segment_ms=30,
                        min_cleanable_dirty_ratio=0.0,
                        **config,  # type: ignore[arg-type]
                    ),
                )
            },
            broker_config=BrokerConfig(log_cleaner_backoff_ms=20),
        ),
    )
    run = KafkaRun(scenario, scenario.plan(), check=True)
    run.run()
    return run


def take_newest(run: KafkaRun, node: int) -> None:
    """Take the last record of a copy, as a round of compaction would."""
    replica = run.partitions[0].replicas[node]
    batches = contents_of(replica.log.active)
    batch, _ = parts(batches.at(batches.positions[-2]))
    deltas = np.arange(batch.hi - batch.lo - 1)
    assert batch.header is not None
    batches.batches[-1] = CleanedBatch(batch, deltas, batch.header)
    batches.dense = False
    assert replica.log.first_dirty_offset is not None
    replica.log.first_dirty_offset += 1


def at(now_ns: int) -> Callable[[KafkaRun], list[str]]:
    def look(run: KafkaRun) -> list[str]:
        assert run.inspection is not None
        run.inspection.inspect(now_ns)
        return [violation.rule for violation in run.inspection.violations]

    return look


@pytest.mark.parametrize("node", [0, 1, 2])
def test_the_newest_record_of_a_key_is_missed_in_any_copy(node: int) -> None:
    run = finished_run()
    assert at(run.calendar.now_ns)(run) == []

    take_newest(run, node)

    assert at(run.calendar.now_ns)(run) == ["newest of each key"]


def test_a_tombstone_may_go_when_its_time_is_over() -> None:
    for delete_retention_ms, missed in ((0, []), (10_000, ["newest of each key"])):
        run = finished_run(1.0, delete_retention_ms=delete_retention_ms)
        assert at(run.calendar.now_ns)(run) == []

        take_newest(run, 1)

        assert at(run.calendar.now_ns)(run) == missed


def test_what_a_copy_does_not_reach_yet_is_not_missed() -> None:
    run = finished_run()
    replica = run.partitions[0].replicas[2]

    replica.truncate_to(replica.log.log_end_offset - 5, 0)

    assert "newest of each key" not in at(run.calendar.now_ns)(run)
