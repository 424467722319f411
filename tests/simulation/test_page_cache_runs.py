"""A group that lags behind the page cache hurts those who do not.

Its reads come from the disk; while they do, the network thread that sends them stands
still, and with it the producers and members that share it (KAFKA-7504).
"""

from functools import lru_cache

import pytest

from kafkasim.analysis.waiting import latency_over_time
from kafkasim.config.broker import BrokerConfig
from kafkasim.experiments.running import run
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.hardware import Disk, Hardware
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

COMES_S = 12
"""When the group comes that wants all: 22 MB have been written by then."""


@lru_cache
def late_reader(
    page_cache_mb: float, *, threads: int = 3, comes: bool = True
) -> Result:
    """Three tills, a group that is always there, and one that comes late."""
    subscribers = {"billing": Subscriber(["orders"])}
    if comes:
        subscribers["audit"] = Subscriber(["orders"], from_s=COMES_S, wants="all")
    result = run(
        Scenario(
            Traffic(
                {
                    f"till{number}": Source("orders", Poisson(150.0), value_bytes=4_000)
                    for number in (1, 2, 3)
                },
                subscribers,
                duration_s=18.0,
            ),
            Kafka(
                topics={"orders": Topic(partitions=6)},
                groups={name: Group(members=3) for name in subscribers},
                hardware=Hardware(
                    disk=Disk(
                        bandwidth_mb_per_s=100.0,
                        access_ms=8.0,
                        page_cache_mb=page_cache_mb,
                    )
                ),
                broker_config=BrokerConfig(num_network_threads=threads),
            ),
        ),
        resources=True,
        check=True,
    )
    assert not len(result.violations)
    return result


def billing_p99_ms(result: Result, from_s: float, until_s: float) -> float:
    table = latency_over_time(result, bin_ms=500)
    mine = table[(table["subscriber"] == "billing") & (table["at_ms"] >= from_s * 1e3)]
    return float(mine[mine["at_ms"] < until_s * 1e3]["latency_ms_p99"].max())


def test_a_group_behind_the_page_cache_raises_the_p99_of_the_others() -> None:
    result = late_reader(4.0)
    before = billing_p99_ms(result, 2, COMES_S)
    while_it_reads = billing_p99_ms(result, COMES_S, COMES_S + 1)
    after = billing_p99_ms(result, 16, 18)
    assert before < 10
    assert while_it_reads > 20 * before
    assert after < 10


def test_with_enough_memory_it_does_not() -> None:
    result = late_reader(64.0)
    before = billing_p99_ms(result, 2, COMES_S)
    assert billing_p99_ms(result, COMES_S, COMES_S + 1) < 2 * before


def test_without_the_group_there_is_nothing_to_see() -> None:
    calm = late_reader(4.0, comes=False)
    assert billing_p99_ms(calm, COMES_S, COMES_S + 1) < 10


def test_with_more_network_threads_fewer_share_one_that_stands_still() -> None:
    few = billing_p99_ms(late_reader(4.0), COMES_S, COMES_S + 1)
    many = billing_p99_ms(late_reader(4.0, threads=40), COMES_S, COMES_S + 1)
    assert many < few / 4


def test_the_table_of_resources_says_what_it_was() -> None:
    table = late_reader(4.0).table("resources")
    at = table["at_ms"] == COMES_S * 1e3
    busy = table[at].set_index("kind")["busy_share"]
    assert busy["disk"] == pytest.approx(1.0, abs=0.05)
    assert busy["network_thread"] > 0.9
    assert busy["io_thread"] < 0.1
