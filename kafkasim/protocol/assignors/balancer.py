"""Who of a topic's subscribers is next to give a partition, and who to get one.

Subscribers are sorted by what they have. Those with the least are a range that grows to
the right, those with the most one that grows to the left; each hands out its members in
turn, and its level moves when all had theirs
(`UniformHeterogeneousAssignmentBuilder.MemberAssignmentBalancer`).
"""


class Balancer:
    """Ranges of the least and the most loaded subscribers of one topic.

    Parameters
    ----------
    sizes : list of int
        Partitions of each member, kept up by the assignor.
    members : list of int
        Places of the subscribers.
    """

    __slots__ = (
        "_high",
        "_high_end",
        "_high_next",
        "_high_start",
        "_low",
        "_low_end",
        "_low_next",
        "_sizes",
        "_sorted",
    )

    def __init__(self, sizes: list[int], members: list[int]) -> None:
        self._sizes = sizes
        self._sorted = sorted(members, key=lambda one: (sizes[one], one))
        self._low_end = 0
        self._low = sizes[self._sorted[0]] - 1
        self._low_next = 0
        self._high_start = self._high_end = len(members)
        self._high = sizes[self._sorted[-1]] + 1
        self._high_next = len(members) - 1

    @property
    def imbalance(self) -> int:
        """Most minus least partitions of a subscriber, before anything moved."""
        return self._sizes[self._sorted[-1]] - self._sizes[self._sorted[0]]

    def balanced(self) -> bool:
        """Whether the levels of both ranges differ by one or less."""
        return self._high - self._low <= 1

    def next_least(self) -> int:
        """Return the next member to get a partition."""
        if self._low_next >= self._low_end:
            self._low += 1
            members, sizes = self._sorted, self._sizes
            end = self._low_end
            while end < len(members) and sizes[members[end]] == self._low:
                end += 1
            self._low_end = end
            self._low_next = 0
        member = self._sorted[self._low_next]
        self._low_next += 1
        return member

    def next_most(self) -> int:
        """Return the next member to give a partition up, -1 if there is none."""
        if self._high_next < self._high_start:
            members, sizes = self._sorted, self._sizes
            start = self._high_start
            if self._high_end <= start and start > 0:
                self._high = sizes[members[start - 1]]
            else:
                self._high -= 1
            while start > 0 and sizes[members[start - 1]] == self._high:
                start -= 1
            self._high_start = start
            self._high_next = self._high_end - 1
        if self._high_next < 0:
            return -1
        member = self._sorted[self._high_next]
        self._high_next -= 1
        return member

    def exclude_most(self) -> None:
        """Take the member that came last out of the range of the most loaded."""
        members = self._sorted
        place, end = self._high_next + 1, self._high_end - 1
        members[place], members[end] = members[end], members[place]
        self._high_end -= 1
