"""What is in a log's files, in the lines of Kafka's own tool.

At bytes that are no batch that tool ends with an exception; this goes on with the next
file. What the tool reports on stderr comes from `kafkasim.log.dump_complaints`.

Source: `org.apache.kafka.tools.DumpLogSegments` (4.3.1).
"""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from kafkasim.errors import CorruptBatchError, LogError
from kafkasim.log.checkpoints import (
    LOG,
    OFFSET_INDEX,
    SNAPSHOT,
    TIME_INDEX,
    TRANSACTION_INDEX,
    offset_of,
)
from kafkasim.log.contents import ByteContents, Files
from kafkasim.log.decode import check_batch, decode_batch
from kafkasim.log.header import CODECS, BatchHeader
from kafkasim.log.index import OffsetIndex, TimeIndex
from kafkasim.log.producer_snapshot import read_snapshot
from kafkasim.log.record import Record
from kafkasim.log.store import FolderStore
from kafkasim.log.transaction_index import TransactionIndex

Where = str | os.PathLike[str] | Files
"""A partition's folder, one of its files, or a store."""

Texts = tuple[str | None, str | None]
"""What to print of a record: its key and its value; None: nothing."""
Decoder = Callable[[bytes | None, bytes | None], Texts]
"""Turns key and value of a record into texts (`MessageParser` of Kafka's tool)."""

KINDS: Final = (LOG, OFFSET_INDEX, TIME_INDEX, TRANSACTION_INDEX, SNAPSHOT)
"""Suffixes of the files that can be dumped."""

_CONTROL_TYPES: Final = (
    *("ABORT", "COMMIT", "LEADER_CHANGE", "SNAPSHOT_HEADER", "SNAPSHOT_FOOTER"),
    *("KRAFT_VERSION", "KRAFT_VOTERS"),
)
"""Names of control records, by number (`ControlRecordType`)."""

_SURROGATE: Final = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]?")
"""UTF-8 of half a surrogate pair, also cut off."""

_ALL: Final = 1 << 62


def files_of(where: Where) -> tuple[Files, list[str], str]:
    """Return where files are, the names of those to dump, and what stands before them.

    Parameters
    ----------
    where : str, Path or store
        A folder or a store: all its files that can be dumped, sorted; a file: this one.

    Raises
    ------
    FileNotFoundError
        There is no such folder or file.
    """
    if not isinstance(where, str | os.PathLike):
        return where, _known(where.names()), ""
    path = Path(where)
    if path.is_dir():
        store = FolderStore(path)
        return store, _known(store.names()), f"{path}{os.sep}"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is neither a folder nor a file")
    before = "" if path.parent == Path() else f"{path.parent}{os.sep}"
    return FolderStore(path.parent), [path.name], before


def _known(names: Sequence[str]) -> list[str]:
    """Return the names that say what is in a file, and from which offset on."""
    return [
        name
        for name in names
        if name.endswith(KINDS) and name.partition(".")[0].isdecimal()
    ]


def texts_of(key: bytes | None, value: bytes | None) -> Texts:
    """Return key and value as texts (`StringDecoder`)."""
    return (
        None if key is None else text_of(key),
        None if value is None else text_of(value),
    )


def dump_lines(
    where: Where, *, print_data_log: bool = False, decoder: Decoder = texts_of
) -> Iterator[str]:
    """Yield what `DumpLogSegments --files ...` prints, a line at a time.

    Parameters
    ----------
    where : str, Path or store
        A partition's folder (all its files, by name), one file of it, or a store.
    print_data_log : bool
        Each record below its batch, with key and value as text
        (`--print-data-log`).
    decoder : callable, optional
        What makes texts of key and value.

    Raises
    ------
    FileNotFoundError
        There is no such folder or file.
    """
    files, names, before = files_of(where)
    for name in names:
        yield f"Dumping {before}{name}"
        if name.endswith(LOG):
            yield from _log_lines(files, name, decoder if print_data_log else None)
        elif name.endswith(OFFSET_INDEX):
            entries = list(offset_entries(files, name))
            if not entries:
                yield f"{before}{name} is empty."
            for offset, position in entries:
                yield f"offset: {offset} position: {position}"
        elif name.endswith(TIME_INDEX):
            for timestamp_ms, offset in time_entries(files, name):
                yield f"timestamp: {timestamp_ms} offset: {offset}"
        elif name.endswith(TRANSACTION_INDEX):
            yield from _transaction_lines(files, name)
        elif name.endswith(SNAPSHOT):
            yield from _producer_lines(files, name)


def offset_entries(files: Files, name: str) -> Iterator[tuple[int, int]]:
    """Yield offset and position of each entry of an offset index.

    The zeros of a file that was not closed are no entries: as in Kafka's tool, an entry
    with the base offset ends them, unless it is the first.
    """
    base = offset_of(name)
    index = OffsetIndex.from_bytes(base, bytes(files.read(name)), _ALL)
    for number in range(index.entry_count):
        offset, position = index.entry(number)
        if offset == base and number:
            return
        yield offset, position


def time_entries(files: Files, name: str) -> Iterator[tuple[int, int]]:
    """Yield timestamp and offset of each entry of a time index; zeros end them."""
    base = offset_of(name)
    index = TimeIndex.from_bytes(base, bytes(files.read(name)), _ALL)
    for number in range(index.entry_count):
        timestamp_ms, offset = index.entry(number)
        if offset == base and number:
            return
        yield timestamp_ms, offset


def batches(files: Files, name: str) -> Iterator[tuple[int, BatchHeader]]:
    """Yield position and header of each batch of a log file, up to what is none."""
    try:
        yield from ByteContents(files, name).headers()
    except CorruptBatchError:
        return


def is_valid(batch: bytes | memoryview) -> bool:
    """Tell whether a batch's CRC fits (`DefaultRecordBatch.isValid`)."""
    try:
        check_batch(batch)
    except CorruptBatchError:
        return False
    return True


def _log_lines(files: Files, name: str, decoder: Decoder | None) -> Iterator[str]:
    yield f"Log starting offset: {offset_of(name)}"
    end = 0
    for position, header in batches(files, name):
        end = position + header.size_bytes
        batch = files.read(name, position, end)
        yield _batch_line(header, position, valid=is_valid(batch))
        if decoder is not None:
            yield from _record_lines(batch, header, decoder)
    rest = files.size(name) - end
    if rest:
        yield f"Found {rest} invalid bytes at the end of {name}"


def _batch_line(header: BatchHeader, position: int, *, valid: bool) -> str:
    horizon = header.delete_horizon_ms
    until = "OptionalLong.empty" if horizon is None else f"OptionalLong[{horizon}]"
    codec = CODECS[header.codec] if header.codec < len(CODECS) else str(header.codec)
    return (
        f"baseOffset: {header.base_offset} lastOffset: {header.last_offset} "
        f"count: {header.record_count} baseSequence: {header.base_sequence} "
        f"lastSequence: {header.last_sequence} producerId: {header.producer_id} "
        f"producerEpoch: {header.producer_epoch} "
        f"partitionLeaderEpoch: {header.leader_epoch} "
        f"isTransactional: {_bool(header.is_transactional)} "
        f"isControl: {_bool(header.is_control)} deleteHorizonMs: {until} "
        f"position: {position} {_timestamp_type(header)}: {header.max_timestamp_ms} "
        f"size: {header.size_bytes} magic: {header.magic} compresscodec: {codec} "
        f"crc: {header.crc} isvalid: {_bool(valid)}"
    )


def _record_lines(
    batch: bytes | memoryview, header: BatchHeader, decoder: Decoder
) -> Iterator[str]:
    """Yield a line for each record; none of a batch that cannot be decoded."""
    try:
        records = decode_batch(batch, check_crc=False)
    except CorruptBatchError:
        return
    kind = _timestamp_type(header)
    for record in records:
        names = ",".join(name for name, _ in record.headers)
        line = (
            f"| offset: {record.offset} {kind}: {record.timestamp_ms} "
            f"keySize: {_size(record.key)} valueSize: {_size(record.value)} "
            f"sequence: {_sequence(record, header)} headerKeys: [{names}]"
        )
        if header.is_control:
            yield line + _marker(record)
            continue
        key, value = decoder(record.key, record.value)
        if key is not None:
            line += f" key: {key}"
        if value is not None:
            line += f" payload: {value}"
        yield line


def text_of(data: bytes) -> str:
    """Return bytes as Java's `String` reads UTF-8: what is none becomes U+FFFD.

    Half of a surrogate pair is one of these for Java, and one for each of its bytes for
    Python.
    """
    return _SURROGATE.sub(b"\xff", data).decode(errors="replace")


def _marker(record: Record) -> str:
    """Say what a control record is (`EndTransactionMarker`)."""
    key, value = record.key or b"", record.value or b""
    number = int.from_bytes(key[2:4], "big", signed=True)
    known = 0 <= number < len(_CONTROL_TYPES)
    kind = _CONTROL_TYPES[number] if known else "UNKNOWN"
    if kind in {"ABORT", "COMMIT"}:
        epoch = int.from_bytes(value[2:6], "big", signed=True)
        return f" endTxnMarker: {kind} coordinatorEpoch: {epoch}"
    return f" controlType: {kind}({number})"


def _sequence(record: Record, header: BatchHeader) -> int:
    if header.base_sequence < 0:
        return -1
    return (header.base_sequence + record.offset - header.base_offset) % (1 << 31)


def _size(data: bytes | None) -> int:
    return -1 if data is None else len(data)


def _timestamp_type(header: BatchHeader) -> str:
    return "LogAppendTime" if header.is_log_append_time else "CreateTime"


def _bool(value: object) -> str:
    return "true" if value else "false"


def _transaction_lines(files: Files, name: str) -> Iterator[str]:
    index = TransactionIndex.from_bytes(offset_of(name), bytes(files.read(name)))
    for each in index.entries:
        yield (
            f"version: 0 producerId: {each.producer_id} "
            f"firstOffset: {each.first_offset} lastOffset: {each.last_offset} "
            f"lastStableOffset: {each.last_stable_offset}"
        )


def _producer_lines(files: Files, name: str) -> Iterator[str]:
    """Yield a line for each producer; none of a snapshot that cannot be read."""
    try:
        entries = read_snapshot(bytes(files.read(name)))
    except LogError:
        return
    for entry in entries:
        first = entry.transaction_first_offset
        opened = "OptionalLong.empty" if first is None else f"OptionalLong[{first}]"
        line = (
            f"producerId: {entry.producer_id} producerEpoch: {entry.epoch} "
            f"coordinatorEpoch: {entry.coordinator_epoch} "
            f"currentTxnFirstOffset: {opened} "
            f"lastTimestamp: {entry.last_timestamp_ms}"
        )
        if entry.batches:
            batch = entry.batches[0]
            line += (
                f" firstSequence: {batch.base_sequence} "
                f"lastSequence: {batch.last_sequence} lastOffset: {batch.last_offset} "
                f"offsetDelta: {batch.last_offset_delta} "
                f"timestamp: {batch.max_timestamp_ms}"
            )
        yield line
