"""What the members of a consumer protocol group are to own: its target assignment.

The coordinator asks one of its own assignors (`TargetAssignmentBuilder`,
`ConsumerGroup.computePreferredServerAssignor`, 4.3). The target is per member; how a
member gets there is the business of `kafkasim.protocol.reconciliation`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from kafkasim.protocol.consumer_group import ConsumerGroup, PartitionsOf
from kafkasim.protocol.coordinator_records import (
    Record,
    TargetEpochRecord,
    TargetEpochValue,
    TargetMemberRecord,
)
from kafkasim.protocol.offsets_topic import java_hash
from kafkasim.protocol.reconciliation import ConsumerMember
from kafkasim.protocol.subscription import TopicPartition


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberSpec:
    """What an assignor is told of a member (`MemberSubscriptionAndAssignmentImpl`)."""

    topics: tuple[str, ...]
    """Those it subscribes to and that exist, sorted."""
    target: frozenset[TopicPartition]
    """What it was to own until now."""
    instance_id: str | None = None
    rack: str | None = None


ServerAssignor = Callable[
    [Mapping[str, MemberSpec], PartitionsOf], Mapping[str, Collection[TopicPartition]]
]
"""Says what each member is to own; members come in the order of Java's `HashMap`."""


def hash_order(names: Iterable[str]) -> list[str]:
    """Return names in the order in which Java's `HashMap` walks them.

    Among names of one bucket the order is that in which they came.
    """
    names = list(names)
    size = 16
    while 4 * len(names) > 3 * size:
        size *= 2

    def bucket(name: str) -> int:
        value = java_hash(name) & 0xFFFFFFFF
        return (value ^ value >> 16) & (size - 1)

    return sorted(names, key=bucket)


def preferred_assignor(
    group: ConsumerGroup, old: ConsumerMember, new: ConsumerMember, default: str
) -> str:
    """Return the assignor most members ask for, with `new` in the place of `old`."""
    counts = dict(group.assignors)
    for member, by in ((old, -1), (new, 1)):
        name = member.said.assignor
        if name is not None:
            counts[name] = counts.get(name, 0) + by
    asked_for = hash_order(name for name, count in counts.items() if count > 0)
    return max(asked_for, key=counts.__getitem__, default=default)


def new_target(
    group: ConsumerGroup,
    member: ConsumerMember,
    epoch: int,
    *,
    assignor: ServerAssignor,
    partitions_of: PartitionsOf,
    now_ms: int,
) -> tuple[list[Record], Collection[TopicPartition]]:
    """Compute the target for a group epoch.

    Parameters
    ----------
    group : ConsumerGroup
        As it is.
    member : ConsumerMember
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
    target : collection of (str, int)
        What the member is to own.
    """
    members = {**group.members, member.member_id: member}
    order = hash_order(members)
    targets = dict(group.targets)
    before = group.static_member(member.said.instance_id)
    if before is not None and before.member_id != member.member_id:
        del members[before.member_id]
        if before.member_id in targets:
            targets[member.member_id] = targets[before.member_id]
    nothing: frozenset[TopicPartition] = frozenset()
    specs = {
        member_id: MemberSpec(
            topics=existing(members[member_id].said.topics, partitions_of),
            target=targets.get(member_id, nothing),
            instance_id=members[member_id].said.instance_id,
            rack=members[member_id].said.rack,
        )
        for member_id in order
        if member_id in members
    }
    computed = assignor(specs, partitions_of)
    records: list[Record] = []
    for member_id in specs:
        target = frozenset(computed.get(member_id, nothing))
        if target != group.targets.get(member_id):
            assigned = tuple(sorted(target))
            records.append(TargetMemberRecord(group.group, member_id, assigned))
    records.append(TargetEpochRecord(group.group, TargetEpochValue(epoch, now_ms)))
    return records, computed.get(member.member_id, nothing)


def existing(topics: Iterable[str], partitions_of: PartitionsOf) -> tuple[str, ...]:
    """Return those topics that exist, sorted."""
    return tuple(sorted(name for name in topics if partitions_of(name) is not None))
