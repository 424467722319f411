"""Assignors against a loop that merely writes down the same assignment.

A thousand members of ids as Kafka makes them share 10,000 partitions of ten topics. The
loop puts each pair of topic and number into its owner's list, in a dict by member. Once
the group is new, once everybody has what it got then, save one member that has left.
With unequal subscriptions each member reads some of 20 topics, drawn at random, and
groups of a quarter, of half and of all the members and partitions are measured: the
time may grow with the square of the size, at most.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from uuid import UUID

import numpy as np

from benchmarks.bench import Figure, figure, medians
from kafkasim.protocol.assignors import CLIENT_ASSIGNORS, assign, assign_at_broker
from kafkasim.protocol.groups.group_messages import Assigned, Subscription

MEMBERS = 1_000
PARTITIONS = 10_000
TOPICS = 10
UNEQUAL_TOPICS = 20
OVER_A_LOOP = 10.0
QUADRATIC = 2.0

Group = dict[str, Subscription]
Answer = Callable[[Group, Mapping[str, int]], dict[str, Assigned]]


def assignors() -> dict[str, Answer]:
    """Return all assignors by name."""
    every: dict[str, Answer] = {one: partial(assign, one) for one in CLIENT_ASSIGNORS}
    for name in ("uniform", "range"):
        every[f"{name} of the broker"] = partial(assign_at_broker, name)
    return every


def ids(count: int, rng: np.random.Generator) -> list[str]:
    """Return member ids as Kafka makes them."""
    return [f"consumer-{number}-{UUID(bytes=rng.bytes(16))}" for number in range(count)]


def partitions(topics: int, total: int) -> dict[str, int]:
    """Return topics of equal size."""
    return {f"orders-{number}": total // topics for number in range(topics)}


def joined_again(had: dict[str, Assigned], members: Group) -> Group:
    """Return what all but the last member say in the next rebalance."""
    return {
        member: Subscription(members[member].topics, one, 1, None, (one, 1))
        for member, one in list(had.items())[:-1]
    }


def write_down(result: dict[str, Assigned]) -> Callable[[], object]:
    """Return the loop that merely writes an assignment down."""
    owner = {pair: member for member, pairs in result.items() for pair in pairs}
    turn = [owner[pair] for pair in sorted(chain.from_iterable(result.values()))]
    counts: dict[str, int] = {}
    for topic, _ in owner:
        counts[topic] = counts.get(topic, 0) + 1

    def loop() -> dict[str, list[tuple[str, int]]]:
        written: dict[str, list[tuple[str, int]]] = {member: [] for member in result}
        at = 0
        for topic in sorted(counts):
            for number in range(counts[topic]):
                written[turn[at]].append((topic, number))
                at += 1
        return written

    written = loop()
    assert {member: sorted(pairs) for member, pairs in result.items()} == written
    return loop


def figures_of_equal_subscriptions() -> Iterator[Figure]:
    topics = partitions(TOPICS, PARTITIONS)
    names = tuple(sorted(topics))
    fresh = {one: Subscription(names) for one in ids(MEMBERS, np.random.default_rng(1))}
    for name, answer in assignors().items():
        had = answer(fresh, topics)
        for text, group in (
            (f"{name}: a new group", fresh),
            (f"{name}: one of the members left", joined_again(had, fresh)),
        ):
            loop = write_down(answer(group, topics))
            took, looped = medians(partial(answer, group, topics), loop)
            yield figure(
                f"{text}, over the loop",
                took / looped,
                OVER_A_LOOP,
                milliseconds=took * 1e3,
                loop_milliseconds=looped * 1e3,
            )


def unequal(members: int, total: int) -> tuple[Group, dict[str, int]]:
    """Return members that read some of the topics each."""
    rng = np.random.default_rng(2)
    topics = partitions(UNEQUAL_TOPICS, total)
    names = sorted(topics)
    group = {}
    for one in ids(members, rng):
        some = rng.choice(names, int(rng.integers(1, len(names) + 1)), replace=False)
        group[one] = Subscription(tuple(sorted(map(str, some))))
    return group, topics


def figures_of_unequal_subscriptions() -> Iterator[Figure]:
    parts = (4, 2, 1)
    groups = [unequal(MEMBERS // part, PARTITIONS // part) for part in parts]
    for name, answer in assignors().items():
        took = medians(*(partial(answer, *group) for group in groups))
        milliseconds = {
            f"milliseconds_of_{MEMBERS // part:,}_members": seconds * 1e3
            for part, seconds in zip(parts, took, strict=True)
        }
        yield figure(
            f"{name}: growth with unequal subscriptions, as a power of the size",
            exponent([1 / part for part in parts], took),
            QUADRATIC,
            at_least=False,
            **milliseconds,
        )


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Return the slope of a line through sizes and times, both as logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])
