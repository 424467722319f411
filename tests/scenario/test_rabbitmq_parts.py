"""RabbitMQ's parts: filled in from the traffic, and held against it."""

import pytest

from kafkasim.errors import ValidationError
from kafkasim.scenario.applicability import not_applicable
from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.events import Crash, Cut, Event, FillDisk
from kafkasim.scenario.member_events import AddMember, RemoveMember
from kafkasim.scenario.rabbitmq import (
    Binding,
    Consumers,
    Exchange,
    Publisher,
    Queue,
    RabbitMQ,
)
from kafkasim.scenario.rabbitmq_parts import consumer_names, filled
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

TRAFFIC = Traffic(
    {"web": Source("orders", Poisson(1)), "app": Source("clicks", Poisson(1))},
    {"a": Subscriber(["orders"]), "b": Subscriber(["orders", "clicks"])},
    duration_s=1,
)


def test_little_is_needed_to_begin() -> None:
    whole = filled(RabbitMQ(), TRAFFIC)
    assert whole.exchanges == {"orders": Exchange(), "clicks": Exchange()}
    assert whole.publishers["app"] == Publisher(exchange="clicks")
    assert whole.consumers == {"a": Consumers(), "b": Consumers()}
    both = (Binding("orders"), Binding("clicks"))
    assert whole.queues["b"] == Queue(members=1, delivery_limit=-1, bindings=both)
    assert filled(whole, TRAFFIC) == whole


@pytest.mark.parametrize(("nodes", "members"), [(1, 1), (2, 2), (5, 3)])
def test_a_quorum_queue_has_three_copies_if_there_are_nodes(
    nodes: int, members: int
) -> None:
    system = RabbitMQ(nodes=nodes, queues={"a": Queue("quorum")})
    assert filled(system, TRAFFIC).queues["a"].members == members


@pytest.mark.parametrize(
    ("kind", "routing_key", "binding_key"),
    [
        ("fanout", "{key}", ""),
        ("direct", "{stream}", "orders"),
        ("topic", "{stream}", "orders"),
        ("topic", "{stream}.{key}", "orders.#"),
        ("topic", "eu.{stream}x{key}", "eu.#"),
        ("topic", "{key}", "#"),
    ],
)
def test_a_queue_is_bound_so_that_it_gets_all_of_its_streams(
    kind: str, routing_key: str, binding_key: str
) -> None:
    system = RabbitMQ(
        exchanges={"all": Exchange(kind)},  # type: ignore[arg-type]
        publishers={"web": Publisher(exchange="all", routing_key=routing_key)},
    )
    assert filled(system, TRAFFIC).queues["a"].bindings == (
        Binding("all", binding_key),
    )


def test_a_queue_gets_nothing_by_binding_from_the_default_exchange() -> None:
    system = RabbitMQ(publishers={"web": Publisher(exchange="", routing_key="a")})
    assert filled(system, TRAFFIC).queues["a"].bindings == ()


@pytest.mark.parametrize(
    ("system", "path"),
    [
        (RabbitMQ(queues={"c": Queue()}), "system.queues.c"),
        (RabbitMQ(publishers={"wob": Publisher()}), "system.publishers.wob"),
        (RabbitMQ(consumers={"c": Consumers()}), "system.consumers.c"),
        (
            RabbitMQ(publishers={"web": Publisher(exchange="x")}),
            "system.publishers.web.exchange",
        ),
        (
            RabbitMQ(queues={"a": Queue(bindings=[Binding("x")])}),
            "system.queues.a.bindings.0.exchange",
        ),
        (
            RabbitMQ(
                exchanges={"orders": Exchange("direct")},
                publishers={"web": Publisher(routing_key="{key}")},
            ),
            "system.queues.a.bindings",
        ),
    ],
)
def test_a_part_has_its_place_in_the_traffic(system: RabbitMQ, path: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Scenario(TRAFFIC, system)
    assert caught.value.path == path


def test_a_scenario_is_read_back_equal_also_when_all_is_said() -> None:
    system = RabbitMQ(
        nodes=3,
        queues={"a": Queue("quorum", delivery_limit=-1)},
        exchanges={"all": Exchange("topic")},
        publishers={"web": Publisher(exchange="all", routing_key="{stream}.{key}")},
        consumers={"b": Consumers(count=2, priorities=[1])},
    )
    scenario = Scenario(TRAFFIC, system, events=[Crash("node:2", at_s=1)])
    assert Scenario.from_toml(scenario.to_toml()) == scenario
    resolved = scenario.to_toml(resolved=True)
    assert Scenario.from_toml(resolved) == scenario.resolve()
    assert 'kind = "rabbitmq"' in resolved


def test_a_path_leads_into_a_part_that_was_filled_in() -> None:
    scenario = Scenario(TRAFFIC, RabbitMQ())
    changed = scenario.where({"system.consumers.a.prefetch": 1}).system
    assert changed == RabbitMQ(consumers={"a": Consumers(prefetch=1)})


def test_describe_marks_what_was_filled_in() -> None:
    system = RabbitMQ(nodes=3, queues={"a": Queue("quorum")})
    text = Scenario(TRAFFIC, system).describe()
    assert "System: RabbitMQ 4.3, 3 nodes\n" in text
    assert "  exchange orders: fanout  (filled in)\n" in text
    assert "  publisher web → exchange orders, confirms  (filled in)\n" in text
    assert "  queue a ← orders: quorum, 3 copies, delivery limit 20\n" in text
    assert "  queue b ← orders, clicks: classic  (filled in)\n" in text
    assert "  consumers of a: 1, prefetch 100, ack manual  (filled in)\n" in text


def test_consumers_are_numbered_and_those_that_come_follow() -> None:
    system = RabbitMQ(consumers={"a": Consumers(count=2)})
    later = [AddMember("subscriber:a", at_s=2), AddMember("subscriber:a", 1, name="x")]
    assert consumer_names("a", system, later) == ["a/1", "a/2", "a/x", "a/4"]


def test_events_name_nodes_consumers_and_the_hub() -> None:
    events: list[Event] = [
        Crash("hub", at_s=0.1),
        Crash("node:2", at_s=0.1),
        AddMember("subscriber:a", at_s=0.1),
        RemoveMember("member:a/2", at_s=0.2),
        Cut("link:hub->a", at_s=0.1, only="requests"),
        Cut("link:node:1<->node:2", at_s=0.1),
    ]
    Scenario(TRAFFIC, RabbitMQ(nodes=2), events=events)
    wrong: list[Event] = [
        Crash("node:3", at_s=1),
        FillDisk("node:1", at_s=1),
        RemoveMember("member:a/2", at_s=1),
    ]
    for event in wrong:
        with pytest.raises(ValidationError):
            Scenario(TRAFFIC, RabbitMQ(nodes=2), events=[event])
    past = Cut("link:web->a", at_s=1)
    assert "never talk" in not_applicable(past, TRAFFIC, RabbitMQ(nodes=2))
