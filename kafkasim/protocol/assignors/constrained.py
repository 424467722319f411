"""The sticky assignors where all members subscribe to the same topics (AS-3).

P partitions over m members: each gets P div m or one more, P mod m of them one more
(`AbstractStickyAssignor.ConstrainedAssignmentBuilder`). Members keep what they own up
to that, in the order of Java's map; what is free, by topic and number, goes round those
that have too little, sorted by id, one each; then those that may have one more take
one.
"""

from collections.abc import Callable
from itertools import chain
from operator import itemgetter
from typing import Any, Final

from kafkasim.protocol.assignors.claims import Claims
from kafkasim.protocol.assignors.inputs import Assignment, AssignorError, Group
from kafkasim.protocol.assignors.racks import RackInfo
from kafkasim.protocol.subscription import TopicPartition

_NUMBER_FIRST: Final = itemgetter(1, 0)


def free_partitions(
    everything: list[TopicPartition],
    kept: list[TopicPartition],
    partitions: dict[str, int],
    key: Callable[[TopicPartition], Any] | None = None,
) -> list[TopicPartition]:
    """Return those of `everything`, sorted by `key`, that nobody kept.

    Kafka walks through both sorted lists side by side, and finds nothing more behind
    one that is kept but does not exist: from there on all counts as free.
    """
    taken = set(kept)
    free = [one for one in everything if one not in taken]
    if len(everything) - len(free) == len(taken):
        return free
    order = sorted(kept, key=key)
    ghost = next(at for at, one in enumerate(order) if one[1] >= partitions[one[0]])
    taken = set(order[:ghost])
    return [one for one in everything if one not in taken]


class ConstrainedAssignment:
    """One computation for members of equal subscriptions.

    Parameters
    ----------
    group : Group
        Members and topics.
    racks : RackInfo
        What is known of racks.
    claims : Claims
        What members own.
    """

    def __init__(self, group: Group, racks: RackInfo, claims: Claims) -> None:
        self._group = group
        self._racks = racks
        self._claims = claims
        total, count = sum(group.partitions.values()), len(group.members)
        self._least, self._expected_over = divmod(total, count)
        self._most = self._least + (self._expected_over > 0)
        self._over = 0
        """Members that have the most there is, unless all have."""
        self._under: list[str] = []
        """Members with less than the least."""
        self._at_least: list[str] = []
        """Members with the least, that may get one more."""
        self._revoked: dict[TopicPartition, str] = {}
        self.assignment: Assignment = {member: [] for member in group.members}
        self.moving: dict[TopicPartition, str] = {}
        """Partitions that somebody else may still own, and their new owners."""

    def build(self) -> Assignment:
        """Return what each member gets."""
        self._keep_owned()
        free = self._racks.by_rarity(self._free())
        self._under.sort()
        self._at_least.sort()
        if self._racks.consumers:
            free = self._deal_near(free)
        self._deal(free)
        self._check()
        return self.assignment

    def _keep_owned(self) -> None:
        twice, least, most = self._claims.twice, self._least, self._most
        expected = self._expected_over
        for member, claimed in self._claims.owned.items():
            owned = claimed
            if self._racks.consumers:
                owned = [one for one in owned if not self._racks.mismatch(member, one)]
                if len(owned) < len(claimed):
                    kept = set(owned)
                    lost = [one for one in claimed if one not in kept]
                    self._revoked |= dict.fromkeys(lost, member)
            if twice:
                owned = [one for one in owned if one not in twice]
            if len(owned) < least:
                keep = len(owned)
                self._under.append(member)
            elif len(owned) >= most and self._over < expected:
                keep = most
                self._over += 1
                if self._over == expected:
                    self._at_least.clear()
            else:
                keep = least
                if self._over < expected:
                    self._at_least.append(member)
            if owned:
                owned = sorted(owned, key=_NUMBER_FIRST)
                self.assignment[member] += owned[:keep]
                self._revoked |= dict.fromkeys(owned[keep:], member)

    def _free(self) -> list[TopicPartition]:
        partitions = self._group.partitions
        everything = [
            (topic, number)
            for topic in sorted(partitions)
            for number in range(partitions[topic])
        ]
        kept = list(chain.from_iterable(self.assignment.values()))
        if not kept:
            return everything
        return free_partitions(everything, kept, partitions)

    def _deal_near(self, free: list[TopicPartition]) -> list[TopicPartition]:
        """Deal out what has a replica in a member's rack; return the rest."""
        rest = []
        next_place = 0
        for partition in free:
            place = self._racks.next_near(partition, self._under, next_place)
            if place >= 0:
                member = self._under[place]
                count = len(self.assignment[member]) + 1
                if count >= self._least:
                    del self._under[place]
                    if count < self._most and self._over < self._expected_over:
                        self._at_least.append(member)
                else:
                    place += 1
                next_place = place % len(self._under) if self._under else 0
                self._give(partition, member)
                continue
            place = self._racks.next_near(partition, self._at_least, 0)
            if place < 0:
                rest.append(partition)
                continue
            member = self._at_least[place]
            if len(self.assignment[member]) + 1 == self._most:
                del self._at_least[place]
                self._over += 1
                if self._over == self._expected_over:
                    self._at_least.clear()
            self._give(partition, member)
        return rest

    def _deal(self, free: list[TopicPartition]) -> None:
        """Deal out one each, in turn; who has the least goes behind, for one more."""
        under, at_least = self._under, self._at_least
        place = 0
        more = 0
        for partition in free:
            if under:
                if place >= len(under):
                    place = 0
                member = under[place]
                place += 1
            elif more < len(at_least):
                member = at_least[more]
                more += 1
            else:
                msg = "No more unfilled consumers to be assigned."
                raise AssignorError(msg)
            count = self._give(partition, member)
            if count == self._least:
                place -= 1
                del under[place]
                at_least.append(member)
            elif count == self._most:
                self._over += 1

    def _give(self, partition: TopicPartition, member: str) -> int:
        mine = self.assignment[member]
        mine.append(partition)
        if self._revoked or self._claims.twice:
            revoked = self._revoked.get(partition, member) != member
            if revoked or partition in self._claims.twice:
                self.moving[partition] = member
        return len(mine)

    def _check(self) -> None:
        if not self._under:
            return
        short = any(len(self.assignment[one]) != self._least for one in self._under)
        if short or self._over != self._expected_over:
            msg = "Members have not reached their quota, and nothing is left to assign."
            raise AssignorError(msg)
