"""One line of text that says what ran: under every figure, in every frame's `attrs`."""

import re
from collections.abc import Mapping
from typing import Any

from kafkasim.analysis.keeping import kept_of
from kafkasim.analysis.world import world_of
from kafkasim.result.result import Result
from kafkasim.units import NS_PER_S

_LISTED = 3


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
        *_sizes(world_of(result).partition_counts, "partition"),
        *_sizes(_members(scenario.system), "member"),
        *_sizes(_consumers(scenario.system), "consumer"),
        f"{count:,} {_plural('record', count)} in {plan.duration_ns / NS_PER_S:g} s",
        *(_event(event) for event in scenario.events),
        f"seed {scenario.seed}",
    ]
    return "; ".join(parts)


def _system(system: object) -> str:
    words = _words(system)
    for machines, noun in (("brokers", "broker"), ("nodes", "node")):
        count = getattr(system, machines, None)
        if isinstance(count, int):
            return f"{words}, {count} {_plural(noun, count)}"
    return words.capitalize()


def _members(system: object) -> dict[str, int]:
    groups: dict[str, Any] = getattr(system, "groups", {})
    said = {name: getattr(group, "members", 1) for name, group in groups.items()}
    return {n: each if isinstance(each, int) else len(each) for n, each in said.items()}


def _consumers(system: object) -> dict[str, int]:
    consumers: dict[str, Any] = getattr(system, "consumers", {})
    return {name: each.count for name, each in consumers.items()}


def _sizes(counts: Mapping[str, int], noun: str) -> list[str]:
    """Say how many each has; only the total when there are many to name."""
    if len(counts) > _LISTED:
        total = sum(counts.values())
        return [f"{total} {_plural(noun, total)}"]
    return [f"{name}: {count} {_plural(noun, count)}" for name, count in counts.items()]


def _event(event: object) -> str:
    target = getattr(event, "target", "")
    at_s = getattr(event, "at_s", 0.0)
    return f"{_words(event).lower()} of {target} at {at_s:g} s"


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


def _plural(noun: str, count: int) -> str:
    return noun if count == 1 else f"{noun}s"
