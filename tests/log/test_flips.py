"""Any bit of any file flipped, any byte cut off: a log opens, or says why not.

Nothing hangs, nothing but `LogError` is raised, and no memory is taken because a length
says so. What is read then may be wrong where Kafka's reads are; `test_loading.py` has
that.
"""

import sys
from collections.abc import Iterator

import pytest

from kafkasim.errors import LogError
from kafkasim.log.contents import ByteBatch
from kafkasim.log.decode import decode_batch
from kafkasim.log.fsck import fsck
from kafkasim.log.partition_log import PartitionLog
from kafkasim.log.scan import decode_columns
from kafkasim.log.segment import Segment
from tests.log.loading_cases import Files
from tests.log.test_loading import CONFIG, NOW_MS, WRITTEN, store_of

MOST_BYTES = 64 << 20
"""Of memory for opening and reading 2.5 KB, again and again."""


def flips(files: Files) -> Iterator[Files]:
    """Yield the files with each bit flipped, one at a time."""
    for name, data in files.items():
        for bit in range(8 * len(data.rstrip(b"\0"))):
            flipped = bytearray(data)
            flipped[bit // 8] ^= 1 << bit % 8
            yield {**files, name: bytes(flipped)}


def cuts(files: Files) -> Iterator[Files]:
    """Yield the files with each of them cut at each byte."""
    for name, data in files.items():
        for size in range(len(data.rstrip(b"\0"))):
            yield {**files, name: data[:size]}


def use(log: PartitionLog[ByteBatch]) -> None:
    """Read what there is, look up offsets and times, append, and close."""
    offset = log.log_start_offset
    for _ in range(60):
        try:
            read = log.read(offset)
            read.records()
        except LogError:
            break
        if read.next_offset <= offset:
            break
        offset = read.next_offset
    for segment in log.segments:
        look_up(segment)
    log.close()


def look_up(segment: Segment[ByteBatch]) -> None:
    data = segment.contents.read(0, segment.size_bytes)
    for offset in range(segment.base_offset, segment.base_offset + 20, 3):
        try:
            segment.read(offset, 100)
            segment.offset_for_time(NOW_MS - 3_590_000, offset)
            decode_batch(data, segment.position_of(offset) or 0)
            decode_columns(data)
        except LogError:
            pass


def open_and_use(files: Files, *, clean: bool) -> None:
    try:
        log: PartitionLog[ByteBatch] = PartitionLog(
            store_of(files), CONFIG, now_ms=NOW_MS, clean_shutdown=clean
        )
        use(log)
    except LogError:
        pass


def check(changed: Iterator[Files], *, every: int, clean: bool) -> None:
    for number, files in enumerate(changed):
        if number % every == 0:
            open_and_use(files, clean=clean)
            str(fsck(store_of(files)))


@pytest.fixture(autouse=True)
def little_memory() -> Iterator[None]:
    before = most_memory_bytes()
    yield
    assert most_memory_bytes() < before + MOST_BYTES


def most_memory_bytes() -> int:
    """Return the most memory that this process ever had; 0 where that is not known."""
    try:
        import resource
    except ImportError:
        return 0
    unit = 1 if sys.platform == "darwin" else 1_024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def test_a_flipped_bit_is_survived_after_a_crash() -> None:
    check(flips(WRITTEN["crashed"]), every=601, clean=False)


def test_a_flipped_bit_is_survived_after_a_clean_stop() -> None:
    check(flips(WRITTEN["clean"]), every=607, clean=True)


def test_a_cut_is_survived() -> None:
    check(cuts(WRITTEN["crashed"]), every=127, clean=False)
    check(cuts(WRITTEN["clean"]), every=131, clean=True)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["clean", "crashed"])
def test_every_flipped_bit_and_every_cut_is_survived(kind: str) -> None:
    for changed in (flips, cuts):
        check(changed(WRITTEN[kind]), every=1, clean=kind == "clean")
