"""The batch queues of a producer that compresses.

A batch is full by what the producer expects of its compressed size, which every record
is added to as it is, uncompressed (`MemoryRecordsBuilder.hasRoomFor`, PR-23).
"""

from collections.abc import Callable

import numpy as np

from kafkasim.log.record_size import (
    BATCH_HEADER_BYTES,
    extra_delta_bytes,
    varint_bytes,
)
from kafkasim.protocol.producing.batch import FULL
from kafkasim.protocol.producing.compression import Compression
from kafkasim.protocol.producing.queues import PartitionQueues
from kafkasim.units import NS_PER_MS


class CompressedQueues(PartitionQueues):
    """Queues of batches, one per partition, whose sizes are expected ones.

    Parameters
    ----------
    source_index, batch_size, count, on_full
        As of `PartitionQueues`.
    compression : Compression
        What is expected.
    """

    __slots__ = ("_compression", "_estimates", "_raw_undo")

    def __init__(
        self,
        *,
        source_index: int,
        batch_size: int,
        count: int,
        on_full: Callable[[int, int], None],
        compression: Compression,
    ) -> None:
        super().__init__(
            source_index=source_index,
            batch_size=batch_size,
            count=count,
            on_full=on_full,
        )
        self._compression = compression
        self._estimates = [compression.estimate] * count
        """Per partition the ratio that its last batch was opened with."""
        self._raw_undo: list[tuple[int, int, np.float32]] = []

    def grow(self, more: int) -> None:
        """Have a queue for so many partitions more, as of `PartitionQueues`."""
        super().grow(more)
        self._estimates += [self._compression.estimate] * more

    def record_bytes(self, at: int, count: int, delta_ms: int) -> int:
        """Return what a record takes uncompressed.

        Parameters
        ----------
        at : int
            Its place.
        count : int
            Records before it in its batch.
        delta_ms : int
            How much later it is than the first of them.
        """
        body = self._body_bytes[at] + extra_delta_bytes(count, delta_ms)
        return body + varint_bytes(body)

    def try_append(self, partition: int, at: int, called_ns: int, now_ns: int) -> int:
        """Append record `at` to the open batch, if there is one with room for it.

        As of `PartitionQueues`; the bytes are expected ones.
        """
        tail = self.tails[partition]
        if tail is None:
            return -1
        if self._touched[partition] != self._round:
            self._remember(partition)
        delta_ms = called_ns // NS_PER_MS - self._base_ms[partition]
        size = self.record_bytes(at, tail.hi - tail.lo, delta_ms)
        before, capacity = tail.size_bytes, self._capacities[partition]
        if before + size <= capacity:
            tail.raw_bytes += size
            tail.size_bytes = self._compression.expected_bytes(
                tail.raw_bytes, self._estimates[partition]
            )
            tail.hi += 1
            self.appends[partition].append(at)
            if tail.size_bytes >= capacity:
                self._close(partition, now_ns)
            return tail.size_bytes - before
        self._close(partition, now_ns)
        return -1

    def append_new_batch(
        self, partition: int, at: int, called_ns: int, now_ns: int
    ) -> int:
        """Open a batch with record `at`; return the size that it is expected to have.

        One that is full with it takes no more (`MemoryRecordsBuilder.isFull`).
        """
        size = super().append_new_batch(partition, at, called_ns, now_ns)
        tail = self.waiting[partition][-1]
        tail.raw_bytes = size - BATCH_HEADER_BYTES
        estimate = self._estimates[partition] = self._compression.estimate
        tail.size_bytes = self._compression.expected_bytes(tail.raw_bytes, estimate)
        if tail.size_bytes >= self._capacities[partition]:
            self._close(partition, now_ns)
        return tail.size_bytes

    def append_stretch(self, partition: int, at: int, end: int, most_bytes: int) -> int:  # noqa: ARG002
        """Append nothing: each record has to be looked at."""
        return 0

    def _close(self, partition: int, now_ns: int) -> None:
        tail = self.tails[partition]
        assert tail is not None
        tail.closed_ns = now_ns
        tail.closed_by = FULL
        self.tails[partition] = None
        self._on_full(partition, now_ns)

    def settle(self) -> None:
        """Make the present state the one to go back to."""
        super().settle()
        self._raw_undo.clear()

    def go_back(self) -> None:
        """Undo what was appended since the last `settle`; nothing was drained since."""
        tails = {partition: tail for partition, tail, *_ in self._undo}
        for partition, raw_bytes, estimate in self._raw_undo:
            tail = tails[partition]
            if tail is not None:
                tail.raw_bytes = raw_bytes
            self._estimates[partition] = estimate
        super().go_back()

    def _remember(self, partition: int) -> None:
        super()._remember(partition)
        tail = self.tails[partition]
        raw_bytes = tail.raw_bytes if tail else 0
        self._raw_undo.append((partition, raw_bytes, self._estimates[partition]))
