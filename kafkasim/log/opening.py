"""Open a partition's folder as a broker does when it starts.

What a log needs to know beside its own files stands in the log directory around it, one
file for all partitions of a broker: whether the broker stopped cleanly, where each log
starts and up to where it was synced, replicated and compacted.

Source: `LogManager.loadLogs` and `loadLog` (4.3).
"""

import os
from pathlib import Path
from typing import NamedTuple

from kafkasim.config.topic import TopicConfig
from kafkasim.errors import LogError
from kafkasim.log.checkpoints import (
    CLEAN_SHUTDOWN,
    CLEANER_OFFSETS,
    HIGH_WATERMARKS,
    LOG_STARTS,
    RECOVERY_POINTS,
    read_offsets,
)
from kafkasim.log.contents import ByteBatch
from kafkasim.log.partition_log import PartitionLog
from kafkasim.log.store import FolderStore

PathLike = str | os.PathLike[str]


class Points(NamedTuple):
    """What a log directory says of a partition; None where it says nothing."""

    recovery_point: int | None = None
    """Offset below which the log was synced."""
    log_start_offset: int | None = None
    """First offset that can be read."""
    first_dirty_offset: int | None = None
    """Offset below which the log was compacted."""
    high_watermark: int | None = None
    """Offset below which consumers read."""
    clean_shutdown: bool = False
    """Whether the broker stopped cleanly."""


def open_partition(
    folder: PathLike, config: TopicConfig | None = None, *, now_ms: int = 0
) -> PartitionLog[ByteBatch]:
    """Open a partition's folder, such as ``broker-1/orders-0``.

    The log directory around it is read, and not changed. Without a clean stop the log
    is recovered: what cannot be trusted is cut off, as a broker does. `fsck` tells
    before what that would be.

    Parameters
    ----------
    folder : str or Path
        The partition's; its log directory is the folder that it is in.
    config : TopicConfig, optional
        The topic's settings; what is not said has Kafka's default.
    now_ms : int, optional
        The time.

    Returns
    -------
    PartitionLog
        To be closed, if something is appended to it.

    Raises
    ------
    LogError
        UNKNOWN_TOPIC_OR_PARTITION: there is no such folder. Others as in
        `loading.load`.
    """
    where = checked_folder(folder)
    points = points_beside(where)
    log: PartitionLog[ByteBatch] = PartitionLog(
        FolderStore(where),
        config,
        now_ms=now_ms,
        log_start_offset=points.log_start_offset or 0,
        clean_shutdown=points.clean_shutdown,
        recovery_point=points.recovery_point or 0,
    )
    log.first_dirty_offset = points.first_dirty_offset
    log.advance_high_watermark(min(points.high_watermark or 0, log.log_end_offset))
    return log


def checked_folder(folder: PathLike) -> Path:
    """Return the path of a folder, without links and dots.

    Raises
    ------
    LogError
        UNKNOWN_TOPIC_OR_PARTITION: there is no such folder, or it holds those of
        partitions and no segment itself.
    """
    path = Path(folder)
    if not path.is_dir():
        raise LogError("UNKNOWN_TOPIC_OR_PARTITION", f"no folder {path}")
    if not any(path.glob("*.log")):
        inner = sorted({log.parent.name for log in path.glob("*/*.log")})
        if inner:
            text = f"{path} is a log directory; of a partition is {path / inner[0]}"
            raise LogError("UNKNOWN_TOPIC_OR_PARTITION", text)
    return path.resolve()


def points_beside(folder: Path) -> Points:
    """Look up a partition in the files of the log directory that its folder is in.

    A checkpoint that cannot be read counts for nothing, as when a broker starts.
    """
    topic, _, partition = folder.name.rpartition("-")
    if not topic or not partition.isdigit():
        return Points()
    directory = FolderStore(folder.parent)
    names = directory.names()

    def held(name: str) -> int | None:
        if name not in names:
            return None
        text = bytes(directory.read(name)).decode("utf-8", "replace")
        try:
            return read_offsets(text).get((topic, int(partition)))
        except LogError:
            return None  # another partition's trouble too; not one of this log

    return Points(
        held(RECOVERY_POINTS),
        held(LOG_STARTS),
        held(CLEANER_OFFSETS),
        held(HIGH_WATERMARKS),
        CLEAN_SHUTDOWN in names,
    )
