"""What is final in a Kafka run: rows that are written, and what is left to settle."""

from collections import deque
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import numpy as np

from kafkasim.engine.sim.append_lists import Ordinals
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.producer import Batch
from kafkasim.engine.sim.replica import Append, Replica
from kafkasim.engine.sim.replica_calls import ReplicaCalls
from kafkasim.engine.sim.request import Request
from kafkasim.engine.sim.systems.kafka_cluster import KafkaCluster
from kafkasim.engine.sim.systems.kafka_stream import KafkaStream
from kafkasim.engine.sim.systems.streamable import MustKeepRecords
from kafkasim.protocol.cluster.controller_messages import AlterPartition, PartitionState
from kafkasim.protocol.producing.columns import RecordColumns
from kafkasim.units import MISSING_NS


class KafkaAccounts(KafkaCluster):
    """A cluster that keeps account of each record.

    A record has to become final at its producer, and for each subscriber that wants it;
    so has each further copy of it that a leader appends.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401
        super().__init__(*arguments, **options)
        self.stream: KafkaStream | None = None
        self._appends: list[Append] = []
        self._append_ids = count()
        self._done: set[int] = set()
        """Batches whose rows are written, where a producer may give one up early."""

    def _appended(self, batch: Batch, partition: Partition) -> None:
        self.lists[batch.source_index].appended[batch.partition] = batch.hi
        self.tables.append(batch, partition)
        if self.stream is not None:
            self.stream.note_append(batch, partition)

    def _replica_calls(
        self, ask_controller: Callable[[int, AlterPartition], None]
    ) -> ReplicaCalls:
        return ReplicaCalls(
            next_append_id=self._append_ids.__next__,
            on_append=self._replicated,
            on_lead=self._led,
            on_vanished=self._vanished,
            write_replica=self._write_replica,
            write_segment=self.tables.segment,
            ask_controller=ask_controller,
        )

    def _replicated(self, batch: Batch, partition: Partition, append: Append) -> None:
        """Take note of an append to a leader's log.

        It is what everyone waits for who wants these records; an append of what was
        appended before is more than was expected. What is appended to the log of one
        that does not know of the next leader is lost to readers at once.
        """
        appended = self.lists[batch.source_index].appended
        awaits = self.producers[batch.source_index].awaits_answers
        again = append.batch is not batch or (awaits and batch.batch_id in self._done)
        lost = append.leader != partition.leader
        if again or lost:
            count = (batch.hi - batch.lo) * self._reader_count(partition)
            if again:
                self.timeline.unsettled += count
            if lost:
                append.truncated_ns = append.appended_ns
                self.timeline.settle(count)
        if batch.hi > appended[batch.partition]:
            appended[batch.partition] = batch.hi
        self._appends.append(append)
        if self.stream is not None:
            self.stream.note_append(batch, partition)

    def _write_appends(self, count: int) -> None:
        """Write the first appends of those that are not written yet."""
        for append in self._appends[:count]:
            self.tables.replicated_append(append, self.partitions[append.partition])
            if self.stream is not None:
                append.batch.append = None  # nothing else would let go of both
        del self._appends[:count]

    def _reader_count(self, partition: Partition) -> int:
        index, count = partition.index, 0
        for group in self.groups.values():  # asked for every append
            if index in group.processed:
                count += 1
        return count

    def _led(self, partition: Partition, agreed: int) -> None:
        """Take note that what a leader had beyond an offset is lost to readers."""
        self._must_keep()
        now_ns = self.calendar.now_ns
        known = {id(batch) for batch in partition.batches}
        for append in self._appends:
            if append.partition != partition.index:
                continue
            if id(append.batch) in known:
                if append.truncated_ns != MISSING_NS:
                    append.truncated_ns = MISSING_NS  # its log is the leader's again
                    count = append.end_offset - append.base_offset
                    self.timeline.unsettled += count * self._reader_count(partition)
            elif append.truncated_ns == MISSING_NS:
                append.truncated_ns = now_ns
        partition.uncommitted = deque(
            batch.append
            for batch in partition.batches
            if batch.append.committed_ns == MISSING_NS
        )
        for group in self.groups.values():
            if partition.index in group.processed:
                self.timeline.settle(group.truncated(partition, agreed, now_ns))

    def _write_replica(
        self, replica: Replica, state: PartitionState, role: str, cause: str
    ) -> None:
        if state.leader_epoch < self.partitions[replica.partition].leader_epoch:
            return  # news to a broker that stood still, and over already
        self.tables.replica(replica, state, role, cause, self.calendar.now_ns)

    def _expect(self, source: int, block: RecordColumns | None) -> None:
        """Count what has to become final: at the producer and at who wants it.

        A record that the client refuses (PR-5) is final for all at its own time. That
        more may come is one thing to settle, too.
        """
        timeline = self.timeline
        if block is None:
            timeline.unsettled -= 1
            return
        topic = self.sources[source].stream
        readers = [s for s in self.subscribers.values() if topic in s.streams]
        finals = 1 + len(readers)
        timeline.unsettled += len(block) * finals
        refused = block.refused()
        if not len(refused):
            return
        if self.stream is not None:
            self.stream.note_refused(source, block.created_ns[refused])
        last_ns = int(block.created_ns[refused[-1]])
        count = len(refused) * finals
        if last_ns > self.calendar.now_ns:
            timeline.command(last_ns, timeline.settle, count)
        else:
            timeline.settle(count)

    def _timed_out(self, source: int, intended_ns: int) -> None:
        """Count a record that is final for all: there was no memory for it in time."""
        topic = self.sources[source].stream
        if self.stream is not None:
            self.stream.note_refused(source, np.array([intended_ns]))
        readers = [s for s in self.subscribers.values() if topic in s.streams]
        self.timeline.settle(1 + len(readers))

    def _before_release(self) -> None:
        if self.stream is not None:
            self.stream.flush()
            appends = enumerate(self._appends)
            waiting = (n for n, one in appends if one.committed_ns == MISSING_NS)
            self._write_appends(next(waiting, len(self._appends)))

    def _must_keep(self) -> None:
        """Begin anew if records were let go that may be asked for again.

        Raises
        ------
        MustKeepRecords
            It is a streamed run.
        """
        if self.stream is not None:
            raise MustKeepRecords

    def _take_ordinals(self, source: int, partition: int, ordinals: Ordinals) -> None:
        self.tables.ordinals(source, partition, ordinals, keep=self.stream is None)

    def _write_batch(self, batch: Batch) -> None:
        written = self.lists[batch.source_index].written
        if batch.hi > written[batch.partition]:
            written[batch.partition] = batch.hi
        self.tables.batch(batch)

    def _batches_done(self, batches: Sequence[Batch]) -> None:
        """Write batches that are final at the client.

        One that no leader has appended will be read by nobody; of one that was sent
        with acks=0 the broker's side says so (`_vanished`).
        """
        for batch in batches:
            was_sent = batch.batch_id >= 0
            if not was_sent:
                batch.batch_id = next(self._batch_ids)
            self._done.add(batch.batch_id)
            self._write_batch(batch)
            self.timeline.settle(batch.hi - batch.lo)
            awaits = self.producers[batch.source_index].awaits_answers
            if batch.base_offset < 0 and (awaits or not was_sent):
                self._nobody_reads(batch)

    def _split(self, batch: Batch) -> None:
        """Write a batch that was too large; its records are in others now."""
        self._done.add(batch.batch_id)
        self.tables.batch(batch)

    def _nobody_reads(self, batch: Batch) -> None:
        """Take note that a batch will be in no log."""
        topic = self.sources[batch.source_index].stream
        readers = self._reader_count(self.by_topic[topic][batch.partition])
        self.timeline.settle((batch.hi - batch.lo) * readers)

    def _vanished(self, batches: Sequence[Batch]) -> None:
        """Take note of batches that were lost, and whose client wants no answer."""
        for batch in batches:
            self._nobody_reads(batch)

    def _produced(self, request: Request, answered_ns: int) -> None:
        """Write what the client knows the end of; with acks=0 that is the append."""
        count = 0
        for batch in request.payload:
            count += batch.hi - batch.lo
            self._write_batch(batch)
        self.write_request(request, answered_ns)
        self.timeline.settle(count)
