"""An accumulator after failures: what is sent again, what must wait, what expires.

While a batch is being sent again, its partition's queue has two parts: the batches in
front (`Retries.fronts`), and behind them what was never drained, as ever. Leaders may
change, and a partition may have none (`RecordAccumulator.ready`, PR-32). Every change
is made at the present moment: what was appended by looking ahead is undone first.
"""

from abc import abstractmethod
from bisect import bisect_left
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from kafkasim.log.batch_size import RangeSizes
from kafkasim.log.record_size import BATCH_HEADER_BYTES, BOUND_OVER_BODY_BYTES
from kafkasim.protocol.producing.accumulator import Accumulator, NodeQueue
from kafkasim.protocol.producing.batch import NEVER, Batch
from kafkasim.protocol.producing.retries import Retries
from kafkasim.units import MISSING_NS, NS_PER_MS


class CarefulAccumulator(Accumulator):
    """Batches of one producer and topic, failures considered."""

    @abstractmethod
    def position(self, partition: int) -> int:
        """Return the position in its append list of the first record not drained."""

    @abstractmethod
    def _come_to(self, now_ns: int) -> None:
        """Have appended exactly the records created up to `now_ns`, for a change."""

    @abstractmethod
    def _settle(self) -> None:
        """Make the present state the one that holds, after a change."""

    @abstractmethod
    def _fill(self, queue: NodeQueue, now_ns: int) -> None:
        """Note in a new node queue what its partitions hold."""

    @abstractmethod
    def _opened_ns(self, partition: int) -> int:
        """Return when the head of a partition's queue was opened; NEVER without."""

    @abstractmethod
    def _sendable_ns(self, partition: int) -> int:
        """Return from when on the head of a partition's queue is sendable."""

    def care(self, retries: Retries | None, now_ns: int) -> None:
        """Look from now on at what failures have left behind; None: no more."""
        self._come_to(now_ns)
        self.retries = retries
        self._look_at(range(len(self.ready_ns)), now_ns)
        self._settle()

    def look_again(self, nodes: Iterable[int], now_ns: int) -> None:
        """Find out anew when nodes are ready, after `retries` changed.

        Those whose walk was blocked are looked at as well.
        """
        assert self.retries is not None
        self._come_to(now_ns)
        self._look_at({*nodes, *self.retries.blocked}, now_ns)
        self._settle()

    def _look_at(self, nodes: Iterable[int], now_ns: int) -> None:
        if self.retries is not None:
            self.retries.blocked.clear()
        for node in nodes:
            self.ready_ns[node] = self._ready_with_care(node, now_ns)

    def set_leaders(self, leaders: Sequence[int], now_ns: int) -> None:
        """Let each partition be sent to the node that leads it now, −1 for none."""
        self._come_to(now_ns)
        self._leaders[:] = leaders
        old = self._nodes
        self._nodes = self._node_queues()
        for queue, before in zip(self._nodes, old, strict=True):
            queue.drain_index = before.drain_index % max(1, len(queue.partitions))
            self._fill(queue, now_ns)
        self._look_at(range(len(self.ready_ns)), now_ns)
        self._settle()

    def oldest_ns(self) -> int:
        """Return when the oldest head of a queue was opened; NEVER without any.

        What was only looked ahead at counts too, and was opened later than now.
        """
        oldest_ns = min(map(self._opened_ns, range(len(self._leaders))))
        for front in self.retries.fronts.values() if self.retries is not None else ():
            oldest_ns = min(oldest_ns, front[0].opened_ns)
        return oldest_ns

    def largest_bound(self, batch: Batch) -> int:
        """Return the upper bound of a batch's largest record, in bytes."""
        return int(self._bodies(self._places_of(batch)).max()) + BOUND_OVER_BODY_BYTES

    def split(self, batch: Batch, target: int) -> list[Batch]:
        """Return the batches of a batch's records when each may have `target` bytes.

        Each has room for its first record's upper bound (`ProducerBatch.split`). They
        use none of the buffer's memory.
        """
        places = self._places_of(batch)
        bodies = self._bodies(places)
        created_ns = self.column("created_ns")[places]
        sizes = RangeSizes(bodies, created_ns)
        parts: list[Batch] = []
        first = 0
        while first < len(places):
            base_ms = int(created_ns[first]) // NS_PER_MS
            capacity = max(target, int(bodies[first]) + BOUND_OVER_BODY_BYTES)
            end, used = sizes.fill(
                first, len(places), 0, base_ms, BATCH_HEADER_BYTES, capacity
            )
            part = Batch(
                batch.source_index,
                batch.partition,
                batch.lo + first,
                batch.lo + end,
                used,
                batch.opened_ns,
                batch.closed_ns,
                batch.closed_by,
            )
            part.parent_id = batch.batch_id
            parts.append(part)
            first = end
        return parts

    def _compress(self, batch: Batch) -> None:
        """Give a batch its own size in place of the one that was expected."""

    def _bodies(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the body sizes of the records at places of `column`."""
        return self.column("body_bytes")[places].astype(np.int64)

    def _places_of(self, batch: Batch) -> NDArray[np.int64]:
        return self.places(
            np.array([batch.partition]),
            np.array([batch.lo]),
            np.array([batch.hi - batch.lo]),
        )

    def to_send_again(self) -> list[Batch]:
        """Return what stands in front of the queues, by partition and order."""
        fronts = self.retries.fronts if self.retries is not None else {}
        return [batch for _, front in sorted(fronts.items()) for batch in front]

    def expire(self, limit_ns: int, now_ns: int) -> list[Batch]:
        """Take out the batches opened up to `limit_ns`, by partition and age (PR-35).

        A queue is looked at from its head on, up to the first that is younger.
        """
        self._come_to(now_ns)
        expired: list[Batch] = []
        fronts = self.retries.fronts if self.retries is not None else {}
        for queue in self._nodes:
            slots = set(self._awake(queue, now_ns))
            for slot, partition in enumerate(queue.partitions):
                while partition in fronts and (
                    fronts[partition][0].opened_ns <= limit_ns
                ):
                    assert self.retries is not None
                    expired.append(self.retries.take(partition))
                while (
                    slot in slots
                    and partition not in fronts
                    and self._opened_ns(partition) <= limit_ns
                ):
                    batch = self._peek(partition, now_ns)
                    if not self._take(queue, slot, batch, now_ns):
                        slots.discard(slot)
                    batch.sent_ns = MISSING_NS
                    expired.append(batch)
            queue.active = sorted(slots)
        self._look_at(range(len(self.ready_ns)), now_ns)
        self._settle()
        expired.sort(key=lambda batch: batch.partition)
        return expired

    def _drain_with_care(self, node: int, now_ns: int, retries: Retries) -> list[Batch]:
        """Drain with an eye on what is sent again, muted, or must end the walk."""
        queue = self._nodes[node]
        partitions = queue.partitions
        fresh = set(self._awake(queue, now_ns))
        again = {s for s, p in enumerate(partitions) if p in retries.fronts}
        slots = sorted(fresh | again)
        first = queue.drain_index
        turn = bisect_left(slots, first)
        room = self._settings.max_request_size
        batches: list[Batch] = []
        for slot in slots[turn:] + slots[:turn]:
            partition = partitions[slot]
            is_retry = partition in retries.fronts
            if partition in retries.muted:
                continue
            batch = (
                retries.fronts[partition][0]
                if is_retry
                else self._peek(partition, now_ns)
            )
            if is_retry and batch.retry_ns > now_ns:
                continue
            expected_bytes = batch.size_bytes
            room -= expected_bytes
            has_room = room >= 0 or not batches
            if not has_room or retries.stops(partition, batch, is_retry=is_retry):
                queue.drain_index = slot
                if has_room:
                    retries.blocked.add(node)
                break
            batches.append(batch)
            if is_retry:
                retries.take(partition)
                batch.retry_ns = MISSING_NS
                if batch.sent_ns == MISSING_NS:  # it is a part of one that was split
                    batch.sent_ns = now_ns
                    self._compress(batch)
            elif not self._take(queue, slot, batch, now_ns):
                fresh.discard(slot)
            room += expected_bytes - batch.size_bytes
        else:
            queue.drain_index = (first or len(partitions)) - 1
        queue.active = sorted(fresh)
        self.ready_ns[node] = self._ready_with_care(node, now_ns)
        return batches

    def _ready_with_care(self, node: int, now_ns: int) -> int:
        """Return from when on a node is ready, failures considered.

        A batch that was sent before is closed, and so sendable as soon as its backoff
        is over; until then nothing of its partition is (PR-25).
        """
        queue = self._nodes[node]
        retries = self.retries
        if retries is None or not (retries.fronts or retries.muted or retries.blocked):
            return self._next_ready_ns(queue, now_ns)
        if node in retries.blocked:
            return NEVER
        ready_ns = NEVER
        for partition in queue.partitions:
            if partition not in retries.muted:
                front = retries.fronts.get(partition)
                ready_ns = min(
                    ready_ns,
                    front[0].retry_ns if front else self._sendable_ns(partition),
                )
        return ready_ns
