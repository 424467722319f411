"""What one heartbeat of the consumer protocol changes in a group.

The only request of the protocol (N8-2): a member joins, says what it owns and leaves
with it, and its answer carries what it is to own. Each does three things: the member is
made or updated, the target is computed anew if the group has changed, and the member
is brought one step nearer to it (`GroupMetadataManager.consumerGroupHeartbeat`, 4.3).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from kafkasim.protocol.errors import GROUP_MAX_SIZE_REACHED
from kafkasim.protocol.groups.coordinator.consumer_admission import (
    RefusedError,
    admitted,
    leaving,
    tombstones,
)
from kafkasim.protocol.groups.coordinator.consumer_group import (
    ConsumerGroup,
    PartitionsOf,
    current_record,
    hash_of,
)
from kafkasim.protocol.groups.coordinator.consumer_target import (
    ServerAssignor,
    existing,
    new_target,
    preferred_assignor,
)
from kafkasim.protocol.groups.coordinator.reconciliation import (
    GroupMember,
    Target,
    reconciled,
)
from kafkasim.protocol.groups.coordinator_records import (
    ConsumerGroupRecord,
    ConsumerGroupValue,
    MemberRecord,
    MemberValue,
    Record,
)
from kafkasim.protocol.groups.group_messages import (
    JOIN_EPOCH,
    LEAVE_EPOCH,
    LEAVE_FOR_A_WHILE_EPOCH,
    ConsumerGroupBeaten,
    ConsumerGroupHeartbeat,
)
from kafkasim.protocol.subscription import TopicPartition

NO_LIMIT: Final = 2**31 - 1
"""Default of `group.consumer.max.size`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerGroupSettings:
    """What brokers are told of groups of the consumer protocol; times in ms (N8-1)."""

    session_timeout_ms: int = 45_000
    """`group.consumer.session.timeout.ms`; brokers allow 45 s to 60 s."""
    heartbeat_interval_ms: int = 5_000
    """`group.consumer.heartbeat.interval.ms`; brokers allow 5 s to 15 s."""
    assignment_interval_ms: int = 1_000
    """`group.consumer.assignment.interval.ms` (KIP-1263, since 4.3): no sooner after
    one target the next is computed."""
    max_size: int = NO_LIMIT
    """`group.consumer.max.size`: so many members a group may have."""


@dataclass(slots=True)
class Outcome:
    """What a heartbeat comes to."""

    response: ConsumerGroupBeaten
    member: GroupMember
    """As it is after it."""
    records: list[Record] = field(default_factory=list)
    moved: bool = False
    """Whether it was brought nearer to its target."""
    removed: bool = False
    """Whether it is no longer in the group."""
    cause: str = ""
    """What happened, in a few words."""


class Heartbeats:
    """Works out what heartbeats come to; keeps nothing of its own.

    Parameters
    ----------
    settings : ConsumerGroupSettings
        Configuration.
    assignors : mapping of str to ServerAssignor
        By name; the first one is that of members that do not ask for one.
    partitions_of : callable
        How many partitions a topic has.
    """

    def __init__(
        self,
        settings: ConsumerGroupSettings,
        assignors: Mapping[str, ServerAssignor],
        partitions_of: PartitionsOf,
    ) -> None:
        self.settings = settings
        self.assignors = assignors
        self.partitions_of = partitions_of

    def heartbeat(
        self, group: ConsumerGroup, request: ConsumerGroupHeartbeat, now_ms: int
    ) -> Outcome:
        """Let a member join, or live on.

        Raises
        ------
        RefusedError
            If it may not.
        """
        is_full = len(group.members) >= self.settings.max_size
        if is_full and request.member_id not in group.members:
            raise RefusedError(GROUP_MAX_SIZE_REACHED)
        member, records = admitted(group, request)
        cause = "member joined" if member.member_id not in group.members else ""
        if records:
            cause = "static member returned"
        updated = replace(member, said=_said(member, request))
        if updated.said != member.said:
            records.append(MemberRecord(group.group, member.member_id, updated.said))
        resubscribed = updated.said.topics != member.said.topics
        epoch = group.epoch
        if resubscribed or group.needs_refresh(now_ms):
            epoch = self._new_epoch(group, (member, updated), records, now_ms)
        if epoch > group.epoch and not cause:
            cause = "subscription changed" if resubscribed else "topics changed"
        target = self._target(group, epoch, (member, updated), records, now_ms)
        if target.epoch > group.target_epoch and not cause:
            cause = "target computed"
        after = updated
        if resubscribed or not updated.is_reconciled_to(target.epoch):
            after = reconciled(
                updated, target, request.owned, resubscribed=resubscribed
            )
        if after != updated:
            records.append(current_record(group.group, after))
        response = self._answer(request, member, after)
        return Outcome(
            response,
            after,
            records,
            moved=after != updated,
            cause=cause or "member moved on",
        )

    def _answer(
        self,
        request: ConsumerGroupHeartbeat,
        before: GroupMember,
        after: GroupMember,
    ) -> ConsumerGroupBeaten:
        """Answer, with what the member is to own if it asked or that is new (N8-10)."""
        asked = request.member_epoch == JOIN_EPOCH or None not in {
            request.rebalance_timeout_ms,
            request.topics,
            request.owned,
        }
        tells = asked or after.assigned != before.assigned
        return ConsumerGroupBeaten(
            member_id=after.member_id,
            member_epoch=after.epoch,
            heartbeat_interval_ms=self.settings.heartbeat_interval_ms,
            assigned=tuple(sorted(after.assigned)) if tells else None,
        )

    def _new_epoch(
        self,
        group: ConsumerGroup,
        change: tuple[GroupMember, GroupMember],
        records: list[Record],
        now_ms: int,
    ) -> int:
        """Return the group epoch, one more if anything changed (N8-3)."""
        member, updated = change
        metadata_hash = hash_of(group.topics_with(member, updated), self.partitions_of)
        epoch = group.epoch
        if (
            updated.said.topics != member.said.topics
            or metadata_hash != group.metadata_hash
        ):
            epoch += 1
            value = ConsumerGroupValue(epoch, metadata_hash)
            records.append(ConsumerGroupRecord(group.group, value))
        group.refreshed(now_ms, epoch)
        return epoch

    def _target(
        self,
        group: ConsumerGroup,
        epoch: int,
        change: tuple[GroupMember, GroupMember],
        records: list[Record],
        now_ms: int,
    ) -> Target:
        """Return what the member is to own, computed anew if that is due (N8-4)."""
        member, updated = change
        at_ms = group.target_at_ms
        interval_ms = self.settings.assignment_interval_ms
        waits = at_ms != 0 and interval_ms != 0 and now_ms < at_ms + interval_ms
        partitions: Collection[TopicPartition]
        if group.target_epoch >= epoch or waits:
            target_epoch = group.target_epoch
            owner = updated.member_id
            if updated.said.instance_id is not None:
                owner = group.static.get(updated.said.instance_id, "")
            partitions = group.targets.get(owner, ())
        else:
            target_epoch = epoch
            name = preferred_assignor(
                group, member, updated, next(iter(self.assignors))
            )
            computed, partitions = new_target(
                group,
                updated,
                epoch,
                assignor=self.assignors[name],
                partitions_of=self.partitions_of,
                now_ms=now_ms,
            )
            records += computed
        return Target(
            epoch=target_epoch,
            partitions=partitions,
            topics=existing(updated.said.topics, self.partitions_of),
            owner_epoch=group.owner_epoch,
        )

    def leave(self, group: ConsumerGroup, request: ConsumerGroupHeartbeat) -> Outcome:
        """Let a member leave, for good or for a while.

        Raises
        ------
        RefusedError
            If it is not in the group.
        """
        member = leaving(group, request)
        response = ConsumerGroupBeaten(
            member_id=member.member_id,
            member_epoch=request.member_epoch,
            heartbeat_interval_ms=0,
        )
        if request.instance_id is None or request.member_epoch == LEAVE_EPOCH:
            records = self.without(group, member)
            return Outcome(response, member, records, removed=True, cause="member left")
        away = replace(
            member,
            epoch=LEAVE_FOR_A_WHILE_EPOCH,
            assigned=dict.fromkeys(member.assigned, 0),
            revoking={},
        )
        records = [current_record(group.group, away)]
        return Outcome(response, away, records, cause="static member left")

    def without(self, group: ConsumerGroup, member: GroupMember) -> list[Record]:
        """Return the records that remove a member (`consumerGroupFenceMember`)."""
        topics = group.topics_with(member, None)
        value = ConsumerGroupValue(group.epoch + 1, hash_of(topics, self.partitions_of))
        return [
            *tombstones(group.group, member.member_id),
            ConsumerGroupRecord(group.group, value),
        ]


def _said(member: GroupMember, request: ConsumerGroupHeartbeat) -> MemberValue:
    """Return what a member has said, with what it says now."""
    old = member.said
    topics = request.topics
    timeout_ms = request.rebalance_timeout_ms
    return replace(
        old,
        client_id=request.client_id,
        instance_id=request.instance_id or old.instance_id,
        rack=request.rack or old.rack,
        rebalance_timeout_ms=old.rebalance_timeout_ms
        if timeout_ms is None
        else timeout_ms,
        assignor=request.server_assignor or old.assignor,
        topics=old.topics if topics is None else tuple(sorted(set(topics))),
    )
