"""What every system writes the same way."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kafkasim.engine.sim.calendar import Calendar
from kafkasim.engine.sim.invariants import Inspection, Violation
from kafkasim.engine.sim.meter import Meter
from kafkasim.engine.sim.timeline import DoneEvent, Timeline
from kafkasim.result.recorder import Recorder
from kafkasim.result.result import Result
from kafkasim.result.schema import RESOURCE_KINDS, TABLES
from kafkasim.result.table import Table


def write_events(recorder: Recorder, done: Sequence[DoneEvent]) -> None:
    """Write the `events` table."""
    write = recorder.writer("events")
    names = [
        sorted({getattr(row, column) for row in done})
        for column in ("event", "target", "effect")
    ]
    for column, labels in zip(("event", "target", "effect"), names, strict=True):
        recorder.labels("events", column, labels)
    events, targets, effects = names
    for row in done:
        write(
            events.index(row.event),
            targets.index(row.target),
            row.at_ns,
            row.until_ns,
            effects.index(row.effect),
        )


def write_violations(
    recorder: Recorder, inspection: Inspection | None
) -> dict[str, str]:
    """Write the `violations` table; return why it is missing when nobody looked.

    It is not part of the digest: looking changes nothing of what happened.
    """
    if inspection is None:
        return {"violations": "run with check=True"}
    recorder.columns("violations", *_columns(inspection.violations))
    return {}


def write_resources(
    recorder: Recorder, meter: Meter | None, end_ns: int
) -> dict[str, str]:
    """Write the `resources` table; return why it is missing when nobody measured.

    It is not part of the digest: measuring changes nothing of what happened.
    """
    if meter is None:
        return {"resources": "run with resources=True"}
    tracks = sorted(
        meter.tracks, key=lambda each: (each.resource, RESOURCE_KINDS.index(each.kind))
    )
    names = tuple(sorted({track.resource for track in tracks}))
    rows = [
        (names.index(track.resource), RESOURCE_KINDS.index(track.kind), *row)
        for track in tracks
        for row in track.rows(end_ns)
    ]
    columns = {
        column.name: np.array([row[place] for row in rows], column.dtype)
        for place, column in enumerate(TABLES["resources"])
    }
    recorder.columns("resources", columns, {"resource": names})
    return {}


def inspected(result: Result, inspection: Inspection | None) -> Result:
    """Return the result with what its tables show to be wrong among the violations.

    Only a full result can be held against what the engine counted.
    """
    if inspection is None or "deliveries" not in result.tables:
        return result
    if not inspection.hold_against(result):
        return result
    tables = {name: result.columns(name) for name in result.tables}
    tables["violations"] = Table("violations", *_columns(inspection.violations))
    return Result(
        scenario=result.scenario,
        plan=result.plan,
        facts=result.facts,
        digests=result.digests,
        tables=tables,
        not_recorded=result.not_recorded,
    )


def _columns(
    found: Sequence[Violation],
) -> tuple[dict[str, NDArray[np.generic]], dict[str, tuple[str, ...]]]:
    """Return columns and labels of `violations`."""
    columns: dict[str, NDArray[np.generic]] = {}
    labels: dict[str, tuple[str, ...]] = {}
    for column in TABLES["violations"]:
        if column.kind == "time":
            columns[column.name] = np.array([v.at_ns for v in found], column.dtype)
            continue
        texts = [getattr(violation, column.name) for violation in found]
        labels[column.name] = tuple(sorted(set(texts)))
        codes = [labels[column.name].index(text) for text in texts]
        columns[column.name] = np.array(codes, column.dtype)
    return columns, labels


def run_facts(calendar: Calendar, timeline: Timeline) -> dict[str, int | float | str]:
    """Return what the engine says of the run.

    `end_ns` is when it ended, `calendar_entries` how many entries and events ran,
    `drained` whether nothing was left to settle.
    """
    return {
        "engine": "sim",
        "end_ns": calendar.now_ns,
        "calendar_entries": calendar.entry_count,
        "drained": int(timeline.unsettled <= 0),
    }
