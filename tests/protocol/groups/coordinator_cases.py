"""Records of `__consumer_offsets`, by the name of what the real classes wrote."""

from typing import Final

from kafkasim.protocol.groups.coordinator_records import (
    UNREVOKED_PARTITIONS,
    ClassicGroupRecord,
    ClassicGroupValue,
    ClassicMemberValue,
    ClassicProtocols,
    ConsumerGroupRecord,
    ConsumerGroupValue,
    CurrentAssignmentRecord,
    CurrentAssignmentValue,
    MemberRecord,
    MemberValue,
    OffsetRecord,
    PartitionMetadataRecord,
    Record,
    RegexRecord,
    RegexValue,
    TargetEpochRecord,
    TargetEpochValue,
    TargetMemberRecord,
    TopicMetadata,
)
from kafkasim.protocol.subscription import Subscription

ORDERS: Final = "AAAAAAAAQACAAAAAAAAAAQ"
PAID: Final = "IT6tP0UfTsyG7aIS7lsh4Q"
MEMBER: Final = "U3hXsT0kR0m7fJgQ2L1n5w"
OWNED: Final = (("orders", 0), ("orders", 2), ("paid", 1))


def _classic(protocol: str, said: Subscription) -> ClassicGroupRecord:
    first = ClassicMemberValue(
        member_id="consumer-1-3f9e",
        instance_id="i-1",
        client_id="consumer-1",
        client_host="/10.0.0.1",
        rebalance_timeout_ms=300_000,
        session_timeout_ms=45_000,
        subscription=said,
        assigned=OWNED,
    )
    second = ClassicMemberValue(
        member_id="consumer-2-77aa",
        client_id="consumer-1",
        client_host="/10.0.0.1",
        rebalance_timeout_ms=300_000,
        session_timeout_ms=45_000,
        subscription=said,
        assigned=b"",
    )
    value = ClassicGroupValue(
        generation=5,
        protocol=protocol,
        leader="consumer-1-3f9e",
        changed_ms=1_700_000_000_000,
        members=(first, second),
    )
    return ClassicGroupRecord("billing", value)


TOPICS: Final = ("orders", "paid")
OFFSET: Final = OffsetRecord("billing", "orders", 7, 42, 5, "note ü", 1_700_000_000_123)

SAYS: Final[dict[str, Record]] = {
    "OffsetCommit v4": OFFSET,
    "OffsetCommit v1": OffsetRecord(
        "billing",
        "orders",
        7,
        42,
        metadata="note ü",
        committed_ms=1_700_000_000_123,
        expires_ms=1_700_000_001_123,
    ),
    "OffsetCommit with topic id": OffsetRecord(
        "billing", "orders", 7, 1 << 40, committed_ms=1, topic_id=PAID
    ),
    "OffsetCommit tombstone": OffsetRecord("billing", "orders", 7, None),
    "GroupMetadata first": ClassicGroupRecord(
        "billing",
        ClassicGroupValue(
            protocol_type="",
            generation=0,
            protocol=None,
            leader=None,
            changed_ms=1_700_000_000_000,
        ),
    ),
    "GroupMetadata empty": ClassicGroupRecord(
        "billing",
        ClassicGroupValue(
            generation=4, protocol=None, leader=None, changed_ms=1_700_000_000_000
        ),
    ),
    "GroupMetadata tombstone": ClassicGroupRecord("billing", None),
    "GroupMetadata v3 range": _classic("range", Subscription(TOPICS)),
    "GroupMetadata v3 roundrobin": _classic(
        "roundrobin", Subscription(TOPICS, OWNED, 3, "rack-a")
    ),
    # Java groups what the sticky assignor had by topic in a hash map.
    "GroupMetadata v3 sticky": _classic(
        "sticky",
        Subscription(
            TOPICS,
            OWNED,
            6,
            user_data=((("paid", 1), ("orders", 0), ("orders", 2)), 6),
        ),
    ),
    "GroupMetadata v3 cooperative-sticky": _classic(
        "cooperative-sticky", Subscription(TOPICS, OWNED, 6, "rack-b")
    ),
    "GroupMetadata v3 cooperative-sticky other generation": _classic(
        "cooperative-sticky", Subscription(TOPICS, (), 5, user_data=((), 6))
    ),
    "GroupMetadata connect": ClassicGroupRecord(
        "billing",
        ClassicGroupValue(
            protocol_type="connect",
            generation=1,
            protocol="sessioned",
            leader="w",
            changed_ms=5,
            members=(
                ClassicMemberValue(
                    member_id="w",
                    client_id="c",
                    client_host="/h",
                    rebalance_timeout_ms=1,
                    session_timeout_ms=2,
                    subscription=b"\1\2\3",
                    assigned=b"\4",
                ),
            ),
        ),
    ),
    "ConsumerGroupMetadata": ConsumerGroupRecord(
        "billing", ConsumerGroupValue(10, -1_234_567_890_123)
    ),
    "ConsumerGroupMetadata without hash": ConsumerGroupRecord(
        "billing", ConsumerGroupValue(10)
    ),
    "ConsumerGroupMetadata tombstone": ConsumerGroupRecord("billing", None),
    "ConsumerGroupPartitionMetadata": PartitionMetadataRecord(
        "billing",
        (
            TopicMetadata(ORDERS, "orders", 3, ((1, ("a", "b")),)),
            TopicMetadata(PAID, "paid", 1),
        ),
    ),
    "ConsumerGroupPartitionMetadata tombstone": PartitionMetadataRecord(
        "billing", None
    ),
    "ConsumerGroupMemberMetadata": MemberRecord(
        "billing",
        MEMBER,
        MemberValue(client_id="c-1", topics=TOPICS, rebalance_timeout_ms=300_000),
    ),
    "ConsumerGroupMemberMetadata full": MemberRecord(
        "billing",
        MEMBER,
        MemberValue(
            instance_id="i-1",
            rack="a",
            client_id="c-1",
            topics=TOPICS,
            regex="or.*",
            rebalance_timeout_ms=300_000,
            assignor="range",
            classic=ClassicProtocols(45_000, (("range", b"\1\2\3"),)),
        ),
    ),
    "ConsumerGroupMemberMetadata default classic": MemberRecord(
        "billing",
        MEMBER,
        MemberValue(
            instance_id="",
            rack="",
            client_id="c",
            client_host="h",
            topics=(),
            regex="",
            rebalance_timeout_ms=-1,
            assignor="",
            classic=ClassicProtocols(0, ()),
        ),
    ),
    "ConsumerGroupMemberMetadata tombstone": MemberRecord("billing", MEMBER, None),
    "TargetAssignmentMetadata": TargetEpochRecord(
        "billing", TargetEpochValue(10, 1_700_000_000_000)
    ),
    "TargetAssignmentMetadata 4.2": TargetEpochRecord("billing", TargetEpochValue(10)),
    "TargetAssignmentMetadata tombstone": TargetEpochRecord("billing", None),
    "TargetAssignmentMember": TargetMemberRecord(
        "billing", MEMBER, ((ORDERS, 0), (ORDERS, 1), (ORDERS, 300), (PAID, 2))
    ),
    "TargetAssignmentMember nothing": TargetMemberRecord("billing", MEMBER, ()),
    "TargetAssignmentMember tombstone": TargetMemberRecord("billing", MEMBER, None),
    "CurrentMemberAssignment": CurrentAssignmentRecord(
        "billing",
        MEMBER,
        CurrentAssignmentValue(
            epoch=11,
            previous_epoch=10,
            state=UNREVOKED_PARTITIONS,
            assigned=((ORDERS, 0), (ORDERS, 1)),
            assigned_epochs=(3, 11),
            revoking=((PAID, 5),),
            revoking_epochs=(2,),
        ),
    ),
    "CurrentMemberAssignment 4.2": CurrentAssignmentRecord(
        "billing",
        MEMBER,
        CurrentAssignmentValue(
            epoch=11,
            previous_epoch=10,
            state=0,
            assigned=((ORDERS, 0), (ORDERS, 1)),
            assigned_epochs=None,
        ),
    ),
    "CurrentMemberAssignment nothing": CurrentAssignmentRecord(
        "billing", MEMBER, CurrentAssignmentValue(epoch=-2, previous_epoch=10, state=0)
    ),
    "CurrentMemberAssignment tombstone": CurrentAssignmentRecord(
        "billing", MEMBER, None
    ),
    "RegularExpression": RegexRecord(
        "billing", "or.*", RegexValue(("orders",), 77, 1_700_000_000_000)
    ),
    "RegularExpression tombstone": RegexRecord("billing", "or.*", None),
}
