"""What a member does at which moment, by hand: polls, commits, ends of work."""

from collections.abc import Callable
from typing import Literal

import numpy as np
import pytest

from kafkasim.config.broker import BrokerConfig
from kafkasim.config.consumer import ConsumerConfig
from kafkasim.config.producer import ProducerConfig
from kafkasim.config.topic import TopicConfig
from kafkasim.engine.sim.request import FETCH, OFFSET_COMMIT, Request
from kafkasim.engine.sim.run import run
from kafkasim.engine.sim.systems.kafka import KafkaRun
from kafkasim.scenario.arrivals import Periodic, Poisson
from kafkasim.scenario.distributions import Exponential
from kafkasim.scenario.events import Crash
from kafkasim.scenario.hardware import Cpu, Hardware, Link
from kafkasim.scenario.keys import UniformKeys
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Producer, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.units import MISSING_NS

MS = 1_000_000

Builder = Callable[..., Scenario]


def committing(interval_ms: int, max_poll_records: int = 500) -> Group:
    config = ConsumerConfig(
        auto_commit_interval_ms=interval_ms, max_poll_records=max_poll_records
    )
    return Group(members=1, config=config)


def test_fetches_of_one_moment_are_sent_in_the_order_of_the_brokers() -> None:
    scenario = Scenario(
        Traffic(
            {"web": Source("orders", Poisson(2_000), keys=UniformKeys(100))},
            {"billing": Subscriber(["orders"], work_ms=0.3)},
            duration_s=2.0,
        ),
        Kafka(
            brokers=3,
            topics={"orders": Topic(partitions=6)},
            hardware=Hardware(link=Link(delay_ms=Exponential(0.5))),
        ),
    )
    result = run(scenario)
    requests = result.columns("requests")
    fetches = np.flatnonzero(requests["api"] == FETCH)
    fetches = fetches[np.argsort(requests["request_id"][fetches])]
    sent, receiver = requests["sent_ns"][fetches], requests["receiver"][fetches]
    together = np.flatnonzero(np.diff(sent) == 0)
    assert len(together) > 20
    assert (np.diff(receiver.astype(int))[together] > 0).all()


def test_a_poll_returns_no_more_than_max_poll_records(scenario_of: Builder) -> None:
    result = run(
        scenario_of(
            rate_per_s=1000,
            count=5,
            work_ms=1.0,
            producer=Producer(config=ProducerConfig(linger_ms=20)),
            group=committing(1, max_poll_records=2),
        ),
        check=True,
    )
    # Five records are there at 22.5; polls at 22.5, 24.5 and 26.5 commit what those
    # before returned. The run ends at 27.5, before the last commit is stored.
    commits = result.columns("commits")
    assert sorted(set(commits["offset"].tolist())) == [0, 2]
    assert commits["at_ns"][commits["offset"] == 2].tolist() == [26 * MS]


def test_a_member_that_works_commits_when_it_polls_again(scenario_of: Builder) -> None:
    result = run(
        scenario_of(rate_per_s=10, count=2, work_ms=30.0, group=committing(20)),
        check=True,
    )
    # The interval is over at 20, within the work from 2.5 to 32.5.
    commits = result.columns("commits")
    assert commits["at_ns"].tolist()[0] == 34 * MS
    assert commits["offset"].tolist()[0] == 1


def test_work_that_a_crash_ended_wakes_nobody(scenario_of: Builder) -> None:
    result = run(
        scenario_of(
            count=1,
            work_ms=30.0,
            group=committing(20),
            events=(Crash("subscriber:billing", at_s=0.010, for_s=0.1),),
            drain_limit_s=2.0,
        ),
        check=True,
    )
    # The work from 2.5 on would have ended at 32.5, when a commit was due.
    deliveries = result.table("deliveries")
    assert deliveries["outcome"].tolist() == ["abandoned", "processed"]
    assert deliveries["started_ms"].tolist()[1] > 110
    assert result.facts["drained"] == 1


@pytest.mark.parametrize("end", ["drain", "cut"])
def test_a_record_that_ends_with_the_crash_is_processed(
    scenario_of: Builder, end: Literal["drain", "cut"]
) -> None:
    result = run(
        scenario_of(
            rate_per_s=50,
            count=1,
            events=(Crash("subscriber:billing", at_s=0.0125),),
            end=end,
        ),
        check=True,
    )
    assert result.table("deliveries")["outcome"].tolist() == ["processed"]
    assert result.table("deliveries")["ended_ms"].tolist() == [12.5]
    assert result.facts["drained"] == 1
    assert result.facts["end_ns"] == (12.5 if end == "drain" else 20.0) * MS


def test_records_processed_again_do_not_end_a_run_early(scenario_of: Builder) -> None:
    result = run(
        scenario_of(
            rate_per_s=100,
            count=13,
            work_ms=20.0,
            producer=Producer(config=ProducerConfig(linger_ms=30)),
            group=committing(5_000, max_poll_records=4),
            events=(Crash("subscriber:billing", at_s=0.060, for_s=0.01),),
        ),
        check=True,
    )
    # Four records are there at 32.5, the first is processed when the crash comes; all
    # four are handed out again, and three of them are new. The last poll returns one.
    deliveries = result.table("deliveries")
    first = deliveries["record_id"].tolist()[:8]
    assert first == [0, 1, 2, 3, 0, 1, 2, 3]
    done = deliveries["record_id"][deliveries["outcome"] == "processed"]
    assert set(done) == set(range(13))
    assert result.facts["drained"] == 1
    assert result.facts["end_ns"] == deliveries["ended_ms"].max() * MS


def test_what_a_member_held_at_a_crash_is_fetched_again(scenario_of: Builder) -> None:
    result = run(
        scenario_of(
            rate_per_s=100,
            count=9,
            work_ms=20.0,
            events=(Crash("subscriber:billing", at_s=0.015, for_s=0.01),),
            drain_limit_s=2.0,
        ),
        check=True,
    )
    # The first record is at work when the crash comes, the second waits in the buffer
    # since 12.5: it was never handed out, so its only row is that of the next fetch,
    # sent at 25. What comes later is fetched as if nothing had happened.
    deliveries = result.table("deliveries")
    assert deliveries["record_id"].tolist() == [0, *range(9)]
    assert deliveries["delivery_count"].tolist() == [1, 2, *[1] * 8]
    assert deliveries["fetched_ms"].tolist()[1:4] == [27.5] * 3
    assert result.facts["drained"] == 1


def test_a_commit_that_a_crash_overtook_has_no_answer(scenario_of: Builder) -> None:
    result = run(
        scenario_of(
            rate_per_s=50,
            count=2,
            work_ms=5.0,
            group=committing(10),
            events=(Crash("subscriber:billing", at_s=0.012, for_s=0.002),),
        ),
        check=True,
    )
    # Sent at 10, stored at 11.5; the answer would be there at 12.5, after the crash.
    requests = result.columns("requests")
    commits = requests["api"] == OFFSET_COMMIT
    assert requests["sent_ns"][commits].tolist()[0] == 10 * MS
    assert requests["done_ns"][commits].tolist()[0] == 11.5 * MS
    assert requests["answered_ns"][commits].tolist()[0] == MISSING_NS
    assert result.columns("commits")["at_ns"].tolist()[0] == 11.5 * MS
    assert result.columns("assignments")["start_offset"].tolist() == [0, 1]


def test_a_commit_that_comes_when_its_member_has_begun_anew_is_refused(
    scenario_of: Builder,
) -> None:
    result = run(
        scenario_of(
            rate_per_s=50,
            count=2,
            work_ms=5.0,
            group=committing(10),
            events=(Crash("subscriber:billing", at_s=0.0102, for_s=0.0003),),
        ),
        check=True,
    )
    # Sent at 10; the broker would store it at 11.5, the member is back at 10.5.
    requests = result.columns("requests")
    commits = requests["api"] == OFFSET_COMMIT
    assert requests["done_ns"][commits].tolist()[0] == 11.5 * MS
    assert result.columns("commits")["at_ns"].tolist()[0] > 11.5 * MS
    assert result.columns("assignments")["start_offset"].tolist() == [0, 0]


def test_a_request_has_one_row_also_when_it_outlives_its_member() -> None:
    slow = Hardware(link=Link(delay_ms=1.0), cpu=Cpu(request_ms=60.0))
    result = run(
        Scenario(
            Traffic(
                {"web": Source("orders", Poisson(1.0))},
                {"billing": Subscriber(["orders"])},
                duration_s=0.04,
            ),
            Kafka(
                topics={"orders": Topic(partitions=2)},
                groups={"billing": Group(members=2)},
                hardware=slow,
                broker_config=BrokerConfig(num_io_threads=1),
            ),
            events=(Crash("subscriber:billing", at_s=0.01, for_s=0.01),),
            end="cut",
        ),
        check=True,
    )
    # The second member's first fetch still waits for the IO thread when the run ends.
    assert result.columns("requests")["request_id"].tolist() == [0, 1, 2, 3]
    assert result.table("violations").empty


def test_while_its_only_position_is_reset_a_member_fetches_nothing() -> None:
    """AbstractFetch.prepareFetchRequests: no fetch without a fetchable partition."""
    looks = BrokerConfig(
        log_retention_check_interval_ms=1_000, log_initial_task_delay_ms=0
    )
    short = TopicConfig(segment_ms=2_000, retention_ms=10_000)
    slow = Subscriber(["orders"], work_ms=2_000, wants="all")
    scenario = Scenario(
        Traffic({"web": Source("orders", Periodic(1))}, {"slow": slow}, duration_s=50),
        Kafka(topics={"orders": Topic(config=short)}, broker_config=looks),
    )
    requests = run(scenario).table("requests")
    mine = requests[requests["sender"] == "member:slow/1"]
    reset = mine[mine["api"] == "ListOffsets"].iloc[0]
    fetches = mine[(mine["api"] == "Fetch") & (mine["sent_ms"] >= reset["sent_ms"])]
    assert fetches["sent_ms"].iloc[0] == reset["answered_ms"]
    assert fetches["answered_ms"].iloc[0] - reset["answered_ms"] < 1
    assert fetches["batch_count"].iloc[0] == 3


def test_a_commit_of_a_lower_offset_sets_a_group_back(scenario_of: Builder) -> None:
    """CO-14: the coordinator does not look whether offsets rise; the last one stays."""
    scenario = scenario_of()
    kafka = KafkaRun(scenario, scenario.plan(), check=False)
    group = kafka.groups["billing"]
    connection = kafka.hosts.connections[0]
    for offset in (20, 10):
        what = (group, 0, {0: offset}, 0)
        kafka._commit(Request(OFFSET_COMMIT, connection, 0, what, None))
    assert group.committed == {0: 10}


@pytest.mark.parametrize(
    ("commit", "again", "lost"),
    [("after_work", 3, 0), ("before_work", 0, 2), ("manual(every=1)", 0, 0)],
)
def test_what_a_crash_in_the_middle_of_the_work_costs(
    scenario_of: Builder, commit: str, again: int, lost: int
) -> None:
    """DS-14, DS-15: five records of a poll, three done and the fourth at work."""
    result = run(
        scenario_of(
            rate_per_s=1000,
            count=5,
            work_ms=10.0,
            producer=Producer(config=ProducerConfig(linger_ms=20)),
            group=Group(commit=commit),
            events=(Crash("subscriber:billing", at_s=0.055, for_s=0.01),),
        ),
        check=True,
    )
    deliveries = result.table("deliveries")
    done = deliveries["record_id"][deliveries["outcome"] == "processed"]
    assert len(done) - done.nunique() == again
    assert 5 - done.nunique() == lost
    assert result.facts["drained"] == 1
    assert result.table("violations").empty
    kinds = result.table("commits")["kind"].tolist()
    assert set(kinds) <= {"sync"}
