"""What coordinators cost a run: heartbeats and commits, and rebalances.

*Steady*: a group of three that has joined, alone with a record a second. Two runs that
differ in one interval alone differ in the heartbeats, or in the commits, that their
members send; the entries of the calendar in which they differ are those of these
requests.

*A run with coordinators*: the scenario `twin-100` in which, a millisecond before its
end, a group's coordinator is moved. So from the beginning groups have coordinators,
members send heartbeats, and commits are records of `__consumer_offsets`. It is held
against the run without that event, in which a commit is stored at once: the same
traffic, batch for batch. With three copies of each partition commits are copied, too.

*A start*: in the scenario `group-start` 1,000 members join at once, hear what each owns
of 10,000 partitions, look where to begin, and read. Held against half the members and
half the partitions. Beside it stands what the assignor takes alone.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final, Literal

import numpy as np

from benchmarks.bench import Figure, figure, medians, scenario
from kafkasim.engine.sim.request import (
    CONSUMER_GROUP_HEARTBEAT,
    HEARTBEAT,
    OFFSET_COMMIT,
)
from kafkasim.engine.sim.run import run
from kafkasim.engine.sim.systems.coordinated import CoordinatedRun
from kafkasim.protocol.assignors import assign, assign_at_broker
from kafkasim.protocol.subscription import Subscription
from kafkasim.result.result import Result
from kafkasim.scenario.member_events import MoveCoordinator
from kafkasim.scenario.scenario import Scenario

Protocol = Literal["classic", "consumer"]
NAMES: Final[dict[Protocol, str]] = {
    "classic": "classic protocol",
    "consumer": "KIP-848",
}
ENTRIES: Final[dict[Protocol, float]] = {"classic": 4.0, "consumer": 5.0}
"""Entries of a heartbeat: three of a request, one of its deadline; with KIP-848 a
`poll()` wakes for it, too."""
NEVER_MS: Final = 100_000
"""An interval that is over after the run."""
MEMBERS: Final = 1_000
PARTITIONS: Final = 10_000
ROUNDS_OF_A_START: Final = 3


def figures_of_a_steady_group() -> Iterator[Figure]:
    for protocol, name in NAMES.items():
        often, seldom = steady(protocol, 5_000), steady(protocol, 9_000)
        yield counted(
            f"{name}: calendar entries per heartbeat", ENTRIES[protocol], often, seldom
        )
        often, never = steady(protocol, 40_000, 5_000), steady(protocol, 40_000)
        yield counted(f"{name}: calendar entries per commit", 4.0, often, never)


def steady(
    protocol: Protocol, beat_ms: int, commit_ms: int = NEVER_MS
) -> tuple[int, int]:
    """Return a run's entries, and how many heartbeats and commits were sent in it."""
    changes: dict[str, object] = {
        "system.groups.billing.config.group_protocol": protocol,
        "system.groups.billing.config.auto_commit_interval_ms": commit_ms,
    }
    if protocol == "classic":
        changes["system.groups.billing.config.heartbeat_interval_ms"] = beat_ms
    else:
        changes["system.broker_config.group_consumer_heartbeat_interval_ms"] = beat_ms
    chosen = scenario("group-steady").where(changes)
    ran = CoordinatedRun(chosen, chosen.plan(), check=False)
    apis = ran.run().columns("requests")["api"]
    of_the_group = (HEARTBEAT, CONSUMER_GROUP_HEARTBEAT, OFFSET_COMMIT)
    return ran.calendar.entry_count, int(np.isin(apis, of_the_group).sum())


def counted(
    name: str, bar: float, more: tuple[int, int], fewer: tuple[int, int]
) -> Figure:
    """Return in how many entries two runs differ for each request that one has more."""
    requests = more[1] - fewer[1]
    return figure(name, (more[0] - fewer[0]) / requests, bar, requests=requests)


def figures_of_a_run_with_coordinators() -> Iterator[Figure]:
    for copies, bar in ((1, 1.5), (3, 1.2)):
        chosen = scenario("twin-100").where(
            {"system.topics.orders.replication_factor": copies}
        )
        end_s = chosen.traffic.duration_s
        move = MoveCoordinator("subscriber:billing", at_s=end_s - 0.001)
        yield with_coordinators(chosen, chosen.where({"events": (move,)}), copies, bar)


def with_coordinators(
    joined: Scenario, coordinated: Scenario, copies: int, bar: float
) -> Figure:
    """Return what a batch costs where groups have coordinators, over where not."""
    plan = joined.plan()
    assert coordinated.plan().digest == plan.digest, "not the same traffic"
    found, before = run(coordinated, plan=plan), run(joined, plan=plan)
    batches, batches_before = (len(each.columns("batches")) for each in (found, before))
    took, took_before = medians(
        partial(run, coordinated, plan=plan), partial(run, joined, plan=plan)
    )
    return figure(
        f"time per batch of a run with coordinators over one without, replication "
        f"factor {copies}",
        took / batches / (took_before / batches_before),
        bar,
        us_per_batch=took / batches * 1e6,
        us_per_batch_without=took_before / batches_before * 1e6,
        batches=batches,
        entries=entries(found),
        entries_without=entries(before),
    )


def entries(result: Result) -> int:
    """Return how many entries the calendar ran."""
    count = result.facts["calendar_entries"]
    assert isinstance(count, int)
    return count


def figures_of_a_start() -> Iterator[Figure]:
    for protocol in NAMES:
        yield start(protocol)


def start(protocol: Protocol) -> Figure:
    """Return what a start takes, over one of half the members and partitions."""
    whole, half = start_of(protocol, 1), start_of(protocol, 2)
    plans = [each.plan() for each in (whole, half)]
    found = [
        run(each, plan=plan) for each, plan in zip((whole, half), plans, strict=True)
    ]
    took, took_half, alone = medians(
        partial(run, whole, plan=plans[0]),
        partial(run, half, plan=plans[1]),
        bare_assignor(protocol),
        rounds=ROUNDS_OF_A_START,
    )
    return figure(
        f"{NAMES[protocol]}: a start of {MEMBERS:,} members on {PARTITIONS:,} "
        "partitions, over one of half of both",
        took / took_half,
        2.5,
        seconds=took,
        half_seconds=took_half,
        entries=entries(found[0]),
        half_entries=entries(found[1]),
        us_per_entry=took / entries(found[0]) * 1e6,
        assignor_milliseconds=alone * 1e3,
        times_the_assignor=took / alone,
    )


def start_of(protocol: Protocol, part: int) -> Scenario:
    """Return a start with so small a part of the members and partitions."""
    return scenario("group-start").where(
        {
            "system.topics.orders.partitions": PARTITIONS // part,
            "system.groups.billing.members": MEMBERS // part,
            "system.groups.billing.config.group_protocol": protocol,
        }
    )


def bare_assignor(protocol: Protocol) -> Callable[[], object]:
    """Return the default assignor of a protocol, with a whole group to assign to."""
    group = {f"billing-{n}": Subscription(("orders",)) for n in range(MEMBERS)}
    if protocol == "classic":
        return partial(assign, "range", group, {"orders": PARTITIONS})
    return partial(assign_at_broker, "uniform", group, {"orders": PARTITIONS})
