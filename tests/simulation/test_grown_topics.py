"""A topic gets more partitions in a run: the controller, logs, what is refused."""

import pytest

import kafkasim as ks
from kafkasim.errors import ValidationError
from tests.simulation.growing_shop import (
    KEYS,
    check_places,
    of_key,
    outcomes,
    shop,
)
from tests.simulation.stories import in_log_order

# --- the controller ---------------------------------------------------------------


def test_copies_follow_from_the_start() -> None:
    result = shop(brokers=3, copies=3)

    new = result.replicas.query("partition >= 2")
    assert new.at_ms.between(3_225, 3_230).all()
    assert set(new.cause) == {"elected", "follows"}
    leaders = new.query("role == 'leader'").set_index("partition").broker
    assert leaders.to_dict() == {2: 3, 3: 1}
    followed = result.requests.query("api == 'FetchFollower' and batch_count > 0")
    assert len(followed) > 0
    assert (result.appends.committed_ms > result.appends.appended_ms).all()


def test_brokers_that_are_down_are_placed_all_the_same_and_lead_nothing() -> None:
    """Broker 3 was to lead partition 2; its copy follows when it is back."""
    crash = ks.Crash("broker:3", at_s=0.5, for_s=15.0)

    result = shop(crash, brokers=3, copies=3, at_s=12.0, to=3, until_s=20.0)

    assert result.events.effect.tolist()[1] == "partition 2 on brokers 3, 1, 2"
    mine = result.replicas.query("partition == 2")
    assert mine.query("role == 'leader'").broker.tolist()[0] == 1
    assert "joined the ISR" in mine.query("broker == 3").cause.tolist()
    assert len(result.records.query("partition == 2 and created_ms < 15_000")) > 0
    assert outcomes(result) == {"once": 1_000}


def test_a_partition_whose_only_broker_is_down_is_refused() -> None:
    crash = ks.Crash("broker:3", at_s=0.5)

    result = shop(crash, brokers=3, at_s=12.0, to=3, until_s=15.0)

    effect = result.events.effect.tolist()[1]
    assert effect == "refused: INVALID_REPLICA_ASSIGNMENT"
    assert set(result.records.partition) == {0, 1}


def test_without_a_controller_it_is_asked_again() -> None:
    crash = ks.Crash("controller", at_s=2.5)

    result = shop(crash)

    assert "there is no controller" in result.events.effect.tolist()[1]
    new = result.replicas.query("partition >= 2")
    assert (new.at_ms > 4_500).all()  # 2 s until another one took over
    assert set(result.records.partition) == {0, 1, 2, 3}


def test_striped_partitions_are_placed_by_the_controller() -> None:
    """As many on each broker, and not as those are that are placed in turn."""
    striped = shop(brokers=4, copies=2, placement="striped", before=4, to=12)
    in_turn = shop(brokers=4, copies=2, before=4, to=12)

    new = striped.replicas.query("partition >= 4")
    assert set(new.groupby("partition").broker.nunique()) == {2}
    assert new.query("role == 'leader'").broker.value_counts().tolist() == [2] * 4
    told = [result.events.effect[0] for result in (striped, in_turn)]
    assert told[1].startswith(
        "partition 4 on brokers 1, 2; partition 5 on brokers 2, 3"
    )
    assert told[0] != told[1]


def test_a_topic_grows_twice() -> None:
    again = ks.AddPartitions("stream:orders", at_s=5.0, to=7)

    result = shop(again)

    assert set(result.records.partition) == set(range(7))
    assert outcomes(result) == {"once": 500}


def test_the_leader_of_a_new_partition_fails_like_any() -> None:
    crash = ks.Crash("broker:3", at_s=6.0, for_s=12.0)

    result = shop(crash, brokers=3, copies=3, until_s=25.0)

    elected = result.replicas.query("partition == 2 and cause == 'elected'").broker
    assert elected.tolist()[:2] == [3, 1]
    assert set(result.records.outcome) == {"acked"}
    assert set(outcomes(result)) <= {"once", "duplicated"}


# --- the rest of a run --------------------------------------------------------------


def test_other_topics_are_what_they_are() -> None:
    """In the numbers of the run `visits` lies between the two parts of `orders`."""
    traffic = ks.Traffic(
        {
            "shop": ks.Source("orders", ks.Periodic(50, 0.001), keys=KEYS),
            "web": ks.Source("visits", ks.Periodic(30, 0.002), keys=KEYS),
        },
        {"billing": ks.Subscriber(["orders", "visits"], work_ms=ks.Exponential(1.0))},
        duration_s=8.0,
    )
    config = ks.ProducerConfig(metadata_max_age_ms=2_000)
    cluster = ks.Kafka(
        topics={"orders": ks.Topic(partitions=2), "visits": ks.Topic(partitions=3)},
        producers={name: ks.Producer(config) for name in ("shop", "web")},
        groups={
            "billing": ks.Group(config=ks.ConsumerConfig(metadata_max_age_ms=2_500))
        },
    )
    events = [ks.AddPartitions("stream:orders", at_s=1.0, to=4)]

    result = ks.run(ks.Scenario(traffic, cluster, events=events), check=True)

    assert result.violations.empty
    told = result.deliveries.merge(result.records, on="record_id", suffixes=("", "_of"))
    assert (told.topic.astype(str) == told.topic_of.astype(str)).all()
    assert (told.partition == told.partition_of).all()
    assert (told.offset == told.offset_of).all()
    assert set(result.records.query("stream == 'orders'").partition) == {0, 1, 2, 3}
    visits = result.records.query("stream == 'visits'")
    assert visits.partition.tolist() == [of_key(k, 3) for k in visits.key]


def test_old_segments_of_new_partitions_go() -> None:
    """Broker 2 had no log of the topic before."""
    settings = ks.TopicConfig(segment_ms=1_000, retention_ms=1_000)
    traffic = ks.Traffic(
        {"shop": ks.Source("orders", ks.Periodic(50), keys=KEYS, value_bytes=50)},
        {},
        duration_s=12.0,
    )
    cluster = ks.Kafka(
        brokers=2,
        topics={"orders": ks.Topic(partitions=1, config=settings)},
        producers={"shop": ks.Producer(ks.ProducerConfig(metadata_max_age_ms=2_000))},
        broker_config=ks.BrokerConfig(
            log_initial_task_delay_ms=3_500, log_retention_check_interval_ms=3_000
        ),
    )
    events = [ks.AddPartitions("stream:orders", at_s=1.0, to=2)]

    result = ks.run(ks.Scenario(traffic, cluster, events=events))

    gone = result.segments.query("partition == 1").deleted_ms.dropna()
    assert set(gone) == {6_500.0, 9_500.0}
    created = result.segments.query("partition == 1").created_ms.min()
    assert created == pytest.approx(1_000.0)


def test_a_compacted_topic_may_grow() -> None:
    settings = ks.TopicConfig(
        cleanup_policy="compact", segment_ms=1_000, min_cleanable_dirty_ratio=0.01
    )

    result = shop(topic=settings, until_s=30.0)

    gone = result.removals.query("partition >= 2 and cause == 'compaction'")
    assert len(gone) > 0


def test_a_streamed_run_tells_the_same() -> None:
    full = shop()
    streamed = ks.run(full.scenario, result="streamed")

    assert streamed.facts["end_ns"] == full.facts["end_ns"]
    assert streamed.facts["calendar_entries"] == full.facts["calendar_entries"]


def test_records_of_a_closed_loop_go_by_the_new_number_too() -> None:
    traffic = ks.Traffic(
        {
            "shop": ks.Source(
                "orders", ks.ClosedLoop(outstanding=3, think_ms=40.0), keys=KEYS
            )
        },
        {"billing": ks.Subscriber(["orders"])},
        duration_s=8.0,
    )
    cluster = ks.Kafka(
        topics={"orders": ks.Topic(partitions=2)},
        producers={"shop": ks.Producer(ks.ProducerConfig(metadata_max_age_ms=2_000))},
        groups={
            "billing": ks.Group(config=ks.ConsumerConfig(metadata_max_age_ms=2_000))
        },
    )
    events = [ks.AddPartitions("stream:orders", at_s=3.0, to=4)]

    result = ks.run(ks.Scenario(traffic, cluster, events=events), check=True)

    check_places(result, 4_001)


# --- what is refused ----------------------------------------------------------------


@pytest.mark.parametrize("to", [2, 3, 4])
def test_fewer_or_as_many_are_refused(to: int) -> None:
    with pytest.raises(ValidationError, match="INVALID_PARTITIONS") as refused:
        shop(before=4, to=to)
    assert refused.value.path == "events.0.to"


def test_what_was_added_before_counts() -> None:
    with pytest.raises(ValidationError, match="more than 4, the partitions of orders"):
        shop(ks.AddPartitions("stream:orders", at_s=5.0, to=4))
    with pytest.raises(ValidationError, match="INVALID_PARTITIONS") as refused:
        shop(ks.AddPartitions("stream:orders", at_s=1.0, to=5))
    assert refused.value.path == "events.0.to"


def test_other_events_may_mean_a_partition_that_was_added() -> None:
    delete = ks.DeleteRecords("stream:orders", at_s=6.0, partition=3)
    pause = ks.PausePartitions("subscriber:billing", at_s=7.0, for_s=1.0, partition=3)

    result = shop(delete, pause)

    assert result.removals.partition.tolist() == [3]
    assert in_log_order(result)
    with pytest.raises(ValidationError, match="less than 2"):
        shop(ks.DeleteRecords("stream:orders", at_s=2.0, partition=3))
