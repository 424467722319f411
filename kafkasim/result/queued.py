"""Which records came into a subscriber's queue, and which left it: from `queues`.

In a system with queues each subscriber has one of its name, and a record is held for
it, or not, whatever became of its copies in others' queues.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kafkasim.result.rows import code
from kafkasim.result.schema_queues import LEFT
from kafkasim.result.table import Table
from kafkasim.units import MISSING_NS


@dataclass(frozen=True, slots=True)
class Queued:
    """What became of records in one subscriber's queue, as arrays of one length."""

    came_ns: NDArray[np.int64]
    """When each first came into it; `MISSING_NS` when it never did."""
    gone_ns: NDArray[np.int64]
    """When the last copy left it; `MISSING_NS` when one is there, or none ever was."""

    @property
    def held(self) -> NDArray[np.bool_]:
        """Which of them are in it."""
        held: NDArray[np.bool_] = np.logical_and(
            self.came_ns != MISSING_NS, self.gone_ns == MISSING_NS
        )
        return held


def queued(queues: Table, subscriber: str, rows: NDArray[np.int64]) -> Queued:
    """Return what became of some records in a subscriber's queue.

    Parameters
    ----------
    queues : Table
        The table `queues`, whose rows are in the order of time.
    subscriber : str
        Whose queue.
    rows : int64 array
        Rows of `records`.
    """
    count = int(rows.max(initial=-1)) + 1
    mine = queues["topic"] == code(queues, "topic", subscriber)
    ids, at = queues["record_id"][mine], queues["at_ns"][mine]
    changes = queues["change"][mine]
    inside = ids < count
    ids, at, changes = ids[inside], at[inside], changes[inside]
    entered = changes == code(queues, "change", "enqueued")
    left = np.isin(changes, [code(queues, "change", each) for each in LEFT])
    came = np.full(count, MISSING_NS, dtype=np.int64)
    came[ids[entered][::-1]] = at[entered][::-1]
    gone = np.full(count, MISSING_NS, dtype=np.int64)
    gone[ids[left]] = at[left]
    copies = np.bincount(ids[entered], minlength=count)
    copies -= np.bincount(ids[left], minlength=count)
    gone[copies > 0] = MISSING_NS
    return Queued(came[rows], gone[rows])
