"""Which broker's log readers saw, and when: that of the leader."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kafkasim.result.rows import code
from kafkasim.result.table import Table

Int64 = NDArray[np.int64]

_NEVER: Final = np.iinfo(np.int64).max


class Leaders(NamedTuple):
    """Who has led the partitions of a run, step by step.

    Rows are by partition, and of each in the order of time.
    """

    partition: Int64
    """Key of the partition."""
    at_ns: Int64
    """When it began to lead."""
    broker: Int64
    """The number of the broker."""
    span: int
    """More than any partition's number: a key is the topic's code times this, and it.
    """

    def keys(self, table: Table) -> Int64:
        """Return the key of each row's partition."""
        return table["topic"].astype(np.int64) * self.span + table["partition"]


def leaders_of(tables: Mapping[str, Table]) -> Leaders | None:
    """Return who led; None of a run in which each partition has one leader for good."""
    if "replicas" not in tables or not len(tables["replicas"]):
        return None
    table = tables["replicas"]
    span = int(table["partition"].max()) + 1
    led = np.flatnonzero(table["role"] == code(table, "role", "leader"))
    keys = table["topic"][led].astype(np.int64) * span + table["partition"][led]
    order = np.lexsort((table["leader_epoch"][led], table["at_ns"][led], keys))
    rows, keys = led[order], keys[order]
    broker = table["broker"][rows].astype(np.int64)
    new = np.ones(len(rows), np.bool_)
    new[1:] = (keys[1:] != keys[:-1]) | (broker[1:] != broker[:-1])
    return Leaders(keys[new], table["at_ns"][rows][new], broker[new], span)


def met_by_readers(removals: Table, leaders: Leaders | None) -> Int64:
    """Return when readers met each removal.

    A copy may have lost records that the leader's still has: readers meet that when it
    leads.

    Parameters
    ----------
    removals : Table
        Runs of offsets that left a broker's log together.
    leaders : Leaders or None
        Of the same run.

    Returns
    -------
    int64 array of shape (removals,), nanoseconds
        The largest number for what no reader ever met.
    """
    if leaders is None:
        return removals["at_ns"].astype(np.int64)
    found = np.full(len(removals), _NEVER, np.int64)
    keys = leaders.keys(removals)
    for key in np.unique(keys).tolist():
        mine = np.flatnonzero(keys == key)
        steps = leaders.partition == key
        since_ns, broker = leaders.at_ns[steps], leaders.broker[steps]
        for row in mine.tolist():
            owner, gone_ns = removals["broker"][row], int(removals["at_ns"][row])
            led = broker == owner
            until_ns = np.append(since_ns[1:], _NEVER)
            later = np.flatnonzero(led & (until_ns > gone_ns))
            if len(later):
                found[row] = max(gone_ns, int(since_ns[later[0]]))
    return found


NEVER: Final = _NEVER
"""When readers met what they never met."""
