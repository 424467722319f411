"""The accumulator of a producer that compresses.

Its records are appended one by one, whether they have keys or not: what a batch is
expected to take changes with every batch that was closed before it was opened.
"""

from kafkasim.log.record_size import BATCH_HEADER_BYTES, BOUND_OVER_BODY_BYTES
from kafkasim.protocol.producing.accumulator import NodeQueue, Settings
from kafkasim.protocol.producing.batch import Batch
from kafkasim.protocol.producing.compressed_queues import CompressedQueues
from kafkasim.protocol.producing.queues import PartitionQueues
from kafkasim.protocol.producing.sticky import StickyAccumulator
from kafkasim.units import NS_PER_MS


class CompressingAccumulator(StickyAccumulator):
    """Batches of one producer and topic, compressed.

    A batch has the size that is expected of it until it is drained, and then its own.
    """

    def _make_queues(self, settings: Settings) -> PartitionQueues:
        assert settings.compression is not None
        self._compression = settings.compression
        self._compressed = CompressedQueues(
            source_index=settings.source_index,
            batch_size=settings.batch_size,
            count=len(settings.leaders),
            on_full=self._closed,
            compression=settings.compression,
        )
        return self._compressed

    def _take(self, queue: NodeQueue, slot: int, batch: Batch, now_ns: int) -> bool:
        self._compress(batch)
        return super()._take(queue, slot, batch, now_ns)

    def _compress(self, batch: Batch) -> None:
        batch.size_bytes = self._compression.close(batch.raw_bytes)

    def split(self, batch: Batch, target: int) -> list[Batch]:
        """Return the batches of a batch's records when each may have `target` bytes.

        Their sizes are expected ones again (`ProducerBatch.split`).
        """
        compression = self._compression
        compression.was_too_large(batch.size_bytes, batch.raw_bytes)
        places = self._places_of(batch).tolist()
        created_ms = (self.column("created_ns")[places] // NS_PER_MS).tolist()
        bodies = self._bodies(self._places_of(batch)).tolist()
        parts: list[Batch] = []
        part, capacity, base_ms = batch, 0, 0
        for number, place in enumerate(places):
            size = self._compressed.record_bytes(
                place, part.hi - part.lo, created_ms[number] - base_ms
            )
            if not parts or not (part.size_bytes + size <= capacity > part.size_bytes):
                part = self._part_of(batch, number)
                parts.append(part)
                capacity = max(target, bodies[number] + BOUND_OVER_BODY_BYTES)
                base_ms = created_ms[number]
                size = self._compressed.record_bytes(place, 0, 0)
            part.hi += 1
            part.raw_bytes += size
            part.size_bytes = compression.expected_bytes(
                part.raw_bytes, compression.estimate
            )
        return parts

    @staticmethod
    def _part_of(batch: Batch, number: int) -> Batch:
        lo = batch.lo + number
        part = Batch(
            batch.source_index,
            batch.partition,
            lo,
            lo,
            BATCH_HEADER_BYTES,
            batch.opened_ns,
            batch.closed_ns,
            batch.closed_by,
        )
        part.parent_id = batch.batch_id
        return part
