"""Links: the ways between hosts, as events name them.

A link is `link:A->B`, the way from A to B, or `link:A<->B`, both ways. An end is a host
by its kind and name, `source:web`, `broker:2`, `member:billing/1`, `controller`, or
`subscriber:billing`, which stands for the hosts of all its members; so does a source
for those of its instances (`source:web/2`). A source or a subscriber may be named
alone, as in `link:web->broker:2`; if there are both of that name, it is the source. The
`hub` is a relay's; in a Kafka cluster it stands for all brokers.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from kafkasim.catalogue import say
from kafkasim.config.paths import suggestion
from kafkasim.errors import ValidationError
from kafkasim.ids import HUB, Target, instance_name
from kafkasim.scenario.groups import members_of
from kafkasim.scenario.own_systems import OwnSystem
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.rabbitmq import RabbitMQ
from kafkasim.scenario.rabbitmq_parts import rabbitmq_hosts
from kafkasim.scenario.systems import Group, Kafka, System
from kafkasim.scenario.traffic import Traffic

CONTROLLER: Final = "controller"
UNTOLD: Final = ""
"""In place of an end that is no source, no subscriber and no hub."""
_CLIENT_AND_SERVER: Final = {
    ("source", "broker"),
    ("member", "broker"),
    ("broker", CONTROLLER),
}
_CARRY_MESSAGES: Final = {("source", "node"), ("node", "member")}
"""Of RabbitMQ: messages are the requests, confirms and acknowledgements answer."""
_TO_A_HUB: Final = {("source", HUB), (HUB, "subscriber")}
_BOTH: Final = "<->"
_ONE: Final = "->"


class Way(NamedTuple):
    """One way from a host to another."""

    sender: str
    """Such as `source:web`."""
    receiver: str
    """Such as `broker:2`."""
    messages: tuple[str, ...]
    """What goes that way: requests, responses, or both."""


def is_link(target: str) -> bool:
    """Say whether a target is a link."""
    return target.startswith("link:")


def touches_controller(target: str) -> bool:
    """Say whether a target is a link with the controller at one end."""
    return is_link(target) and CONTROLLER in _ends(target.partition(":")[2])


def ways_of(target: str, traffic: Traffic, system: System, path: str) -> list[Way]:
    """Return the ways that a link stands for.

    Parameters
    ----------
    target : str
        Such as `link:web->broker:2`.
    traffic, system
        Whose hosts it names; the system may be as it was said.
    path : str
        Where the target stands, for an error.

    Raises
    ------
    ValidationError
        It is no link, names no host, or two that do not talk to each other.
    """
    name = Target.parse(target, path=path).name
    ends = _ends(name)
    if len(ends) != 2:
        raise ValidationError(path, target, say("link:A->B or link:A<->B"))
    hosts = _hosts(traffic, system)
    senders, receivers = (_named(end, hosts, target, path) for end in ends)
    ways = list(_ways(senders, receivers, traffic, system))
    if _BOTH in name:
        ways += _ways(receivers, senders, traffic, system)
    if not ways:
        raise ValidationError(
            path, target, _talking(system), say("these two never talk")
        )
    return ways


def told_ends(target: str, traffic: Traffic) -> list[str]:
    """Return the ends of a link, in full, that mean something in every system.

    Those are sources, subscribers and the hub; `UNTOLD` stands for any other.
    """
    every = {HUB: HUB}
    for kind, names in (
        ("subscriber", traffic.subscribers),
        ("source", traffic.sources),
    ):
        every |= {name: f"{kind}:{name}" for name in names}
        every |= {f"{kind}:{name}": f"{kind}:{name}" for name in names}
    ends = _ends(target.partition(":")[2])
    return [every.get(end, UNTOLD) for end in ends]


def talk(target: str, traffic: Traffic, system: System) -> bool:
    """Say whether the hosts at the ends of a link ever talk in a system.

    Parameters
    ----------
    target : str
        Its ends mean something in every system (`told_ends`).
    traffic, system
        Whose hosts it names.
    """
    hosts = _hosts(traffic, system)
    ends = told_ends(target, traffic)
    if len(ends) != 2:
        return False
    senders, receivers = (hosts.get(end, []) for end in ends)
    return any(True for _ in _ways(senders, receivers, traffic, system))


def _ends(name: str) -> list[str]:
    return name.split(_BOTH if _BOTH in name else _ONE)


def _hosts(traffic: Traffic, system: System) -> dict[str, list[str]]:
    """Return the hosts that each end stands for."""
    if isinstance(system, RabbitMQ):
        return rabbitmq_hosts(traffic, system)
    hosts = {f"source:{name}": [f"source:{name}"] for name in traffic.sources}
    if not isinstance(system, Kafka):
        names = [f"subscriber:{name}" for name in traffic.subscribers]
        names += [] if isinstance(system, PointToPoint) else [HUB]
        return hosts | {name: [name] for name in names}
    for name, producer in system.producers.items():
        count = producer.instances
        clients = [f"source:{instance_name(name, k + 1, count)}" for k in range(count)]
        hosts[f"source:{name}"] = clients
        hosts |= {client: [client] for client in clients}
    for name in traffic.subscribers:
        group = system.groups.get(name, Group())
        members = [f"member:{each}" for each in members_of(name, group, ())]
        hosts[f"subscriber:{name}"] = members
        hosts |= {member: [member] for member in members}
    brokers = [f"broker:{number}" for number in range(1, system.brokers + 1)]
    hosts |= {each: [each] for each in [*brokers, CONTROLLER]}
    return hosts | {HUB: brokers}


def _named(end: str, hosts: dict[str, list[str]], target: str, path: str) -> list[str]:
    for name in (end, f"source:{end}", f"subscriber:{end}"):
        if name in hosts:
            return hosts[name]
    near = suggestion(end, hosts)
    why = say("there is no host {end!r}", end=end) + (f"; {near}" if near else "")
    raise ValidationError(
        path, target, say("ends {hosts}", hosts=", ".join(hosts)), why
    )


def _ways(
    senders: list[str], receivers: list[str], traffic: Traffic, system: System
) -> Iterator[Way]:
    for sender in senders:
        for receiver in receivers:
            messages = _messages(sender, receiver, traffic, system)
            if messages:
                yield Way(sender, receiver, messages)


def _messages(
    sender: str, receiver: str, traffic: Traffic, system: System
) -> tuple[str, ...]:
    """Return what one host sends to another: nothing if they never talk."""
    kinds = sender.partition(":")[0], receiver.partition(":")[0]
    if kinds in {("broker", "broker"), ("node", "node")}:
        return () if sender == receiver else ("requests", "responses")
    if isinstance(system, PointToPoint):
        asks = _wants(sender, receiver, traffic)
        answers = _wants(receiver, sender, traffic)
    else:
        pairs = _pairs(system)
        asks, answers = kinds in pairs, kinds[::-1] in pairs
    if isinstance(system, OwnSystem):
        asks = asks or _wants(sender, receiver, traffic)
        answers = answers or _wants(receiver, sender, traffic)
    return ("requests",) * asks + ("responses",) * answers


def _pairs(system: System) -> set[tuple[str, str]]:
    """Return the kinds of hosts of which one asks and the other answers."""
    if isinstance(system, RabbitMQ):
        return _CARRY_MESSAGES
    return _CLIENT_AND_SERVER if isinstance(system, Kafka) else _TO_A_HUB


def _wants(one: str, other: str, traffic: Traffic) -> bool:
    """Return whether they are a source and a subscriber that wants its stream."""
    kind, _, name = one.partition(":")
    source = traffic.sources.get(name) if kind == "source" else None
    kind, _, name = other.partition(":")
    subscriber = traffic.subscribers.get(name) if kind == "subscriber" else None
    if source is None or subscriber is None:
        return False
    return source.stream in subscriber.streams


def _talking(system: System) -> str:
    if isinstance(system, Kafka):
        return say("a client and a broker, two brokers, or a broker and the controller")
    if isinstance(system, RabbitMQ):
        return say("a source and a node, a node and a member, or two nodes")
    if not isinstance(system, PointToPoint):
        return say("a source and the hub, or the hub and a subscriber")
    return say("a source and a subscriber that wants its stream")
