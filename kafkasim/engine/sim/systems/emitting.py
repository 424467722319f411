"""A source that hands its records to outlets and goes on.

It takes a record when the world wants it. If a queue that it has to go into is full, it
waits until there is room, and all that is wanted meanwhile waits behind it; or the
record does not get there. A record is acknowledged when all outlets that took it have
their answers, and has failed when one of them let go of it. Whoever comes late gets
what is taken from then on.
"""

from collections.abc import Callable, Sequence

import numpy as np

from kafkasim.engine.sim.calendar import Calendar, Rank, key_base
from kafkasim.engine.sim.systems.ends import LoopOfEvents, SourceEvents
from kafkasim.engine.sim.systems.outlets import Outlet
from kafkasim.engine.sim.systems.sends import (
    QUEUE_FULL,
    SOURCE_CRASHED,
    Accounts,
    Send,
)
from kafkasim.engine.sim.timeline import Timeline
from kafkasim.scenario.plan import SourcePlan
from kafkasim.units import FOREVER_NS, MISSING_NS

BLOCKED_BY = ("queue full", "paused", "down")
"""Labels of `blocked.cause`."""
_FULL, _PAUSED, _DOWN = range(3)

Blocked = Callable[[int, int, int, int], None]
"""Takes a source, since when and until when it was blocked, and the cause's code."""


class Way:
    """One outlet of a source, and whom its records reach."""

    __slots__ = ("from_ns", "outlet", "readers", "work")

    def __init__(
        self,
        outlet: Outlet,
        readers: tuple[int, ...],
        work: "memoryview | None" = None,
        from_ns: int = 0,
    ) -> None:
        self.outlet = outlet
        self.readers = readers
        """Codes of the subscribers."""
        self.work = work
        """What each record costs the one; none: the outlet leads to a hub."""
        self.from_ns = from_ns
        """When they come."""


class Emitting:
    """One source.

    Parameters
    ----------
    calendar, timeline
        The run's.
    sending : SourceEvents
        What it sends, and its columns in the end.
    actor : int
        Its number among the run's actors.
    base : int
        Row of its first record, as far as rows are known.
    drops : bool
        Whether a full queue lets a record go, or its source wait.
    accounts : Accounts
    write_blocked : callable
        Writes a row of `blocked`.
    """

    def __init__(
        self,
        *,
        calendar: Calendar,
        timeline: Timeline,
        sending: SourceEvents,
        actor: int,
        base: int,
        drops: bool,
        accounts: Accounts,
        write_blocked: Blocked,
    ) -> None:
        self._calendar = calendar
        self._timeline = timeline
        self.sending = sending
        self._loop: LoopOfEvents | None = sending.loop
        self._base = base
        self._drops = drops
        self._accounts = accounts
        self._write_blocked = write_blocked
        self.ways: list[Way] = []
        count = len(sending.plan.intended_ns)
        self._next = 0
        self._intended: Sequence[int] = sending.intended
        self._sizes: list[int] = []
        self._take_sizes(sending.plan)
        self.created = [MISSING_NS] * count
        self.acked = [MISSING_NS] * count
        self.counts = [0] * count
        """Requests with each record."""
        self.failed = sending.failed
        self.open: dict[int, int] = {}
        """Records under way, and how many outlets have no answer yet."""
        self.is_up = True
        self.is_still = False
        self._is_due = False
        self._lost_users = 0
        self._blocked_since_ns = self._idle_since_ns = MISSING_NS
        self._idle_cause = _PAUSED
        self._timer_ns = MISSING_NS
        self._timer_key = key_base(Rank.TIMER, actor)

    def _take_sizes(self, plan: SourcePlan) -> None:
        sizes = np.maximum(plan.value_bytes[len(self._sizes) :], 0)
        self._sizes += sizes.tolist()

    # --- what is due --------------------------------------------------------------

    def _due_ns(self) -> int:
        if self._loop is not None:
            return self._loop.due_ns()
        at = self._next
        return self._intended[at] if at < len(self._intended) else FOREVER_NS

    def go_on(self) -> None:
        """Take what is due; come back at its time, or when there is room."""
        if self.is_still or not self.is_up:
            return
        self._is_due = False
        now_ns = self._calendar.now_ns
        while (due_ns := self._due_ns()) <= now_ns:
            if not self._drops and self._is_full(now_ns):
                if self._blocked_since_ns == MISSING_NS:
                    self._blocked_since_ns = now_ns
                return
            self._take(now_ns)
        self._end_blocked()
        if due_ns < FOREVER_NS and not now_ns < self._timer_ns <= due_ns:
            self._timer_ns = due_ns
            self._timer_key += 1
            self._calendar.push((due_ns, self._timer_key, self._timer, due_ns))

    def _timer(self, due_ns: int) -> None:
        if due_ns == self._timer_ns:
            self._timer_ns = MISSING_NS
        if self._blocked_since_ns == MISSING_NS:
            self.go_on()

    def _is_full(self, now_ns: int) -> bool:
        """Say whether an outlet has no room for what is due next."""
        if self._next == len(self._sizes):
            self._draw()
        size_bytes = self._sizes[self._next]
        return any(
            way.from_ns <= now_ns and way.outlet.is_full(size_bytes)
            for way in self.ways
        )

    def has_room(self) -> None:
        """Go on if there is something to do: a queue may have room."""
        if self._is_due or self._blocked_since_ns != MISSING_NS:
            self.go_on()

    def _end_blocked(self) -> None:
        since_ns, now_ns = self._blocked_since_ns, self._calendar.now_ns
        if since_ns != MISSING_NS:
            if since_ns < now_ns:
                self._write_blocked(self.sending.code, since_ns, now_ns, _FULL)
            self._blocked_since_ns = MISSING_NS

    # --- records ------------------------------------------------------------------

    def _draw(self) -> None:
        """Make room for more records of the loop."""
        sending = self.sending
        before = len(self._sizes)
        sending.draw()
        self._take_sizes(sending.plan)
        more = len(self._sizes) - before
        self.created += [MISSING_NS] * more
        self.acked += [MISSING_NS] * more
        self.counts += [0] * more
        for way, work in zip(self.ways, sending.works, strict=False):
            if way.work is not None:
                way.work = work

    def _take(self, now_ns: int) -> None:
        """Create the next record and offer it to all outlets."""
        ordinal = self._next
        if ordinal == len(self._sizes):
            self._draw()
        self._next += 1
        created_ns = now_ns
        if self._loop is not None:
            created_ns = self._loop.take(now_ns)
            self._timeline.unsettled += 1
        self.created[ordinal] = created_ns
        size_bytes, row = self._sizes[ordinal], self._base + ordinal
        taken: list[Way] = []
        for way in self.ways:
            if way.from_ns > now_ns:
                continue
            if self._drops and way.outlet.is_full(size_bytes):
                self.failed[ordinal] = QUEUE_FULL
                self._accounts.refuse(row, way.readers, QUEUE_FULL)
            else:
                taken.append(way)
        self.open[ordinal] = len(taken)
        for way in taken:
            work_ns = 0 if way.work is None else way.work[ordinal]
            way.outlet.offer(Send(ordinal, row, way.readers, size_bytes, work_ns))
        if not taken:
            self._finish(ordinal)

    def answered(self, send: Send) -> None:
        """Take note that an outlet has its answer."""
        left = self.open[send.ordinal] - 1
        if left:
            self.open[send.ordinal] = left
        else:
            self._finish(send.ordinal)

    def given_up(self, send: Send) -> None:
        """Take note that an outlet has let go of a record."""
        self.failed[send.ordinal] = send.cause
        self.answered(send)

    def _finish(self, ordinal: int) -> None:
        del self.open[ordinal]
        now_ns = self._calendar.now_ns
        if ordinal not in self.failed:
            self.acked[ordinal] = now_ns
        is_over = False
        if self._loop is not None:
            is_over = self._loop.answered(now_ns)
            self._is_due = True
        self._timeline.settle(1 + is_over)

    # --- what befalls it ----------------------------------------------------------

    def stand_still(self) -> str:
        """Take nothing and see no answer for a while."""
        if not self.is_up:
            return "it was down"
        self._end_blocked()
        self.is_still = True
        for way in self.ways:
            way.outlet.is_still = True
        self._idle_since_ns, self._idle_cause = self._calendar.now_ns, _PAUSED
        return "it stands still; what is wanted meanwhile waits"

    def resume(self) -> None:
        """Go on, unless a crash has ended it."""
        if self.is_still:
            self.is_still = False
            self._end_idle()
            for way in self.ways:
                way.outlet.resume()
            self.go_on()

    def crash(self) -> str:
        """Lose all that is in memory."""
        self._end_blocked()
        self._end_idle()
        self.is_up = self.is_still = False
        lost = len(self.open)
        self.failed |= dict.fromkeys(self.open, SOURCE_CRASHED)
        self.open.clear()
        for way in self.ways:
            way.outlet.lose_all(SOURCE_CRASHED)
        self._lost_users += lost
        self._timeline.settle(lost)
        self._idle_since_ns, self._idle_cause = self._calendar.now_ns, _DOWN
        return f"{lost} records in memory lost; what is wanted meanwhile waits"

    def start(self) -> None:
        """Be there again, with an empty memory."""
        self.is_up = True
        self._end_idle()
        for way in self.ways:
            way.outlet.start()
        if self._loop is not None:
            overs = [
                self._loop.answered(self._calendar.now_ns)
                for _ in range(self._lost_users)
            ]
            self._timeline.settle(sum(overs))
        self._lost_users = 0
        self.go_on()

    def _end_idle(self, *, at_end: bool = False) -> None:
        since_ns, now_ns = self._idle_since_ns, self._calendar.now_ns
        if since_ns != MISSING_NS:
            until_ns = MISSING_NS if at_end else now_ns
            self._write_blocked(self.sending.code, since_ns, until_ns, self._idle_cause)
            self._idle_since_ns = MISSING_NS

    def finish(self) -> None:
        """Hand the columns over, at the end of the run."""
        self._end_blocked()
        self._end_idle(at_end=True)
        sending = self.sending
        sending.next_ordinal = self._next
        sending.created_ns = np.array(self.created, np.int64)
        sending.acked_ns = np.array(self.acked, np.int64)
        sending.send_count = np.array(self.counts, np.int16)
