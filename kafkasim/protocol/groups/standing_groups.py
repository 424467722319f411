"""The records of a group that has been stable for a while.

What `__consumer_offsets` has kept of it when it begins to be looked at: its members,
what each of them owns, in its first generation or epoch, and where it has begun to
read. A coordinator that replays them goes on with the group as with any that it loads.

Sources: `GroupCoordinatorRecordHelpers`, `GroupMetadataManager.replay` (4.3).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from kafkasim.protocol.groups.coordinator.consumer_group import (
    ConsumerGroup,
    PartitionsOf,
    current_record,
    hash_of,
)
from kafkasim.protocol.groups.coordinator.consumer_target import (
    ServerAssignor,
    new_target,
    preferred_assignor,
)
from kafkasim.protocol.groups.coordinator.reconciliation import GroupMember
from kafkasim.protocol.groups.coordinator_records import (
    ClassicGroupRecord,
    ClassicGroupValue,
    ClassicMemberValue,
    ConsumerGroupRecord,
    ConsumerGroupValue,
    CurrentAssignmentRecord,
    MemberRecord,
    MemberValue,
    OffsetRecord,
    Record,
)
from kafkasim.protocol.groups.group_messages import ConsumerGroupHeartbeat, JoinGroup
from kafkasim.protocol.subscription import Assigned, TopicPartition
from kafkasim.protocol.topic_ids import TopicIds

FIRST: Final = 1
"""The generation, or epoch, of such a group and of its members."""


def classic_record(
    members: Mapping[str, JoinGroup],
    protocol: str,
    assignments: Mapping[str, Assigned],
    now_ms: int,
) -> ClassicGroupRecord:
    """Return the record of a group of the classic protocol.

    Parameters
    ----------
    members : mapping of str to JoinGroup
        With what each has joined, by member id; the first one leads.
    protocol : str
        The assignor that they have agreed on.
    assignments : mapping of str to sequence of (str, int)
        What each owns.
    now_ms : int
        When the group became stable.
    """
    name = next(iter(members.values())).group
    return ClassicGroupRecord(
        name,
        ClassicGroupValue(
            generation=FIRST,
            protocol=protocol,
            leader=next(iter(members)),
            changed_ms=now_ms,
            members=tuple(
                ClassicMemberValue(
                    member_id=member_id,
                    instance_id=join.instance_id,
                    client_id=join.client_id,
                    rebalance_timeout_ms=join.rebalance_timeout_ms,
                    session_timeout_ms=join.session_timeout_ms,
                    subscription=dict(join.protocols)[protocol],
                    assigned=assignments.get(member_id, ()),
                )
                for member_id, join in members.items()
            ),
        ),
    )


def consumer_records(
    members: Sequence[ConsumerGroupHeartbeat],
    assignors: Mapping[str, ServerAssignor],
    partitions_of: PartitionsOf,
    now_ms: int,
) -> list[Record]:
    """Return the records of a group of the consumer protocol.

    Parameters
    ----------
    members : sequence of ConsumerGroupHeartbeat
        With which each has joined.
    assignors : mapping of str to ServerAssignor
        Of the coordinator, by name; the first one is the default.
    partitions_of : callable
        How many partitions a topic has.
    now_ms : int
        When its target was computed.
    """
    group = ConsumerGroup(members[0].group)
    records: list[Record] = []

    def add(these: Iterable[Record]) -> None:
        for record in these:
            group.replay(record)
            records.append(record)

    add(MemberRecord(group.group, each.member_id, _said(each)) for each in members)
    topics = hash_of(tuple(sorted(group.topics)), partitions_of)
    value = ConsumerGroupValue(FIRST, topics)
    add([ConsumerGroupRecord(group.group, value)])
    one = group.members[members[0].member_id]
    assignor = preferred_assignor(group, one, one, next(iter(assignors)))
    target, _ = new_target(
        group, one, FIRST, assignor=assignors[assignor],
        partitions_of=partitions_of, now_ms=now_ms,
    )  # fmt: skip
    add(target)
    add([
        current_record(
            group.group,
            GroupMember(
                member_id=each.member_id, epoch=FIRST, previous_epoch=0,
                assigned=dict.fromkeys(group.targets[each.member_id], FIRST),
            ),
        )
        for each in members
    ])  # fmt: skip
    return records


def _said(request: ConsumerGroupHeartbeat) -> MemberValue:
    timeout_ms = request.rebalance_timeout_ms
    return MemberValue(
        instance_id=request.instance_id,
        rack=request.rack,
        client_id=request.client_id,
        topics=request.topics or (),
        rebalance_timeout_ms=-1 if timeout_ms is None else timeout_ms,
        assignor=request.server_assignor,
    )


def owned_in(records: Iterable[Record]) -> dict[str, Assigned]:
    """Return what each member of a group of the consumer protocol owns."""
    return {
        record.member_id: record.value.assigned
        for record in records
        if isinstance(record, CurrentAssignmentRecord) and record.value is not None
    }


def offset_records(
    group: str, offsets: Mapping[TopicPartition, int], ids: TopicIds, now_ms: int
) -> list[Record]:
    """Return the records of offsets that a group has committed."""
    return [
        OffsetRecord(
            group, topic, number, offset,
            committed_ms=now_ms, topic_id=ids.text(topic),
        )
        for (topic, number), offset in offsets.items()
    ]  # fmt: skip
