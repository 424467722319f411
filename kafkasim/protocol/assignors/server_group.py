"""What an assignor of the broker is given, and the maps it keeps (KIP-848).

The target of a member is a `HashMap` of topic ids to `HashSet`s of numbers. Before an
assignor sees it again it has been written as a record and read
(`Assignment.fromRecord`), so its order is that of maps made anew from the record's
lists.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from kafkasim.protocol.java_order import (
    JavaSet,
    copied_size,
    id_hash,
    number_hash,
    table_size,
    text_hash,
    undisturbed,
    walk_names,
)
from kafkasim.protocol.subscription import Assigned, Subscription
from kafkasim.protocol.topic_ids import id_bytes, made_id

Target = dict[str, Assigned]
"""What each member is to own; topics and numbers in the order of Java's maps."""


@lru_cache(maxsize=1 << 16)
def topic_id(name: str) -> int:
    """Return an id for a topic that has none, 128 bits: what it has in a run."""
    return int.from_bytes(id_bytes(made_id(name)))


@dataclass(frozen=True, slots=True)
class ServerGroup:
    """Members and topics as the coordinator has them.

    Parameters
    ----------
    members : dict of member id to Subscription
        In the order of its map; `owned` is the target until now.
    partitions : mapping of topic to int
        Partitions of each topic that exists.
    instances : mapping of member id to str
        `group.instance.id` of the static members.
    ids : mapping of topic to int
        Ids of the topics, 128 bits.
    """

    members: dict[str, Subscription]
    partitions: Mapping[str, int]
    instances: Mapping[str, str]
    ids: Mapping[str, int]

    @property
    def alike(self) -> bool:
        """Whether all subscribe to the same topics, there or not."""
        named = {one.topics for one in self.members.values()}
        return len(named) <= 1 or len(set(map(frozenset, named))) <= 1

    def subscribed(self, member: str) -> list[str]:
        """Return the topics of a member that exist, in the order of its set."""
        names = dict.fromkeys(self.members[member].topics)
        walked = JavaSet(text_hash, copied_size(len(names)), names).walk()
        return [name for name in walked if name in self.partitions]


def server_group_of(
    members: Mapping[str, Subscription],
    topics: Mapping[str, int],
    instances: Mapping[str, str | None] | None = None,
    topic_ids: Mapping[str, int] | None = None,
) -> ServerGroup:
    """Put members in the order of the coordinator's map.

    `members` come in the order in which they are put in.
    """
    known = topic_ids or {}
    named = {topic for one in members.values() for topic, _ in one.owned}
    return ServerGroup(
        members={member: members[member] for member in walk_names(members)},
        partitions=topics,
        instances={
            member: instance
            for member, instance in (instances or {}).items()
            if instance is not None
        },
        ids={name: known.get(name, topic_id(name)) for name in {*topics, *named}},
    )


class Owned:
    """What one member is to own, in maps like Java's.

    A set that was filled in one go is its table's size and the numbers.

    Parameters
    ----------
    ids : mapping of topic to int
        Ids of the topics.
    capacity : int, optional
        Size of the map's table.
    """

    __slots__ = ("_capacity", "_ids", "_order", "_sets", "_source")

    def __init__(self, ids: Mapping[str, int], capacity: int = 16) -> None:
        self._ids = ids
        self._capacity = capacity
        self._order: JavaSet[str] | None = None
        self._sets: dict[str, tuple[int, list[int]] | JavaSet[int]] = {}
        self._source: Assigned | None = None
        """What it was read from, while nothing has changed."""

    @classmethod
    def read(cls, ids: Mapping[str, int], assigned: Assigned) -> "Owned":
        """Return the maps that a record is read into."""
        owned = cls(ids)
        lists: dict[str, list[int]] = {}
        for topic, number in assigned:
            lists.setdefault(topic, []).append(number)
        for topic, numbers in lists.items():
            owned._sets[topic] = copied_size(len(numbers)), numbers
        owned._source = assigned
        return owned

    def copy(self) -> "Owned":
        """Return a copy of all maps (`AssignorHelpers.deepCopyAssignment`)."""
        copied = Owned(self._ids, table_size(len(self._sets)))
        for topic in self.topics():
            numbers = self.numbers(topic)
            copied._sets[topic] = copied_size(len(numbers)), numbers
        return copied

    def topics(self) -> list[str]:
        """Return the topics in the order of a walk."""
        return self._map().walk() if len(self._sets) > 1 else list(self._sets)

    def numbers(self, topic: str) -> list[int]:
        """Return a topic's numbers in the order of a walk."""
        filled = self._sets[topic]
        if isinstance(filled, tuple):
            capacity, numbers = filled
            if undisturbed(numbers, capacity):
                return sorted(numbers, key=(capacity - 1).__and__)
        return self._set(topic).walk()

    def count(self, topic: str) -> int:
        """Return how many partitions of a topic there are."""
        filled = self._sets[topic]
        return len(filled[1] if isinstance(filled, tuple) else filled)

    def add(self, topic: str, numbers: list[int], capacity: int = 16) -> None:
        """Put numbers in; a set that is not there yet gets a table of `capacity`.

        Each is put in by a `computeIfAbsent` of its topic.
        """
        self._source = None
        order = self._map()
        for _ in numbers[:2]:  # the second may double the table, a third does nothing
            order.add_first(topic)
        filled = self._sets.get(topic, (capacity, []))
        if isinstance(filled, tuple):
            capacity, there = filled
            if undisturbed([*there, *numbers], capacity):
                self._sets[topic] = capacity, [*there, *numbers]
                return
            self._sets[topic] = filled
        self._set(topic).add_all(numbers)

    def remove(self, topic: str, number: int) -> None:
        """Take a partition out, and its topic if it was the last."""
        self._source = None
        numbers = self._set(topic)
        numbers.remove(number)
        if not len(numbers):
            self.drop(topic)

    def drop(self, topic: str) -> None:
        """Take a topic out."""
        self._source = None
        self._map().remove(topic)
        del self._sets[topic]

    def assigned(self) -> Assigned:
        """Return all in the order of a walk."""
        return tuple(
            [
                (topic, number)
                for topic in self.topics()
                for number in self.numbers(topic)
            ]
        )

    def _set(self, topic: str) -> JavaSet[int]:
        filled = self._sets[topic]
        if isinstance(filled, tuple):
            capacity, numbers = filled
            filled = self._sets[topic] = JavaSet(number_hash, capacity, numbers)
        return filled

    def _map(self) -> JavaSet[str]:
        if self._order is None:
            self._order = JavaSet(self._hash_of, self._capacity, self._sets)
        return self._order

    def _hash_of(self, topic: str) -> int:
        return id_hash(self._ids[topic])
