"""The memory between a broker's logs and its disk, as an operating system manages it.

What is appended goes to memory and is written to the disk behind the writer's back:
when more than `dirty_background_ratio` of the memory waits for it, or when it has
waited for `dirty_expire_s`. A writer that is faster than the disk is made to wait when
more than `dirty_ratio` does (`balance_dirty_pages`), so it is then as fast as the disk.
What was written or read last stays in memory; the rest has to be read from the disk, in
pieces of 128 KiB (`read_ahead_kb`), and comes to memory again.

The disk is one queue. Reads go before write-back that has not begun, but where reads
wait for each other, they and write-back take turns. A read need not find its place when
it goes on where the last one of the disk ended; write-back finds none, as it is sorted.
"""

from collections import deque
from collections.abc import Hashable, Iterator
from typing import Final

from kafkasim.engine.sim.disk import DiskQueue
from kafkasim.scenario.hardware import Disk
from kafkasim.units import ns_from_s

BLOCK_BYTES: Final = 131_072
"""What is read, kept and let go at once: the kernel's window of reading ahead."""
_MOST_AT_ONCE: Final = 1_048_576
"""Bytes of one piece of write-back; a read waits for no more than one."""

File = Hashable
"""What a segment's batches are kept in."""
_Block = tuple[File, int]


class PageCache:
    """A broker's page cache and its disk.

    Parameters
    ----------
    disk : Disk
        What is known of them.
    queue : DiskQueue
        The disk.

    Attributes
    ----------
    held_bytes : int
        In memory.
    dirty_bytes : int
        Of these, what write-back has not taken up.
    """

    __slots__ = (
        "_background_bytes", "_capacity_bytes", "_changed_ns", "_dirty", "_dirty_in",
        "_expire_ns", "_held", "_limit_bytes", "_piece_bytes", "_place", "_reads_last",
        "_under_way", "dirty_bytes", "held_bytes", "queue",
    )  # fmt: skip

    def __init__(self, disk: Disk, queue: DiskQueue) -> None:
        self.queue = queue
        self._capacity_bytes = round(disk.page_cache_mb * 1e6)
        self._background_bytes = self._capacity_bytes * disk.dirty_background_ratio
        self._limit_bytes = self._capacity_bytes * disk.dirty_ratio
        self._piece_bytes = max(BLOCK_BYTES, min(_MOST_AT_ONCE, self._limit_bytes / 4))
        self._expire_ns = ns_from_s(disk.dirty_expire_s)
        self._held: dict[_Block, int] = {}
        """Bytes of each block in memory; the one used last is last."""
        self._dirty: dict[_Block, tuple[int, int]] = {}
        """Since when each block has bytes that the disk lacks, and how many."""
        self._under_way: deque[tuple[int, int]] = deque()
        """When pieces of write-back are done, and their bytes."""
        self._dirty_in: dict[File, dict[int, None]] = {}
        """The numbers of these blocks, by file."""
        self._place: _Block | None = None
        """Where the disk would go on reading."""
        self._reads_last = False
        self._changed_ns = 0
        self.held_bytes = self.dirty_bytes = 0

    @property
    def held_share(self) -> float:
        """The share of the memory that is in use."""
        return self.held_bytes / self._capacity_bytes

    # --- writing ------------------------------------------------------------------

    def make_room(self, now_ns: int, size_bytes: int) -> int:
        """Return when a writer of so many bytes may go on.

        That is at once while few enough wait for the disk. Otherwise it writes back as
        much as makes room, and the writer waits for that.
        """
        self.write_back(now_ns)
        waiting = self.dirty_bytes + sum(size for _, size in self._under_way)
        over = waiting + size_bytes - self._limit_bytes
        if over <= 0:
            return now_ns
        done_ns = now_ns
        for done_ns, size in self._under_way:
            over -= size
            if over <= 0:
                return done_ns
        while over > 0 and self._dirty:
            done_ns, size = self._write_piece(now_ns, forced=True)
            over -= size
        return done_ns

    def wrote(
        self,
        now_ns: int,
        file: File,
        position: int,
        size_bytes: int,
        *,
        is_clean: bool = False,
    ) -> None:
        """Take note of bytes that were appended to a file at a position.

        `is_clean` says that the disk has them already, by a `flush`.
        """
        self.write_back(now_ns)
        for number, size in blocks_of(position, position + size_bytes):
            block = (file, number)
            held = self._held.pop(block, 0)
            self._held[block] = held + size
            self.held_bytes += size
            if not is_clean:
                since_ns, waits = self._dirty.get(block, (now_ns, 0))
                self._dirty[block] = since_ns, waits + size
                self._dirty_in.setdefault(file, {})[number] = None
                self.dirty_bytes += size
        self._changed_ns = now_ns
        self._evict(now_ns)

    def flush(self, now_ns: int, file: File, more_bytes: int = 0) -> int:
        """Write a file's bytes to the disk (fsync); return when they are there.

        Bytes of it under way already are waited for, as the disk takes one thing after
        the other. `more_bytes` are those about to be appended.
        """
        self.write_back(now_ns)
        size = more_bytes
        for number in list(self._dirty_in.get(file, ())):
            size += self._clean((file, number))
        return self._ask(now_ns, size, finds=True)

    def _clean(self, block: _Block) -> int:
        """Let a block wait for the disk no more; return how many bytes did."""
        _, waits = self._dirty.pop(block, (0, 0))
        self.dirty_bytes -= waits
        if waits:
            numbers = self._dirty_in[block[0]]
            del numbers[block[1]]
            if not numbers:
                del self._dirty_in[block[0]]
        return waits

    def flush_behind(self, now_ns: int, file: File) -> None:
        """Let write-back take a file next; nobody waits (`UnifiedLog.roll`)."""
        self.write_back(now_ns)
        numbers = self._dirty_in.get(file, ())
        since_ns = now_ns - self._expire_ns
        mine = {(file, n): (since_ns, self._dirty[file, n][1]) for n in numbers}
        self._dirty = mine | {
            block: known for block, known in self._dirty.items() if block not in mine
        }

    def write_back(self, now_ns: int) -> None:
        """Do what write-back has begun before now."""
        under_way = self._under_way
        while under_way and under_way[0][0] <= now_ns:
            under_way.popleft()
        while self._dirty:
            start_ns = max(self._due_ns(), self.queue.free_ns)
            if start_ns >= now_ns:
                return
            done_ns, _ = self._write_piece(start_ns)
            if done_ns <= now_ns:
                under_way.pop()

    def _due_ns(self) -> int:
        """Return when write-back takes up what comes next."""
        if self.dirty_bytes > self._background_bytes:
            return self._changed_ns
        since_ns, _ = next(iter(self._dirty.values()))
        return since_ns + self._expire_ns

    def _write_piece(self, now_ns: int, *, forced: bool = False) -> tuple[int, int]:
        """Write what has waited longest; return when it is done, and its bytes.

        What is not due yet goes along only if it is `forced` to.
        """
        size = 0
        while self._dirty and size < self._piece_bytes:
            if size and not forced and self._due_ns() > now_ns:
                break
            size += self._clean(next(iter(self._dirty)))
        done_ns = self._ask(now_ns, size)
        self._under_way.append((done_ns, size))
        return done_ns, size

    def _ask(self, now_ns: int, size: int, *, finds: bool = False) -> int:
        self._place = None
        self._reads_last = False
        return self.queue.take(now_ns, size, finds=finds)

    # --- reading ------------------------------------------------------------------

    def holds(self, file: File, number: int) -> bool:
        """Say whether a block is in memory; then it has been used."""
        size = self._held.pop((file, number), -1)
        if size < 0:
            return False
        self._held[file, number] = size
        return True

    def read(self, now_ns: int, file: File, number: int, size_bytes: int) -> int:
        """Read a block of a file from the disk; return when it is in memory."""
        self.write_back(now_ns)
        queue, block = self.queue, (file, number)
        waits = self._reads_last and queue.free_ns > now_ns
        if waits and self._dirty and self._due_ns() <= queue.free_ns:
            self._write_piece(now_ns)
        finds = self._place != block
        done_ns = queue.take(now_ns, size_bytes, finds=finds)
        self._place = (file, number + 1)
        self._reads_last = True
        self._held[block] = size_bytes
        self.held_bytes += size_bytes
        self._evict(now_ns)
        return done_ns

    # --- letting go ---------------------------------------------------------------

    def _evict(self, now_ns: int) -> None:
        """Let go of what was used longest ago; write it first if the disk lacks it."""
        while self.held_bytes > self._capacity_bytes and len(self._held) > 1:
            block = next(iter(self._held))
            self.held_bytes -= self._held.pop(block)
            if block in self._dirty:
                waits = self._clean(block)
                self._under_way.append((self._ask(now_ns, waits), waits))

    def forget(self, file: File, end_position: int) -> None:
        """Let go of a file that was deleted; nobody will ask for it."""
        for number in range(end_position // BLOCK_BYTES + 1):
            self.held_bytes -= self._held.pop((file, number), 0)
            self._clean((file, number))


def blocks_of(position: int, end_position: int) -> Iterator[tuple[int, int]]:
    """Yield the blocks in which bytes of a file lie, and how many are in each.

    Examples
    --------
    >>> list(blocks_of(131_000, 131_100))
    [(0, 72), (1, 28)]
    """
    while position < end_position:
        number = position // BLOCK_BYTES
        end = min(end_position, (number + 1) * BLOCK_BYTES)
        yield number, end - position
        position = end
