"""What analysis asks of a scenario: who wanted what, from when, over what.

A result holds its scenario as a document; this is the one place that reads it, so that
the rest of analysis deals in names, numbers and arrays.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from kafkasim.result.result import Result
from kafkasim.units import ns_from_s

if TYPE_CHECKING:
    from kafkasim.scenario.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Want:
    """What one subscriber wants."""

    subscriber: str
    """Its name."""
    streams: tuple[str, ...]
    """Streams it reads."""
    from_ns: int
    """When it comes."""
    history: Literal["new", "all"]
    """`all`: also what was intended before it came."""


def resolved(result: Result) -> "Scenario":
    """Return the scenario that ran, with everything filled in."""
    return result.scenario.resolve()


def wants(result: Result) -> tuple[Want, ...]:
    """Return what each subscriber wants, in the scenario's order."""
    return tuple(
        Want(
            name,
            tuple(subscriber.streams),
            ns_from_s(subscriber.from_s),
            subscriber.wants,
        )
        for name, subscriber in resolved(result).traffic.subscribers.items()
    )


def warmup_ns(result: Result) -> int:
    """Return the time before which records are not measured."""
    return ns_from_s(resolved(result).traffic.warmup_s)


def partition_counts(result: Result) -> dict[str, int]:
    """Return the number of partitions of each topic; empty for a system without them.

    A topic's empty partitions count too, so the number comes from the scenario; a topic
    or queue that the scenario does not name has as many as its records show.
    """
    topics: Mapping[str, object] = getattr(resolved(result).system, "topics", {})
    counts = {
        name: int(getattr(topic, "partitions", 1)) for name, topic in topics.items()
    }
    records = result.columns("records")
    for code, topic in enumerate(records.labels["topic"]):
        inside = records["topic"] == code
        seen = int(records["partition"][inside].max(initial=-1)) + 1
        counts[topic] = max(seen, counts.get(topic, 0))
    return counts
