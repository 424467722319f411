"""Requests of a group's members.

Their payload is a request of `kafkasim.protocol.groups.group_messages`, their answer a
response of it. A member has two connections to each broker, as a consumer has: one for
data, and one that is used while that broker is its coordinator, so that a heartbeat
does not wait behind a fetch (`AbstractCoordinator`: the node id is `Integer.MAX_VALUE`
less that of the broker). With n brokers, its connections are n for data by broker index
and n more for the coordinator by broker index.
"""

from collections.abc import Callable
from typing import Final

from kafkasim.engine.sim.request import (
    CONSUMER_GROUP_HEARTBEAT,
    FIND_COORDINATOR,
    HEARTBEAT,
    JOIN_GROUP,
    LEAVE_GROUP,
    OFFSET_COMMIT,
    OFFSET_FETCH,
    SYNC_GROUP,
    Connection,
    Request,
)
from kafkasim.protocol.errors import NONE
from kafkasim.protocol.groups import group_messages as messages
from kafkasim.protocol.groups.message_bytes import request_bytes

API_OF: Final[dict[type, int]] = {
    messages.FindCoordinator: FIND_COORDINATOR,
    messages.JoinGroup: JOIN_GROUP,
    messages.SyncGroup: SYNC_GROUP,
    messages.Heartbeat: HEARTBEAT,
    messages.LeaveGroup: LEAVE_GROUP,
    messages.OffsetCommit: OFFSET_COMMIT,
    messages.OffsetFetch: OFFSET_FETCH,
    messages.ConsumerGroupHeartbeat: CONSUMER_GROUP_HEARTBEAT,
}
"""Which API a message belongs to: a code into `kafkasim.result.schema.APIS`."""

GROUP_APIS: Final = frozenset(API_OF.values())
"""Those that are a coordinator's, in a run with coordinators."""


class GroupRequest(Request):
    """A request of a member of a group.

    Parameters
    ----------
    connection : Connection
        What carries it.
    sent_ns : int
        When the client sends it.
    message : Request
        Of `kafkasim.protocol.groups.group_messages`.
    on_answer : callable
        Called with this when its answer has come.
    member : int
        Code of the member's name in the tables.
    kind : int
        Of an OffsetCommit: a code into `kafkasim.result.schema.COMMIT_KINDS`.
    """

    __slots__ = ("kind", "member")

    def __init__(  # noqa: PLR0917
        self,
        connection: Connection,
        sent_ns: int,
        message: messages.Request,
        on_answer: Callable[[Request], None],
        member: int,
        kind: int = 0,
    ) -> None:
        super().__init__(API_OF[type(message)], connection, sent_ns, message, on_answer)
        self.said_bytes = request_bytes(message)
        self.member = member
        self.kind = kind


def error_of(response: messages.Response) -> int:
    """Return the error that a response tells; the first of several."""
    if isinstance(response, messages.OffsetsCommitted):
        found = (error for _, error in response.errors if error != NONE)
        return next(found, NONE)
    return response.error
