"""How a member of the consumer protocol gets from what it has to what it is to have.

Pure functions over frozen values (N8-5, `CurrentAssignmentBuilder`). A member gives up
first and stays in its epoch meanwhile; only then it moves on to the epoch of the target
assignment, and gets what nobody owns any more. So members converge one by one; who
keeps a partition never stops reading it.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from kafkasim.protocol.groups.coordinator_records import (
    STABLE,
    UNRELEASED_PARTITIONS,
    UNREVOKED_PARTITIONS,
    MemberValue,
)
from kafkasim.protocol.subscription import TopicPartition

MEMBER_STATES: Final = {
    STABLE: "Stable",
    UNREVOKED_PARTITIONS: "UnrevokedPartitions",
    UNRELEASED_PARTITIONS: "UnreleasedPartitions",
}
"""Names of the states of a member (`MemberState`)."""

MEMBER_TRANSITIONS: Final[Mapping[int, Mapping[int, str]]] = {
    STABLE: {
        UNREVOKED_PARTITIONS: "it has partitions to give up",
        UNRELEASED_PARTITIONS: "others own some of what it is to have",
    },
    UNREVOKED_PARTITIONS: {
        STABLE: "it gave up, and all it is to have is free",
        UNRELEASED_PARTITIONS: "it gave up, and waits for what others own",
    },
    UNRELEASED_PARTITIONS: {
        STABLE: "the last of what it waited for is free",
        UNREVOKED_PARTITIONS: "a new target takes partitions away",
    },
}
"""From which state a member comes into which other, and when."""

NOT_OWNED: Final = -1
"""Epoch of a partition that nobody owns."""

Held = Mapping[TopicPartition, int]
"""Partitions, each with the epoch in which its member got it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMember:
    """A member as its coordinator knows it (`ConsumerGroupMember`)."""

    member_id: str
    epoch: int = 0
    """How far it has come; 0 until it is in the group, -2 while it is away."""
    previous_epoch: int = -1
    """That before; good for one more request, if a response got lost."""
    state: int = STABLE
    said: MemberValue = field(
        default=MemberValue(client_id="", topics=(), regex="", rebalance_timeout_ms=-1)
    )
    """What it told of itself."""
    assigned: Held = field(default_factory=dict)
    """What it may own."""
    revoking: Held = field(default_factory=dict)
    """What it has yet to give up."""

    def is_reconciled_to(self, target_epoch: int) -> bool:
        """Tell whether it has all of the target of this epoch, and nothing else."""
        return self.state == STABLE and self.epoch == target_epoch

    def got_in(self, partition: TopicPartition) -> int | None:
        """Return the epoch in which it got a partition, None if it is not its own."""
        epoch = self.assigned.get(partition)
        return self.revoking.get(partition) if epoch is None else epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a member is brought to."""

    epoch: int
    """The group epoch for which it was computed."""
    partitions: Collection[TopicPartition]
    topics: Collection[str]
    """Those that the member subscribes to and that exist."""
    owner_epoch: Callable[[TopicPartition], int]
    """Member epoch of whoever owns a partition, `NOT_OWNED` if nobody does."""


def reconciled(
    member: GroupMember,
    target: Target,
    owned: Collection[TopicPartition] | None,
    *,
    resubscribed: bool = False,
) -> GroupMember:
    """Return the member one step nearer to its target (`build`).

    Parameters
    ----------
    member : GroupMember
        As it was.
    target : Target
        What it is brought to.
    owned : collection of (str, int), optional
        What it says it owns; None if it did not say.
    resubscribed : bool
        Whether it subscribes to other topics from this request on.

    Returns
    -------
    GroupMember
        The same object if there is nothing to do.
    """
    if member.state == STABLE and member.epoch == target.epoch:
        return _unsubscribed(member, target, owned) if resubscribed else member
    if member.state == UNREVOKED_PARTITIONS and _owns(owned, member.revoking):
        return _unsubscribed(member, target, owned) if resubscribed else member
    return _next(member, target, owned)


def _owns(owned: Collection[TopicPartition] | None, some: Held) -> bool:
    """Tell whether it may still own any of these; who says nothing may."""
    return owned is None or any(partition in some for partition in owned)


def _unsubscribed(
    member: GroupMember, target: Target, owned: Collection[TopicPartition] | None
) -> GroupMember:
    """Take away what it no longer subscribes to (`updateCurrentAssignment`)."""
    gone = {at: epoch for at, epoch in member.assigned.items() if _lost(at, target)}
    nothing_left = not member.said.topics and not member.revoking
    if not gone and not nothing_left:
        return member
    kept = {at: epoch for at, epoch in member.assigned.items() if at not in gone}
    revoking = {**member.revoking, **gone}
    moved = replace(member, previous_epoch=member.epoch, assigned=kept)
    if revoking and _owns(owned, revoking):
        return replace(moved, state=UNREVOKED_PARTITIONS, revoking=revoking)
    return moved


def _lost(partition: TopicPartition, target: Target) -> bool:
    return partition[0] not in target.topics


def _next(
    member: GroupMember, target: Target, owned: Collection[TopicPartition] | None
) -> GroupMember:
    """Take away what it must give up, or give it what is free (`computeNext...`)."""
    wanted = {at for at in target.partitions if not _lost(at, target)}
    kept = {at: epoch for at, epoch in member.assigned.items() if at in wanted}
    revoking = {at: epoch for at, epoch in member.assigned.items() if at not in wanted}
    if revoking and _owns(owned, revoking):
        return replace(
            member,
            previous_epoch=member.epoch,
            state=UNREVOKED_PARTITIONS,
            assigned=kept,
            revoking=revoking,
        )
    missing = [at for at in wanted if at not in kept]
    free = [
        at
        for at in missing
        if target.owner_epoch(at) == NOT_OWNED or at in member.revoking
    ]
    return replace(
        member,
        epoch=target.epoch,
        previous_epoch=member.epoch,
        state=STABLE if len(free) == len(missing) else UNRELEASED_PARTITIONS,
        assigned=kept | dict.fromkeys(free, target.epoch),
        revoking={},
    )
