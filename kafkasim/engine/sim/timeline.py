"""When a run ends, and what a scenario does to the system on the way.

A run that drains ends when nothing is left to settle: every record has its final
outcome at its producer and every wanted record has been processed. Heartbeats, idle
fetches and timers are no progress; when no record-level row was written for
`drain_limit_s` and no work is under way, the run ends and the rest is pending.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from kafkasim.engine.sim.calendar import (
    ACTOR_BITS,
    SEQUENCE_BITS,
    Calendar,
    Rank,
    key_base,
)
from kafkasim.engine.sim.invariants import Inspection
from kafkasim.ids import Target
from kafkasim.scenario.applicability import (
    NOT_APPLICABLE,
    NOT_REACHED,
    not_applicable,
)
from kafkasim.scenario.events import Event
from kafkasim.scenario.scenario import Scenario
from kafkasim.units import ENDLESS_NS, FOREVER_NS, MISSING_NS, ns_from_s

REPORTS: Final = 200
"""How often a run says how far it is, while records are sent."""

Report = Callable[[int, int], object]
"""Takes the simulated time in nanoseconds, and how much is left to settle."""

_LAST_ACTOR: Final = (1 << ACTOR_BITS) - 1


@dataclass(slots=True)
class DoneEvent:
    """A row of `events` in the making."""

    event: str
    target: str
    at_ns: int
    until_ns: int
    effect: str


def span_ns(event: Event) -> tuple[int, int]:
    """Return when an event begins and when it is undone (`FOREVER_NS`: never)."""
    at_ns = ns_from_s(event.at_s)
    if event.for_s is None:
        return at_ns, FOREVER_NS
    return at_ns, at_ns + max(1, ns_from_s(event.for_s))


class Timeline:
    """Ends the run and does the scenario's events.

    Parameters
    ----------
    calendar : Calendar
        The run's calendar.
    scenario : Scenario
        Resolved.

    Attributes
    ----------
    unsettled : int
        Records × (producer and wanting subscribers) that have to be settled; whoever
        makes the timeline adds them.
    """

    def __init__(self, calendar: Calendar, scenario: Scenario) -> None:
        self.calendar = calendar
        self._traffic, self._system = scenario.traffic, scenario.system
        self.unsettled = 0
        self.done: list[DoneEvent] = []
        self._scheduled: list[DoneEvent] = []
        self._drains = scenario.end == "drain"
        self._duration_ns = ns_from_s(scenario.traffic.duration_s)
        self._limit_ns = ns_from_s(scenario.drain_limit_s)
        self._settled_ns = 0
        self._moved_ns = 0
        """When something was last settled, work that is under way aside."""
        self._quiet = 0
        self._end_key = key_base(Rank.COMMAND, 0)
        self._key = self._end_key + (1 << SEQUENCE_BITS - 1)

    def command(
        self,
        at_ns: int,
        function: Callable[[Any], object],
        argument: Any,  # noqa: ANN401 - whatever the function takes
    ) -> None:
        """Call a function at a time, before all else at that time."""
        self._key += 1
        self.calendar.at(at_ns, self._key, function, argument)

    def schedule(
        self,
        event: Event,
        begin: Callable[[Event, Target, int], str],
        end: Callable[[Event, Target], None],
    ) -> None:
        """Do an event to its target.

        Parameters
        ----------
        event : Event
            What the scenario says.
        begin : callable
            Takes the event, its target, and when it will be undone
            (`FOREVER_NS`: never); returns its effect in words.
        end : callable
            Undoes it.
        """
        target = Target.parse(event.target)
        at_ns, until_ns = span_ns(event)
        row = DoneEvent(
            type(event).__name__,
            event.target,
            at_ns,
            MISSING_NS,
            f"{NOT_REACHED}: the run was over",
        )
        self._scheduled.append(row)
        why_not = not_applicable(event, self._traffic, self._system)
        if why_not:
            row.effect = f"{NOT_APPLICABLE}: {why_not}"

        def begins(_: object) -> None:
            if not why_not:
                row.effect = begin(event, target, until_ns)
            self.done.append(row)
            if until_ns != FOREVER_NS and not why_not:
                row.until_ns = until_ns
                # What ends at a time ends before anything begins at it.
                self._end_key += 1
                self.calendar.at(until_ns, self._end_key, ends, None)

        def ends(_: object) -> None:
            end(event, target)

        self.command(at_ns, begins, None)

    @property
    def duration_ns(self) -> int:
        """When sources cease to emit."""
        return self._duration_ns

    @property
    def gives_up_ns(self) -> int:
        """When a run that drains gives up, if nothing happens after the duration."""
        return self._duration_ns + self._limit_ns

    def settle(self, count: int) -> None:
        """Count what has become final; end the run when it was the last."""
        if self._quiet:
            quiet = min(count, self._quiet)
            self._quiet -= quiet
            self.unsettled -= quiet
            count -= quiet
            if not count:
                return
        self._moved_ns = self.calendar.now_ns
        if self._moved_ns > self._settled_ns:
            self._settled_ns = self._moved_ns
        self.unsettled -= count
        if self.unsettled <= 0 and self._drains:
            self.calendar.stop()

    def renew(self, count: int, quiet: int) -> None:
        """Count what is to become final once more; so much of the next is no progress.

        A record that failed and is sent again has brought the run no nearer to its end.
        """
        self.unsettled += count
        self._quiet += quiet

    def expect(self, end_ns: int) -> None:
        """Note that work under way ends then: until it does, the run is not stuck.

        Unless it never does; or nothing has been settled for so long that what is done
        now has been done before.
        """
        last_ns = max(self._moved_ns, self._duration_ns)
        if self.calendar.now_ns > last_ns + self._limit_ns:
            return
        if self._settled_ns < end_ns < ENDLESS_NS:
            self._settled_ns = end_ns

    def report(self, report: Report) -> None:
        """Call `report` 200 times while records are sent, and now and then after that.

        Its entries have keys of their own and are not counted, so a run is the same
        with them and without; how often it is called while the run drains falls with
        the time that takes.
        """
        step_ns = max(1, self._duration_ns // REPORTS)
        key = key_base(Rank.COMMAND, _LAST_ACTOR)

        def tick(number: int) -> None:
            self.calendar.entry_count -= 1
            now_ns = self.calendar.now_ns
            report(now_ns, self.unsettled)
            over_ns = max(0, now_ns - self._duration_ns)
            next_ns = now_ns + max(step_ns, over_ns)
            self.calendar.at(next_ns, key + number + 1, tick, number + 1)

        self.calendar.at(step_ns, key, tick, 0)

    def run(self, inspection: Inspection | None = None) -> None:
        """Run the calendar to the end of the run, inspecting it when asked."""
        if self.unsettled or not self._drains:
            self._run(inspection)
        begun = {id(row) for row in self.done}
        missed = (row for row in self._scheduled if id(row) not in begun)
        for row in sorted(missed, key=lambda each: each.at_ns):
            self.done.append(row)

    def _run(self, inspection: Inspection | None) -> None:
        until_ns = self._duration_ns
        if self._drains:
            until_ns = FOREVER_NS
            self._watch(None)
        if inspection is None:
            self.calendar.run_entries(until_ns)
        else:
            inspection.inspect(self.calendar.now_ns)
            while not self.calendar.stopped and self.calendar.peek() <= until_ns:
                self.calendar.step()
                inspection.inspect(self.calendar.now_ns)
        if not self._drains:
            self.calendar.now_ns = until_ns

    def _watch(self, _: object) -> None:
        limit_ns = max(self._settled_ns, self._duration_ns) + self._limit_ns
        if self.calendar.now_ns >= limit_ns:
            self.calendar.stop()
        else:
            self.command(limit_ns, self._watch, None)
