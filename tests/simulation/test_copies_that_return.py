"""Brokers that come back: who joins the ISR, and who may lead from outside it."""

from typing import Literal

import pytest

import kafkasim as ks
from kafkasim.result.result import Result
from kafkasim.scenario.events import Event
from tests.simulation.stories import evenly, story, waits_ms


def run_with(*events: ks.Crash, acks: Literal["all", "1", "0"] = "all") -> Result:
    config = ks.TopicConfig(min_insync_replicas=2)
    topics = {"orders": ks.Topic(replication_factor=3, config=config)}
    producer = ks.Producer(config=ks.ProducerConfig(acks=acks))
    kafka = ks.Kafka(brokers=3, topics=topics, producers={"web": producer})
    web = ks.Source("orders", ks.Periodic(rate_per_s=20))
    traffic = ks.Traffic({"web": web}, {}, duration_s=32)
    return ks.run(ks.Scenario(traffic, kafka, events=events))


def causes(result: Result, broker: int) -> list[str]:
    replicas = result.table("replicas")
    return list(map(str, replicas.loc[replicas["broker"] == broker, "cause"]))


def test_followers_join_the_isr_though_nothing_is_written_any_more() -> None:
    """With one in sync of two nothing may be written, so nothing would wake a fetch.

    A follower outside the ISR is looked at with each fetch, and it fetches after
    `replica.fetch.wait.max.ms` at the latest (BR-18, BR-21).
    """
    both = [ks.Crash(f"broker:{each}", at_s=1, for_s=15) for each in (2, 3)]

    result = run_with(*both)

    replicas = result.table("replicas")
    joined = replicas[replicas["cause"] == "joined the ISR"]["at_ms"]
    assert causes(result, 2)[-1] == causes(result, 3)[-1] == "joined the ISR"
    assert joined.max() < 16_000 + 2 * 500 + 100


def test_an_eligible_leader_replica_is_a_clean_choice() -> None:
    """Stopped in good order below min ISR, so it has all below the high watermark.

    That makes it an eligible leader replica (CT-18, CT-19, KIP-966).
    """
    stops = [
        ks.Crash(f"broker:{each}", at_s=1, for_s=15, clean=True) for each in (2, 3)
    ]

    result = run_with(*stops, ks.Crash("broker:1", at_s=5, for_s=20), acks="1")

    led = {each for broker in (2, 3) for each in causes(result, broker)}
    assert "elected" in led
    assert "elected unclean" not in led


def test_without_one_the_last_leader_is_waited_for_and_may_lack_records() -> None:
    """Both followers died: nobody vouches for them (CT-12, CT-20)."""
    deaths = [ks.Crash(f"broker:{each}", at_s=1, for_s=20) for each in (2, 3)]

    result = run_with(*deaths, ks.Crash("broker:1", at_s=15, for_s=15), acks="1")

    assert "elected unclean" in causes(result, 1)
    replicas = result.table("replicas")
    (at_ms,) = replicas.loc[replicas["cause"] == "elected unclean", "at_ms"]
    assert at_ms == pytest.approx(30_000, abs=200)


def test_a_broker_that_crashed_twice_within_a_backoff_is_fetched_from_again() -> None:
    """Followers wait for 1 s (`replica.fetch.backoff.ms`) after each loss."""
    events = [
        ks.Crash("broker:2", at_s=5.0, for_s=0.1),
        ks.Crash("broker:2", at_s=5.6, for_s=0.1),
        ks.Crash("broker:1", at_s=40.0),
    ]

    records = story(evenly(5, 0.0), *events, until_s=60.0).records

    late = records[records.created_ms > 52_000]
    assert set(late.outcome) == {"acked"}
    assert waits_ms(late).max() < 1_000


def test_a_leader_that_was_down_once_looks_for_followers_that_lag_like_any() -> None:
    """Broker 3 heartbeats and does not fetch: out after 30 to 45 s (BR-17)."""
    events: list[Event] = [
        ks.Crash("broker:2", at_s=5.0, for_s=0.1),
        ks.Crash("broker:1", at_s=40.0),
        ks.Cut("link:broker:3->broker:2", at_s=60.0, for_s=60.0),
    ]

    result = story(evenly(5, 0.0), *events, until_s=110.0, min_isr=1)

    (left_ms,) = result.replicas.query("broker == 3 and cause == 'left the ISR'").at_ms
    assert 90_000 < left_ms < 105_100
