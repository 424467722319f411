"""Copies of a compacted topic: each broker compacts its own, and they agree.

A record every 10 ms, each in a batch of its own, keys of three; a segment rolls with
every tenth record; the cleaner comes every 50 ms. 1 ms each way, 0.5 ms a request.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kafkasim.analysis.receiving import receipts
from kafkasim.config.broker import BrokerConfig
from kafkasim.config.producer import ProducerConfig
from kafkasim.config.topic import TopicConfig
from kafkasim.engine.sim.following import Copied
from kafkasim.engine.sim.planned_batches import offsets_in
from kafkasim.engine.sim.replica import contents_of
from kafkasim.engine.sim.run import run
from kafkasim.engine.sim.systems.kafka import KafkaRun
from kafkasim.log.fsck import fsck
from kafkasim.log.opening import open_partition
from kafkasim.result.result import Result
from kafkasim.scenario.events import Crash, Event, Pause
from kafkasim.scenario.keys import UniformKeys
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, Producer, Topic
from kafkasim.scenario.traffic import Subscriber
from kafkasim.units import MISSING_NS

Builder = Callable[..., Scenario]
CONFIG = TopicConfig(
    cleanup_policy="compact", segment_ms=95, min_cleanable_dirty_ratio=0.0
)
QUICK = BrokerConfig(
    log_initial_task_delay_ms=0,
    log_retention_check_interval_ms=50,
    log_cleaner_backoff_ms=50,
    broker_session_timeout_ms=400,
    broker_heartbeat_interval_ms=100,
    replica_fetch_backoff_ms=20,
)


def copies(
    scenario_of: Builder,
    *events: Event,
    config: TopicConfig = CONFIG,
    count: int = 150,
    brokers: int = 2,
    late_s: float | None = None,
) -> Scenario:
    """A topic with a copy on each broker, and one who comes later and wants all."""
    scenario = scenario_of(
        count=count, keys=UniformKeys(3), brokers=brokers, events=events
    )
    assert isinstance(scenario.system, Kafka)
    subscribers = dict(scenario.traffic.subscribers)
    if late_s is not None:
        subscribers["late"] = Subscriber(["orders"], from_s=late_s, wants="all")
    return replace(
        scenario,
        traffic=replace(scenario.traffic, subscribers=subscribers),
        system=replace(
            scenario.system,
            topics={"orders": Topic(replication_factor=brokers, config=config)},
            groups={},
            broker_config=QUICK,
        ),
    )


def checked(scenario: Scenario, logs: Path | None = None) -> Result:
    result = run(scenario, check=True, logs=logs)
    assert result.table("violations").to_dict("records") == []
    return result


def removed(result: Result, broker: int) -> dict[int, float]:
    """Offsets that compaction took from a broker's log, and when, in milliseconds."""
    rows = result.columns("removals")
    return {
        offset: rows["at_ns"][row] / 1e6
        for row in np.flatnonzero(rows["broker"] == broker).tolist()
        for offset in range(rows["from_offset"][row], rows["to_offset"][row])
    }


def held(result: Result, broker: int) -> int:
    """Records in a broker's log in the end."""
    rows = result.columns("segments")
    there = (rows["deleted_ns"] == MISSING_NS) & (rows["broker"] == broker)
    return int(rows["record_count"][there].sum())


def newest(result: Result, end: int) -> set[int]:
    """Offset of the newest record of each key below an offset."""
    keys = result.columns("records")["key"][:end].tolist()
    return set({key: offset for offset, key in enumerate(keys)}.values())


def offsets_in_folder(folder: Path) -> set[int]:
    """Offsets of the records in a written log, read as a client does."""
    log = open_partition(folder)
    found, offset = set(), 0
    while offset < log.log_end_offset:
        read = log.read(offset)
        found |= {record.offset for record in read.records()}
        offset = read.next_offset
    return found


def test_each_broker_compacts_its_own_copy(scenario_of: Builder) -> None:
    """LG-14 to LG-17 for each copy: `LogCleaner` is the broker's."""
    result = checked(copies(scenario_of, brokers=3))

    of_each = [removed(result, broker) for broker in (1, 2, 3)]
    assert of_each[0].keys() == of_each[1].keys() == of_each[2].keys()
    assert set(range(140)) - of_each[0].keys() == newest(result, 140)
    assert {held(result, broker) for broker in (1, 2, 3)} == {3 + 10}


def test_a_follower_copies_the_gaps_that_compaction_left(
    scenario_of: Builder, tmp_path: Path
) -> None:
    """What was taken before it came back, it never had: it is no removal of its own.

    In the end both logs hold the newest of each key, and a broker may open them.
    """
    away = Crash("broker:2", at_s=0.055, for_s=0.9)
    result = checked(copies(scenario_of, away), logs=tmp_path)

    ours, theirs = removed(result, 1), removed(result, 2)
    before = {offset for offset, at_ms in ours.items() if at_ms < 955.0}
    assert len(before) > 60
    assert not before & theirs.keys() - set(range(6))
    # The segments that broker 2 copies begin elsewhere, and so does what stays dirty.
    for broker in (1, 2):
        folder = tmp_path / f"broker-{broker}" / "orders-0"
        report = fsck(folder)
        assert report.ok, str(report)
        offsets = offsets_in_folder(folder)
        assert len(offsets) == held(result, broker)
        assert newest(result, 150) <= offsets
        assert offsets.isdisjoint(removed(result, broker))


@pytest.mark.parametrize("away", [(), (Crash("broker:2", at_s=0.055, for_s=0.5),)])
def test_a_reader_of_the_next_leader_finds_what_is_left_there(
    scenario_of: Builder, away: tuple[Event, ...]
) -> None:
    """Broker 2 leads from about 1.3 s on; its log was compacted, by it or before."""
    dies = Crash("broker:1", at_s=1.2)
    result = checked(copies(scenario_of, *away, dies, late_s=1.9))

    deliveries = result.columns("deliveries")
    mine = deliveries["subscriber"] == deliveries.labels["subscriber"].index("late")
    read = np.sort(deliveries["offset"][mine])
    at_ms = removed(result, 2)
    gone = {o for o, ms in {**removed(result, 1), **at_ms}.items() if ms < 1_900}
    end = int(read.max()) + 1
    assert end == 150
    assert set(read.tolist()) >= newest(result, 150)
    assert set(read.tolist()) <= set(range(150)) - gone
    done = receipts(result)
    assert set(done["outcome"]) <= {"once", "duplicated", "expired"}


def test_a_broker_that_is_down_compacts_nothing_and_looks_when_it_is_back(
    scenario_of: Builder,
) -> None:
    """LG-14; a cleaner looks as soon as its process runs (`CleanerThread.doWork`)."""
    # What was rolled at 301.5 ms is due at 350.
    result = checked(copies(scenario_of, Crash("broker:2", at_s=0.34, for_s=0.4)))

    times = sorted(set(removed(result, 2).values()))
    assert not any(340 < at_ms < 740 for at_ms in times)
    assert min(at_ms for at_ms in times if at_ms > 340) == pytest.approx(740.0, abs=1)
    theirs = set(removed(result, 1).values())
    assert any(340 < at_ms < 740 for at_ms in theirs)


def test_a_broker_that_stands_still_compacts_late(scenario_of: Builder) -> None:
    result = checked(copies(scenario_of, Pause("broker:2", at_s=0.24, for_s=0.1)))

    assert 250.0 in removed(result, 1).values()
    late = set(removed(result, 2).values())
    assert 250.0 not in late
    assert 340.0 in late


def test_a_follower_that_its_leaders_log_has_passed_begins_anew(
    scenario_of: Builder,
) -> None:
    """BR-27: retention has gone on while broker 2 was away; it begins where 1 does."""
    config = TopicConfig(segment_ms=95, retention_ms=200)
    away = Crash("broker:2", at_s=0.055, for_s=0.9)
    result = checked(copies(scenario_of, away, config=config))

    replicas, segments = result.replicas, result.segments
    mine = replicas[replicas.broker == 2]
    assert "truncated" in set(mine.cause)
    again = mine[mine.cause == "truncated"].iloc[0]
    gone = segments[(segments.broker == 2) & (segments.cause == "truncation")]
    assert gone.base_offset.tolist() == [0]
    begun = segments[(segments.broker == 2) & (segments.created_ms == again.at_ms)]
    theirs = segments[(segments.broker == 1) & (segments.deleted_ms < again.at_ms)]
    assert begun.base_offset.tolist() == [theirs.end_offset.max()]
    assert again.log_end_offset == theirs.end_offset.max()
    assert "joined the ISR" in set(mine.cause)


def finished(scenario: Scenario) -> KafkaRun:
    done = KafkaRun(scenario, scenario.plan(), check=True)
    done.run()
    return done


def there(done: KafkaRun, node: int) -> list[int]:
    """Offsets of the records in a copy."""
    log = done.partitions[0].replicas[node].log
    parts = [offsets_in(contents_of(segment)) for segment in log.segments]
    return [int(each) for each in np.concatenate(parts)]


def test_readers_see_more_when_a_copy_leads_that_was_compacted_less(
    scenario_of: Builder,
) -> None:
    """What they had fetched is counted on the log that they read it from."""
    done = finished(copies(scenario_of, config=TopicConfig(cleanup_policy="compact")))
    partition = done.partitions[0]
    manager = done.log_managers[0]
    leader, other = partition.replicas[0], partition.replicas[1]
    assert not partition.survivors
    for replica in (leader, other):
        replica.log.roll(2_000)
    leader.lives[leader.log.active] = leader.lives[leader.log.segments[0]]
    manager._compact(leader, 2_000)
    left = partition.survivors_of(1)
    assert left is not None
    assert left.count(0, 150) == 3
    assert len(there(done, 0)) == 3

    assert partition.lead(1, 1) == 150
    assert not partition.survivors
    assert len(partition.batches) == 150

    assert partition.lead(0, 2) == 150
    again = partition.survivors_of(2)
    assert again is not None
    assert partition.survivors is again
    assert again.count(0, 150) == 3
    assert partition.survivors_of(1) is left
    assert len(partition.batches) == 150
    assert partition.cuts == 0


def test_a_cut_forgets_what_compaction_took_behind_it(scenario_of: Builder) -> None:
    done = finished(copies(scenario_of))
    replica = done.partitions[0].replicas[1]
    history = replica.history()
    assert [base for base, _ in history] == list(range(150))
    assert len(replica.held()) < 150

    replica.truncate_to(70, 0)

    assert replica.history() == history[:70]


def test_an_empty_log_begins_with_the_batch_that_holds_its_start(
    scenario_of: Builder,
) -> None:
    """`UnexpectedAppendOffsetException` of a follower that begins within a batch."""
    scenario = copies(scenario_of, config=TopicConfig(), count=10)
    burst = replace(scenario.traffic.sources["web"], value_bytes=10)
    assert isinstance(scenario.system, Kafka)
    producer = Producer(config=ProducerConfig(linger_ms=500))
    system = replace(scenario.system, producers={"web": producer})
    traffic = replace(scenario.traffic, sources={"web": burst})
    done = finished(replace(scenario, traffic=traffic, system=system))
    partition = done.partitions[0]
    leader, follower = partition.replicas[0], partition.replicas[1]
    (batch,) = contents_of(leader.log.active).batches
    assert batch is not None
    broker = done.replication.brokers[1]  # type: ignore[union-attr]

    broker.begin_anew(follower, 4)
    assert (follower.log.log_start_offset, follower.log.log_end_offset) == (4, 4)
    broker.append_copies(Copied(follower, [batch], 10, 4))

    assert (follower.log.log_start_offset, follower.log.log_end_offset) == (4, 10)
    assert follower.log.active.base_offset == 0
    assert follower.log.high_watermark == 10
