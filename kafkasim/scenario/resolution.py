"""Filling in what was not said.

A scenario keeps what was said. Resolved, it has a duration, a topic for every stream, a
producer for every source, a group for every subscriber, and the effective value of
every setting. Filling in a filled scenario changes nothing.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from kafkasim.config.frozen import UNSET, FrozenDict
from kafkasim.scenario.commit_mode import AUTO
from kafkasim.scenario.rabbitmq import RabbitMQ
from kafkasim.scenario.rabbitmq_parts import filled
from kafkasim.scenario.systems import Group, Kafka, Producer, System, Topic
from kafkasim.scenario.trace import Trace
from kafkasim.scenario.traffic import Subscriber, Traffic
from kafkasim.units import NS_PER_S, ns_from_s

PartT = TypeVar("PartT")


def resolved_traffic(traffic: Traffic) -> Traffic:
    """Return the traffic with its duration; what has none keeps none."""
    traces = [source.arrivals for source in traffic.sources.values()]
    longest_ns = max(
        (each.duration_ns for each in traces if isinstance(each, Trace)), default=0
    )
    if traffic.duration_s is not UNSET or not needs_no_duration(traffic):
        return traffic
    return replace(traffic, duration_s=_seconds(longest_ns))


def needs_no_duration(traffic: Traffic) -> bool:
    """Return whether every source is a trace, which has a length of its own."""
    sources = traffic.sources.values()
    return all(isinstance(source.arrivals, Trace) for source in sources)


def _seconds(duration_ns: int) -> float:
    """Return the least float whose nanoseconds are not below `duration_ns`."""
    seconds = duration_ns / NS_PER_S
    while ns_from_s(seconds) < duration_ns:
        seconds = math.nextafter(seconds, math.inf)
    return seconds


def resolved_system(system: System, traffic: Traffic) -> System:
    """Return the system with a part for everything in the traffic."""
    if isinstance(system, RabbitMQ):
        return filled(system, traffic)
    if not isinstance(system, Kafka):
        return system
    topics = _filled(system.topics, stream_names(traffic), Topic())
    producers = _filled(system.producers, traffic.sources, Producer())
    groups = _filled(system.groups, traffic.subscribers, Group())
    return replace(
        system,
        topics={
            name: replace(each, config=each.config.resolve())
            for name, each in topics.items()
        },
        producers={
            name: replace(each, config=each.config.resolve())
            for name, each in producers.items()
        },
        groups={
            name: _resolved_group(each, traffic.subscribers[name])
            if name in traffic.subscribers
            else replace(each, config=each.config.resolve())
            for name, each in groups.items()
        },
        broker_config=system.broker_config.resolve(),
    )


def _resolved_group(group: Group, subscriber: Subscriber) -> Group:
    """Return the group of a subscriber with every setting.

    Who wants all has `auto.offset.reset=earliest`, unless that was said; an application
    that commits by itself has `enable.auto.commit=false`.
    """
    config = group.config
    if config.auto_offset_reset is UNSET:
        reset = "earliest" if subscriber.wants == "all" else "latest"
        config = replace(config, auto_offset_reset=reset)
    if group.commit != AUTO:
        config = replace(config, enable_auto_commit=False)
    return replace(group, config=config.resolve())


def stream_names(traffic: Traffic) -> tuple[str, ...]:
    """Return the names of the streams, in the order of their first source."""
    return tuple(dict.fromkeys(each.stream for each in traffic.sources.values()))


def _filled(
    said: Mapping[str, PartT], names: Iterable[str], blank: PartT
) -> Mapping[str, PartT]:
    missing = {name: blank for name in names if name not in said}
    return FrozenDict({**said, **missing})
