"""How loaded the readers and the owners of each topic are, kept up move by move.

A group is balanced when no partition can go to a reader of its topic that has at least
two partitions less than the partition's owner (`isBalanced` of the sticky assignor's
general algorithm). Kafka looks at all members and all partitions for that each time;
here each topic keeps its least loaded reader and its most loaded owner.
"""

from collections.abc import Iterable


class Sizes:
    """A heap of numbers of which the least and the most are known.

    Parameters
    ----------
    sizes : iterable of int
        Put in at once.
    """

    __slots__ = ("_counts", "least", "most")

    def __init__(self, sizes: Iterable[int] = ()) -> None:
        self._counts: dict[int, int] = {}
        self.least = self.most = -1
        for size in sizes:
            self.add(size)

    def __bool__(self) -> bool:
        return bool(self._counts)

    def add(self, size: int) -> None:
        """Put one more in."""
        counts = self._counts
        if not counts:
            self.least = self.most = size
        counts[size] = counts.get(size, 0) + 1
        self.least = min(self.least, size)
        self.most = max(self.most, size)

    def remove(self, size: int) -> None:
        """Take one out."""
        counts = self._counts
        if counts[size] > 1:
            counts[size] -= 1
            return
        del counts[size]
        if counts:
            while self.least not in counts:
                self.least += 1
            while self.most not in counts:
                self.most -= 1


class Loads:
    """Loads by topic.

    Parameters
    ----------
    readers : dict of topic to members
        Who may read it.
    owned : dict of member to dict of topic to int
        How many partitions of each topic a member owns; kept up.
    sizes : dict of member to int
        How many in all; kept up.
    full : dict of member to int
        Partitions of all topics that a member reads: one that has as many is not
        looked at, whichever they are.
    """

    __slots__ = (
        "_full",
        "_hungry",
        "_out",
        "_owned",
        "_owners",
        "_readers",
        "_reads",
        "sizes",
    )

    def __init__(
        self,
        readers: dict[str, list[str]],
        owned: dict[str, dict[str, int]],
        sizes: dict[str, int],
        full: dict[str, int],
    ) -> None:
        self.sizes = sizes
        self._owned = owned
        self._full = full
        self._reads: dict[str, list[str]] = {member: [] for member in sizes}
        for topic, some in readers.items():
            for member in some:
                self._reads[member].append(topic)
        self._readers = {
            topic: Sizes(sizes[member] for member in some)
            for topic, some in readers.items()
        }
        self._hungry = {
            topic: Sizes(sizes[one] for one in some if sizes[one] != full[one])
            for topic, some in readers.items()
        }
        self._owners = {topic: Sizes() for topic in readers}
        for member, topics in owned.items():
            for topic in topics:
                self._owners[topic].add(sizes[member])
        self._out = {topic for topic in readers if self._unbalanced(topic)}

    @property
    def balanced(self) -> bool:
        """Whether no partition has a reader with two partitions less."""
        return not self._out

    def least(self, topic: str) -> int:
        """Return how many partitions the least loaded reader has."""
        return self._readers[topic].least

    def move(self, topic: str, old: str, new: str) -> None:
        """Note that a partition of a topic goes from one member to another."""
        touched = {*self._owned[old], *self._owned[new], topic}
        self._change(topic, old, -1)
        self._change(topic, new, 1)
        touched.update(self._reads[old], self._reads[new])
        for one in touched:
            if self._unbalanced(one):
                self._out.add(one)
            else:
                self._out.discard(one)

    def _change(self, topic: str, member: str, change: int) -> None:
        """Note that a member has one partition of a topic more, or less."""
        before = self.sizes[member]
        now = self.sizes[member] = before + change
        owned, full = self._owned[member], self._full[member]
        for one in owned:
            self._owners[one].remove(before)
        count = owned.pop(topic, 0) + change
        if count:
            owned[topic] = count
        for one in owned:
            self._owners[one].add(now)
        for one in self._reads[member]:
            self._readers[one].remove(before)
            self._readers[one].add(now)
            if before != full:
                self._hungry[one].remove(before)
            if now != full:
                self._hungry[one].add(now)

    def _unbalanced(self, topic: str) -> bool:
        hungry = self._hungry[topic]
        return bool(hungry) and self._owners[topic].most > hungry.least + 1
