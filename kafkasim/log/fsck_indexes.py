"""What `fsck` says of a segment's indexes, which Kafka believes without a look.

A sparse index may leave out any batch; what it says must be so. An entry of the offset
index names a batch's last offset and its position; one of the time index the largest
timestamp so far, and an offset in the batch that has it. The transaction index must
name exactly the transactions whose abort marker lies in the segment.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from kafkasim.errors import LogError
from kafkasim.log.checkpoints import (
    LOG,
    OFFSET_INDEX,
    SWAP,
    TIME_INDEX,
    TRANSACTION_INDEX,
    file_name,
)
from kafkasim.log.contents import Files
from kafkasim.log.fsck_batches import SegmentFile
from kafkasim.log.fsck_report import Finding
from kafkasim.log.index import OFFSET_ENTRY_BYTES, TIME_ENTRY_BYTES
from kafkasim.log.transaction_index import (
    TRANSACTION_ENTRY_BYTES,
    AbortedTransaction,
    TransactionIndex,
)

_OFFSET_ENTRY: Final = np.dtype([("relative", ">i4"), ("position", ">i4")])
_TIME_ENTRY: Final = np.dtype([("timestamp", ">i8"), ("relative", ">i4")])


def check_indexes(files: Files, segments: Sequence[SegmentFile]) -> list[Finding]:
    """Return what is wrong with the offset and time indexes."""
    findings: list[Finding] = []
    names = set(files.names())
    for number, segment in enumerate(segments):
        is_last = number == len(segments) - 1
        if segment.name.endswith(SWAP):
            continue
        for suffix, check in ((OFFSET_INDEX, _offsets), (TIME_INDEX, _times)):
            name = file_name(segment.base_offset, suffix)
            if name not in names:
                if segment.batches:
                    text = f"{segment.name} has none"
                    findings.append(Finding("missing index", name, None, None, text))
                continue
            findings += check(bytes(files.read(name)), name, segment, is_last=is_last)
    return findings


def _lost(segment: SegmentFile) -> list[tuple[int, int]]:
    """Return where bytes cannot be read: what an index says of them may be right."""
    return [
        (piece.position, piece.end_position)
        for piece in segment.pieces
        if piece.kind and piece.mended is None
    ]


def _rows(
    data: bytes, entry: np.dtype[np.void], *, is_last: bool
) -> list[tuple[int, int]]:
    """Return the entries, without the zeros that an open index ends with."""
    table = np.frombuffer(data, entry, len(data) // entry.itemsize)
    rows = [(int(first), int(second)) for first, second in table.tolist()]
    while is_last and rows and rows[-1] == (0, 0):
        rows.pop()
    return rows


def _stray(kind: str, name: str, data: bytes, entry_bytes: int) -> Iterator[Finding]:
    extra = len(data) % entry_bytes
    if extra:
        text = f"{extra} bytes after the last entry"
        yield Finding(kind, name, len(data) - extra, None, text, mendable=True)


def _offsets(
    data: bytes, name: str, segment: SegmentFile, *, is_last: bool
) -> Iterator[Finding]:
    kind = "lying offset index"
    yield from _stray(kind, name, data, OFFSET_ENTRY_BYTES)
    at = {batch.position: batch.header for batch in segment.batches}
    lost = _lost(segment)
    base = segment.base_offset
    before = -1
    for number, (relative, position) in enumerate(
        _rows(data, _OFFSET_ENTRY, is_last=is_last)
    ):
        header = at.get(position)
        if header is None and any(low <= position < end for low, end in lost):
            continue
        if header is None:
            text = f"entry {number} points to {position}, where no batch begins"
        elif base + relative != header.last_offset:
            text = (
                f"entry {number} says that offset {base + relative} is the last of the "
                f"batch at {position}, which ends at {header.last_offset}"
            )
        elif relative <= before:
            text = f"entry {number} is not after the one before it"
        else:
            before = relative
            continue
        place = number * OFFSET_ENTRY_BYTES
        yield Finding(kind, name, place, base + relative, text, mendable=True)


def _times(
    data: bytes, name: str, segment: SegmentFile, *, is_last: bool
) -> Iterator[Finding]:
    kind = "lying time index"
    yield from _stray(kind, name, data, TIME_ENTRY_BYTES)
    headers = [batch.header for batch in segment.batches]
    ends = np.array([header.last_offset for header in headers], np.int64)
    largest = np.maximum.accumulate(
        np.array([header.max_timestamp_ms for header in headers], np.int64)
    )
    base = segment.base_offset
    lost = _lost(segment)
    # From the first bytes that are lost on nobody knows the largest timestamp.
    known = sum(batch.position < lost[0][0] for batch in segment.batches) if lost else 0
    before = (-1, -1)
    for number, (timestamp, relative) in enumerate(
        _rows(data, _TIME_ENTRY, is_last=is_last)
    ):
        slot = int(np.searchsorted(ends, base + relative))
        if lost and slot >= known:
            continue
        if slot == len(ends):
            text = f"entry {number} names offset {base + relative}, which is not there"
        elif largest[slot] != timestamp:
            text = (
                f"entry {number} says {timestamp} is the largest timestamp up to "
                f"offset {base + relative}; it is {largest[slot]}"
            )
        elif timestamp <= before[0] or relative < before[1]:
            text = f"entry {number} is not after the one before it"
        else:
            before = (timestamp, relative)
            continue
        place = number * TIME_ENTRY_BYTES
        yield Finding(kind, name, place, base + relative, text, mendable=True)
    if is_last or lost or not headers:
        return
    if before[0] != largest[-1] and largest[-1] >= 0:
        text = f"it ends with {before[0]}, the largest timestamp is {largest[-1]}"
        yield Finding(kind, name, None, None, text, mendable=True)


def check_transactions(
    files: Files,
    segments: Sequence[SegmentFile],
    aborted: dict[int, list[AbortedTransaction]],
    unknown: set[int],
    log_start: int = 0,
) -> list[Finding]:
    """Return what is wrong with the transaction indexes.

    Parameters
    ----------
    files : Files
    segments : sequence of SegmentFile
    aborted : dict of int to list of AbortedTransaction
        What each segment's index should hold, by base offset.
    unknown : set of int
        Offsets of abort markers whose transaction may have begun before the log does.
    log_start : int, optional
        A transaction that began below it may be missing: compaction drops those that
        ended there, recovery does not know of those that did not.
    """
    kind = "lying transaction index"
    names = set(files.names())
    findings: list[Finding] = []
    for segment in segments:
        base = segment.base_offset
        name = file_name(base, TRANSACTION_INDEX)
        if segment.name.endswith(SWAP):
            name += SWAP
        data = bytes(files.read(name)) if name in names else b""
        findings += _stray(kind, name, data, TRANSACTION_ENTRY_BYTES)
        try:
            held = TransactionIndex.from_bytes(base, data).entries
        except LogError as error:
            findings.append(Finding(kind, name, None, None, error.text, mendable=True))
            continue
        should = {entry[:3]: entry for entry in aborted.get(base, [])}
        for number, entry in enumerate(held):
            right = should.pop(entry[:3], None)
            if right is None and entry.last_offset not in unknown:
                text = f"no transaction of the log is {_said(entry)}"
            elif right is not None and right != entry:
                text = (
                    f"{_said(entry)} notes the last stable offset "
                    f"{entry.last_stable_offset}; it was {right.last_stable_offset}"
                )
            else:
                continue
            place = number * TRANSACTION_ENTRY_BYTES
            offset = entry.last_offset
            findings.append(Finding(kind, name, place, offset, text, mendable=True))
        for entry in should.values():
            if entry.first_offset < log_start:
                continue
            text = f"{_said(entry)} is missing"
            findings.append(
                Finding(kind, name, None, entry.last_offset, text, mendable=True)
            )
    return findings


def _said(entry: AbortedTransaction) -> str:
    return (
        f"producer {entry.producer_id}'s aborted one from {entry.first_offset} "
        f"to {entry.last_offset}"
    )


def is_index(name: str) -> bool:
    """Say whether a file is one of the three indexes (`LogFileUtils.isIndexFile`)."""
    return name.endswith((OFFSET_INDEX, TIME_INDEX, TRANSACTION_INDEX))


def log_of(name: str) -> str:
    """Return the name of the log that an index belongs to."""
    return name.rpartition(".")[0] + LOG
