"""A calendar that is a heap and nothing else: what the engine's own is held against.

It has no SimPy beneath it, runs no SimPy event, and never asserts; it offers just what
a Kafka run asks of `kafkasim.engine.sim.calendar.Calendar`.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from heapq import heappop, heappush
from typing import Any
from unittest import mock

from kafkasim.engine.sim.calendar import Calendar

Entry = tuple[int, int, Callable[[Any], object], Any]


class PlainCalendar:
    """Entries ``(time_ns, key, function, argument)`` on a heap."""

    def __init__(self, *, check: bool = False) -> None:
        assert not check, "it checks nothing"
        self.now_ns = 0
        self.entry_count = 0
        self.stopped = False
        self._heap: list[Entry] = []
        self.push: Callable[[Entry], None] = partial(heappush, self._heap)

    def at(
        self,
        time_ns: int,
        key: int,
        function: Callable[[Any], object],
        argument: Any,  # noqa: ANN401 - whatever the function takes
    ) -> None:
        """Run ``function(argument)`` at `time_ns`, in the order of keys at one time."""
        heappush(self._heap, (time_ns, key, function, argument))

    def pending(self) -> list[Any]:
        """Return the arguments of all entries that have not run."""
        return [argument for _, _, _, argument in self._heap]

    def peek(self) -> float:
        """Return the time of the next entry, infinity when empty."""
        return self._heap[0][0] if self._heap else float("inf")

    def step(self) -> None:
        """Run the next entry."""
        self.now_ns, _, function, argument = heappop(self._heap)
        self.entry_count += 1
        function(argument)

    def stop(self) -> None:
        """End `run_entries` after the entry that is running."""
        self.stopped = True

    def run_entries(self, until_ns: int) -> None:
        """Run until `stop` is called, nothing is left, or past `until_ns`."""
        heap = self._heap
        count = 0
        self.stopped = False
        while heap and not self.stopped:
            if heap[0][0] > until_ns:
                self.now_ns = until_ns
                break
            self.now_ns, _, function, argument = heappop(heap)
            count += 1
            function(argument)
        self.entry_count += count


@contextmanager
def plain_calendars() -> Iterator[None]:
    """Let Kafka runs that begin inside use a `PlainCalendar`.

    Whichever module of the engine makes the calendar finds this one under the name.
    """
    homes = [
        module
        for name, module in sys.modules.items()
        if name.startswith("kafkasim.engine.sim.systems.kafka")
        and getattr(module, "Calendar", None) is Calendar
    ]
    assert homes, "no module of a Kafka run has a calendar"
    with ExitStack() as stack:
        for home in homes:
            stack.enter_context(mock.patch.object(home, "Calendar", PlainCalendar))
        yield
