"""Published comparisons of rebalances: their order and rough shape, not their seconds.

Confluent's article on KIP-848, which Karafka's documentation repeats: ten consumers,
900 partitions added: 103 s with the classic protocol, 5 s with the new one. That ran on
hardware we do not have; here only who is faster, and by what order of magnitude.
"""

import numpy as np
import pytest

from kafkasim.analysis.ownership import ownership
from kafkasim.analysis.unread import unread
from kafkasim.config.consumer import ConsumerConfig
from kafkasim.experiments.rolling_restart import RESTART_AT_S, rolling_restarts
from kafkasim.experiments.running import run
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.events import AddPartitions
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from tests.tiers import Tier

MEMBERS, BEFORE, AFTER = 10, 100, 1_000


def all_read_after_s(at_s: float, protocol: str) -> float:
    """Return how long it takes until 900 partitions that are added are read."""
    traffic = Traffic(
        {"web": Source("orders", Periodic(1.0))},
        {"billing": Subscriber(["orders"])},
        duration_s=310.0,
    )
    config = ConsumerConfig(group_protocol=protocol)  # type: ignore[arg-type]
    kafka = Kafka(
        topics={"orders": Topic(partitions=BEFORE)},
        groups={"billing": Group(members=MEMBERS, start="cold", config=config)},
    )
    event = AddPartitions("stream:orders", at_s=at_s, to=AFTER)
    owners = ownership(run(Scenario(traffic, kafka, events=[event]), progress=False))
    new = owners[owners["partition"] >= BEFORE].groupby("partition")["since_ms"].min()
    assert len(new) == AFTER - BEFORE
    return float(new.max()) / 1e3 - at_s


def test_added_partitions_are_read_sooner_with_the_consumer_protocol(
    tier: Tier,
) -> None:
    """The leader of a classic group looks each `metadata.max.age.ms`, 300 s.

    So the wait is uniform up to that, 150 s in the mean; the coordinator of KIP-848
    knows at once, and tells with the next heartbeat, 5 s at most.
    """
    moments = (290.0,) if tier.name == "quick" else (60.0, 160.0, 260.0)
    classic = [all_read_after_s(at_s, "classic") for at_s in moments]
    new = [all_read_after_s(at_s, "consumer") for at_s in moments]

    assert max(new) < 2 * 5 + 1
    looks_s = np.array(classic) + moments
    np.testing.assert_allclose(looks_s, 303.0, atol=3.0)
    if tier.name != "quick":
        assert 10 < np.mean(classic) / np.mean(new) < 40


@pytest.mark.parametrize("partitions", [100, 900])
def test_with_slow_polls_eager_leaves_most_unread(partitions: int, tier: Tier) -> None:
    """Who gives up everything waits for the slowest poll of all with everything."""
    if partitions > 100 and tier.name == "quick":
        pytest.skip("in the thorough tier")
    runs = rolling_restarts(partitions=partitions, work_ms=2_000)
    sums = {
        name: unread(each, from_s=RESTART_AT_S - 5).attrs["gap_partition_s"]
        for name, each in runs.items()
    }

    assert sorted(sums, key=sums.__getitem__) == [
        "static", "KIP-848", "cooperative", "eager",
    ]  # fmt: skip
    assert sums["eager"] > 3 * sums["cooperative"]
