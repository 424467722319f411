"""Which partition a key goes to and which member reads it, without running anything."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from kafkasim.config.paths import one_of, suggestion
from kafkasim.errors import ValidationError
from kafkasim.protocol.assignors import assign_range
from kafkasim.protocol.partitioner import key_partition

if TYPE_CHECKING:
    import pandas as pd

_ASSIGNORS: Final = MappingProxyType({"range": assign_range})
"""By the name Kafka gives them (`ConsumerPartitionAssignor.name`)."""


def assign(
    assignor: str,
    *,
    members: Mapping[str, Sequence[str]] | Sequence[str],
    topics: Mapping[str, int],
) -> "pd.DataFrame":
    """Assign the partitions of topics to the members of a group.

    Parameters
    ----------
    assignor : str
        `range` (Kafka's `RangeAssignor`).
    members : mapping of member to topics, or sequence of members
        What each member subscribes to; members that are only named subscribe to all.
    topics : mapping of topic to int
        Number of partitions of each topic.

    Returns
    -------
    pandas.DataFrame
        One row per assigned partition: `member`, `topic`, `partition`; members in the
        order given, then topics by name, then partitions.
        `attrs["idle"]`: members without any partition.

    Raises
    ------
    ValidationError
        Another assignor, a member or topic twice or unknown, a number below 0.

    Examples
    --------
    >>> table = assign("range", members=["a", "b"], topics={"orders": 3})
    >>> list(zip(table["member"], table["partition"]))
    [('a', 0), ('a', 1), ('b', 2)]
    """
    import pandas as pd

    if assignor not in _ASSIGNORS:
        near = suggestion(assignor, _ASSIGNORS)
        raise ValidationError("assignor", assignor, one_of(_ASSIGNORS), near)
    subscriptions = _subscriptions(members, topics)
    assigned = _ASSIGNORS[assignor](subscriptions, topics)
    rows = [
        (member, topic, partition)
        for member, partitions in assigned.items()
        for topic, partition in partitions
    ]
    table = pd.DataFrame(rows, columns=["member", "topic", "partition"])
    table.attrs = {"idle": [name for name, owned in assigned.items() if not owned]}
    return table


def partition_for_key(key: str, partitions: int) -> int:
    """Return the partition that a producer chooses for a record with this key.

    Kafka's default rule (`BuiltInPartitioner.partitionForKey`):
    ``(murmur2(key) & 0x7fffffff) mod partitions``. An empty key is hashed too.

    Parameters
    ----------
    key : str
        Hashed as its UTF-8 bytes, as `StringSerializer` writes it.
    partitions : int
        How many the topic has.

    Returns
    -------
    int
        From 0.

    Raises
    ------
    ValidationError
        The key is no text, or there is no partition.

    Examples
    --------
    >>> [partition_for_key(key, 6) for key in ("a", "abc", "")]
    [4, 3, 3]
    """
    _check_key(key)
    if partitions < 1:
        raise ValidationError("partitions", partitions, "a whole number from 1")
    return key_partition(key.encode(), partitions)


def _check_key(key: object) -> None:
    if not isinstance(key, str):
        allowed = "text; a record without a key has no partition of its own"
        raise ValidationError("key", key, allowed)


def _subscriptions(
    members: Mapping[str, Sequence[str]] | Sequence[str], topics: Mapping[str, int]
) -> dict[str, tuple[str, ...]]:
    for topic, count in topics.items():
        if count < 0:
            raise ValidationError(f"topics.{topic}", count, "a whole number from 0")
    if not isinstance(members, Mapping):
        names = [members] if isinstance(members, str) else list(members)
        if len(set(names)) < len(names):
            raise ValidationError("members", names, "each name once")
        return {name: tuple(topics) for name in names}
    for member, wanted in members.items():
        for topic in [wanted] if isinstance(wanted, str) else wanted:
            if topic not in topics:
                near = suggestion(topic, topics)
                path = f"members.{member}"
                raise ValidationError(path, topic, one_of(topics), near)
    return {
        member: (wanted,) if isinstance(wanted, str) else tuple(wanted)
        for member, wanted in members.items()
    }
