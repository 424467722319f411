"""Links that a scenario's events befall: messages come late, or never.

When and what is known before the run, so a pipe works out by itself when a message
arrives; events only say so in their table.

TCP is what carries a message. A packet that a cut link drops is sent again 200 ms
later, then after twice as long each time (`TCP_RTO_MIN`, RFC 6298), and what was sent
behind it waits. A message is lost with its connection alone (`Lose`).

What goes between a broker and the controller are requests of the broker and their
answers, metadata too, which it fetches. So a cut of either way stops both; its
connections are given up and made anew, the packets of which are sent again after 4 s at
most; and a message that is lost is sent again over the next connection.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kafkasim.engine.sim.calendar import Calendar, Rank, key_base
from kafkasim.engine.sim.network import Nic, Pipe
from kafkasim.engine.sim.request import Connection
from kafkasim.engine.sim.timeline import span_ns
from kafkasim.scenario.applicability import not_applicable
from kafkasim.scenario.events import Cut, Delay, Event, LinkEvent, Lose
from kafkasim.scenario.hardware import Link
from kafkasim.scenario.links import CONTROLLER, ways_of
from kafkasim.scenario.streams import stream
from kafkasim.scenario.systems import System
from kafkasim.scenario.traffic import Traffic
from kafkasim.units import FOREVER_NS, NS_PER_MS, ns_from_ms

FIRST_RETRY_NS: Final = 200 * NS_PER_MS
"""Until TCP sends a packet for the second time (`TCP_RTO_MIN` of Linux)."""
LONGEST_RETRY_NS: Final = 120_000 * NS_PER_MS
"""The longest time between two times (`TCP_RTO_MAX`)."""
LONGEST_KNOCK_NS: Final = 4_000 * NS_PER_MS
"""The same while a connection is tried anew every 10 s: after 1, 2 and 4 s."""
RECONNECT_NS: Final = 50 * NS_PER_MS
"""`reconnect.backoff.ms` of a broker's channel to the controller."""
_SHIFT: Final = 24
"""Entries of one pipe, in bits; pipes are told apart above them."""


class Slowed(NamedTuple):
    """A time in which messages take longer."""

    since_ns: int
    until_ns: int
    extra_ns: int
    factor: float


class Losing(NamedTuple):
    """A time in which a share of the messages is lost."""

    since_ns: int
    until_ns: int
    share: float


class Faults(NamedTuple):
    """What befalls the messages of a pipe, and when."""

    cuts: tuple[tuple[int, int], ...]
    """Times from and to which nothing arrives."""
    slowed: tuple[Slowed, ...]
    losing: tuple[Losing, ...]
    longest_ns: int = LONGEST_RETRY_NS
    """The longest time between two times at which a packet is sent."""

    def arrival(self, left_ns: int, way_ns: int) -> int:
        """Return when what leaves then is there, its way taking so long by itself."""
        way_ns = self.way(left_ns, way_ns)
        retry_ns = FIRST_RETRY_NS
        end_ns = self._cut_until(left_ns + way_ns)
        while end_ns:
            if end_ns >= FOREVER_NS:
                return FOREVER_NS
            left_ns += retry_ns
            retry_ns = min(2 * retry_ns, self.longest_ns)
            end_ns = self._cut_until(left_ns + way_ns)
        return left_ns + way_ns

    def way(self, left_ns: int, way_ns: int) -> int:
        """Return how long the way takes of what leaves then."""
        extra_ns = 0
        for since_ns, until_ns, more_ns, factor in self.slowed:
            if since_ns <= left_ns < until_ns:
                way_ns = round(way_ns * factor)
                extra_ns += more_ns
        return max(1, way_ns + extra_ns)

    def share_lost(self, left_ns: int) -> float:
        """Return the probability that what leaves then is lost."""
        kept = 1.0
        for since_ns, until_ns, share in self.losing:
            if since_ns <= left_ns < until_ns:
                kept *= 1.0 - share
        return 1.0 - kept

    def _cut_until(self, time_ns: int) -> int:
        """Return when the cut ends that lasts at a time; 0: there is none."""
        ends = [until for since, until in self.cuts if since <= time_ns < until]
        return max(ends, default=0)


class FaultyPipe(Pipe):
    """A direction of a connection that events befall.

    Parameters
    ----------
    nic, link, seed, name
        As of a `Pipe`.
    faults : Faults
        What befalls its messages.
    to
        As of a `Pipe`.
    break_at : callable, optional
        Takes a time, and the connection that breaks then; without it a message that is
        lost is sent again.

    Attributes
    ----------
    connection : Connection or None
        Whose it is.
    """

    __slots__ = ("_break_at", "_draws", "_faults", "connection")

    may_stall = True

    def __init__(
        self,
        nic: Nic,
        link: Link,
        *,
        seed: int,
        name: str,
        faults: Faults,
        to: Nic | None = None,
        break_at: Callable[[int, Connection], None] | None = None,
    ) -> None:
        super().__init__(nic, link, seed=seed, name=name, to=to)
        self._faults = faults
        self._draws = stream(seed, f"events/link/{name}")
        self._break_at = break_at
        self.connection: Connection | None = None

    def transfer(self, now_ns: int, size_bytes: int) -> int:
        """Send `size_bytes` at `now_ns`; return when they have all arrived.

        `FOREVER_NS`: never. A message that is lost gets a time, too: by then its
        connection is broken.
        """
        last_ns, self.arrived_ns = self.arrived_ns, 0
        plain_ns = super().transfer(now_ns, size_bytes)
        left_ns = self.left_ns
        way_ns = plain_ns - left_ns
        share = self._faults.share_lost(left_ns)
        is_lost = share > 0 and self._draws.random() < share
        while is_lost and self._break_at is None:
            left_ns += 2 * self._faults.way(left_ns, way_ns) + RECONNECT_NS
            is_lost = self._draws.random() < self._faults.share_lost(left_ns)
        # What waits behind a packet that is sent again comes with it.
        if left_ns + self._faults.way(left_ns, way_ns) > last_ns:
            last_ns = max(last_ns, self._faults.arrival(left_ns, way_ns))
        self.arrived_ns = last_ns
        if is_lost and self._break_at is not None and self.connection is not None:
            self._break_at(last_ns, self.connection)
        return last_ns

    def transfers(
        self,
        times_ns: NDArray[np.int64],  # noqa: ARG002 - as a `Pipe`
        sizes: NDArray[np.int64],  # noqa: ARG002
    ) -> None:
        """Send nothing: something may befall any of it."""
        return

    def begin(self, connection: Connection) -> None:
        """Serve a new connection: what the last one waited for does not hold it up."""
        self.connection = connection
        self.arrived_ns = self.held_ns = 0


class Links:
    """The links of a run, some of which events befall.

    Parameters
    ----------
    calendar, actor
        Where broken connections go, and their number among the run's actors.
    events : sequence of Event
        Of the scenario.
    traffic, system
        Resolved.

    Attributes
    ----------
    break_request : callable
        Takes a connection that breaks on the way to its broker.
    """

    def __init__(
        self,
        calendar: Calendar,
        actor: int,
        events: Sequence[Event],
        traffic: Traffic,
        system: System,
    ) -> None:
        self._calendar = calendar
        self._key = key_base(Rank.COMMAND, actor)
        self._pipe_count = 0
        self.break_request: Callable[[Connection], None]
        self._events: dict[tuple[str, str], list[LinkEvent]] = {}
        for place, event in enumerate(events):
            if isinstance(event, LinkEvent) and not not_applicable(
                event, traffic, system
            ):
                path = f"events.{place}.target"
                for way in ways_of(event.target, traffic, system, path):
                    ends = way.sender, way.receiver
                    self._events.setdefault(ends, []).append(event)

    def faults(self, sender: str, receiver: str, messages: str) -> Faults | None:
        """Return what befalls requests or responses from one host to another."""
        events = list(self._events.get((sender, receiver), ()))
        with_controller = CONTROLLER in {sender, receiver}
        if with_controller:
            back = self._events.get((receiver, sender), ())
            events += [event for event in back if isinstance(event, Cut)]
        else:
            events = [e for e in events if e.only in {None, messages}]
        if not events:
            return None
        return Faults(
            tuple(span_ns(e) for e in events if isinstance(e, Cut)),
            tuple(
                Slowed(*span_ns(e), ns_from_ms(e.extra_ms), e.factor)
                for e in events
                if isinstance(e, Delay)
            ),
            tuple(Losing(*span_ns(e), e.share) for e in events if isinstance(e, Lose)),
            LONGEST_KNOCK_NS if with_controller else LONGEST_RETRY_NS,
        )

    def breaker(self, messages: str) -> Callable[[int, Connection], None]:
        """Return what lets the connection of a new pipe break at a time."""
        key = self._key + (self._pipe_count << _SHIFT)
        self._pipe_count += 1
        keys = iter(range(key, key + (1 << _SHIFT)))
        breaks = self._break_response if messages == "responses" else self._break

        def break_at(time_ns: int, connection: Connection) -> None:
            self._calendar.at(time_ns, next(keys), breaks, connection)

        return break_at

    def _break(self, connection: Connection) -> None:
        if not connection.broken:
            self.break_request(connection)

    @staticmethod
    def _break_response(connection: Connection) -> None:
        """Let a client learn that its connection is broken, in place of an answer."""
        if not connection.broken and connection.on_lost is not None:
            connection.on_lost(connection)


def effect_of(event: LinkEvent) -> str:
    """Return in words what an event does to a link."""
    what = f"{event.only}" if event.only else "messages"
    if isinstance(event, Cut):
        return f"no {what} arrive; TCP sends them again"
    if isinstance(event, Lose):
        return f"{event.share:.4g} of {what} are lost, each with its connection"
    longer = [f"{event.factor:g} times as long"] if event.factor != 1.0 else []
    longer += [f"{event.extra_ms:g} ms longer"] if event.extra_ms else []
    return f"{what} take {' and '.join(longer)}"
