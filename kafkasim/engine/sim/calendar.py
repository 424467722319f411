"""The calendar: SimPy's environment with its own list of what happens when.

SimPy 4 asks of an environment only `schedule`, `peek`, `step`, `run` and `now`; this
subclass owns all of them and keeps, beside SimPy's events, plain entries
``(time_ns, key, function, argument)`` on the same heap. Ordinary SimPy processes,
resources and conditions run in it unchanged; the hot path of a Kafka run is entries.

Ties are decided by rule, never by insertion. A key is one int, rank ‖ actor ‖ sequence:
ranks rise along every chain of zero delay (commands < timers < arrivals <
service < answers < wake-ups), actors are numbered by sorted name, and each actor counts
its own entries, so that a new source or a faster code path changes no other's fate.
SimPy's own events come last at their time and keep their order of scheduling.
"""

from collections.abc import Callable
from enum import IntEnum
from functools import partial
from heapq import heapify, heappop, heappush
from typing import Any, Final, NoReturn

import simpy
from simpy.core import EmptySchedule, StopSimulation

from kafkasim.errors import RunError
from kafkasim.units import ns_from_ms

ACTOR_BITS: Final = 20
SEQUENCE_BITS: Final = 38
_SIMPY_KEY: Final = 15 << (ACTOR_BITS + SEQUENCE_BITS)
_PRIORITY_SHIFT: Final = SEQUENCE_BITS
_LAST_KEY: Final = 16 << (ACTOR_BITS + SEQUENCE_BITS)


class Rank(IntEnum):
    """Who goes first at equal times; lower runs earlier."""

    COMMAND = 1
    """An event of the scenario."""
    TIMER = 2
    """A deadline: linger over, batch full, long poll over."""
    ARRIVAL = 3
    """A request reaches its receiver."""
    SERVICE = 4
    """A server is done with a request."""
    ANSWER = 5
    """An answer reaches the client."""
    WAKE = 6
    """A client goes on with what it has."""


def key_base(rank: Rank, actor: int) -> int:
    """Return the key of the actor's entry number 0 of that rank.

    The actor adds its own running count: ``base + sequence``.

    Raises
    ------
    ValueError
        When `actor` does not fit its 20 bits.
    """
    if not 0 <= actor < 1 << ACTOR_BITS:
        raise ValueError(f"actor {actor} does not fit {ACTOR_BITS} bits")
    return ((rank << ACTOR_BITS) | actor) << SEQUENCE_BITS


_Entry = tuple[int, int, Callable[[Any], object], Any]
"""Time, key, function and argument."""


class Calendar(simpy.Environment):
    """A SimPy environment that counts whole nanoseconds.

    Attributes
    ----------
    now_ns : int
        The current time in nanoseconds since the run's start.
    entry_count : int
        Entries and events run so far.
    push : callable
        Puts an entry on the calendar: `at` with its arguments in one tuple, for what
        does so at every event.
    stopped : bool
        `stop` was called.
    """

    __slots__ = (
        "_ended",
        "_heap",
        "_simpy_sequence",
        "entry_count",
        "now_ns",
        "push",
        "stopped",
    )

    def __init__(self) -> None:
        self.now_ns = 0
        self.entry_count = 0
        self._heap: list[_Entry] = []
        self.push: Callable[[_Entry], None] = partial(heappush, self._heap)
        self._simpy_sequence = 0
        self.stopped = False
        self._ended = False
        super().__init__()

    @property
    def now(self) -> int:
        """The current time in nanoseconds, for SimPy code."""
        return self.now_ns

    def ms(self, milliseconds: float) -> int:
        """Return a delay in whole nanoseconds, for `timeout` in a user's process."""
        return ns_from_ms(milliseconds)

    def at(
        self,
        time_ns: int,
        key: int,
        function: Callable[[Any], object],
        argument: Any,  # noqa: ANN401 - whatever the function takes
    ) -> None:
        """Run ``function(argument)`` at `time_ns`, in the order of keys at one time.

        Parameters
        ----------
        time_ns : int
            Absolute time in nanoseconds; never before `now_ns`.
        key : int
            Rank, actor and sequence, see `key_base`; unique.
        function, argument
            What is called with what.
        """
        self.push((time_ns, key, function, argument))

    def schedule(self, event: simpy.Event, priority: int = 1, delay: float = 0) -> None:
        """Put a SimPy event on the calendar after `delay` whole nanoseconds.

        Raises
        ------
        RunError
            When the delay is not a whole number: use `ms`.
        """
        if delay != int(delay):
            raise RunError(
                f"a delay of {delay!r} is not a whole number of nanoseconds; "
                "use env.ms(...) for milliseconds"
            )
        self._simpy_sequence += 1
        key = _SIMPY_KEY + (priority << _PRIORITY_SHIFT) + self._simpy_sequence
        heappush(self._heap, (self.now_ns + int(delay), key, self._fire, event))

    @staticmethod
    def _fire(event: simpy.Event) -> None:
        callbacks, event.callbacks = event.callbacks, None  # type: ignore[assignment]
        for callback in callbacks:
            callback(event)
        if not event._ok and not hasattr(event, "_defused"):  # noqa: SLF001
            error: BaseException = event._value  # noqa: SLF001
            raise error

    def pending(self) -> list[Any]:
        """Return the arguments of all entries that have not run, in no order."""
        return [argument for _, _, _, argument in self._heap]

    def peek(self) -> float:
        """Return the time of the next entry in nanoseconds, infinity when empty."""
        return self._heap[0][0] if self._heap else float("inf")

    def step(self) -> None:
        """Run the next entry.

        Raises
        ------
        EmptySchedule
            When nothing is left.
        """
        if not self._heap:
            raise EmptySchedule
        self.now_ns, _, function, argument = heappop(self._heap)
        self.entry_count += 1
        function(argument)

    def stop(self) -> None:
        """End `run_entries` after the entry that is running."""
        self.stopped = True

    def run_entries(self, until_ns: int) -> None:
        """Run until `stop` is called, or up to `until_ns`.

        Entries at `until_ns` itself still run, and the clock then stands there. The hot
        loop: `step`, written out. What ends it is an entry too, so that the loop need
        not look at the time, nor at whether anything is left.
        """
        heap = self._heap
        pop = heappop
        end = self._until(until_ns)
        count = 0
        try:
            while not self.stopped:
                self.now_ns, _, function, argument = pop(heap)
                count += 1
                function(argument)
        finally:
            self.entry_count += count
            self._take_out(end)

    def _until(self, until_ns: int) -> _Entry:
        """Make the entry that ends `run_entries`."""
        end = (until_ns, _LAST_KEY, self._end, None)
        heappush(self._heap, end)
        self.stopped = self._ended = False
        return end

    def _take_out(self, end: _Entry) -> None:
        """Let nothing remain of the entry that was to end `run_entries`."""
        if self._ended:
            self.entry_count -= 1
        else:
            self._heap.remove(end)
            heapify(self._heap)

    def _end(self, _: object) -> None:
        self.stopped = self._ended = True

    def run(self, until: simpy.Event | float | None = None) -> Any:  # noqa: ANN401
        """Run as `simpy.Environment.run` does; a number is in nanoseconds."""
        if until is None:
            return self._run_simpy()
        if not isinstance(until, simpy.Event):
            if until <= self.now_ns:
                raise ValueError(f"until ({until}) must be after now ({self.now_ns})")
            stop = simpy.Event(self)
            stop._ok = True  # noqa: SLF001
            stop._value = None  # noqa: SLF001
            self.schedule(stop, priority=0, delay=until - self.now_ns)
            until = stop
        elif until.processed:
            return until.value
        until.callbacks.append(_stop_simulation)
        return self._run_simpy(until)

    def _run_simpy(self, until: simpy.Event | None = None) -> Any:  # noqa: ANN401
        try:
            while True:
                self.step()
        except StopSimulation as stop:
            return stop.args[0]
        except EmptySchedule:
            if until is not None and not until.triggered:
                raise RuntimeError(
                    f"nothing is left to run but {until} was not triggered"
                ) from None
        return None


class CheckedCalendar(Calendar):
    """A calendar that holds its entries to the order of keys.

    An entry made for the current time must have a higher key than the one that is
    running: a chain of zero delay must rise.
    """

    __slots__ = ("_running_key",)

    def __init__(self) -> None:
        self._running_key = 0
        super().__init__()
        self.push = self._push_checked

    def _push_checked(self, entry: _Entry) -> None:
        """Put an entry on the calendar that its order allows."""
        time_ns, key, _, _ = entry
        assert time_ns > self.now_ns or (
            time_ns == self.now_ns and key > self._running_key
        ), f"entry at {time_ns} with key {key:#x} goes back from {self.now_ns}"
        heappush(self._heap, entry)

    def step(self) -> None:
        """Run the next entry and remember its key."""
        if self._heap:
            self._running_key = self._heap[0][1]
        super().step()

    def run_entries(self, until_ns: int) -> None:
        """Run until `stop` is called, or up to `until_ns`."""
        end = self._until(until_ns)
        try:
            while not self.stopped:
                self.step()
        finally:
            self._take_out(end)


def _stop_simulation(event: simpy.Event) -> NoReturn:
    if event.ok:
        raise StopSimulation(event.value)
    failure: Any = event.value
    raise failure
