"""A partition's folder is opened with what the log directory around it says."""

from pathlib import Path

import pytest

from kafkasim.config.topic import TopicConfig
from kafkasim.errors import LogError
from kafkasim.log.checkpoints import (
    CLEAN_SHUTDOWN,
    CLEANER_OFFSETS,
    HIGH_WATERMARKS,
    LOG_STARTS,
    RECOVERY_POINTS,
    clean_shutdown_text,
    offsets_text,
)
from kafkasim.log.contents import ByteBatch
from kafkasim.log.fsck import fsck
from kafkasim.log.opening import Points, open_partition, points_beside
from kafkasim.log.partition_log import PartitionLog
from kafkasim.log.record import Record
from kafkasim.log.store import FolderStore, MemoryStore

CONFIG = TopicConfig(internal_segment_bytes=200)
"""Two batches a segment."""


def written(directory: Path, **files: str) -> Path:
    """A folder with offsets 0 to 5 in three segments, and files around it."""
    folder = directory / "my-orders-3"
    log: PartitionLog[ByteBatch] = PartitionLog(FolderStore(folder), CONFIG)
    for number in range(6):
        log.append([Record(number, b"key", bytes(15))])
    log.close()
    assert [segment.base_offset for segment in log.segments] == [0, 2, 4]
    for name, text in files.items():
        (directory / name).write_text(text)
    return folder


def says(offset: int) -> str:
    return offsets_text({("orders", 3): 1, ("my-orders", 3): offset})


def flipped(folder: Path, base_offset: int) -> None:
    """Turn a bit of a segment's first batch, where its CRC tells."""
    file = folder / f"{base_offset:020}.log"
    data = bytearray(file.read_bytes())
    data[80] ^= 1
    file.write_bytes(data)


def test_the_points_of_a_log_are_those_of_its_topic_and_partition(
    tmp_path: Path,
) -> None:
    files = {
        RECOVERY_POINTS: says(4),
        LOG_STARTS: says(1),
        CLEANER_OFFSETS: says(2),
        HIGH_WATERMARKS: says(5),
        CLEAN_SHUTDOWN: clean_shutdown_text(),
    }
    folder = written(tmp_path, **files)

    assert points_beside(folder) == Points(4, 1, 2, 5, clean_shutdown=True)
    log = open_partition(folder, CONFIG)
    assert (log.log_start_offset, log.high_watermark, log.log_end_offset) == (1, 5, 6)
    assert (log.recovery_point, log.first_dirty_offset) == (6, 2)
    assert log.config.internal_segment_bytes == 200
    # What stands around it is only read.
    assert {name: (tmp_path / name).read_text() for name in files} == files


@pytest.mark.parametrize(
    ("files", "end"),
    [
        ({CLEAN_SHUTDOWN: clean_shutdown_text()}, 6),
        ({RECOVERY_POINTS: says(4)}, 6),
        ({RECOVERY_POINTS: says(2)}, 2),
        ({RECOVERY_POINTS: "no checkpoint"}, 2),
        ({}, 2),
    ],
)
def test_what_was_not_synced_is_checked_unless_the_broker_stopped_cleanly(
    tmp_path: Path, files: dict[str, str], end: int
) -> None:
    folder = written(tmp_path, **files)
    flipped(folder, 2)

    assert open_partition(folder, CONFIG).log_end_offset == end


def test_a_high_watermark_above_the_end_is_the_end(tmp_path: Path) -> None:
    folder = written(tmp_path, **{HIGH_WATERMARKS: says(9)})

    assert open_partition(folder, CONFIG).high_watermark == 6


def test_a_folder_of_another_name_has_nothing_around_it(tmp_path: Path) -> None:
    folder = written(tmp_path, **{LOG_STARTS: says(1)}).rename(tmp_path / "copy")

    assert points_beside(folder) == Points()
    assert open_partition(folder, CONFIG).log_start_offset == 0


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="no folder"):
        open_partition(tmp_path / "orders-0")
    assert not (tmp_path / "orders-0").exists()


@pytest.mark.parametrize(
    ("first_dirty_offset", "kind"), [(None, "hole"), (3, "hole"), (4, "gap")]
)
def test_fsck_takes_what_is_missing_below_the_cleaners_offset_for_compacted(
    tmp_path: Path, first_dirty_offset: int | None, kind: str
) -> None:
    """A segment that is gone as a whole leaves no other trace."""
    files = {}
    if first_dirty_offset is not None:
        files[CLEANER_OFFSETS] = says(first_dirty_offset)
    folder = written(tmp_path, **files)
    for file in folder.glob("*2.*"):
        file.unlink()

    report = fsck(folder)

    assert [finding.kind for finding in report.findings] == [kind]
    given = fsck(FolderStore(folder), first_dirty_offset=first_dirty_offset)
    assert given.findings == report.findings


def test_a_first_batch_that_is_missing_may_have_been_compacted_too() -> None:
    store = MemoryStore()
    log: PartitionLog[ByteBatch] = PartitionLog(store)
    for number in range(3):
        log.append([Record(number, b"key", b"value")] * 3)
    log.close()
    data = bytes(store.read(f"{0:020}.log"))
    rest = MemoryStore({f"{0:020}.log": data[len(data) // 3 :]})

    kinds = [
        fsck(rest, first_dirty_offset=offset).kinds() & {"hole", "gap"}
        for offset in (2, 3)
    ]

    assert kinds == [{"hole"}, {"gap"}]


def test_a_log_directory_is_no_partition(tmp_path: Path) -> None:
    folder = written(tmp_path)
    for refused in (fsck, open_partition):
        with pytest.raises(LogError, match=rf"is a log directory.*{folder.name}"):
            refused(folder.parent)
