"""The records of `__consumer_offsets`: what a coordinator must not forget.

Types by the version of the key (OF-3): 0 and 1 an offset commit, 2 the metadata of a
classic group, 3 to 8 and 16 those of a group of the consumer protocol (KIP-848). A
record whose value is None is a tombstone: what its key names is gone. Sources:
`GroupCoordinatorRecordHelpers`, and the messages `OffsetCommitKey.json` and so on, as
4.3 writes them. Topics are names: `kafkasim.protocol.groups.coordinator_bytes` puts
their ids into Kafka's bytes.
"""

from dataclasses import dataclass
from typing import ClassVar, Final

from kafkasim.protocol.subscription import Assigned, Subscription

STABLE: Final = 0
"""State of a member that is where its group is (`MemberState`)."""
UNREVOKED_PARTITIONS: Final = 1
"""State of one that has partitions to give up."""
UNRELEASED_PARTITIONS: Final = 2
"""State of one that waits for partitions that others own."""


@dataclass(frozen=True, slots=True)
class OffsetRecord:
    """A committed offset, or that there is none any more (`OffsetCommit`)."""

    type: ClassVar[int] = 1
    group: str
    topic: str
    partition: int
    offset: int | None
    """None: a tombstone."""
    leader_epoch: int = -1
    metadata: str = ""
    committed_ms: int = 0
    expires_ms: int | None = None
    """Of a client that named its own retention (OffsetCommit v2 to v4 only)."""
    topic_id: str = ""
    """As Kafka prints ids; empty from a client that commits by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassicMemberValue:
    """One member of a classic group, as the group's record keeps it."""

    member_id: str
    instance_id: str | None = None
    client_id: str
    client_host: str = "/127.0.0.1"
    rebalance_timeout_ms: int
    session_timeout_ms: int
    subscription: Subscription | bytes
    """That for the protocol of the group; bytes if it is not of a consumer."""
    assigned: Assigned | bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassicGroupValue:
    """A classic group after a rebalance, or without members."""

    protocol_type: str = "consumer"
    """Empty in the first record of a new group."""
    generation: int
    protocol: str | None
    """Name of the assignor; None without members."""
    leader: str | None
    changed_ms: int = -1
    """When it came into its state (`currentStateTimestamp`)."""
    members: tuple[ClassicMemberValue, ...] = ()


@dataclass(frozen=True, slots=True)
class ClassicGroupRecord:
    """A classic group (`GroupMetadata`)."""

    type: ClassVar[int] = 2
    group: str
    value: ClassicGroupValue | None


@dataclass(frozen=True, slots=True)
class ConsumerGroupValue:
    """How far a group of the consumer protocol is."""

    epoch: int
    """The group epoch."""
    metadata_hash: int = 0
    """Of the topics it reads (KIP-1101, since 4.1)."""


@dataclass(frozen=True, slots=True)
class ConsumerGroupRecord:
    """A group of the consumer protocol (`ConsumerGroupMetadata`)."""

    type: ClassVar[int] = 3
    group: str
    value: ConsumerGroupValue | None


@dataclass(frozen=True, slots=True)
class TopicMetadata:
    """What 4.0 kept of a topic that a group reads."""

    topic_id: str
    topic: str
    partitions: int
    racks: tuple[tuple[int, tuple[str, ...]], ...] = ()
    """Of each partition, where known: the racks that hold it."""


@dataclass(frozen=True, slots=True)
class PartitionMetadataRecord:
    """The topics of a group (`ConsumerGroupPartitionMetadata`); until 4.0 only."""

    type: ClassVar[int] = 4
    group: str
    value: tuple[TopicMetadata, ...] | None


@dataclass(frozen=True, slots=True)
class ClassicProtocols:
    """What is kept of a member that speaks the classic protocol in such a group."""

    session_timeout_ms: int
    protocols: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberValue:
    """What a member of the consumer protocol has said of itself."""

    instance_id: str | None = None
    rack: str | None = None
    client_id: str
    client_host: str = "/127.0.0.1"
    topics: tuple[str, ...]
    """Names it subscribed to, sorted."""
    regex: str | None = None
    rebalance_timeout_ms: int
    assignor: str | None = None
    classic: ClassicProtocols | None = None


@dataclass(frozen=True, slots=True)
class MemberRecord:
    """A member of the consumer protocol (`ConsumerGroupMemberMetadata`)."""

    type: ClassVar[int] = 5
    group: str
    member_id: str
    value: MemberValue | None


@dataclass(frozen=True, slots=True)
class TargetEpochValue:
    """For which group epoch the target assignment is, and since when."""

    epoch: int
    at_ms: int = 0
    """When it had been computed (KIP-1263, since 4.3)."""


@dataclass(frozen=True, slots=True)
class TargetEpochRecord:
    """The target assignment (`ConsumerGroupTargetAssignmentMetadata`)."""

    type: ClassVar[int] = 6
    group: str
    value: TargetEpochValue | None


@dataclass(frozen=True, slots=True)
class TargetMemberRecord:
    """What a member is to own (`ConsumerGroupTargetAssignmentMember`)."""

    type: ClassVar[int] = 7
    group: str
    member_id: str
    value: Assigned | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentAssignmentValue:
    """How far a member of the consumer protocol is."""

    epoch: int
    """The member epoch."""
    previous_epoch: int
    state: int
    """`STABLE`, `UNREVOKED_PARTITIONS` or `UNRELEASED_PARTITIONS`."""
    assigned: Assigned = ()
    assigned_epochs: tuple[int, ...] | None = ()
    """In which epoch it got each (since 4.3); None: not known."""
    revoking: Assigned = ()
    """What it has yet to give up."""
    revoking_epochs: tuple[int, ...] | None = ()


@dataclass(frozen=True, slots=True)
class CurrentAssignmentRecord:
    """How far a member is (`ConsumerGroupCurrentMemberAssignment`)."""

    type: ClassVar[int] = 8
    group: str
    member_id: str
    value: CurrentAssignmentValue | None


@dataclass(frozen=True, slots=True)
class RegexValue:
    """Which topics a regular expression stands for."""

    topics: tuple[str, ...]
    """Sorted."""
    version: int
    """Of the metadata it was looked up in."""
    at_ms: int


@dataclass(frozen=True, slots=True)
class RegexRecord:
    """A regular expression subscribed to (`ConsumerGroupRegularExpression`)."""

    type: ClassVar[int] = 16
    group: str
    regex: str
    value: RegexValue | None


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A record of another kind of group (share, streams), or one not understood."""

    type: int
    """-1: not even that can be told."""
    key: bytes
    value: bytes | None


GroupRecord = (
    ClassicGroupRecord
    | ConsumerGroupRecord
    | PartitionMetadataRecord
    | MemberRecord
    | TargetEpochRecord
    | TargetMemberRecord
    | CurrentAssignmentRecord
    | RegexRecord
)
"""One that tells of a group."""

Record = OffsetRecord | GroupRecord | RawRecord
"""Any of them."""
