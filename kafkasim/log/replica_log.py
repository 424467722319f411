"""A replica's log: what replication and producers need to know of its segments.

Where a leader's epoch began, up to where all replicas have it, what its producers
wrote last, and which transactions are open. All of it moves with the log's two ends.

Source: `org.apache.kafka.storage.internals.log.UnifiedLog` (4.3).
"""

from collections.abc import Callable, Sequence
from typing import TypeVar, cast

from kafkasim.config.topic import TopicConfig
from kafkasim.log.checkpoints import (
    LEADER_EPOCHS,
    PARTITION_METADATA,
    leader_epochs_text,
    partition_metadata_text,
)
from kafkasim.log.contents import ByteBatch
from kafkasim.log.header import CONTROL, BatchHeader
from kafkasim.log.leader_epochs import LeaderEpochs
from kafkasim.log.loading import load
from kafkasim.log.local_log import LocalLog
from kafkasim.log.producer_files import MarkerReader, ProducerFiles, read_marker
from kafkasim.log.producer_state import DEFAULT_EXPIRATION_MS, ProducerStates
from kafkasim.log.segment import Segment
from kafkasim.log.store import MemoryStore, Store
from kafkasim.log.transaction_index import AbortedTransaction

BatchT = TypeVar("BatchT")


class ReplicaLog(LocalLog[BatchT]):
    """The log of one replica of a partition.

    Parameters
    ----------
    store : Store, optional
        The partition's folder: a new one in memory if not given. The log that is in it
        is opened, and made whole; see `loading.load`.
    config : TopicConfig, optional
        The topic's settings; what is not said has Kafka's default.
    now_ms : int, optional
        The time.
    log_start_offset : int, optional
        Where the log begins: no lower than its first segment.
    clean_shutdown : bool, optional
        Whether the log in the store was closed. If not, all from the recovery point on
        is checked.
    recovery_point : int, optional
        Offset below which that log was synced.
    topic_id : str, optional
        Goes into `partition.metadata`.
    producer_expiration_ms : int, optional
        After how long a silent producer is forgotten (`producer.id.expiration.ms`).
    marker_of : callable, optional
        Reads a control batch; that of bytes if not given.
    draw : callable, optional
        Gives a random whole number for each new segment, for `segment_jitter_ms`.
    """

    def __init__(
        self,
        store: Store[BatchT] | None = None,
        config: TopicConfig | None = None,
        *,
        now_ms: int = 0,
        log_start_offset: int = 0,
        clean_shutdown: bool = False,
        recovery_point: int = 0,
        topic_id: str | None = None,
        producer_expiration_ms: int = DEFAULT_EXPIRATION_MS,
        marker_of: MarkerReader[BatchT] | None = None,
        draw: Callable[[], int] | None = None,
    ) -> None:
        if store is None:
            store = cast("Store[BatchT]", MemoryStore())
        super().__init__(store, config or TopicConfig(), draw)
        self.leader_epochs = LeaderEpochs()
        self.producers = ProducerStates(producer_expiration_ms)
        read = marker_of or cast("MarkerReader[BatchT]", read_marker)
        self._snapshots = ProducerFiles(self.store, self.producers, read)
        if topic_id is not None:
            text = partition_metadata_text(topic_id)
            self.store.replace(PARTITION_METADATA, text.encode())
        if any(name != PARTITION_METADATA for name in self.store.names()):
            log_start_offset = self._load(
                now_ms,
                clean_shutdown=clean_shutdown,
                recovery_point=recovery_point,
                log_start_offset=log_start_offset,
            )
        else:
            self._create(log_start_offset, now_ms)
        self.log_start_offset = log_start_offset
        """First offset that can be read."""
        self.high_watermark = log_start_offset
        """Offset below which consumers read: what all replicas in sync have."""

    def _create(self, log_start_offset: int, now_ms: int) -> None:
        self.store.write(LEADER_EPOCHS, b"")
        self._open_segment(log_start_offset, now_ms)
        self._end_at(log_start_offset)
        self._flushed(log_start_offset)
        self._snapshots.end_offset = log_start_offset

    def _load(
        self,
        now_ms: int,
        *,
        clean_shutdown: bool,
        recovery_point: int,
        log_start_offset: int,
    ) -> int:
        """Open what the store holds, of bytes; return where the log starts."""
        loaded = load(
            cast("Store[ByteBatch]", self.store),
            self.config,
            now_ms=now_ms,
            clean_shutdown=clean_shutdown,
            recovery_point=recovery_point,
            log_start_offset=log_start_offset,
            states=self.producers,
            draw_jitter=self._jitter,
        )
        self.segments = cast("list[Segment[BatchT]]", loaded.segments)
        self.active = self.segments[-1]
        self.leader_epochs = loaded.leader_epochs
        self._snapshots = cast("ProducerFiles[BatchT]", loaded.producers)
        self._deleted.add_names(
            loaded.deleted, now_ms + self.config.file_delete_delay_ms
        )
        self.log_end_offset = loaded.log_end_offset
        self._flushed(loaded.recovery_point)
        return loaded.log_start_offset

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} {self.log_start_offset:,} to "
            f"{self.log_end_offset:,}, {self.size_bytes:,} bytes in "
            f"{len(self.segments)} segments>"
        )

    # -- appending

    def append_batch(self, header: BatchHeader, batch: BatchT, now_ms: int) -> None:
        """Append a batch that needs no check: its offsets and epoch are final.

        Parameters
        ----------
        header : BatchHeader
            The batch's; it begins at the log's end or later.
        batch : BatchT
            The batch.
        now_ms : int
            The time.
        """
        if header.leader_epoch != self.leader_epochs.latest:
            self._assign_epoch(header)
        segment = self.active
        if not segment.append_surely(header, batch):
            if segment.roll_cause(header, self.config, now_ms) is not None:
                segment = self._roll(header.base_offset, now_ms)
            segment.append(header, batch)
        self.log_end_offset = header.base_offset + header.last_offset_delta + 1
        if header.producer_id >= 0:
            if header.attributes & CONTROL:
                self._note_producers([(header, batch)])
            else:
                self.producers.add(header)
        if header.max_timestamp_ms < 0:
            segment.modified_ms = now_ms
        if self.log_end_offset >= self._flush_at:
            self.flush()

    def sure(self) -> tuple[int, int, int, int, int]:
        """Return up to where appends surely begin no segment and sync nothing.

        Returns
        -------
        tuple of int
            Bytes, the largest timestamp, the number of batches, the end of the log, and
            the epoch that they must have.
        """
        segment = self.active
        most_bytes, most_ms, most_batches, most_end = segment.sure()
        most_end = min(most_end, self._flush_at - 1)
        return most_bytes, most_ms, most_batches, most_end, self.leader_epochs.latest

    def lay(self, batches: Sequence[tuple[BatchHeader, BatchT]]) -> None:
        """Put batches into the active segment that the log's end counts already.

        They are data, and what `sure` said was kept to: so this is `append_batch` of
        one after the other.
        """
        self.active.append_all_surely(batches)
        add = self.producers.add
        for header, _ in batches:
            if header.producer_id >= 0:
                add(header)

    def _append_run(
        self, batches: Sequence[tuple[BatchHeader, BatchT]], now_ms: int
    ) -> None:
        """Append batches that came together to the active segment."""
        for header, batch in batches:
            self.active.append(header, batch)
        self.active.modified_ms = now_ms
        self.log_end_offset = batches[-1][0].next_offset
        self._note_producers(batches)
        if self.log_end_offset >= self._flush_at:
            self.flush()

    def _note_producers(self, batches: Sequence[tuple[BatchHeader, BatchT]]) -> None:
        """Take note of producers, and of transactions that end.

        What aborts is noted in the active segment, where the marker is.
        """
        producers = self.producers
        for ended in self._snapshots.add(batches):
            if ended.aborted:
                stable = producers.last_stable_offset_after(ended)
                aborted = AbortedTransaction(*ended[:3], stable)
                self.active.append_aborted(aborted)
            producers.complete(ended)

    def roll(self, now_ms: int) -> Segment[BatchT]:
        """Begin a new segment at the log's end, and return it."""
        return self._roll(self.log_end_offset, now_ms)

    def _roll(self, base_offset: int, now_ms: int) -> Segment[BatchT]:
        """Begin a segment, write a producer snapshot, sync what lies before.

        Source: `UnifiedLog.roll`.
        """
        segment = self._begin_segment(base_offset, now_ms)
        if self._snapshots.take(segment.base_offset):
            self._snapshots.sync(segment.base_offset)
        self._flush_below(segment.base_offset)
        return segment

    def _assign_epoch(self, header: BatchHeader) -> None:
        if self.leader_epochs.assign(header.leader_epoch, header.base_offset):
            self._write_epochs()

    def _write_epochs(self) -> None:
        text = leader_epochs_text(self.leader_epochs.entries)
        self.store.replace(LEADER_EPOCHS, text.encode())

    # -- how far it may be read

    def advance_high_watermark(self, offset: int) -> bool:
        """Move the high watermark forward, as a leader; return whether it moved.

        It never goes back on a leader (BR-12).

        Source: `UnifiedLog.maybeIncrementHighWatermark`.

        Raises
        ------
        ValueError
            The offset lies above the log's end.
        """
        if offset > self.log_end_offset:
            text = f"high watermark {offset} above the log's end {self.log_end_offset}"
            raise ValueError(text)
        if offset <= self.high_watermark:
            return False
        self.high_watermark = offset
        self.producers.forget_decided_below(offset)
        return True

    def set_high_watermark(self, offset: int) -> int:
        """Take the leader's high watermark, as a follower, and return what it became.

        No higher than the log's end (BR-22), no lower than its start; it may go back.

        Source: `UnifiedLog.updateHighWatermark`.
        """
        offset = max(min(offset, self.log_end_offset), self.log_start_offset)
        self.high_watermark = offset
        self.producers.forget_decided_below(offset)
        return offset

    @property
    def last_stable_offset(self) -> int:
        """Offset below which all transactions are decided and replicated (TX-11).

        Source: `UnifiedLog.fetchLastStableOffsetMetadata`.
        """
        unstable = self.producers.first_unstable_offset
        if unstable is None or unstable >= self.high_watermark:
            return self.high_watermark
        return max(unstable, self.log_start_offset)

    def expire_producers(self, now_ms: int) -> int:
        """Forget producers that were silent too long (ID-12); return how many."""
        return self.producers.expire(now_ms)

    def close(self) -> None:
        """Sync everything, write a producer snapshot, trim the indexes: a clean stop.

        Source: `LogManager.shutdown`, `UnifiedLog.close`.
        """
        self._flush_below(self.log_end_offset + 1)  # an empty segment as well
        self._flushed(self.log_end_offset)
        if self._snapshots.take(self.log_end_offset):
            self._snapshots.sync(self.log_end_offset)
        for segment in self.segments:
            segment.close()
        self.store.close()
