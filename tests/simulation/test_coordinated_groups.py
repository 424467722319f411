"""Groups that really join, with coordinators on a cluster's brokers."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from kafkasim.config.broker import BrokerConfig
from kafkasim.config.consumer import ConsumerConfig
from kafkasim.config.producer import ProducerConfig
from kafkasim.config.topic import TopicConfig
from kafkasim.engine.sim.coordinators import Coordinators
from kafkasim.engine.sim.joining_member import JoiningMember
from kafkasim.engine.sim.run import run
from kafkasim.engine.sim.systems.coordinated import CoordinatedRun
from kafkasim.engine.sim.systems.kafka import KafkaRun
from kafkasim.errors import TableNotRecorded, ValidationError
from kafkasim.log.fsck import fsck
from kafkasim.log.opening import open_partition
from kafkasim.protocol.groups.coordinator.coordinator_shard import CoordinatorShard
from kafkasim.protocol.groups.coordinator_bytes import decode
from kafkasim.protocol.groups.coordinator_records import OffsetRecord
from kafkasim.protocol.offsets_topic import offsets_partition
from kafkasim.protocol.topic_ids import TopicIds, made_id
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.events import AddPartitions, Crash, Event, Pause
from kafkasim.scenario.member_events import (
    AddMember,
    MoveCoordinator,
    RemoveMember,
    RollingRestart,
)
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Producer, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

EARLIEST = ConsumerConfig(auto_offset_reset="earliest")


def shop(
    *,
    brokers: int = 1,
    members: int = 3,
    events: Sequence[Event] = (),
    duration_s: float = 20.0,
    rate: float = 10.0,
    config: ConsumerConfig = EARLIEST,
    seed: int = 1,
    commit: str = "auto",
) -> Scenario:
    """Return a shop whose group starts cold."""
    traffic = Traffic(
        sources={"web": Source("orders", Periodic(rate))},
        subscribers={"billing": Subscriber(["orders"])},
        duration_s=duration_s,
    )
    system = Kafka(
        brokers=brokers,
        topics={"orders": Topic(partitions=6, replication_factor=brokers)},
        groups={
            "billing": Group(
                start="cold", members=members, config=config, commit=commit
            )
        },
    )
    return Scenario(traffic, system, events=tuple(events), seed=seed)


def healthy(scenario: Scenario) -> Result:
    """Run with all invariants looked at; assert that none was broken."""
    result = run(scenario, check=True)
    assert len(result.violations) == 0, result.violations.to_string()
    return result


def once_or_more(result: Result) -> None:
    """Assert that every record was processed."""
    deliveries = result.deliveries
    done = deliveries[deliveries["outcome"] == "processed"]["record_id"].unique()
    assert sorted(done) == list(range(len(result.records)))


def owners_at(result: Result, at_ms: float) -> dict[int, str]:
    """Return who owned each partition at a time."""
    rows = result.assignments
    here = rows[(rows["since_ms"] <= at_ms) & ~(rows["until_ms"] <= at_ms)]
    return dict(zip(here["partition"], here["member"], strict=True))


@pytest.mark.parametrize(("members", "after_ms"), [(1, 3_000), (3, 6_000)])
def test_a_first_start_takes_three_seconds_alone_and_six_with_others(
    members: int, after_ms: float
) -> None:
    result = healthy(shop(members=members, duration_s=10))
    begun_ms = result.assignments["since_ms"].min()
    assert after_ms < begun_ms < after_ms + 10
    assert len(owners_at(result, 9_000)) == 6
    states = list(result.group_states["state"])
    assert states == ["PreparingRebalance", "CompletingRebalance", "Stable"]


@pytest.mark.parametrize("brokers", [1, 3])
def test_everything_is_processed_once_and_commits_are_in_the_topic(
    brokers: int,
) -> None:
    result = healthy(shop(brokers=brokers))
    once_or_more(result)
    assert set(result.deliveries["delivery_count"]) == {1}
    assert set(result.deliveries["epoch"]) == {1}
    topic = result.offsets_topic
    assert set(topic["partition"]) == {offsets_partition("billing")}
    stored = topic[topic["kind"] == "OffsetCommit"]
    commits = result.commits
    assert set(commits["outcome"]) == {"ok"}
    assert list(stored["committed_offset"]) == list(commits["offset"])
    assert list(stored["topic_partition"]) == list(commits["partition"])
    late = commits["at_ms"].to_numpy() >= stored["at_ms"].to_numpy()
    assert late.all()


def test_a_member_that_dies_is_missed_after_its_session() -> None:
    crash = Crash("member:billing/2", 20.0)
    result = healthy(shop(events=[crash], duration_s=70))
    once_or_more(result)
    states = result.group_states
    (noticed,) = states[states["at_ms"].between(20_000, 70_000)]["at_ms"].head(1)
    last_ms = result.requests.query(
        "sender == 'member:billing/2' and api == 'Heartbeat'"
    )["received_ms"].max()
    assert noticed == pytest.approx(last_ms + 45_000, abs=2)
    assert set(owners_at(result, 69_000).values()) == {"billing/1", "billing/3"}
    # What it had processed since its last commit is processed again.
    again = result.deliveries.query("delivery_count == 2")
    assert len(again) > 0
    assert set(again["epoch"]) == {2}
    assert not set(again["member"]) & {"billing/2"}
    late = result.deliveries.query("fetched_ms > 63_100")
    assert set(late["epoch"]) == {2}  # also where a member got its own again
    assert set(late["partition"]) - {2, 3}


def test_a_member_that_leaves_is_replaced_within_a_heartbeat() -> None:
    result = healthy(shop(events=[RemoveMember("member:billing/2", 20.0)],
                          duration_s=30))  # fmt: skip
    once_or_more(result)
    assert set(result.deliveries["delivery_count"]) == {1}
    gap = result.assignments.groupby("partition")["since_ms"].max() - 20_000
    assert 0 < gap.max() < 3_100
    assert set(owners_at(result, 29_000).values()) == {"billing/1", "billing/3"}
    assert "close" in set(result.commits["kind"])


def test_a_group_that_is_no_cold_one_has_committed_where_it_begins() -> None:
    cold = shop(events=[RemoveMember("member:billing/2", 12.0)])
    system = cold.system
    assert isinstance(system, Kafka)
    warm = replace(cold, system=replace(system, groups={"billing": Group(members=3)}))
    result = healthy(warm)
    # auto.offset.reset is latest; nothing is lost all the same.
    once_or_more(result)
    first = result.offsets_topic.query("kind == 'OffsetCommit'").head(6)
    assert list(first["committed_offset"]) == [0] * 6
    assert set(first["at_ms"]) == {0.0}


def test_a_member_more_takes_part_of_the_work() -> None:
    result = healthy(shop(events=[AddMember("subscriber:billing", 12.0)]))
    once_or_more(result)
    assert "billing/4" in owners_at(result, 19_000).values()
    assert "billing/4" not in owners_at(result, 11_000).values()


def test_restarts_one_by_one_end_where_they_began() -> None:
    event = RollingRestart("subscriber:billing", 10.0, down_s=2.0, every_s=10.0)
    result = healthy(shop(events=[event], duration_s=50))
    once_or_more(result)
    assert set(owners_at(result, 49_000).values()) == {
        "billing/1", "billing/2", "billing/3",
    }  # fmt: skip
    left = result.requests.query("api == 'LeaveGroup'")
    assert list(left["sender"]) == [f"member:billing/{n}" for n in (1, 2, 3)]


def test_a_member_that_stood_still_is_expelled_and_comes_back() -> None:
    result = healthy(shop(events=[Pause("member:billing/2", 20.0, 60.0)],
                          duration_s=100))  # fmt: skip
    once_or_more(result)
    assert list(dict.fromkeys(result.group_states["epoch"])) == [0, 1, 2, 3]
    assert "billing/2" in owners_at(result, 99_000).values()


def test_a_group_survives_the_death_of_its_coordinator() -> None:
    home = offsets_partition("billing") % 3
    crash = Crash(f"broker:{home + 1}", 15.0, 30.0)
    result = healthy(shop(brokers=3, duration_s=40, events=[crash]))
    once_or_more(result)
    # Nobody had to join anew: the group was in the log.
    assert result.group_states["epoch"].max() == 1
    leaders = result.offsets_topic["leader"].unique()
    assert list(leaders) == [home + 1, (home + 1) % 3 + 1]


def test_a_coordinator_moves_and_its_group_with_it() -> None:
    home = offsets_partition("billing") % 3
    move = MoveCoordinator("subscriber:billing", 12.0, to=(home + 2) % 3 + 1)
    result = healthy(shop(brokers=3, events=[move]))
    once_or_more(result)
    assert result.group_states["epoch"].max() == 1
    asked = result.requests.query("api == 'Heartbeat' and sent_ms > 16_000")
    assert set(asked["receiver"]) == {f"broker:{(home + 2) % 3 + 1}"}
    refused = result.requests["error"] == "NOT_COORDINATOR"
    assert refused.sum() >= 3


def test_with_the_consumer_protocol_members_converge_one_by_one() -> None:
    config = ConsumerConfig(auto_offset_reset="earliest", group_protocol="consumer")
    result = healthy(shop(config=config))
    once_or_more(result)
    assert set(result.deliveries["delivery_count"]) == {1}
    assert sorted(owners_at(result, 19_000).values()) == [
        "billing/1", "billing/1", "billing/2", "billing/2", "billing/3", "billing/3",
    ]  # fmt: skip
    # Partitions that stay are read from the first moment on.
    assert result.assignments["since_ms"].min() < 10


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_partitions_that_are_added_get_owners_who_look_who_leads_them(
    protocol: Literal["classic", "consumer"],
) -> None:
    """The first whose metadata are old tells the group; others may not know them."""
    config = ConsumerConfig(
        auto_offset_reset="earliest", group_protocol=protocol, metadata_max_age_ms=5_000
    )
    scenario = shop(config=config, brokers=3, duration_s=40, events=[
        AddMember("subscriber:billing", at_s=30.0),
        AddPartitions("stream:orders", at_s=20.0, to=9),
    ])  # fmt: skip
    sender = Producer(config=ProducerConfig(metadata_max_age_ms=5_000))
    assert isinstance(scenario.system, Kafka)
    system = replace(scenario.system, producers={"web": sender})
    result = healthy(replace(scenario, system=system))
    once_or_more(result)
    assert set(owners_at(result, 39_000)) == set(range(9))
    assert result.deliveries["partition"].max() == 8
    since_ms = result.assignments.query("partition >= 6")["since_ms"]
    assert 20_000 < since_ms.min() < 30_000
    assert since_ms.max() < 36_000
    refused = result.requests["error"] == "NOT_LEADER_OR_FOLLOWER"
    assert not refused.any()


def test_committed_before_the_work_and_dead_in_it_is_lost_and_the_run_ends() -> None:
    slow = shop(events=[Crash("member:billing/1", 15.0, 5.0)], commit="before_work",
                duration_s=30, rate=100)  # fmt: skip
    result = healthy(slow)
    assert set(result.deliveries["delivery_count"]) == {1}


def test_a_steady_group_adds_its_heartbeats_and_commits_and_nothing_else() -> None:
    def entries(config: ConsumerConfig) -> tuple[int, int, int]:
        scenario = shop(config=config, duration_s=40, rate=1)
        ran = CoordinatedRun(scenario, scenario.plan(), check=False)
        apis = ran.run().requests["api"].value_counts()
        return ran.calendar.entry_count, apis["Heartbeat"], apis["OffsetCommit"]

    count, beats, commits = entries(EARLIEST)
    fewer, fewer_beats, same = entries(replace(EARLIEST, heartbeat_interval_ms=6_000))
    assert (same, count - fewer) == (commits, 4 * (beats - fewer_beats))
    later = replace(EARLIEST, auto_commit_interval_ms=10_000)
    fewer, same, fewer_commits = entries(later)
    assert (same, count - fewer) == (beats, 4 * (commits - fewer_commits))


def test_a_steady_group_of_the_consumer_protocol_adds_no_more_either() -> None:
    """A heartbeat is an entry more than a classic one: `poll()` wakes for it, too."""

    def entries(beat_ms: int, commit_ms: int) -> tuple[int, int, int]:
        config = ConsumerConfig(
            group_protocol="consumer", auto_commit_interval_ms=commit_ms
        )
        broker = BrokerConfig(group_consumer_heartbeat_interval_ms=beat_ms)
        count, apis = standing(config, broker)
        return count, apis["ConsumerGroupHeartbeat"], apis["OffsetCommit"]

    assert entries(5_000, NEVER_MS) == (818 + 5 * 15, 15, 0)
    assert entries(9_000, NEVER_MS) == (818 + 5 * 9, 9, 0)
    assert entries(15_000, 5_000) == (818 + 5 * 3 + 4 * 15, 3, 15)
    # So does all else: the same group of the classic protocol has as many entries.
    config = ConsumerConfig(heartbeat_interval_ms=9_000, auto_commit_interval_ms=5_000)
    count, apis = standing(config, BrokerConfig())
    assert (apis["Heartbeat"], apis["OffsetCommit"]) == (9, 15)
    assert count == 818 + 4 * 9 + 4 * 15


NEVER_MS = 100_000
"""An interval that is over after the run."""


def standing(config: ConsumerConfig, broker: BrokerConfig) -> tuple[int, Counter[str]]:
    """Return the entries and requests of a group that has joined before the run."""
    system = Kafka(
        broker_config=broker,
        topics={"orders": Topic(partitions=6)},
        groups={"billing": Group(members=3, config=config)},
    )
    scenario = Scenario(shop(rate=1, duration_s=29).traffic, system, seed=1)
    ran = CoordinatedRun(scenario, scenario.plan(), check=False)
    requests = ran.run().requests
    return ran.calendar.entry_count, Counter(requests["api"])


def test_a_joined_group_without_events_costs_a_run_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing of coordinators is made; a run that knows of none writes the same."""
    for kind in (CoordinatedRun, Coordinators, CoordinatorShard, JoiningMember):
        monkeypatch.setattr(kind, "__init__", None)
    system = Kafka(topics={"orders": Topic(partitions=6)},
                   groups={"billing": Group(members=3)})  # fmt: skip
    scenario = Scenario(shop().traffic, system, seed=1)
    result = run(scenario)
    sent = {"Produce": 200, "Fetch": 281, "OffsetCommit": 9}
    assert Counter(result.requests["api"]) == sent
    assert result.facts["calendar_entries"] == 1_992
    plain = KafkaRun(scenario, scenario.plan(), check=False).run()
    assert result.digest == plain.digest
    assert plain.facts["calendar_entries"] == result.facts["calendar_entries"]
    assert set(result.requests["receiver"]) == {"broker:1"}
    for table in ("group_states", "offsets_topic"):
        with pytest.raises(TableNotRecorded, match="start cold"):
            getattr(result, table)


def test_the_topic_can_be_written_and_read_as_kafka_has_it(tmp_path: Path) -> None:
    scenario = shop(brokers=3)
    result = run(scenario, logs=tmp_path / "logs")
    number = offsets_partition("billing")
    ids = TopicIds({"orders": made_id("orders")})
    told = result.offsets_topic
    for broker in range(1, 4):
        folder = tmp_path / "logs" / f"broker-{broker}" / f"__consumer_offsets-{number}"
        report = fsck(folder)
        assert report.ok, str(report)
        records = open_partition(folder).read(0).records()
        read = [decode(each.key or b"", each.value, ids) for each in records]
        committed = [r for r in read if isinstance(r, OffsetRecord)]
        assert len(read) == len(told)
        stored = told[told["kind"] == "OffsetCommit"]["committed_offset"]
        assert [r.offset for r in committed] == list(stored)


def test_it_cannot_be_streamed_and_a_joined_run_has_no_such_tables() -> None:
    with pytest.raises(ValidationError, match="starts cold"):
        run(shop(), result="streamed")
    system = Kafka(topics={"orders": Topic(config=TopicConfig())})
    joined = run(Scenario(shop().traffic, system))
    with pytest.raises(TableNotRecorded, match="start cold"):
        _ = joined.offsets_topic
