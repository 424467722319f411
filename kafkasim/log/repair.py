"""Write what can be read of a damaged partition into a new folder.

The damaged files are only read. Of the new ones the logs are written batch by batch,
mended where that is certain; then they are opened as after a crash, which makes all
indexes, epochs and snapshots anew. What cannot be put in its place goes into files of
their own, which Kafka leaves alone: a batch whose offsets others have too, or with
which Kafka opens no log, into `.log.set-aside`; bytes that cannot be read into
`.log.unreadable`.
"""

from collections.abc import Sequence
from typing import Final

from kafkasim.config.topic import TopicConfig
from kafkasim.errors import LogError
from kafkasim.log.checkpoints import (
    LEADER_EPOCHS,
    LOG,
    PARTITION_METADATA,
    SNAPSHOT,
    TRANSACTION_INDEX,
    file_name,
)
from kafkasim.log.contents import ByteBatch, Files
from kafkasim.log.fsck_batches import CERTAIN, Batch, SegmentFile, is_log
from kafkasim.log.fsck_report import Finding
from kafkasim.log.index import LARGEST_RELATIVE_OFFSET
from kafkasim.log.loading import Loaded, load
from kafkasim.log.store import Store
from kafkasim.log.transaction_index import TransactionIndex

SET_ASIDE: Final = ".set-aside"
UNREADABLE: Final = ".unreadable"


def repair(
    files: Files,
    segments: Sequence[SegmentFile],
    findings: Sequence[Finding],
    target: Store[ByteBatch],
    *,
    unknown: set[int],
    config: TopicConfig,
) -> list[str]:
    """Write a repaired copy of a partition; return what was done, in words.

    Parameters
    ----------
    files : Files
        The damaged partition; it is not changed.
    segments : sequence of SegmentFile
        What was read of it, offsets and epochs mended.
    findings : sequence of Finding
        What was found.
    target : Store
        An empty one.
    unknown : set of int
        Abort markers of transactions that began before the log does.
    config : TopicConfig
        Resolved settings, for the indexes.
    """
    done = [_mended(one) for one in findings if one.mendable and is_log(one.file)]
    expected = 0
    for segment in segments:
        expected = _write_segment(segment, target, expected, done)
    _copy_small(files, findings, target)
    loaded = _load(target, config)
    for one in loaded.segments:
        _keep_transactions(files, target, one.base_offset, unknown)
        one.close()
    target.close()
    kinds = {"hole", "gap", "overlap"}
    mended = sum(finding.mendable for finding in findings)
    left = sum(finding.kind in kinds for finding in findings)
    done.append(f"findings mended: {mended}; holes and overlaps that stay: {left}")
    return done


def _mended(finding: Finding) -> str:
    """Say which bytes of a log file are as they were again."""
    where = f"{finding.kind} at position {finding.position} of {finding.file}"
    what = finding.text.removesuffix(CERTAIN)
    if finding.kind == "bit rot":  # two checksums, and then which bit it was
        what = what.split("; ")[-1].removesuffix(" explains it")
    return f"{where} is mended: {what}"


def _load(target: Store[ByteBatch], config: TopicConfig) -> Loaded:
    """Open the copy; from its batches alone if the small files keep it from opening."""
    try:
        return load(target, config)
    except LogError:
        for name in target.names():
            if not name.endswith((LOG, SET_ASIDE, UNREADABLE)):
                target.delete(name)
        return load(target, config)


def _write_segment(
    segment: SegmentFile, target: Store[ByteBatch], expected: int, done: list[str]
) -> int:
    """Write a segment's batches in their places; return the offset that comes next."""
    base = segment.base_offset
    name = file_name(base, LOG)
    if not segment.batches:
        target.write(name, b"")
    repeated = 0
    for batch in segment.batches:
        header = batch.header
        if batch.repeats:
            repeated += 1
            continue
        data = segment.bytes_of(batch)
        below = header.base_offset < max(expected, segment.base_offset)
        if below or batch.refused:
            target.append(segment.name + SET_ASIDE, data)
            done.append(f"{_said(batch)} of {segment.name} is set aside")
            continue
        if header.last_offset - base > LARGEST_RELATIVE_OFFSET:
            base = header.base_offset
            name = file_name(base, LOG)
        target.append(name, data)
        expected = header.next_offset
    if name not in target.names():
        target.write(name, b"")
    if repeated:
        done.append(f"{repeated} repeated batches of {segment.name} are left out")
    lost = [piece for piece in segment.pieces if piece.kind and piece.mended is None]
    for piece in lost:
        data = bytes(segment.data[piece.position : piece.end_position])
        target.append(segment.name + UNREADABLE, data)
    if lost:
        size = sum(piece.end_position - piece.position for piece in lost)
        done.append(f"{size} bytes of {segment.name} cannot be read")
    return max(expected, segment.base_offset)


def _said(batch: Batch) -> str:
    header = batch.header
    return f"the batch of offsets {header.base_offset} to {header.last_offset}"


def _copy_small(
    files: Files, findings: Sequence[Finding], target: Store[ByteBatch]
) -> None:
    """Copy what is not made anew from the batches, if nothing is wrong with it."""
    wrong = {finding.file for finding in findings}
    for name in files.names():
        if name in wrong:
            continue
        if name in {LEADER_EPOCHS, PARTITION_METADATA} or name.endswith(SNAPSHOT):
            target.write(name, files.read(name))


def _keep_transactions(
    files: Files, target: Store[ByteBatch], base_offset: int, unknown: set[int]
) -> None:
    """Keep index entries of transactions that began before the log does.

    The batches do not tell of them, the old index does.
    """
    name = file_name(base_offset, TRANSACTION_INDEX)
    if not unknown or name not in files.names():
        return
    try:
        old = TransactionIndex.from_bytes(base_offset, bytes(files.read(name))).entries
    except LogError:  # reported as a lying index
        return
    kept = [entry for entry in old if entry.last_offset in unknown]
    if kept:
        data = bytes(target.read(name)) if name in target.names() else b""
        index = TransactionIndex.from_bytes(base_offset, data)
        known = {entry.last_offset for entry in index.entries}
        index.entries += [entry for entry in kept if entry.last_offset not in known]
        index.entries.sort(key=lambda entry: entry.last_offset)
        target.write(name, index.to_bytes())
