"""The sticky assignors: members keep what they have (AS-3, AS-4, AS-5).

`sticky` is for the eager protocol: members give up all they own before they join, and
send along what they had (`StickyAssignor`). `cooperative-sticky` is for the cooperative
one: members keep what they own, and a partition that changes its owner is first taken
from the old one and assigned in the next rebalance (`CooperativeStickyAssignor`).
"""

from kafkasim.protocol.assignors.claims import MemberData, claims_of
from kafkasim.protocol.assignors.constrained import ConstrainedAssignment
from kafkasim.protocol.assignors.general import GeneralAssignment
from kafkasim.protocol.assignors.inputs import Assignment, Group
from kafkasim.protocol.assignors.racks import rack_info
from kafkasim.protocol.java_order import walk_grouped
from kafkasim.protocol.subscription import NO_GENERATION, Subscription, TopicPartition

UserData = tuple[tuple[TopicPartition, ...], int]
"""What a member had, and in which generation."""


def as_written(partitions: tuple[TopicPartition, ...]) -> tuple[TopicPartition, ...]:
    """Return partitions as user data keeps them: topic by topic, in Java's order."""
    topics = walk_grouped(topic for topic, _ in partitions)
    return tuple(one for topic in topics for one in partitions if one[0] == topic)


def sticky_data(subscription: Subscription) -> MemberData:
    """Return what a member had: what its user data says, and nothing else."""
    if subscription.user_data is None:
        return (), None
    return subscription.user_data


def cooperative_data(subscription: Subscription) -> MemberData:
    """Return what a member owns; its generation, or else that of its user data."""
    if subscription.generation != NO_GENERATION:
        return subscription.owned, subscription.generation
    if subscription.user_data is None:
        return subscription.owned, None
    return subscription.owned, subscription.user_data[1]


def assign_sticky(
    group: Group, latest: int, *, cooperative: bool
) -> tuple[Assignment, int]:
    """Return what each member gets, and the latest generation that was seen.

    `latest` is that which the leader's assignor has seen before.
    """
    if not group.members:
        return {}, latest
    data_of = cooperative_data if cooperative else sticky_data
    claims = claims_of(group, {id_: data_of(one) for id_, one in group.members.items()})
    claims.generation = max(claims.generation, latest)
    racks = rack_info(group)
    if claims.alike:
        constrained = ConstrainedAssignment(group, racks, claims)
        assignment, moving = constrained.build(), constrained.moving
    else:
        assignment = GeneralAssignment(group, racks, claims).build()
        moving = changing_hands(group, assignment) if cooperative else {}
    if cooperative:
        withhold(assignment, moving)
    return assignment, claims.generation


def changing_hands(group: Group, assignment: Assignment) -> dict[TopicPartition, str]:
    """Return partitions that one member gets and another loses, with the former."""
    added: dict[TopicPartition, str] = {}
    lost: set[TopicPartition] = set()
    for member, partitions in assignment.items():
        owned, assigned = set(group.members[member].owned), set(partitions)
        added |= dict.fromkeys(assigned - owned, member)
        lost |= owned - assigned
    return {partition: added[partition] for partition in added.keys() & lost}


def withhold(assignment: Assignment, moving: dict[TopicPartition, str]) -> None:
    """Take out of an assignment what has to be revoked first (`adjustAssignment`)."""
    for partition, member in moving.items():
        assignment[member].remove(partition)
