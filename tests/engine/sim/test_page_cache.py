"""The page cache by hand: what stays, what is written back, who waits for the disk."""

import pytest

from kafkasim.engine.sim.disk import DiskQueue
from kafkasim.engine.sim.page_cache import BLOCK_BYTES, PageCache, blocks_of
from kafkasim.scenario.hardware import Disk

MS = 1_000_000
BLOCK_NS = BLOCK_BYTES * 10
"""What a block takes of a disk of 100 MB/s."""
ACCESS_NS = 2 * MS


def cache(
    blocks: float = 100, *, ratio: float = 1.0, background: float = 1.0
) -> PageCache:
    """One with room for so many blocks, which waits long before it writes back."""
    return PageCache(
        Disk(
            bandwidth_mb_per_s=100.0,
            access_ms=2.0,
            page_cache_mb=blocks * BLOCK_BYTES / 1e6,
            dirty_ratio=ratio,
            dirty_background_ratio=background,
        ),
        DiskQueue(100.0, 2.0, seed=1, host="broker:1"),
    )


def write(memory: PageCache, now_ns: int, file: str, number: int) -> None:
    """Append one whole block."""
    memory.wrote(now_ns, file, number * BLOCK_BYTES, BLOCK_BYTES)


# --- what stays in memory -----------------------------------------------------------


def test_what_was_appended_is_in_memory() -> None:
    memory = cache()
    memory.wrote(0, "log", 100, 200)
    assert memory.holds("log", 0)
    assert not memory.holds("log", 1)
    assert not memory.holds("other", 0)
    assert memory.held_bytes == memory.dirty_bytes == 200


def test_what_was_used_longest_ago_goes_first() -> None:
    memory = cache(blocks=3)
    for number in range(3):
        write(memory, 0, "log", number)
    assert memory.holds("log", 0)  # used: now block 1 is the oldest
    write(memory, 0, "log", 3)
    held = [number for number in range(4) if memory.holds("log", number)]
    assert held == [0, 2, 3]
    assert memory.held_bytes == 3 * BLOCK_BYTES


def test_what_was_read_from_the_disk_is_in_memory_then() -> None:
    memory = cache(blocks=2)
    for number in range(4):
        write(memory, 0, "log", number)
    memory.write_back(10**12)
    assert not memory.holds("log", 0)
    memory.read(10**12, "log", 0, BLOCK_BYTES)
    assert memory.holds("log", 0)
    assert not memory.holds("log", 2)


def test_what_is_dirty_is_written_before_it_leaves_memory() -> None:
    memory = cache(blocks=2)
    write(memory, 0, "log", 0)
    write(memory, 0, "log", 1)
    write(memory, 0, "log", 2)
    assert memory.dirty_bytes == 2 * BLOCK_BYTES
    assert memory.queue.free_ns == BLOCK_NS


def test_a_deleted_file_leaves_memory_and_is_never_written() -> None:
    memory = cache()
    write(memory, 0, "log", 0)
    write(memory, 0, "other", 0)
    memory.forget("log", BLOCK_BYTES)
    assert not memory.holds("log", 0)
    assert memory.held_bytes == memory.dirty_bytes == BLOCK_BYTES


# --- reading ------------------------------------------------------------------------


def test_a_block_that_is_not_there_is_found_and_read() -> None:
    memory = cache()
    assert memory.read(0, "log", 5, BLOCK_BYTES) == ACCESS_NS + BLOCK_NS


def test_who_reads_on_needs_no_place_found_until_another_came_between() -> None:
    memory = cache()
    memory.read(0, "log", 5, BLOCK_BYTES)
    assert memory.read(0, "log", 6, BLOCK_BYTES) == ACCESS_NS + 2 * BLOCK_NS
    memory.read(0, "other", 0, BLOCK_BYTES)
    assert memory.read(0, "log", 7, BLOCK_BYTES) == 3 * ACCESS_NS + 4 * BLOCK_NS


def test_a_read_waits_for_the_piece_that_is_being_written_and_no_more() -> None:
    memory = cache(blocks=100, background=0.0)
    for number in range(80):
        write(memory, 0, "log", number)
    # Write-back has taken up 8 blocks (1 MiB) at 0, and the next when these are done.
    done_ns = memory.read(1, "log", 90, BLOCK_BYTES)
    assert done_ns == 8 * BLOCK_NS + ACCESS_NS + BLOCK_NS


def test_reads_that_wait_and_write_back_take_turns() -> None:
    memory = cache(blocks=100, background=0.0)
    for number in range(80):
        write(memory, 0, "log", number)
    memory.read(1, "log", 90, BLOCK_BYTES)
    done_ns = memory.read(2, "log", 95, BLOCK_BYTES)
    assert done_ns == 2 * (8 * BLOCK_NS + ACCESS_NS + BLOCK_NS)


# --- writing back -------------------------------------------------------------------


def test_nothing_is_written_before_it_has_waited_long_enough() -> None:
    memory = cache()
    write(memory, 0, "log", 0)
    memory.write_back(30_000 * MS)
    assert memory.dirty_bytes == BLOCK_BYTES
    memory.write_back(30_000 * MS + 1)
    assert memory.dirty_bytes == 0
    assert memory.queue.free_ns == 30_000 * MS + BLOCK_NS


def test_more_than_the_background_ratio_is_written_at_once() -> None:
    memory = cache(blocks=16, background=0.5)
    for number in range(8):
        write(memory, 0, "log", number)
    memory.write_back(10 * MS)
    assert memory.dirty_bytes == 8 * BLOCK_BYTES
    write(memory, 10 * MS, "log", 8)
    memory.write_back(10 * MS + 1)
    assert memory.dirty_bytes == 8 * BLOCK_BYTES
    assert memory.queue.free_ns == 10 * MS + BLOCK_NS


def test_a_writer_waits_for_what_is_over_the_dirty_ratio() -> None:
    memory = cache(blocks=16, ratio=0.5, background=0.5)
    for number in range(8):
        assert memory.make_room(0, BLOCK_BYTES) == 0
        write(memory, 0, "log", number)
    # Two blocks are a piece here; when it is written there is room for one.
    assert memory.make_room(5 * MS, BLOCK_BYTES) == 5 * MS + 2 * BLOCK_NS


def test_what_is_being_written_takes_room_until_it_is_there() -> None:
    memory = cache(blocks=16, ratio=0.5, background=0.5)
    for number in range(8):
        write(memory, 0, "log", number)
    until_ns = memory.make_room(0, BLOCK_BYTES)
    assert memory.make_room(1, BLOCK_BYTES) == until_ns
    assert memory.make_room(until_ns, BLOCK_BYTES) == until_ns


def test_a_writer_that_always_waits_is_as_fast_as_the_disk() -> None:
    memory = cache(blocks=16, ratio=0.5, background=0.25)
    now_ns = 0
    for number in range(400):
        now_ns = memory.make_room(now_ns, BLOCK_BYTES)
        write(memory, now_ns, "log", number)
    # All but what may wait is on the disk, or on its way there.
    assert 392 * BLOCK_NS <= now_ns <= 400 * BLOCK_NS


# --- fsync --------------------------------------------------------------------------


def test_a_flush_writes_what_a_file_lacks_and_waits_for_it() -> None:
    memory = cache()
    write(memory, 0, "log", 0)
    write(memory, 0, "other", 0)
    done_ns = memory.flush(0, "log", 1_000)
    assert done_ns == ACCESS_NS + BLOCK_NS + 10_000
    assert memory.dirty_bytes == BLOCK_BYTES


def test_what_was_flushed_is_not_written_again() -> None:
    memory = cache()
    done_ns = memory.flush(0, "log", 1_000)
    memory.wrote(done_ns, "log", 0, 1_000, is_clean=True)
    assert memory.dirty_bytes == 0
    assert memory.holds("log", 0)


def test_a_rolled_file_is_written_next_though_nobody_waits() -> None:
    memory = cache()
    write(memory, 0, "other", 0)
    write(memory, 0, "log", 0)
    memory.flush_behind(5 * MS, "log")
    memory.write_back(5 * MS + 1)
    assert memory.dirty_bytes == BLOCK_BYTES
    assert memory.flush(5 * MS + 1, "log") == 5 * MS + BLOCK_NS + ACCESS_NS


@pytest.mark.parametrize(
    ("position", "end", "found"),
    [
        (0, 10, [(0, 10)]),
        (BLOCK_BYTES - 5, BLOCK_BYTES, [(0, 5)]),
        (BLOCK_BYTES, 2 * BLOCK_BYTES + 1, [(1, BLOCK_BYTES), (2, 1)]),
        (7, 7, []),
    ],
)
def test_bytes_lie_in_blocks(
    position: int, end: int, found: list[tuple[int, int]]
) -> None:
    assert list(blocks_of(position, end)) == found
