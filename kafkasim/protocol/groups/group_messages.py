"""What members of consumer groups and their coordinators say to each other.

One class for each request and each response, with the fields of Kafka's own that a rule
of the protocol reads (`JoinGroupRequest.json` and so on, 4.3). Topics are names,
partitions numbers from 0, times milliseconds. An error is a code of
`kafkasim.protocol.errors`.

A coordinator answers a request with the effect `Answer`, at once or later; what it
answers after a write is in the effect `Write`, and is sent when the records are
replicated.
"""

from dataclasses import dataclass
from typing import Final

from kafkasim.protocol.errors import NONE
from kafkasim.protocol.groups.coordinator_records import Record
from kafkasim.protocol.subscription import (
    NO_GENERATION as NO_GENERATION,  # noqa: PLC0414 - also had from here
)
from kafkasim.protocol.subscription import (
    Assigned as Assigned,  # noqa: PLC0414 - also had from here
)
from kafkasim.protocol.subscription import (
    Subscription as Subscription,  # noqa: PLC0414 - also had from here
)
from kafkasim.protocol.subscription import (
    TopicPartition as TopicPartition,  # noqa: PLC0414 - also had from here
)

UNKNOWN_MEMBER: Final = ""
"""Member id of one that has none yet (`JoinGroupRequest.UNKNOWN_MEMBER_ID`)."""

JOIN_EPOCH: Final = 0
"""Member epoch of one that joins (KIP-848)."""
LEAVE_EPOCH: Final = -1
"""Member epoch of one that leaves for good."""
LEAVE_FOR_A_WHILE_EPOCH: Final = -2
"""Member epoch of a static member that will come back."""


# Requests


@dataclass(frozen=True, slots=True, kw_only=True)
class FindCoordinator:
    """Ask who coordinates a group."""

    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinGroup:
    """A member wants to be in the next generation."""

    group: str
    member_id: str = UNKNOWN_MEMBER
    instance_id: str | None = None
    client_id: str = "consumer"
    protocols: tuple[tuple[str, Subscription], ...]
    """Assignors in the order of its preference, each with its subscription."""
    session_timeout_ms: int = 45_000
    rebalance_timeout_ms: int = 300_000
    """`max.poll.interval.ms`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncGroup:
    """A member of the new generation asks for its assignment; the leader brings all."""

    group: str
    generation: int
    member_id: str
    instance_id: str | None = None
    protocol: str | None = None
    assignments: tuple[tuple[str, Assigned], ...] = ()
    """By member id; from the leader only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """A member lives (classic protocol)."""

    group: str
    generation: int
    member_id: str
    instance_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveGroup:
    """A member leaves."""

    group: str
    member_id: str
    instance_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommittedOffset:
    """One offset of a commit."""

    topic: str
    partition: int
    offset: int
    leader_epoch: int = -1
    metadata: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetCommit:
    """Store these offsets."""

    group: str
    generation: int = NO_GENERATION
    """Or the member's epoch; -1 from one that is in no group."""
    member_id: str = UNKNOWN_MEMBER
    instance_id: str | None = None
    offsets: tuple[CommittedOffset, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetFetch:
    """Ask which offsets are committed."""

    group: str
    member_id: str | None = None
    """None, and epoch -1: not asked by a member of the consumer protocol."""
    member_epoch: int = -1
    partitions: tuple[TopicPartition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerGroupHeartbeat:
    """All that a member of the consumer protocol says (KIP-848)."""

    group: str
    member_id: str
    member_epoch: int
    instance_id: str | None = None
    rack: str | None = None
    rebalance_timeout_ms: int | None = None
    """None: as said before; so with all that follows."""
    topics: tuple[str, ...] | None = None
    """Names subscribed to."""
    server_assignor: str | None = None
    owned: tuple[TopicPartition, ...] | None = None
    """What it owns."""
    client_id: str = "consumer"


Request = (
    FindCoordinator
    | JoinGroup
    | SyncGroup
    | Heartbeat
    | LeaveGroup
    | OffsetCommit
    | OffsetFetch
    | ConsumerGroupHeartbeat
)


# Responses


@dataclass(frozen=True, slots=True, kw_only=True)
class CoordinatorFound:
    """The response to `FindCoordinator`."""

    error: int = NONE
    node: int = -1
    """Index of the broker, from 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """The response to `JoinGroup`."""

    error: int = NONE
    generation: int = NO_GENERATION
    protocol: str | None = None
    leader: str = ""
    member_id: str = UNKNOWN_MEMBER
    members: tuple[tuple[str, str | None, Subscription], ...] = ()
    """Member id, instance id and subscription of each; to the leader only."""
    skip_assignment: bool = False
    """The leader need not compute an assignment (KIP-814)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """The response to `SyncGroup`."""

    error: int = NONE
    protocol: str | None = None
    assigned: Assigned = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Beaten:
    """The response to `Heartbeat`."""

    error: int = NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """The response to `LeaveGroup`."""

    error: int = NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetsCommitted:
    """The response to `OffsetCommit`."""

    errors: tuple[tuple[TopicPartition, int], ...] = ()
    """Of each partition, in the order of the request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetsFetched:
    """The response to `OffsetFetch`."""

    error: int = NONE
    offsets: tuple[CommittedOffset, ...] = ()
    """In the order of the request; offset -1 where nothing is committed
    (`OffsetFetchResponse.INVALID_OFFSET`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerGroupBeaten:
    """The response to `ConsumerGroupHeartbeat`."""

    error: int = NONE
    member_id: str = UNKNOWN_MEMBER
    member_epoch: int = 0
    heartbeat_interval_ms: int = 5_000
    assigned: Assigned | None = None
    """What it is to own; None: as before."""


Response = (
    CoordinatorFound
    | Joined
    | Synced
    | Beaten
    | Left
    | OffsetsCommitted
    | OffsetsFetched
    | ConsumerGroupBeaten
)


# What a coordinator hears from its host


@dataclass(frozen=True, slots=True)
class Written:
    """The records of a `Write` are replicated; the host says so of each one."""

    write: "Write"


@dataclass(frozen=True, slots=True)
class WriteFailed:
    """A `Write` could not be appended, or was not replicated in time."""

    write: "Write"
    error: int
    appended: bool = False
    """They are in the log all the same, and may yet be replicated."""


# Effects of a coordinator


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer a request now."""

    request: Request
    response: Response
    after_writes: bool = False
    """Now, unless the coordinator's partition has writes that are not yet replicated:
    then when they are (`CoordinatorRuntime.waitForPendingWrites`)."""


@dataclass(frozen=True, slots=True)
class Write:
    """Append records to the coordinator's partition, then answer.

    The coordinator has replayed them already; what it answers must not be sent before
    they are replicated (`CoordinatorRuntime`: an event waits in purgatory until the
    high watermark has passed its last record).
    """

    records: tuple[Record, ...]
    """In this order, in one batch."""
    answers: tuple[Answer, ...] = ()
    """To be sent when they are replicated, before the coordinator is told (`Written`);
    if they cannot be, it is told (`WriteFailed`) and says what to answer instead."""


@dataclass(frozen=True, slots=True)
class GroupChanged:
    """A group is in another state, or in another generation or epoch."""

    group: str
    state: str
    """As Kafka prints it, such as `PreparingRebalance`."""
    epoch: int
    """Generation, or group epoch."""
    members: int
    """How many it has."""
    cause: str
    """In a few words, such as `member joined`."""


Effect = Answer | Write | GroupChanged
