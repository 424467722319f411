"""What a segment holds: its batches, as bytes or as another form of them.

`Contents` is the promise that `Segment` builds on. `ByteContents` keeps it with Kafka's
bytes in a `.log` file of a store; the simulation keeps it with its own batches, which
make their bytes when asked.
"""

from collections.abc import Iterator, Sequence
from typing import Final, Protocol, TypeVar

from kafkasim.errors import CorruptBatchError
from kafkasim.log.batch_retention import CleaningView
from kafkasim.log.byte_cleaning import (
    DecodedRun,
    rebuilt,
    retained_bytes,
    view_of_bytes,
)
from kafkasim.log.header import (
    HEADER_BYTES,
    LOG_OVERHEAD_BYTES,
    MAGIC,
    BatchHeader,
    unpack_header,
)

ByteBatch = bytes | bytearray | memoryview
"""A batch, or a run of whole batches, as bytes."""

BatchT = TypeVar("BatchT")

_WINDOW_BYTES: Final = 1 << 16
_RUN_BYTES: Final = 1 << 20
"""Bytes that are decoded together for the cleaner."""
_LEAST_RUN_BYTES: Final = 1 << 14
"""Fewer are decoded faster batch by batch."""
_MAGIC_END: Final = 17
"""`Records.HEADER_SIZE_UP_TO_MAGIC`: fewer bytes than these are the end of a log."""
_LEAST_LENGTH: Final = 14
"""`LegacyRecord.RECORD_OVERHEAD_V0`: the least that any batch's length field says."""


class Files(Protocol):
    """The files of one partition's folder, by name; all are small but the logs.

    What is appended or written can be read at once; it is lasting after `sync`, and a
    file's name after `sync_directory`. A name is one without a separator. Where a file
    must be there and is not, FileNotFoundError is raised.
    """

    def names(self) -> list[str]:
        """Return the names of all files, sorted."""

    def size(self, name: str) -> int:
        """Return how many bytes a file has."""

    def read(
        self, name: str, start: int = 0, end: int | None = None
    ) -> bytes | memoryview:
        """Return the bytes from `start` to `end`, fewer where the file ends.

        They stay what they are, whatever is appended or cut later.
        """

    def append(self, name: str, data: ByteBatch) -> None:
        """Put bytes at a file's end; the file is made if it is not there."""

    def write(self, name: str, data: ByteBatch) -> None:
        """Make a file of these bytes, in place of what was there."""

    def write_at(self, name: str, position: int, data: ByteBatch) -> None:
        """Put bytes over a file's bytes; it grows, by zeros if need be."""

    def truncate(self, name: str, size: int) -> None:
        """Cut a file, or make it longer with zeros that take no room."""

    def rename(self, old: str, new: str) -> None:
        """Give a file another name; a file of that name is replaced."""

    def delete(self, name: str) -> None:
        """Remove a file."""

    def seal(self, name: str) -> None:
        """Say that nothing is appended for now: reads may be views of the file."""

    def sync(self, name: str) -> None:
        """Make a file's bytes lasting."""

    def sync_directory(self) -> None:
        """Make names lasting."""

    def replace(self, name: str, data: ByteBatch) -> None:
        """Make a file of these bytes, lasting, so that a crash leaves old or new."""

    def close(self) -> None:
        """Write out what waits, and let go of all files; not the same as `sync`."""


class Contents(Protocol[BatchT]):
    """A segment's batches, one after the other; positions are in bytes."""

    name: str
    """Name of the file that they are, or would be."""
    size_bytes: int
    """Size of all batches; the next one's position."""

    def append(self, header: BatchHeader, batch: BatchT) -> None:
        """Put a batch at the end.

        Parameters
        ----------
        header : BatchHeader
            The batch's; its `size_bytes` is what it takes.
        batch : BatchT
            Offsets and epoch are final; it is not looked into.
        """

    def headers(self, position: int = 0) -> Iterator[tuple[int, BatchHeader]]:
        """Go over the batches from a position on, where one begins.

        A batch of which the end is missing is the end, as in Kafka's
        `FileLogInputStream`.

        Yields
        ------
        position : int
        header : BatchHeader

        Raises
        ------
        CorruptBatchError
            There is something that is no header of a batch.
        """

    def read(self, position: int, end_position: int) -> BatchT:
        """Return the batches between two positions, as one run."""

    def first_at(
        self, position: int, header: BatchHeader, timestamp_ms: int, offset: int
    ) -> tuple[int, int] | None:
        """Return timestamp and offset of the batch's first record that is late enough.

        Parameters
        ----------
        position : int
            The batch's.
        header : BatchHeader
            The batch's.
        timestamp_ms, offset : int
            Least timestamp and least offset of the record.
        """

    def cleaning_view(self, position: int, header: BatchHeader) -> CleaningView:
        """Return what the cleaner must know of a batch's records.

        Parameters
        ----------
        position : int
            The batch's.
        header : BatchHeader
            The batch's.
        """

    def retained(
        self,
        position: int,
        header: BatchHeader,
        keep: Sequence[bool],
        *,
        delete_horizon_ms: int | None = None,
    ) -> tuple[BatchHeader, BatchT]:
        """Return a batch with the records that stay, none of them as it may be.

        Parameters
        ----------
        position : int
            The batch's.
        header : BatchHeader
            The batch's.
        keep : sequence of bool, shape (records,)
            Which records stay.
        delete_horizon_ms : int, optional
            Its delete horizon from now on.
        """

    def truncate(self, size_bytes: int) -> None:
        """Cut what lies after."""

    def flush(self) -> None:
        """Make all batches lasting."""

    def seal(self) -> None:
        """Say that nothing is appended for now."""

    def close(self) -> None:
        """Let go of what is held."""

    def rename(self, new: str) -> None:
        """Take another name."""


class ByteContents:
    """Batches as bytes in a file of a store.

    Parameters
    ----------
    files : Files
        Where the file is.
    name : str
        The file's; it is made if it is not there.
    """

    __slots__ = ("_append", "_files", "_plain_below", "_run", "name", "size_bytes")

    def __init__(self, files: Files, name: str) -> None:
        self._files = files
        self._append = files.append
        self._run: DecodedRun | None = None
        """What the cleaner looked at last."""
        self._plain_below = 0
        self.name = name
        try:
            self.size_bytes = files.size(name)
        except FileNotFoundError:
            files.write(name, b"")
            self.size_bytes = 0

    def append(self, header: BatchHeader, batch: ByteBatch) -> None:
        """Put a batch at the end."""
        self._append(self.name, batch)
        self.size_bytes += header.size_bytes

    def headers(self, position: int = 0) -> Iterator[tuple[int, BatchHeader]]:
        """Go over the batches from a position on; see `Contents.headers`."""
        if position < 0:
            raise CorruptBatchError(f"no batch begins at {position}", position)
        end = self.size_bytes
        window: bytes | memoryview = b""
        start = position
        while position < end - _MAGIC_END:
            at = position - start
            if at + HEADER_BYTES > len(window):
                start, at = position, 0
                window = self._files.read(
                    self.name, start, min(end, start + _WINDOW_BYTES)
                )
            header = header_at(window, at, end - position, position)
            if header is None:
                return
            yield position, header
            position += header.size_bytes

    def read(self, position: int, end_position: int) -> ByteBatch:
        """Return the bytes between two positions."""
        return self._files.read(self.name, position, end_position)

    def first_at(
        self, position: int, header: BatchHeader, timestamp_ms: int, offset: int
    ) -> tuple[int, int] | None:
        """Return timestamp and offset of the batch's first record that is late enough.

        Raises
        ------
        CorruptBatchError
            The batch cannot be decoded.
        """
        from kafkasim.log.decode import decode_batch

        batch = self.read(position, position + header.size_bytes)
        for record in decode_batch(batch, check_crc=False):
            if record.timestamp_ms >= timestamp_ms and record.offset >= offset:
                return record.timestamp_ms, record.offset
        return None

    def cleaning_view(self, position: int, header: BatchHeader) -> CleaningView:
        """Return what the cleaner must know of a batch's records.

        Raises
        ------
        CorruptBatchError
            The batch cannot be decoded.
        """
        run = self._run_with(position)
        if run is not None:
            return run.view(position, header)
        batch = self.read(position, position + header.size_bytes)
        return view_of_bytes(batch, 0, header)

    def _run_with(self, position: int) -> DecodedRun | None:
        """Return batches decoded together, that at a position among them.

        None where there are too few, or one cannot be decoded: then which one it is
        shows when they are decoded one by one.
        """
        if self._run is None or position not in self._run:
            self._run = None
            data = self.read(position, position + _RUN_BYTES)
            if len(data) >= _LEAST_RUN_BYTES and position >= self._plain_below:
                try:
                    self._run = DecodedRun(data, position)
                except CorruptBatchError:
                    self._plain_below = position + _RUN_BYTES
            if self._run is not None and position not in self._run:
                self._run = None  # one batch larger than a run
        return self._run

    def retained(
        self,
        position: int,
        header: BatchHeader,
        keep: Sequence[bool],
        *,
        delete_horizon_ms: int | None = None,
    ) -> tuple[BatchHeader, ByteBatch]:
        """Return a batch with the records that stay; see `Contents.retained`."""
        if self._run is not None and position in self._run:
            kept = self._run.kept(position, keep)
            return rebuilt(header, kept, delete_horizon_ms)
        batch = self.read(position, position + header.size_bytes)
        return retained_bytes(
            batch, 0, header, keep, delete_horizon_ms=delete_horizon_ms
        )

    def truncate(self, size_bytes: int) -> None:
        """Cut what lies after."""
        self._run = None
        self._files.truncate(self.name, size_bytes)
        self.size_bytes = size_bytes

    def flush(self) -> None:
        """Make all bytes lasting."""
        self._files.sync(self.name)

    def seal(self) -> None:
        """Say that nothing is appended for now."""
        self._files.seal(self.name)

    def close(self) -> None:
        """Let go of nothing: files are the store's."""

    def rename(self, new: str) -> None:
        """Take another name."""
        self._files.rename(self.name, new)
        self.name = new


def header_at(
    data: bytes | bytearray | memoryview, at: int, left: int, position: int = 0
) -> BatchHeader | None:
    """Return the header of the next batch, or None where the log ends.

    As `org.apache.kafka.common.record.internal.FileLogInputStream.nextBatch`: too few
    bytes for a header, or for the length that it says, are the end; a length below the
    least is an error. What would be of a format before v2, or too short for one of v2,
    is an error here at once, in Kafka when the batch is looked into.

    Parameters
    ----------
    data : bytes-like
        What holds the header.
    at : int
        Where in it the header begins.
    left : int
        Bytes of the log from there on.
    position : int
        Of the batch in the log, for the error.

    Raises
    ------
    CorruptBatchError
        It is no header.
    """
    if left <= _MAGIC_END:
        return None
    length = int.from_bytes(data[at + 8 : at + LOG_OVERHEAD_BYTES], "big", signed=True)
    if length < _LEAST_LENGTH:
        raise CorruptBatchError(f"a batch cannot have a length of {length}", position)
    if LOG_OVERHEAD_BYTES + length > left:
        return None
    if data[at + _MAGIC_END - 1] in _OLD_MAGIC:
        magic = data[at + _MAGIC_END - 1]
        raise CorruptBatchError(f"magic {magic} is before {MAGIC}", position)
    if LOG_OVERHEAD_BYTES + length < HEADER_BYTES:
        raise CorruptBatchError(f"length {length} is too short for a batch", position)
    return unpack_header(data, at)


_OLD_MAGIC: Final = frozenset((0, 1, *range(128, 256)))
"""A byte below 2, signed as Java's."""
