"""Records whose work takes very long, or never ends, as events say."""

from collections.abc import Callable, Iterable
from typing import Final

from kafkasim.ids import Target
from kafkasim.scenario.events import Event
from kafkasim.scenario.member_events import StuckRecord
from kafkasim.scenario.plan import Plan
from kafkasim.units import ENDLESS_NS, ns_from_ms

Begin = Callable[[Event, Target, int], str]
"""Does an event to its target, undone at a time (ns); returns its effect in words."""

_SUBSCRIBER: Final = "subscriber:"


def stuck(plan: Plan, events: Iterable[Event]) -> Plan:
    """Return the plan with the work on some of its records as events say.

    Parameters
    ----------
    plan : Plan
        As the world wants it.
    events : iterable of Event
        Those that are `StuckRecord` count; of two for one record the last one.
    """
    wanted = [event for event in events if isinstance(event, StuckRecord)]
    if not wanted:
        return plan
    work_ns = dict(plan.work_ns)
    for event in wanted:
        where = event.target.removeprefix(_SUBSCRIBER), event.source
        column = work_ns[where].copy()
        if event.ordinal < len(column):
            column[event.ordinal] = work_of(event)
        column.flags.writeable = False
        work_ns[where] = column
    return Plan(plan.seed, plan.duration_ns, plan.sources, work_ns, plan.work_laws)


def work_of(event: StuckRecord) -> int:
    """Return how long the work takes, in nanoseconds; `ENDLESS_NS`: for ever."""
    return ENDLESS_NS if event.work_ms is None else ns_from_ms(event.work_ms)


def beginning(event: Event, plan: Plan, begin: Begin) -> Begin:
    """Return what does an event: of a stuck record it is only said what it does.

    Parameters
    ----------
    event : Event
    plan : Plan
        The run's, with that record's work as long as the event says.
    begin : callable
        What does any other event.
    """
    if not isinstance(event, StuckRecord):
        return begin
    count = len(plan.sources[event.source])
    return lambda *_: told(event, count)


def told(event: StuckRecord, count: int) -> str:
    """Return in words what an event does; so many records has its source."""
    if event.ordinal >= count:
        return f"{event.source} sends {count} records only"
    lasts = "never ends" if event.work_ms is None else f"takes {event.work_ms:g} ms"
    return f"work on record {event.ordinal} of {event.source} {lasts}"
