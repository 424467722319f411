"""Point to point: each source sends each event to each subscriber itself.

The synchronous kind. A source takes its next event, sends it to every subscriber that
wants it, and goes on when the last of them has answered; a subscriber answers when it
has done its work, one event after the other. So a source is as fast as its slowest
subscriber, and a subscriber that is down blocks every source that sends to it: the
source tries again until it is back. Nothing is kept: who comes later gets what is sent
from then on.
"""

from typing import Final

from kafkasim.engine.sim.at_work import UNSLOWED
from kafkasim.engine.sim.links import effect_of
from kafkasim.engine.sim.systems.common import (
    run_facts,
    write_events,
    write_resources,
    write_violations,
)
from kafkasim.engine.sim.systems.ends import (
    Sending,
    Subscribing,
)
from kafkasim.engine.sim.systems.point_to_point_tables import (
    number_events,
    write_drops,
    write_links,
    write_records,
)
from kafkasim.engine.sim.systems.stuck_records import beginning
from kafkasim.engine.sim.systems.synchronous import SynchronousRun
from kafkasim.engine.sim.systems.working import ABANDONED, IN_FLIGHT
from kafkasim.ids import Target
from kafkasim.result.result import Result
from kafkasim.scenario.events import Crash, Event, LinkEvent, Pause, Slow
from kafkasim.units import FOREVER_NS, MISSING_NS

NOT_RECORDED: Final = dict.fromkeys(
    ("batches", "appends", "commits", "assignments", "requests"),
    "point to point has no such thing",
)

_STANDS_STILL, _DOWN = 1, 2
"""Codes of the causes of `blocked`."""
_BLOCKED_BY = ("waiting for answers", "paused", "down")


class PointToPointRun(SynchronousRun):
    """One run, with what befalls it and what it writes."""

    def run(self) -> Result:
        """Run to the end and return what was recorded."""
        for event in self.scenario.events:
            begin = beginning(event, self.plan, self._begin)
            self.timeline.schedule(event, begin, self._end)
        for source in self.sources:
            self._go_on(source)
        self.timeline.run(self.inspection)
        return self._finish()

    # --- events and the end -------------------------------------------------------

    def _begin(self, event: Event, target: Target, until_ns: int) -> str:
        if isinstance(event, LinkEvent):
            return effect_of(event)
        if target.kind == "source":
            source = self._source(target)
            if isinstance(event, Crash):
                return self._crash_source(source, until_ns)
            return self._stand_still(source, until_ns)
        receiver = self.subscribers[self.names.index(target.name)]
        if isinstance(event, Slow):
            receiver.slowed = event.factor
            return f"its work takes {event.factor:g} times as long"
        if isinstance(event, Pause):
            return self._pause(receiver, until_ns)
        receiver.up = receiver.paused = False
        if receiver.at_work is not None:
            send, receiver.at_work = receiver.at_work, None
            self._write_unfinished(send, ABANDONED)
            if not send.is_orphan:
                self._send_again(send)
            receiver.queue.appendleft(send)
        self._bury(receiver)
        return "it stopped; whoever sends to it tries again until it is back"

    def _source(self, target: Target) -> Sending:
        return self.sources[list(self.plan.sources).index(target.name)]

    def _stand_still(self, source: Sending, until_ns: int) -> str:
        """Let a source send nothing and see no answer for a while."""
        if source.is_down:
            return "it was down"
        source.stand_still(until_ns)
        self._end_blocked(source)
        end_ns = until_ns if until_ns < FOREVER_NS else MISSING_NS
        since_ns = self.calendar.now_ns
        self._write_blocked(source.code, since_ns, end_ns, _STANDS_STILL)
        return "it stands still; what is wanted meanwhile waits"

    def _crash_source(self, source: Sending, until_ns: int) -> str:
        """Let a source lose what it waits for; what it has sent is worked on."""
        lost = self._forget(source)
        source.stand_still(until_ns)
        source.is_down = True
        source.is_due = source.is_due or lost > 0  # else its timer is on the calendar
        self._end_blocked(source)
        end_ns = until_ns if until_ns < FOREVER_NS else MISSING_NS
        self._write_blocked(source.code, self.calendar.now_ns, end_ns, _DOWN)
        for receiver in self.subscribers:
            if not receiver.up:
                self._bury(receiver)
        return f"{lost} records in memory lost; what is wanted meanwhile waits"

    def _restart(self, source: Sending) -> None:
        """Let a source that crashed go on with what the world wants next."""
        source.is_down = source.was_blocked = False
        if source.loop is not None:
            now_ns = self.calendar.now_ns
            for _ in range(source.lost_users):
                self.timeline.settle(int(source.loop.answered(now_ns)))
        source.lost_users = 0
        self._resume(source)

    def _resume(self, source: Sending) -> None:
        """Let it see what has come, and go on."""
        for send in source.resume():
            if send.is_lost:
                self._repeat(send)
            else:
                self._answered(send)
        if source.is_due:
            source.is_due = False
            self._go_on(source)

    def _pause(self, receiver: Subscribing, until_ns: int) -> str:
        """Let what is at work, and all that arrives, wait for the end of a pause."""
        if not receiver.up:
            return "it was down"
        receiver.paused = True
        now_ns, send = self.calendar.now_ns, receiver.at_work
        if send is not None and send.ended_ns > now_ns:
            send.ended_ns += until_ns - now_ns
            if send.started_ns > now_ns:
                send.started_ns += until_ns - now_ns
            if until_ns < FOREVER_NS:
                self._end_at(send)
        return "it stands still; whoever sends to it waits"

    def _end(self, event: Event, target: Target) -> None:
        if isinstance(event, LinkEvent):
            return
        if target.kind == "source":
            source = self._source(target)
            if isinstance(event, Crash):
                self._restart(source)
            elif not source.is_down:  # a crash has ended it
                self._resume(source)
            return
        receiver = self.subscribers[self.names.index(target.name)]
        if isinstance(event, Slow):
            receiver.slowed = UNSLOWED
            return
        if isinstance(event, Pause):
            if not receiver.paused:
                return  # a crash has ended it
            receiver.paused = False
        receiver.up = True
        if receiver.at_work is None:
            self._work_on(receiver)

    def _finish(self) -> Result:
        for subscriber in self.subscribers:
            if subscriber.at_work is not None:
                self._write_unfinished(subscriber.at_work, IN_FLIGHT)
        for source in self.sources:
            self._end_blocked(source)
        if self._loops:
            number_events(self.recorder, self._loops, self.sources)
        write_records(self.recorder, self.plan, self.sources)
        names = tuple(self.names)
        for column in ("subscriber", "member"):
            self.recorder.labels("deliveries", column, names)
        self.recorder.labels("deliveries", "topic", ())
        self.recorder.labels("blocked", "source", tuple(self.plan.sources))
        self.recorder.labels("blocked", "cause", _BLOCKED_BY)
        write_drops(self.recorder, self.drops, self._loops, self.sources, names)
        write_links(self.recorder, self.sources, self.names)
        write_events(self.recorder, self.timeline.done)
        facts = run_facts(self.calendar, self.timeline)
        missing = (
            NOT_RECORDED
            | write_resources(self.recorder, self.meter, self.calendar.now_ns)
            | write_violations(self.recorder, self.inspection)
        )
        return self.recorder.finish(self.scenario, self.plan, facts, missing)
