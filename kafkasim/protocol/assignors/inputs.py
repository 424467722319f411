"""What an assignor of the clients is given, as the leader of a group has it.

The leader has the subscriptions in a `HashMap` by member id, and the partitions of all
topics that somebody subscribes to in another (`AbstractPartitionAssignor.assign`); both
are walked through in Java's order.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from kafkasim.protocol.java_order import walk_names
from kafkasim.protocol.subscription import Subscription, TopicPartition

Assignment = dict[str, list[TopicPartition]]
"""What each member is to own, in the order of Kafka's list."""
Racks = Mapping[str, Sequence[Sequence[str | None]]]
"""By topic, for each partition: the racks of its replicas; None: of no rack."""


class AssignorError(RuntimeError):
    """Kafka's own class fails with these subscriptions, and so does the rebalance."""


@dataclass(frozen=True, slots=True)
class Group:
    """Subscriptions and topics, each in the order of the leader's map.

    Parameters
    ----------
    members : dict of member id to Subscription
        All members.
    partitions : dict of topic to int
        Topics that somebody subscribes to and that have partitions.
    instances : mapping of member id to str
        `group.instance.id` of the static members.
    racks : Racks or None
        Where the replicas are, if that is known.
    """

    members: dict[str, Subscription]
    partitions: dict[str, int]
    instances: Mapping[str, str]
    racks: Racks | None

    @property
    def alike(self) -> bool:
        """Whether all members name the same topics in the same order."""
        return len({one.topics for one in self.members.values()}) <= 1

    def in_turn(self) -> list[str]:
        """Return the members as assignors sort them (`MemberInfo.compareTo`).

        Those with an instance id come first, in the order of these; the rest by id.
        """
        instances = self.instances
        if not instances:
            return sorted(self.members)
        return sorted(
            self.members,
            key=lambda one: (one not in instances, instances.get(one, one)),
        )

    def readers(self, order: Collection[str]) -> dict[str, list[str]]:
        """Return who subscribes to each topic, in this order of the members."""
        readers: dict[str, list[str]] = {topic: [] for topic in self.partitions}
        if self.alike:
            all_of_them = list(order)
            return {topic: all_of_them for topic in readers}  # noqa: C420
        for member in order:
            for topic in self.members[member].topics:
                if topic in readers:
                    readers[topic].append(member)
        return readers


def group_of(
    members: Mapping[str, Subscription],
    topics: Mapping[str, int],
    instances: Mapping[str, str | None] | None = None,
    racks: Racks | None = None,
) -> Group:
    """Put members and topics in the order of the leader's maps.

    `members` come in the order in which the coordinator names them: two ids of one bin
    keep it.
    """
    walked = {member: members[member] for member in walk_names(members)}
    named: dict[str, None] = {}
    for wanted in dict.fromkeys(one.topics for one in walked.values()):
        named |= dict.fromkeys(wanted)
    known = [topic for topic in walk_names(named) if topics.get(topic, 0) > 0]
    return Group(
        members=walked,
        partitions={topic: topics[topic] for topic in walk_names(known)},
        instances={
            member: instance
            for member, instance in (instances or {}).items()
            if instance is not None
        },
        racks=racks,
    )
