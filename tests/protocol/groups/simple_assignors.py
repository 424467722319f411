"""Two assignors that are simple and unsteady: much moves as soon as members do."""

from collections.abc import Callable, Mapping

from kafkasim.protocol.groups.coordinator.consumer_target import ServerAssignor
from kafkasim.protocol.subscription import Assigned, Subscription, TopicPartition


def _by(turn: Callable[[int, int, int], int]) -> ServerAssignor:
    def assign(
        members: Mapping[str, Subscription],
        topics: Mapping[str, int],
        _instances: Mapping[str, str | None],
    ) -> dict[str, Assigned]:
        result: dict[str, list[TopicPartition]] = {name: [] for name in members}
        for topic, count in topics.items():
            names = [name for name in sorted(members) if topic in members[name].topics]
            for partition in range(count):
                owner = names[turn(partition, count, len(names))]
                result[owner].append((topic, partition))
        return {name: tuple(sorted(owned)) for name, owned in result.items()}

    return assign


deal = _by(lambda partition, _count, members: partition % members)
"""Partitions of a topic in turn to its subscribers."""
blocks = _by(lambda partition, count, members: partition * members // count)
"""Blocks of partitions to each."""

ASSIGNORS: dict[str, ServerAssignor] = {"dealer": deal, "blocks": blocks}
