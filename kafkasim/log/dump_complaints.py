"""What Kafka's tool reports of a log's files: indexes that do not fit, and jumps.

It looks at less than `fsck` does, and repairs nothing. Two things differ on purpose: at
bytes that are no batch Kafka's tool ends with an exception, here it is a line; and it
reports of every segment but the first that −1 is followed by its first offset, since it
counts from there, which is left out.

Source: `org.apache.kafka.tools.DumpLogSegments` (4.3.1), `TimeIndexDumpErrors`.
"""

from collections.abc import Iterator

from kafkasim.errors import CorruptBatchError, LogError
from kafkasim.log.checkpoints import (
    LOG,
    OFFSET_INDEX,
    SNAPSHOT,
    TIME_INDEX,
    file_name,
    offset_of,
)
from kafkasim.log.contents import ByteContents, Files
from kafkasim.log.decode import decode_batch
from kafkasim.log.dump_text import Where, files_of, offset_entries, time_entries
from kafkasim.log.header import BatchHeader
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
    for offset, position in offset_entries(files, name):
        found = next(_batches_from(files, name, position), None)
        if found is None:
            yield f"  Index offset: {offset}, no batch at position {position}"
        elif found[1].last_offset != offset:
            yield f"  Index offset: {offset}, log offset: {found[1].last_offset}"


def _of_a_time_index(files: Files, name: str, path: str) -> list[str]:
    wrong: list[str] = []
    out_of_order: list[str] = []
    not_found: list[str] = []
    before = -1
    for timestamp_ms, offset in time_entries(files, name):
        found = _batch_of(files, name, offset)
        last = -1 if found is None else found[1].last_offset
        if found is None or last != offset:
            not_found.append(f"Indexed offset: {offset}, found log offset: {last}")
        else:
            largest = _largest_timestamp(files, name, found)
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


def _batches_from(files: Files, name: str, position: int) -> Iterator[Found]:
    """Yield the batches of an index's log from a position on, up to what is none."""
    log = file_name(offset_of(name), LOG)
    if log not in files.names() or position < 0:
        return
    try:
        yield from ByteContents(files, log).headers(position)
    except CorruptBatchError:
        return


def _batch_of(files: Files, name: str, offset: int) -> Found | None:
    """Return the first batch that ends at the offset or after, from the index on."""
    index = file_name(offset_of(name), OFFSET_INDEX)
    start = 0
    if index in files.names():
        below = [p for o, p in offset_entries(files, index) if o <= offset]
        start = below[-1] if below else 0
    for found in _batches_from(files, name, start):
        if found[1].last_offset >= offset:
            return found
    return None


def _largest_timestamp(files: Files, name: str, found: Found) -> int:
    """Return the largest timestamp of a batch's records; −1 if it has none."""
    position, header = found
    log = file_name(offset_of(name), LOG)
    batch = files.read(log, position, position + header.size_bytes)
    try:
        records = decode_batch(batch, check_crc=False)
    except CorruptBatchError:
        return -1
    return max((record.timestamp_ms for record in records), default=-1)
