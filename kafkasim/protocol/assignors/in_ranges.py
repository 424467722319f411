"""The range assignor: runs of each topic's partitions (`RangeAssignor`; AS-1, AS-5).

Each topic is looked at by itself: n partitions over the m members that subscribe to it,
in their turn, each getting a run of n div m, the first n mod m one more. Partitions of
the same number in topics of the same size land on the same member.

With racks that count, a first pass gives each member those partitions, up to its share,
that have a replica in its rack; topics of the same size and the same readers are
matched number by number, together. What is left is dealt in runs as ever, so that
shares stay as they were.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby

from kafkasim.protocol.assignors.inputs import Assignment, Group, group_of
from kafkasim.protocol.assignors.racks import racks_count, racks_of
from kafkasim.protocol.subscription import Subscription


class _Topic:
    """One topic while it is dealt out (`RangeAssignor.TopicAssignmentState`)."""

    __slots__ = (
        "by_rack",
        "each",
        "free",
        "given",
        "more",
        "name",
        "racks",
        "racks_of_members",
        "readers",
    )

    def __init__(self, group: Group, name: str, readers: list[str]) -> None:
        count = group.partitions[name]
        self.name = name
        self.readers = readers
        self.free = list(range(count))
        self.given: dict[str, int] = {}
        self.each, self.more = divmod(count, len(readers))
        self.racks: list[frozenset[str]] = []
        """Of each partition; empty if no reader has a rack."""
        self.racks_of_members: dict[str, str] = {}
        self.by_rack = False
        if group.racks is None:
            return
        for member in readers:
            rack = group.members[member].rack
            if rack:
                self.racks_of_members[member] = rack
        if self.racks_of_members:
            self.racks = racks_of(group, name)
            of_partition = {(name, at): one for at, one in enumerate(self.racks)}
            self.by_rack = racks_count(self.racks_of_members.values(), of_partition)

    def near(self, member: str, number: int) -> bool:
        """Return whether a member has no rack, or a replica in it."""
        rack = self.racks_of_members.get(member)
        return rack is None or rack in self.racks[number]

    def room(self, member: str) -> int:
        """Return how many partitions a member may still get."""
        return max(0, self.each + (self.more > 0) - self.given.get(member, 0))

    def give(self, member: str, numbers: list[int], assignment: Assignment) -> None:
        """Note what a member gets."""
        name = self.name
        assignment[member] += [(name, number) for number in numbers]
        total = self.given.get(member, 0) + len(numbers)
        self.given[member] = total
        self.more -= total > self.each

    def deal_near(self, assignment: Assignment) -> None:
        """Give each reader what is near to it, up to its share."""
        for member in self.readers:
            room = self.room(member)
            numbers = [one for one in self.free if self.near(member, one)][:room]
            if numbers:
                self.give(member, numbers, assignment)
                taken = set(numbers)
                self.free = [one for one in self.free if one not in taken]

    def deal_runs(self, assignment: Assignment) -> None:
        """Give each reader the next run of what is free, up to its share."""
        start, free = 0, self.free
        if not self.given:
            everything = [(self.name, number) for number in free]
            for place, member in enumerate(self.readers[: len(free)]):
                end = start + self.each + (place < self.more)
                assignment[member] += everything[start:end]
                start = end
            return
        for member in self.readers:
            end = start + self.room(member)
            if end > start:
                self.give(member, free[start:end], assignment)
            start = end


def _deal_together(topics: list[_Topic], assignment: Assignment) -> None:
    """Give partitions of one number in topics of one size to a member near to all."""
    remaining = list(topics[0].readers)

    def fits(member: str, number: int) -> bool:
        return all(one.near(member, number) and one.room(member) for one in topics)

    for number in range(len(topics[0].racks)):
        member = next((one for one in remaining if fits(one, number)), None)
        if member is None:
            continue
        for topic in topics:
            topic.give(member, [number], assignment)
            topic.free.remove(number)
        if not any(topic.room(member) for topic in topics):
            remaining.remove(member)


def _grouped(
    topics: list[_Topic], key: Callable[[_Topic], tuple[tuple[str, ...], int]]
) -> list[list[_Topic]]:
    return [list(some) for _, some in groupby(sorted(topics, key=key), key=key)]


def assign_ranges(group: Group) -> Assignment:
    """Return what each member gets; topics in the order of the leader's map.

    With racks that count, the lists are sorted.
    """
    assignment: Assignment = {member: [] for member in group.members}
    readers = group.readers(group.in_turn())
    topics = [_Topic(group, topic, readers[topic]) for topic in group.partitions]
    by_rack = any(topic.by_rack for topic in topics)
    if by_rack:
        for some in _grouped(topics, lambda one: (tuple(one.readers), len(one.racks))):
            if len(some) > 1:
                _deal_together(some, assignment)
            elif some[0].by_rack:
                some[0].deal_near(assignment)
    for topic in topics:
        topic.deal_runs(assignment)
    if by_rack:
        for partitions in assignment.values():
            partitions.sort()
    return assignment


def assign_range(
    subscriptions: Mapping[str, Sequence[str]],
    partitions: Mapping[str, int],
    instances: Mapping[str, str] | None = None,
) -> Assignment:
    """Assign ranges to members that have said nothing but what they read.

    Parameters
    ----------
    subscriptions : mapping of member id to topics
        Who reads what.
    partitions : mapping of topic to count
        Partitions of each topic; a topic that is missing or has none is skipped.
    instances : mapping of member id to str, optional
        `group.instance.id` of static members.

    Returns
    -------
    dict of member id to list of (topic, partition)
        Every member, in the order of `subscriptions`; each list sorted.

    Examples
    --------
    >>> assign_range({"a": ["t"], "b": ["t"]}, {"t": 3})
    {'a': [('t', 0), ('t', 1)], 'b': [('t', 2)]}
    """
    members = {
        member: Subscription(tuple(sorted(set(topics))))
        for member, topics in subscriptions.items()
    }
    assignment = assign_ranges(group_of(members, partitions, instances))
    return {member: sorted(assignment[member]) for member in subscriptions}
