"""A hub without a log, by hand."""

import pytest

from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.events import Crash, Cut, Slow
from kafkasim.scenario.pipelines import Relay
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from tests.engine.sim.systems.pipes import (
    PLAIN,
    SERVED,
    ends,
    of,
    ran,
    times,
    world,
)


def relay(**settings: object) -> Relay:
    """Return a hub that takes 1 ms for a request; it tries again after 5 ms."""
    usual = {"hardware": SERVED, "retry_backoff_ms": 5.0}
    return Relay(**usual | settings)  # type: ignore[arg-type]


def test_a_record_goes_to_the_hub_once_and_from_there_to_everybody() -> None:
    result = ran(world(relay(), count=1))

    # At the hub at 1, served by 2, answered at 3. Pushed by 3, there at 4; a takes it
    # in by 5.
    assert times(result, "acked") == [3]
    assert of(result, "a", "fetched_ns") == of(result, "b", "fetched_ns") == [4]
    assert (of(result, "a"), of(result, "b")) == ([6], [9])
    links = result.table("links").set_index(["sender", "receiver"])["request_count"]
    assert links.to_dict() == {
        ("hub", "subscriber:a"): 1,
        ("hub", "subscriber:b"): 1,
        ("source:web", "hub"): 1,
    }


def test_a_source_sends_one_after_the_other() -> None:
    """The hub answers after 3 ms; what is wanted meanwhile waits in the client."""
    result = ran(world(relay()))

    assert times(result, "created") == [0, 2, 4]
    assert times(result, "acked") == [3, 6, 9]


def test_a_source_whose_buffer_is_full_waits() -> None:
    result = ran(world(relay(buffer_events=1)))

    assert times(result, "created") == [0, 3, 6]
    blocked = result.table("blocked")
    assert blocked["cause"].tolist() == ["queue full"] * 2
    assert blocked["since_ms"].round(4).tolist() == [2, 4]
    assert blocked["until_ms"].round(4).tolist() == [3, 6]


def test_a_slow_subscriber_hurts_nobody_while_its_queue_has_room() -> None:
    """PH-10, as long as the hub's memory lasts."""
    slow = Slow("subscriber:b", at_s=0, factor=100.0)
    calm, hurt = ran(world(relay(), count=20)), ran(world(relay(), slow, count=20))

    assert of(hurt, "a") == of(calm, "a")


def test_a_full_queue_blocks_every_source() -> None:
    """PH-11: what all share, all lose."""
    slow = Slow("subscriber:b", at_s=0, factor=10.0)
    subscribers = {
        "a": Subscriber(["orders", "clicks"], work_ms=0.0),
        "b": Subscriber(["orders"], work_ms=4.0),
    }
    traffic = Traffic(
        {
            "web": Source("orders", Periodic(100), value_bytes=100),
            "app": Source("clicks", Periodic(100), value_bytes=100),
        },
        subscribers,
        duration_s=0.1,
    )
    blocking = relay(queue_events=2, prefetch=1, threads=8)
    result = ran(Scenario(traffic, blocking, events=[slow]))
    dropping = ran(
        Scenario(
            traffic,
            relay(queue_events=2, prefetch=1, on_full="drop"),
            events=[slow],
        )
    )

    # b wants no clicks, and yet their source waits for it.
    acked = result.table("records").set_index("source")["acked_ms"]
    assert acked["app"].max() > 150
    assert set(ends(result, "b")) == {"once"}
    # Let go instead, they cost the others nothing; acknowledged, they are lost.
    acked = dropping.table("records").set_index("source")["acked_ms"]
    assert acked["app"].max() < 100
    assert set(ends(dropping, "a")) == {"once"}
    assert set(ends(dropping, "b")) == {"once", "lost"}


def test_what_a_subscriber_had_in_hand_is_pushed_again() -> None:
    crash = Crash("subscriber:b", at_s=0.007, for_s=0.001)
    result = ran(world(relay(), crash, count=1))

    # It began at 5. Word is there at 8; asked again from 13 on, it gets it after one
    # more service of 1 ms: at 17.
    assert of(result, "b", "fetched_ns") == [4, 17]
    assert result.table("deliveries")["outcome"].tolist().count("abandoned") == 1
    assert ends(result, "b") == ["once"]


def test_who_comes_late_gets_what_comes_after() -> None:
    late = {"late": Subscriber(["orders"], from_s=0.003, wants="all")}
    result = ran(world(relay(), subscribers=late))

    # The first is passed on at 2; the second at 5, when it has come.
    assert ends(result, "late") == ["not_kept", "once", "once"]


@pytest.mark.parametrize("prefetch", [1, 2, 4])
def test_with_few_on_their_way_a_push_waits_for_the_round_trip(prefetch: int) -> None:
    """So many per round trip of 2 ms."""
    system = relay(hardware=PLAIN, prefetch=prefetch, buffer_events=1_000)
    sources = tuple(f"s{n}" for n in range(8))
    scenario = world(
        system, rate_per_s=1e5, count=50, works_ms={"a": 0.0}, sources=sources
    )
    result = ran(scenario)

    done = sorted(of(result, "a"))
    assert len(done) == 400
    rate_per_ms = (len(done) - 100) / (done[-1] - done[99])
    assert rate_per_ms == pytest.approx(prefetch / 2, rel=0.01)


def test_a_link_of_the_hub_may_be_cut() -> None:
    cut = Cut("link:hub->b", at_s=0, for_s=0.1)
    result = ran(world(relay(), cut, count=1))

    # TCP sends it again after 200 ms.
    assert of(result, "b", "fetched_ns") == [204]
    assert of(result, "a", "fetched_ns") == [4]
