"""What a host has to send to one other, kept until it is answered.

An outlet is a bounded queue and some lanes. A lane is a connection with a window: so
many requests may wait for their answers on it. It keeps their order. When nothing was
answered for the time allowed, when the other end is down or a message is lost with its
connection, the lane closes it, waits, connects anew and sends again all that has no
answer, before anything new. What had reached the other end is still worked on there;
so that it may be done twice.

The first wait is the backoff, then twice as long each time, up to a longest one; an
answer sets it back. To connect takes a request and an answer without bytes.
"""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from kafkasim.engine.sim.calendar import Calendar, Rank, key_base
from kafkasim.engine.sim.network import Pipe
from kafkasim.engine.sim.systems.sends import (
    ALIVE,
    GAVE_UP,
    Accounts,
    Lane,
    OfLane,
    Owner,
    Receiver,
    Request,
    Send,
)
from kafkasim.units import FOREVER_NS, MISSING_NS


class Limits(NamedTuple):
    """What an outlet holds and how it tries again; times are nanoseconds."""

    events: int
    size_bytes: float
    window: int
    timeout_ns: int
    backoff_ns: int
    backoff_max_ns: int
    give_up_ns: int = FOREVER_NS


Begin = Callable[[Lane, Send], None]


class Outlet:
    """All that a host sends to one other.

    Parameters
    ----------
    calendar : Calendar
    actor : int
        Its number among the run's actors.
    limits : Limits
    owner, receiver, accounts
        Whose it is, where it leads, and who counts.
    counts : list of int, optional
        Requests of each of the owner's records.
    """

    def __init__(
        self,
        *,
        calendar: Calendar,
        actor: int,
        limits: Limits,
        owner: Owner,
        receiver: Receiver,
        accounts: Accounts,
        counts: list[int] | None = None,
    ) -> None:
        self._calendar = calendar
        self.limits = limits
        self._owner = owner
        self.receiver = receiver
        self._accounts = accounts
        self._counts = counts
        self.lanes: list[Lane] = []
        self.queue: deque[Send] = deque()
        self.held = self.held_bytes = 0
        """Records that are queued or have no answer, and their bytes."""
        self.sends = self.sent_bytes = 0
        self.is_up = True
        self.is_still = False
        self.serve: Begin = self.transmit
        """How a record is sent: at once, unless the sender's processors take time."""
        self.on_level: Callable[[int, int], None] | None = None
        """Takes the time and how many it holds, if that is measured."""
        self._late: list[Callable[[], None]] = []
        """What was to happen while the sender stood still."""
        self._timer_key = key_base(Rank.TIMER, actor)
        self._arrival_key = key_base(Rank.ARRIVAL, actor)
        self._answer_key = key_base(Rank.ANSWER, actor)

    def connect(self, up: Pipe, down: Pipe) -> None:
        """Add a lane."""
        self.lanes.append(Lane(self, up, down))

    # --- the queue ----------------------------------------------------------------

    def is_full(self, size_bytes: int) -> bool:
        """Say whether a record of that size has no room; an empty queue takes any."""
        limits = self.limits
        return self.held >= limits.events or (
            self.held > 0 and self.held_bytes + size_bytes > limits.size_bytes
        )

    def offer(self, send: Send) -> None:
        """Put a record into the queue, and send what may be sent."""
        send.queued_ns = self._calendar.now_ns
        self._accounts.made()
        self.queue.append(send)
        self.held += 1
        self.held_bytes += send.size_bytes
        if self.on_level is not None:
            self.on_level(self._calendar.now_ns, self.held)
        for lane in self.lanes:
            if not lane.waits and len(lane.unanswered) < self.limits.window:
                self.fill(lane)
                return

    def _release(self, send: Send) -> None:
        self.held -= 1
        self.held_bytes -= send.size_bytes
        if self.on_level is not None:
            self.on_level(self._calendar.now_ns, self.held)

    def _next(self, lane: Lane) -> Send | None:
        """Take what a lane sends next; let go of what has waited for too long."""
        patience_ns = self.limits.give_up_ns
        while lane.again or self.queue:
            send = lane.again.popleft() if lane.again else self.queue.popleft()
            if self._calendar.now_ns - send.queued_ns < patience_ns:
                return send
            self._release(send)
            self._accounts.let_go(send, GAVE_UP)
            self._owner.given_up(send)
        return None

    # --- sending ------------------------------------------------------------------

    def fill(self, lane: Lane) -> None:
        """Send on a lane while its window is open."""
        if self.is_still or lane.waits or not self.is_up:
            return
        window = self.limits.window
        while lane.busy is None and len(lane.unanswered) < window:
            send = self._next(lane)
            if send is None:
                return
            if not lane.is_open:
                lane.again.appendleft(send)
                self._connect(lane)
                return
            self.serve(lane, send)

    def transmit(self, lane: Lane, send: Send) -> None:
        """Send a record on a lane."""
        now_ns = self._calendar.now_ns
        request = Request(lane, send, now_ns)
        lane.unanswered.append(request)
        send.live += 1
        send.tries += 1
        self.sends += 1
        size_bytes = send.size_bytes
        self.sent_bytes += size_bytes
        if self._counts is not None:
            self._counts[send.ordinal] += 1
        self._arrival_key += 1
        at_ns = lane.up.transfer(now_ns, size_bytes)
        self._calendar.push((at_ns, self._arrival_key, self.receiver.arrive, request))
        if not lane.is_timed:
            self._time(lane, now_ns)

    def arrive_later(self, at_ns: int, request: Request) -> None:
        """Let a request that the receiver's card holds up arrive then."""
        self._arrival_key += 1
        self._calendar.push((at_ns, self._arrival_key, self.receiver.arrive, request))

    # --- answers ------------------------------------------------------------------

    def answer(self, request: Request) -> None:
        """Send an answer back from the receiver, unless nobody would hear it."""
        if not request.is_closed:
            now_ns = self._calendar.now_ns
            self._answer_key += 1
            at_ns = request.lane.down.transfer(now_ns, 0)
            self._calendar.push((at_ns, self._answer_key, self._answered, request))

    def _answered(self, request: Request) -> None:
        if request.is_closed:
            return
        if self.is_still:
            self._late.append(partial(self._answered, request))
            return
        lane, send = request.lane, request.send
        if lane.unanswered[0] is request:
            lane.unanswered.popleft()
        else:
            lane.unanswered.remove(request)
        lane.heard_ns = self._calendar.now_ns
        lane.failures = 0
        self._release(send)
        self._owner.answered(send)
        self._accounts.settle(send)
        self.fill(lane)
        self._owner.has_room()

    # --- failures -----------------------------------------------------------------

    def refuse(self, request: Request) -> None:
        """Let a request die at a receiver that is down; its sender is told."""
        self.bury(request)
        if not request.is_closed:
            self.reset(request.lane)

    def bury(self, request: Request) -> None:
        """Let a request die: nobody will work on it."""
        send = request.send
        request.is_lost = True
        send.live -= 1
        if send.cause != ALIVE and not send.live:
            self._accounts.let_go(send, send.cause)

    def reset(self, lane: Lane) -> None:
        """Send word from the receiver that a connection is no more."""
        self._answer_key += 1
        at_ns = lane.down.transfer(self._calendar.now_ns, 0)
        told = lane, lane.epoch
        self._calendar.push((at_ns, self._answer_key, self.broken, told))

    def broken(self, told: OfLane) -> None:
        """Learn that a connection is no more."""
        lane, epoch = told
        if epoch == lane.epoch:
            if self.is_still:
                self._late.append(partial(self.broken, told))
            else:
                self._fail(lane)

    def _fail(self, lane: Lane) -> None:
        """Close a connection; after a while send again what has no answer."""
        lane.again.extendleft(reversed(lane.close()))
        limits = self.limits
        wait_ns = limits.backoff_ns << min(lane.failures, 32)
        lane.failures += 1
        lane.waits = True
        self._timer_key += 1
        at_ns = self._calendar.now_ns + min(wait_ns, limits.backoff_max_ns)
        self._calendar.push((at_ns, self._timer_key, self._retry, (lane, lane.epoch)))

    def _retry(self, told: OfLane) -> None:
        lane, epoch = told
        if epoch != lane.epoch:
            return
        if self.is_still:
            self._late.append(partial(self._retry, told))
            return
        lane.waits = False
        self.fill(lane)
        self._owner.has_room()

    def _connect(self, lane: Lane) -> None:
        """Ask the receiver for a connection."""
        now_ns = self._calendar.now_ns
        lane.waits = True
        lane.connecting_ns = now_ns
        self._arrival_key += 1
        at_ns = lane.up.transfer(now_ns, 0)
        asked = lane, lane.epoch
        self._calendar.push((at_ns, self._arrival_key, self._asked, asked))
        if not lane.is_timed:
            self._time(lane, now_ns)

    def _asked(self, asked: OfLane) -> None:
        """Answer in the receiver's place: its kernel does, if its process is there."""
        lane, epoch = asked
        if epoch == lane.epoch:
            if not self.receiver.is_up:
                self.reset(lane)
                return
            self._answer_key += 1
            at_ns = lane.down.transfer(self._calendar.now_ns, 0)
            self._calendar.push((at_ns, self._answer_key, self._connected, asked))

    def _connected(self, asked: OfLane) -> None:
        lane, epoch = asked
        if epoch != lane.epoch:
            return
        if self.is_still:
            self._late.append(partial(self._connected, asked))
            return
        lane.is_open, lane.waits = True, False
        lane.connecting_ns = MISSING_NS
        self.fill(lane)
        self._owner.has_room()

    def _time(self, lane: Lane, since_ns: int) -> None:
        """Look at a lane when it would have waited for too long."""
        lane.is_timed = True
        self._timer_key += 1
        at_ns = since_ns + self.limits.timeout_ns
        self._calendar.push((at_ns, self._timer_key, self._look, lane))

    def _look(self, lane: Lane) -> None:
        """Close a connection on which nothing was answered for too long."""
        lane.is_timed = False
        if self.is_still:
            self._late.append(partial(self._look, lane))
            return
        since_ns = lane.connecting_ns
        if lane.unanswered:
            since_ns = max(lane.unanswered[0].sent_ns, lane.heard_ns)
        if since_ns == MISSING_NS:
            return
        if self._calendar.now_ns < since_ns + self.limits.timeout_ns:
            self._time(lane, since_ns)
        else:
            self._fail(lane)

    # --- what befalls the sender --------------------------------------------------

    def lose_all(self, cause: int) -> int:
        """Lose what is in memory: the sender's process is gone. Return how much it was.

        What is on its way still arrives.
        """
        lost = list(self.queue)
        self.queue.clear()
        for lane in self.lanes:
            for request in lane.unanswered:
                request.is_closed = True
                lost.append(request.send)
            lane.unanswered.clear()
            lost += lane.again
            lane.again.clear()
            lost += lane.close()
            lane.failures, lane.waits = 0, False
        self.held = self.held_bytes = 0
        self._late.clear()
        self.is_up = self.is_still = False
        for send in lost:
            self._accounts.let_go(send, cause)
        return len(lost)

    def start(self) -> None:
        """Be there again, with an empty memory."""
        self.is_up = True

    def resume(self) -> None:
        """Go on after standing still: see what has come, then act on what is late."""
        self.is_still = False
        late, self._late = self._late, []
        for act in late:
            act()
        for lane in self.lanes:
            self.fill(lane)
