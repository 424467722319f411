"""Batches that a broker refuses: what the producer does, and what a log then holds.

Ten records of 170 bytes as a batch of one, all created within 10 ms, share a batch of
1,151 bytes: 61 for the header, 109 for each.
"""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kafkasim as ks
from kafkasim.config.topic import TopicConfig
from kafkasim.engine.sim.run import run
from kafkasim.errors import ValidationError
from kafkasim.log.opening import open_partition
from kafkasim.protocol.errors import NONE, REQUEST_TIMED_OUT
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, Topic
from kafkasim.scenario.traffic import Traffic
from tests.simulation.test_log_runs import _everything
from tests.simulation.test_random_runs import clusters, traffics
from tests.tiers import dear

PATIENCE_MS = 4_000
"""A tombstone beside a large record stays with it whenever their batch is split, as
`ProducerBatch.maxRecordSize` is an upper bound: both are sent and split until this is
over.
"""


def sent(
    *,
    count: int = 10,
    value_bytes: int = 100,
    topic: dict[str, Any] | None = None,
    keys: Any = None,  # noqa: ANN401 - a law of keys, or none
    partitions: int = 1,
    logs: Path | None = None,
    result: str = "full",
    **producer: Any,  # noqa: ANN401 - settings by name
) -> ks.Result:
    """Run a record each millisecond, gathered for 20 ms, and one reader."""
    source = ks.Source(
        "orders",
        ks.Periodic(1_000, 0.0),
        value_bytes=value_bytes,
        keys=keys or ks.NoKeys(),
    )
    cluster = ks.Kafka(
        topics={
            "orders": ks.Topic(
                partitions=partitions, config=ks.TopicConfig(**topic or {})
            )
        },
        producers={
            "shop": ks.Producer(ks.ProducerConfig(**{"linger_ms": 20, **producer}))
        },
    )
    traffic = ks.Traffic(
        {"shop": source},
        {"billing": ks.Subscriber(["orders"])},
        duration_s=count / 1_000,
    )
    scenario = ks.Scenario(traffic, cluster)
    return ks.run(scenario, check=True, logs=logs, result=result)  # type: ignore[arg-type]


def produced(result: ks.Result) -> list[tuple[int, int, str]]:
    """Records, bytes and error of each batch."""
    rows = result.batches[["record_count", "size_bytes", "error"]].astype(
        {"error": object}
    )
    return [*rows.fillna("").itertuples(index=False, name=None)]


def test_a_batch_that_is_too_large_is_split_by_batch_size_and_sent_again() -> None:
    """PR-39: the first time its parts are of `batch.size`, and no retry is counted."""
    whole = sent(batch_size=16_384)
    split = sent(batch_size=16_384, topic={"max_message_bytes": 1_151})
    assert produced(whole) == produced(split) == [(10, 1_151, "")]

    split = sent(batch_size=600, topic={"max_message_bytes": 1_150})
    assert {size for _, size, _ in produced(split)} == {497, 279}

    split = sent(batch_size=16_384, topic={"max_message_bytes": 1_150}, retries=0)
    assert produced(split) == [
        (10, 1_151, "MESSAGE_TOO_LARGE"),
        (10, 1_151, "MESSAGE_TOO_LARGE"),  # of `batch.size`, which is no smaller
        (4, 497, ""),  # half of that: 575 bytes
        (4, 497, ""),
        (2, 279, ""),
    ]
    assert split.batches.parent_batch_id.fillna(-1).tolist() == [-1, 0, 1, 1, 1]
    assert split.batches.attempts.tolist() == [1] * 5
    records = split.records
    assert set(records.outcome) == {"acked"}
    assert records.offset.tolist() == list(range(10))
    assert records.batch_id.tolist() == [2] * 4 + [3] * 4 + [4] * 2
    assert split.deliveries.record_id.tolist() == list(range(10))


def test_a_record_that_is_too_large_alone_has_failed() -> None:
    """PR-39, PR-5: the client's own limit is another one, and it was not over it."""
    result = sent(count=2, topic={"max_message_bytes": 169}, linger_ms=0)

    assert produced(result) == [(1, 170, "MESSAGE_TOO_LARGE")] * 2
    records = result.records
    assert set(records.outcome) == {"failed"}
    assert set(records.error) == {"MESSAGE_TOO_LARGE"}
    assert set(records.send_count) == {1}
    assert result.appends.empty
    assert result.deliveries.empty


@pytest.mark.parametrize(
    ("topic", "keys", "error"),
    [
        ({"internal_segment_bytes": 1_150}, None, "RECORD_LIST_TOO_LARGE"),
        ({"message_timestamp_before_max_ms": 15}, None, "INVALID_TIMESTAMP"),
        ({"cleanup_policy": "compact"}, ks.UniformKeys(5, 0.3), "INVALID_RECORD"),
    ],
)
def test_a_batch_that_cannot_be_mended_fails_with_all_its_records(
    topic: dict[str, Any], keys: ks.UniformKeys | None, error: str
) -> None:
    """PR-39: these are no errors of size, nor retriable; one record is enough."""
    result = sent(topic=topic, keys=keys)

    assert [each[2] for each in produced(result)] == [error]
    assert result.batches.attempts.tolist() == [1]
    assert set(result.records.error) == {error}
    (request,) = result.requests.query("api == 'Produce'").error
    assert request == error


def test_a_younger_batch_is_taken_by_a_topic_that_takes_none_too_old() -> None:
    result = sent(topic={"message_timestamp_before_max_ms": 15}, linger_ms=10)

    assert set(result.records.outcome) == {"acked"}


def test_after_a_refusal_an_idempotent_producer_counts_anew() -> None:
    """ID-5: the refused batch's numbers are free, so the epoch is raised."""
    result = sent(
        count=60,
        topic={"message_timestamp_before_max_ms": 15},
        linger_ms=20,
        batch_size=1_700,
    )

    # A batch of 15 records is full in 15 ms; one that waits for its linger is too old.
    assert produced(result)[:2] == [(15, 1_696, "")] * 2
    assert produced(result)[-1][2] == "INVALID_TIMESTAMP"
    assert "OUT_OF_ORDER_SEQUENCE_NUMBER" not in {each[2] for each in produced(result)}


def test_nobody_hears_of_a_refusal_with_acks_0() -> None:
    """PR-41: the broker closes the connection, and the client makes another one."""
    result = sent(
        count=100, topic={"max_message_bytes": 400}, acks="0", batch_size=1_000
    )

    assert set(result.records.outcome) == {"unacked"}
    assert set(result.records.log_copies) == {0}
    assert result.appends.empty
    produce = result.requests.query("api == 'Produce'")
    assert len(produce) > 1
    assert produce.answered_ms.isna().all()
    assert not result.requests.query("api == 'Metadata'").empty  # after each loss


def test_a_topic_with_the_brokers_time_tells_when_a_record_was_appended(
    tmp_path: Path,
) -> None:
    """`message.timestamp.type=LogAppendTime`: one time for all records of a batch."""
    stamped = sent(
        topic={"message_timestamp_type": "LogAppendTime"}, logs=tmp_path / "stamped"
    )
    plain = sent(logs=tmp_path / "plain")

    appended_ms = stamped.records.appended_ms.iloc[0]
    for folder, times in (
        ("stamped", {int(appended_ms)}),
        ("plain", set(range(10))),
    ):
        log = open_partition(
            tmp_path / folder / "broker-1" / "orders-0", TopicConfig().resolve()
        )
        read = [record.timestamp_ms for record in log.read(0).records()]
        start = 1_767_225_600_000
        assert {time - start for time in read} == times
    assert stamped.records.appended_ms.tolist() == plain.records.appended_ms.tolist()


def test_retention_goes_by_the_brokers_time_where_the_broker_stamps() -> None:
    """A batch is 50 ms on its way: so much younger is it where the broker stamps."""

    def gone(kind: str) -> int:
        source = ks.Source("orders", ks.Periodic(1_000, 0.0), value_bytes=100)
        config = ks.TopicConfig(
            message_timestamp_type=kind,  # type: ignore[arg-type]
            retention_ms=100,
            segment_ms=1,
        )
        looks_at_200_ms = ks.BrokerConfig(
            log_initial_task_delay_ms=200, log_retention_check_interval_ms=10_000
        )
        cluster = ks.Kafka(
            topics={"orders": ks.Topic(config=config)},
            producers={"shop": ks.Producer(ks.ProducerConfig(linger_ms=80))},
            broker_config=looks_at_200_ms,
            hardware=ks.Hardware(link=ks.Link(delay_ms=50.0)),
        )
        reads = ks.Subscriber(["orders"])
        traffic = ks.Traffic({"shop": source}, {"billing": reads}, duration_s=0.2)
        result = ks.run(ks.Scenario(traffic, cluster), check=True)
        return int((result.removals.to_offset - result.removals.from_offset).sum())

    assert gone("CreateTime") == 81  # the newest is of 80 ms
    assert gone("LogAppendTime") == 0  # it came at 130 ms


def test_a_streamed_run_says_that_it_knows_no_refusals() -> None:
    with pytest.raises(ValidationError, match="result='full'") as caught:
        sent(topic={"max_message_bytes": 1_000}, result="streamed")
    assert caught.value.path == "system.topics.orders.config.max_message_bytes"

    with pytest.raises(ValidationError, match="at least 1151") as caught:
        sent(topic={"internal_segment_bytes": 1_000}, result="streamed")
    assert caught.value.path == "system.topics.orders.config.internal_segment_bytes"


@dear()
@given(
    traffics(),
    clusters(),
    st.sampled_from([300, 1_000, 6_000]),
    st.sampled_from(["CreateTime", "LogAppendTime"]),
    st.integers(0, 2**31),
)
def test_what_is_split_again_and_again_stands_in_the_log_as_the_tables_say(
    traffic: Traffic, kafka: Kafka, most: int, kind: str, seed: int
) -> None:
    config = TopicConfig(
        max_message_bytes=most,
        message_timestamp_type=kind,  # type: ignore[arg-type]
    )
    partitions = kafka.topics["orders"].partitions
    topics = {"orders": Topic(partitions=partitions, config=config)}
    producers = {
        name: replace(
            producer,
            config=replace(
                producer.config,
                request_timeout_ms=PATIENCE_MS // 2,
                delivery_timeout_ms=PATIENCE_MS,
            ),
        )
        for name, producer in kafka.producers.items()
    }
    cluster = replace(kafka, topics=topics, producers=producers)
    scenario = Scenario(traffic, system=cluster, seed=seed)
    with tempfile.TemporaryDirectory() as where:
        result = run(scenario, check=True, logs=Path(where))
        assert result.facts["drained"] == 1
        records = result.table("records")
        for partition in range(partitions):
            broker = partition % kafka.brokers + 1
            folder = Path(where) / f"broker-{broker}" / f"orders-{partition}"
            read = _everything(open_partition(folder, config.resolve()))
            mine = records[(records.partition == partition) & records.offset.notna()]
            mine = mine.sort_values("offset")
            wanted = mine[["offset", "key", "value_bytes"]].astype({"key": object})
            rows = wanted.where(wanted.notna(), None).itertuples(index=False, name=None)
            assert read == [*rows]
        appended = result.columns("appends")["batch_id"]
        sizes = result.columns("batches")["size_bytes"]
        numbers = result.columns("batches")["batch_id"]
        assert (sizes[numbers.argsort()][appended] <= most).all()
        told = result.columns("records")["error"]
        # One whose answer comes after delivery.timeout.ms is in the log (DS-12).
        in_log = told[result.columns("records")["offset"] >= 0]
        assert set(in_log.tolist()) <= {NONE, REQUEST_TIMED_OUT}


def test_parts_stand_before_what_was_sent_while_their_batch_was_under_way() -> None:
    """Eight records, too large together, and one more before the answer comes.

    Their parts have higher numbers than its batch. Without idempotence the log has it
    first.
    """
    times_ns = np.array([*[0] * 8, 6]) * 1_000_000
    traffic = ks.Traffic(
        {"shop": ks.Source("orders", ks.Trace(times_ns, {}), value_bytes=100)},
        {"billing": ks.Subscriber(["orders"])},
        duration_s=1,
    )
    cluster = ks.Kafka(
        topics={"orders": ks.Topic(config=ks.TopicConfig(max_message_bytes=600))},
        producers={"shop": ks.Producer(ks.ProducerConfig(enable_idempotence=False))},
        hardware=ks.Hardware(link=ks.Link(delay_ms=20)),
    )
    result = ks.run(ks.Scenario(traffic, cluster), check=True)

    records = result.records
    assert result.batches.parent_batch_id.tolist() == [-1, -1, 0, 2, 2, 2]
    assert records.batch_id.tolist() == [3, 3, 3, 4, 4, 4, 5, 5, 1]
    assert records.offset.tolist() == [*range(1, 9), 0]


def test_a_batch_too_large_for_a_segment_is_refused_by_leaders_with_followers() -> None:
    """Whatever else a run cares for; it keeps all records for what is split."""
    cluster = ks.Kafka(
        brokers=2,
        topics={
            "orders": ks.Topic(
                replication_factor=2, config=ks.TopicConfig(internal_segment_bytes=400)
            )
        },
        producers={"shop": ks.Producer(ks.ProducerConfig(linger_ms=20))},
    )
    source = ks.Source("orders", ks.Periodic(1_000, 0.0), value_bytes=100)
    traffic = ks.Traffic(
        {"shop": source}, {"billing": ks.Subscriber(["orders"])}, duration_s=0.01
    )

    result = ks.run(ks.Scenario(traffic, cluster), check=True)

    assert result.violations.empty
    assert set(result.records.error) == {"RECORD_LIST_TOO_LARGE"}
    assert result.appends.empty
