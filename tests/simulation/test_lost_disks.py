"""Brokers that come back with an empty disk, as short stories."""

import numpy as np
import pytest

import kafkasim as ks
from tests.simulation.stories import evenly, in_log_order, records_at, story, times_read


def test_a_follower_with_a_new_disk_copies_all_and_nothing_is_lost() -> None:
    dies = ks.Crash("broker:3", at_s=5.0, for_s=20.0, lose_disk=True)

    result = story(evenly(20, 0.0), dies, until_s=40.0)

    rows = result.replicas.query("broker == 3").set_index("cause")
    ends = rows.log_end_offset.to_dict()
    assert ends["crashed"] == 100
    assert ends["lost its disk"] == 0
    assert ends["joined the ISR"] >= 500
    assert set(result.records.log_copies) == {1}
    assert set(times_read(result).values()) == {1}
    gone = result.segments.query("cause == 'lost_disk'")
    assert gone.broker.tolist() == [3]
    assert result.events.effect.str.endswith("its disk is lost").all()


def test_a_leader_with_a_new_disk_follows_who_has_its_records() -> None:
    dies = ks.Crash("broker:1", at_s=5.0, for_s=20.0, lose_disk=True)

    result = story(evenly(20, 0.0), dies, until_s=40.0)

    assert set(result.records.outcome) == {"acked"}
    assert set(result.records.log_copies) == {1}
    assert set(times_read(result).values()) == {1}
    elected = result.replicas.query("cause == 'elected' and at_ms < 100_000")
    assert elected.broker.tolist() == [2]


def test_a_leader_back_before_it_is_missed_does_not_lead_with_an_empty_disk() -> None:
    """It may not register while its last session lasts, and then it is in no ISR."""
    dies = ks.Crash("broker:1", at_s=5.0, for_s=0.5, lose_disk=True)

    result = story(evenly(20, 0.0), dies, until_s=40.0)

    assert set(result.records.log_copies) == {1}
    assert result.replicas.query("cause == 'elected'").broker.iloc[0] == 2


@pytest.mark.parametrize("for_s", [0.5, 20.0])
def test_with_the_only_copy_the_records_are_gone(for_s: float) -> None:
    """All that was acknowledged before; its reader has read it, and starts anew."""
    dies = ks.Crash("broker:1", at_s=5.0, for_s=for_s, lose_disk=True)

    result = story(evenly(20, 0.01), dies, until_s=40.0, copies=1, min_isr=1)

    records = result.records
    lost = records[records.log_copies == 0]
    assert set(records.outcome) == {"acked"}
    assert lost.created_ms.max() < 5_000
    assert len(lost) == 100
    back_ms = 5_000 + for_s * 1e3
    assert set(result.appends.truncated_ms.dropna()) == {back_ms}
    kept = records[records.log_copies == 1]
    assert kept.offset.min() == 0  # offsets are given again
    assert set(times_read(result).values()) == {1}


def test_when_all_lose_their_disks_the_last_leader_begins_anew() -> None:
    """DS-37: all are unclean, and the last one known to lead is preferred (CT-20)."""
    dies = [
        ks.Crash(f"broker:{n}", at_s=5.0 + n / 10, for_s=20.0, lose_disk=True)
        for n in (1, 2, 3)
    ]

    result = story(evenly(20, 0.0), *dies, until_s=60.0)

    records = result.records
    lost = records[records.log_copies == 0]
    assert set(records.outcome) == {"acked"}
    assert lost.created_ms.max() < 5_100
    first = result.replicas.query("cause == 'elected as the last leader'").iloc[0]
    assert first.log_end_offset == 0
    assert in_log_order(result) == sorted(in_log_order(result))


def test_the_last_leader_begins_anew_though_another_one_has_older_records() -> None:
    """With min ISR 1: who left the ISR is cut to the last leader's log (CT-20)."""
    events = (
        ks.Cut("link:broker:2->broker:1", at_s=2.0, for_s=60.0),
        ks.Crash("broker:1", at_s=60.0, for_s=20.0, lose_disk=True),
    )
    source = records_at(1.0, 3.0, 50.0, 90.0)

    result = story(source, *events, until_s=91.0, copies=2, min_isr=1)

    assert set(result.records.outcome) == {"acked"}
    assert result.records.log_copies.tolist() == [0, 0, 0, 1]
    assert times_read(result) == {0: 1, 1: 1, 2: 1, 3: 1}
    cut = result.replicas.query("cause == 'truncated' and broker == 2")
    assert 0 in cut.log_end_offset.tolist()


def test_a_new_disk_begins_where_the_leaders_log_begins() -> None:
    """BR-27: what the leader has deleted before is not copied."""
    times = np.arange(0.0, 30.0, 0.05).tolist()
    source = ks.Source("orders", records_at(*times).arrivals, value_bytes=2_000)
    topic = ks.Topic(
        replication_factor=2,
        config=ks.TopicConfig(
            min_insync_replicas=1,
            retention_bytes=100_000,
            internal_segment_bytes=50_000,
        ),
    )
    cluster = ks.Kafka(
        brokers=2,
        topics={"orders": topic},
        broker_config=ks.BrokerConfig(
            log_initial_task_delay_ms=2_000, log_retention_check_interval_ms=2_000
        ),
    )
    traffic = ks.Traffic(
        {"shop": source}, {"billing": ks.Subscriber(["orders"])}, duration_s=30.0
    )
    dies = ks.Crash("broker:2", at_s=10.0, for_s=10.0, lose_disk=True)

    result = ks.run(ks.Scenario(traffic, cluster, events=[dies]), check=True)

    assert result.violations.empty
    segments = result.segments.query(
        "broker == 2 and created_ms > 19_000 and record_count > 0"
    )
    assert segments.base_offset.min() > 100
    assert "joined the ISR" in set(result.replicas.query("broker == 2").cause)


def test_what_nobody_had_read_of_a_lost_disk_is_waited_for_by_nobody() -> None:
    """The reader is down when the disk goes; the run ends when it has read the rest."""
    events = (
        ks.Crash("subscriber:billing", at_s=4.0, for_s=20.0),
        ks.Crash("broker:1", at_s=5.0, for_s=2.0, lose_disk=True),
    )

    result = story(evenly(20, 0.0), *events, until_s=30.0, copies=1, min_isr=1)

    assert result.facts["drained"]
    outcomes = ks.receipts(result).outcome
    assert (outcomes == "lost").sum() > 15
    assert "pending" not in set(outcomes)


def test_what_was_read_of_a_log_of_which_nothing_is_left_is_still_told() -> None:
    at_ns = np.array([0, 10_000_000])
    traffic = ks.Traffic(
        {"web": ks.Source("orders", ks.Trace(at_ns, {}))},
        {"billing": ks.Subscriber(["orders"], work_ms=1)},
        duration_s=15,
    )
    lost = ks.Crash("broker:1", at_s=1, for_s=1, lose_disk=True)

    result = ks.run(ks.Scenario(traffic, ks.Kafka(), events=[lost], end="cut"))

    assert result.records.log_copies.tolist() == [0, 0]
    assert result.deliveries.record_id.tolist() == [0, 1]
    assert result.deliveries.outcome.tolist() == ["processed"] * 2
