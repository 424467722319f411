"""Who owned which partition, when, and for how long nobody did.

An ownership begins when a member may fetch a partition, and ends when it has given it
up, lost it, or died. Between the end of one and the beginning of the next nobody reads
the partition: that is the **gap** of a rebalance. A member that died is one that does
not read, whatever its coordinator believes: so the gap after a crash has the session
timeout in it.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from kafkasim.analysis.arrays import Bool, Float64, Int64
from kafkasim.analysis.frames import categorical, frame
from kafkasim.result.result import Result
from kafkasim.units import FOREVER_NS, MISSING_NS, NS_PER_MS

if TYPE_CHECKING:
    import pandas as pd

_AT_REST: Final = ("Stable", "Empty", "Dead")
"""States between two rebalances."""


_COLUMNS: Final = (
    *("group", "cause", "began_ms", "ended_ms", "epoch", "members"),
    *("moved", "gap_ms", "gap_partition_s"),
)
"""Of `rebalances`."""


def ownership(result: Result) -> "pd.DataFrame":
    """Return who owned which partition, and the gaps between.

    Parameters
    ----------
    result : Result
        Full, of a Kafka cluster.

    Returns
    -------
    pandas.DataFrame
        One row per group, partition and owner, in the order of time: `group`, `topic`,
        `partition`, `member`, `epoch` (generation or epoch), `since_ms`, `until_ms`
        (NaN: to the end of the run), `gap_ms` (until the next owner had it; NaN after
        the last).

    Raises
    ------
    TableNotRecorded
        When the run did not record `assignments`.
    """
    table = result.columns("assignments")
    columns = ("group", "topic", "partition", "since_ns")
    order = np.lexsort([table[name] for name in reversed(columns)])
    kept = {name: table[name][order] for name in (*columns, "member", "epoch")}
    until_ns: Int64 = table["until_ns"][order]
    labels = table.labels
    return frame(
        result,
        {
            "group": categorical(kept["group"], labels["group"]),
            "topic": categorical(kept["topic"], labels["topic"]),
            "partition": kept["partition"],
            "member": categorical(kept["member"], labels["member"]),
            "epoch": kept["epoch"],
            "since_ms": kept["since_ns"] / NS_PER_MS,
            "until_ms": _ms(until_ns, until_ns == MISSING_NS),
            "gap_ms": _gaps_ms(kept["since_ns"], until_ns, _same_as_next(kept)),
        },
    )


def _same_as_next(kept: dict[str, Int64]) -> Bool:
    """Tell of each row whether the next is of the same group and partition."""
    same = np.zeros(len(kept["group"]), np.bool_)
    if len(same) > 1:
        same[:-1] = np.logical_and.reduce(
            [np.diff(kept[name]) == 0 for name in ("group", "topic", "partition")]
        )
    return same


def _gaps_ms(since_ns: Int64, until_ns: Int64, same: Bool) -> Float64:
    next_ns = np.append(since_ns[1:], 0) if len(since_ns) else since_ns
    known = same & (until_ns != MISSING_NS)
    gaps = np.where(known, np.maximum(next_ns - until_ns, 0), 0)
    return _ms(gaps, ~known)


def _ms(times_ns: Int64, missing: Bool) -> Float64:
    return np.where(missing, np.nan, times_ns / NS_PER_MS)


def rebalances(result: Result) -> "pd.DataFrame":
    """Return how long each rebalance took, and what it cost.

    Parameters
    ----------
    result : Result
        Full, of a Kafka cluster with coordinators.

    Returns
    -------
    pandas.DataFrame
        One row per rebalance: `group`; `cause`, that of its first change; `began_ms`,
        when the group left its rest; `ended_ms`, when it was stable again (NaN: not
        before the end of the run); `epoch` and `members` then; `moved`, partitions that
        another member owned afterwards; `gap_ms`, the longest time in which nobody
        owned a partition that was owned before; `gap_partition_s`, the sum of those
        times over partitions, in seconds.

    Raises
    ------
    TableNotRecorded
        When the run did not record `group_states`: its groups had no coordinator.
    """
    states = result.columns("group_states")
    names = states.labels["group"]
    resting = np.isin(
        states["state"],
        [n for n, name in enumerate(states.labels["state"]) if name in _AT_REST],
    )
    rows: list[dict[str, Any]] = []
    owned = ownership(result)
    for code, name in enumerate(names):
        mine = np.flatnonzero(states["group"] == code)
        of_group = owned[owned["group"] == name]
        spans = list(_unrests(resting[mine]))
        begins_ns = [int(states["at_ns"][mine[first]]) for first, _ in spans]
        for (first, last), since_ns, next_ns in zip(
            spans, begins_ns, [*begins_ns, FOREVER_NS][1:], strict=True
        ):
            ended = last < len(mine)
            end_row = mine[last if ended else -1]
            cause = states.labels["cause"][states["cause"][mine[first]]]
            rows.append(
                {
                    "group": name,
                    "cause": cause,
                    "began_ms": since_ns / NS_PER_MS,
                    "ended_ms": states["at_ns"][end_row] / NS_PER_MS
                    if ended
                    else np.nan,
                    "epoch": int(states["epoch"][end_row]),
                    "members": int(states["members"][end_row]),
                    **_cost(of_group, since_ns / NS_PER_MS, next_ns / NS_PER_MS),
                }
            )
    rows.sort(key=lambda row: float(row["began_ms"]))
    return frame(result, {key: [row[key] for row in rows] for key in _COLUMNS})


def _unrests(resting: Bool) -> Iterator[tuple[int, int]]:
    """Return each run of rows not at rest: its first, and one past its last."""
    edges = np.flatnonzero(np.diff(np.concatenate(([1], resting, [1])).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _cost(owned: "pd.DataFrame", since_ms: float, next_ms: float) -> dict[str, Any]:
    """Return what changes of owners cost that came about in a time."""
    gap_ms = owned["gap_ms"].to_numpy(np.float64)
    taken_ms = owned["until_ms"].to_numpy(np.float64) + gap_ms
    here = (taken_ms >= since_ms) & (taken_ms < next_ms)
    members = owned["member"].cat.codes.to_numpy()
    moved = here[:-1] & (members[1:] != members[:-1])
    return {
        "moved": int(moved.sum()),
        "gap_ms": float(gap_ms[here].max(initial=0.0)),
        "gap_partition_s": float(gap_ms[here].sum()) / 1_000.0,
    }
