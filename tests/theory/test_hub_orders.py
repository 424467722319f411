"""Point to point against a hub: one order for all, and who comes and goes."""

import numpy as np
import pytest

from kafkasim.analysis import pipeline_theory as theory
from kafkasim.analysis.blasts import blast_radius
from kafkasim.analysis.dealings import dealings
from kafkasim.analysis.piping import pipelines
from kafkasim.analysis.wired import wired
from kafkasim.engine.sim.run import run
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic, Poisson
from kafkasim.scenario.distributions import Exponential
from kafkasim.scenario.events import Crash
from kafkasim.scenario.hardware import Hardware
from kafkasim.scenario.keys import UniformKeys
from kafkasim.scenario.many_to_many import many_to_many
from kafkasim.scenario.pipelines import PointToPoint, Relay
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, System, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from tests.theory.pipelines import of_one

IDEAL = Hardware.ideal()
QUEUES = PointToPoint(mode="asynchronous")


def orders(result: Result, column: str = "") -> list[list[tuple[int, ...]]]:
    """Return each subscriber's order of records, within equal values of a column."""
    records = result.columns("records")
    found = []
    for each in dealings(result):
        rows = each.rows[np.argsort(each.first_processed_ns, kind="stable")]
        within = records[column][rows] if column else np.zeros(len(rows))
        found.append([tuple(rows[within == one]) for one in np.unique(within)])
    return found


def test_one_order_for_all_is_a_partition_s() -> None:  # PH-13
    traffic = Traffic(
        {
            name: Source("orders", Poisson(60.0), keys=UniformKeys(4))
            for name in ("web", "app", "till")
        },
        {name: Subscriber(["orders"], work_ms=Exponential(2.0)) for name in "abc"},
        duration_s=2.0,
    )
    queued = run(Scenario(traffic, QUEUES, seed=3))
    single = run(Scenario(traffic, Kafka(), seed=3))
    triple = run(Scenario(traffic, Kafka(topics={"orders": Topic(3)}), seed=3))

    # Each source's in order; but of several sources everyone has an order of its own.
    assert len(set(map(tuple, orders(queued, "source")))) == 1
    assert len(set(map(tuple, orders(queued)))) == 3
    assert len(set(map(tuple, orders(single)))) == 1
    assert len(set(map(tuple, orders(triple, "partition")))) == 1
    assert len(set(map(tuple, orders(triple)))) > 1


def test_only_through_a_log_all_or_none_get_it() -> None:  # PH-13
    away = Crash("subscriber:b", at_s=0.5, for_s=1.0)
    crash = Crash("source:web", at_s=1.0, for_s=0.2)
    traffic = of_one({"web": 50.0}, {"a": 1.0, "b": 1.0}, 2.0)
    groups = {"b": Group(commit="each_poll")}
    apart = []
    for system in (PointToPoint(), QUEUES, Kafka(groups=groups)):
        result = run(Scenario(traffic, system, events=[away, crash]))
        a, b = (set(each.rows[each.done].tolist()) for each in dealings(result))
        apart.append(len(a ^ b))

    assert apart[0] == 1  # the one that it was trying to send
    assert apart[1] == pytest.approx(25, abs=1)
    assert apart[2] == 0


@pytest.mark.parametrize(
    ("system", "share"),
    [(PointToPoint(), 0.0), (QUEUES, 0.0), (Relay(), 0.0), (Kafka(), 1.0)],
    ids=["direct", "queues", "relay", "log"],
)
def test_only_a_log_has_history_for_a_newcomer(
    system: System, share: float
) -> None:  # PH-14
    traffic = Traffic(
        {"web": Source("orders", Periodic(50.0))},
        {
            "a": Subscriber(["orders"]),
            "late": Subscriber(["orders"], from_s=1.0, wants="all"),
        },
        duration_s=1.5,
    )

    assert pipelines(run(Scenario(traffic, system)))["replayed_share"] == share


def test_who_goes_is_missed_only_where_sources_know_it() -> None:  # PH-14
    few, more = (
        many_to_many(4, many, arrivals=Periodic(20.0), duration_s=0.1)
        for many in (4, 5)
    )
    touched = {}
    for name, system in (("direct", PointToPoint()), ("log", Kafka())):
        gone = (
            wired(run(Scenario(more, system))).links()
            - wired(run(Scenario(few, system))).links()
        )
        touched[name] = sum(node.kind == "source" for pair in gone for node in pair)
    assert touched == {"direct": theory.changes_for_newcomer(4), "log": 0}

    # Until the sources are changed, they wait for who is no longer there.
    traffic = of_one(dict.fromkeys("wxyz", 50.0), {"a": 1.0, "b": 1.0}, 2.0)
    leaves = Crash("subscriber:b", at_s=1.0)
    short = PointToPoint(mode="asynchronous", queue_events=20)
    hurt = [
        blast_radius(run(Scenario(traffic, system, events=[leaves], end="cut")))[
            "pairs_hurt"
        ][0]
        for system in (PointToPoint(), short, Kafka())
    ]
    assert hurt == [8, 8, 4]
