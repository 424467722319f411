"""Point to point against a hub when something fails: runs, and what they are held to.

As in `test_pipelines.py`, left sides are measured on the tables of runs.
"""

from itertools import product
from typing import Literal

import numpy as np
import pytest

from kafkasim.analysis import pipeline_theory as theory
from kafkasim.analysis.blasts import blast_radius
from kafkasim.analysis.dealings import RECEIPT_OUTCOMES, dealings, outcome_codes
from kafkasim.config.broker import BrokerConfig
from kafkasim.config.consumer import ConsumerConfig
from kafkasim.config.producer import ProducerConfig
from kafkasim.config.topic import TopicConfig
from kafkasim.engine.sim.run import run
from kafkasim.result.result import Result
from kafkasim.result.rows import wanted_ns
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.events import Crash, Cut, Slow
from kafkasim.scenario.hardware import Hardware
from kafkasim.scenario.keys import UniformKeys
from kafkasim.scenario.many_to_many import many_to_many
from kafkasim.scenario.pipelines import PointToPoint, Relay
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Producer, System, Topic
from kafkasim.units import MISSING_NS, NS_PER_S
from tests.theory.pipelines import of_one

IDEAL = Hardware.ideal()
QUEUES = PointToPoint(mode="asynchronous")


def counts(result: Result, subscriber: str) -> dict[str, int]:
    """Return how many records came to each end for a subscriber."""
    (dealing,) = (
        each for each in dealings(result) if each.want.subscriber == subscriber
    )
    codes = outcome_codes(dealing, result.columns("records"))
    number = np.bincount(codes, minlength=len(RECEIPT_OUTCOMES)).tolist()
    return dict(zip(RECEIPT_OUTCOMES, number, strict=True))


def test_what_a_source_holds_dies_with_it_and_not_with_a_log() -> None:  # PH-8
    away = Crash("subscriber:b", at_s=1.0, for_s=2.0)
    crash = Crash("source:web", at_s=2.0, for_s=0.5)
    traffic = of_one({"web": 50.0}, {"a": 1.0, "b": 1.0}, 4.0)
    queued = run(Scenario(traffic, QUEUES, events=[away, crash]))
    groups = {"b": Group(commit="each_poll")}
    log = run(Scenario(traffic, Kafka(groups=groups), events=[away, crash]))

    held = theory.outage_buffer_bytes(50.0, 1.0)  # records, in a second
    assert counts(queued, "a")["not_accepted"] == 0
    assert counts(queued, "b")["not_accepted"] == pytest.approx(held, abs=1)
    assert counts(log, "a") == counts(log, "b")
    # What has not left the client: a linger's worth of them.
    assert counts(log, "b")["not_accepted"] <= 1


def test_catching_up_from_queues() -> None:  # PH-9
    rate, work_ms, outage_s = 50.0, 8.0, 4.0
    often = PointToPoint(
        mode="asynchronous",
        retry_backoff_ms=1.0,
        retry_backoff_max_ms=1.0,
        hardware=IDEAL,
    )
    traffic = of_one({"web": rate}, {"a": work_ms}, 12.0)
    away = Crash("subscriber:a", at_s=2.0, for_s=outage_s)
    table = blast_radius(run(Scenario(traffic, often, events=[away])))

    exact = theory.catch_up_s(outage_s, rate, 1_000 / work_ms)
    assert table["recovery_s"][0] == pytest.approx(exact, rel=0.01)


@pytest.mark.parametrize("retention_s", [4.0, 8.0, 12.0])
def test_an_outage_is_lossless_as_long_as_retention_holds_it(
    retention_s: float,
) -> None:  # PH-9
    rate, outage_s, look_s = 50.0, 10.0, 0.5
    kept = TopicConfig(retention_ms=int(retention_s * 1e3), segment_ms=500)
    system = Kafka(
        topics={"orders": Topic(config=kept)},
        groups={
            "a": Group(
                commit="each_poll", config=ConsumerConfig(auto_offset_reset="earliest")
            )
        },
        broker_config=BrokerConfig(
            log_retention_check_interval_ms=500, log_initial_task_delay_ms=500
        ),
    )
    away = Crash("subscriber:a", at_s=5.0, for_s=outage_s)
    found = counts(
        run(Scenario(of_one({"web": rate}, {"a": 2.0}, 16.0), system, events=[away])),
        "a",
    )

    gone = max(0.0, outage_s - retention_s) * rate
    # A segment goes as a whole, when somebody looks.
    assert gone - 2 * look_s * rate <= found["expired"] <= gone
    assert found["once"] + found["expired"] == 16 * rate


@pytest.mark.parametrize(
    ("system", "fast_per_s"),
    [
        (PointToPoint(mode="asynchronous", queue_events=100, hardware=IDEAL), 100.0),
        (
            PointToPoint(
                mode="asynchronous", queue_events=100, on_full="drop", hardware=IDEAL
            ),
            200.0,
        ),
        (Relay(queue_events=100, prefetch=1, hardware=IDEAL), 100.0),
        (Kafka(hardware=IDEAL), 200.0),
    ],
    ids=["queues that block", "queues that drop", "relay", "log"],
)
def test_one_slow_subscriber_of_bounded_queues(
    system: System, fast_per_s: float
) -> None:  # PH-10
    rate, served, room = 200.0, 100.0, 100
    traffic = of_one({"web": rate}, {"slow": 1e3 / served, "fast": 1.0}, 3.0)
    result = run(Scenario(traffic, system, end="cut"))
    ends_s = {
        each.want.subscriber: each.first_processed_ns / NS_PER_S
        for each in dealings(result)
    }

    def per_s(who: str, since_s: float, until_s: float) -> float:
        ends = ends_s[who]
        return float(((ends >= since_s) & (ends < until_s)).sum() / (until_s - since_s))

    full_s = room / (rate - served)
    assert per_s("fast", 0.2, full_s - 0.1) == pytest.approx(rate, rel=0.02)
    assert per_s("fast", full_s + 0.2, 3.0) == pytest.approx(fast_per_s, rel=0.02)
    assert per_s("slow", 0.2, 3.0) == pytest.approx(served, rel=0.02)


def without_one_of(brokers: int, acks: Literal["1", "all"]) -> Result:
    """Return a run of partitions with three copies."""
    topic = Topic(
        partitions=brokers,
        replication_factor=3,
        config=TopicConfig(min_insync_replicas=2),
    )
    traffic = many_to_many(
        1, 1, arrivals=Periodic(40.0), keys=UniformKeys(200), duration_s=13.0
    )
    system = Kafka(
        brokers=brokers,
        topics={"stream-1": topic},
        producers={"source-1": Producer(ProducerConfig(acks=acks))},
    )
    return run(Scenario(traffic, system, events=[Crash("broker:2", at_s=2.0)]))


@pytest.mark.parametrize("brokers", [4, 6])
def test_one_broker_of_many_takes_its_share(brokers: int) -> None:  # PH-11
    result = without_one_of(brokers, "1")
    (dealing,) = dealings(result)

    assert dealing.done.all()
    # Nobody leads one of them until the broker is missed; the others are written.
    led = longest_waits_s(result, result.columns("records")["appended_ns"])
    assert (led > 1.0).mean() == 1 / brokers
    assert 7.0 <= led.max() <= 10.0
    # All that have a copy on it are read no further until it has left their ISR.
    read = longest_waits_s(result, dealing.first_processed_ns)
    assert (read > 1.0).mean() == 3 / brokers
    assert (read[read > 1.0] >= 7.0).all()
    assert (read[read > 1.0] <= 10.0).all()


def test_who_waits_for_all_copies_waits_for_all_on_it() -> None:  # PH-11
    result = without_one_of(6, "all")

    acked = longest_waits_s(result, result.columns("records")["acked_ns"])
    assert (acked > 1.0).mean() == 3 / 6
    assert (acked <= 10.0).all()


def longest_waits_s(result: Result, until_ns: np.ndarray) -> np.ndarray:
    """Return the longest wait of a record of each partition, in seconds."""
    records = result.columns("records")
    waits_s = (until_ns - records["intended_ns"]) / NS_PER_S
    partitions = records["partition"]
    return np.array([waits_s[partitions == p].max() for p in np.unique(partitions)])


@pytest.mark.parametrize(
    "system",
    [PointToPoint(), QUEUES, Relay(), Kafka()],
    ids=["direct", "queues", "relay", "log"],
)
def test_the_death_of_a_source_is_felt_alike_everywhere(
    system: System,
) -> None:  # PH-11
    # With more work, what it sends at its return would keep others waiting, too.
    traffic = many_to_many(3, 4, arrivals=Periodic(50.0), work_ms=0.05, duration_s=4.0)
    crash = Crash("source:source-2", at_s=2.0, for_s=1.0)
    row = blast_radius(run(Scenario(traffic, system, events=[crash]))).iloc[0]

    assert row["pairs_hurt"] == 4
    assert row["blast_pair_s"] == pytest.approx(4 * 1.0, rel=0.05)


FROM, TO = "source:source-1", "subscriber:subscriber-2"


@pytest.mark.parametrize(
    ("system", "link", "pairs"),
    [
        (PointToPoint(), f"{FROM}<->{TO}", 4),
        (QUEUES, f"{FROM}<->{TO}", 1),
        (Relay(), f"{FROM}<->hub", 4),
        (Kafka(), f"{FROM}<->broker:1", 4),
        (Kafka(), f"broker:1<->{TO}", 3),
    ],
    ids=["direct", "queues", "source to relay", "source to log", "log to reader"],
)
def test_a_link_that_is_cut_stops_what_goes_over_it(
    system: System, link: str, pairs: int
) -> None:  # PH-11
    traffic = many_to_many(3, 4, arrivals=Periodic(50.0), work_ms=0.05, duration_s=2.5)
    cut = Cut(f"link:{link}", at_s=1.0, for_s=1.0)
    row = blast_radius(run(Scenario(traffic, system, events=[cut]))).iloc[0]

    assert row["pairs_hurt"] == pairs
    # TCP sends again after 200 ms, 600 ms and 1.4 s.
    assert row["blast_pair_s"] == pytest.approx(pairs * 1.4, rel=0.02)


@pytest.mark.parametrize(
    ("system", "pairs"),
    [(PointToPoint(), 12), (QUEUES, 3), (Relay(), 3), (Kafka(), 3)],
    ids=["direct", "queues", "relay", "log"],
)
def test_who_is_ten_times_as_slow_holds_up_who_waits_for_it(
    system: System, pairs: int
) -> None:  # PH-11
    traffic = many_to_many(3, 4, arrivals=Periodic(20.0), work_ms=4.0, duration_s=3.0)
    slow = Slow("subscriber:subscriber-2", at_s=1.0, for_s=1.0, factor=10.0)
    row = blast_radius(run(Scenario(traffic, system, events=[slow]))).iloc[0]

    assert row["pairs_hurt"] == pairs
    assert row["blast_pair_s"] == pytest.approx(pairs * 1.0, rel=0.05)


@pytest.mark.parametrize("many", [3, 5])
def test_a_hub_takes_events_while_some_are_away(many: int) -> None:  # PH-12
    share, seconds = 0.9, 40
    up = np.random.default_rng(many).random((seconds, many)) < share
    events = [
        Crash(f"subscriber:subscriber-{who + 1}", at_s=float(at), for_s=0.999)
        for at, who in zip(*np.nonzero(~up), strict=True)
    ]
    traffic = many_to_many(
        1, many, arrivals=Periodic(5.0), work_ms=0.1, duration_s=float(seconds)
    )
    taken, reached = {}, {}
    for system in (PointToPoint(), Relay(), Kafka()):
        result = run(Scenario(traffic, system, events=events))
        records = result.columns("records")
        waits_s = (records["acked_ns"] - wanted_ns(records)) / NS_PER_S
        name = type(system).__name__
        taken[name] = float((waits_s <= 0.1).mean())
        reached[name] = all(each.done.all() for each in dealings(result))

    exact = theory.all_reached(share, many)
    deviation = (exact * (1 - exact) / seconds) ** 0.5
    assert taken["PointToPoint"] == pytest.approx(up.all(axis=1).mean(), abs=0.02)
    assert abs(taken["PointToPoint"] - exact) < 3 * deviation
    assert taken["Relay"] == taken["Kafka"] == 1.0
    assert all(reached.values())


def test_a_hub_of_three_is_there_while_two_are() -> None:  # PH-12
    """Every state of the brokers once; chances come in by how likely each is."""
    topic = Topic(replication_factor=3, config=TopicConfig(min_insync_replicas=2))
    system = Kafka(brokers=3, topics={"stream-1": topic})
    traffic = many_to_many(1, 1, arrivals=Periodic(2.0), work_ms=0.1, duration_s=15.0)
    serves = {}
    for down in product((False, True), repeat=3):
        events = [
            Crash(f"broker:{number}", at_s=1.0)
            for number, is_down in enumerate(down, start=1)
            if is_down
        ]
        result = run(Scenario(traffic, system, events=events, end="cut"))
        records = result.columns("records")
        late = wanted_ns(records) > 12 * NS_PER_S  # after the failover
        serves[down] = bool((records["acked_ns"][late] != MISSING_NS).mean() > 0.5)

    for share in (0.9, 0.999):
        chances = {
            down: share ** down.count(False) * (1 - share) ** down.count(True)
            for down in serves
        }
        there = sum(chances[down] for down, does in serves.items() if does)
        assert there == pytest.approx(theory.majority_up(share), rel=1e-12)
    assert theory.majority_up(0.999) > 0.99999 > theory.all_reached(0.99, 5)
