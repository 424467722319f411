"""Copies of a partition in a run: latency, the ISR, elections, and what a crash costs.

Times are worked out by hand: a link takes 0.2 ms one way, a request 0.05 ms of a
thread, bytes take no time.
"""

from typing import Literal

import numpy as np
import pytest

from kafkasim.config.producer import ProducerConfig
from kafkasim.config.topic import TopicConfig
from kafkasim.experiments.running import run
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.events import Crash, Event, Pause
from kafkasim.scenario.hardware import Cpu, Hardware, Link
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, Producer, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

LINK_MS = 0.2
SERVICE_MS = 0.05
Acks = Literal["all", "1", "0"]


def scenario(
    *events: Event,
    copies: int = 3,
    min_isr: int = 1,
    acks: Acks = "all",
    rate: float = 10.0,
    duration_s: float = 2.0,
    delivery_timeout_ms: int = 120_000,
) -> Scenario:
    """One partition; broker 1 leads it and brokers 2 and 3 follow."""
    traffic = Traffic(
        sources={"web": Source("orders", Periodic(rate, phase_s=0.05))},
        subscribers={"billing": Subscriber(["orders"])},
        duration_s=duration_s,
    )
    config = ProducerConfig(
        acks=acks, linger_ms=0, delivery_timeout_ms=delivery_timeout_ms
    )
    system = Kafka(
        brokers=3,
        topics={
            "orders": Topic(
                replication_factor=copies,
                config=TopicConfig(min_insync_replicas=min_isr),
            )
        },
        producers={"web": Producer(config=config)},
        hardware=Hardware(
            link=Link(delay_ms=LINK_MS, bandwidth_mb_per_s=1e12),
            cpu=Cpu(request_ms=SERVICE_MS, mb_ms=0.0),
        ),
    )
    return Scenario(traffic, system=system, events=events)


def checked(asked: Scenario) -> Result:
    result = run(asked, check=True)
    assert not len(result.columns("violations")["rule"]), str(result.violations)
    return result


def test_a_record_is_committed_when_the_followers_ask_for_the_next_one() -> None:
    """BR-9, BR-10: answer to the follower, its next fetch, and the service of that."""
    appends = checked(scenario()).appends

    took = appends.committed_ms - appends.appended_ms
    assert took.to_numpy() == pytest.approx(LINK_MS + LINK_MS + SERVICE_MS, abs=1e-5)


def test_acks_all_waits_for_the_high_watermark_and_acks_1_for_the_leader() -> None:
    """PR-42, BR-6: a round trip with its service, and with acks=all replication."""
    waits: dict[Acks, float] = {"1": 0.0, "all": LINK_MS + LINK_MS + SERVICE_MS}
    for acks, replication in waits.items():
        records = checked(scenario(acks=acks)).records

        took = records.acked_ms - records.created_ms
        expected = LINK_MS + SERVICE_MS + replication + LINK_MS
        assert took.to_numpy() == pytest.approx(expected, abs=1e-5)


def test_a_reader_sees_a_record_when_it_is_committed() -> None:
    """BR-11: with acks=1 too."""
    both: tuple[Acks, Acks] = ("1", "all")
    for acks in both:
        result = checked(scenario(acks=acks))

        seen = result.deliveries.fetched_ms - result.records.committed_ms
        assert seen.to_numpy() == pytest.approx(LINK_MS, abs=1e-5)


def test_all_copies_have_the_same_log_in_the_end() -> None:
    segments = checked(scenario()).segments

    assert len(segments) == 3
    assert segments.record_count.nunique() == segments.size_bytes.nunique() == 1
    assert segments.broker.tolist() == [1, 2, 3]


def test_one_copy_is_committed_at_once() -> None:
    """BR-20; with an event that makes the cluster one whose brokers fail."""
    result = checked(scenario(Crash("broker:3", at_s=1.0), copies=1))

    assert (result.appends.committed_ms == result.appends.appended_ms).all()


@pytest.mark.parametrize("number", [2, 3])
def test_a_dead_follower_holds_the_high_watermark_until_it_is_fenced(
    number: int,
) -> None:
    """CT-1: 7.0 to 10.13 s after the crash; then 25 ms and three ways to the leader."""
    result = checked(
        scenario(Crash(f"broker:{number}", at_s=5.0), duration_s=20.0, min_isr=2)
    )

    appends, replicas = result.appends, result.replicas
    longest = (appends.committed_ms - appends.appended_ms).max()
    assert 7_000 - 2 * 100 < longest < 10_130 + 100
    left = replicas[replicas.cause == "left the ISR"]
    assert left.broker.tolist() == [number]
    assert left.at_ms.item() == pytest.approx(
        appends.committed_ms[appends.appended_ms < left.at_ms.item()].max(), abs=1e-6
    )
    assert result.records.outcome.eq("acked").all()


def test_a_follower_that_comes_back_copies_what_it_lacks_and_joins_the_isr() -> None:
    """BR-18, CT-10."""
    result = checked(
        scenario(Crash("broker:2", at_s=3.0, for_s=12.0), duration_s=20.0, rate=100.0)
    )

    mine = result.replicas[result.replicas.broker == 2]
    assert mine.cause.tolist() == [
        "start", "crashed", "left the ISR", "follows", "joined the ISR",
    ]  # fmt: skip
    segments = result.segments.set_index("broker")
    assert segments.record_count[2] == segments.record_count[1] == len(result.records)


def test_no_copy_is_acknowledged_below_min_insync_replicas() -> None:
    """BR-13: two of three are down and two are asked for."""
    down = [Crash("broker:2", at_s=3.0), Crash("broker:3", at_s=3.0)]
    result = run(
        scenario(*down, min_isr=2, duration_s=30.0, delivery_timeout_ms=40_000),
        check=True,
    )

    records, replicas = result.records, result.replicas
    alone = replicas[replicas.cause == "left the ISR"].at_ms
    late = records[records.created_ms > alone.min() + 100]
    assert not late.outcome.eq("acked").any()
    assert not np.isfinite(late.committed_ms).any()


def test_with_acks_1_records_are_accepted_below_min_insync_and_stay_invisible() -> None:
    """BR-8, BR-13."""
    down = [Crash("broker:2", at_s=3.0), Crash("broker:3", at_s=3.0)]
    result = run(scenario(*down, min_isr=2, acks="1", duration_s=30.0), check=True)

    records = result.records
    assert records.outcome.eq("acked").all()
    late = records[records.created_ms > 3_001]
    assert not np.isfinite(late.committed_ms).any()
    read = result.deliveries.record_id
    assert set(read).isdisjoint(late.record_id)


def test_a_follower_that_stands_still_leaves_the_isr_and_comes_back() -> None:
    """CT-1: a broker that does not send heartbeats is fenced."""
    result = checked(
        scenario(Pause("broker:2", at_s=3.0, for_s=15.0), duration_s=25.0, rate=50.0)
    )

    mine = result.replicas[result.replicas.broker == 2]
    assert mine.cause.tolist()[:2] == ["start", "left the ISR"]
    assert mine.cause.tolist()[-1] == "joined the ISR"


def test_what_is_lost_on_the_way_with_acks_0_holds_up_nobody() -> None:
    """PR-41: the client never learns of it; the run ends all the same."""
    result = checked(scenario(Crash("broker:1", at_s=1.0), acks="0", rate=500.0))

    records = result.records
    lost = records[records.log_copies == 0]
    assert records.outcome.eq("unacked").all()
    assert len(lost) > 0
    assert result.facts["drained"] == 1
    assert int(result.facts["end_ns"]) < 60e9
