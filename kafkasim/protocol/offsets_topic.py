"""Which partition of `__consumer_offsets` keeps a group, and so who coordinates it.

The group's partition is ``abs(groupId.hashCode()) mod 50`` with Java's string hash, and
the leader of that partition is the group's coordinator (`GroupCoordinatorService`,
`Utils.abs`: the absolute value of the smallest int is 0).
"""

from typing import Final

OFFSETS_PARTITIONS: Final = 50
"""Default of `offsets.topic.num.partitions`."""

_MIN_INT: Final = -(2**31)


def java_hash(text: str) -> int:
    """Return Java's `String.hashCode`: 31-polynomial over UTF-16 units, 32 bits."""
    units = text.encode("utf-16-be")
    value = 0
    for position in range(0, len(units), 2):
        unit = (units[position] << 8) | units[position + 1]
        value = (31 * value + unit) & 0xFFFFFFFF
    return value - 2**32 if value >= 2**31 else value


def offsets_partition(group: str, partitions: int = OFFSETS_PARTITIONS) -> int:
    """Return the partition of `__consumer_offsets` that keeps `group`."""
    value = java_hash(group)
    return (0 if value == _MIN_INT else abs(value)) % partitions
