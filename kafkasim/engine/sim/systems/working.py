"""A subscriber to which requests come: it works on one record after the other.

It answers a request when the work is done. What it has in hand a crash takes: who sent
it is told, and sends it again.
"""

from collections import deque
from collections.abc import Callable, Iterator

from kafkasim.engine.sim.at_work import UNSLOWED, slowed_ns
from kafkasim.engine.sim.calendar import Calendar, Rank, key_base
from kafkasim.engine.sim.systems.sends import ALIVE, Accounts, Lane, Request
from kafkasim.engine.sim.timeline import Timeline
from kafkasim.units import FOREVER_NS, MISSING_NS

PROCESSED, ABANDONED, IN_FLIGHT = range(3)
"""Codes into the schema's outcomes of `deliveries`."""

Write = Callable[[Request, int, int, int, int], None]
"""Takes a request, the subscriber, begin and end of the work, and its outcome."""


class Working:
    """One subscriber.

    Parameters
    ----------
    calendar, timeline
        The run's.
    code : int
        Its number among the subscribers.
    services : iterator of int
        What it takes to take a request in, one after the other, nanoseconds.
    ns_per_byte : float
        The same for a byte of it.
    accounts : Accounts
    write : callable
        Writes a row of `deliveries`.
    """

    def __init__(  # noqa: PLR0917
        self,
        calendar: Calendar,
        timeline: Timeline,
        code: int,
        services: Iterator[int],
        ns_per_byte: float,
        accounts: Accounts,
        write: Write,
    ) -> None:
        self._calendar = calendar
        self._timeline = timeline
        self.code = code
        self._services = services
        self._ns_per_byte = ns_per_byte
        self._accounts = accounts
        self._write = write
        self.is_up = True
        self.is_paused = False
        self._slowed = UNSLOWED
        self.at_work: Request | None = None
        self.queue: deque[Request] = deque()
        """What has arrived and waits for its turn."""
        self._key = key_base(Rank.SERVICE, code + 1)

    def arrive(self, request: Request) -> None:
        """Take a request in, through the card that all who send to it share."""
        if request.is_lost:
            return
        lane, size_bytes = request.lane, request.send.size_bytes
        if request.arrived_ns == MISSING_NS:
            now_ns = self._calendar.now_ns
            request.arrived_ns = lane.up.receive(now_ns, size_bytes)
            if lane.up.held_ns >= now_ns:
                lane.outlet.arrive_later(lane.up.held_ns, request)
                return
        if not self.is_up:
            lane.outlet.refuse(request)
            return
        request.has_arrived = True
        request.arrived_ns = self._calendar.now_ns
        if self.at_work is None and not self.is_paused:
            self._begin(request)
        else:
            self.queue.append(request)

    def _begin(self, request: Request) -> None:
        """Take it in, then do the work."""
        self.at_work = request
        send = request.send
        size_ns = round(send.size_bytes * self._ns_per_byte)
        started_ns = self._calendar.now_ns + next(self._services) + size_ns
        request.started_ns = started_ns
        request.ended_ns = started_ns + slowed_ns(send.work_ns, self._slowed)
        (send.first or send).hand_outs += 1
        self._expect_end(request)

    def _expect_end(self, request: Request) -> None:
        self._timeline.expect(request.ended_ns)
        self._key += 1
        self._calendar.push((request.ended_ns, self._key, self._done, request))

    def _done(self, request: Request) -> None:
        """Answer, unless it stopped meanwhile, and take the next."""
        if self.at_work is not request or request.ended_ns != self._calendar.now_ns:
            return  # a crash has ended it, or a pause moved its end
        self.at_work = None
        send = request.send
        self._write(request, self.code, request.started_ns, request.ended_ns, PROCESSED)
        send.live -= 1
        send.is_processed = True
        if send.cause != ALIVE:
            self._accounts.settle(send)
        request.lane.outlet.answer(request)
        self._go_on()

    def _go_on(self) -> None:
        if self.queue and self.at_work is None and not self.is_paused:
            self._begin(self.queue.popleft())

    # --- what befalls it ----------------------------------------------------------

    def slow(self, factor: float) -> None:
        """Let work take so many times as long."""
        self._slowed = factor

    def pause(self, until_ns: int) -> str:
        """Let what is at work, and all that arrives, wait for the end of a pause."""
        if not self.is_up:
            return "it was down"
        self.is_paused = True
        now_ns, request = self._calendar.now_ns, self.at_work
        if request is not None and request.ended_ns > now_ns:
            request.ended_ns += until_ns - now_ns
            if request.started_ns > now_ns:
                request.started_ns += until_ns - now_ns
            if until_ns < FOREVER_NS:
                self._expect_end(request)
        return "it stands still; who sends to it waits, and sends again in the end"

    def resume(self) -> None:
        """Go on after a pause, unless a crash has ended it."""
        if self.is_paused:
            self.is_paused = False
            self._go_on()

    def crash(self) -> str:
        """Stop at once: what is in hand is lost, and its senders are told."""
        self.is_up = self.is_paused = False
        in_hand = list(self.queue)
        self.queue.clear()
        if self.at_work is not None:
            self.write_unfinished(self.at_work, ABANDONED)
            in_hand.insert(0, self.at_work)
            self.at_work = None
        lanes: dict[int, Lane] = {}
        for request in in_hand:
            request.lane.outlet.bury(request)
            if not request.is_closed:
                lanes[id(request.lane)] = request.lane
        for lane in lanes.values():
            lane.outlet.reset(lane)
        return "it stopped; who sends to it tries again until it is back"

    def start(self) -> None:
        """Be there again, with nothing in hand."""
        self.is_up = True

    def write_unfinished(self, request: Request, outcome: int) -> None:
        """Write work that had begun and will not end."""
        begun = request.started_ns <= self._calendar.now_ns
        started_ns = request.started_ns if begun else MISSING_NS
        self._write(request, self.code, started_ns, MISSING_NS, outcome)
