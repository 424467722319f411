"""One line of text that says what ran: under every figure, in every frame's `attrs`."""

import re
from collections.abc import Mapping
from typing import Any, Final

from kafkasim.analysis.event_words import event_words
from kafkasim.analysis.keeping import kept_of
from kafkasim.analysis.world import world_of
from kafkasim.catalogue import mark, mark_many, say, say_many
from kafkasim.result.result import Result
from kafkasim.units import NS_PER_S

_LISTED = 3
_BROKERS: Final = mark_many("{n} broker", "{n} brokers")
_CONSUMERS: Final = mark_many("{n} consumer", "{n} consumers")
_MEMBERS: Final = mark_many("{n} member", "{n} members")
_NODES: Final = mark_many("{n} node", "{n} nodes")
_PARTITIONS: Final = mark_many("{n} partition", "{n} partitions")
_SYSTEMS: Final = {
    "Point to point": mark("Point to point"),
    "Relay": mark("Relay"),
}


def provenance(result: Result) -> str:
    """Return the scenario in one line.

    Returns
    -------
    str
        For a run that kept its records or counts of them: its name if it has one, the
        system and its size, the records and how long they were sent for, events, seed:
        ``Kafka, 1 broker; flights: 4 partitions; 336,776 records in 60 s; seed 7``.
    """
    scenario = result.scenario.resolve()
    plan: Any = result.plan
    count = kept_of(result).record_count
    parts = [
        *([scenario.name] if scenario.name else []),
        _system(scenario.system),
        *_sizes(world_of(result).partition_counts, _PARTITIONS),
        *_sizes(_members(scenario.system), _MEMBERS),
        *_sizes(_consumers(scenario.system), _CONSUMERS),
        say(
            "{records} in {seconds:g} s",
            records=say_many("{n} record", "{n} records", count, n=f"{count:,}"),
            seconds=plan.duration_ns / NS_PER_S,
        ),
        *(_event(event) for event in scenario.events),
        say("seed {seed}", seed=scenario.seed),
    ]
    return "; ".join(parts)


def _system(system: object) -> str:
    words = _words(system)
    for machines, texts in (("brokers", _BROKERS), ("nodes", _NODES)):
        count = getattr(system, machines, None)
        if isinstance(count, int):
            return f"{words}, {say_many(*texts, count)}"
    name = words.capitalize()
    return say(_SYSTEMS[name]) if name in _SYSTEMS else name


def _members(system: object) -> dict[str, int]:
    groups: dict[str, Any] = getattr(system, "groups", {})
    said = {name: getattr(group, "members", 1) for name, group in groups.items()}
    return {n: each if isinstance(each, int) else len(each) for n, each in said.items()}


def _consumers(system: object) -> dict[str, int]:
    consumers: dict[str, Any] = getattr(system, "consumers", {})
    return {name: each.count for name, each in consumers.items()}


def _sizes(counts: Mapping[str, int], noun: tuple[str, str]) -> list[str]:
    """Say how many each has; only the total when there are many to name."""
    if len(counts) > _LISTED:
        total = sum(counts.values())
        return [say_many(*noun, total)]
    return [f"{name}: {say_many(*noun, count)}" for name, count in counts.items()]


def _event(event: object) -> str:
    return say(
        "{event} of {target} at {at_s:g} s",
        event=event_words(type(event).__name__),
        target=getattr(event, "target", ""),
        at_s=getattr(event, "at_s", 0.0),
    )


def _words(thing: object) -> str:
    """Return the name of a thing's class in words.

    Examples
    --------
    >>> _words(ValueError())
    'Value Error'
    >>> _words(type("RabbitMQ", (), {})())
    'RabbitMQ'
    """
    return re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", type(thing).__name__)
