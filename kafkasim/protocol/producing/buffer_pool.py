"""The application's thread that hands records to a producer, and the memory they take.

A batch takes its capacity from `buffer.memory` when it is opened, and gives it back
when it completes, not when it is sent (`BufferPool`, PR-24). When there is not enough,
`send()` waits for up to `max.block.ms`, and the records behind it wait with it: they
are handed over, and get their timestamps, when the thread comes to them. What waited in
vain fails (BufferExhaustedException, a TimeoutException, PR-6).

Kafka's pool keeps buffers of `batch.size` in a list and serves waiting threads in the
order in which they came. A source has one thread, so at most one waits, and all that
counts is how many bytes are free: what a waiting thread has put aside counts as free
for itself, and so do the listed buffers.
"""

from collections.abc import Iterable
from typing import Final, Protocol

from kafkasim.protocol.producing.batch import NEVER

NEVER_BUSY: Final = -1


class HandOver(Protocol):
    """Who is told how the application fares."""

    def delayed(self, ordinal: int, created_ns: int) -> None:
        """Take note that a record is handed over later than intended, or never."""

    def blocked(self, since_ns: int, until_ns: int) -> None:
        """Take note that the thread has waited for memory."""

    def timed_out(self, ordinal: int, intended_ns: int) -> None:
        """Take note that a record has failed: there was no memory for it in time."""


class BufferPool:
    """Memory of a producer, and the thread that may wait for it.

    Parameters
    ----------
    memory : int
        `buffer.memory` in bytes.
    max_block_ns : int
        `max.block.ms` in nanoseconds.
    hand_over : HandOver or None
        Told of waits that are over, and of what they delayed.

    Attributes
    ----------
    free_bytes : int
        What no batch holds.
    busy_until_ns : int
        When the thread's last wait was over.
    waiting_bytes : int
        What it waits for; 0 while it does not.
    since_ns : int
        Since when.
    """

    __slots__ = (
        "_hand_over",
        "_max_block_ns",
        "_settled",
        "_settled_bytes",
        "busy_until_ns",
        "free_bytes",
        "since_ns",
        "waiting_bytes",
    )

    def __init__(
        self, memory: int, max_block_ns: int, hand_over: HandOver | None
    ) -> None:
        self._max_block_ns = max_block_ns
        self._hand_over = hand_over
        self.free_bytes = memory
        self.busy_until_ns = NEVER_BUSY
        self.waiting_bytes = 0
        self.since_ns = NEVER_BUSY
        self.settle()

    @property
    def deadline_ns(self) -> int:
        """When a wait is given up; no thread does so while its process stands still."""
        return max(self.since_ns + self._max_block_ns, self.busy_until_ns)

    def is_overdue(self, now_ns: int) -> bool:
        """Return whether it waits and should not any more."""
        return self.waiting_bytes > 0 and self.deadline_ns <= now_ns

    def take(self, size_bytes: int, now_ns: int) -> bool:
        """Take memory if there is enough; otherwise begin to wait for it."""
        if size_bytes <= self.free_bytes:
            self.free_bytes -= size_bytes
            return True
        self.waiting_bytes = size_bytes
        self.since_ns = now_ns
        return False

    def release(self, size_bytes: int) -> None:
        """Have back the memory of batches that are complete."""
        self.free_bytes += size_bytes
        self._settled_bytes += size_bytes

    def go_on(self, now_ns: int) -> None:
        """End the wait with the memory it was for."""
        self.free_bytes -= self.waiting_bytes
        self._end(now_ns)

    def give_up(self, ordinal: int, intended_ns: int) -> None:
        """End the wait for a record's memory at its deadline, without it."""
        self._end(self.deadline_ns)
        if self._hand_over is not None:
            self._hand_over.timed_out(ordinal, intended_ns)

    def give_way(self, now_ns: int) -> None:
        """End the wait because its process has crashed."""
        self._end(now_ns)

    def end(self, now_ns: int, behind: Iterable[int]) -> None:
        """End the run while it waits; records behind were never handed over."""
        if self._hand_over is not None:
            if self.waiting_bytes:
                self._hand_over.blocked(self.since_ns, now_ns)
            for ordinal in behind:
                self._hand_over.delayed(ordinal, NEVER)

    def _end(self, now_ns: int) -> None:
        self.waiting_bytes = 0
        self.busy_until_ns = now_ns
        if self._hand_over is not None and now_ns > self.since_ns:
            self._hand_over.blocked(self.since_ns, now_ns)

    def delay(self, ordinal: int) -> None:
        """Take note that a record is handed over only when the last wait is over."""
        if self._hand_over is not None:
            self._hand_over.delayed(ordinal, self.busy_until_ns)

    def settle(self) -> None:
        """Make the present state the one to go back to."""
        self._settled_bytes = self.free_bytes
        self._settled = (
            self.busy_until_ns,
            self.waiting_bytes,
            self.since_ns,
        )

    def go_back(self) -> None:
        """Undo what was taken since the last `settle`, and a wait that began."""
        self.free_bytes = self._settled_bytes
        (
            self.busy_until_ns,
            self.waiting_bytes,
            self.since_ns,
        ) = self._settled
