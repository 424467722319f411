"""What a run sent, and how long it was worked on, beside what the world wanted."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from kafkasim.analysis.arrays import Bool, Int64, step_counts
from kafkasim.engine.sim.plan_columns import plan_columns
from kafkasim.result.result import Result
from kafkasim.result.table import Table
from kafkasim.scenario.applicability import befell
from kafkasim.scenario.arrivals import ClosedLoop
from kafkasim.scenario.events import Event
from kafkasim.scenario.member_events import StuckRecord
from kafkasim.scenario.plan import Plan
from kafkasim.units import MISSING_NS, ns_from_ms, ns_from_s

_UNKNOWN: Final = -1
"""Work of which nothing is known before."""


def text_of(table: Table, column: str) -> Any:  # noqa: ANN401 - an array of text
    """Return a label column as text; empty for none."""
    return np.array([*table.labels[column], ""], dtype=object)[table[column]]


def rows_told(bad: Bool, what: str) -> Iterator[str]:
    """Yield which records are so, the first of many."""
    rows = np.flatnonzero(bad)
    if len(rows):
        more = f", and {len(rows) - 1} more" if len(rows) > 1 else ""
        yield f"record {rows[0]}{more}: {what}"


def is_over(result: Result) -> bool:
    """Return whether the run went on until nothing was left."""
    return bool(result.facts["drained"]) and result.scenario.end == "drain"


def applied(result: Result) -> list[Event]:
    """Return the events that befell the system."""
    done = result.table("events")
    at_ns = result.columns("events")["at_ns"].tolist()
    effects = done["effect"].astype(str)
    rows = zip(done["event"], done["target"], at_ns, effects, strict=True)
    idle = {(what, whom, at) for what, whom, at, effect in rows if not befell(effect)}
    return [
        event
        for event in result.scenario.events
        if (type(event).__name__, event.target, ns_from_s(event.at_s)) not in idle
    ]


# --- what was sent --------------------------------------------------------------------


def sent(result: Result) -> Iterator[str]:
    """Yield records that differ from what the world wanted, or have no end."""
    records = result.columns("records")
    loops = _loops(result)
    in_loop = np.isin(text_of(records, "source").astype(str), list(loops))
    yield from _sent_as_planned(result, records, np.flatnonzero(~in_loop))
    for name, law in loops.items():
        mine = np.flatnonzero(text_of(records, "source") == name)
        yield from _sent_in_turn(result, name, law, mine)
    yield from _sent_in_time(result, records)


def _loops(result: Result) -> dict[str, ClosedLoop]:
    sources = result.scenario.resolve().traffic.sources
    laws = {name: source.arrivals for name, source in sources.items()}
    return {name: law for name, law in laws.items() if isinstance(law, ClosedLoop)}


def _sent_as_planned(result: Result, records: Table, rows: Int64) -> Iterator[str]:
    """Yield what differs of the records of open loops; `rows` are theirs."""
    plan = result.plan
    assert isinstance(plan, Plan)
    wanted, labels = plan_columns(plan)
    planned = len(wanted.pop("record_id"))
    if len(rows) < planned:
        yield f"records has {len(rows)} rows; the world wants {planned} records sent"
        return
    first = rows[:planned]
    for column, values in wanted.items():
        own = records[column][first]
        if column in labels:
            own = text_of(records, column)[first]
            values = np.array([*labels[column], ""], dtype=object)[values]  # noqa: PLW2901
        if (own != values).any():
            place = int(np.flatnonzero(own != values)[0])
            is_, should = own.tolist()[place], values.tolist()[place]
            yield (
                f"records.{column} of record {first[place]} is {is_!r}, "
                f"the world wants {should!r}"
            )
    added = rows[planned:][records["resend_of"][rows[planned:]] < 0]
    if len(added):
        yield f"record {added[0]} is none that the world wants, nor one sent again"


def _sent_in_turn(
    result: Result, name: str, law: ClosedLoop, rows: Int64
) -> Iterator[str]:
    """Yield if more records of a closed loop were on their way than it has users."""
    records = result.columns("records")
    stream = result.scenario.traffic.sources[name].stream
    if (text_of(records, "stream")[rows] != stream).any():
        yield f"{name} sent what is not of {stream}"
    instances = getattr(result.scenario.resolve().system, "producers", {})
    count = getattr(instances.get(name), "instances", 1)
    created, acked = records["created_ns"][rows], records["acked_ns"][rows]
    went = (created != MISSING_NS) & (acked != MISSING_NS)
    ones = np.ones(int(went.sum()), dtype=np.int64)
    times = np.concatenate([created[went], acked[went]])
    _, waiting = step_counts(times, np.concatenate([ones, -ones]))
    most = int(waiting.max(initial=0))
    users = law.outstanding * max(1, count)
    if not applied(result) and most > users:
        yield f"{name} had {most} records on their way, and has {users} users"


def _sent_in_time(result: Result, records: Table) -> Iterator[str]:
    created, acked = records["created_ns"], records["acked_ns"]
    intended = records["intended_ns"]
    ending = text_of(records, "outcome")
    told = (created != MISSING_NS) & (created < intended)
    yield from rows_told(told, "was created before it was intended")
    early = (acked != MISSING_NS) & ((created == MISSING_NS) | (acked < created))
    yield from rows_told(early, "was acknowledged before it was created")
    yield from rows_told(
        (ending == "acked") & (acked == MISSING_NS), "acked at no time"
    )
    silent = (records["error"] < 0) & (records["caused_by"] < 0)
    yield from rows_told((ending == "failed") & silent, "failed without an error")
    yield from rows_told(ending == "", "has no outcome")
    if is_over(result):
        flying = ending == "in_flight"
        yield from rows_told(flying, "is in flight though the run drained")


# --- work -----------------------------------------------------------------------------


def worked(result: Result) -> Iterator[str]:
    """Yield records on which somebody worked not as long as the world says.

    Slowness may make it longer, and so may whatever befalls who works.
    """
    records, handed = result.columns("records"), result.columns("deliveries")
    done = text_of(handed, "outcome") == "processed"
    done &= (handed["started_ns"] != MISSING_NS) & (handed["ended_ns"] != MISSING_NS)
    rows = handed["record_id"]
    took = handed["ended_ns"] - handed["started_ns"]
    who = text_of(handed, "subscriber")
    is_calm = all(isinstance(event, StuckRecord) for event in applied(result))
    for name in result.scenario.traffic.subscribers:
        work = _work_ns(result, name, len(records))
        for place, of in enumerate(records["resend_of"].tolist()):
            if of >= 0:  # of an earlier one, whose work is known by now
                work[place] = work[of]
        mine = np.flatnonzero(done & (who == name) & (work[rows] != _UNKNOWN))
        wrong = took[mine] < work[rows[mine]]
        if is_calm:
            wrong = took[mine] != work[rows[mine]]
        found = np.zeros(len(records), dtype=np.bool_)
        found[rows[mine[wrong]]] = True
        yield from rows_told(found, f"{name} did not work on it as long as it takes")


def _work_ns(result: Result, subscriber: str, count: int) -> Int64:
    """Return a subscriber's work on each record; `_UNKNOWN` where it is not known."""
    plan, records = result.plan, result.columns("records")
    assert isinstance(plan, Plan)
    law = result.scenario.resolve().traffic.subscribers[subscriber].work_ms
    work = np.full(count, _UNKNOWN, np.int64)
    names = text_of(records, "source")
    for (reader, source), column in plan.work_ns.items():
        if reader != subscriber:
            continue
        mine = np.flatnonzero((names == source) & (records["resend_of"] < 0))
        if not plan.sources[source].law:
            work[mine[: len(column)]] = column[: len(mine)]
        elif isinstance(law, int | float):
            work[mine] = max(1, ns_from_ms(law))
        for event in result.scenario.events:
            if not isinstance(event, StuckRecord) or event.source != source:
                continue
            if event.target == f"subscriber:{subscriber}" and event.ordinal < len(mine):
                lasts = event.work_ms
                stuck = _UNKNOWN if lasts is None else ns_from_ms(lasts)
                work[mine[event.ordinal]] = stuck
    return work
