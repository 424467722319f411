"""What can be wrong with a request to a classic group.

Each check returns an error, or NONE. A member that is fenced is told so before anything
else, and what it may do depends on its group's state last. Sources: `ClassicGroup`,
`GroupMetadataManager` (4.3).
"""

from kafkasim.protocol.errors import (
    COORDINATOR_NOT_AVAILABLE,
    ILLEGAL_GENERATION,
    INCONSISTENT_GROUP_PROTOCOL,
    NONE,
    REBALANCE_IN_PROGRESS,
    UNKNOWN_MEMBER_ID,
)
from kafkasim.protocol.groups.coordinator.classic_group import ClassicGroup, State
from kafkasim.protocol.groups.group_messages import (
    UNKNOWN_MEMBER,
    Heartbeat,
    OffsetCommit,
    SyncGroup,
)


def wrong(group: ClassicGroup, request: Heartbeat | OffsetCommit) -> int:
    """Return what is wrong with a request of a member of the present generation."""
    if group.state == State.DEAD:
        return COORDINATOR_NOT_AVAILABLE
    error = group.check(request.member_id, request.instance_id)
    if error == NONE and request.generation != group.generation:
        return ILLEGAL_GENERATION
    return error


def wrong_commit(group: ClassicGroup, request: OffsetCommit) -> int:
    """Return what is wrong with a commit (`ClassicGroup.validateOffsetCommit`)."""
    outside = request.generation < 0
    named = request.member_id != UNKNOWN_MEMBER or request.instance_id is not None
    if outside and group.state == State.EMPTY:
        return NONE
    if outside and not named and group.state != State.DEAD:
        return UNKNOWN_MEMBER_ID
    error = wrong(group, request)
    if error == NONE and group.state == State.COMPLETING:
        return REBALANCE_IN_PROGRESS
    return error


def wrong_sync(group: ClassicGroup | None, request: SyncGroup) -> int:
    """Return what is wrong with a sync (`validateSyncGroup`)."""
    error = NONE
    if group is None or group.state == State.EMPTY:
        error = UNKNOWN_MEMBER_ID
    elif group.state == State.DEAD:
        error = COORDINATOR_NOT_AVAILABLE
    elif group.check(request.member_id, request.instance_id) != NONE:
        error = group.check(request.member_id, request.instance_id)
    elif request.generation != group.generation:
        error = ILLEGAL_GENERATION
    elif None not in (request.protocol, group.protocol) and (
        request.protocol != group.protocol
    ):
        error = INCONSISTENT_GROUP_PROTOCOL
    elif group.state == State.PREPARING:
        error = REBALANCE_IN_PROGRESS
    return error
