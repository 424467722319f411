"""Who may speak for a member of a consumer protocol group, and who is refused.

Epochs fence: whoever is not where the coordinator thinks it is owns nothing any more
(N8-8). Instance ids belong to one member at a time. Sources: the `throwIf...` and
`getOrMaybeSubscribe...` methods of `GroupMetadataManager`, and
`GroupCoordinatorService.throwIfConsumerGroupHeartbeatRequestIsInvalid` (4.3).
"""

from collections.abc import Collection
from dataclasses import replace

from kafkasim.protocol.errors import (
    FENCED_INSTANCE_ID,
    FENCED_MEMBER_EPOCH,
    INVALID_REQUEST,
    NONE,
    UNKNOWN_MEMBER_ID,
    UNRELEASED_INSTANCE_ID,
    UNSUPPORTED_ASSIGNOR,
)
from kafkasim.protocol.groups.coordinator.consumer_group import (
    ConsumerGroup,
    current_record,
)
from kafkasim.protocol.groups.coordinator.reconciliation import GroupMember
from kafkasim.protocol.groups.coordinator_records import (
    CurrentAssignmentRecord,
    MemberRecord,
    Record,
    TargetMemberRecord,
)
from kafkasim.protocol.groups.group_messages import (
    JOIN_EPOCH,
    LEAVE_FOR_A_WHILE_EPOCH,
    ConsumerGroupHeartbeat,
)


class RefusedError(Exception):
    """A request is answered with an error, and nothing has changed.

    Parameters
    ----------
    error : int
        Its code.
    """

    def __init__(self, error: int) -> None:
        super().__init__(error)
        self.error = error


def invalid(request: ConsumerGroupHeartbeat, assignors: Collection[str]) -> int:
    """Return the error of a request that no group could accept, or `NONE`."""
    epoch = request.member_epoch
    nameless = not request.group or not request.member_id
    unusable = "" in {request.instance_id, request.rack}
    if epoch == JOIN_EPOCH:
        unusable |= None in {request.rebalance_timeout_ms, request.topics}
        unusable |= request.owned is None or bool(request.owned)
    elif epoch == LEAVE_FOR_A_WHILE_EPOCH:
        unusable |= request.instance_id is None
    if nameless or unusable or epoch < LEAVE_FOR_A_WHILE_EPOCH:
        return INVALID_REQUEST
    asked_for = request.server_assignor
    if asked_for is not None and asked_for not in assignors:
        return UNSUPPORTED_ASSIGNOR
    return NONE


def admitted(
    group: ConsumerGroup, request: ConsumerGroupHeartbeat
) -> tuple[GroupMember, list[Record]]:
    """Return the member that speaks, and the records that make room for it.

    There are such records only where a static member comes back under another member
    id: it takes the place of the one it was.

    Raises
    ------
    RefusedError
        If it may not be in the group, or not any more.
    """
    if request.instance_id is None:
        return _dynamic(group, request), []
    records: list[Record] = []
    return _static(group, request, records), records


def _check_epoch(member: GroupMember, request: ConsumerGroupHeartbeat) -> None:
    """Refuse an epoch that is not the member's (N8-8).

    That before it will do if the member owns no more than it may: the response with the
    new one may have been lost. Epoch 0 will always do: it joins again.
    """
    epoch = request.member_epoch
    if epoch in {JOIN_EPOCH, member.epoch}:
        return
    lost = epoch < member.epoch and epoch == member.previous_epoch
    owned = request.owned
    if not lost or owned is None or not all(at in member.assigned for at in owned):
        raise RefusedError(FENCED_MEMBER_EPOCH)


def _dynamic(group: ConsumerGroup, request: ConsumerGroupHeartbeat) -> GroupMember:
    member = group.members.get(request.member_id)
    if member is None:
        if request.member_epoch != JOIN_EPOCH:
            raise RefusedError(UNKNOWN_MEMBER_ID)
        return GroupMember(member_id=request.member_id)
    _check_epoch(member, request)
    return member


def _static(
    group: ConsumerGroup, request: ConsumerGroupHeartbeat, records: list[Record]
) -> GroupMember:
    """Return a static member; one that comes back takes the place of the old one."""
    old = group.static_member(request.instance_id)
    member_id = request.member_id
    if request.member_epoch != JOIN_EPOCH:
        member = _static_of(old, member_id)
        _check_epoch(member, request)
        return member
    if old is None:
        return group.members.get(member_id) or GroupMember(member_id=member_id)
    if old.epoch != LEAVE_FOR_A_WHILE_EPOCH:
        raise RefusedError(UNRELEASED_INSTANCE_ID)
    member = replace(old, member_id=member_id, epoch=0, previous_epoch=0)
    target = group.targets.get(old.member_id, ())
    records += [
        *tombstones(group.group, old.member_id),
        MemberRecord(group.group, member_id, member.said),
        TargetMemberRecord(group.group, member_id, target),
        current_record(group.group, member),
    ]
    return member


def leaving(group: ConsumerGroup, request: ConsumerGroupHeartbeat) -> GroupMember:
    """Return the member that leaves.

    Raises
    ------
    RefusedError
        If it is not in the group.
    """
    if request.instance_id is not None:
        return _static_of(group.static_member(request.instance_id), request.member_id)
    member = group.members.get(request.member_id)
    if member is None:
        raise RefusedError(UNKNOWN_MEMBER_ID)
    return member


def _static_of(member: GroupMember | None, member_id: str) -> GroupMember:
    if member is None:
        raise RefusedError(UNKNOWN_MEMBER_ID)
    if member.member_id != member_id:
        raise RefusedError(FENCED_INSTANCE_ID)
    return member


def tombstones(group: str, member_id: str) -> list[Record]:
    """Return the records that delete all there is of a member."""
    return [
        CurrentAssignmentRecord(group, member_id, None),
        TargetMemberRecord(group, member_id, None),
        MemberRecord(group, member_id, None),
    ]
