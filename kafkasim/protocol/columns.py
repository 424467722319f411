"""What the accumulator must know of a source's records, as columns.

Sizes, timestamps and the partition of the key; never the key or the value itself.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.protocol.record_size import BOUND_OVER_BODY_BYTES, body_bytes_of
from kafkasim.units import NS_PER_MS

STICKY: Final = -1
"""Partition of a record that goes where the sticky partitioner says."""
REFUSED: Final = -2
"""Partition of a record that was never appended: it is larger than a request (PR-5)."""


class RecordColumns:
    """What the accumulator must know of a source's records.

    Parameters
    ----------
    created_ns : int64 array of shape (records,), nanoseconds
        When each is handed to the client, sorted.
    key_bytes, value_bytes : int64 arrays of shape (records,), bytes
        Sizes; −1 for null.
    partitions : int32 array of shape (records,)
        Partition of the key; `STICKY` for a record that the sticky partitioner places.
    start_ms : int
        Time of day at the run's start, in milliseconds since 1970.
    max_request_size : int
        Records whose upper bound exceeds it are refused (PR-5,
        `KafkaProducer.ensureValidRecordSize`).
    """

    __slots__ = ("body_bytes", "created_ns", "partitions", "timestamps_ms")

    def __init__(
        self,
        *,
        created_ns: NDArray[np.int64],
        key_bytes: NDArray[np.int64],
        value_bytes: NDArray[np.int64],
        partitions: NDArray[np.int32],
        start_ms: int,
        max_request_size: int,
    ) -> None:
        self.created_ns = created_ns
        self.timestamps_ms = created_ns // NS_PER_MS + start_ms
        self.body_bytes = body_bytes_of(key_bytes, value_bytes)
        refused = self.body_bytes + BOUND_OVER_BODY_BYTES > max_request_size
        self.partitions = np.where(refused, np.int32(REFUSED), partitions)

    def refused(self) -> NDArray[np.int64]:
        """Return the ordinals of the records that are too large for a request."""
        return np.flatnonzero(self.partitions == REFUSED)
