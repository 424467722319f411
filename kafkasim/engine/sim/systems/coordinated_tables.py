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

        Both tables are put in one order, by owner and time; each hand-out takes the
        epoch of the assignment last before it, or else of its owner's first.
        """
        owned = self.recorder.rows("assignments")
        if not len(owned):
            return np.full(len(columns["offset"]), -1, np.int32)
        keys = [np.concatenate((owned[one], columns[other])) for one, other in _SAME]
        times = np.concatenate((owned["since_ns"], columns["fetched_ns"]))
        is_owned = np.arange(len(times)) < len(owned)
        order = np.lexsort((~is_owned, times, *keys))
        is_first = np.ones(len(order), bool)
        is_first[1:] = False
        for key in keys:
            is_first[1:] |= np.diff(key[order]) != 0
        owner = np.cumsum(is_first)
        places = np.flatnonzero(is_owned[order])
        at = np.searchsorted(places, np.arange(len(order)), "right") - 1
        before = places[np.maximum(at, 0)]
        after = places[np.minimum(at + 1, len(places) - 1)]
        found = np.where((at >= 0) & (owner[before] == owner), before, after)
        epochs = np.full(len(order), -1, np.int32)
        its = owner[found] == owner
        epochs[order[its]] = owned["epoch"][order[found[its]]]
        return epochs[len(owned) :]
