"""A broker whose disk is full halts, and starts again when there is room."""

from functools import lru_cache

import numpy as np

from kafkasim.analysis.receiving import receipts
from kafkasim.config.broker import BrokerConfig
from kafkasim.config.producer import ProducerConfig
from kafkasim.config.topic import TopicConfig
from kafkasim.experiments.running import run
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.events import FillDisk
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, Producer, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

MS = 1_000_000


@lru_cache
def full(
    broker: int = 1, *, rate: float = 200.0, copies: int = 3, for_s: float = 20.0
) -> Result:
    """One partition that broker 1 leads; a broker has no room from 2.1 s on."""
    config = ProducerConfig(acks="all", linger_ms=0)
    result = run(
        Scenario(
            Traffic(
                sources={"web": Source("orders", Periodic(rate, phase_s=0.05))},
                subscribers={"billing": Subscriber(["orders"])},
                duration_s=30.0,
            ),
            system=Kafka(
                brokers=3,
                topics={
                    "orders": Topic(
                        replication_factor=copies,
                        config=TopicConfig(min_insync_replicas=2),
                    )
                },
                producers={"web": Producer(config=config)},
                broker_config=BrokerConfig(auto_leader_rebalance_enable=False),
            ),
            events=[FillDisk(f"broker:{broker}", at_s=2.1, for_s=for_s)],
        ),
        check=True,
    )
    assert not len(result.violations)
    return result


def halted_ns(result: Result, broker: int) -> list[int]:
    """When a broker's copies went offline."""
    replicas = result.columns("replicas")
    mine = (replicas["broker"] == broker) & (replicas["role"] == 2)
    return sorted(set(replicas["at_ns"][mine].tolist()))


def test_a_leader_halts_with_its_first_append_and_another_one_leads() -> None:
    result = full()
    stopped = halted_ns(result, 1)[0]
    # A record every 5 ms; one that was sent before comes after 2,100 ms.
    assert 2_100 * MS < stopped <= 2_106 * MS
    appends = result.columns("appends")
    assert appends["appended_ns"][appends["leader"] == 1].max() < 2_100 * MS
    later = appends["leader"] != 1
    # It was fenced 9 s after its last heartbeat, and not before.
    assert 9_000 * MS < appends["appended_ns"][later].min() < 13_000 * MS


def test_what_was_acknowledged_is_not_lost_with_it() -> None:
    outcomes = receipts(full())["outcome"].value_counts()
    assert outcomes[outcomes > 0].to_dict() == {"once": len(full().records)}


def test_a_follower_halts_too_with_what_it_copies() -> None:
    result = full(broker=2)
    assert 2_100 * MS < halted_ns(result, 2)[0] <= 2_106 * MS
    appends = result.columns("appends")
    assert set(appends["leader"].tolist()) == {1}


def test_without_traffic_it_halts_when_the_next_metadata_come() -> None:
    assert halted_ns(full(rate=1.0 / 20.0), 1)[0] == 2_500 * MS


def test_it_starts_again_when_there_is_room_and_joins_the_isr() -> None:
    replicas = full(broker=2).columns("replicas")
    mine = replicas["broker"] == 2
    back = mine & (replicas["in_isr"] == 1) & (replicas["at_ns"] > 22_100 * MS)
    assert back.any()
    assert replicas["at_ns"][back].min() < 24_000 * MS


def test_room_that_comes_before_anything_is_appended_is_never_missed() -> None:
    result = full(rate=1.0 / 20.0, for_s=0.3)
    assert not halted_ns(result, 1)
    assert np.all(result.columns("records")["outcome"] == 0)
