"""What is in a log's files, as plain columns: a row for each segment, batch, record."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from kafkasim.errors import CorruptBatchError, LogError
from kafkasim.log.checkpoints import (
    DELETED,
    LEADER_EPOCHS,
    LOG,
    OFFSET_INDEX,
    SNAPSHOT,
    TIME_INDEX,
    TRANSACTION_INDEX,
    offset_of,
    read_leader_epochs,
)
from kafkasim.log.contents import Files
from kafkasim.log.decode import decode_batch
from kafkasim.log.dump_text import (
    batches,
    files_of,
    is_valid,
    offset_entries,
    time_entries,
)
from kafkasim.log.header import CODECS
from kafkasim.log.index import TIME_ENTRY_BYTES
from kafkasim.log.local_log import LocalLog
from kafkasim.log.producer_snapshot import read_snapshot
from kafkasim.log.transaction_index import TransactionIndex

TABLES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "segments": (
            *("base_offset", "next_offset", "size_bytes", "invalid_bytes"),
            *("batch_count", "record_count", "max_timestamp_ms", "deleted"),
        ),
        "batches": (
            *("segment", "position", "size_bytes", "base_offset", "last_offset"),
            *("record_count", "base_timestamp_ms", "max_timestamp_ms"),
            *("leader_epoch", "producer_id", "producer_epoch", "base_sequence"),
            *("codec", "transactional", "control", "valid"),
        ),
        "records": (
            *("segment", "batch", "offset", "timestamp_ms", "key", "value", "headers"),
            "control",
        ),
        "offset_index": ("segment", "offset", "position"),
        "time_index": ("segment", "timestamp_ms", "offset"),
        "aborted": (
            *("segment", "producer_id", "first_offset", "last_offset"),
            "last_stable_offset",
        ),
        "producers": (
            *("snapshot", "producer_id", "producer_epoch", "last_sequence"),
            *("last_offset", "timestamp_ms"),
        ),
        "leader_epochs": ("leader_epoch", "start_offset"),
    }
)
"""Names of the tables and of their columns."""

_OBJECTS: Final = frozenset({"key", "value", "headers", "codec"})
"""Columns that are lists; the others are arrays."""

_SWITCHES: Final = frozenset({"deleted", "transactional", "control", "valid"})
"""Columns of bool; the other arrays are of int64."""

Rows = dict[str, list[tuple[Any, ...]]]


def dump(
    where: "str | os.PathLike[str] | Files | LocalLog[Any]",
) -> dict[str, dict[str, Any]]:
    """Return what is in a log's files, as tables of plain columns.

    Parameters
    ----------
    where : str, Path, store or PartitionLog
        A partition's folder, one of its files, a store, or a log of bytes.

    Returns
    -------
    dict of str to dict of str to ndarray or list
        By name of the table (`TABLES`) its columns, equally long; a table without rows
        is there. Numbers are int64, switches bool; `codec` is a list of str, `key` and
        `value` lists of bytes or None, `headers` a list of tuples. `segment` is the
        base offset of the file it stands in, `batch` a row of the table `batches`;
        `valid` says whether a batch's CRC fits. Records of a batch that cannot be
        decoded are left out. A segment that waits for its deletion (`.deleted`) is a
        row of `segments` alone. Each table makes a `pandas.DataFrame`.

    Raises
    ------
    FileNotFoundError
        There is no such folder or file.
    MissingExtraError
        The library of a codec is not installed.

    Examples
    --------
    >>> from kafkasim.log.partition_log import PartitionLog
    >>> from kafkasim.log.record import Record
    >>> log = PartitionLog()
    >>> _ = log.append([Record(0, b"a", b"one"), Record(1, b"b", None)])
    >>> tables = dump(log)
    >>> tables["records"]["key"], tables["records"]["offset"].tolist()
    ([b'a', b'b'], [0, 1])
    """
    if isinstance(where, LocalLog):
        for segment in where.segments:
            segment.index_files.write()
        where = where.store
    files, names, _ = files_of(where)
    rows: Rows = {name: [] for name in TABLES}
    for name in names:
        _add(rows, files, name)
    if not isinstance(where, str | os.PathLike) or Path(where).is_dir():
        _add_folder(rows, files)
    return {name: _columns(TABLES[name], rows[name]) for name in TABLES}


def _add(rows: Rows, files: Files, name: str) -> None:
    """Add what is in one file."""
    base = offset_of(name)
    if name.endswith(LOG):
        rows["segments"].append(_log(rows, files, name))
    elif name.endswith(OFFSET_INDEX):
        entries = offset_entries(files, name)
        # No first batch has an entry: that is the first zeros of an open index.
        rows["offset_index"] += [(base, *pair) for pair in entries if pair != (base, 0)]
    elif name.endswith(TIME_INDEX):
        times = list(time_entries(files, name))
        if times == [(0, base)] and files.size(name) > TIME_ENTRY_BYTES:
            times = []  # zeros again; a closed index has only its entries
        rows["time_index"] += [(base, *pair) for pair in times]
    elif name.endswith(TRANSACTION_INDEX):
        index = TransactionIndex.from_bytes(base, bytes(files.read(name)))
        rows["aborted"] += [(base, *entry) for entry in index.entries]
    elif name.endswith(SNAPSHOT):
        rows["producers"] += _producers(files, name)


def _add_folder(rows: Rows, files: Files) -> None:
    """Add deleted segments and the leaders' epochs."""
    for name in files.names():
        if name.endswith(LOG + DELETED):
            row = _log({"batches": [], "records": []}, files, name)
            rows["segments"].append((*row[:-1], True))
        elif name == LEADER_EPOCHS and files.size(name):
            text = bytes(files.read(name)).decode(errors="replace")
            try:
                rows["leader_epochs"] += read_leader_epochs(text)
            except LogError:
                continue
    rows["segments"].sort(key=lambda row: (row[0], not row[-1]))


def _log(rows: Rows, files: Files, name: str) -> tuple[Any, ...]:
    """Add the batches and records of a log file; return its row of `segments`."""
    base = offset_of(name)
    end, following, count, records, newest = 0, base, 0, 0, -1
    for position, header in batches(files, name):
        end = position + header.size_bytes
        batch = files.read(name, position, end)
        known = header.codec < len(CODECS)
        codec = CODECS[header.codec] if known else str(header.codec)
        row = (
            *(base, position, header.size_bytes, header.base_offset),
            *(header.last_offset, header.record_count, header.base_timestamp_ms),
            *(header.max_timestamp_ms, header.leader_epoch, header.producer_id),
            *(header.producer_epoch, header.base_sequence, codec),
            *(header.is_transactional, header.is_control, is_valid(batch)),
        )
        number = len(rows["batches"])
        rows["batches"].append(row)
        rows["records"] += _records(batch, base, number, control=header.is_control)
        following = header.next_offset
        count, records = count + 1, records + header.record_count
        newest = max(newest, header.max_timestamp_ms)
    size = files.size(name)
    return (base, following, size, size - end, count, records, newest, False)


def _records(
    batch: bytes | memoryview, base: int, number: int, *, control: bool
) -> Iterable[tuple[Any, ...]]:
    try:
        records = decode_batch(batch, check_crc=False)
    except CorruptBatchError:
        return
    for timestamp_ms, key, value, headers, offset in records:
        yield (base, number, offset, timestamp_ms, key, value, headers, control)


def _producers(files: Files, name: str) -> list[tuple[Any, ...]]:
    """Return the producers of a snapshot; none if it cannot be read."""
    try:
        entries = read_snapshot(bytes(files.read(name)))
    except LogError:
        return []
    return [
        (
            *(offset_of(name), entry.producer_id, entry.epoch, entry.last_sequence),
            *(entry.last_offset, entry.last_timestamp_ms),
        )
        for entry in entries
    ]


def _columns(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> dict[str, Any]:
    by_column = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    made: dict[str, Any] = {}
    for name, column in zip(names, by_column, strict=True):
        if name in _OBJECTS:
            made[name] = list(column)
        else:
            kind = np.bool_ if name in _SWITCHES else np.int64
            made[name] = np.array(column, dtype=kind)
    return made
