"""The uniform assignor where members subscribe to different topics (N8-12).

Members keep what they have of topics they still subscribe to. What is free goes, topic
by topic, to the least loaded subscribers; then each topic's partitions move from its
most to its least loaded subscribers until they differ by one, over all topics again and
again until nothing moves, 16 times at most (`UniformHeterogeneousAssignmentBuilder`).
"""

from collections.abc import Mapping
from typing import Final

from kafkasim.protocol.assignors.balancer import Balancer
from kafkasim.protocol.assignors.inputs import AssignorError
from kafkasim.protocol.assignors.server_group import Owned, ServerGroup
from kafkasim.protocol.java_order import table_size

_ROUNDS: Final = 16
"""`MAX_ITERATION_COUNT`."""
_FREE: Final = -1


def _signed(topic_id: int) -> tuple[int, int]:
    """Return both halves of an id as Java's longs, by which ids are sorted."""
    high, low = topic_id >> 64, topic_id & (2**64 - 1)
    return high - (high >> 63 << 64), low - (low >> 63 << 64)


class UniformUnequal:
    """One computation.

    Parameters
    ----------
    group : ServerGroup
        Members and topics.
    owned : mapping of member id to Owned
        What each has; not changed.

    Raises
    ------
    AssignorError
        A member owns a partition that its topic has not.
    """

    def __init__(self, group: ServerGroup, owned: Mapping[str, Owned]) -> None:
        self._group = group
        self._owned = owned
        self._members = list(group.members)
        self._sizes = [0] * len(self._members)
        self._subscribers: dict[str, list[int]] = {}
        self._reads: list[set[str]] = []
        for place, member in enumerate(self._members):
            topics = group.subscribed(member)
            self._reads.append(set(topics))
            for topic in topics:
                self._subscribers.setdefault(topic, []).append(place)
        self._owners = {
            topic: [_FREE] * group.partitions[topic] for topic in self._subscribers
        }
        self._target: list[Owned] = []
        self._fresh: list[bool] = []
        """Whether the target of a member is a copy already."""

    def build(self) -> dict[str, Owned]:
        """Return what each member is to own; none is named if no topic exists."""
        if not self._subscribers:
            return {}
        self._keep()
        self._assign_free()
        topics = [one for one, some in self._subscribers.items() if len(some) > 1]
        self._balance(sorted(topics, key=self._rank))
        return dict(zip(self._members, self._target, strict=True))

    def _rank(self, topic: str) -> tuple[float, int, tuple[int, int]]:
        """Return the place of a topic: most partitions per subscriber first."""
        count = len(self._subscribers[topic])
        share = self._group.partitions[topic] / count
        return -share, count, _signed(self._group.ids[topic])

    def _keep(self) -> None:
        for place, member in enumerate(self._members):
            owned = self._owned[member]
            kept = owned
            for topic in owned.topics():
                if topic not in self._reads[place]:
                    kept = owned.copy() if kept is owned else kept
                    kept.drop(topic)
                    continue
                owners = self._owners[topic]
                for number in owned.numbers(topic):
                    if number >= len(owners):
                        msg = f"{topic} has no partition {number}."
                        raise AssignorError(msg)
                    owners[number] = place
                self._sizes[place] += owned.count(topic)
            self._target.append(kept)
            self._fresh.append(kept is not owned)

    def _assign_free(self) -> None:
        free = {
            topic: [at for at, owner in enumerate(owners) if owner == _FREE]
            for topic, owners in self._owners.items()
        }
        for topic in sorted((one for one in free if free[one]), key=self._rank):
            balancer = Balancer(self._sizes, self._subscribers[topic])
            for number in free[topic]:
                self._assign(topic, number, balancer.next_least())

    def _balance(self, topics: list[str]) -> None:
        """Move partitions of each topic in turn until none moves any more."""
        last = -1
        for _ in range(_ROUNDS):
            for at, topic in enumerate(topics):
                if at == last:
                    return
                if self._balance_topic(topic) or last == -1:
                    last = at

    def _balance_topic(self, topic: str) -> bool:
        """Move partitions to the least loaded subscribers; return whether any moved."""
        balancer = Balancer(self._sizes, self._subscribers[topic])
        if balancer.imbalance <= 1:
            return False
        held: dict[int, list[int]] = {}
        for number, owner in enumerate(self._owners[topic]):
            held.setdefault(owner, []).append(number)
        moved = False
        while not balancer.balanced():
            giver = balancer.next_most()
            while giver >= 0 and not held.get(giver):
                balancer.exclude_most()
                giver = balancer.next_most()
            if giver < 0:
                break
            number = held[giver].pop()
            taker = balancer.next_least()
            if balancer.balanced():
                break
            self._assign(topic, number, taker)
            moved = True
        return moved

    def _assign(self, topic: str, number: int, place: int) -> None:
        old = self._owners[topic][number]
        if old != _FREE:
            self._copy(old).remove(topic, number)
            self._sizes[old] -= 1
        share = -(-self._group.partitions[topic] // len(self._subscribers[topic]))
        capacity = table_size(int(share / 0.75 + 1))
        self._copy(place).add(topic, [number], capacity)
        self._sizes[place] += 1
        self._owners[topic][number] = place

    def _copy(self, place: int) -> Owned:
        """Return the target of a member as one that may be changed."""
        if not self._fresh[place]:
            self._target[place] = self._target[place].copy()
            self._fresh[place] = True
        return self._target[place]
