"""Segments in a row: what a log has of files, whatever is replicated or not.

Source: `org.apache.kafka.storage.internals.log.LocalLog` (4.3).
"""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from kafkasim.config.topic import TopicConfig
from kafkasim.errors import LogError
from kafkasim.log.reading import segment_of
from kafkasim.log.retention import DeletedFiles
from kafkasim.log.rolling import roll_jitter_ms
from kafkasim.log.segment import Segment
from kafkasim.log.store import Store

BatchT = TypeVar("BatchT")


class LocalLog(Generic[BatchT]):
    """The segments of one partition.

    Parameters
    ----------
    store : Store
        The partition's folder.
    config : TopicConfig
        The topic's settings; what is not said has Kafka's default.
    draw : callable, optional
        Gives a random whole number for each new segment, for `segment_jitter_ms`.
    """

    def __init__(
        self,
        store: Store[BatchT],
        config: TopicConfig,
        draw: Callable[[], int] | None = None,
    ) -> None:
        self.store = store
        self.config = config.resolve()
        """The settings that hold."""
        self._draw = draw
        self.segments: list[Segment[BatchT]] = []
        """All segments, oldest first; there is always one."""
        self.active: Segment[BatchT]
        """The last one, which takes the appends."""
        self.log_end_offset = 0
        """Offset of the next record."""
        self.recovery_point = 0
        """Offset below which everything is synced."""
        self._flush_at = 0  # the log's end that makes it flush
        self._deleted = DeletedFiles(store)

    def update_config(self, config: TopicConfig) -> None:
        """Let other settings hold from now on; those of indexes from the next roll.

        Source: `UnifiedLog.updateConfig`.
        """
        self.config = config.resolve()
        self._flushed(self.recovery_point)

    @property
    def size_bytes(self) -> int:
        """Bytes of all batches; indexes and other files do not count."""
        return sum(segment.size_bytes for segment in self.segments)

    def segment_of(self, offset: int) -> Segment[BatchT] | None:
        """Return the last segment that begins at an offset or below, if one does."""
        if offset >= self.active.base_offset:
            return self.active
        number = segment_of(self.segments, offset)
        return self.segments[number] if number >= 0 else None

    def _open_segment(self, base_offset: int, now_ms: int) -> Segment[BatchT]:
        """Make a new active segment, that is the last one."""
        self.active = Segment(
            self.store,
            base_offset,
            self.config,
            now_ms,
            roll_jitter_ms=self._jitter(),
        )
        self.segments.append(self.active)
        return self.active

    def _jitter(self) -> int:
        drawn = self._draw() if self._draw is not None else 0
        return roll_jitter_ms(self.config, drawn)

    def _begin_segment(self, base_offset: int, now_ms: int) -> Segment[BatchT]:
        """Roll (`LocalLog.roll`): seal the active segment, and make a new one.

        An empty active segment that begins at the same offset is made anew.

        Raises
        ------
        LogError
            UNKNOWN_SERVER_ERROR: the new one would not begin after the active one.
        """
        active = self.active
        base_offset = max(base_offset, self.log_end_offset)
        if active.base_offset == base_offset and not active.size_bytes:
            self.segments.pop()
            self._delete_later([active], now_ms)
        elif base_offset <= active.base_offset:
            text = f"a segment from {base_offset}, the active one is {active!r}"
            raise LogError("UNKNOWN_SERVER_ERROR", text)
        else:
            active.seal()
        return self._open_segment(base_offset, now_ms)

    def _delete_later(self, segments: Sequence[Segment[BatchT]], now_ms: int) -> None:
        """Rename the files of segments that are out of the log already."""
        due_ms = now_ms + self.config.file_delete_delay_ms
        for segment in segments:
            self._deleted.add_segment(segment, due_ms)

    def _cut(self, offset: int, now_ms: int) -> list[Segment[BatchT]]:
        """Let the log end at an offset (`LocalLog.truncateTo`).

        The batch that holds the offset goes as a whole.

        Returns
        -------
        list of Segment
            Segments that begin above it: they are deleted.
        """
        gone = [one for one in self.segments if one.base_offset > offset]
        if gone:
            del self.segments[-len(gone) :]
            self.active = self.segments[-1]
            self._delete_later(gone, now_ms)
        self.active.truncate_to(offset, now_ms)
        self._end_at(offset)
        return gone

    def _restart(self, offset: int, now_ms: int) -> None:
        """Delete all segments, and begin one (`LocalLog.truncateFullyAndStartAt`)."""
        gone = self.segments
        self.segments = []
        self._delete_later(gone, now_ms)
        self._open_segment(offset, now_ms)
        self._end_at(offset)

    def _end_at(self, offset: int) -> None:
        self.log_end_offset = offset
        self._flushed(min(self.recovery_point, offset))

    def _flush_below(self, offset: int) -> None:
        """Sync the segments that hold something between recovery point and offset.

        Source: `UnifiedLog.flush`, `LocalLog.flush`.
        """
        if offset <= self.recovery_point:
            return
        first = max(segment_of(self.segments, self.recovery_point), 0)
        is_new = False
        for segment in self.segments[first:]:
            if segment.base_offset >= offset:
                break
            segment.flush()
            is_new = is_new or segment.base_offset >= self.recovery_point
        if is_new:
            self.store.sync_directory()
        self._flushed(offset)

    def _flushed(self, recovery_point: int) -> None:
        self.recovery_point = recovery_point
        self._flush_at = recovery_point + self.config.flush_messages

    def flush(self) -> None:
        """Sync everything, and move the recovery point to the log's end."""
        self._flush_below(self.log_end_offset)

    def delete_expired_files(self, now_ms: int) -> list[str]:
        """Remove files of deleted segments after `file_delete_delay_ms`.

        Returns
        -------
        list of str
            Their names.
        """
        return self._deleted.remove_due(now_ms)
