"""The uniform assignor where all members subscribe to the same topics (N8-12).

Each of m members gets P div m of the P partitions, P mod m of them one more; they keep
what they have up to that (`UniformHomogeneousAssignmentBuilder`). Members are walked
through in the order of the coordinator's map. A member that has not enough for the one
more leaves it to somebody behind it, unless the last ones have to take them all. What
is free goes in blocks, each member filled before the next.
"""

from collections.abc import Mapping
from itertools import chain, groupby
from operator import itemgetter
from typing import Final

from kafkasim.protocol.assignors.inputs import AssignorError
from kafkasim.protocol.assignors.server_group import Owned, ServerGroup
from kafkasim.protocol.java_order import JavaSet, copied_size, id_hash
from kafkasim.protocol.subscription import TopicPartition

_TOPIC: Final = itemgetter(0)


class UniformEqual:
    """One computation.

    Parameters
    ----------
    group : ServerGroup
        Members and topics.
    owned : mapping of member id to Owned
        What each has; not changed.
    """

    def __init__(self, group: ServerGroup, owned: Mapping[str, Owned]) -> None:
        self._group = group
        self._owned = owned
        first = next(iter(group.members))
        named = len(set(group.members[first].topics))
        ids = group.ids
        self._topics = JavaSet(
            lambda topic: id_hash(ids[topic]),
            copied_size(named),
            group.subscribed(first),
        ).walk()
        self._known = set(self._topics)
        self._free: list[TopicPartition] = []
        self._unfilled: list[tuple[str, int]] = []
        self._target: dict[str, Owned] = {}
        self._changed: set[str] = set()

    def build(self) -> dict[str, Owned]:
        """Return what each member is to own; none is named if no topic exists."""
        group = self._group
        if not self._topics:
            return {}
        counts = group.partitions
        total = sum(counts[topic] for topic in self._topics)
        held = set(chain.from_iterable(one.owned for one in group.members.values()))
        everything = [
            (topic, number) for topic in self._topics for number in range(counts[topic])
        ]
        self._free = (
            [one for one in everything if one not in held] if held else everything
        )
        least, more = divmod(total, len(group.members))
        self._keep(least, more)
        self._fill()
        return self._target

    def _keep(self, least: int, more: int) -> None:
        """Keep what each has up to its quota, and release the rest."""
        behind = len(self._group.members)
        for member in self._group.members:
            extra = more > 0
            quota = self._release(member, self._owned[member], least + extra)
            if quota > 0 and extra and behind > more:
                quota -= 1
                extra = False
            if quota > 0:
                self._unfilled.append((member, quota))
            more -= extra
            behind -= 1

    def _release(self, member: str, owned: Owned, quota: int) -> int:
        """Note what a member keeps; return what is left of its quota."""
        kept = owned
        for topic in owned.topics():
            if topic in self._known and owned.count(topic) <= quota:
                quota -= owned.count(topic)
                continue
            if kept is owned:
                kept = owned.copy()
                self._changed.add(member)
            if topic not in self._known:
                kept.drop(topic)
                continue
            for number in owned.numbers(topic)[quota:]:
                kept.remove(topic, number)
                self._free.append((topic, number))
            quota = 0
        self._target[member] = kept
        return quota

    def _fill(self) -> None:
        """Give what is free to those below their quota, one member after the other."""
        start = 0
        for member, quota in self._unfilled:
            owned = self._target[member]
            if member not in self._changed:
                owned = self._target[member] = owned.copy()
            block = self._free[start : start + quota]
            start += len(block)
            for topic, run in groupby(block, key=_TOPIC):
                owned.add(topic, [number for _, number in run])
        if start < len(self._free):
            msg = "Partitions were left unassigned."
            raise AssignorError(msg)
