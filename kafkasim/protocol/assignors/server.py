"""The assignors of the broker, for the consumer protocol (KIP-848; N8-12).

`group.consumer.assignors` lists them, `uniform` first; neither minds racks. The
coordinator runs one when a group changes, and its answer is the group's target.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from kafkasim.protocol.assignors.server_group import (
    Owned,
    ServerGroup,
    Target,
    server_group_of,
)
from kafkasim.protocol.assignors.uniform_equal import UniformEqual
from kafkasim.protocol.assignors.uniform_unequal import UniformUnequal
from kafkasim.protocol.subscription import Subscription, TopicPartition


def _ranges(group: ServerGroup) -> Target:
    """Deal out each topic in runs, as `range` of the clients does without racks.

    Source: `coordinator.group.assignor.RangeAssignor`.
    """
    instances = group.instances
    order = sorted(
        group.members, key=lambda one: (one not in instances, instances.get(one, one))
    )
    readers: dict[str, list[str]] = {}
    if group.alike:
        readers = {topic: order for topic in group.members[order[0]].topics}  # noqa: C420
    else:
        for member in order:
            for topic in dict.fromkeys(group.members[member].topics):
                readers.setdefault(topic, []).append(member)
    target: dict[str, list[TopicPartition]] = {member: [] for member in group.members}
    for topic in sorted(one for one in readers if one in group.partitions):
        count, some = group.partitions[topic], readers[topic]
        each, more = divmod(count, len(some))
        start = 0
        for place, member in enumerate(some[:count]):
            end = start + each + (place < more)
            target[member] += [(topic, number) for number in range(start, end)]
            start = end
    return {member: tuple(owned) for member, owned in target.items()}


def uniform_maps(group: ServerGroup, owned: Mapping[str, Owned]) -> dict[str, Owned]:
    """Share out evenly, and keep what is owned as far as that goes.

    `owned` and the answer are maps as Kafka's class (`UniformAssignor`) has them; a
    member that the answer does not name is to own nothing.
    """
    builder = UniformEqual if group.alike else UniformUnequal
    return builder(group, owned).build()


def _uniform(group: ServerGroup) -> Target:
    members = group.members
    owned = {id_: Owned.read(group.ids, one.owned) for id_, one in members.items()}
    target = uniform_maps(group, owned)
    return {id_: target[id_].assigned() if target else () for id_ in members}


SERVER_ASSIGNORS: Final[Mapping[str, Callable[[ServerGroup], Target]]] = (
    MappingProxyType({"uniform": _uniform, "range": _ranges})
)
"""By Kafka's names."""


def assign_at_broker(
    name: str,
    members: Mapping[str, Subscription],
    topics: Mapping[str, int],
    *,
    instances: Mapping[str, str | None] | None = None,
    topic_ids: Mapping[str, int] | None = None,
) -> Target:
    """Compute the target assignment of a group.

    Parameters
    ----------
    name : str
        One of `SERVER_ASSIGNORS`.
    members : mapping of member id to Subscription
        In the order in which the coordinator puts them into its map; `owned` is the
        target until now, as its record keeps it.
    topics : mapping of topic to int
        Partitions of each topic that exists.
    instances : mapping of member id to str or None, optional
        `group.instance.id` of static members.
    topic_ids : mapping of topic to int, optional
        128 bits each; a topic without gets `topic_id(name)`.

    Returns
    -------
    dict of member id to tuple of (topic, partition)
        Every member, in the order of the coordinator's map; partitions in the order in
        which its record keeps them.

    Raises
    ------
    KeyError
        There is no such assignor.
    AssignorError
        Where Kafka's class fails too.
    """
    if not members:
        return {}
    group = server_group_of(members, topics, instances, topic_ids)
    return SERVER_ASSIGNORS[name](group)
