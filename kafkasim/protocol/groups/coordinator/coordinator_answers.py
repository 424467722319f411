"""What a coordinator answers when it cannot do what it is asked.

Source: `GroupCoordinatorService`, `CoordinatorOperationExceptionHelper` (4.3).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, assert_never

from kafkasim.protocol.errors import (
    COORDINATOR_LOAD_IN_PROGRESS,
    COORDINATOR_NOT_AVAILABLE,
    INVALID_GROUP_ID,
    INVALID_REQUEST,
    KAFKA_STORAGE_ERROR,
    MESSAGE_TOO_LARGE,
    NETWORK_EXCEPTION,
    NONE,
    NOT_COORDINATOR,
    NOT_ENOUGH_REPLICAS,
    NOT_LEADER_OR_FOLLOWER,
    RECORD_LIST_TOO_LARGE,
    REQUEST_TIMED_OUT,
    UNKNOWN_SERVER_ERROR,
    UNKNOWN_TOPIC_OR_PARTITION,
)
from kafkasim.protocol.groups.group_messages import (
    Answer,
    Beaten,
    ConsumerGroupBeaten,
    ConsumerGroupHeartbeat,
    CoordinatorFound,
    FindCoordinator,
    Heartbeat,
    Joined,
    JoinGroup,
    LeaveGroup,
    Left,
    OffsetCommit,
    OffsetFetch,
    OffsetsCommitted,
    OffsetsFetched,
    Request,
    Response,
    Synced,
    SyncGroup,
)

_OF_WRITES: Final[Mapping[int, int]] = MappingProxyType(
    {
        UNKNOWN_TOPIC_OR_PARTITION: COORDINATOR_NOT_AVAILABLE,
        NOT_ENOUGH_REPLICAS: COORDINATOR_NOT_AVAILABLE,
        REQUEST_TIMED_OUT: COORDINATOR_NOT_AVAILABLE,
        NOT_LEADER_OR_FOLLOWER: NOT_COORDINATOR,
        KAFKA_STORAGE_ERROR: NOT_COORDINATOR,
        MESSAGE_TOO_LARGE: UNKNOWN_SERVER_ERROR,
        RECORD_LIST_TOO_LARGE: UNKNOWN_SERVER_ERROR,
    }
)

_TOLD: Final[Mapping[int, int]] = MappingProxyType(
    {**_OF_WRITES, NETWORK_EXCEPTION: COORDINATOR_LOAD_IN_PROGRESS}
)
"""What a client hears of an error of the log (`handleOperationException`)."""

_LOOK_AGAIN: Final = frozenset({
    UNKNOWN_TOPIC_OR_PARTITION, NOT_ENOUGH_REPLICAS, REQUEST_TIMED_OUT,
})  # fmt: skip
"""After which one that asked for offsets looks for its coordinator again
(`handleOffsetFetchException`)."""


def told_to_members(error: int) -> int:
    """Return what a member of a classic group hears when a write failed.

    `GroupMetadataManager.appendGroupMetadataErrorToResponseError`.
    """
    return _OF_WRITES.get(error, error)


def refusal(request: Request, error: int) -> Response:
    """Return the response to a request that failed as a whole.

    Parameters
    ----------
    request : Request
        What was asked.
    error : int
        Why it failed; an error of the log becomes what clients know. A heartbeat of the
        classic protocol that comes while its group is being loaded is answered as if
        all were well.
    """
    told = _TOLD.get(error, error)
    response: Response
    match request:
        case JoinGroup():
            response = Joined(error=told, member_id=request.member_id)
        case SyncGroup():
            response = Synced(error=told)
        case Heartbeat():
            loading = told == COORDINATOR_LOAD_IN_PROGRESS
            response = Beaten(error=NONE if loading else told)
        case LeaveGroup():
            response = Left(error=told)
        case OffsetCommit():
            each = tuple(((at.topic, at.partition), told) for at in request.offsets)
            response = OffsetsCommitted(errors=each)
        case OffsetFetch():
            again = error in _LOOK_AGAIN
            response = OffsetsFetched(error=NOT_COORDINATOR if again else told)
        case ConsumerGroupHeartbeat():
            response = ConsumerGroupBeaten(error=told, heartbeat_interval_ms=0)
        case FindCoordinator():
            response = CoordinatorFound(error=told)
        case _:
            assert_never(request)
    return response


def refused(request: Request, error: int) -> Answer:
    """Return the answer, at once, that a request failed as a whole."""
    return Answer(request, refusal(request, error))


def wrong(request: Request) -> int:
    """Return the error of a request that names no group, or `NONE`.

    Offsets may be kept under the empty name.
    """
    if request.group or isinstance(request, OffsetCommit | OffsetFetch):
        return NONE
    modern = isinstance(request, ConsumerGroupHeartbeat)
    return INVALID_REQUEST if modern else INVALID_GROUP_ID
