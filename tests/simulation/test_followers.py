"""What followers ask, what they are told, and when their leader gives them up.

A link takes 0.2 ms one way; a request takes 0.05 ms of a thread.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

import kafkasim as ks
from kafkasim.engine.sim.replicated_broker import ReplicatedBroker
from kafkasim.engine.sim.request import LIST_OFFSETS, Request
from kafkasim.engine.sim.systems.kafka import KafkaRun
from kafkasim.log.reading import EARLIEST_TIMESTAMP, LATEST_TIMESTAMP
from kafkasim.protocol.errors import (
    FENCED_LEADER_EPOCH,
    NONE,
    NOT_LEADER_OR_FOLLOWER,
    OFFSET_NOT_AVAILABLE,
    UNKNOWN_LEADER_EPOCH,
)
from tests.simulation.stories import evenly, records_at


def scenario(
    source: ks.Source,
    *events: ks.Crash | ks.Pause,
    until_s: float,
    partitions: int = 1,
    topic: Mapping[str, Any] | None = None,
    broker: Mapping[str, Any] | None = None,
    producer: Mapping[str, Any] | None = None,
) -> ks.Scenario:
    """Two brokers, each with a copy; broker 1 leads partition 0."""
    config = ks.TopicConfig(**{"min_insync_replicas": 1, **(topic or {})})
    cluster = ks.Kafka(
        brokers=2,
        topics={
            "orders": ks.Topic(
                partitions=partitions, replication_factor=2, config=config
            )
        },
        producers={
            "shop": ks.Producer(ks.ProducerConfig(linger_ms=0, **(producer or {})))
        },
        hardware=ks.Hardware(link=ks.Link(delay_ms=0.2)),
        broker_config=ks.BrokerConfig(**(broker or {})),
    )
    traffic = ks.Traffic({"shop": source}, {}, duration_s=until_s)
    return ks.Scenario(traffic, cluster, events=events)


def checked(asked: ks.Scenario) -> ks.Result:
    result = ks.run(asked, check=True)
    assert result.violations.empty
    return result


def of_followers(result: ks.Result, since_ms: float) -> Any:  # noqa: ANN401 - a frame
    requests = result.requests
    theirs = (requests.api == "FetchFollower") & (requests.sent_ms > since_ms)
    return requests[theirs]


# --- how much, and how long they wait -------------------------------------------------


def test_a_follower_waits_for_something_to_copy_half_a_second() -> None:
    """BR-21: `replica.fetch.wait.max.ms`."""
    waits = of_followers(checked(scenario(records_at(1.0, 9.0), until_s=10.0)), 2_000)

    took = (waits.done_ms - waits.dequeued_ms)[waits.batch_count == 0].dropna()
    assert len(took) > 10
    assert took.to_numpy() == pytest.approx(500.05, abs=1e-6)


@pytest.mark.parametrize(("partitions", "least", "most"), [(1, 17, 20), (4, 40, 50)])
def test_a_follower_that_has_much_to_copy_gets_it_in_limited_answers(
    partitions: int, least: int, most: int
) -> None:
    """BR-21: so many kB of a partition, and of all together."""
    source = ks.Source("orders", ks.Periodic(400), value_bytes=1_000)
    limits = {
        "replica_fetch_max_bytes": 20_000,
        "replica_fetch_response_max_bytes": 50_000,
    }
    back = ks.Crash("broker:2", at_s=3.0, for_s=10.0)

    result = checked(
        scenario(source, back, until_s=14.0, partitions=partitions, broker=limits)
    )

    answers = of_followers(result, 13_000)
    assert least * 1_000 < answers.size_bytes.max() <= most * 1_000
    assert set(result.replicas[result.replicas.broker == 2].cause) >= {"joined the ISR"}


def test_a_follower_without_its_leader_asks_again_after_a_second() -> None:
    """BR-21: `replica.fetch.backoff.ms`."""
    gone = ks.Crash("broker:1", at_s=2.0005, for_s=4.0)

    result = checked(scenario(records_at(1.0, 9.0), gone, until_s=10.0))

    asked = of_followers(result, 2_000).sent_ms
    assert asked.iloc[0] == pytest.approx(3_000.7, abs=0.01)


def test_a_follower_below_its_leaders_log_begins_anew_where_that_starts() -> None:
    """BR-27: all that it lacks was deleted meanwhile, and nothing new comes."""
    times_s = np.arange(0.0, 20.0, 0.1)
    settings = {"retention_ms": 5_000, "segment_ms": 2_000}
    looks = {
        "log_retention_check_interval_ms": 1_000,
        "log_initial_task_delay_ms": 1_000,
    }
    gone = ks.Crash("broker:2", at_s=3.0, for_s=37.0)

    result = checked(
        scenario(
            records_at(*times_s, 59.9), gone, until_s=60.0, topic=settings, broker=looks
        )
    )

    ours = result.replicas[result.replicas.broker == 2]
    assert ours.cause.tolist()[-3:] == ["follows", "truncated", "joined the ISR"]
    assert ours.log_end_offset.tolist()[-3:] == [30, 200, 200]
    kept = result.segments[result.segments.deleted_ms.isna()]
    assert kept.base_offset.tolist() == [200, 200]
    assert len(of_followers(result, 40_000)) < 100  # it does not ask in a circle
    assert result.appends.truncated_ms.isna().all()


# --- who is in sync -------------------------------------------------------------------


def test_a_leader_looks_for_laggards_twice_in_the_time_they_have() -> None:
    """BR-15, BR-17: caught up last at 3.28 s; looked for at 4 s, 5 s and 6 s."""
    stands_still = ks.Pause("broker:2", at_s=3.3, for_s=4.0)

    result = checked(
        scenario(
            evenly(50, 0.0),
            stands_still,
            until_s=10.0,
            broker={"replica_lag_time_max_ms": 2_000},
        )
    )

    left = result.replicas[result.replicas.cause == "left the ISR"]
    # Asked of the controller; 25 ms in its log, and four ways.
    assert left.at_ms.tolist() == [pytest.approx(6_000 + 25 + 4 * 0.2)]


def test_a_follower_that_had_all_when_it_last_asked_is_in_sync() -> None:
    """BR-32, BR-16: what did not change is not told, and known all the same.

    The leader looks for laggards at 45 s, between the append and the follower's next
    fetch; the follower has told nothing new since the second second.
    """
    result = checked(scenario(records_at(1.0, 44.9997, 49.0), until_s=50.0))

    appends = result.appends
    assert appends.appended_ms.tolist()[1] < 45_000 < appends.committed_ms.tolist()[1]
    assert set(result.replicas.cause) == {"start"}


def test_a_followers_high_watermark_is_one_fetch_behind() -> None:
    """BR-22: it comes with the answer, and the next answer comes with a record."""
    dies = ks.Crash("broker:2", at_s=5.0105)  # the record of 5.0 s is there

    result = checked(scenario(evenly(50, 0.0), dies, until_s=6.0))

    (last,) = result.replicas[result.replicas.cause == "crashed"].itertuples()
    assert (last.log_end_offset, last.high_watermark) == (251, 250)


def test_clients_see_a_lost_connection_at_once_and_a_new_leader_later() -> None:
    """CT-2: the producer knows after 0.2 ms; the controller after its session."""
    dies = ks.Crash("broker:1", at_s=5.0102)  # as a request is on its way

    result = checked(scenario(evenly(100, 0.0), dies, until_s=5.1))

    lost = result.requests[result.requests.error == "NETWORK_EXCEPTION"]
    asked = result.requests[result.requests.api == "Metadata"]
    assert not lost.empty
    assert asked.sent_ms.min() == pytest.approx(5_010.4, abs=0.01)
    (elected_ms,) = result.replicas[result.replicas.cause == "elected"].at_ms
    assert elected_ms > 5_000 + 7_000


def test_acks_all_waits_for_the_producers_request_timeout_at_the_broker() -> None:
    """BR-5: then it is answered with an error, and the record is in the log."""
    result = checked(
        scenario(
            records_at(5.0),
            ks.Crash("broker:2", at_s=4.0),
            until_s=6.0,
            producer={"request_timeout_ms": 1_000, "delivery_timeout_ms": 30_000},
        )
    )

    sent = result.requests[result.requests.api == "Produce"]
    *waits_ms, last_ms = (sent.done_ms - sent.dequeued_ms).tolist()
    assert len(waits_ms) > 2
    assert waits_ms == pytest.approx([1_000.05] * len(waits_ms))
    assert set(sent.error[:-1]) == {"REQUEST_TIMED_OUT"}
    assert last_ms < 1_000  # the follower has left the ISR
    assert result.records.outcome.tolist() == ["acked"]
    assert result.records.log_copies.tolist() == [1]


# --- what a leader tells --------------------------------------------------------------


@pytest.fixture
def after_an_election() -> KafkaRun:
    """A run that is over: broker 2 leads in epoch 1, broker 1 came back and follows."""
    asked = scenario(
        evenly(10, 0.0), ks.Crash("broker:1", at_s=5.0, for_s=15.0), until_s=25.0
    )
    run = KafkaRun(asked, asked.plan(), check=True)
    run.run()
    return run


def test_a_leader_refuses_epochs_that_are_not_its_own(
    after_an_election: KafkaRun,
) -> None:
    """BR-25: older ones are fenced, and of newer ones it has not heard."""
    partition = after_an_election.partitions[0]
    follower, leader = after_an_election.brokers

    assert [leader.meets(partition, epoch) for epoch in (0, 1, 2)] == [
        FENCED_LEADER_EPOCH,
        NONE,
        UNKNOWN_LEADER_EPOCH,
    ]
    assert follower.meets(partition, 1) == NOT_LEADER_OR_FOLLOWER


def test_a_new_leader_tells_no_end_until_its_high_watermark_is_in_its_epoch(
    after_an_election: KafkaRun,
) -> None:
    """BR-34: its predecessor may have let more be read; the start it does tell."""
    partition = after_an_election.partitions[0]
    leader = after_an_election.brokers[1]
    assert isinstance(leader, ReplicatedBroker)
    state = leader.replicas[0].state
    assert state is not None
    assert state.high_watermark >= state.epoch_start > 0

    state.high_watermark = state.epoch_start - 1

    told = []
    for wish in (LATEST_TIMESTAMP, EARLIEST_TIMESTAMP):
        connection = after_an_election.hosts.newest[0]
        request = Request(LIST_OFFSETS, connection, 0, None, lambda _: None)
        request.payload = [(_Asked(), partition, wish)]
        leader._tell_offset(request)
        told.append((request.error, request.answer.get(partition.index)))
    assert told == [(OFFSET_NOT_AVAILABLE, None), (NONE, 0)]


class _Asked:
    """A question of a member that knows the present epoch."""

    leader_epoch = 1
