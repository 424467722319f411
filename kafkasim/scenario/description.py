"""A scenario in words: what is there, what was filled in, what is not modelled yet."""

from collections.abc import Iterator, Mapping
from typing import Final

from kafkasim.config.document import Document, rules_of, said_names, set_names
from kafkasim.config.frozen import UNSET
from kafkasim.config.settings import Settings
from kafkasim.scenario.draft import Draft
from kafkasim.scenario.groups import is_coordinated
from kafkasim.scenario.hardware import Hardware
from kafkasim.scenario.keys import NoKeys, TraceColumn
from kafkasim.scenario.own_systems import OwnSystem
from kafkasim.scenario.pipelines import PointToPoint, Relay
from kafkasim.scenario.rabbitmq import RabbitMQ
from kafkasim.scenario.rabbitmq_words import rabbitmq_in_words
from kafkasim.scenario.systems import Kafka
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

FILLED: Final = "  (filled in)"
_COUNTS: Final = {"partitions", "replication_factor", "members"}
"""What is said of a part also when it is as usual."""

_NOT_MODELLED: Final[Mapping[type, tuple[str, ...]]] = {
    Kafka: (
        "transactions; groups that divide records (share groups), and Kafka Streams",
        "what compression costs, and logs= writes nothing compressed",
        "logs that take time to load; disks, unless the hardware has some",
        "timeouts of producers while no topic has two copies and no broker fails",
    ),
    PointToPoint: ("what a source's own processors take for a request",),
    Relay: (
        "what a source's own processors take for a request",
        "hubs of several machines, and what a hub writes to a disk",
    ),
    RabbitMQ: (
        "streams, dead letters, expiry, limits on length, and priorities of messages",
        "heartbeats of connections, memory and disk alarms, and transactions",
        "what routing costs: a queue's process alone takes time",
    ),
}

_NO_COORDINATORS: Final = (
    "in this run joining and rebalances: no group starts cold, and no event is at a "
    "member or a coordinator (unless a member polls too late)"
)


def describe(said: Draft) -> str:
    """Return a scenario in words.

    Parameters
    ----------
    said : Draft
        As it was said, not resolved.
    """
    resolved = said.resolve()
    lines = [*_head(said), "", *_traffic(said.traffic, resolved.traffic), ""]
    lines += _system(said.system, resolved.system)
    lines += ["", "Events" if said.events else "Events: none"]
    lines += [f"  {event!r}" for event in said.events]
    lines += [] if isinstance(said.system, OwnSystem) else ["", "Not modelled yet"]
    lines += [f"  {each}" for each in _NOT_MODELLED.get(type(said.system), ())]
    system = resolved.system
    if isinstance(system, Kafka) and not is_coordinated(system, resolved.events):
        lines.append(f"  {_NO_COORDINATORS}")
    return "\n".join(lines)


def _head(said: Draft) -> Iterator[str]:
    yield f"Scenario {said.name!r}" if said.name else "Scenario"
    if said.end == "cut":
        end = "stops when the traffic's duration is over"
    else:
        end = (
            "ends when every wanted record is settled, or after "
            f"{said.drain_limit_s:g} s without progress"
        )
    yield f"  seed {said.seed}; {end}"


def _traffic(said: Traffic, resolved: Traffic) -> Iterator[str]:
    filled = FILLED if said.duration_s is UNSET else ""
    warmup = f", warm-up {said.warmup_s:g} s" if said.warmup_s else ""
    yield f"Traffic: {resolved.duration_s:g} s from {said.start_time}{warmup}{filled}"
    for name, source in said.sources.items():
        yield f"  source {name} → stream {source.stream}: {_source(source)}"
    for name, subscriber in said.subscribers.items():
        yield f"  subscriber {name} ← {_subscriber(subscriber)}"


def _source(source: Source) -> str:
    keys = (
        "no keys" if isinstance(source.keys, NoKeys) else f"keys {_keys(source.keys)}"
    )
    entity = "the key" if source.entity is None else _keys(source.entity)
    tombstones = f", {source.tombstones:.1%} null" if source.tombstones else ""
    return (
        f"{source.arrivals!r}, {keys}, entity {entity}, "
        f"value {_keys(source.value_bytes)} bytes{tombstones}"
    )


def _keys(value: object) -> str:
    return f"column {value.column}" if isinstance(value, TraceColumn) else repr(value)


def _subscriber(subscriber: Subscriber) -> str:
    late = f", comes at {subscriber.from_s:g} s" if subscriber.from_s else ""
    wants = "everything" if subscriber.wants == "all" else "what is new"
    streams = ", ".join(subscriber.streams)
    return f"{streams}: work {subscriber.work_ms!r} ms{late}, wants {wants}"


def _system(said: Document, resolved: Document) -> Iterator[str]:
    if isinstance(said, Kafka) and isinstance(resolved, Kafka):
        yield f"System: Kafka {said.kafka_version}"
        brokers = "broker" if said.brokers == 1 else "brokers"
        settings = _settings(said.broker_config, resolved.broker_config)
        yield f"  {said.brokers} {brokers}: {settings}"
        for part in ("topics", "producers", "groups"):
            yield from _parts(part[:-1], getattr(said, part), getattr(resolved, part))
        yield from _hardware(resolved.hardware)
    elif isinstance(said, RabbitMQ) and isinstance(resolved, RabbitMQ):
        yield from rabbitmq_in_words(said, resolved)
        yield from _hardware(resolved.hardware)
    elif isinstance(resolved, PointToPoint):
        if resolved.mode == "synchronous":
            yield "System: point to point, one synchronous connection per pair"
        else:
            yield f"System: point to point: {_part(resolved, said)}"
        yield from _hardware(resolved.hardware)
    elif isinstance(resolved, Relay):
        yield f"System: a relay: {_part(resolved, said) or 'with the usual settings'}"
        yield from _hardware(resolved.hardware)
    elif isinstance(resolved, OwnSystem):
        yield from resolved.in_words()


def _parts(
    what: str, said: Mapping[str, Document], resolved: Mapping[str, Document]
) -> Iterator[str]:
    for name, part in resolved.items():
        filled = "" if name in said else FILLED
        yield f"  {what} {name}: {_part(part, said.get(name))}{filled}"


def _part(resolved: Document, said: Document | None) -> str:
    phrases: list[str] = []
    defaults = type(resolved)()
    for name in rules_of(type(resolved)):
        value = getattr(resolved, name)
        if isinstance(value, Settings):
            phrases.append(_settings(getattr(said, name, None), value))
        elif name in _COUNTS or value != getattr(defaults, name):
            phrases.append(f"{name} {value}")
    return ", ".join(phrases)


def _settings(said: Settings | None, resolved: Settings) -> str:
    """Return the settings that were said, or that follow from those."""
    names = [] if said is None else set_names(said)
    defaults = type(resolved)().resolve()
    phrases: list[str] = []
    for name in said_names(resolved):
        value = getattr(resolved, name)
        if name in names:
            phrases.append(f"{name} {value}")
        elif value != getattr(defaults, name):
            phrases.append(f"{name} {value} (follows from the others)")
    return ", ".join(phrases) or "Kafka's default settings"


def _hardware(hardware: Hardware) -> Iterator[str]:
    link, cpu = hardware.link, hardware.cpu
    yield (
        f"  network: {link.delay_ms!r} ms one way, "
        f"{link.bandwidth_mb_per_s:g} MB/s per host"
    )
    yield f"  processors: {cpu.request_ms!r} ms a request and {cpu.mb_ms:g} ms a MB"
    if (disk := hardware.disk) is not None:
        yield (
            f"  disks: {disk.bandwidth_mb_per_s:g} MB/s, {disk.access_ms!r} ms to find "
            f"a place, {disk.page_cache_mb:g} MB of page cache"
        )
