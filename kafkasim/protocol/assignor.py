"""Which member of a group reads which partition.

The range assignor (`RangeAssignor`, AS-1) looks at each topic by itself: n partitions
over the m members that subscribe to it, in the order of their ids, each getting a run
of n div m, the first n mod m one more. Partitions of the same number in topics of the
same size land on the same member.
"""

from collections.abc import Mapping, Sequence


def assign_range(
    subscriptions: Mapping[str, Sequence[str]],
    partitions: Mapping[str, int],
    instances: Mapping[str, str] | None = None,
) -> dict[str, list[tuple[str, int]]]:
    """Assign ranges of each topic's partitions to its subscribers.

    Parameters
    ----------
    subscriptions : mapping of member id to topics
        Who reads what.
    partitions : mapping of topic to count
        Partitions of each topic; a topic that is missing or has none is skipped.
    instances : mapping of member id to str, optional
        `group.instance.id` of static members: these come first, in that order
        (`AbstractPartitionAssignor.MemberInfo.compareTo`).

    Returns
    -------
    dict of member id to list of (topic, partition)
        Every member, in the order of `subscriptions`; topics in alphabetical order.

    Examples
    --------
    >>> assign_range({"a": ["t"], "b": ["t"]}, {"t": 3})
    {'a': [('t', 0), ('t', 1)], 'b': [('t', 2)]}
    """
    static = instances or {}
    order = sorted(
        subscriptions,
        key=lambda member: (member not in static, static.get(member, member)),
    )
    assignment: dict[str, list[tuple[str, int]]] = {
        member: [] for member in subscriptions
    }
    for topic in sorted(partitions):
        readers = [member for member in order if topic in subscriptions[member]]
        if not readers:
            continue
        each, more = divmod(partitions[topic], len(readers))
        start = 0
        for place, member in enumerate(readers):
            end = start + each + (place < more)
            assignment[member] += [(topic, number) for number in range(start, end)]
            start = end
    return assignment
