"""When racks count, and which ones match (KIP-881, rule AS-5)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from kafkasim.protocol.assignors.inputs import Group
from kafkasim.protocol.subscription import TopicPartition

PartitionRacks = dict[TopicPartition, frozenset[str]]


def racks_of(group: Group, topic: str) -> list[frozenset[str]]:
    """Return the racks of each partition's replicas, those without one left out."""
    count = group.partitions[topic]
    given = (group.racks or {}).get(topic, ())
    known = [frozenset(rack for rack in one if rack is not None) for one in given]
    return [*known[:count], *[frozenset[str]()] * (count - len(known))]


def racks_count(consumers: Collection[str], partitions: PartitionRacks) -> bool:
    """Return whether an assignor minds racks (`useRackAwareAssignment`).

    Some consumer's rack has a replica, and not every partition has one in every rack
    that has any: else all placements are equally near.
    """
    everywhere = frozenset[str]().union(*partitions.values())
    if everywhere.isdisjoint(consumers):
        return False
    return any(racks != everywhere for racks in partitions.values())


@dataclass(slots=True)
class RackInfo:
    """What the sticky assignors know of racks (`AbstractStickyAssignor.RackInfo`).

    Parameters
    ----------
    consumers : mapping of member to str
        Their racks; empty if racks do not count.
    partitions : mapping of partition to frozenset
        Racks of its replicas; empty if racks do not count.
    near : mapping of partition to int
        Members in a rack of its replicas.
    """

    consumers: Mapping[str, str] = field(default_factory=dict)
    partitions: Mapping[TopicPartition, frozenset[str]] = field(default_factory=dict)
    near: Mapping[TopicPartition, int] = field(default_factory=dict)

    def mismatch(self, member: str, partition: TopicPartition) -> bool:
        """Return whether a member has a rack, and no replica is in it."""
        rack = self.consumers.get(member)
        return rack is not None and rack not in self.partitions.get(partition, ())

    def by_rarity(self, partitions: list[TopicPartition]) -> list[TopicPartition]:
        """Return those first that the fewest members are near to."""
        if not self.near:
            return partitions
        return sorted(partitions, key=lambda one: self.near.get(one, 0))

    def next_near(
        self, partition: TopicPartition, members: list[str], first: int
    ) -> int:
        """Return the place of the next member in a rack of a partition, -1 if none.

        The search begins at place `first` and goes round once.
        """
        racks = self.partitions.get(partition)
        if racks:
            for step in range(len(members)):
                place = (first + step) % len(members)
                if self.consumers.get(members[place]) in racks:
                    return place
        return -1


def rack_info(group: Group) -> RackInfo:
    """Return what there is to know of a group's racks."""
    consumers = {id_: one.rack for id_, one in group.members.items() if one.rack}
    if not consumers or group.racks is None:
        return RackInfo()
    partitions = {
        (topic, number): racks
        for topic in group.partitions
        for number, racks in enumerate(racks_of(group, topic))
    }
    in_rack: dict[str, int] = {}
    for rack in consumers.values():
        in_rack[rack] = in_rack.get(rack, 0) + 1
    near = {
        partition: sum(in_rack.get(rack, 0) for rack in racks)
        for partition, racks in partitions.items()
    }
    if not racks_count(consumers.values(), partitions):
        return RackInfo(near=near)
    return RackInfo(consumers, partitions, near)
