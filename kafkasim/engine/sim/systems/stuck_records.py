"""Records whose work takes very long, or never ends, as events say."""

from collections.abc import Callable, Iterable
from typing import Final

from kafkasim.ids import Target
from kafkasim.result.result import Result
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
        where = _whose(event), event.source
        column = work_ns[where].copy()
        if event.ordinal < len(column):
            column[event.ordinal] = work_of(event)
        column.flags.writeable = False
        work_ns[where] = column
    return Plan(plan.seed, plan.duration_ns, plan.sources, work_ns, plan.work_laws)


def stuck_in_loop(events: Iterable[Event], source: str) -> dict[str, dict[int, int]]:
    """Return the same of a closed loop, none of whose records a plan knows.

    Returns
    -------
    dict of str to dict of int to int
        By subscriber and ordinal: work on the source's record, nanoseconds.
    """
    found: dict[str, dict[int, int]] = {}
    for event in events:
        if isinstance(event, StuckRecord) and event.source == source:
            found.setdefault(_whose(event), {})[event.ordinal] = work_of(event)
    return found


def of_the_world(done: Result, plan: Plan | None) -> Result:
    """Return a result with the plan as the world wants it, without what events did.

    Parameters
    ----------
    done : Result
        Of a run of that plan, with the work on some records as events say.
    plan : Plan or None
        None: no event says so.
    """
    if plan is None or done.plan is plan:
        return done
    return Result(
        scenario=done.scenario,
        plan=plan,
        facts=done.facts,
        digests=done.digests,
        tables={name: done.columns(name) for name in done.tables},
        not_recorded=done.not_recorded,
    )


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
    source = plan.sources[event.source]
    count = None if source.law else len(source)
    return lambda *_: told(event, count)


def told(event: StuckRecord, count: int | None) -> str:
    """Return in words what an event does; so many records has its source.

    None: as many as a closed loop comes to send.
    """
    if count is not None and event.ordinal >= count:
        return f"{event.source} sends {count} records only"
    lasts = "never ends" if event.work_ms is None else f"takes {event.work_ms:g} ms"
    return f"work on record {event.ordinal} of {event.source} {lasts}"


def _whose(event: StuckRecord) -> str:
    """Return the subscriber at work."""
    return event.target.removeprefix(_SUBSCRIBER)
