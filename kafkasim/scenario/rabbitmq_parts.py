"""The parts of a RabbitMQ system: filled in from the traffic, and held against it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from kafkasim.catalogue import say
from kafkasim.config.frozen import UNSET, FrozenDict
from kafkasim.config.paths import join_path, one_of, suggestion
from kafkasim.errors import ValidationError
from kafkasim.ids import HUB
from kafkasim.scenario.events import (
    AddPartitions,
    Crash,
    DeleteRecords,
    Event,
    FillDisk,
    Pause,
    Slow,
)
from kafkasim.scenario.member_events import AddMember, RemoveMember
from kafkasim.scenario.rabbitmq import (
    DEFAULT_EXCHANGE,
    Binding,
    Consumers,
    Exchange,
    Publisher,
    Queue,
    RabbitMQ,
)
from kafkasim.scenario.traffic import Traffic

PartT = TypeVar("PartT")
_QUORUM_MEMBERS = 3
_MOST_NAME_BYTES = 255


def filled(system: RabbitMQ, traffic: Traffic) -> RabbitMQ:
    """Return the system with a part for everything in the traffic."""
    streams = dict.fromkeys(each.stream for each in traffic.sources.values())
    exchanges = _with(system.exchanges, streams, Exchange())
    publishers = {
        name: _filled_publisher(part, name, traffic)
        for name, part in _with(system.publishers, traffic.sources, Publisher()).items()
    }
    queues = {
        name: _bound(
            _with_copies(part, system.nodes), name, traffic, exchanges, publishers
        )
        for name, part in _with(system.queues, traffic.subscribers, Queue()).items()
    }
    return replace(
        system,
        exchanges=exchanges,
        publishers=publishers,
        queues=queues,
        consumers=_with(system.consumers, traffic.subscribers, Consumers()),
    )


def _with(
    said: Mapping[str, PartT], names: Iterable[str], blank: PartT
) -> Mapping[str, PartT]:
    missing = {name: blank for name in names if name not in said}
    return FrozenDict({**said, **missing})


def _filled_publisher(part: Publisher, name: str, traffic: Traffic) -> Publisher:
    if part.exchange is not UNSET or name not in traffic.sources:
        return part
    return replace(part, exchange=traffic.sources[name].stream)


def _with_copies(part: Queue, nodes: int) -> Queue:
    """Return a queue with the number of its copies, and its limit."""
    is_quorum = part.type == "quorum"
    if part.members is UNSET:
        part = replace(part, members=min(_QUORUM_MEMBERS, nodes) if is_quorum else 1)
    if part.delivery_limit is UNSET:
        part = replace(part, delivery_limit=20 if is_quorum else -1)
    return part


def _bound(
    part: Queue,
    name: str,
    traffic: Traffic,
    exchanges: Mapping[str, Exchange],
    publishers: Mapping[str, Publisher],
) -> Queue:
    """Return a queue that is bound to something."""
    if part.bindings or name not in traffic.subscribers:
        return part
    bindings = dict.fromkeys(
        Binding(publisher.exchange, _binding_key(source.stream, publisher, exchanges))
        for source_name, source in traffic.sources.items()
        if source.stream in traffic.subscribers[name].streams
        and (publisher := publishers[source_name]).exchange != DEFAULT_EXCHANGE
    )
    return replace(part, bindings=tuple(bindings))


def _binding_key(
    stream: str, publisher: Publisher, exchanges: Mapping[str, Exchange]
) -> str:
    """Return the key with which a queue gets all of a stream from an exchange."""
    exchange = exchanges.get(publisher.exchange, Exchange())
    if exchange.type == "fanout":
        return ""
    key = publisher.routing_key.replace("{stream}", stream)
    head = key.partition("{")[0]
    if head == key or exchange.type == "direct":
        return key
    words = head.rpartition(".")[0]
    return f"{words}.#" if words else "#"


def check_rabbitmq(system: RabbitMQ, traffic: Traffic) -> None:
    """Check that every named part has its place, and every exchange is there.

    Raises
    ------
    ValidationError
        With a path that begins at the system.
    """
    named = {
        "queues": (
            system.queues,
            traffic.subscribers,
            say("a queue is named as its subscriber"),
        ),
        "publishers": (
            system.publishers,
            traffic.sources,
            say("a publisher is named as its source"),
        ),
        "consumers": (
            system.consumers,
            traffic.subscribers,
            say("consumers are named as their subscriber"),
        ),
    }
    for part, (said, allowed, why) in named.items():
        for name in said:
            _check_name((part, name), name, allowed, why)
    whole = filled(system, traffic)
    for name, publisher in whole.publishers.items():
        if publisher.exchange != DEFAULT_EXCHANGE:
            path = ("publishers", name, "exchange")
            _check_name(
                path, publisher.exchange, whole.exchanges, say("exchanges say it")
            )
    for name, queue in whole.queues.items():
        _check_queue(name, queue, whole.exchanges)


def _check_queue(name: str, queue: Queue, exchanges: Mapping[str, Exchange]) -> None:
    if name.startswith("amq.") or len(name.encode()) > _MOST_NAME_BYTES:
        allowed = say("a name of at most 255 bytes that does not begin with 'amq.'")
        why = say("RabbitMQ keeps other names for itself")
        raise ValidationError(join_path(("queues", name)), name, allowed, why)
    for place, binding in enumerate(queue.bindings):
        path = ("queues", name, "bindings", str(place))
        _check_name(
            (*path, "exchange"), binding.exchange, exchanges, say("no such one")
        )
        if exchanges[binding.exchange].type == "direct" and "{" in binding.key:
            allowed = say(
                "bindings, said for a direct exchange whose routing keys vary"
            )
            where = join_path(("queues", name, "bindings"))
            raise ValidationError(where, (), allowed, say("it fits whole keys only"))


def _check_name(
    path: tuple[str, ...], name: str, allowed: Iterable[str], why: str
) -> None:
    names = list(allowed)
    if name not in names:
        reason = suggestion(name, names) or why
        raise ValidationError(join_path(path), name, one_of(names), reason)


def consumer_names(
    subscriber: str, system: RabbitMQ, events: Iterable[Event]
) -> list[str]:
    """Return all consumers of a subscriber in a run, such as `billing/1`.

    Those that are there when it comes are numbered from 1; then follow those that come,
    in the order of their times.
    """
    count = system.consumers.get(subscriber, Consumers()).count
    names = [str(number) for number in range(1, count + 1)]
    for _, name in added_consumers(subscriber, names, events):
        names.append(name)
    return [f"{subscriber}/{name}" for name in names]


def added_consumers(
    subscriber: str, there: Iterable[str], events: Iterable[Event]
) -> list[tuple[AddMember, str]]:
    """Return the events that add consumers to those there, each with its name."""
    target = f"subscriber:{subscriber}"
    names = list(there)
    added = [e for e in events if isinstance(e, AddMember) and e.target == target]
    found = []
    for event in sorted(added, key=lambda each: each.at_s):
        number = len(names) + 1
        while event.name is None and str(number) in names:
            number += 1
        name = str(number) if event.name is None else event.name
        found.append((event, name))
        names.append(name)
    return found


def rabbitmq_targets(
    event: Event, events: Iterable[Event], traffic: Traffic, system: RabbitMQ
) -> list[str]:
    """Return what an event may befall, or is at least not applicable to."""
    subscribers = [f"subscriber:{name}" for name in traffic.subscribers]
    sources = [f"source:{name}" for name in traffic.sources]
    nodes = [f"node:{number}" for number in range(1, system.nodes + 1)]
    every = list(events)
    members = [
        f"member:{name}"
        for subscriber in traffic.subscribers
        for name in consumer_names(subscriber, system, every)
    ]
    match event:
        case Crash() | Pause() | Slow():
            return [*subscribers, *members, *nodes, *sources, HUB]
        case RemoveMember():
            return members
        case AddPartitions() | DeleteRecords() | FillDisk():
            return []
        case _:
            return subscribers


def rabbitmq_hosts(traffic: Traffic, system: RabbitMQ) -> dict[str, list[str]]:
    """Return the hosts that each end of a link stands for."""
    hosts = {f"source:{name}": [f"source:{name}"] for name in traffic.sources}
    for name in traffic.subscribers:
        members = [f"member:{each}" for each in consumer_names(name, system, ())]
        hosts[f"subscriber:{name}"] = members
        hosts |= {member: [member] for member in members}
    nodes = [f"node:{number}" for number in range(1, system.nodes + 1)]
    hosts[HUB] = nodes
    return hosts | {node: [node] for node in nodes}
