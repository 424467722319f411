"""Which partitions have moved, so that none goes the way back for nothing.

Where a partition is to move from one member to another, and one of the same topic has
moved the opposite way before, that one moves back instead
(`AbstractStickyAssignor.PartitionMovements`).
"""

from kafkasim.protocol.java_order import JavaSet, partition_hash
from kafkasim.protocol.subscription import TopicPartition

Pair = tuple[str, str]
"""From which member to which."""


class PartitionMovements:
    """Movements of one computation."""

    __slots__ = ("_by_topic", "_pairs")

    def __init__(self) -> None:
        self._by_topic: dict[str, dict[Pair, JavaSet[TopicPartition]]] = {}
        self._pairs: dict[TopicPartition, Pair] = {}

    def move(self, partition: TopicPartition, old: str, new: str) -> None:
        """Note that a partition moves."""
        source = old
        if partition in self._pairs:
            source = self._forget(partition)
            if source == new:
                return
        pair = (source, new)
        self._pairs[partition] = pair
        pairs = self._by_topic.setdefault(partition[0], {})
        if pair not in pairs:
            pairs[pair] = JavaSet(partition_hash)
        pairs[pair].add(partition)

    def really_moved(
        self, partition: TopicPartition, old: str, new: str
    ) -> TopicPartition:
        """Return the partition to move instead, or the same."""
        pairs = self._by_topic.get(partition[0])
        if pairs is None:
            return partition
        if partition in self._pairs:
            old = self._pairs[partition][0]
        back = pairs.get((new, old))
        return partition if back is None else back.first()

    def _forget(self, partition: TopicPartition) -> str:
        """Drop the movement of a partition; return the member that it came from."""
        topic = partition[0]
        pair = self._pairs.pop(partition)
        pairs = self._by_topic[topic]
        pairs[pair].remove(partition)
        if not len(pairs[pair]):
            del pairs[pair]
        if not pairs:
            del self._by_topic[topic]
        return pair[0]
