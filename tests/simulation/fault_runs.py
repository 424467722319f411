"""Random clusters whose brokers, controller and links fail, each from one number."""

from collections.abc import Iterator
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from kafkasim.config.broker import BrokerConfig
from kafkasim.config.consumer import ConsumerConfig
from kafkasim.config.producer import ProducerConfig
from kafkasim.config.topic import TopicConfig
from kafkasim.result.removals import removed_ns
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.events import (
    AddPartitions,
    Crash,
    Cut,
    Delay,
    DeleteRecords,
    Event,
    Lose,
    Pause,
)
from kafkasim.scenario.hardware import Hardware, Link
from kafkasim.scenario.keys import NoKeys, UniformKeys
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Producer, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.units import MISSING_NS

DURATION_S = 6.0
SOURCES = ("app", "web")
SUBSCRIBERS = ("audit", "billing")
ChoiceT = TypeVar("ChoiceT")


class Dice:
    """Draws of one scenario."""

    def __init__(self, seed: int) -> None:
        self.draws = np.random.default_rng(seed)

    def one(self, *choices: ChoiceT) -> ChoiceT:
        return choices[int(self.draws.integers(len(choices)))]


def scenario_of(seed: int) -> Scenario:
    """Return the scenario of a number, the same one every time."""
    dice = Dice(seed)
    brokers = dice.one(1, 2, 3, 3, 3, 4)
    additions = [*_additions(seed)]
    return Scenario(
        Traffic(
            sources={
                name: Source(
                    "orders",
                    Poisson(dice.one(10.0, 40.0, 120.0)),
                    keys=NoKeys() if dice.one(0, 1) else UniformKeys(9),
                    value_bytes=dice.one(10, 100, 3_000),
                )
                for name in SOURCES
            },
            subscribers={
                name: Subscriber(["orders"], work_ms=dice.one(0.0, 0.3))
                for name in SUBSCRIBERS
            },
            duration_s=DURATION_S,
        ),
        system=_cluster(dice, brokers, age_ms=700 if additions else 300_000),
        events=(
            *_faults(dice.draws, brokers),
            *_bad_links(dice, brokers),
            *_deletions(dice),
            *additions,
        ),
        seed=seed,
    )


def _cluster(dice: Dice, brokers: int, *, age_ms: int) -> Kafka:
    copies = dice.one(1, 2, 3, 3, 3)
    patience_ms = dice.one(700, 2_000, 30_000)
    config = ProducerConfig(
        acks=dice.one("all", "all", "all", "1", "0"),
        linger_ms=dice.one(0, 5, 40),
        max_in_flight_requests_per_connection=dice.one(1, 5),
        request_timeout_ms=patience_ms,
        delivery_timeout_ms=dice.one(3, 10) * patience_ms,
        metadata_max_age_ms=age_ms,
    )
    session_ms = dice.one(900, 2_500)
    return Kafka(
        brokers=brokers,
        topics={
            "orders": Topic(
                partitions=dice.one(1, 2, 5),
                replication_factor=min(copies, brokers),
                config=TopicConfig(
                    min_insync_replicas=dice.one(1, 1, 2, 3),
                    unclean_leader_election_enable=dice.one(0, 0, 1) == 1,
                ),
            )
        },
        producers={name: Producer(config=config) for name in SOURCES},
        groups={
            name: Group(
                members=dice.one(1, 2),
                config=ConsumerConfig(
                    auto_commit_interval_ms=dice.one(100, 5_000),
                    auto_offset_reset=dice.one("earliest", "latest"),
                    metadata_max_age_ms=age_ms,
                ),
            )
            for name in SUBSCRIBERS
        },
        hardware=Hardware(link=Link(delay_ms=dice.one(0.1, 0.5, 5.0))),
        broker_config=BrokerConfig(
            broker_session_timeout_ms=session_ms,
            broker_heartbeat_interval_ms=session_ms // 4,
            replica_lag_time_max_ms=dice.one(600, 3_000),
            replica_fetch_backoff_ms=dice.one(50, 1_000),
        ),
    )


def _faults(draws: np.random.Generator, brokers: int) -> Iterator[Event]:
    """Yield faults, one after another at each target."""
    targets = [f"broker:{number + 1}" for number in range(brokers)]
    for target in [*targets, "controller", "subscriber:billing"]:
        at_s = float(draws.uniform(0.2, DURATION_S))
        while at_s < DURATION_S and draws.random() < 0.6:
            for_s = round(float(draws.choice([0.02, 0.3, 1.5, 4.0])), 3)
            yield _fault(draws, target, round(at_s, 3), for_s)
            at_s += for_s + float(draws.uniform(0.1, 2.0))


def _fault(draws: np.random.Generator, target: str, at_s: float, for_s: float) -> Event:
    if not target.startswith("broker:"):
        return Crash(target, at_s=at_s, for_s=for_s)
    match int(draws.integers(6)):
        case 0:
            return Crash(target, at_s=at_s, for_s=for_s)
        case 1:
            lost = bool(draws.random() < 0.3)
            return Crash(target, at_s=at_s, for_s=for_s, lose_disk=lost)
        case 2:
            return Crash(target, at_s=at_s, for_s=for_s, clean=True)
        case _:
            return Pause(target, at_s=at_s, for_s=for_s)


def _bad_links(dice: Dice, brokers: int) -> Iterator[Event]:
    """Yield what befalls links, no two of one link; to half of all nothing does."""
    draws = dice.draws
    if draws.random() < 0.5:
        return
    ends = [
        "web",
        "billing",
        "controller",
        *(f"broker:{n + 1}" for n in range(brokers)),
    ]
    for end in ends:
        other = f"broker:{int(draws.integers(brokers)) + 1}"
        if end == other or draws.random() < 0.5:
            continue
        both = dice.one(f"{end}<->{other}", f"{end}->{other}", f"{other}->{end}")
        at_s = round(float(draws.uniform(0.2, DURATION_S)), 3)
        for_s = dice.one(0.02, 0.3, 1.5, 4.0)
        match int(draws.integers(4)):
            case 0:
                extra_ms = dice.one(2.0, 60.0, 900.0)
                yield Delay(f"link:{both}", at_s=at_s, for_s=for_s, extra_ms=extra_ms)
            case 1:
                share = dice.one(0.02, 0.3, 1.0)
                yield Lose(f"link:{both}", at_s=at_s, for_s=for_s, share=share)
            case _:
                yield Cut(f"link:{both}", at_s=at_s, for_s=for_s)


def _deletions(dice: Dice) -> Iterator[Event]:
    """Yield what an administrator deletes, in one run of five."""
    draws = dice.draws
    while draws.random() < 0.2:
        at_s = round(float(draws.uniform(0.5, DURATION_S)), 3)
        wishes: tuple[int | Literal["high_watermark"], ...] = (5, 50, "high_watermark")
        yield DeleteRecords("stream:orders", at_s=at_s, to=dice.one(*wishes))


def _additions(seed: int) -> Iterator[Event]:
    """Yield how a topic grows, in one run of three; from draws of its own."""
    draws = np.random.default_rng([seed, 1])
    at_s, count = 0.0, 5
    while at_s < DURATION_S / 2 and draws.random() < 0.33:
        at_s = round(float(draws.uniform(at_s + 0.1, DURATION_S)), 3)
        count += int(draws.integers(1, 4))
        yield AddPartitions("stream:orders", at_s=at_s, to=count)


def loses(scenario: Scenario) -> bool:
    """Return whether what was committed may be lost, by an election or with disks.

    It was on as many disks as `min.insync.replicas` says, at least.
    """
    assert isinstance(scenario.system, Kafka)
    topic = scenario.system.topics["orders"]
    config = topic.config.resolve()
    events = scenario.events
    lost = {e.target for e in events if isinstance(e, Crash) and e.lose_disk}
    copies = min(config.min_insync_replicas, topic.replication_factor)
    return config.unclean_leader_election_enable or len(lost) >= copies


def wrongs(scenario: Scenario, result: Result) -> Iterator[str]:
    """Yield what does not hold of a run."""
    yield from unfinished(result)
    if not result.facts["drained"]:
        return
    yield from _wrong_offsets(result)
    if not loses(scenario):
        outcomes = result.columns("records")["outcome"]
        names = result.columns("records").labels["outcome"]
        acked = outcomes == names.index("acked")
        yield from _lost_or_twice(scenario, result, np.flatnonzero(acked))
        yield from _not_read(result, _deleted(result))


def unfinished(result: Result) -> Iterator[str]:
    """Yield broken invariants, and what has no end: the run itself, or a record."""
    for row in result.table("violations").to_dict("records"):
        yield f"violation: {row}"
    if not result.facts["drained"]:
        yield "it does not end"
        return
    outcomes = result.columns("records")["outcome"]
    names = result.columns("records").labels["outcome"]
    if (outcomes < 0).any() or (outcomes == names.index("in_flight")).any():
        yield "a record without an end"


def _wrong_offsets(result: Result) -> Iterator[str]:
    records = result.columns("records")
    kept = records["log_copies"] >= 1
    if (records["offset"][kept] < 0).any():
        yield "in the log without an offset"
    places = np.stack([records["partition"][kept], records["offset"][kept]])
    if len(np.unique(places, axis=1).T) != np.count_nonzero(kept):
        yield "two records at one offset"


def _lost_or_twice(
    scenario: Scenario, result: Result, acked: NDArray[np.intp]
) -> Iterator[str]:
    """Yield acknowledged records that are gone, and such as are there twice."""
    assert isinstance(scenario.system, Kafka)
    config = scenario.system.producers["web"].config.resolve()
    copies = result.columns("records")["log_copies"]
    gone = acked[copies[acked] < 1]
    if config.acks == "all" and len(gone):
        yield f"{len(gone)} acknowledged by all and gone: {gone[:5]}"
    if config.enable_idempotence and (copies > 1).any():
        yield f"twice in the log though idempotent: {np.flatnonzero(copies > 1)[:5]}"


def _deleted(result: Result) -> NDArray[np.bool_]:
    """Return which records an administrator deleted, or a reset of a reader passed."""
    records, removals = result.columns("records"), result.columns("removals")
    rows = np.arange(len(records))
    gone: NDArray[np.bool_] = removed_ns(records, rows, removals) != MISSING_NS
    if len(removals) and _resets_to_end(result):
        gone[:] = True
    if _resets_to_end(result):
        gone |= records["partition"] >= _first_count(result)
    return gone


def _first_count(result: Result) -> int:
    """Return how many partitions there were before any was added."""
    system = result.scenario.resolve().system
    assert isinstance(system, Kafka)
    return system.topics["orders"].partitions


def _resets_to_end(result: Result) -> bool:
    """Say whether a reader that is reset passes over what is there."""
    system = result.scenario.resolve().system
    assert isinstance(system, Kafka)
    groups = system.groups.values()
    return any(group.config.auto_offset_reset == "latest" for group in groups)


def _not_read(result: Result, excused: NDArray[np.bool_]) -> Iterator[str]:
    """Yield what stays in the log and was not read by all, there from the start."""
    kept_rows = (result.columns("records")["log_copies"] >= 1) & ~excused
    kept = set(np.flatnonzero(kept_rows).tolist())
    table = result.columns("deliveries")
    done = table["outcome"] == table.labels["outcome"].index("processed")
    for code, name in enumerate(table.labels["subscriber"]):
        mine = table["record_id"][done & (table["subscriber"] == code)]
        if missing := kept - set(mine.tolist()):
            yield f"{name} never processed {len(missing)}: {sorted(missing)[:5]}"
