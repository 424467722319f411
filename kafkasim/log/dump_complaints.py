"""What Kafka's tool reports of a log's files: indexes that do not fit, and jumps.

It looks at less than `fsck` does, and repairs nothing. Two things differ on purpose: at
bytes that are no batch Kafka's tool ends with an exception, here it is a line; and it
reports of every segment but the first that −1 is followed by its first offset, since it
counts from there, which is left out.

Source: `org.apache.kafka.tools.DumpLogSegments` (4.3.1), `TimeIndexDumpErrors`.
"""

from bisect import bisect_right
from collections.abc import Iterator
from operator import itemgetter

from kafkasim.errors import CorruptBatchError, LogError
from kafkasim.log.checkpoints import (
    LOG,
    OFFSET_INDEX,
    SNAPSHOT,
    TIME_INDEX,
    file_name,
    offset_of,
)
from kafkasim.log.contents import ByteContents, Files, header_at
from kafkasim.log.decode import decode_batch
from kafkasim.log.dump_text import Where, files_of, offset_entries, time_entries
from kafkasim.log.header import HEADER_BYTES, BatchHeader
from kafkasim.log.producer_snapshot import read_snapshot

Found = tuple[int, BatchHeader]


def complaints(where: Where, *, print_data_log: bool = False) -> list[str]:
    """Return what `DumpLogSegments` reports on stderr, as lines.

    Parameters
    ----------
    where : str, Path or store
        As for `dump_lines`.
    print_data_log : bool
        Whether records are looked at, too: offsets that do not follow each other.

    Raises
    ------
    FileNotFoundError
        There is no such folder or file.
    """
    files, names, before = files_of(where)
    said: list[str] = []
    for name in names:
        path = f"{before}{name}"
        if name.endswith(LOG):
            said += _of_a_log(files, name, path, records=print_data_log)
        elif name.endswith(OFFSET_INDEX):
            lines = list(_of_an_index(files, name))
            said += [f"Mismatches in :{path}", *lines] if lines else []
        elif name.endswith(TIME_INDEX):
            said += _of_a_time_index(files, name, path)
        elif name.endswith(SNAPSHOT):
            said += _of_a_snapshot(files, name, path)
    return said


def _of_a_log(files: Files, name: str, path: str, *, records: bool) -> Iterator[str]:
    headers = ByteContents(files, name).headers()
    jumps: list[str] = []
    last: int | None = None
    position = 0
    try:
        for position, header in headers:
            if not records:
                continue
            batch = files.read(name, position, position + header.size_bytes)
            for record in decode_batch(batch, check_crc=False):
                if last is not None and record.offset != last + 1:
                    jumps.append(f"  {last} is followed by {record.offset}")
                last = record.offset
    except CorruptBatchError as error:
        at = error.position or position
        yield f"No record batch in {path} at position {at}: {error.text}"
    if jumps:
        yield f"Non-consecutive offsets in {path}"
        yield from jumps


def _of_an_index(files: Files, name: str) -> Iterator[str]:
    log = _Indexed(files, name)
    for offset, position in log.entries:
        found = log.batch_at(position)
        if found is None:
            yield f"  Index offset: {offset}, no batch at position {position}"
        elif found.last_offset != offset:
            yield f"  Index offset: {offset}, log offset: {found.last_offset}"


def _of_a_time_index(files: Files, name: str, path: str) -> list[str]:
    wrong: list[str] = []
    out_of_order: list[str] = []
    not_found: list[str] = []
    before = -1
    log = _Indexed(files, name)
    for timestamp_ms, offset in time_entries(files, name):
        found = log.batch_of(offset)
        last = -1 if found is None else found[1].last_offset
        if found is None or last != offset:
            not_found.append(f"Indexed offset: {offset}, found log offset: {last}")
        else:
            largest = log.largest_timestamp(found)
            stamp = f"  Index timestamp: {timestamp_ms}"
            if largest != timestamp_ms:
                wrong.append(f"{stamp}, log timestamp: {largest}")
            if before >= timestamp_ms:
                out_of_order.append(f"{stamp}, Previously indexed timestamp: {before}")
        before = timestamp_ms
    parts = (
        ("Found timestamp mismatch in :", wrong),
        ("Found out of order timestamp in :", out_of_order),
        ("The following indexed offsets are not found in :", not_found),
    )
    return [
        line for head, lines in parts if lines for line in (f"{head}{path}", *lines)
    ]


def _of_a_snapshot(files: Files, name: str, path: str) -> Iterator[str]:
    try:
        read_snapshot(bytes(files.read(name)))
    except LogError as error:
        yield f"{path}: {error.text}"


class _Indexed:
    """A log file that an index of the same name points into; it may be missing."""

    def __init__(self, files: Files, name: str) -> None:
        base = offset_of(name)
        names = files.names()
        self._files = files
        self._name = file_name(base, LOG)
        self._size = files.size(self._name) if self._name in names else 0
        index = file_name(base, OFFSET_INDEX)
        self.entries = list(offset_entries(files, index)) if index in names else []
        """Offset and position of each entry of the offset index."""

    def batch_at(self, position: int) -> BatchHeader | None:
        """Return the header at a position; None if there is none."""
        if not 0 <= position < self._size:
            return None
        data = self._files.read(self._name, position, position + HEADER_BYTES)
        try:
            return header_at(data, 0, self._size - position, position)
        except CorruptBatchError:
            return None

    def batch_of(self, offset: int) -> Found | None:
        """Return the first batch that ends at an offset or after, from the index on."""
        row = bisect_right(self.entries, offset, key=itemgetter(0))
        position = self.entries[row - 1][1] if row else 0
        while (header := self.batch_at(position)) is not None:
            if header.last_offset >= offset:
                return position, header
            position += header.size_bytes
        return None

    def largest_timestamp(self, found: Found) -> int:
        """Return the largest timestamp of a batch's records; −1 if it has none."""
        position, header = found
        end = position + header.size_bytes
        batch = self._files.read(self._name, position, end)
        try:
            records = decode_batch(batch, check_crc=False)
        except CorruptBatchError:
            return -1
        return max((record.timestamp_ms for record in records), default=-1)
