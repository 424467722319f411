"""Timers with keys: at most one runs for each key.

A coordinator has thousands of them, one for the session of each member, and most are
put off again and again and never fire. Source: `CoordinatorTimer` (4.3), whose
operations are values here: the machine that set a timer knows what to do.
"""

from collections.abc import Hashable
from heapq import heapify, heappop, heappush, heapreplace
from typing import Generic, TypeVar

Task = TypeVar("Task")
"""What a timer is for."""


class Timers(Generic[Task]):
    """Deadlines by key, the earliest first; of equal ones that which was set first.

    To put a timer off costs a store in a table: its entry in the heap stays where it
    was, and goes to its new place when it comes up.

    Examples
    --------
    >>> timers = Timers[str]()
    >>> timers.schedule("session m1", 45_000, "remove m1")
    >>> timers.schedule("session m1", 48_000, "remove m1")
    >>> timers.next_deadline_ms, timers.pop_due(47_999), timers.pop_due(48_000)
    (48000, None, 'remove m1')
    """

    __slots__ = ("_heap", "_running", "_set")

    def __init__(self) -> None:
        self._running: dict[Hashable, tuple[int, int, Task]] = {}
        """Deadline, how many were set before, and what it is for."""
        self._heap: list[tuple[int, int, Hashable]] = []
        """An entry for each running timer, at its deadline or before it."""
        self._set = 0

    def __len__(self) -> int:
        return len(self._running)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._running

    def schedule(self, key: Hashable, deadline_ms: int, task: Task) -> None:
        """Start a timer, in place of the one of that key."""
        self._set += 1
        before = self._running.get(key)
        self._running[key] = (deadline_ms, self._set, task)
        if before is None or deadline_ms < before[0]:
            heappush(self._heap, (deadline_ms, self._set, key))
            if len(self._heap) > 2 * len(self._running) + 64:
                self._rebuild()

    def cancel(self, key: Hashable) -> None:
        """Stop the timer of a key, if one runs."""
        self._running.pop(key, None)

    def clear(self) -> None:
        """Stop all."""
        self._running.clear()
        self._heap.clear()

    @property
    def next_deadline_ms(self) -> int | None:
        """When the next one is due; None while none runs."""
        self._settle()
        return self._heap[0][0] if self._heap else None

    def deadline_ms(self, key: Hashable) -> int | None:
        """Return when the timer of a key is due; None if none runs."""
        running = self._running.get(key)
        return None if running is None else running[0]

    def pop_due(self, now_ms: int) -> Task | None:
        """Take what the earliest timer is for, if it is due; None if none is.

        One at a time: what is done then may stop the next one.
        """
        self._settle()
        if not self._heap or now_ms < self._heap[0][0]:
            return None
        return self._running.pop(heappop(self._heap)[2])[2]

    def _settle(self) -> None:
        """Bring an entry to the top of the heap that is where it belongs."""
        heap = self._heap
        while heap:
            deadline_ms, number, key = heap[0]
            running = self._running.get(key)
            if running is None:
                heappop(heap)
            elif running[1] == number:
                return
            elif running[:2] > (deadline_ms, number):
                heapreplace(heap, (running[0], running[1], key))
            else:
                heappop(heap)

    def _rebuild(self) -> None:
        """Drop entries of timers that were stopped or brought forward."""
        self._heap = [
            (due, number, key) for key, (due, number, _) in self._running.items()
        ]
        heapify(self._heap)
