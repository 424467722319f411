"""The tables of a run in which members come to own partitions, and give them up."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.engine.sim.systems.kafka_tables import KafkaTables

Ints = NDArray[np.int64]

_SAME: Final = (
    ("group", "subscriber"),
    ("member", "member"),
    ("topic", "topic"),
    ("partition", "partition"),
)
"""Columns of `assignments` and `deliveries` that say whose a partition is."""


class CoordinatedTables(KafkaTables):
    """The recorder of such a run."""

    def _epochs(self, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.int32]:
        """Return in which generation a member came to own what it was handed.

        Of the assignments by owner and time, the last before a hand-out, or else the
        owner's first.
        """
        owned = self.recorder.rows("assignments")
        known = np.unique(owned["epoch"])
        if len(known) < 2:  # nobody but an owner is handed anything
            return np.full(len(columns["offset"]), known[0] if len(known) else -1, "i4")
        code, asked = _codes(owned, columns)
        owned = owned[np.lexsort((owned["since_ns"], code))]
        owners, first, mine = np.unique(
            np.sort(code), return_index=True, return_inverse=True
        )
        moments, since = np.unique(owned["since_ns"], return_inverse=True)
        owner = np.minimum(np.searchsorted(owners, asked), len(owners) - 1)
        at = np.searchsorted(moments, columns["fetched_ns"], "right")
        step = len(moments) + 1
        last = np.searchsorted(mine * step + since + 1, owner * step + at, "right") - 1
        epochs = owned["epoch"][np.maximum(last, first[owner])]
        return np.where(owners[owner] == asked, epochs, -1).astype(np.int32)


def _codes(
    owned: NDArray[Any], columns: Mapping[str, NDArray[Any]]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return a number for the owner and partition of each assignment and hand-out."""
    before = np.zeros(len(owned), np.int64)
    asked = np.zeros(len(columns["offset"]), np.int64)
    for one, other in _SAME:
        size = 1 + max(owned[one].max(), columns[other].max(initial=0))
        before = before * size + owned[one]
        asked = asked * size + columns[other]
    return before, asked
