"""Random histories of consumer groups that join, each from one number."""

from collections.abc import Iterator
from typing import Any

from kafkasim.analysis.receiving import receipts
from kafkasim.config.broker import BrokerConfig
from kafkasim.config.consumer import ConsumerConfig
from kafkasim.config.producer import ProducerConfig
from kafkasim.config.topic import TopicConfig
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.events import (
    AddPartitions,
    Crash,
    Cut,
    Delay,
    Event,
    Lose,
    Pause,
    Slow,
)
from kafkasim.scenario.hardware import Hardware, Link
from kafkasim.scenario.keys import NoKeys, UniformKeys
from kafkasim.scenario.member_events import (
    AddMember,
    MoveCoordinator,
    RemoveMember,
    ResetOffsets,
    RollingRestart,
    StuckRecord,
)
from kafkasim.scenario.members import Member
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Topic
from kafkasim.scenario.systems import Producer as ProducerOf
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from tests.simulation.fault_runs import Dice
from tests.simulation.going_round import Place, is_passed_over

DURATION_S = 4.0
GROUPS = ("audit", "billing")
STREAMS = ("orders", "returns")
ASSIGNORS = ("range", "roundrobin", "sticky", "cooperative-sticky")
COMMITS = ("auto", "auto", "each_poll", "before_work", "after_work", "manual(every=7)")

RESETS_TO: tuple[int | str, ...] = ("earliest", "latest", 5, "by_duration:PT1S")


def scenario_of(seed: int) -> Scenario:
    """Return the scenario of a number, the same one every time."""
    dice = Dice(seed)
    brokers = dice.one(1, 3, 3)
    groups = {name: _group(dice) for name in GROUPS}
    return Scenario(
        Traffic(
            sources={
                name: Source(
                    stream,
                    Poisson(dice.one(3.0, 10.0, 40.0)),
                    keys=NoKeys() if dice.one(0, 1) else UniformKeys(9),
                )
                for name, stream in zip(("web", "app"), STREAMS, strict=True)
            },
            subscribers={
                "audit": Subscriber(["orders"], work_ms=dice.one(0.0, 1.0)),
                "billing": Subscriber(
                    dice.one(["orders"], [*STREAMS]),
                    work_ms=dice.one(0.0, 0.3, 5.0, 30.0),
                    wants=dice.one("new", "all"),
                ),
            },
            duration_s=DURATION_S,
        ),
        system=_cluster(dice, brokers, groups),
        events=(
            *_of_groups(dice, groups),
            *_of_brokers(dice, brokers),
            *_of_links(dice, brokers),
            *_resets(Dice(seed + 1_000_000)),
        ),
        seed=seed,
        drain_limit_s=8.0,
    )


def _group(dice: Dice) -> Group:
    count = dice.one(1, 2, 3, 5)
    static = dice.one(0, 0, 1, 2)
    members = {
        str(n + 1): Member(instance_id=f"i{n + 1}" if n < static else None)
        for n in range(count)
    }
    commit = dice.one(*COMMITS)
    session_ms = dice.one(600, 2_000)
    interval_ms = dice.one(10, 100, 1_000, 5_000)
    protocol = dice.one("classic", "classic", "consumer")
    own: dict[str, Any] = {"group_protocol": protocol}
    if protocol == "classic":
        first, second = dice.one(*ASSIGNORS), dice.one(*ASSIGNORS)
        own |= {
            "partition_assignment_strategy": tuple(dict.fromkeys([first, second])),
            "session_timeout_ms": session_ms,
            "heartbeat_interval_ms": session_ms // 4,
        }
    else:
        own |= {"group_remote_assignor": dice.one("uniform", "range")}
    return Group(
        members=members if static else count,
        start=dice.one("cold", "cold", "joined"),
        commit=commit,
        workers=dice.one(1, 1, 3),
        config=ConsumerConfig(
            auto_offset_reset=dice.one("earliest", "earliest", "latest"),
            max_poll_records=dice.one(3, 500),
            max_poll_interval_ms=dice.one(1_500, 4_000, 300_000),
            metadata_max_age_ms=dice.one(500, 300_000),
            request_timeout_ms=dice.one(1_000, 30_000),
            default_api_timeout_ms=dice.one(3_000, 60_000),
            auto_commit_interval_ms=interval_ms,
            **own,
        ),
    )


def _cluster(dice: Dice, brokers: int, groups: dict[str, Group]) -> Kafka:
    session_ms = dice.one(900, 2_500)
    group_ms = dice.one(700, 2_000)
    return Kafka(
        brokers=brokers,
        topics={
            name: Topic(
                partitions=dice.one(1, 3, 6),
                replication_factor=brokers,
                config=TopicConfig(
                    min_insync_replicas=dice.one(1, 2) if brokers > 1 else 1
                ),
            )
            for name in STREAMS
        },
        producers={
            name: ProducerOf(
                config=ProducerConfig(
                    request_timeout_ms=2_000, delivery_timeout_ms=10_000
                )
            )
            for name in ("web", "app")
        },
        groups=groups,
        hardware=Hardware(link=Link(delay_ms=dice.one(0.1, 0.5, 5.0))),
        broker_config=BrokerConfig(
            broker_session_timeout_ms=session_ms,
            broker_heartbeat_interval_ms=session_ms // 4,
            replica_lag_time_max_ms=dice.one(600, 3_000),
            group_initial_rebalance_delay_ms=dice.one(0, 300, 1_000),
            group_min_session_timeout_ms=100,
            group_consumer_session_timeout_ms=group_ms,
            group_consumer_heartbeat_interval_ms=group_ms // 5,
            group_consumer_assignment_interval_ms=dice.one(0, 1_000),
            offsets_topic_replication_factor=brokers,
            offsets_commit_timeout_ms=dice.one(500, 5_000),
            group_coordinator_append_linger_ms=dice.one(-1, -1, 5),
        ),
    )


def _moments(dice: Dice, share: float) -> Iterator[tuple[float, float]]:
    """Yield moments one after the other, and how long what befalls then lasts."""
    at_s = float(dice.draws.uniform(0.0, DURATION_S))
    while at_s < DURATION_S and dice.draws.random() < share:
        for_s = dice.one(0.05, 0.4, 1.2, 2.5)
        yield round(at_s, 3), for_s
        at_s += for_s + float(dice.draws.uniform(0.1, 2.0))


def _of_groups(dice: Dice, groups: dict[str, Group]) -> Iterator[Event]:
    for name, group in groups.items():
        count = group.members if isinstance(group.members, int) else len(group.members)
        events: list[Event] = []
        added = dice.one(0, 0, 1, 2)
        target = f"subscriber:{name}"
        for n in range(added):
            at_s = round(float(dice.draws.uniform(0.0, DURATION_S)), 3)
            # Every other time a second process with an instance id that is there.
            instance = dice.one(None, None, "i1", "i9")
            events.append(AddMember(target, at_s, f"x{n}", instance))
        names = [str(n + 1) for n in range(count)] + [f"x{n}" for n in range(added)]
        for member in names:
            events += _of_member(dice, f"member:{name}/{member}")
        for at_s, _ in _moments(dice, 0.3):
            events.append(MoveCoordinator(target, at_s))
        if dice.draws.random() < 0.2:
            at_s = round(float(dice.draws.uniform(0.0, DURATION_S)), 3)
            events.append(
                RollingRestart(
                    target, at_s, down_s=dice.one(0.0, 0.2, 1.0), every_s=1.5
                )
            )
        if dice.draws.random() < 0.2:
            work_ms = dice.one(1_000.0, 2_500.0, None)
            events.append(
                StuckRecord(target, "web", int(dice.draws.integers(20)), work_ms)
            )
        yield from sorted(events, key=lambda event: event.at_s)
    if dice.draws.random() < 0.25:
        at_s = round(float(dice.draws.uniform(0.5, DURATION_S)), 3)
        yield AddPartitions("stream:orders", at_s, to=dice.one(7, 8))


def _resets(dice: Dice) -> Iterator[Event]:
    """Yield resets of offsets: by draws of their own, the rest is as without them.

    A group that has members refuses; so most come while all of a group are away.
    """
    for name in GROUPS:
        if dice.draws.random() < 0.8:
            continue
        target = f"subscriber:{name}"
        at_s = round(float(dice.draws.uniform(0.0, DURATION_S)), 3)
        to = dice.one(*RESETS_TO)
        if dice.one(0, 1, 1):
            yield Crash(target, at_s, for_s=dice.one(2.4, 4.0))
            at_s += 2.3
        yield ResetOffsets(target, at_s, to)


def _of_member(dice: Dice, target: str) -> Iterator[Event]:
    for at_s, for_s in _moments(dice, 0.4):
        match int(dice.draws.integers(4)):
            case 0:
                yield Crash(target, at_s, for_s)
            case 1:
                yield Pause(target, at_s, for_s)
            case 2:
                yield Slow(target, at_s, for_s, factor=dice.one(5.0, 100.0))
            case _:
                if dice.draws.random() < 0.3:
                    yield RemoveMember(target, at_s)
                    return


def _of_brokers(dice: Dice, brokers: int) -> Iterator[Event]:
    if dice.draws.random() < 0.4:
        return
    for target in [*(f"broker:{n + 1}" for n in range(brokers)), "controller"]:
        for at_s, for_s in _moments(dice, 0.4):
            kind = dice.one(0, 1, 2)
            if kind == 0 and target != "controller":
                yield Pause(target, at_s, for_s)
            else:
                clean = kind == 1 and target != "controller"
                yield Crash(target, at_s, for_s, clean=clean)


def _of_links(dice: Dice, brokers: int) -> Iterator[Event]:
    if dice.draws.random() < 0.4:
        return
    for end in ["member:billing/1", "audit", "web"]:
        if dice.draws.random() < 0.4:
            continue
        broker = f"broker:{int(dice.draws.integers(brokers)) + 1}"
        way = dice.one(f"{end}<->{broker}", f"{end}->{broker}", f"{broker}->{end}")
        for at_s, for_s in list(_moments(dice, 0.8))[:1]:
            match int(dice.draws.integers(3)):
                case 0:
                    extra_ms = dice.one(2.0, 60.0, 900.0)
                    yield Delay(f"link:{way}", at_s, for_s, extra_ms=extra_ms)
                case 1:
                    share = dice.one(0.05, 0.3, 1.0)
                    yield Lose(f"link:{way}", at_s, for_s, share=share)
                case _:
                    yield Cut(f"link:{way}", at_s, for_s)


def wrongs(scenario: Scenario, result: Result) -> Iterator[str]:
    """Yield what does not hold of a run."""
    for row in result.table("violations").to_dict("records"):
        yield f"violation: {row}"
    yield from _commits_beyond_log(result)
    if not result.facts["drained"]:
        yield from _pending(scenario, result)


def _pending(scenario: Scenario, result: Result) -> Iterator[str]:
    """Yield where a group reads and records are pending all the same.

    Not where a record is on which the work is long or endless: whoever gets that
    partition is held up in turn. Nor where the last owner was handed such a record: it
    may never come to the others that it has. Nor where a group goes round and never
    comes to fetch it (`is_passed_over`).
    """
    found = receipts(result).query("outcome == 'pending'")
    where = result.records[["record_id", "topic", "partition", "committed_ms"]]
    found = found.merge(where, on="record_id")
    rows = result.assignments.sort_values("since_ms", kind="stable")
    reading = set(rows[rows.until_ms.isna()]["group"])
    owners = {(r.group, r.topic, r.partition): r.member for r in rows.itertuples()}
    held_up = _held_up(scenario, result)
    assert isinstance(scenario.system, Kafka)
    groups = scenario.system.groups
    pending: dict[Place, list[float]] = {}
    for row in found.to_dict("records"):
        place = Place(row["subscriber"], row["topic"], row["partition"])
        pending.setdefault(place, []).append(row["committed_ms"])
    for place, committed_ms in pending.items():
        its = held_up.get(place.group, set())
        if place.group not in reading or place in its or owners.get(place) in its:
            continue
        config = groups[place.group].config.resolve()
        if not is_passed_over(result, place, config, max(committed_ms)):
            count = len(committed_ms)
            yield f"{tuple(place)} is read, and {count} records are pending"


def _held_up(scenario: Scenario, result: Result) -> dict[str, set[str | Place | None]]:
    """Return whom a stuck record was handed to and where it is, by group.

    None stands for who comes never.
    """
    held_up: dict[str, set[str | Place | None]] = {}
    for event in scenario.events:
        if not isinstance(event, StuckRecord):
            continue
        name = event.target.removeprefix("subscriber:")
        sent = result.records[result.records.source == event.source].record_id
        rows = result.deliveries[result.deliveries.subscriber == name]
        stuck = rows[rows.record_id.isin(sent.iloc[event.ordinal :][:1])]
        if len(stuck):
            first = stuck.iloc[0]
            place = Place(name, first.topic, first.partition)
            held_up.setdefault(name, {None}).update(stuck.member, {place})
    return held_up


def _commits_beyond_log(result: Result) -> Iterator[str]:
    """Yield offsets that no record stood before, at any time."""
    ends = result.appends.assign(end=lambda t: t["base_offset"] + t["record_count"])
    largest = ends.groupby(["topic", "partition"], observed=True)["end"].max()
    for row in result.commits.itertuples():
        if row.offset > largest.get((row.topic, row.partition), 0):
            yield f"{row.group} has committed {row.offset} of {row.topic}"
