"""The sticky assignors where members subscribe to different topics (AS-4).

Members keep what they own and may have; what is free goes, one partition after the
other, to its topic's least loaded reader; then partitions move from loaded members to
less loaded ones until no move improves the balance. If all that moving has not made the
group more balanced than it was, it is undone
(`AbstractStickyAssignor.GeneralAssignmentBuilder`).
"""

import heapq
from itertools import groupby

from kafkasim.protocol.assignors.claims import Claims
from kafkasim.protocol.assignors.constrained import free_partitions
from kafkasim.protocol.assignors.inputs import Assignment, AssignorError, Group
from kafkasim.protocol.assignors.loads import Loads
from kafkasim.protocol.assignors.movements import PartitionMovements
from kafkasim.protocol.assignors.racks import RackInfo
from kafkasim.protocol.subscription import NO_GENERATION, TopicPartition


class GeneralAssignment:
    """One computation for members of different subscriptions.

    Parameters
    ----------
    group : Group
        Members and topics.
    racks : RackInfo
        What is known of racks.
    claims : Claims
        What members own; its lists are changed.
    """

    def __init__(self, group: Group, racks: RackInfo, claims: Claims) -> None:
        self._group = group
        self._racks = racks
        self._claims = claims
        self._readers = group.readers(group.members)
        topics = group.partitions
        self._reads = {
            member: [topic for topic in dict.fromkeys(one.topics) if topic in topics]
            for member, one in group.members.items()
        }
        self._mine = claims.owned
        self._owner = {
            partition: member
            for member, owned in self._mine.items()
            for partition in owned
        }
        self._all = [
            (topic, number)
            for topic in sorted(topics, key=lambda one: (len(self._readers[one]), one))
            for number in range(topics[topic])
        ]
        self._movements = PartitionMovements()
        self._revoked = False

    def build(self) -> Assignment:
        """Return what each member gets."""
        before = self._before()
        free = self._free(self._keep_owned())
        fresh = not any(self._mine.values())
        rest = free
        if self._racks.consumers:
            rest = self._deal_near(free)
        self._deal(rest)
        self._balance(before, free, fresh=fresh)
        return self._mine

    def _before(self) -> dict[TopicPartition, str]:
        """Return who had each partition in an earlier generation than the latest."""
        latest = self._claims.generation
        before: dict[TopicPartition, tuple[str, int]] = {}
        for member, (partitions, said) in self._claims.data.items():
            generation = NO_GENERATION if said is None else said
            if generation >= latest:
                continue
            for partition in partitions:
                if partition not in before or generation > before[partition][1]:
                    before[partition] = (member, generation)
        return {partition: member for partition, (member, _) in before.items()}

    def _keep_owned(self) -> list[TopicPartition]:
        """Drop what members may not keep; return the rest."""
        kept: list[TopicPartition] = []
        for member, owned in self._mine.items():
            reads = set(self._reads[member])
            keep = [
                one
                for one in owned
                if one[0] in reads and not self._racks.mismatch(member, one)
            ]
            self._revoked |= len(keep) < len(owned)
            owned[:] = keep
            kept += keep
        return kept

    def _free(self, kept: list[TopicPartition]) -> list[TopicPartition]:
        if not kept:
            return self._all
        readers = self._readers
        return free_partitions(
            self._all,
            kept,
            self._group.partitions,
            key=lambda one: (len(readers[one[0]]), one),
        )

    def _deal_near(self, free: list[TopicPartition]) -> list[TopicPartition]:
        """Give what is free to the least loaded reader near to it; return the rest."""
        rest = []
        mine = self._mine
        for partition in free:
            near = [
                (len(mine[member]), member)
                for member in self._readers[partition[0]]
                if not self._racks.mismatch(member, partition)
            ]
            if near:
                self._give(partition, min(near)[1])
            else:
                rest.append(partition)
        return rest

    def _deal(self, free: list[TopicPartition]) -> None:
        """Give what is free to its topic's least loaded reader."""
        for topic, partitions in groupby(free, key=lambda one: one[0]):
            heap = [(len(self._mine[one]), one) for one in self._readers[topic]]
            if not heap:
                continue
            heapq.heapify(heap)
            for partition in partitions:
                size, member = heap[0]
                self._give(partition, member)
                heapq.heapreplace(heap, (size + 1, member))

    def _give(self, partition: TopicPartition, member: str) -> None:
        self._mine[member].append(partition)
        self._owner[partition] = member

    def _balance(
        self,
        before: dict[TopicPartition, str],
        free: list[TopicPartition],
        *,
        fresh: bool,
    ) -> None:
        """Move partitions of topics with several readers while that improves things."""
        readers = {one: some for one, some in self._readers.items() if len(some) > 1}
        loads = self._loads(readers)
        if loads.balanced:
            return
        backup = {member: list(owned) for member, owned in self._mine.items()}
        fixed = [one for one in self._mine if one not in loads.sizes]
        if not self._revoked:
            self._move([one for one in free if one[0] in readers], before, loads)
        everything = [one for one in self._all if one[0] in readers]
        moved = self._move(everything, before, loads)
        for member in fixed:
            del backup[member]
        score = balance_score(list(loads.sizes.values()))
        earlier = balance_score([len(owned) for owned in backup.values()])
        if moved and not fresh and score >= earlier:
            self._mine |= backup

    def _loads(self, readers: dict[str, list[str]]) -> Loads:
        """Return the loads of members that may take part in moving, by topic."""
        counts = self._group.partitions
        sizes: dict[str, int] = {}
        owned: dict[str, dict[str, int]] = {}
        full: dict[str, int] = {}
        for member, mine in self._mine.items():
            most = sum(counts[topic] for topic in self._reads[member])
            if len(mine) >= most and not any(one[0] in readers for one in mine):
                continue
            sizes[member], full[member] = len(mine), most
            topics: dict[str, int] = {}
            owned[member] = topics
            for topic, _ in mine:
                if topic in readers:
                    topics[topic] = topics.get(topic, 0) + 1
        return Loads(readers, owned, sizes, full)

    def _move(
        self,
        partitions: list[TopicPartition],
        before: dict[TopicPartition, str],
        loads: Loads,
    ) -> bool:
        """Move partitions until the group is balanced, or no move is left.

        Returns whether any moved (`performReassignments`).
        """
        moved, modified = False, True
        while modified:
            modified = False
            for partition in partitions:
                if loads.balanced:
                    break
                new = self._taker(partition, before, loads)
                if new is not None:
                    self._reassign(partition, new, loads)
                    moved = modified = True
        return moved

    def _taker(
        self, partition: TopicPartition, before: dict[TopicPartition, str], loads: Loads
    ) -> str | None:
        """Return who should have a partition, if not the one that has it."""
        topic = partition[0]
        sizes = loads.sizes
        size = sizes[self._owner[partition]]
        if partition in before:
            previous = before[partition]
            if previous not in sizes:
                msg = f"{previous} had a partition of {topic}, which it may not have."
                raise AssignorError(msg)
            if size > sizes[previous] + 1:
                return previous
        if size <= loads.least(topic) + 1:
            return None
        return min(self._readers[topic], key=lambda one: (sizes[one], one))

    def _reassign(self, partition: TopicPartition, new: str, loads: Loads) -> None:
        """Move a partition, or one of its topic that came from there."""
        old = self._owner[partition]
        really = self._movements.really_moved(partition, old, new)
        old = self._owner[really]
        self._movements.move(really, old, new)
        self._mine[old].remove(really)
        self._mine[new].append(really)
        self._owner[really] = new
        loads.move(really[0], old, new)


def balance_score(sizes: list[int]) -> int:
    """Return the sum of the differences of all pairs, as an int of Java.

    The less, the more balanced (`getBalanceScore`).
    """
    ordered = sorted(sizes)
    last = len(ordered) - 1
    total = sum((2 * at - last) * size for at, size in enumerate(ordered))
    return (total + 2**31) % 2**32 - 2**31
