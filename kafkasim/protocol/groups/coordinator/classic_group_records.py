"""What the record of a classic group keeps, and the group it becomes again.

A group's record is written when a generation has its assignment, when a static member
came back under another id, and when a group is made or has lost its last member; in
between its state is in memory alone. So a coordinator that loads it finds it `Stable`
or `Empty`. Sources: `GroupCoordinatorRecordHelpers.newGroupMetadataRecord`,
`GroupMetadataManager.replay` (4.3).
"""

from collections.abc import Mapping
from typing import Final

from kafkasim.protocol.groups.coordinator.classic_group import (
    ClassicGroup,
    ClassicMember,
    State,
)
from kafkasim.protocol.groups.coordinator_records import (
    ClassicGroupRecord,
    ClassicGroupValue,
    ClassicMemberValue,
)
from kafkasim.protocol.subscription import Assigned, Subscription

CONSUMERS: Final = "consumer"
"""Protocol type of groups of consumers (`ConsumerProtocol.PROTOCOL_TYPE`)."""


def first_record(group: ClassicGroup) -> ClassicGroupRecord:
    """Return the record of a group that was made a moment ago."""
    value = ClassicGroupValue(
        protocol_type="",
        generation=0,
        protocol=None,
        leader=None,
        changed_ms=group.changed_ms,
    )
    return ClassicGroupRecord(group.name, value)


def record_of(
    group: ClassicGroup, assignments: Mapping[str, Assigned | None]
) -> ClassicGroupRecord:
    """Return the record of a group with its members and their assignments.

    A member of whom `assignments` has nothing, or None, has none.
    """
    return ClassicGroupRecord(
        group.name,
        ClassicGroupValue(
            protocol_type=CONSUMERS if group.consumers else "",
            generation=group.generation,
            protocol=group.protocol,
            leader=group.leader,
            changed_ms=group.changed_ms,
            members=tuple(
                _value(member, group.protocol or "", assignments.get(member.member_id))
                for member in group.members.values()
            ),
        ),
    )


def _value(
    member: ClassicMember, protocol: str, assigned: Assigned | None
) -> ClassicMemberValue:
    return ClassicMemberValue(
        member_id=member.member_id,
        instance_id=member.instance_id,
        client_id=member.client_id,
        rebalance_timeout_ms=member.rebalance_timeout_ms,
        session_timeout_ms=member.session_timeout_ms,
        subscription=member.subscription(protocol),
        assigned=b"" if assigned is None else assigned,
    )


def group_of(name: str, value: ClassicGroupValue) -> ClassicGroup:
    """Return the group that a record tells of."""
    group = ClassicGroup(name, value.changed_ms)
    for each in value.members:
        group.add(_member(each, value.protocol or ""))
    group.state = State.STABLE if value.members else State.EMPTY
    group.generation = value.generation
    group.consumers = bool(value.protocol_type)
    group.protocol, group.leader = value.protocol, value.leader
    group.subscribed = group.topics()
    return group


def _member(value: ClassicMemberValue, protocol: str) -> ClassicMember:
    """Return a member that knows the protocol of its group, and no other any more."""
    said = value.subscription
    return ClassicMember(
        member_id=value.member_id,
        instance_id=value.instance_id,
        client_id=value.client_id,
        protocols=((protocol, Subscription(()) if isinstance(said, bytes) else said),),
        rebalance_timeout_ms=value.rebalance_timeout_ms,
        session_timeout_ms=value.session_timeout_ms,
        assigned=None if isinstance(value.assigned, bytes) else value.assigned,
    )
