"""A segment: a stretch of a log, its batches and the indexes that find them.

A segment works on headers and positions, never on the bytes of a batch: the same code
serves a log of bytes and a log of the simulation.

Source: `org.apache.kafka.storage.internals.log.LogSegment` (4.3).
"""

from contextlib import suppress
from typing import TypeVar

from kafkasim.errors import LogError
from kafkasim.log.checkpoints import LOG, file_name
from kafkasim.log.header import NO_TIMESTAMP, BatchHeader
from kafkasim.log.index import TimestampOffset
from kafkasim.log.search import (
    SegmentRead,
    end_of_read,
    find,
    first_at_time,
    largest_timestamp,
)
from kafkasim.log.segment_writing import WrittenSegment

BatchT = TypeVar("BatchT")


class Segment(WrittenSegment[BatchT]):
    """A log file with its indexes; opened if it is there, made if it is not.

    Parameters
    ----------
    store : Store
        Where its files are.
    base_offset : int
        Its first offset, and the name of its files; no batch in it is below.
    config : TopicConfig
        Resolved settings; of these it keeps `segment_index_bytes` and
        `index_interval_bytes`.
    now_ms : int
        Time of its creation.
    roll_jitter_ms : int
        Taken off `segment_ms`, so that not all logs roll at once; see `rolling`.
    suffix : str
        Second suffix of its files, such as ``.cleaned``.
    """

    __slots__ = ()

    @property
    def next_offset(self) -> int:
        """Offset after its last batch; its base offset if it has none.

        When it was just opened, or cut, it is read (`LogSegment.readNextOffset`): from
        the last index entry on, whatever that entry says.

        Raises
        ------
        CorruptBatchError
            There is what is no batch.
        """
        if self._next_offset is None:
            found = self.base_offset
            start = self._find(self.offset_index.last_offset)
            if start is not None:
                for _, header in self.contents.headers(start[0]):
                    found = header.next_offset
            self._next_offset = found
        return self._next_offset

    def position_of(self, offset: int) -> int | None:
        """Return where the batch begins that holds an offset, or else the next one.

        None if the segment ends before. The index says where to begin, even if it lies.

        Raises
        ------
        CorruptBatchError
            There is what is no batch.
        """
        found = self._find(offset)
        return None if found is None else found[0]

    def read(
        self,
        offset: int,
        most_bytes: int,
        end_offset: int | None = None,
        *,
        at_least_one: bool = False,
    ) -> SegmentRead | None:
        """Return which batches a read gives; None if the segment ends before.

        As `LogSegment.read`, but for the last batch: Kafka cuts at the byte, and its
        clients drop the part of a batch; here it is left out.

        Parameters
        ----------
        offset : int
            The first one that is wanted.
        most_bytes : int
            Most bytes of all batches.
        end_offset : int, optional
            No batch that holds this one or a later one is given.
        at_least_one : bool
            Whether the first batch is given though it be larger than `most_bytes`.

        Raises
        ------
        ValueError
            `most_bytes` is negative.
        CorruptBatchError
            What comes first is no batch.
        """
        if most_bytes < 0:
            raise ValueError(f"a read cannot have {most_bytes} bytes")
        found = self._find(offset)
        if found is None:
            return None
        position, first = found
        if at_least_one:
            most_bytes = max(most_bytes, first.size_bytes)
        limit = position + most_bytes
        end, next_offset = end_of_read(
            self.contents, self.offset_index, position, limit, end_offset
        )
        if end == position:
            next_offset = offset
        return SegmentRead(position, end, first.base_offset, next_offset)

    def offset_for_time(
        self, timestamp_ms: int, from_offset: int
    ) -> TimestampOffset | None:
        """Return the first record at or after a time, from an offset on; None if none.

        Source: `LogSegment.findOffsetByTimestamp`.

        Raises
        ------
        CorruptBatchError
            There is what is no batch, or a batch that cannot be decoded.
        """
        indexes = self.offset_index, self.time_index
        return first_at_time(self.contents, *indexes, timestamp_ms, from_offset)

    def truncate_to(self, offset: int, now_ms: int) -> int:
        """Cut the batch that holds an offset and all after it; return the bytes cut.

        Source: `LogSegment.truncateTo`. If nothing is left, the segment is as old as
        one made now.
        """
        found = self._find(offset)
        self.index_files.truncate_to(offset)
        cut = 0
        if found is not None:
            cut = self.contents.size_bytes - found[0]
            self.contents.truncate(found[0])
            self.modified_ms = now_ms
        self._next_offset = None
        if not self.contents.size_bytes:
            self.created_ms = now_ms
            self._first_timestamp_ms = None
            self._next_offset = self.base_offset
        self._bytes_since_entry = 0
        self._forget_limits()
        if self.max_timestamp_ms >= 0:
            self.max_timestamp_ms, self.offset_of_max_timestamp = largest_timestamp(
                self.contents, self.offset_index, self.time_index
            )
        return cut

    def reset_indexes(self) -> None:
        """Empty all indexes, for `index_batch` to fill them again from the batches."""
        self.index_files.reset()
        self.max_timestamp_ms = NO_TIMESTAMP
        self.offset_of_max_timestamp = self.base_offset
        self._bytes_since_entry = 0
        self._forget_limits()

    def finish_recovery(self, valid_bytes: int) -> int:
        """Cut what is not valid, complete the indexes; return the bytes cut.

        Source: the end of `LogSegment.recover`.
        """
        cut = self.contents.size_bytes - valid_bytes
        if cut:
            self.contents.truncate(valid_bytes)
        self._bytes_since_entry = 0
        self._first_timestamp_ms = None
        self._next_offset = None if valid_bytes else self.base_offset
        self._complete()
        return cut

    def preallocate_indexes(self) -> None:
        """Make the index files as long as they may become, as an active segment's are.

        Source: `LogSegment.resizeIndexes`.
        """
        self.index_files.preallocate()

    def seal(self) -> None:
        """Complete and trim the indexes: the segment is no longer the active one.

        Source: `LogSegment.onBecomeInactiveSegment`.
        """
        self._complete()
        self.contents.seal()

    def flush(self) -> None:
        """Write and sync all files."""
        self.contents.flush()
        self.index_files.flush()

    def close(self) -> None:
        """Complete and trim the indexes, and let go of the batches."""
        with suppress(LogError):  # as Kafka: an index that lies is left as it is
            self._complete()
        self.index_files.trim()
        self.contents.close()

    def files(self) -> list[str]:
        """Return the names of its files."""
        return [self.contents.name, *self.index_files.names()]

    def change_suffix(self, suffix: str) -> None:
        """Give its files another second suffix, or none."""
        self.contents.rename(file_name(self.base_offset, LOG) + suffix)
        self.index_files.rename(suffix)
        self.suffix = suffix

    def delete(self) -> None:
        """Remove its files, those that are there."""
        self.contents.close()
        for name in self.files():
            with suppress(FileNotFoundError):
                self.store.delete(name)

    def _complete(self) -> None:
        self.time_index.append(
            self.max_timestamp_ms, self.offset_of_max_timestamp, at_roll=True
        )
        self.index_files.trim()

    def _find(self, offset: int) -> tuple[int, BatchHeader] | None:
        return find(self.contents, self.offset_index, offset)
