"""Timers by name: what is due, and when the next one is.

A timer that is set again keeps its place until its old time has come, so that setting
it costs nothing. Many of them are set with each heartbeat and hardly any ever fires.
"""

from collections.abc import Hashable, Iterator
from heapq import heappop, heappush
from typing import Generic, TypeVar

Name = TypeVar("Name", bound=Hashable)


class Deadlines(Generic[Name]):
    """Timers, none of them set at the start."""

    def __init__(self) -> None:
        self._at_ms: dict[Name, int] = {}
        self._queue: list[tuple[int, int, Name]] = []
        """Never later than the timer's time; some are of no timer any more."""
        self._queued: dict[Name, int] = {}
        self._turn = 0

    def __contains__(self, name: Name) -> bool:
        """Tell whether a timer is set."""
        return name in self._at_ms

    def set(self, name: Name, at_ms: int) -> None:
        """Let a timer fire then, and no more when it would have."""
        self._at_ms[name] = at_ms
        queued_ms = self._queued.get(name)
        if queued_ms is None or at_ms < queued_ms:
            self._queue_at(name, at_ms)

    def cancel(self, name: Name) -> None:
        """Let it not fire, if it is set."""
        self._at_ms.pop(name, None)

    @property
    def next_ms(self) -> int | None:
        """When the next one fires; None if none is set."""
        queue = self._queue
        while queue:
            queued_ms, _, name = queue[0]
            at_ms = self._at_ms.get(name)
            if at_ms == queued_ms:
                return queued_ms
            heappop(queue)
            if self._queued.get(name) == queued_ms:
                del self._queued[name]
                if at_ms is not None:
                    self._queue_at(name, at_ms)
        return None

    def due(self, now_ms: int) -> Iterator[Name]:
        """Yield those that fire by now, in their order, each no longer set."""
        while (at_ms := self.next_ms) is not None and at_ms <= now_ms:
            _, _, name = heappop(self._queue)
            del self._queued[name], self._at_ms[name]
            yield name

    def _queue_at(self, name: Name, at_ms: int) -> None:
        self._turn += 1
        self._queued[name] = at_ms
        heappush(self._queue, (at_ms, self._turn, name))
