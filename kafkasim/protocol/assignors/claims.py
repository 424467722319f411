"""What the members of a group say they own, and which of it counts (AS-3).

A partition that two members claim belongs to the one of the later generation; claimed
twice in the same one it belongs to neither
(`AbstractStickyAssignor.allSubscriptionsEqual`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from kafkasim.protocol.assignors.inputs import Assignment, Group
from kafkasim.protocol.subscription import NO_GENERATION, TopicPartition

MemberData = tuple[Sequence[TopicPartition], int | None]
"""What a member had, and in which generation, if it says so."""


@dataclass(slots=True)
class Claims:
    """What counts of all that members claim.

    Parameters
    ----------
    data : mapping of member to MemberData
        What each said.
    owned : Assignment
        What each may keep.
    twice : set of partitions
        Those that several members of one generation claim.
    generation : int
        The latest one that a member names.
    alike : bool
        Whether all subscribe to the same topics.
    """

    data: Mapping[str, MemberData]
    owned: Assignment = field(default_factory=dict)
    twice: set[TopicPartition] = field(default_factory=set)
    generation: int = NO_GENERATION
    alike: bool = True


def claims_of(group: Group, data: Mapping[str, MemberData]) -> Claims:
    """Return what counts of `data`, members in the order of the leader's map."""
    claims = Claims(data)
    topics = group.partitions
    wanted: tuple[str, ...] = ()
    for member, subscription in group.members.items():
        if not wanted:
            wanted = subscription.topics
        elif subscription.topics != wanted:
            claims.alike &= set(subscription.topics) == set(wanted)
        partitions, said = data[member]
        if said is not None:
            claims.generation = max(claims.generation, said)
        claims.owned[member] = [one for one in partitions if one[0] in topics]
    everything = list(chain.from_iterable(claims.owned.values()))
    if len(set(everything)) < len(everything):
        _settle(group, claims)
    return claims


def _settle(group: Group, claims: Claims) -> None:
    """Settle who may keep what several members claim."""
    holder: dict[TopicPartition, str] = {}
    for member, claimed in list(claims.owned.items()):
        mine = claims.owned[member] = []
        said = claims.data[member][1]
        generation = NO_GENERATION if said is None else said
        for partition in claimed:
            other = holder.get(partition)
            if other is None:
                mine.append(partition)
                holder[partition] = member
                continue
            rival = group.members[other].generation
            if generation < rival:
                continue
            if generation == rival:
                claims.twice.add(partition)
            else:
                mine.append(partition)
            if partition in claims.owned[other]:
                claims.owned[other].remove(partition)
            holder[partition] = member
