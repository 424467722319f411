"""What every system writes the same way."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kafkasim.engine.sim.calendar import Calendar
from kafkasim.engine.sim.invariants import Inspection
from kafkasim.engine.sim.timeline import DoneEvent, Timeline
from kafkasim.result.recorder import Recorder
from kafkasim.result.schema import TABLES


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
    found = inspection.violations
    columns: dict[str, NDArray[np.generic]] = {}
    labels = {}
    for column in TABLES["violations"]:
        if column.kind == "time":
            columns[column.name] = np.array([v.at_ns for v in found], column.dtype)
            continue
        texts = [getattr(violation, column.name) for violation in found]
        labels[column.name] = tuple(sorted(set(texts)))
        codes = [labels[column.name].index(text) for text in texts]
        columns[column.name] = np.array(codes, column.dtype)
    recorder.columns("violations", columns, labels)
    return {}


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
