"""Kafka opens the folders of a simulated run, and finds what the run's tables say."""

from pathlib import Path
from typing import Any

import pytest

import kafkasim as ks
from kafkasim.config.topic import TopicConfig
from tests.cluster.beside import files_of
from tests.cluster.kafka import Kafka
from tests.cluster.test_folders import (
    INDEXES,
    complaints,
    read_all,
    seen_by_kafka,
)

pytestmark = pytest.mark.cluster

POLICIES: dict[str, dict[str, Any]] = {
    "delete": {"retention_ms": 1_000},
    "compact": {"cleanup_policy": "compact", "min_cleanable_dirty_ratio": 0.1},
}
INTERVAL_BYTES = 500
DUMPED = INDEXES | {".log"}
OFTEN = ks.BrokerConfig(
    log_retention_check_interval_ms=200,
    log_initial_task_delay_ms=0,
    log_cleaner_backoff_ms=200,
)


def traffic() -> ks.Traffic:
    orders = ks.Source("orders", ks.Poisson(rate_per_s=300), keys=ks.UniformKeys(20))
    billing = ks.Subscriber(["orders"], work_ms=1.0)
    return ks.Traffic({"web": orders}, {"billing": billing}, duration_s=3)


def rows_of(folder: Path, kafka: Kafka) -> tuple[dict[str, Any], list[Any]]:
    """Let Kafka recover a folder; return its state, and all records from its start."""
    config = {"index.interval.bytes": INTERVAL_BYTES, "retention.ms": -1}
    state = kafka.ask("open", folder=str(folder), config=config, now_ms=2**41)
    rows = [row for data in read_all(kafka) for row in seen_by_kafka(kafka, data)]
    kafka.ask("close")
    return state, [row for row in rows if row[-1] >= state["log_start_offset"]]


@pytest.mark.parametrize("policy", POLICIES)
def test_kafka_opens_what_a_run_has_written(
    policy: str, kafka: Kafka, tmp_path: Path
) -> None:
    config = TopicConfig(
        segment_ms=500, index_interval_bytes=INTERVAL_BYTES, **POLICIES[policy]
    )
    topic = ks.Topic(partitions=2, config=config)
    system = ks.Kafka(topics={"orders": topic}, broker_config=OFTEN)
    result = ks.run(ks.Scenario(traffic(), system, seed=3), logs=tmp_path)
    records = result.records

    for number in range(2):
        folder = tmp_path / "broker-1" / f"orders-{number}"
        before = files_of(folder)
        logs = [str(folder / name) for name in before if Path(name).suffix in DUMPED]
        said = kafka.ask("dump", arguments=["--files", ",".join(logs)])
        state, rows = rows_of(folder, kafka)
        after = files_of(folder)

        assert list(complaints(said)) == [] and "isvalid: false" not in said
        mine = records[records["partition"] == number]
        sent = set(mine["offset"])
        assert state["log_end_offset"] == max(sent) + 1
        kept = {row[-1] for row in rows}
        if policy == "delete":
            start = state["log_start_offset"]
            assert kept == {at for at in sent if at >= start} and start > 0
            unchanged = [name for name in before if Path(name).suffix in DUMPED]
            assert all(after[name] == before[name] for name in unchanged)
        else:
            assert set(mine.groupby("key")["offset"].max()) <= kept < sent
