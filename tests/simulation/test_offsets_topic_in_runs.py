"""What becomes of the records of `__consumer_offsets` while a run goes on."""

import numpy as np
import pytest

from kafkasim.analysis.offset_records import offsets_topic
from kafkasim.config.broker import BrokerConfig
from kafkasim.engine.sim.run import run
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.events import Crash, Event
from kafkasim.scenario.member_events import MoveCoordinator, RemoveMember
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic


def shop(
    *events: Event,
    rate: float,
    duration_s: float,
    config: BrokerConfig,
    commit: str = "auto",
    brokers: int = 1,
) -> Result:
    """Return a run of one member."""
    traffic = Traffic(
        sources={"web": Source("orders", Periodic(rate))},
        subscribers={"billing": Subscriber(["orders"])},
        duration_s=duration_s,
    )
    system = Kafka(
        brokers=brokers,
        topics={"orders": Topic(partitions=6, replication_factor=brokers)},
        groups={"billing": Group(commit=commit)},
        broker_config=config,
    )
    scenario = Scenario(traffic, system, events=events, end="cut")
    return run(scenario, check=False)


def test_the_cleaner_keeps_the_newest_record_of_each_key() -> None:
    # 1,800 offsets a second of 65 bytes and more: a segment of 1 MiB is full in 7 s.
    config = BrokerConfig(
        offsets_topic_segment_bytes=2**20, log_cleaner_backoff_ms=1_000
    )
    result = shop(
        MoveCoordinator("subscriber:billing", 25.0),
        rate=300, duration_s=30.0, config=config, commit="each_poll", brokers=2,
    )  # fmt: skip
    table = offsets_topic(result)
    gone = table[~table["there"]]
    assert len(gone) > 10_000
    assert not gone["newest"].any()
    assert gone["gone_ms"].gt(gone["at_ms"]).all()
    assert gone["gone_ms"].max() < 30_000
    # What was removed is not in the log at a later moment, and was there before.
    first_ms = float(gone["gone_ms"].min())
    assert offsets_topic(result, first_ms / 1_000 - 0.001)["there"].all()
    after = offsets_topic(result, first_ms / 1_000 + 0.001)
    assert int((~after["there"]).sum()) == int((gone["gone_ms"] == first_ms).sum())
    # The next coordinator loads what is left, and nobody notices.
    assert len(result.group_states) == 1
    assert set(result.commits["outcome"]) <= {"ok", "NOT_COORDINATOR"}
    steps = result.commits.query("outcome == 'ok'").groupby("partition")["offset"]
    assert all(np.all(np.diff(each.to_numpy()) >= 0) for _, each in steps)


@pytest.mark.parametrize(
    ("leaves", "empty", "dead"),
    [
        (RemoveMember("member:billing/1", at_s=20.0), 20_000, 84_000),
        (Crash("member:billing/1", at_s=17.0), 60_000, 126_000),
    ],
)
def test_of_5_the_offsets_of_an_empty_group_expire_and_it_is_gone(
    leaves: Event, empty: int, dead: int
) -> None:
    config = BrokerConfig(
        offsets_retention_minutes=1, offsets_retention_check_interval_ms=7_000
    )
    result = shop(leaves, rate=10, duration_s=130.0, config=config)
    states = result.group_states
    assert list(states["state"])[-2:] == ["Empty", "Dead"]
    empty_ms, dead_ms = states["at_ms"].iloc[-2:]
    # At the first look that is a minute after it became empty, not after its commits.
    assert dead_ms == dead
    assert empty_ms == pytest.approx(empty, abs=10)
    topic = offsets_topic(result)
    ended = topic[topic["tombstone"]]
    assert set(ended["at_ms"]) == {dead_ms}
    assert list(ended["type"]) == ["OffsetCommit"] * 6 + ["GroupMetadata"]
