"""Check a partition's files, as Kafka never does, and write a repaired copy.

Kafka looks at a log only after a crash, only from the recovery point on, and only at
what the CRC covers. `fsck` reads all of it: every batch with its records, where offsets
and epochs do not go on, what indexes and snapshots say and should say, and files that
belong to nothing. Nothing is changed in place.
"""

import os
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from kafkasim.config.topic import TopicConfig
from kafkasim.errors import OutputError
from kafkasim.log.checkpoints import (
    LOG,
    LOG_STARTS,
    OFFSET_INDEX,
    RECOVERY_POINTS,
    TIME_INDEX,
    TRANSACTION_INDEX,
    file_name,
)
from kafkasim.log.contents import ByteBatch, Files
from kafkasim.log.fsck_batches import (
    SegmentFile,
    check_bytes,
    check_epochs,
    check_offsets,
    check_records,
    read_segments,
)
from kafkasim.log.fsck_indexes import check_indexes, check_transactions
from kafkasim.log.fsck_report import Finding, Report
from kafkasim.log.fsck_state import (
    check_epoch_file,
    check_names,
    check_snapshots,
    known_epochs,
    replay,
    snapshot_offsets,
)
from kafkasim.log.opening import PathLike, Points, checked_folder, points_beside
from kafkasim.log.repair import repair
from kafkasim.log.store import FolderStore, Store


def fsck(
    log: PathLike | Files,
    *,
    repair_to: PathLike | Store[ByteBatch] | None = None,
    recovery_point: int | None = None,
    log_start_offset: int | None = None,
    first_dirty_offset: int | None = None,
    config: TopicConfig | None = None,
) -> Report:
    """Check a partition's files, and write a repaired copy if asked.

    Parameters
    ----------
    log : str, Path or Files
        The partition's folder, such as ``orders-0``, or a store. It is only read.
    repair_to : str, Path or Store, optional
        A folder that is not there yet, or an empty one, for the repaired copy.
    recovery_point, log_start_offset, first_dirty_offset : int, optional
        As the log directory has them; looked up in its checkpoint files, beside the
        folder, if not given. Below the last one the log was compacted, so offsets may
        be missing.
    config : TopicConfig, optional
        Settings of the topic, for the indexes of the copy.

    Returns
    -------
    Report
        What was found; its text is for reading.

    Raises
    ------
    LogError
        UNKNOWN_TOPIC_OR_PARTITION: there is no such folder.
    OutputError
        The folder for the copy is not empty.

    Examples
    --------
    >>> from kafkasim.log.store import MemoryStore
    >>> store = MemoryStore()
    >>> store.write("00000000000000000007.index", bytes(8))
    >>> fsck(store).findings[0].kind
    'orphan file'
    """
    points = Points()
    if isinstance(log, str | os.PathLike):
        folder = checked_folder(log)
        files: Files = FolderStore(folder)
        name = folder.name
        points = points_beside(folder)
    else:
        files, name = log, "log"
    points = points._replace(
        recovery_point=_first(recovery_point, points.recovery_point),
        log_start_offset=_first(log_start_offset, points.log_start_offset),
        first_dirty_offset=_first(first_dirty_offset, points.first_dirty_offset),
    )
    target = None if repair_to is None else _target(repair_to)
    report, segments, unknown = _check(files, name, points)
    if target is None:
        return report
    done = repair(
        files,
        segments,
        report.findings,
        target,
        unknown=unknown,
        config=(config or TopicConfig()).resolve(),
    )
    return replace(report, repaired_to=_said(repair_to), repairs=tuple(done))


def _first(given: int | None, found: int | None) -> int | None:
    return found if given is None else given


def _said(repair_to: PathLike | Store[ByteBatch] | None) -> str:
    return str(repair_to) if isinstance(repair_to, str | os.PathLike) else "a store"


def _target(repair_to: PathLike | Store[ByteBatch]) -> Store[ByteBatch]:
    """Return the store for the copy, made if it is not there.

    Raises
    ------
    OutputError
        Something is in it.
    """
    if isinstance(repair_to, str | os.PathLike):
        folder = Path(repair_to)
        if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
            raise OutputError(f"{folder} is there already, and not empty")
        return FolderStore(folder)
    if repair_to.names():
        raise OutputError(f"the store has {repair_to.names()[0]}")
    return repair_to


def _check(
    files: Files,
    name: str,
    points: Points,
) -> tuple[Report, list[SegmentFile], set[int]]:
    """Do all checks; return also what a repair needs."""
    names = files.names()
    segments = read_segments(files)
    findings = check_bytes(segments)
    findings += check_records(segments)
    snapshots = snapshot_offsets(names)
    cleaned = points.first_dirty_offset or 0
    findings += check_offsets(segments, snapshots, cleaned)
    start, end = _ends(segments)
    known, bad = known_epochs(files)
    findings += bad
    findings += check_epochs(segments, known)
    log_start = points.log_start_offset or 0
    if not bad:
        findings += check_epoch_file(segments, known, log_start, snapshots)
    findings += check_indexes(files, segments)
    replayed = replay(segments, snapshots, log_start, compacted=cleaned > 0)
    findings += check_transactions(
        files, segments, replayed.aborted, replayed.unknown, log_start
    )
    findings += replayed.findings
    findings += check_snapshots(files, replayed, log_start, end)
    findings += check_names(names)
    findings = [one for one in findings if one.file not in _dead(segments, log_start)]
    findings += _check_points(points, end)
    batches = [batch for segment in segments for batch in segment.batches]
    report = Report(
        name,
        segments=len(segments),
        batches=len(batches),
        records=sum(max(batch.header.record_count, 0) for batch in batches),
        size_bytes=sum(len(segment.data) for segment in segments),
        start_offset=start,
        end_offset=end,
        findings=tuple(sorted(findings, key=_place)),
    )
    return report, segments, replayed.unknown


def _dead(segments: Sequence[SegmentFile], log_start: int) -> set[str]:
    """Return names of files of segments that lie below the log's start.

    They wait to be deleted; nobody reads them, and the recovery point is beyond them.
    """
    dead = set()
    for segment, following in pairwise(segments):
        if following.base_offset <= log_start:
            stem = file_name(segment.base_offset, "")
            kinds = (LOG, OFFSET_INDEX, TIME_INDEX, TRANSACTION_INDEX)
            dead |= {stem + kind for kind in kinds}
    return dead


def _place(finding: Finding) -> tuple[bool, str, int]:
    """Sort damage before notices, then by file and position."""
    return not finding.is_damage, finding.file, finding.position or 0


def _ends(segments: Sequence[SegmentFile]) -> tuple[int | None, int | None]:
    """Return the first offset, and where the log ends: it may end with a gap."""
    if not segments:
        return None, None
    headers = [batch.header for segment in segments for batch in segment.batches]
    start = headers[0].base_offset if headers else segments[0].base_offset
    ends = [segments[-1].base_offset, *(header.next_offset for header in headers)]
    return start, max(ends)


def _check_points(points: Points, end: int | None) -> list[Finding]:
    findings: list[Finding] = []
    if end is None:
        return findings
    for kind, file, offset in (
        ("recovery point", RECOVERY_POINTS, points.recovery_point),
        ("log start", LOG_STARTS, points.log_start_offset),
    ):
        if offset is not None and offset > end:
            text = f"it is {offset}, the log ends at {end}"
            findings.append(Finding(kind, file, None, offset, text))
    return findings
