"""The tables of a run in which members come to own partitions, and give them up."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kafkasim.engine.sim.systems.kafka_tables import KafkaTables

Ints = NDArray[np.int64]


class CoordinatedTables(KafkaTables):
    """The recorder of such a run."""

    def _epochs(self, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.int32]:
        """Return in which generation a member came to own what it was handed."""
        owned = self.recorder.rows("assignments")
        names = ("group", "member", "topic", "partition")
        owners, code = np.unique(owned[list(names)], return_inverse=True)
        epochs = np.full(len(columns["offset"]), -1, np.int32)
        for number, owner in enumerate(owners):
            mine = owned[code == number]
            mine = mine[np.argsort(mine["since_ns"], kind="stable")]
            here = np.flatnonzero(
                (columns["subscriber"] == owner["group"])
                & (columns["member"] == owner["member"])
                & (columns["topic"] == owner["topic"])
                & (columns["partition"] == owner["partition"])
            )
            at = np.searchsorted(mine["since_ns"], columns["fetched_ns"][here], "right")
            epochs[here] = mine["epoch"][np.maximum(at - 1, 0)]
        return epochs
