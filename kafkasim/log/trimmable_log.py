"""A log that is cut at both ends: old segments go, and what a new leader lacks.

At the end a follower cuts what its leader does not have. At the start whole segments go
when they are old, or too many, or asked to.

Source: `UnifiedLog` and `LocalLog` of `org.apache.kafka.storage.internals.log` (4.3).
"""

from collections.abc import Sequence
from typing import Final, TypeVar

from kafkasim.errors import LogError
from kafkasim.log.replica_log import ReplicaLog
from kafkasim.log.retention import (
    Breach,
    Cause,
    Removed,
    below_start,
    beyond_size,
    beyond_time,
    deletable,
)
from kafkasim.log.segment import Segment

BatchT = TypeVar("BatchT")

HIGH_WATERMARK: Final = -1
"""For `delete_records`: up to the high watermark (`DeleteRecordsRequest`)."""


class TrimmableLog(ReplicaLog[BatchT]):
    """A replica's log with its two ends; it is made like a `ReplicaLog`."""

    def move_start(self, offset: int) -> bool:
        """Let the log begin at a later offset; return whether it did not before.

        Segments below stay until they are deleted as old.

        Source: `UnifiedLog.maybeIncrementLogStartOffset`.

        Raises
        ------
        LogError
            OFFSET_OUT_OF_RANGE: it lies above the high watermark.
        """
        if offset > self.high_watermark:
            text = (
                f"the log cannot start at {offset}, "
                f"above its high watermark {self.high_watermark}"
            )
            raise LogError("OFFSET_OUT_OF_RANGE", text)
        if offset <= self.log_start_offset:
            return False
        self.log_start_offset = offset
        if self.recovery_point < offset:
            self._flushed(offset)
        if self.leader_epochs.truncate_from_start(offset):
            self._write_epochs()
        self._snapshots.move_start(offset)
        return True

    def truncate_to(self, offset: int, now_ms: int = 0) -> bool:
        """Cut the log, so that it ends at an offset; return whether it did not before.

        A batch that holds the offset goes as a whole, and leaves a gap: the log's end
        is the offset all the same.

        Source: `UnifiedLog.truncateTo`.

        Raises
        ------
        ValueError
            The offset is negative.
        """
        if offset < 0:
            raise ValueError(f"a log cannot end at offset {offset}")
        if offset >= self.log_end_offset:
            if self.leader_epochs.truncate_from_end(self.log_end_offset):
                self._write_epochs()
            return False
        if self.segments[0].base_offset > offset:
            self.truncate_fully_and_start_at(offset, now_ms)
            return True
        self._snapshots.end_offset = self.log_end_offset
        self._delete_snapshots(self._cut(offset, now_ms), now_ms)
        if self.leader_epochs.truncate_from_end(offset):
            self._write_epochs()
        self.log_start_offset = min(offset, self.log_start_offset)
        self._rebuild_producers(now_ms)
        if self.high_watermark >= offset:
            self.set_high_watermark(offset)
        return True

    def truncate_fully_and_start_at(
        self, offset: int, now_ms: int = 0, *, log_start_offset: int | None = None
    ) -> None:
        """Delete everything, and begin again at an offset.

        A follower does so if its leader's log starts above its own end (BR-27). If that
        start lies within a batch, the next one begins below it: the log is then to
        begin at the batch, and what is read of it at `log_start_offset`.

        Source: `UnifiedLog.truncateFullyAndStartAt`.
        """
        self._restart(offset, now_ms)
        self.leader_epochs.clear()
        self._write_epochs()
        self._snapshots.start_at(offset)
        self.log_start_offset = offset if log_start_offset is None else log_start_offset
        self._rebuild_producers(now_ms)
        self.set_high_watermark(offset)

    def _rebuild_producers(self, now_ms: int) -> None:
        self._snapshots.rebuild(
            self.segments, self.log_start_offset, self.log_end_offset, now_ms
        )

    def _delete_snapshots(
        self, segments: Sequence[Segment[BatchT]], now_ms: int
    ) -> None:
        """Rename the snapshots of deleted segments, to be removed with them."""
        marked = (self._snapshots.mark_deleted(one.base_offset) for one in segments)
        names = [name for name in marked if name is not None]
        self._deleted.add_names(names, now_ms + self.config.file_delete_delay_ms)

    # -- what is old

    def delete_records(self, offset: int) -> int:
        """Let the log start at an offset, as a user asks of a leader (LG-23).

        Segments below go when old ones are deleted.

        Parameters
        ----------
        offset : int
            The new first offset; `HIGH_WATERMARK` for all that is replicated.

        Returns
        -------
        int
            Where the log starts now.

        Raises
        ------
        LogError
            POLICY_VIOLATION: the topic is only compacted. OFFSET_OUT_OF_RANGE: the
            offset is negative, or above the high watermark.

        Notes
        -----
        Source: `kafka.cluster.Partition.deleteRecordsOnLeader`.
        """
        if self.config.compacts and not self.config.deletes:
            text = "records of a topic that is only compacted are not deleted"
            raise LogError("POLICY_VIOLATION", text)
        if offset == HIGH_WATERMARK:
            offset = self.high_watermark
        if offset < 0:
            raise LogError("OFFSET_OUT_OF_RANGE", f"offset {offset} is negative")
        self.move_start(offset)
        return self.log_start_offset

    def delete_old_segments(self, now_ms: int) -> list[Removed[BatchT]]:
        """Delete segments below the log's start, then by size, then by time.

        A topic that does not delete loses only those below the log's start. If all
        segments go, a new one is begun first. Files stay for `file_delete_delay_ms`.

        Source: `UnifiedLog.deleteOldSegments`.

        Returns
        -------
        list of Removed
            In the order they went.
        """
        config = self.config
        removed = self._delete(
            "start_offset", below_start(self.log_start_offset), now_ms
        )
        if config.deletes:
            by_size: Breach[BatchT] = beyond_size(
                self.size_bytes, config.retention_bytes
            )
            removed += self._delete("size", by_size, now_ms)
            by_time: Breach[BatchT] = beyond_time(now_ms, config.retention_ms)
            removed += self._delete("time", by_time, now_ms)
        return removed

    def _delete(
        self, cause: Cause, breaches: Breach[BatchT], now_ms: int
    ) -> list[Removed[BatchT]]:
        """Delete the oldest segments that are beyond one limit.

        Source: `UnifiedLog.deleteSegments`.
        """
        gone = deletable(
            self.segments, breaches, self.high_watermark, self.log_end_offset
        )
        if not gone:
            return []
        if len(gone) == len(self.segments):
            self.roll(now_ms)
        self.move_start(self.segments[len(gone)].base_offset)
        del self.segments[: len(gone)]
        self._delete_later(gone, now_ms)
        self._delete_snapshots(gone, now_ms)
        return [Removed(segment, cause) for segment in gone]
