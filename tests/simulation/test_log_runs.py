"""Random scenarios on logs that delete and compact: what is gone is accounted for.

A failure prints the scenario; `Scenario.from_dict` of what it prints runs it again.
"""

import tempfile
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
from hypothesis import given, note
from hypothesis import strategies as st

from kafkasim.analysis.dealings import RECEIPT_OUTCOMES
from kafkasim.analysis.receiving import receipts
from kafkasim.config.broker import BrokerConfig
from kafkasim.config.topic import TopicConfig
from kafkasim.engine.sim.run import run
from kafkasim.log.contents import ByteBatch
from kafkasim.log.fsck import fsck
from kafkasim.log.opening import open_partition
from kafkasim.log.partition_log import PartitionLog
from kafkasim.log.store import FolderStore
from kafkasim.protocol.producing import sticky
from kafkasim.result.result import Result
from kafkasim.scenario import arrivals, blocks
from kafkasim.scenario.events import Event
from kafkasim.scenario.keys import UniformKeys
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, Topic
from kafkasim.scenario.traffic import Traffic
from kafkasim.units import MISSING_NS
from tests.simulation.test_random_runs import (
    SUBSCRIBERS,
    clusters,
    faults_of_a_run,
    processed,
    traffics,
)
from tests.simulation.test_streamed_runs import check_same
from tests.tiers import dear

SEEDS = st.integers(0, 2**31)

DEAR = dear()
"""For properties that take several runs each: half of the examples in the quick tier.
"""


@st.composite
def logs(draw: st.DrawFn, *policies: str) -> Kafka:
    """Draw a cluster whose logs roll, delete and compact within 0.3 s."""
    kafka = draw(clusters())
    config = TopicConfig(
        cleanup_policy=draw(st.sampled_from(policies)),
        internal_segment_bytes=draw(st.sampled_from([0, 20_000, 100_000])),
        segment_ms=draw(st.sampled_from([5, 30, 100])),
        index_interval_bytes=draw(st.sampled_from([0, 4_096])),
        retention_ms=draw(st.sampled_from([-1, 20, 80])),
        retention_bytes=draw(st.sampled_from([-1, -1, 30_000])),
        min_cleanable_dirty_ratio=draw(st.sampled_from([0.0, 0.5])),
        min_compaction_lag_ms=draw(st.sampled_from([0, 0, 50])),
        delete_retention_ms=draw(st.sampled_from([0, 40])),
    )
    interval_ms = draw(st.sampled_from([7, 50]))
    broker = BrokerConfig(
        num_io_threads=kafka.broker_config.num_io_threads,
        log_retention_check_interval_ms=interval_ms,
        log_initial_task_delay_ms=draw(st.sampled_from([0, 10])),
        log_cleaner_backoff_ms=interval_ms,
    )
    topic = Topic(partitions=kafka.topics["orders"].partitions, config=config)
    return replace(kafka, topics={"orders": topic}, broker_config=broker)


def scenario_of(
    traffic: Traffic, kafka: Kafka, faults: list[Event], seed: int
) -> Scenario:
    if kafka.topics["orders"].config.compacts:
        sources = {
            name: replace(source, keys=UniformKeys(9))
            for name, source in traffic.sources.items()
        }
        traffic = replace(traffic, sources=sources)
    scenario = Scenario(traffic, system=kafka, seed=seed, events=tuple(faults))
    note(scenario.to_toml())
    return scenario


@DEAR
@given(traffics(), logs("delete", "compact", "compact,delete"), faults_of_a_run, SEEDS)
def test_what_a_subscriber_does_not_process_has_left_its_log(
    traffic: Traffic, kafka: Kafka, faults: list[Event], seed: int
) -> None:
    result = run(scenario_of(traffic, kafka, faults, seed), check=True)
    assert result.table("violations").to_dict("records") == []
    assert result.facts["drained"] == 1
    found = receipts(result)
    assert set(found["outcome"].unique()) <= {
        "once", "duplicated", "expired", "skipped"
    }  # fmt: skip
    gone = _removed(result)
    for name in SUBSCRIBERS:
        mine = found[found["subscriber"] == name]
        expired = set(mine["record_id"][mine["outcome"] == "expired"])
        assert expired <= gone
        done = mine["outcome"].isin(["once", "duplicated"])
        assert set(mine["record_id"][done]) == processed(result, name) & set(
            mine["record_id"]
        )


def _removed(result: Result) -> set[int]:
    """Records that left their logs, each once."""
    records, removals = result.columns("records"), result.columns("removals")
    rows: list[int] = []
    for number in range(len(removals)):
        inside = records["partition"] == removals["partition"][number]
        inside &= records["offset"] >= removals["from_offset"][number]
        inside &= records["offset"] < removals["to_offset"][number]
        size = removals["to_offset"][number] - removals["from_offset"][number]
        found = np.flatnonzero(inside)
        assert len(found) == size
        assert (records["appended_ns"][found] <= removals["at_ns"][number]).all()
        rows += found.tolist()
    assert len(set(rows)) == len(rows)
    return set(rows)


@given(traffics(), logs("delete", "compact", "compact,delete"), SEEDS)
def test_segments_hold_what_was_appended_and_not_removed(
    traffic: Traffic, kafka: Kafka, seed: int
) -> None:
    result = run(scenario_of(traffic, kafka, [], seed))
    segments, records = result.columns("segments"), result.columns("records")
    there = segments["deleted_ns"] == MISSING_NS
    held = int(segments["record_count"][there].sum())
    assert held == int((records["offset"] >= 0).sum()) - len(_removed(result))
    for partition in np.unique(segments["partition"]):
        mine = there & (segments["partition"] == partition)
        order = np.argsort(segments["base_offset"][mine])
        ends = segments["end_offset"][mine][order]
        # No two overlap; only the last takes batches.
        assert (ends[:-1] <= segments["base_offset"][mine][order][1:]).all()
        rolled = segments["rolled_ns"][mine][order] != MISSING_NS
        assert rolled.tolist() == [True] * (len(ends) - 1) + [False]


@given(traffics(), logs("compact"), SEEDS)
def test_compaction_leaves_the_newest_record_of_every_key(
    traffic: Traffic, kafka: Kafka, seed: int
) -> None:
    """DS-31: a later record of its key, or its own null value, lets a record go."""
    result = run(scenario_of(traffic, kafka, [], seed))
    records = result.columns("records")
    newest: dict[tuple[int, int], int] = {}
    for row in np.argsort(records["offset"], kind="stable").tolist():
        newest[int(records["partition"][row]), _key(result, row)] = row
    for row in _removed(result):
        last = newest[int(records["partition"][row]), _key(result, row)]
        no_key = int(records["key"][row]) < 0
        assert last != row or records["value_bytes"][row] == -1 or no_key


def _key(result: Result, row: int) -> int:
    return int(result.columns("records")["key"][row])


@DEAR
@given(
    traffics(),
    logs("delete"),
    faults_of_a_run,
    SEEDS,
    st.integers(1, 60),
    st.sampled_from(["cut", "drain"]),
)
def test_a_streamed_run_counts_what_expired(  # noqa: PLR0917
    traffic: Traffic, kafka: Kafka, faults: list[Event], seed: int, block: int, end: str
) -> None:
    scenario = replace(scenario_of(traffic, kafka, faults, seed), end=end)  # type: ignore[arg-type]
    full = run(scenario)
    with (
        patch.object(blocks, "BLOCK", block),
        patch.object(arrivals, "_BLOCK", 2 * block),
        patch.object(sticky, "_TRIM", block),
    ):
        check_same(run(scenario, result="streamed"), full)


@DEAR
@given(traffics(), logs("delete", "compact", "compact,delete"), SEEDS)
def test_the_logs_of_a_run_are_those_its_tables_tell_of(
    traffic: Traffic, kafka: Kafka, seed: int
) -> None:
    scenario = scenario_of(traffic, kafka, [], seed)
    with tempfile.TemporaryDirectory() as where:
        folder = Path(where)
        result = run(scenario, logs=folder)
        assert result.digest == run(scenario).digest
        segments, records = result.columns("segments"), result.columns("records")
        keys = records.labels["key"]
        gone = _removed(result)
        for partition in range(kafka.topics["orders"].partitions):
            broker = partition % kafka.brokers + 1
            where_it_is = folder / f"broker-{broker}" / f"orders-{partition}"
            store = FolderStore(where_it_is)
            mine = (segments["partition"] == partition) & (
                segments["deleted_ns"] == MISSING_NS
            )
            files = {n: store.size(n) for n in store.names() if n.endswith(".log")}
            assert files == {
                f"{base:020}.log": size
                for base, size in zip(
                    segments["base_offset"][mine].tolist(),
                    segments["size_bytes"][mine].tolist(),
                    strict=True,
                )
            }
            config = kafka.topics["orders"].config.resolve()
            log = _opened(where_it_is, config, int(segments["base_offset"][mine].min()))
            read = _everything(log)
            rows = np.flatnonzero(
                (records["partition"] == partition) & (records["offset"] >= 0)
            )
            rows = rows[np.argsort(records["offset"][rows])]
            assert read == [
                (
                    int(records["offset"][row]),
                    None if records["key"][row] < 0 else keys[records["key"][row]],
                    int(records["value_bytes"][row]),
                )
                for row in rows.tolist()
                if row not in gone
            ]


def _opened(
    folder: Path, config: TopicConfig, first_base: int
) -> PartitionLog[ByteBatch]:
    """Open a folder of a run, in which there is nothing to complain of."""
    report = fsck(folder)
    assert report.ok, str(report)
    log = open_partition(folder, config)
    start = 0 if config.cleanup_policy == "compact" else first_base
    assert log.log_start_offset == start
    assert log.high_watermark == log.log_end_offset
    # The leader has been one all the time; a log without records knows none.
    epochs = [(0, start)] if start < log.log_end_offset else []
    assert [*map(tuple, log.leader_epochs.entries)] == epochs
    return log


def _everything(
    log: PartitionLog[ByteBatch],
) -> list[tuple[int, str | None, int]]:
    """Offset, key and size of the value of every record in a log."""
    found = []
    offset = log.log_start_offset
    while offset < log.log_end_offset:
        read = log.read(offset)
        found += [
            (
                record.offset,
                None if record.key is None else record.key.decode(),
                -1 if record.value is None else len(record.value),
            )
            for record in read.records()
        ]
        if read.next_offset == offset:
            break
        offset = read.next_offset
    return found


def test_every_outcome_of_a_receipt_is_known() -> None:
    assert "expired" in RECEIPT_OUTCOMES
