"""A group of the consumer protocol: its members, its epochs, its target (KIP-848).

It changes by replaying records alone, so what a coordinator knows of a group is what
lies in `__consumer_offsets` (`ConsumerGroup`, `ModernGroup`, and the `replay` methods
of `GroupMetadataManager`, 4.3). Three epochs tell how far it is (N8-3): the group epoch
is one more with each change of members, subscriptions or topics; the target epoch is
the group epoch for which the target assignment was computed; each member's epoch is the
target epoch it has come to.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import blake2b
from typing import Final

from kafkasim.protocol.groups.coordinator.reconciliation import (
    NOT_OWNED,
    GroupMember,
    Held,
)
from kafkasim.protocol.groups.coordinator.timeline_map import TimelineMap
from kafkasim.protocol.groups.coordinator_records import (
    ConsumerGroupRecord,
    ConsumerGroupValue,
    CurrentAssignmentRecord,
    CurrentAssignmentValue,
    MemberRecord,
    MemberValue,
    Record,
    TargetEpochRecord,
    TargetEpochValue,
    TargetMemberRecord,
)
from kafkasim.protocol.groups.group_messages import JOIN_EPOCH, LEAVE_EPOCH
from kafkasim.protocol.subscription import Assigned, TopicPartition

PartitionsOf = Callable[[str], int | None]
"""How many partitions a topic has; None: there is no such topic."""

FIRST_EPOCH: Final = 1
"""Group epoch, and target epoch, of a group that nobody is in yet (since 4.3)."""
NO_TARGET: Final = -1
"""Target epoch of a group that is being deleted."""
REFRESH_MS: Final = 2**31 - 1
"""After so long a group looks at its topics anew though nobody told it to."""


class GroupState(StrEnum):
    """Where a group is, in the words Kafka prints (N8-7)."""

    EMPTY = "Empty"
    ASSIGNING = "Assigning"
    RECONCILING = "Reconciling"
    STABLE = "Stable"
    DEAD = "Dead"


TRANSITIONS: Final[Mapping[GroupState, Mapping[GroupState, str]]] = {
    GroupState.EMPTY: {
        GroupState.STABLE: "its first member joined and got all there is",
        GroupState.ASSIGNING: "a member joined soon after the last target was computed",
        GroupState.DEAD: "its offsets expired, or it was deleted",
    },
    GroupState.ASSIGNING: {
        GroupState.RECONCILING: "a target was computed",
        GroupState.STABLE: "a target was computed, and all have it already",
        GroupState.EMPTY: "its last member is gone",
    },
    GroupState.RECONCILING: {
        GroupState.STABLE: "all members have what they are to have",
        GroupState.ASSIGNING: "members or topics changed",
        GroupState.EMPTY: "its last member is gone",
    },
    GroupState.STABLE: {
        GroupState.RECONCILING: "members or topics changed, and a target was computed",
        GroupState.ASSIGNING: "members or topics changed",
        GroupState.EMPTY: "its last member is gone",
    },
    GroupState.DEAD: {},
}
"""From which state a group comes into which other by one request or timeout, and why.
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is seen of a group from outside."""

    state: GroupState
    epoch: int
    members: int


class ConsumerGroup:
    """What the records say of one group.

    Parameters
    ----------
    group : str
        Its id.
    """

    def __init__(self, group: str) -> None:
        self.group = group
        self.epoch = FIRST_EPOCH
        self.target_epoch = FIRST_EPOCH
        self.target_at_ms = 0
        """When the target was computed; 0: never, or nobody knows."""
        self.metadata_hash = 0
        """Of the topics for which the group epoch is."""
        self.members: TimelineMap[GroupMember] = TimelineMap()
        self.targets: dict[str, Assigned] = {}
        """What each member is to own, in the order of its record."""
        self.static: dict[str, str] = {}
        """Member id by instance id."""
        self.topics: dict[str, int] = {}
        """How many members subscribe to each topic."""
        self.assignors: TimelineMap[int] = TimelineMap()
        """How many members ask for each assignor."""
        self.owner_epochs: dict[TopicPartition, int] = {}
        """Member epoch of the owner of each partition that has one."""
        self._reconciled = 0
        """Members that have all of the target."""
        self._refresh_ms = 0
        self._refresh_epoch = 0

    @property
    def standing(self) -> Standing:
        """Where it is now."""
        return Standing(self.state, self.epoch, len(self.members))

    @property
    def state(self) -> GroupState:
        """Its state (`maybeUpdateGroupState`)."""
        if not self.members:
            return GroupState.EMPTY
        if self.epoch > self.target_epoch:
            return GroupState.ASSIGNING
        if self._reconciled < len(self.members):
            return GroupState.RECONCILING
        return GroupState.STABLE

    def owner_epoch(self, partition: TopicPartition) -> int:
        """Return the member epoch of a partition's owner, or `NOT_OWNED`."""
        return self.owner_epochs.get(partition, NOT_OWNED)

    def static_member(self, instance_id: str | None) -> GroupMember | None:
        """Return the member with an instance id, if there is one."""
        member_id = None if instance_id is None else self.static.get(instance_id)
        return None if member_id is None else self.members[member_id]

    # What is not in the records: when to look at the topics again

    def needs_refresh(self, now_ms: int) -> bool:
        """Tell whether its topics may have changed (`hasMetadataExpired`)."""
        return now_ms >= self._refresh_ms or self.epoch < self._refresh_epoch

    def refreshed(self, now_ms: int, epoch: int) -> None:
        """Note that its topics were looked at, for a group epoch."""
        self._refresh_ms = now_ms + REFRESH_MS
        self._refresh_epoch = epoch

    def request_refresh(self) -> None:
        """Let the next request look at its topics."""
        self._refresh_ms = self._refresh_epoch = 0

    # Replay

    def replay(self, record: Record) -> None:
        """Take over what a record of this group says.

        Raises
        ------
        ValueError
            If it cannot follow what was replayed before it.
        """
        match record:
            case MemberRecord(_, member_id, value):
                self._replay_member(member_id, value)
            case ConsumerGroupRecord(_, ConsumerGroupValue(epoch, metadata_hash)):
                self.epoch, self.metadata_hash = epoch, metadata_hash
            case TargetMemberRecord(_, member_id, None):
                self.targets.pop(member_id, None)
            case TargetMemberRecord(_, member_id, assigned):
                self.targets[member_id] = assigned or ()
            case TargetEpochRecord(_, value):
                self._replay_target(value)
            case CurrentAssignmentRecord(_, member_id, value):
                self._replay_current(member_id, value)
            case _:
                pass

    def before(self, record: Record) -> Record:
        """Return the record that undoes one that is about to be replayed."""
        match record:
            case MemberRecord(_, member_id):
                member = self.members.get(member_id)
                said = None if member is None else member.said
                return MemberRecord(self.group, member_id, said)
            case TargetMemberRecord(_, member_id):
                target = self.targets.get(member_id)
                return TargetMemberRecord(self.group, member_id, target)
            case TargetEpochRecord():
                value = TargetEpochValue(self.target_epoch, self.target_at_ms)
                return TargetEpochRecord(self.group, value)
            case CurrentAssignmentRecord(_, member_id):
                member = self.members.get(member_id)
                if member is None or member.previous_epoch < JOIN_EPOCH <= member.epoch:
                    return CurrentAssignmentRecord(self.group, member_id, None)
                return current_record(self.group, member)
            case _:
                epoch = ConsumerGroupValue(self.epoch, self.metadata_hash)
                return ConsumerGroupRecord(self.group, epoch)

    def check_deletable(self) -> None:
        """Raise if the tombstone of the group comes too early.

        Raises
        ------
        ValueError
            If it has members, or a target.
        """
        if self.members or self.targets or self.target_epoch != NO_TARGET:
            raise ValueError(f"group {self.group!r} is deleted before all it has")

    def _replay_member(self, member_id: str, value: MemberValue | None) -> None:
        member = self.members.get(member_id)
        if value is not None:
            old = GroupMember(member_id=member_id) if member is None else member
            self._update(replace(old, said=value))
        elif member is not None:
            if member.epoch != LEAVE_EPOCH or member_id in self.targets:
                raise ValueError(f"member {member_id!r} is deleted before all it has")
            self._forget(member)

    def _replay_target(self, value: TargetEpochValue | None) -> None:
        if value is None and self.targets:
            raise ValueError(f"target of {self.group!r} is deleted before its members'")
        tombstone = TargetEpochValue(NO_TARGET)
        self.target_epoch, self.target_at_ms = (
            (tombstone.epoch, tombstone.at_ms)
            if value is None
            else (value.epoch, value.at_ms)
        )
        self._reconciled = sum(map(self._is_reconciled, self.members.values()))

    def _replay_current(
        self, member_id: str, value: CurrentAssignmentValue | None
    ) -> None:
        member = self.members.get(member_id)
        if value is None:
            if member is not None:
                self._update(
                    replace(
                        member,
                        epoch=LEAVE_EPOCH,
                        previous_epoch=LEAVE_EPOCH,
                        assigned={},
                        revoking={},
                    )
                )
            return
        old = GroupMember(member_id=member_id) if member is None else member
        self._update(
            replace(
                old,
                epoch=value.epoch,
                previous_epoch=value.previous_epoch,
                state=value.state,
                assigned=_held(value.assigned, value.assigned_epochs, value.epoch),
                revoking=_held(value.revoking, value.revoking_epochs, value.epoch),
            )
        )

    def _is_reconciled(self, member: GroupMember) -> bool:
        return member.is_reconciled_to(self.target_epoch)

    def _update(self, member: GroupMember) -> None:
        old = self.members.get(member.member_id)
        if old is not None:
            self._uncount(old)
        self.members[member.member_id] = member
        _count(self.topics, member.said.topics, 1)
        if member.said.assignor is not None:
            _count(self.assignors, (member.said.assignor,), 1)
        if member.said.instance_id is not None:
            self.static[member.said.instance_id] = member.member_id
        self._reconciled += self._is_reconciled(member)
        for partition in (*member.assigned, *member.revoking):
            owner = self.owner_epochs.get(partition)
            if owner is not None and owner >= member.epoch:
                raise ValueError(f"{partition} still has an owner")
            self.owner_epochs[partition] = member.epoch

    def _forget(self, member: GroupMember) -> None:
        self._uncount(member)
        del self.members[member.member_id]
        if member.said.instance_id is not None:
            self.static.pop(member.said.instance_id, None)

    def _uncount(self, member: GroupMember) -> None:
        _count(self.topics, member.said.topics, -1)
        if member.said.assignor is not None:
            _count(self.assignors, (member.said.assignor,), -1)
        self._reconciled -= self._is_reconciled(member)
        for partition in (*member.assigned, *member.revoking):
            if self.owner_epochs.get(partition) == member.epoch:
                del self.owner_epochs[partition]

    # What it would be

    def topics_with(
        self, old: GroupMember | None, new: GroupMember | None
    ) -> tuple[str, ...]:
        """Return the topics subscribed to if `new` stood for `old`, sorted."""
        counts = dict(self.topics)
        _count(counts, () if old is None else old.said.topics, -1)
        _count(counts, () if new is None else new.said.topics, 1)
        return tuple(sorted(counts))


def current_record(group: str, member: GroupMember) -> CurrentAssignmentRecord:
    """Return the record of how far a member is."""
    assigned, assigned_epochs = _columns(member.assigned)
    revoking, revoking_epochs = _columns(member.revoking)
    value = CurrentAssignmentValue(
        epoch=member.epoch,
        previous_epoch=member.previous_epoch,
        state=member.state,
        assigned=assigned,
        assigned_epochs=assigned_epochs,
        revoking=revoking,
        revoking_epochs=revoking_epochs,
    )
    return CurrentAssignmentRecord(group, member.member_id, value)


def _columns(held: Held) -> tuple[tuple[TopicPartition, ...], tuple[int, ...]]:
    partitions = tuple(sorted(held))
    return partitions, tuple(held[at] for at in partitions)


def _count(counts: dict[str, int], names: Iterable[str], by: int) -> None:
    """Add to counts, and forget those that are 0."""
    for name in names:
        left = counts.get(name, 0) + by
        if left > 0:
            counts[name] = left
        else:
            counts.pop(name, None)


def _held(partitions: Assigned, epochs: Sequence[int] | None, epoch: int) -> Held:
    """Return partitions with their epochs; that of the member where none is known."""
    if epochs is None or len(epochs) != len(partitions):
        return dict.fromkeys(partitions, max(epoch, 0))
    return dict(zip(partitions, epochs, strict=True))


def hash_of(topics: Collection[str], partitions_of: PartitionsOf) -> int:
    """Return a number that is another one as soon as a topic changes.

    It stands for Kafka's metadata hash (`computeMetadataHash`), which takes topic ids
    and racks too and another function; like it, 0 if none of the topics exists, and a
    signed 64-bit number otherwise.
    """
    there = [(name, partitions_of(name)) for name in sorted(topics)]
    there = [(name, count) for name, count in there if count is not None]
    if not there:
        return 0
    digest = blake2b(repr(there).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
