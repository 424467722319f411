"""A run as a net: its links, its hub, whom an event hurt, where nodes stand."""

from typing import Any

from kafkasim.analysis.wired import HUB, Node
from kafkasim.plot.nets import net_of, places, what_stopped
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.testing.builders import small_result

SCENARIO = Scenario(
    Traffic(
        {
            "web": Source("orders", Periodic(100.0)),
            "app": Source("taps", Periodic(1.0)),
        },
        {"billing": Subscriber(["orders"]), "audit": Subscriber(["orders", "taps"])},
        duration_s=1.0,
    ),
    Kafka(brokers=2),
)
ENDS = {"billing": [1, 11, 21, 91, 92, 93, 94], "audit": [1, 11, 21, 31, 41, 51, 61]}


def result(effect: str) -> Result:
    """Return a run in which billing is silent from 30 ms to 91 ms."""
    hosts = [("source:web", "broker:1", 400), ("source:app", "broker:2", 100)]
    hosts += [("broker:1", "member:billing/1", 400), ("broker:1", "member:audit/1", 9)]
    hosts += [("broker:2", "member:audit/1", 100), ("member:audit/1", "broker:2", 1)]
    hosts += [("broker:2", "broker:1", 300)]
    names = ("sender", "receiver", "moved_bytes")
    return small_result(
        records=[{"intended_ms": 10.0 * n, "acked_ms": 10.0 * n + 1} for n in range(7)],
        deliveries=[
            {"record_id": n, "subscriber": name, "ended_ms": float(end)}
            for name, ends in ENDS.items()
            for n, end in enumerate(ends)
        ],
        events=[
            {
                "event": "Crash",
                "target": "subscriber:billing",
                "at_ms": 25.0,
                "until_ms": 90.0,
                "effect": effect,
            }
        ],
        links=[
            dict(zip(names, row, strict=True)) | {"request_count": 1} for row in hosts
        ],
        scenario=SCENARIO,
    )


WEB, APP = Node("source", "web"), Node("source", "app")
BILLING, AUDIT = Node("subscriber", "billing"), Node("subscriber", "audit")


def test_links_are_those_of_systems_with_bytes_of_both_ways() -> None:
    net = net_of(result("it stopped"))

    assert net.bytes_ == {
        (WEB, HUB): 400,
        (APP, HUB): 100,
        (HUB, BILLING): 400,
        (HUB, AUDIT): 110,
    }
    assert net.nodes == (APP, WEB, HUB, AUDIT, BILLING)
    assert net.hub_label == "2 brokers"


def test_an_edge_is_hurt_when_all_that_goes_over_it_is() -> None:
    net = net_of(result("it stopped"))

    # The pair of web and billing; web's other one goes on, so web's edge is not hurt.
    assert net.hurt == {(HUB, BILLING)}
    assert net.dead == {BILLING}
    assert what_stopped(net) == "1 of 2 pairs stop"


def test_what_does_not_apply_hurts_nobody() -> None:
    net = net_of(result("not applicable: there is no such point"))

    assert not net.hurt
    assert not net.dead
    assert net.no_such_point
    assert what_stopped(net) == "no such point"


def test_sources_stand_left_subscribers_right_and_a_hub_between() -> None:
    at: dict[Any, tuple[float, float]] = dict(places(net_of(result("it stopped"))))

    assert at[HUB] == (0.0, 0.0)
    assert at[APP][0] < 0 < at[AUDIT][0]
    # From above downwards in the order of their names.
    assert at[APP][1] > at[WEB][1]
    assert at[AUDIT][1] > at[BILLING][1]


def test_an_interruption_that_is_too_short_hurts_nobody() -> None:
    """Billing is silent for 61 ms."""
    assert net_of(result("it stopped"), least_ms=60.0).hurt
    short = net_of(result("it stopped"), least_ms=61.0)
    assert not short.hurt
    assert short.blast_pair_s == 0
