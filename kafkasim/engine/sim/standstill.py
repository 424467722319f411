"""A client process that stands still for a while and then goes on.

As one that is stopped and continued (SIGSTOP, SIGCONT), or a long garbage collection.
Its machine goes on: what it has sent travels, answers and the news that a connection
has gone come into its sockets. Its threads see nothing of that, and none of its timers
acts. When it goes on it first reads what is there, in the order in which it came
(`NetworkClient.poll` completes receives before it looks for requests that timed out),
and then its timers act, all those whose time is over.
"""

from collections.abc import Callable
from typing import Any, Final, cast

from kafkasim.engine.sim.calendar import ACTOR_BITS, SEQUENCE_BITS, Calendar, Rank
from kafkasim.engine.sim.client import NetworkClient
from kafkasim.engine.sim.request import Request
from kafkasim.units import MISSING_NS

_RANK_SHIFT: Final = ACTOR_BITS + SEQUENCE_BITS

Call = Callable[[Any], object]
_Entry = tuple[int, int, Call, Any]


class Standstill:
    """Whether the process of a source stands still, and what waits for its end.

    Parameters
    ----------
    calendar : Calendar
        The run's.

    Attributes
    ----------
    calendar : Calendar
        The run's, as the process sees it: what it is to do while it stands still is
        done when it goes on. What it has sent arrives at its time all the same.
    since_ns : int
        Since when it stands still; missing while it runs.
    down_until_ns : int
        Until when it is down after its last crash.
    """

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = cast("Calendar", _Seen(calendar, self))
        self.since_ns = MISSING_NS
        self.down_until_ns = 0
        self._real = calendar
        self._news: list[tuple[Call, Any]] = []
        self._timers: list[tuple[Call, Any]] = []

    @property
    def is_still(self) -> bool:
        """Whether it stands still."""
        return self.since_ns != MISSING_NS

    def begin(self) -> None:
        """Stand still from now on."""
        self.since_ns = self._real.now_ns

    def drop(self) -> None:
        """End it, and forget what waits: the process has crashed."""
        self.since_ns = MISSING_NS
        self._news, self._timers = [], []

    def end(self) -> None:
        """Go on, with what came meanwhile first."""
        waiting = self._news + self._timers
        self.drop()
        for function, argument in waiting:
            function(argument)

    def hears(self, function: Call) -> Callable[[Any], None]:
        """Return what calls a function that takes news off a socket, when it may."""

        def hear(argument: Any) -> None:  # noqa: ANN401 - whatever it takes
            if self.is_still:
                self._news.append((function, argument))
            else:
                function(argument)

        return hear

    def acts(self, function: Call) -> Callable[[Any], None]:
        """Return what calls a function whose time has come, when it may."""

        def act(argument: Any) -> None:  # noqa: ANN401 - whatever it takes
            if self.is_still:
                self._timers.append((function, argument))
            else:
                function(argument)

        return act


class _Seen:
    """The run's calendar as such a process sees it."""

    __slots__ = ("_calendar", "_standstill")

    def __init__(self, calendar: Calendar, standstill: Standstill) -> None:
        self._calendar = calendar
        self._standstill = standstill

    @property
    def now_ns(self) -> int:
        """The current time."""
        return self._calendar.now_ns

    def push(self, entry: _Entry) -> None:
        """Put an entry on the calendar; what is late already comes now."""
        time_ns, key, function, argument = entry
        rank = key >> _RANK_SHIFT
        if rank == Rank.ANSWER:
            function = self._standstill.hears(function)
        elif rank != Rank.ARRIVAL:
            function = self._standstill.acts(function)
        time_ns = max(time_ns, self._calendar.now_ns)
        self._calendar.push((time_ns, key, function, argument))

    def at(self, time_ns: int, key: int, function: Call, argument: Any) -> None:  # noqa: ANN401
        """Put an entry on the calendar."""
        self.push((time_ns, key, function, argument))


class PausableNetwork(NetworkClient):
    """The connections of a process that may stand still."""

    __slots__ = ("_standstill",)

    def may_stand_still(self, standstill: Standstill) -> None:
        """Hear of nothing while it does."""
        self._standstill = standstill
        for connection in self.connections:
            connection.on_lost = standstill.hears(self._lost)

    def send(self, request: Request) -> None:
        """Send a request whose answer is seen when the process may."""
        if request.wants_answer:
            request.on_answer = self._standstill.hears(request.on_answer)
        super().send(request)
