"""The round robin assignor: one partition after the other (`RoundRobinAssignor`; AS-2).

All partitions, sorted by topic and number, are dealt to the members in their turn; a
member that does not subscribe to a partition's topic is passed over, and the next
partition starts behind the member that got the last one. Racks do not count.
"""

from bisect import bisect_left

from kafkasim.protocol.assignors.inputs import Assignment, Group


def assign_circles(group: Group) -> Assignment:
    """Return what each member gets, sorted."""
    assignment: Assignment = {member: [] for member in group.members}
    turn = group.in_turn()
    place = {member: at for at, member in enumerate(turn)}
    readers = group.readers(turn)
    start = 0
    for topic in sorted(group.partitions):
        some = readers[topic]
        first = bisect_left(some, start, key=place.__getitem__)
        length, count = len(some), group.partitions[topic]
        circle = some[first : first + count]
        circle += some[: min(first, count - len(circle))]
        for at, member in enumerate(circle):
            numbers = range(at, count, length)
            assignment[member] += [(topic, number) for number in numbers]
        start = place[some[(first + count - 1) % length]] + 1
    return assignment
