"""Point to point against a hub: runs are held to the closed forms.

Every left side is measured on the tables of runs, every right side is
`kafkasim.analysis.pipeline_theory`.
"""

from collections.abc import Hashable, Mapping

import numpy as np
import pytest

from kafkasim.analysis import pipeline_theory as theory
from kafkasim.analysis.blasts import blast_radius
from kafkasim.analysis.dealings import dealings
from kafkasim.analysis.measures import summary
from kafkasim.analysis.newcomers import onboarding
from kafkasim.analysis.piping import pipelines
from kafkasim.config.frozen import FrozenDict
from kafkasim.engine.sim.run import run
from kafkasim.experiments.pipeline_sizes import mesh_sizes, pipeline_sizes
from kafkasim.result.result import Result
from kafkasim.result.rows import wanted_ns
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.events import Crash, Event
from kafkasim.scenario.hardware import Hardware
from kafkasim.scenario.keys import UniformKeys
from kafkasim.scenario.many_to_many import many_to_many
from kafkasim.scenario.pipelines import PointToPoint, Relay
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, System, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.units import MISSING_NS, NS_PER_S


def kafka(
    sources: int,
    *,
    brokers: int = 1,
    copies: int = 1,
    groups: Mapping[str, Group] = FrozenDict(),
) -> Kafka:
    topic = Topic(partitions=brokers, replication_factor=copies)
    topics = {f"stream-{n}": topic for n in range(1, sources + 1)}
    return Kafka(brokers=brokers, topics=topics, groups=groups)


def test_links_and_where_a_hub_has_fewer() -> None:  # PH-1, PH-2
    table = pipeline_sizes((1, 2, 3, 4, 5), densities=(1.0, 0.5))
    links = table.pivot_table(index=["wanted", "size"], columns="system")["links"]

    for (density, size), row in links.iterrows():
        exact = theory.point_to_point_links(size, size, density)
        assert row["point to point"] == int(exact + 0.5)
        assert row["Kafka"] == theory.hub_links(size, size)
        if size != theory.crossover(density) and exact == int(exact):
            fewer = row["Kafka"] < row["point to point"]
            assert fewer == (size > theory.crossover(density))


@pytest.mark.parametrize(
    ("sources", "subscribers", "density", "winner"),
    [
        *((1, 1, 1.0, "direct"), (1, 6, 1.0, "direct"), (6, 1, 1.0, "direct")),
        *((2, 2, 1.0, "both"), (2, 3, 1.0, "hub"), (3, 2, 1.0, "hub")),
        *((4, 4, 0.5, "both"), (4, 4, 0.25, "direct"), (6, 6, 1 / 3, "both")),
        *((8, 8, 0.25, "both"), (10, 10, 0.25, "hub"), (10, 10, 0.1, "direct")),
    ],
)
def test_where_the_lines_cross(
    sources: int, subscribers: int, density: float, winner: str
) -> None:  # PH-2
    traffic = many_to_many(
        sources, subscribers, density, arrivals=Periodic(20.0), duration_s=0.1
    )
    direct = pipelines(run(Scenario(traffic, PointToPoint())))["links"]
    hub = pipelines(run(Scenario(traffic, kafka(sources))))["links"]

    exact = theory.point_to_point_links(sources, subscribers, density)
    assert direct == pytest.approx(exact)
    assert hub == theory.hub_links(sources, subscribers)
    assert winner == ("both" if direct == hub else "direct" if direct < hub else "hub")


def test_links_of_a_mesh() -> None:  # PH-1, PH-4
    for size in (2, 3, 5):
        found = mesh_sizes((size,)).set_index("system")["links"]
        assert (found["point to point"], found["Kafka"]) == theory.mesh_links(size)


def test_adapters_grow_with_the_others_only_without_a_hub() -> None:  # PH-4
    table = pipeline_sizes((1, 3, 6), densities=(1.0,))
    each = table.pivot_table(index="size", columns="system")["adapters_per_source"]

    assert each["point to point"].tolist() == [1, 3, 6]
    assert each["Kafka"].tolist() == [1, 1, 1]


def test_links_are_not_sockets() -> None:  # PH-3
    traffic = many_to_many(
        3, 3, arrivals=Periodic(200.0), keys=UniformKeys(30), duration_s=0.5
    )
    hub = pipelines(run(Scenario(traffic, kafka(3, brokers=3))))
    direct = pipelines(run(Scenario(traffic, PointToPoint())))

    # No group has committed yet: none has a connection to its coordinator.
    assert hub["sockets"] == theory.hub_sockets(3, 3, 3) == 18
    assert direct["sockets"] == theory.point_to_point_sockets(3, 3) == 9
    assert hub["links"] < direct["links"] < hub["sockets"]
    # One that has committed has a connection to its coordinator, too.
    commit = {f"subscriber-{n}": Group(commit="each_poll") for n in (1, 2, 3)}
    committed = pipelines(run(Scenario(traffic, kafka(3, brokers=3, groups=commit))))
    assert committed["sockets"] == theory.hub_sockets(3, 3, 3, coordinators=3) == 21


def test_more_pairs_than_brokers_make_sockets_speak_for_a_hub() -> None:  # PH-3
    for many, brokers in ((4, 3), (6, 2)):
        traffic = many_to_many(
            many, many, arrivals=Periodic(80.0), keys=UniformKeys(30), duration_s=0.25
        )
        hub = pipelines(run(Scenario(traffic, kafka(many, brokers=brokers))))
        direct = pipelines(run(Scenario(traffic, PointToPoint())))
        pooled = PointToPoint(mode="asynchronous", in_flight=2)

        fewer = hub["sockets"] < direct["sockets"]
        assert fewer == (many * many > 2 * many * brokers)
        assert pipelines(run(Scenario(traffic, pooled)))[
            "sockets"
        ] == theory.point_to_point_sockets(many, many, pooled=2)


@pytest.mark.parametrize("density", [1.0, 0.5])
def test_traffic(density: float) -> None:  # PH-2's table, PH-5, PH-6
    rate, size, seconds = 50.0, 200, 1.0
    traffic = many_to_many(
        4, 4, density, arrivals=Periodic(rate), value_bytes=size, duration_s=seconds
    )
    direct = pipelines(run(Scenario(traffic, PointToPoint())))
    hub = pipelines(run(Scenario(traffic, kafka(4, brokers=3, copies=3))))

    expected = theory.point_to_point_traffic(4, 4, density, rate * size)
    assert direct["source_bytes"] / seconds == 4 * expected.source_egress
    assert direct["total_bytes"] / seconds == expected.total
    assert direct["disk_bytes"] == expected.disk
    assert direct["sends_per_record"] == expected.sends
    # What a source sends, its packing included, is r·s of the hub.
    sent = hub["source_bytes"] / seconds / 4
    expected = theory.hub_traffic(4, 4, density, sent, replication_factor=3)
    assert hub["total_bytes"] / seconds == expected.total
    assert hub["disk_bytes"] / seconds == expected.disk
    assert hub["sends_per_record"] == expected.sends
    fan_out = theory.hub_fan_out(4, density, replication_factor=3)
    assert hub["hub_out_bytes"] / hub["hub_in_bytes"] == fan_out
    # In copies of what is sent, the hub moves its replicas more; a source far less.
    copies = hub["total_bytes"] / hub["source_bytes"]
    assert copies - direct["total_bytes"] / (rate * size * 4 * seconds) == 3
    assert direct["sends_per_record"] / hub["sends_per_record"] == 4 * density


def outage(
    system: Kafka | PointToPoint, rate: float, work_ms: float, event: Event
) -> Result:
    traffic = Traffic(
        {"web": Source("orders", Periodic(rate), value_bytes=200)},
        {"billing": Subscriber(["orders"], work_ms=work_ms)},
        duration_s=30.0,
    )
    return run(Scenario(traffic, system, events=[event]))


def test_a_source_keeps_what_a_subscriber_that_is_away_does_not_take() -> None:  # PH-8
    event = Crash("subscriber:billing", at_s=5.0, for_s=10.0)
    direct = outage(PointToPoint(), 50.0, 5.0, event)
    log = outage(Kafka(), 50.0, 5.0, event)

    exact = theory.outage_buffer_bytes(50.0 * 200, 10.0)
    assert pipelines(direct)["source_buffer_bytes"] == pytest.approx(exact, abs=200)
    assert pipelines(log)["source_buffer_bytes"] <= 200


@pytest.mark.parametrize(("rate", "work_ms"), [(50.0, 4.0), (100.0, 5.0)])
def test_catching_up(rate: float, work_ms: float) -> None:  # PH-9
    event = Crash("subscriber:billing", at_s=5.0, for_s=10.0)
    groups = {"billing": Group(commit="each_poll")}
    ideal = Hardware.ideal()
    for system in (PointToPoint(hardware=ideal), Kafka(groups=groups, hardware=ideal)):
        table = blast_radius(outage(system, rate, work_ms, event))
        exact = theory.catch_up_s(10.0, rate, 1_000 / work_ms)
        # A record more or less when the backlog is as small as it was.
        assert table["recovery_s"][0] == pytest.approx(exact, rel=0.01)


def test_one_slow_subscriber_slows_all_where_sources_wait_for_it() -> None:  # PH-10
    traffic = Traffic(
        {"web": Source("orders", Periodic(200.0))},
        {
            "slow": Subscriber(["orders"], work_ms=20.0),
            "fast": Subscriber(["orders"], work_ms=1.0),
        },
        duration_s=2.0,
    )
    ideal = Hardware.ideal()
    rates: Mapping[str, Mapping[Hashable, float]] = {
        name: summary(run(Scenario(traffic, system)))
        .set_index("subscriber")["throughput_per_s"]
        .to_dict()
        for name, system in (
            ("direct", PointToPoint(hardware=ideal)),
            ("log", Kafka(hardware=ideal)),
        )
    }

    assert rates["direct"]["fast"] == pytest.approx(50.0, rel=0.01)
    assert rates["direct"]["slow"] == pytest.approx(50.0, rel=0.01)
    assert rates["log"]["fast"] == pytest.approx(200.0, rel=0.01)
    assert rates["log"]["slow"] == pytest.approx(50.0, rel=0.01)


def test_how_far_a_death_reaches() -> None:  # PH-11
    traffic = many_to_many(3, 4, arrivals=Periodic(50.0), duration_s=4.0)
    event = Crash("subscriber:subscriber-2", at_s=2.0, for_s=1.0)
    hub = Crash("broker:1", at_s=2.0, for_s=1.0)

    def hurt(system: System, event: Event) -> tuple[float, float]:
        row = blast_radius(run(Scenario(traffic, system, events=[event]))).iloc[0]
        return row["pairs_hurt"], row["blast_pair_s"]

    pairs, radius = hurt(PointToPoint(), event)
    assert pairs == 12
    assert radius == pytest.approx(12 * 1.0, rel=0.05)
    queues = PointToPoint(mode="asynchronous")
    assert [hurt(system, event)[0] for system in (queues, Relay(), kafka(3))] == [3] * 3
    # All pairs, until the clients have found the broker that is back.
    pairs, radius = hurt(kafka(3), hub)
    assert pairs == 12
    assert radius > 12 * 1.0


@pytest.mark.parametrize("many", [3, 4, 5])
def test_an_event_reaches_all_only_while_all_are_up(many: int) -> None:  # PH-12
    share, seconds = 0.9, 400
    rng = np.random.default_rng(many)
    up = rng.random((seconds, many)) < share
    events = [
        Crash(f"subscriber:subscriber-{who + 1}", at_s=float(at), for_s=0.999)
        for at, who in zip(*np.nonzero(~up), strict=True)
    ]
    traffic = many_to_many(
        1, many, arrivals=Periodic(5.0), work_ms=0.1, duration_s=float(seconds)
    )
    result = run(Scenario(traffic, PointToPoint(), events=events))
    at_once = reached_at_once(result)

    assert at_once.mean() == pytest.approx(up.all(axis=1).mean(), abs=0.01)
    exact = theory.all_reached(share, many)
    deviation = (exact * (1 - exact) / seconds) ** 0.5
    assert abs(at_once.mean() - exact) < 3 * deviation


def reached_at_once(result: Result) -> np.ndarray:
    """Return which records all subscribers had processed within 10 ms."""
    wanted = wanted_ns(result.columns("records"))
    done = np.array([dealing.first_processed_ns for dealing in dealings(result)])
    assert (done != MISSING_NS).all()
    within: np.ndarray = (done - wanted).max(axis=0) <= 0.01 * NS_PER_S
    return within


@pytest.mark.parametrize("density", [1.0, 0.5])
def test_who_has_to_change_for_a_newcomer(density: float) -> None:  # PH-14
    few = {"arrivals": Periodic(20.0), "duration_s": 0.1}
    before, after = (
        many_to_many(4, many, density, **few)  # type: ignore[arg-type]
        for many in (4, 5)
    )
    found = {
        name: onboarding(run(Scenario(before, system)), run(Scenario(after, system)))
        .set_index("kind")["touched"]
        .to_dict()
        for name, system in (("direct", PointToPoint()), ("log", kafka(4)))
    }

    assert found["direct"]["source"] == theory.changes_for_newcomer(4, density)
    assert found["log"]["source"] == 0
