"""Which partition a key goes to and which member reads it, without running anything."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from kafkasim.catalogue import say
from kafkasim.config.paths import one_of, suggestion
from kafkasim.errors import ValidationError
from kafkasim.experiments.assignment_input import (
    Asked,
    members_given,
    owned_before,
    topics_given,
)
from kafkasim.protocol.assignors import (
    CLIENT_ASSIGNORS,
    AssignorError,
    assign_at_broker,
)
from kafkasim.protocol.assignors import assign as assign_as_leader
from kafkasim.protocol.producing.partitioner import key_partition

if TYPE_CHECKING:
    import pandas as pd

    from kafkasim.protocol.groups.group_messages import Assigned

_ASSIGNORS: Final = (*CLIENT_ASSIGNORS, "uniform")
"""By the names Kafka gives them. `range` of the broker deals like that of the clients
without racks."""


def assign(
    assignor: str,
    *,
    members: int | str | Sequence[str] | Mapping[str, Any],
    topics: Mapping[str, int | Sequence[str | Sequence[str]]],
    previous: "pd.DataFrame | None" = None,
) -> "pd.DataFrame":
    """Assign the partitions of topics to the members of a group.

    Parameters
    ----------
    assignor : str
        `range`, `roundrobin`, `sticky`, `cooperative-sticky` (those of the clients), or
        `uniform` (that of the broker, for the consumer protocol).
    members : int, sequence of str or mapping
        How many, by the names c1, c2, …; or their names; or by name what each
        subscribes to: a topic, several, or a mapping with any of `topics`,
        `instance_id` (`group.instance.id`), `rack` (`client.rack`), `owned` (what it
        has, as `orders-0` or ("orders", 0)) and `generation` (in which it got that).
        Without topics a member subscribes to all.
    topics : mapping of topic to int or sequence
        Number of partitions; or for each partition the rack of its replica, or the
        racks of all of them.
    previous : DataFrame, optional
        An assignment as this function returns it: what members of the same names have.
        Sticky assignors and `uniform` start from it.

    Returns
    -------
    pandas.DataFrame
        One row per assigned partition: `member`, `topic`, `partition`; members in the
        order given, then topics by name, then partitions. If something was owned
        before, `before`: its owner then, or None.
        `attrs["counts"]`: partitions of each member; `attrs["idle"]`: members without
        any; `attrs["free"]`: partitions that nobody has, such as `orders-3`, be it that
        nobody subscribes to them, or that `cooperative-sticky` first takes them from
        their old owners (assign once more, with this result as `previous`).

    Raises
    ------
    ValidationError
        Another assignor, a member or topic twice or unknown, a number below 0, or what
        Kafka's class fails at.

    Examples
    --------
    >>> table = assign("range", members=["a", "b"], topics={"orders": 3})
    >>> list(zip(table["member"], table["partition"]))
    [('a', 0), ('a', 1), ('b', 2)]
    >>> three = ["a", "b", "c"]
    >>> more = assign("sticky", members=three, topics={"orders": 3}, previous=table)
    >>> more[more["member"] != more["before"]].to_numpy().tolist()
    [['c', 'orders', 1, 'a']]
    """
    import pandas as pd

    if assignor not in _ASSIGNORS:
        near = suggestion(assignor, _ASSIGNORS)
        raise ValidationError("assignor", assignor, one_of(_ASSIGNORS), near)
    counts, racks = topics_given(topics)
    asked = members_given(members, counts)
    if previous is not None:
        owned_before(previous, asked)
    assigned = _assigned(assignor, asked, counts, racks)
    before = {one: name for name, each in asked.items() for one in each.owned}
    rows: list[tuple[object, ...]] = [
        (member, topic, number, before.get((topic, number)))
        for member, partitions in assigned.items()
        for topic, number in sorted(partitions)
    ]
    table = pd.DataFrame(rows, columns=["member", "topic", "partition", "before"])
    if not before:
        table = table.drop(columns="before")
    owned = {one for partitions in assigned.values() for one in partitions}
    everything = [(topic, n) for topic in sorted(counts) for n in range(counts[topic])]
    table.attrs = {
        "assignor": assignor,
        "counts": {name: len(partitions) for name, partitions in assigned.items()},
        "idle": [name for name, partitions in assigned.items() if not partitions],
        "free": [f"{topic}-{n}" for topic, n in everything if (topic, n) not in owned],
    }
    return table


def _assigned(
    assignor: str,
    asked: Mapping[str, Asked],
    counts: Mapping[str, int],
    racks: Mapping[str, Sequence[Sequence[str]]] | None,
) -> "dict[str, Assigned]":
    """Return what each member gets, in the order given."""
    members = {name: one.subscription(assignor) for name, one in asked.items()}
    instances = {name: one.instance_id for name, one in asked.items()}
    try:
        if assignor == "uniform":
            target = assign_at_broker(assignor, members, counts, instances=instances)
            return {name: target[name] for name in asked}
        return assign_as_leader(
            assignor, members, counts, instances=instances, racks=racks
        )
    except AssignorError as error:
        allowed = say("a group that Kafka's assignor can deal with")
        raise ValidationError("members", list(asked), allowed, str(error)) from error


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
        raise ValidationError("partitions", partitions, say("a whole number from 1"))
    return key_partition(key.encode(), partitions)


def _check_key(key: object) -> None:
    if not isinstance(key, str):
        allowed = say("text; a record without a key has no partition of its own")
        raise ValidationError("key", key, allowed)
