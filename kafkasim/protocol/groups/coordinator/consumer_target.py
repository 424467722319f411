"""What the members of a consumer protocol group are to own: its target assignment.

The coordinator asks one of its own assignors (`TargetAssignmentBuilder`,
`ConsumerGroup.computePreferredServerAssignor`, 4.3). The target is per member; how a
member gets there is the business of
`kafkasim.protocol.groups.coordinator.reconciliation`.
"""

from collections.abc import Callable, Iterable, Mapping

from kafkasim.protocol.assignors import SERVER_ASSIGNORS, assign_at_broker
from kafkasim.protocol.groups.coordinator.consumer_group import (
    ConsumerGroup,
    PartitionsOf,
)
from kafkasim.protocol.groups.coordinator.reconciliation import GroupMember
from kafkasim.protocol.groups.coordinator_records import (
    Record,
    TargetEpochRecord,
    TargetEpochValue,
    TargetMemberRecord,
)
from kafkasim.protocol.java_order import (
    DEFAULT_CAPACITY,
    JavaSet,
    table_size,
    text_hash,
    walk_names,
)
from kafkasim.protocol.subscription import Assigned, Subscription

ServerAssignor = Callable[
    [Mapping[str, Subscription], Mapping[str, int], Mapping[str, str | None]],
    Mapping[str, Assigned],
]
"""Says what each member is to own, in the order in which its record keeps it.

It is told what members subscribe to, with their targets until now as what they own; how
many partitions each topic has, of those that exist; and the members' instance ids.
"""


def broker_assignors() -> dict[str, ServerAssignor]:
    """Return Kafka's own (`group.consumer.assignors`), the default one first."""
    return {name: _broker_assignor(name) for name in SERVER_ASSIGNORS}


def _broker_assignor(name: str) -> ServerAssignor:
    def assign(
        members: Mapping[str, Subscription],
        topics: Mapping[str, int],
        instances: Mapping[str, str | None],
    ) -> Mapping[str, Assigned]:
        return assign_at_broker(name, members, topics, instances=instances)

    return assign


def preferred_assignor(
    group: ConsumerGroup, old: GroupMember, new: GroupMember, default: str
) -> str:
    """Return the assignor most members ask for, with `new` in the place of `old`.

    Of equals it is the first one in a copy of the coordinator's map.
    """
    counts = dict(group.assignors)
    capacity = table_size(int(len(counts) / 0.75) + 1) if counts else DEFAULT_CAPACITY
    names = JavaSet(text_hash, capacity, group.assignors.walk())
    for member, by in ((old, -1), (new, 1)):
        name = member.said.assignor
        if name is not None:
            names.add_first(name)
            counts[name] = counts.get(name, 0) + by
            if not counts[name]:
                names.remove(name)
    return max(names.walk(), key=counts.__getitem__, default=default)


def new_target(
    group: ConsumerGroup,
    member: GroupMember,
    epoch: int,
    *,
    assignor: ServerAssignor,
    partitions_of: PartitionsOf,
    now_ms: int,
) -> tuple[list[Record], Assigned]:
    """Compute the target for a group epoch.

    Parameters
    ----------
    group : ConsumerGroup
        As it is.
    member : GroupMember
        The member whose request this is, as it will be.
    epoch : int
        The group epoch.
    assignor : ServerAssignor
        Computes it.
    partitions_of : callable
        How many partitions a topic has.
    now_ms : int
        The time.

    Returns
    -------
    records : list of Record
        What changes, member by member, and the new target epoch at the end.
    target : tuple of (str, int)
        What the member is to own.
    """
    members = {name: group.members[name] for name in group.members.walk()}
    members[member.member_id] = member
    order = walk_names(members)
    targets = dict(group.targets)
    before = group.static_member(member.said.instance_id)
    if before is not None and before.member_id != member.member_id:
        del members[before.member_id]
        if before.member_id in targets:
            targets[member.member_id] = targets[before.member_id]
    specs = {
        member_id: Subscription(
            topics=members[member_id].said.topics,
            owned=targets.get(member_id, ()),
            rack=members[member_id].said.rack,
        )
        for member_id in order
        if member_id in members
    }
    named = {topic for spec in specs.values() for topic in spec.topics}
    counts = {topic: partitions_of(topic) for topic in sorted(named)}
    computed = assignor(
        specs,
        {topic: count for topic, count in counts.items() if count is not None},
        {member_id: members[member_id].said.instance_id for member_id in specs},
    )
    records: list[Record] = []
    for member_id in specs:
        target = computed.get(member_id, ())
        old = group.targets.get(member_id)
        if old is None or set(target) != set(old):
            records.append(TargetMemberRecord(group.group, member_id, target))
    at_ms = max(now_ms, 1)  # 0 says that nobody knows when
    records.append(TargetEpochRecord(group.group, TargetEpochValue(epoch, at_ms)))
    return records, computed.get(member.member_id, ())


def existing(topics: Iterable[str], partitions_of: PartitionsOf) -> tuple[str, ...]:
    """Return those topics that exist, sorted."""
    return tuple(sorted(name for name in topics if partitions_of(name) is not None))
