"""A hub without a log: processors, and a queue in memory for each subscriber.

A record that a source has sent is served by one of the hub's threads, goes into the
queue of every subscriber of its stream that has come, and is answered. A push takes a
thread, too, one at a time of each connection, as a server reads one request of a
connection at a time. When a queue is full, the hub lets the record go for that
subscriber; or it holds the request and takes in nothing more, from any source, until
there is room.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

from kafkasim.engine.sim.at_work import UNSLOWED, slowed_ns
from kafkasim.engine.sim.calendar import Calendar, Rank, key_base
from kafkasim.engine.sim.meter import Track
from kafkasim.engine.sim.systems.outlets import Outlet
from kafkasim.engine.sim.systems.sends import (
    ALIVE,
    HUB_CRASHED,
    QUEUE_FULL,
    Accounts,
    Lane,
    Request,
    Send,
)
from kafkasim.units import FOREVER_NS, MISSING_NS


class Service:
    """What one of the hub's threads does: takes a request in, or pushes a record."""

    __slots__ = ("ends_ns", "epoch", "lane", "request", "send")

    def __init__(self, lane: Lane, send: Send, request: Request | None = None) -> None:
        self.lane = lane
        self.send = send
        self.request = request
        """None for a push."""
        self.epoch = lane.epoch
        self.ends_ns = MISSING_NS


class Exit(NamedTuple):
    """The way from the hub to one subscriber."""

    code: int
    outlet: Outlet
    from_ns: int


Work = Callable[[int, int], int]
"""Takes a place among a stream's subscribers and an ordinal; returns the work."""


class Hub:
    """The hub of a relay.

    Parameters
    ----------
    calendar : Calendar
    actor : int
        Its number among the run's actors.
    threads : int
        How many requests and pushes it serves at a time.
    services : iterator of int
        What one takes, one after the other, nanoseconds.
    ns_per_byte : float
        The same for a byte of it.
    drops : bool
        Whether a full queue lets a record go, or blocks the hub.
    accounts : Accounts
    track : Track, optional
        Measures how busy its threads are.
    """

    def __init__(
        self,
        *,
        calendar: Calendar,
        actor: int,
        threads: int,
        services: Iterator[int],
        ns_per_byte: float,
        drops: bool,
        accounts: Accounts,
        track: Track | None = None,
    ) -> None:
        self._calendar = calendar
        self._free = self._threads = threads
        self._services = services
        self._ns_per_byte = ns_per_byte
        self._drops = drops
        self._accounts = accounts
        self._track = track
        self.is_up = True
        self.is_paused = False
        self._slowed = UNSLOWED
        self._jobs: deque[Service] = deque()
        self._at_work: dict[Service, None] = {}
        self._held: deque[Service] = deque()
        """Requests that were served and find a full queue."""
        self.exits: list[Outlet] = []
        self._exits_of: dict[int, tuple[list[Exit], Work]] = {}
        self._key = key_base(Rank.SERVICE, actor)

    def lead(self, entry: Outlet, exits: list[Exit], work: Work) -> None:
        """Let what comes through an entry leave through some exits."""
        self._exits_of[id(entry)] = exits, work

    # --- requests -----------------------------------------------------------------

    def arrive(self, request: Request) -> None:
        """Take a request in, through the card that all share."""
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
        self._serve(Service(lane, request.send, request))

    def push(self, lane: Lane, send: Send) -> None:
        """Serve the push of a record, then send it."""
        lane.busy = send
        self._serve(Service(lane, send))

    def _serve(self, job: Service) -> None:
        if self._free and not self.is_paused:
            self._begin(job)
        else:
            self._jobs.append(job)
            if self._track is not None:
                self._track.waits(self._calendar.now_ns, len(self._jobs))

    def _begin(self, job: Service) -> None:
        self._free -= 1
        self._at_work[job] = None
        now_ns = self._calendar.now_ns
        takes_ns = next(self._services) + round(job.send.size_bytes * self._ns_per_byte)
        job.ends_ns = now_ns + max(1, slowed_ns(takes_ns, self._slowed))
        if self._track is not None:
            self._track.busy(now_ns, job.ends_ns, job.send.size_bytes)
        self._expect_end(job)

    def _expect_end(self, job: Service) -> None:
        self._key += 1
        self._calendar.push((job.ends_ns, self._key, self._done, job))

    def _done(self, job: Service) -> None:
        """Go on with what was served, unless a crash ended it or a pause moved it."""
        if job.ends_ns != self._calendar.now_ns or job not in self._at_work:
            return
        del self._at_work[job]
        self._free += 1
        if job.request is None:
            lane = job.lane
            if job.epoch == lane.epoch:
                lane.busy = None
                lane.outlet.transmit(lane, job.send)
                lane.outlet.fill(lane)
        elif self._held or not self._pass_on(job):
            self._held.append(job)
        self._begin_next()

    def _begin_next(self) -> None:
        while self._free and self._jobs and not self.is_paused:
            self._begin(self._jobs.popleft())

    def _pass_on(self, job: Service) -> bool:
        """Put a record into all queues and answer; say whether there was room."""
        now_ns, came = self._calendar.now_ns, job.send
        exits, work = self._exits_of[id(job.lane.outlet)]
        there = [
            (place, each) for place, each in enumerate(exits) if each.from_ns <= now_ns
        ]
        size_bytes = came.size_bytes
        if not self._drops and any(
            each.outlet.is_full(size_bytes) for _, each in there
        ):
            return False
        firsts = {} if came.copies is None else {c.readers[0]: c for c in came.copies}
        copies = []
        for place, each in there:
            readers = (each.code,)
            if self._drops and each.outlet.is_full(size_bytes):
                self._accounts.refuse(came.row, readers, QUEUE_FULL)
                continue
            work_ns = work(place, came.ordinal)
            copy = Send(came.ordinal, came.row, readers, size_bytes, work_ns)
            copy.first = firsts.get(each.code)
            copies.append(copy)
            each.outlet.offer(copy)
        if came.copies is None:
            came.copies = copies
        came.live -= 1
        came.is_processed = True
        if came.cause != ALIVE:
            self._accounts.settle(came)
        assert job.request is not None
        job.lane.outlet.answer(job.request)
        return True

    # --- as the owner of its queues ------------------------------------------------

    def answered(self, send: Send) -> None:
        """Take note that a subscriber has a record: it is forgotten."""

    def given_up(self, send: Send) -> None:
        """Take note that a record is let go; the hub never gives up."""
        raise AssertionError(f"record {send.row} was given up")

    def has_room(self) -> None:
        """Pass on what waits for room."""
        while self._held and not self.is_paused and self._pass_on(self._held[0]):
            self._held.popleft()

    # --- what befalls it ----------------------------------------------------------

    def slow(self, factor: float) -> None:
        """Let each request and push take so many times as long."""
        self._slowed = factor

    def pause(self, until_ns: int) -> str:
        """Stand still: what is served and what comes waits, no answer is seen."""
        if not self.is_up:
            return "it was down"
        self.is_paused = True
        now_ns = self._calendar.now_ns
        for outlet in self.exits:
            outlet.is_still = True
        for job in self._at_work:
            job.ends_ns += until_ns - now_ns
            if until_ns < FOREVER_NS:
                self._expect_end(job)
        return "it stands still; what comes waits"

    def resume(self) -> None:
        """Go on after a pause, unless a crash has ended it."""
        if self.is_paused:
            self.is_paused = False
            for outlet in self.exits:
                outlet.resume()
            self._begin_next()
            self.has_room()

    def crash(self) -> str:
        """Stop at once: all that is in memory is lost."""
        self.is_up = self.is_paused = False
        jobs = [*self._held, *self._at_work, *self._jobs]
        self._held.clear()
        self._at_work.clear()
        self._jobs.clear()
        self._free = self._threads
        lost = sum(outlet.lose_all(HUB_CRASHED) for outlet in self.exits)
        for job in jobs:
            if job.request is not None:
                job.lane.outlet.refuse(job.request)
        return f"{lost} records in its queues lost; who sends to it tries again"

    def start(self) -> None:
        """Be there again, with empty queues."""
        self.is_up = True
        for outlet in self.exits:
            outlet.start()
