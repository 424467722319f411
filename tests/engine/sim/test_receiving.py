"""Whole runs in which senders meet at one receiver's card, worked out by hand."""

import numpy as np

from kafkasim.config.producer import ProducerConfig
from kafkasim.engine.sim.broker import Broker
from kafkasim.engine.sim.calendar import CheckedCalendar, Rank, key_base
from kafkasim.engine.sim.hosts import Hosts
from kafkasim.engine.sim.request import (
    FETCH,
    FETCH_FOLLOWER,
    OFFSET_COMMIT,
    PRODUCE,
    Request,
)
from kafkasim.engine.sim.run import run
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.events import Crash
from kafkasim.scenario.hardware import Cpu, Hardware, Link
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, Producer, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

MS = 1_000_000
SLOW_CARDS = Hardware(
    link=Link(delay_ms=1.0, bandwidth_mb_per_s=1.0), cpu=Cpu(request_ms=0.0, mb_ms=0.0)
)
"""1 MB/s: a record of 5,000 bytes takes about 5 ms of a card."""


def two_sources(*, subscribers: int = 0, web_at_s: float = 0.01) -> Traffic:
    """Each sends one record, `app` at 10 ms."""
    return Traffic(
        sources={
            name: Source("orders", Periodic(1.0, phase_s=at_s), value_bytes=5_000)
            for name, at_s in (("app", 0.01), ("web", web_at_s))
        },
        subscribers={f"group{n}": Subscriber(["orders"]) for n in range(subscribers)},
        duration_s=1,
    )


def kafka(brokers: int = 1, copies: int = 1) -> Kafka:
    config = ProducerConfig(linger_ms=0, acks="1")
    return Kafka(
        brokers=brokers,
        topics={"orders": Topic(partitions=brokers, replication_factor=copies)},
        producers={"app": Producer(config=config, partition=0),
                   "web": Producer(config=config, partition=brokers - 1)},
        hardware=SLOW_CARDS,
    )  # fmt: skip


def requests(result: Result, api: int) -> dict[str, list[int]]:
    columns = result.columns("requests")
    mine = (columns["api"] == api) & (columns["size_bytes"] > 0)
    order = np.argsort(columns["answered_ns"][mine], kind="stable")
    return {
        name: columns[name][mine][order].tolist()
        for name in ("sent_ns", "received_ns", "done_ns", "answered_ns", "size_bytes")
    }


def test_two_producers_meet_at_the_card_of_their_broker() -> None:
    rows = requests(run(Scenario(two_sources(), system=kafka()), check=True), PRODUCE)
    size = rows["size_bytes"][0]
    first = rows["sent_ns"][0] + 1_000 * size + MS
    assert rows["received_ns"] == [first, first + 1_000 * size]


def test_answers_of_two_brokers_meet_at_the_card_of_a_member() -> None:
    traffic = two_sources(subscribers=1)
    rows = requests(run(Scenario(traffic, system=kafka(2)), check=True), FETCH)
    size, done = rows["size_bytes"][0], rows["done_ns"]
    # Each broker's card is its own, and both answers would be there together.
    assert done[0] == done[1]
    first = done[0] + 1_000 * size + MS
    assert rows["answered_ns"] == [first, first + 1_000 * size]


def test_a_request_without_records_comes_behind_one_with_some() -> None:
    calendar = CheckedCalendar()
    hosts = Hosts(SLOW_CARDS.link, seed=1)
    broker = Broker(
        calendar=calendar, actor=1, index=0, partitions=[], io_threads=2,
        request_ns=0, ns_per_byte=0.0, on_append=lambda *_: None,
        commit=lambda _: None,
    )  # fmt: skip
    answered: list[Request] = []
    app, web = hosts.connect("source:app", 0, 0), hosts.connect("source:web", 1, 0)
    sent = (
        (app, PRODUCE, 0, 5_000),
        (web, PRODUCE, 0, 5_000),
        (web, OFFSET_COMMIT, 8 * MS, 0),
        (app, OFFSET_COMMIT, 8 * MS, 0),
    )
    first_key = key_base(Rank.ARRIVAL, 2)
    for key, (connection, api, at_ns, size) in enumerate(sent, first_key):
        request = Request(api, connection, at_ns, [], answered.append)
        request.size_bytes = size
        there_ns = connection.up.transfer(at_ns, size)
        calendar.at(there_ns, key, broker.arrive, request)
    calendar.run_entries(100 * MS)
    # Both batches are there at 6 ms, that of `web` is in at 11; what follows is at 9.
    read = {(each.connection.client, each.api): each.received_ns for each in answered}
    assert read == {
        (0, PRODUCE): 6 * MS,
        (1, PRODUCE): 11 * MS,
        (1, OFFSET_COMMIT): 11 * MS,
        (0, OFFSET_COMMIT): 9 * MS,
    }


def test_word_that_a_connection_is_lost_comes_behind_an_answer() -> None:
    scenario = Scenario(two_sources(subscribers=1), system=kafka(2))
    rows = requests(run(scenario, check=True), FETCH)
    size, done_ns = rows["size_bytes"][0], rows["done_ns"][0]
    first_ns = done_ns + 1_000 * size + MS
    # The answer of broker 2 waits for that of broker 1 while this comes.
    crash = Crash("broker:2", at_s=(first_ns + MS) / 1e9, for_s=0.1)
    lost = run(Scenario(scenario.traffic, scenario.system, events=[crash]), check=True)
    answered_ns = requests(lost, FETCH)["answered_ns"]
    assert answered_ns == [first_ns, first_ns + 1_000 * size]


def test_copies_come_through_the_card_that_producers_use_too() -> None:
    traffic = two_sources(web_at_s=0.015)
    scenario = Scenario(traffic, system=kafka(2, copies=2), end="cut")
    result = run(scenario, check=True)
    produced, copied = requests(result, PRODUCE), requests(result, FETCH_FOLLOWER)
    # Broker 2 gets the first record's copy while it takes in the second record.
    size = produced["size_bytes"][0]
    second = produced["sent_ns"][1] + 1_000 * size + MS
    assert produced["received_ns"][1] == second
    assert copied["done_ns"][0] + 1_000 * size + MS < second + 1_000 * size
    assert copied["answered_ns"][0] == second + 1_000 * size


def test_point_to_point_senders_meet_at_the_card_of_a_subscriber() -> None:
    traffic = two_sources(subscribers=1)
    system = PointToPoint(hardware=SLOW_CARDS)
    fetched = run(Scenario(traffic, system=system)).columns("deliveries")["fetched_ns"]
    # 10 ms, 5 ms of the sender's card, 1 ms on the way; then 5 ms for the second.
    assert sorted(fetched.tolist()) == [16 * MS, 21 * MS]
