"""A topic gets more partitions in a run: AddPartitions, as short stories (DS-29).

The clocks: brokers know some 25 ms after the controller has decided; the producer asks
for metadata every 2 s, the leader of the group every 3 s, unless a story says more.
"""

from typing import Literal

import pytest

import kafkasim as ks
from kafkasim.analysis.order import ordering, overtakings
from kafkasim.errors import ValidationError
from kafkasim.protocol.partitioner import key_partition
from kafkasim.scenario.events import Event
from tests.simulation.stories import in_log_order

ADDED_S = 3.2
KEYS = ks.UniformKeys(30)
READER = ks.ConsumerConfig(metadata_max_age_ms=2_500)


def shop(
    *events: Event,
    keys: ks.UniformKeys | ks.NoKeys = KEYS,
    before: int = 2,
    to: int = 4,
    at_s: float = ADDED_S,
    until_s: float = 10.0,
    brokers: int = 1,
    copies: int = 1,
    placement: Literal["in turn", "striped"] = "in turn",
    members: int = 2,
    from_s: float = 0.0,
    work_ms: float = 0.0,
    reset: str = "earliest",
    commit_ms: int = 5_000,
    ages_ms: tuple[int, int] = (2_000, 3_000),
    partition: int | None = None,
    partitioner: Literal["builtin", "round_robin"] = "builtin",
    ratio: float | None = None,
    topic: ks.TopicConfig | None = None,
    drain_limit_s: float = 60.0,
    **producer: object,
) -> ks.Result:
    """Run 50 records a second into a topic that grows, and one group of readers."""
    addition = ks.AddPartitions("stream:orders", at_s=at_s, to=to)
    source = ks.Source("orders", ks.Periodic(50, 0.001), keys=keys)
    traffic = ks.Traffic(
        {"shop": source},
        {"billing": ks.Subscriber(["orders"], from_s=from_s, work_ms=work_ms)},
        duration_s=until_s,
    )
    config = {"linger_ms": 0, "metadata_max_age_ms": ages_ms[0], **producer}
    reader = {
        "auto_offset_reset": reset,
        "auto_commit_interval_ms": commit_ms,
        "metadata_max_age_ms": ages_ms[1],
    }
    cluster = ks.Kafka(
        brokers=brokers,
        placement=placement,
        topics={
            "orders": ks.Topic(
                partitions=before,
                replication_factor=copies,
                config=topic or ks.TopicConfig(),
            )
        },
        producers={
            "shop": ks.Producer(
                ks.ProducerConfig.from_dict(config),
                partition=partition,
                partitioner=partitioner,
                compression_ratio=ratio,
            )
        },
        groups={
            "billing": ks.Group(
                members=members, config=ks.ConsumerConfig.from_dict(reader)
            )
        },
    )
    scenario = ks.Scenario(
        traffic, cluster, events=[addition, *events], drain_limit_s=drain_limit_s
    )
    result = ks.run(scenario, check=True)
    assert result.violations.empty
    return result


def outcomes(result: ks.Result) -> dict[str, int]:
    found = ks.receipts(result).outcome.value_counts()
    return {str(name): int(count) for name, count in found.items() if count}


def asked_ms(result: ks.Result, who: str) -> list[float]:
    """Return when a client had its metadata, in milliseconds."""
    asked = result.requests.query(f"api == 'Metadata' and sender == '{who}'")
    return [float(ms) for ms in asked.answered_ms.dropna()]


def knows_ms(result: ks.Result, who: str = "source:shop") -> float:
    """Return when a client first had metadata that tell of new partitions."""
    return next(ms for ms in asked_ms(result, who) if ms > 1_000 * ADDED_S + 25)


def of_key(key: object, count: int) -> int:
    """Return the partition of a key among so many."""
    return key_partition(str(key).encode(), count)


def check_places(result: ks.Result, knew_ms: float) -> None:
    """Check that keys go to one of two partitions until then, and then of four."""
    records = result.records
    early = (records.created_ms < knew_ms).tolist()
    counts = [2 if is_early else 4 for is_early in early]
    places = [*map(of_key, records.key, counts)]
    assert records.partition.tolist() == places


# --- producers --------------------------------------------------------------------


def test_a_key_goes_by_the_new_number_once_the_producer_knows() -> None:
    result = shop()

    knew_ms = knows_ms(result)
    assert 4_000 < knew_ms < 4_010
    check_places(result, knew_ms)
    assert set(result.records.partition) == {0, 1, 2, 3}
    assert outcomes(result) == {"once": 500}


def test_what_is_in_a_batch_stays_in_its_partition() -> None:
    """A linger of 1 s: batches are open when the metadata come, and go on growing."""
    result = shop(linger_ms=1_000)

    knew_ms = knows_ms(result)
    open_then = result.batches.query("opened_ms < @knew_ms and sent_ms > @knew_ms")
    assert len(open_then) == 2
    records = result.records[result.records.batch_id.isin(open_then.batch_id)]
    early = records[records.created_ms < knew_ms]
    late = records[records.created_ms > knew_ms]
    assert len(early) > 20
    assert {of_key(key, 4) for key in early.key} == {0, 1, 2, 3}
    assert set(early.partition) == {0, 1}
    assert len(late) > 0
    assert (late.partition == [of_key(k, 4) for k in late.key]).all()


def test_a_producer_that_does_not_look_sends_as_before() -> None:
    """`metadata.max.age.ms` is 5 min."""
    result = shop(ages_ms=(300_000, 300_000))

    assert set(result.records.partition) == {0, 1}
    assert result.events.effect.tolist() == [
        "partition 2 on broker 1; partition 3 on broker 1"
    ]
    assert asked_ms(result, "source:shop") == []


def test_a_producer_that_meets_an_error_looks_at_once() -> None:
    """Its connection to broker 1 is lost when that one crashes."""
    crash = ks.Crash("broker:1", at_s=5.0, for_s=1.0)

    result = shop(crash, brokers=3, copies=3, ages_ms=(300_000, 3_000))

    records = result.records
    first_ms = records[records.partition >= 2].created_ms.min()
    assert 5_000 < first_ms < 5_100
    assert outcomes(result).keys() <= {"once", "duplicated"}


def test_records_without_a_key_may_stick_to_new_partitions() -> None:
    result = shop(keys=ks.NoKeys(), to=12, until_s=20.0, batch_size=200)

    knew_ms = knows_ms(result)
    records = result.records
    assert set(records[records.created_ms < knew_ms].partition) == {0, 1}
    assert set(records[records.created_ms > knew_ms].partition) == set(range(12))


def test_new_partitions_have_their_turn_in_a_round_robin() -> None:
    result = shop(partitioner="round_robin")

    records = result.records
    late = records[records.created_ms > 4_100].partition.tolist()
    assert set(records[records.created_ms < 4_000].partition) == {0, 1}
    assert late[:8] in [[(n + k) % 4 for k in range(8)] for n in range(4)]


def test_a_named_partition_stays_the_one_that_is_named() -> None:
    assert set(shop(partition=1).records.partition) == {1}


@pytest.mark.parametrize(("codec", "ratio"), [("none", None), ("lz4", 0.5)])
def test_sequences_go_on_in_old_partitions_and_begin_at_0_in_new_ones(
    codec: str, ratio: float | None
) -> None:
    result = shop(compression_type=codec, ratio=ratio)

    for _, mine in result.records.groupby("partition"):
        assert sorted(mine.offset) == list(range(len(mine)))
    assert set(result.records.outcome) == {"acked"}
    assert set(result.records.log_copies) == {1}


def test_a_record_that_waits_for_memory_keeps_its_partition() -> None:
    """It has chosen when it is handed over; broker 1 stands still, broker 2 tells."""
    pause = ks.Pause("broker:1", at_s=3.5, for_s=0.7)

    result = shop(pause, brokers=2, buffer_memory=400, batch_size=200)

    knew_ms = knows_ms(result)
    assert 4_000 < knew_ms < 4_010
    wait = result.blocked.query("since_ms < 4_000 and until_ms > 4_200")
    records = result.records
    (waited,) = records[records.created_ms.isin(wait.since_ms)].itertuples()
    (behind,) = records[records.created_ms.isin(wait.until_ms)].itertuples()
    assert waited.partition == of_key(waited.key, 2)
    assert waited.partition != of_key(waited.key, 4)
    assert behind.partition == of_key(behind.key, 4)
    assert outcomes(result) == {"once": 500}


def test_a_broker_that_has_not_heard_of_them_tells_nobody() -> None:
    """It is asked 10 ms after the controller has decided; it hears after 25 ms."""
    records = shop(at_s=3.99).records

    assert 6_000 < records[records.partition >= 2].created_ms.min() < 6_100


# --- order ------------------------------------------------------------------------


def test_a_key_that_moves_is_overtaken_and_one_that_stays_is_not() -> None:
    """DS-29: the one reader is behind, and those of new partitions are idle."""
    result = shop(
        before=1, members=3, work_ms=60.0, ages_ms=(2_000, 2_000), until_s=6.0
    )

    overtaken = ordering(result, per="key").set_index("key").overtaken
    moves = {key: of_key(key, 4) > 0 for key in overtaken.index}
    assert len({key for key in moves if moves[key] and overtaken[key]}) > 5
    assert not any(overtaken[key] for key in moves if not moves[key])
    assert ordering(result, per="partition").overtaken.sum() == 0
    first = overtakings(result, per="key").iloc[0]
    assert (first.record_partition, first.overtaker_partition > 0) == (0, True)


def test_what_was_written_is_not_moved() -> None:
    result = shop()
    alone = shop(to=4, at_s=9.99)

    both = [
        r.records.query("created_ms < 4_000").offset.tolist() for r in (result, alone)
    ]
    assert both[0] == both[1]


# --- consumers --------------------------------------------------------------------


def test_the_group_reads_new_partitions_from_when_its_leader_has_looked() -> None:
    result = shop()

    found_ms = knows_ms(result, "member:billing/1")
    assert 6_000 < found_ms < 6_510  # it waits behind a fetch of its connection
    asked = result.requests.query("api == 'ListOffsets'")
    assert asked.sent_ms.min() == found_ms
    late = result.assignments.query("partition >= 2")
    assert set(late.start_offset) == {0}
    assert late.since_ms.between(found_ms, found_ms + 510).all()


def test_a_group_that_begins_anew_looks_at_once() -> None:
    crash = ks.Crash("subscriber:billing", at_s=4.0, for_s=0.5)

    result = shop(crash, ages_ms=(2_000, 300_000))

    late = result.assignments.query("partition >= 2")
    assert late.since_ms.between(4_500, 5_510).all()
    assert outcomes(result).keys() <= {"once", "duplicated"}


def test_a_run_waits_until_the_leader_looks() -> None:
    """It looks after 100 s, and for 10 s without progress a run goes on."""
    result = shop(ages_ms=(2_000, 100_000), until_s=5.0, drain_limit_s=10.0)

    assert outcomes(result) == {"once": 250}
    assert 100e9 < float(result.facts["end_ns"]) < 102e9


@pytest.mark.parametrize(
    ("before", "to", "members", "shares"),
    [
        (4, 6, 2, {"billing/1": [0, 1, 4], "billing/2": [2, 3, 5]}),
        (2, 5, 2, {"billing/1": [0, 2, 3], "billing/2": [1, 4]}),
        (1, 4, 3, {"billing/1": [0, 1], "billing/2": [2], "billing/3": [3]}),
    ],
)
def test_members_share_the_new_ones_and_keep_what_they_have(
    before: int, to: int, members: int, shares: dict[str, list[int]]
) -> None:
    result = shop(before=before, to=to, members=members)

    found = result.assignments.groupby("member", observed=True).partition
    assert {name: sorted(mine) for name, mine in found} == shares
    assert outcomes(result) == {"once": 500}


def test_latest_misses_what_came_before_it_was_found_and_earliest_does_not() -> None:
    """From 4 s to 6 s the producer knows of them and the group does not."""
    latest, earliest = shop(reset="latest"), shop(reset="earliest")

    assert outcomes(earliest) == {"once": 500}
    begun_ms = latest.assignments.query("partition >= 2").since_ms
    new = latest.records.query("partition >= 2")
    missed = set(new[new.created_ms < begun_ms.min() - 1_000].record_id)
    read = set(new[new.created_ms > begun_ms.max()].record_id)
    receipts = ks.receipts(latest).set_index("record_id").outcome
    assert len(missed) > 10
    assert set(receipts[list(missed)]) == {"skipped"}
    assert set(receipts[list(read)]) == {"once"}
    assert outcomes(latest).keys() == {"once", "skipped"}


def test_without_a_reset_the_application_ends() -> None:
    """NoOffsetForPartitionException at the poll that finds them."""
    result = shop(reset="none", drain_limit_s=5.0)

    assert result.deliveries.ended_ms.max() < 6_510
    assert outcomes(result).keys() == {"once", "pending"}


def test_a_group_that_comes_later_reads_all() -> None:
    result = shop(from_s=5.0)

    late = result.assignments.query("partition >= 2")
    assert late.since_ms.between(5_000, 6_010).all()
    assert outcomes(result) == {"once": 250}  # what came before, it does not want


def test_offsets_of_new_partitions_are_committed_and_count_after_a_crash() -> None:
    crash = ks.Crash("subscriber:billing", at_s=9.0, for_s=0.2)

    result = shop(crash, until_s=12.0, reset="latest", commit_ms=500)

    again = result.assignments.query("partition >= 2 and since_ms > 9_000")
    assert len(again) == 2
    assert (again.start_offset > 5).all()
    assert set(again.start_offset) & set(result.commits.offset)
    assert "skipped" in outcomes(result)
    lost = ks.receipts(result).query("outcome == 'skipped'").record_id
    assert result.records.created_ms[lost].max() < 6_600


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
