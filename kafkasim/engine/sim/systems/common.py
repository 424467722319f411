"""What every system writes the same way."""

from collections.abc import Sequence

from kafkasim.engine.sim.calendar import Calendar
from kafkasim.engine.sim.invariants import Inspection
from kafkasim.engine.sim.timeline import DoneEvent, Timeline
from kafkasim.result.recorder import Recorder


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
    """Write the `violations` table; return why it is missing when nobody looked."""
    if inspection is None:
        return {"violations": "run with check=True"}
    write = recorder.writer("violations")
    found = inspection.violations
    rules = sorted({row.rule for row in found})
    places = sorted({row.where for row in found})
    texts = sorted({row.text for row in found})
    for row in found:
        write(
            rules.index(row.rule),
            row.at_ns,
            places.index(row.where),
            texts.index(row.text),
        )
    for column, names in (("rule", rules), ("where", places), ("text", texts)):
        recorder.labels("violations", column, names)
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
