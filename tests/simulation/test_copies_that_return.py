"""Brokers that come back: who joins the ISR, and who may lead from outside it."""

from typing import Literal

import pytest

import kafkasim as ks
from kafkasim.result.result import Result
from kafkasim.result.schema import ELECTED
from kafkasim.scenario.events import Event
from tests.simulation.stories import evenly, records_at, story, waits_ms


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
    assert led & {*ELECTED} == {"elected from the ELR"}


def test_without_one_the_last_leader_is_waited_for_and_may_lack_records() -> None:
    """Both followers died: nobody vouches for them (CT-12, CT-20)."""
    deaths = [ks.Crash(f"broker:{each}", at_s=1, for_s=20) for each in (2, 3)]

    result = run_with(*deaths, ks.Crash("broker:1", at_s=15, for_s=15), acks="1")

    replicas = result.table("replicas").query("cause in @ELECTED")
    assert replicas["cause"].tolist() == ["elected as the last leader"]
    assert replicas["broker"].tolist() == [1]
    assert replicas["at_ms"].item() == pytest.approx(30_000, abs=200)


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


def crashes(times_s: tuple[float, ...], *, for_s: float) -> list[ks.Crash]:
    """Return a crash of each broker, after which its disk is as it was."""
    brokers = enumerate(times_s, start=1)
    return [ks.Crash(f"broker:{number}", at_s, for_s) for number, at_s in brokers]


@pytest.mark.parametrize("min_isr", [1, 3])
@pytest.mark.parametrize("unclean", [False, True])
@pytest.mark.parametrize("for_s", [0.5, 30.0])
def test_when_all_crash_the_last_leader_is_waited_for_unless_anybody_may_lead(
    *, for_s: float, unclean: bool, min_isr: int
) -> None:
    """Their disks are whole, which no controller knows (CT-12, CT-20, CT-8).

    Broker 1 is fenced first, and the next in the ISR leads from then on, dead as it is:
    so the last leader need not have led a record.
    """
    events = crashes((5.1, 5.2, 5.3), for_s=for_s)

    result = story(
        evenly(5, 0.0), *events, until_s=60.0, min_isr=min_isr, unclean=unclean
    )

    (elected,) = result.replicas.query("cause in @ELECTED").itertuples()
    cause = "elected unclean" if unclean else "elected as the last leader"
    assert elected.cause == cause
    assert (elected.broker == 1) is unclean  # the first of those that may
    assert set(result.records.outcome) == {"acked"}
    assert set(result.records.log_copies) == {1}


@pytest.mark.parametrize(("min_isr", "lost"), [(1, True), (2, True), (3, False)])
@pytest.mark.parametrize("unclean", [False, True])
def test_an_unclean_leader_lacks_what_was_acknowledged_while_it_was_down(
    *, unclean: bool, min_isr: int, lost: bool
) -> None:
    """They crash one after another, and come back in the same order.

    The last leader has all that was acknowledged to `acks=all`, since it was in the ISR
    all the time. Who may lead instead of it was not (CT-20, CT-8).
    """
    events = crashes((5.0, 20.0, 35.0), for_s=40.0)

    result = story(
        evenly(5, 0.0), *events, until_s=100.0, min_isr=min_isr, unclean=unclean
    )

    last = result.replicas.query("cause in @ELECTED").iloc[-1]
    cause = "elected unclean" if unclean else "elected as the last leader"
    assert (last.cause, last.broker) == (cause, 1 if unclean else 3)
    records = result.records
    gone = records[records.log_copies == 0]
    assert set(records.outcome) == {"acked"}
    assert (len(gone) > 0) is (unclean and lost)
    assert gone.created_ms.between(5_000, 35_000).all()


@pytest.mark.parametrize(("min_isr", "led_s"), [(1, 50), (2, 60), (3, 65)])
def test_the_last_leader_waits_until_everybody_eligible_has_lost_that_place(
    min_isr: int, led_s: float
) -> None:
    """Broker 3 was alone in the ISR at last, and is the first to come back.

    Eligible are 3 with a min ISR of 1, 2 and 3 with one of 2, and all with one of 3.
    Each is so until it registers, which shows that it stopped uncleanly (CT-12, CT-20).
    """
    events = [
        ks.Crash("broker:1", at_s=5.0, for_s=60.0),
        ks.Crash("broker:2", at_s=20.0, for_s=40.0),
        ks.Crash("broker:3", at_s=35.0, for_s=15.0),
    ]

    result = story(evenly(5, 0.0), *events, until_s=75.0, min_isr=min_isr)

    last = result.replicas.query("cause in @ELECTED").iloc[-1]
    assert (last.cause, last.broker) == ("elected as the last leader", 3)
    assert last.at_ms == pytest.approx(1_000 * led_s, abs=200)


def test_a_fetch_that_waits_is_answered_when_another_broker_leads_again() -> None:
    """BR-29: broker 1 is the preferred leader, so it leads again at 30 s (CT-13).

    The fetch would wait at broker 2 until 36 s.
    """
    topic = ks.Topic(replication_factor=2, config=ks.TopicConfig(min_insync_replicas=1))
    reader = ks.ConsumerConfig(fetch_max_wait_ms=8_000)
    cluster = ks.Kafka(
        brokers=2,
        topics={"orders": topic},
        groups={"billing": ks.Group(config=reader)},
        broker_config=ks.BrokerConfig(leader_imbalance_check_interval_seconds=30),
    )
    traffic = ks.Traffic(
        {"shop": records_at(20.0, 30.5, 33.0)},
        {"billing": ks.Subscriber(["orders"])},
        duration_s=40.0,
    )
    dies = ks.Crash("broker:1", at_s=2.0, for_s=15.0)

    result = ks.run(ks.Scenario(traffic, cluster, events=[dies]), check=True)

    refused = result.requests.query("api == 'Fetch' and answered_ms > 29_000").iloc[0]
    assert (refused.receiver, refused.error) == ("broker:2", "NOT_LEADER_OR_FOLLOWER")
    assert refused.sent_ms < 29_000
    assert refused.answered_ms == pytest.approx(30_026, abs=2)
    assert (result.deliveries.fetched_ms - result.records.created_ms).max() < 50
