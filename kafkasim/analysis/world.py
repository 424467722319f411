"""What analysis asks of a scenario: who wanted what, from when, over what.

A result holds its scenario as a document; this is the one place that reads it, so that
the rest of analysis deals in names, numbers and arrays.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from kafkasim.analysis.keeping import kept_of
from kafkasim.result.result import Result
from kafkasim.result.schema_groups import OFFSETS_TOPIC
from kafkasim.result.wants import Want, wants_of
from kafkasim.units import ns_from_s


@dataclass(frozen=True, slots=True)
class World:
    """A resolved scenario, as far as analysis needs it."""

    wants: tuple[Want, ...]
    """What each subscriber wants, in the scenario's order."""
    warmup_ns: int
    """Time before which records are not measured."""
    partition_counts: Mapping[str, int]
    """Partitions of each topic; empty for a system without them."""
    ignoring_keys: frozenset[str]
    """Sources whose keys choose no partition (`partitioner.ignore.keys`)."""


def world_of(result: Result) -> World:
    """Read a result's scenario once: resolving it takes milliseconds."""
    scenario = result.scenario.resolve()
    topics = getattr(scenario.system, "topics", {})
    producers = getattr(scenario.system, "producers", {})
    return World(
        wants_of(scenario),
        ns_from_s(scenario.traffic.warmup_s),
        _partition_counts(topics, kept_of(result).partitions_seen()),
        frozenset(
            name
            for name, producer in producers.items()
            if producer.config.partitioner_ignore_keys
        ),
    )


def _partition_counts(
    topics: Mapping[str, object], seen: Mapping[str, int]
) -> dict[str, int]:
    """Return partitions by topic.

    A topic's empty partitions count too, so the number comes from the scenario; a topic
    or queue that the scenario does not name has as many as its records show. That of
    committed offsets is no topic of a scenario: producers write nothing there.
    """
    counts = {
        name: int(getattr(topic, "partitions", 1)) for name, topic in topics.items()
    }
    for topic, count in seen.items():
        if topic == OFFSETS_TOPIC:
            continue
        counts[topic] = max(count, counts.get(topic, 0))
    return counts
