"""The writing half of a segment: appends, index entries, and when to begin a new one.

Source: `org.apache.kafka.storage.internals.log.LogSegment` (4.3).
"""

from collections.abc import Sequence
from typing import Generic, TypeVar

from kafkasim.config.topic import TopicConfig
from kafkasim.errors import LogError
from kafkasim.log.checkpoints import LOG, file_name
from kafkasim.log.header import BatchHeader
from kafkasim.log.index import LARGEST_RELATIVE_OFFSET
from kafkasim.log.index_files import IndexFiles
from kafkasim.log.rolling import RollCause, most_segment_ms
from kafkasim.log.store import Store
from kafkasim.log.transaction_index import AbortedTransaction

BatchT = TypeVar("BatchT")


class WrittenSegment(Generic[BatchT]):
    """A log file with its indexes, as far as it is written to; see `Segment`."""

    __slots__ = (
        "_bytes_since_entry",
        "_first_timestamp_ms",
        "_index_interval_bytes",
        "_most_bytes",
        "_most_ms",
        "_next_offset",
        "_sure_bytes",
        "_sure_entries",
        "_sure_ms",
        "base_offset",
        "contents",
        "created_ms",
        "index_files",
        "max_timestamp_ms",
        "modified_ms",
        "offset_index",
        "offset_of_max_timestamp",
        "roll_jitter_ms",
        "store",
        "suffix",
        "time_index",
        "transaction_index",
    )

    def __init__(
        self,
        store: Store[BatchT],
        base_offset: int,
        config: TopicConfig,
        now_ms: int,
        *,
        roll_jitter_ms: int = 0,
        suffix: str = "",
    ) -> None:
        self.store = store
        self.base_offset = base_offset
        self.suffix = suffix
        self.created_ms = self.modified_ms = now_ms
        self.roll_jitter_ms = roll_jitter_ms
        self.contents = store.contents(file_name(base_offset, LOG) + suffix)
        self.index_files = IndexFiles(
            store, base_offset, config.segment_index_bytes, suffix
        )
        self.offset_index = self.index_files.offsets
        self.time_index = self.index_files.times
        self.transaction_index = self.index_files.transactions
        self.max_timestamp_ms, self.offset_of_max_timestamp = self.time_index.last_entry
        self._index_interval_bytes = config.index_interval_bytes
        self._bytes_since_entry = 0
        self._most_bytes = config.most_segment_bytes
        self._most_ms = most_segment_ms(config) - roll_jitter_ms
        self._forget_limits()
        self._first_timestamp_ms: int | None = None
        self._next_offset: int | None = None
        if not self.contents.size_bytes:
            self._next_offset = base_offset

    @property
    def size_bytes(self) -> int:
        """Bytes of its batches."""
        return self.contents.size_bytes

    @property
    def first_timestamp_ms(self) -> int | None:
        """Largest timestamp of its first batch; None if there is no batch.

        Source: `LogSegment.loadFirstBatchTimestamp`.
        """
        if self._first_timestamp_ms is None:
            for _, header in self.contents.headers():
                self._first_timestamp_ms = header.max_timestamp_ms
                break
        return self._first_timestamp_ms

    def append(self, header: BatchHeader, batch: BatchT) -> None:
        """Append one batch.

        Parameters
        ----------
        header : BatchHeader
            The batch's, with its final offsets.
        batch : BatchT
            The batch.

        Raises
        ------
        LogError
            Its last offset is too far from the segment's base, or an index is full: the
            log was to be rolled before.
        """
        contents = self.contents
        last_offset = header.base_offset + header.last_offset_delta
        if not 0 <= last_offset - self.base_offset <= LARGEST_RELATIVE_OFFSET:
            text = f"offset {last_offset} does not fit segment {self.base_offset}"
            raise LogError("UNKNOWN_SERVER_ERROR", text)
        position = contents.size_bytes
        contents.append(header, batch)
        if position == 0:
            self._first_timestamp_ms = header.max_timestamp_ms
        self.index_batch(header, position)
        self._next_offset = last_offset + 1
        self._find_limits()

    def append_surely(self, header: BatchHeader, batch: BatchT) -> bool:
        """Append one batch, if surely no rule asks for a new segment before it.

        The same as `roll_cause` and `append`, for the batch after another one.

        Returns
        -------
        bool
            Whether it was appended; if not, `roll_cause` is to be asked.
        """
        contents = self.contents
        position = contents.size_bytes
        size_bytes, timestamp_ms = header.size_bytes, header.max_timestamp_ms
        last_offset = header.base_offset + header.last_offset_delta
        if (
            position + size_bytes > self._sure_bytes
            or timestamp_ms > self._sure_ms
            or self._sure_entries <= 0
            or last_offset - self.base_offset > LARGEST_RELATIVE_OFFSET
        ):
            return False
        contents.append(header, batch)
        if timestamp_ms > self.max_timestamp_ms:
            self.max_timestamp_ms = timestamp_ms
            self.offset_of_max_timestamp = last_offset
        if self._bytes_since_entry > self._index_interval_bytes:
            self._add_entry(last_offset, position)
        self._bytes_since_entry += size_bytes
        self._next_offset = last_offset + 1
        return True

    def sure(self) -> tuple[int, int, int, int]:
        """Return what `append_surely` takes.

        Returns
        -------
        tuple of int
            Bytes that fit, the largest timestamp, the number of batches if each has an
            index entry, and the largest offset after the last record.
        """
        return (
            self._sure_bytes - self.contents.size_bytes,
            self._sure_ms,
            self._sure_entries,
            self.base_offset + LARGEST_RELATIVE_OFFSET + 1,
        )

    def append_all_surely(self, batches: Sequence[tuple[BatchHeader, BatchT]]) -> None:
        """Append batches that `append_surely` would take, one after the other."""
        contents = self.contents
        append, position = contents.append, contents.size_bytes
        interval, since = self._index_interval_bytes, self._bytes_since_entry
        newest_ms = self.max_timestamp_ms
        last_offset = -1
        for header, batch in batches:
            append(header, batch)
            last_offset = header.base_offset + header.last_offset_delta
            if header.max_timestamp_ms > newest_ms:
                newest_ms = self.max_timestamp_ms = header.max_timestamp_ms
                self.offset_of_max_timestamp = last_offset
            if since > interval:
                self._add_entry(last_offset, position)
                since = 0
            size_bytes = header.size_bytes
            since += size_bytes
            position += size_bytes
        self._bytes_since_entry = since
        self._next_offset = last_offset + 1

    def _find_limits(self) -> None:
        """Work out up to where `append_surely` need not ask for more."""
        first_ms = self._first_timestamp_ms
        if first_ms is None or first_ms < 0:
            self._forget_limits()
            return
        self._sure_bytes = self._most_bytes
        self._sure_ms = first_ms + self._most_ms
        self._sure_entries = min(self.offset_index.room, self.time_index.room)

    def _forget_limits(self) -> None:
        """Let the next append ask again: what there was has been cut or emptied."""
        self._sure_bytes = self._sure_ms = self._sure_entries = 0

    def _add_entry(self, last_offset: int, position: int) -> None:
        self.offset_index.append(last_offset, position)
        self.time_index.append(self.max_timestamp_ms, self.offset_of_max_timestamp)
        self._bytes_since_entry = 0
        self._sure_entries -= 1

    def index_batch(self, header: BatchHeader, position: int) -> None:
        """Take a batch that is there into account: timestamps and index entries.

        An entry is made before the batch is counted, when more than
        `index_interval_bytes` have gone by since the last one; one of the time index
        only if the largest timestamp grew. `LogSegment.append` and `LogSegment.recover`
        do the same.
        """
        if header.max_timestamp_ms > self.max_timestamp_ms:
            self.max_timestamp_ms = header.max_timestamp_ms
            self.offset_of_max_timestamp = header.base_offset + header.last_offset_delta
        if self._bytes_since_entry > self._index_interval_bytes:
            self._add_entry(header.base_offset + header.last_offset_delta, position)
        self._bytes_since_entry += header.size_bytes

    def append_aborted(self, aborted: AbortedTransaction) -> None:
        """Note a transaction whose abort marker is in this segment."""
        self.index_files.append_aborted(aborted)

    def roll_cause(
        self, header: BatchHeader, config: TopicConfig, now_ms: int
    ) -> RollCause | None:
        """Return why a new segment must be begun before this batch, None if not.

        Source: `LogSegment.shouldRoll` (LG-1).

        Parameters
        ----------
        header : BatchHeader
            The batch's, with its final offsets. Of several batches that are appended
            at once: the first one's with the size of all, the largest timestamp and
            the last offset (`RollParams`).
        config : TopicConfig
            Resolved settings.
        now_ms : int
            The time.
        """
        size = self.contents.size_bytes
        if size > config.most_segment_bytes - header.size_bytes:
            return "size"
        if size > 0:
            first_ms = self.first_timestamp_ms
            if first_ms is None or first_ms < 0:
                waited_ms = now_ms - self.created_ms
            else:
                waited_ms = header.max_timestamp_ms - first_ms
            if waited_ms > most_segment_ms(config) - self.roll_jitter_ms:
                return "time"
        if self.offset_index.is_full or self.time_index.is_full:
            return "index"
        if not self.offset_index.holds(header.base_offset + header.last_offset_delta):
            return "offset"
        return None
