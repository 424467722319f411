"""The same world through several systems, side by side.

A comparison is honest when every system is given the same things to do: the same times,
entities, sizes and work, which the digests of the plans prove. Keys may differ, since a
key is how one system is told where a record goes; whose order matters (the entity) may
not, and where it is not named it moves with the key.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Literal

from kafkasim.analysis.measures import metrics, summary
from kafkasim.analysis.service import SERVICE, service, service_of_all
from kafkasim.catalogue import say
from kafkasim.errors import ValidationError
from kafkasim.experiments.running import enough_memory, run
from kafkasim.experiments.workers import over
from kafkasim.result.result import Result
from kafkasim.result.schema import ResultKind
from kafkasim.scenario.drawn_blocks import drawn_blocks, outline_of
from kafkasim.scenario.events import Event
from kafkasim.scenario.plan import Plan, PlanOutline, draw_plan
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import System
from kafkasim.scenario.traffic import Traffic

if TYPE_CHECKING:
    import pandas as pd


def compare(
    traffic: Traffic | Mapping[str, Scenario | Result],
    systems: Mapping[str, System] | None = None,
    *,
    seed: int = 0,
    events: Mapping[str, Sequence[Event]] | Sequence[Event] | None = None,
    per: Literal["subscriber", "system"] = "subscriber",
    progress: bool | None = None,
    result: ResultKind = "full",
) -> "pd.DataFrame":
    """Run the same traffic through several systems, or lay finished runs side by side.

    Parameters
    ----------
    traffic : Traffic, or mapping of name to Scenario or Result
        With a Traffic, `systems` says through what; a mapping says all itself.
    systems : mapping of name to system, optional
        Such as ``{"Kafka": Kafka(), "point to point": PointToPoint()}``.
    seed : int
        Of every run of `systems`.
    events : events, or mapping of name to events, optional
        What happens to each of the `systems`, or to which of them.
    per : "subscriber" or "system"
        Whether a row is a subscriber of a system, or a system as a whole.
    progress : bool, optional
        Whether to draw a bar on stderr; when not given, only on a terminal.
    result : "full" or "streamed"
        What each run that is made here keeps until it is measured; see `run`.

    Returns
    -------
    pandas.DataFrame
        `system`, `subscriber` (unless `per` is "system"), the metric columns, and those
        of `kafkasim.analysis.service`: order kept, redeliveries, what is left to read,
        what a latecomer gets, latency beside the slowest job, sources blocked, records
        refused.
        `attrs["notes"]`: what differs although it may (keys); `attrs["digests"]`:
        system → digest of its result.

    Raises
    ------
    ValidationError
        Before anything runs, when there is nothing to compare, when events are given
        for no system, or when times, entities, sizes or work differ; it names which.
    """
    import pandas as pd

    given = _given(traffic, systems, seed, events)
    plans = _plans(given, result)
    notes = differences(plans)
    measured = over(
        partial(_measure, per=per, kind=result),
        [(name, entry, plans[name]) for name, entry in given.items()],
        workers=1,
        progress=progress,
    )
    table = pd.concat([rows for rows, _ in measured], ignore_index=True)
    digests = dict(zip(given, [digest for _, digest in measured], strict=True))
    table.attrs = {"notes": notes, "digests": digests}
    return table


def differences(plans: Mapping[str, Plan | PlanOutline]) -> list[str]:
    """Return which columns differ between plans although they may: those of keys.

    Raises
    ------
    ValidationError
        When anything else differs; names the system, the columns and how to mend it.
    """
    first_name, first = next(iter(plans.items()))
    notes = []
    for name, plan in plans.items():
        differing = sorted(
            column
            for column in {*first.digests, *plan.digests}
            if first.digests.get(column) != plan.digests.get(column)
        )
        refused = [column for column in differing if not column.startswith("keys/")]
        if refused:
            why = say("{columns} differ", columns=", ".join(refused))
            if all(column.startswith("entity/") for column in refused):
                hint = say("name the sources' entity, else it moves with the key")
                why = f"{why}; {hint}"
            allowed = say(
                "the same times, entities, sizes and work as {first_name!r}",
                first_name=first_name,
            )
            raise ValidationError("compare", name, allowed, why)
        notes += [
            say("{column} of {name!r} differs", column=column, name=name)
            for column in differing
        ]
    return notes


def _given(
    traffic: Traffic | Mapping[str, Scenario | Result],
    systems: Mapping[str, System] | None,
    seed: int,
    events: Mapping[str, Sequence[Event]] | Sequence[Event] | None,
) -> dict[str, Scenario | Result]:
    happening: Mapping[str, Sequence[Event]] = (
        events
        if isinstance(events, Mapping)
        else dict.fromkeys(systems or {}, tuple(events or ()))
    )
    if isinstance(traffic, Traffic):
        given: dict[str, Scenario | Result] = {
            name: Scenario(traffic, system, seed, happening.get(name, ()))
            for name, system in (systems or {}).items()
        }
    elif systems is not None or events is not None:
        why = say("the mapping says which systems and events there are")
        raise ValidationError("systems", systems, say("nothing beside a mapping"), why)
    else:
        given = dict(traffic)
    if not given:
        raise ValidationError(
            "systems", systems, say("at least one system with its name")
        )
    strangers = sorted(set(happening) - set(given))
    if strangers:
        raise ValidationError(
            "events", strangers[0], say("one of {names}", names=", ".join(given))
        )
    return given


def _plans(
    given: Mapping[str, Scenario | Result], kind: ResultKind
) -> dict[str, Plan | PlanOutline]:
    """Return the plan of each, of streamed runs what can be held against others'.

    Equal traffic and seed share one.
    """
    drawn: dict[tuple[Traffic, int], Plan | PlanOutline] = {}
    plans: dict[str, Plan | PlanOutline] = {}
    for name, entry in given.items():
        if isinstance(entry, Result):
            plans[name] = entry.plan
            continue
        world = (entry.traffic, entry.seed)
        if world not in drawn:
            draw = draw_plan if kind == "full" else _draw_outline
            with enough_memory(entry.traffic, kind):
                drawn[world] = draw(*world)
        plans[name] = drawn[world]
    return plans


def _draw_outline(traffic: Traffic, seed: int) -> PlanOutline:
    """Draw a plan once, block by block, for its digests alone."""
    sources = drawn_blocks(traffic, seed)
    for source in sources:
        for _ in source:
            pass
    return outline_of(sources, traffic, seed)


def _measure(
    named: tuple[str, Scenario | Result, Plan | PlanOutline],
    *,
    per: str,
    kind: ResultKind,
) -> tuple["pd.DataFrame", str]:
    """Return a system's rows and its result's digest; the result itself is let go."""
    import pandas as pd

    name, entry, planned = named
    plan = planned if isinstance(planned, Plan) else None
    result = (
        entry
        if isinstance(entry, Result)
        else run(entry, plan=plan, result=kind, progress=False)
    )
    if per == "system":
        row = {"system": name, **metrics(result), **service_of_all(result)}
        return pd.DataFrame([row]), result.digest
    rows = summary(result).reset_index(drop=True)
    rows.insert(0, "system", name)
    beside = pd.DataFrame(service(result), columns=list(SERVICE))
    return pd.concat([rows, beside], axis="columns"), result.digest
