"""What is said of queues, logs and hubs, each held against runs that refute it.

Numbers are those of the misstatements that `docs/explanation/queue-or-log.md` tells.
"""

from functools import cache

import pytest

import kafkasim as ks
from kafkasim.scenario.systems import System

HUB = ks.Kafka(
    brokers=3,
    topics={f"stream-{n}": ks.Topic(replication_factor=3) for n in range(1, 5)},
)


@cache
def moved(system: System, density: float = 1.0) -> dict[str, float]:
    """Return what four sources' records for four subscribers move over a network."""
    traffic = ks.many_to_many(
        4, 4, density, arrivals=ks.Periodic(50), duration_s=1.0, value_bytes=300
    )
    return ks.analysis.pipelines(ks.run(ks.Scenario(traffic, system)))


# --- MS-43: "a hub always moves less data" --------------------------------------------


@pytest.mark.parametrize("density", [1.0, 0.5])
def test_a_hub_moves_more_in_all(density: float) -> None:
    hub, links = moved(HUB, density), moved(ks.PointToPoint(), density)

    assert hub["total_bytes"] > links["total_bytes"]
    assert hub["disk_bytes"] > links["disk_bytes"] == 0


@pytest.mark.parametrize(("density", "readers"), [(1.0, 4), (0.5, 2)])
def test_and_less_from_its_sources(density: float, readers: int) -> None:
    hub, links = moved(HUB, density), moved(ks.PointToPoint(), density)

    assert hub["source_bytes"] < links["source_bytes"]
    assert (hub["sends_per_record"], links["sends_per_record"]) == (1, readers)


# --- MS-44: "N × M becomes N + M, always fewer" ---------------------------------------


@cache
def links_of(sources: int, subscribers: int, density: float = 1.0) -> tuple[int, int]:
    """Return how many pairs of systems talked: over a hub, and directly."""
    traffic = ks.many_to_many(
        sources, subscribers, density, arrivals=ks.Periodic(20), duration_s=0.1
    )
    both: tuple[System, ...] = (ks.Kafka(), ks.PointToPoint())
    hub, direct = (
        int(ks.analysis.pipelines(ks.run(ks.Scenario(traffic, system)))["links"])
        for system in both
    )
    return hub, direct


@pytest.mark.parametrize("many", [1, 2, 5])
def test_with_one_source_or_one_subscriber_a_hub_is_one_link_more(many: int) -> None:
    assert links_of(1, many) == (many + 1, many)
    assert links_of(many, 1) == (many + 1, many)


def test_two_and_two_are_as_many_and_only_then_it_has_fewer() -> None:
    assert links_of(2, 2) == (4, 4)
    assert links_of(2, 3) == (5, 6)
    assert links_of(3, 3) == (6, 9)


def test_if_half_of_the_pairs_are_wanted_it_takes_twice_as_many_systems() -> None:
    assert links_of(3, 3, 0.5) == (6, 5)
    assert links_of(4, 4, 0.5) == (8, 8)
    assert links_of(5, 5, 0.5) == (10, 13)


# --- what is left after reading, and for whom -----------------------------------------


def test_a_log_keeps_what_was_read_and_a_queue_only_what_was_not() -> None:
    """MS-2 beside it: consuming deletes nothing. A queue must be there in time."""
    traffic = ks.Traffic(
        {"web": ks.Source("orders", ks.Periodic(40))},
        {
            "billing": ks.Subscriber(["orders"]),
            "audit": ks.Subscriber(["orders"], from_s=2, wants="all"),
        },
        duration_s=1,
    )
    in_time = ks.Queue(declared="start")
    systems: dict[str, System] = {
        "log": ks.Kafka(),
        "queue": ks.RabbitMQ(),
        "queue in time": ks.RabbitMQ(queues={"audit": in_time}),
        "links": ks.PointToPoint(),
    }
    table = ks.compare(traffic, systems).set_index(["subscriber", "system"])

    left, history = table.left_to_read["billing"], table.history_share["audit"]
    assert left.to_dict() == dict.fromkeys(systems, 0) | {"log": 40}
    assert history.to_dict() == {"log": 1, "queue": 0, "queue in time": 1, "links": 0}


# --- one slow job ---------------------------------------------------------------------


def test_who_waits_behind_one_slow_job() -> None:
    """A second of work on one record; the others take a millisecond each."""
    traffic = ks.Traffic(
        {"web": ks.Source("orders", ks.Periodic(100), keys=ks.UniformKeys(40))},
        {"billing": ks.Subscriber(["orders"], work_ms=1)},
        duration_s=3,
    )
    slow = ks.StuckRecord("subscriber:billing", "web", ordinal=50, work_ms=1_000)
    parts = ks.Topic(partitions=4)
    few = ks.Consumers(count=4, prefetch=1)
    systems: dict[str, System] = {
        "one partition": ks.Kafka(),
        "four": ks.Kafka(
            topics={"orders": parts}, groups={"billing": ks.Group(members=4)}
        ),
        "one consumer": ks.RabbitMQ(),
        "four consumers": ks.RabbitMQ(consumers={"billing": few}),
        "relay": ks.Relay(),
        "links": ks.PointToPoint(),
        "queues": ks.PointToPoint(mode="asynchronous"),
    }
    table = ks.compare(traffic, systems, events=[slow], seed=2).set_index("system")

    waits = table.latency_ms_p99_others > 900
    assert waits.to_dict() == dict.fromkeys(systems, True) | {"four consumers": False}
    # In a log those wait that share its partition, in a queue of many consumers nobody;
    # and only where a source waits for answers, it waits too.
    assert (table.blocked_s > 0.9).to_dict() == dict.fromkeys(systems, False) | {
        "links": True
    }
    assert (table.latency_ms_p50 < 20).to_dict() == dict.fromkeys(systems, True)
    kept = table.order_kept_share
    assert kept["four consumers"] < 1 == kept["one consumer"] == kept["one partition"]
