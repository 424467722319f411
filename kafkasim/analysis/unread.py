"""How many partitions of a group nobody reads, over time: what rebalances cost.

A partition counts from its first owner on: before that nobody is missed. It is unread
from the end of one ownership to the beginning of the next, or to the end of the run.
"""

from typing import TYPE_CHECKING

import numpy as np

from kafkasim.analysis.arrays import Int64, step_counts
from kafkasim.analysis.frames import frame
from kafkasim.catalogue import say
from kafkasim.errors import ValidationError
from kafkasim.result.result import Result
from kafkasim.units import MISSING_NS, NS_PER_MS, ms_from_ns, ns_from_s

if TYPE_CHECKING:
    import pandas as pd


def unread(
    result: Result, *, group: str | None = None, from_s: float = 0.0
) -> "pd.DataFrame":
    """Return how many partitions of a group nobody reads.

    Parameters
    ----------
    result : Result
        Full, of a Kafka cluster.
    group : str, optional
        The first without it.
    from_s : float
        What is before is left out: gaps that begin earlier count from then on.

    Returns
    -------
    pandas.DataFrame
        One row at `from_s` and at each change: `at_ms`, `partitions` that nobody reads
        from then on. `attrs["longest_gap_ms"]`: the longest time for which nobody read
        a partition; `attrs["gap_partition_s"]`: the sum of those times over partitions,
        in seconds, the area below the steps; `attrs["partitions"]`: how many the group
        has; `attrs["group"]`.

    Raises
    ------
    ValidationError
        No such group.
    TableNotRecorded
        When the run did not record `assignments`.
    """
    table = result.columns("assignments")
    names = table.labels["group"]
    name = (names[0] if names else "") if group is None else group
    if name not in names and group is not None:
        raise ValidationError(
            "group", group, say("one of {names}", names=", ".join(names))
        )
    mine = table["group"] == (names.index(name) if name in names else -1)
    since, until, partitions = _gaps(result, mine)
    since = np.maximum(since, ns_from_s(from_s))
    gaps = until > since
    since, until = since[gaps], until[gaps]
    one = np.ones(2 * len(since), dtype=np.int64)
    one[len(since) :] = -1
    at, counts = step_counts(np.concatenate((since, until)), one)
    if not len(at) or at[0] > ns_from_s(from_s):
        at = np.concatenate(([ns_from_s(from_s)], at))
        counts = np.concatenate(([0], counts))
    made = frame(result, {"at_ms": ms_from_ns(at), "partitions": counts})
    long = until - since
    made.attrs["group"] = name
    made.attrs["partitions"] = partitions
    made.attrs["longest_gap_ms"] = float(long.max(initial=0)) / NS_PER_MS
    made.attrs["gap_partition_s"] = float(long.sum()) / NS_PER_MS / 1_000
    return made


def _gaps(result: Result, mine: "np.ndarray") -> tuple[Int64, Int64, int]:
    """Return where gaps begin and end, and how many partitions there are."""
    table = result.columns("assignments")
    since, until, topic, partition = (
        table[name][mine].astype(np.int64)
        for name in ("since_ns", "until_ns", "topic", "partition")
    )
    order = np.lexsort((since, partition, topic))
    since, until = since[order], until[order]
    place = np.stack((topic[order], partition[order]))
    last = np.ones(len(since), dtype=np.bool_)
    last[:-1] = (np.diff(place) != 0).any(axis=0)
    end_ns = int(str(result.facts["end_ns"]))
    back = np.append(since[1:], end_ns)[: len(since)]
    back = np.where(last, end_ns, back)
    begins = np.where(until == MISSING_NS, back, until)
    return begins, np.maximum(back, begins), int(last.sum())
