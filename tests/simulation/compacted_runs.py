"""Random clusters whose compacted topics have copies, each from one number."""

from collections.abc import Iterator
from dataclasses import replace

from kafkasim.analysis.receiving import receipts
from kafkasim.result.result import Result
from kafkasim.scenario.events import Crash, DeleteRecords
from kafkasim.scenario.keys import UniformKeys
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, Topic
from tests.simulation import fault_runs
from tests.simulation.fault_runs import Dice


def scenario_of(seed: int) -> Scenario:
    """Return the scenario of a number: that of `fault_runs`, its topic compacted."""
    scenario = fault_runs.scenario_of(seed)
    assert isinstance(scenario.system, Kafka)
    dice = Dice(seed + 1_000_000)
    topic = scenario.system.topics["orders"]
    config = replace(
        topic.config,
        cleanup_policy=dice.one("compact", "compact", "compact,delete"),
        segment_ms=dice.one(100, 300, 1_000),
        internal_segment_bytes=dice.one(0, 20_000),
        min_cleanable_dirty_ratio=dice.one(0.0, 0.5),
        min_compaction_lag_ms=dice.one(0, 0, 400),
        delete_retention_ms=dice.one(0, 300, 86_400_000),
        retention_ms=dice.one(-1, 700, 2_000),
        segment_jitter_ms=dice.one(0, 50),
    )
    broker = replace(
        scenario.system.broker_config,
        log_cleaner_backoff_ms=dice.one(30, 200, 1_500),
    )
    sources = {
        name: replace(
            source,
            keys=UniformKeys(dice.one(3, 9, 40)),
            tombstones=dice.one(0.0, 0.2),
            value_bytes=min(source.value_bytes, 1_000),  # type: ignore[type-var]
        )
        for name, source in scenario.traffic.sources.items()
    }
    topics = {"orders": Topic(topic.partitions, topic.replication_factor, config)}
    events = [
        replace(event, lose_disk=False) if isinstance(event, Crash) else event
        for event in scenario.events
        if not isinstance(event, DeleteRecords)  # Kafka refuses it here
    ]
    return replace(
        scenario,
        events=tuple(events),
        traffic=replace(scenario.traffic, sources=sources),
        system=replace(scenario.system, topics=topics, broker_config=broker),
    )


def wrongs(result: Result) -> Iterator[str]:
    """Yield what does not hold of a run."""
    yield from fault_runs.unfinished(result)
    if not result.facts["drained"]:
        return
    found = receipts(result)
    kept = result.columns("records")["log_copies"][found["record_id"].to_numpy()] > 0
    if len(pending := found[kept & (found["outcome"] == "pending")]):
        yield f"neither read nor gone: {pending.head(5).to_dict('records')}"
