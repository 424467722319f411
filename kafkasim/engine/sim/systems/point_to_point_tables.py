"""What a point-to-point run writes at its end: columns per event, and links."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.engine.sim.plan_columns import plan_columns
from kafkasim.engine.sim.systems.ends import Sending, SourceEvents
from kafkasim.engine.sim.systems.sends import CAUSES
from kafkasim.result.recorder import Recorder
from kafkasim.result.schema import OUTCOMES, TABLES
from kafkasim.scenario.plan import Plan
from kafkasim.units import MISSING_NS

ROW_SHIFT: Final = 40
"""An event's row is its source's code and its ordinal while rows are not known."""


def write_records(
    recorder: Recorder, plan: Plan, sources: Sequence[SourceEvents]
) -> None:
    """Write the `records` table: what was planned, and what closed loops sent."""
    sent = {source.plan.source: source.plan for source in sources}
    columns, labels = plan_columns(replace(plan, sources=sent))
    count = len(columns["record_id"])
    acked = np.concatenate([source.acked_ns for source in sources])
    outcome, error = _outcomes(acked, sources)
    columns |= {
        "created_ns": np.concatenate([source.created_ns for source in sources]),
        "acked_ns": acked,
        "outcome": outcome,
        "error": error,
        "batch_id": np.full(count, -1, np.int64),
        "batch_index": np.full(count, -1, np.int32),
        "send_count": np.concatenate([source.send_count for source in sources]),
        "log_copies": np.zeros(count, np.int16),
        "resend_of": np.full(count, -1, np.int64),
        "caused_by": np.full(count, -1, np.int16),
        "topic": np.full(count, -1, np.int16),
        "partition": np.full(count, -1, np.int32),
        "offset": np.full(count, -1, np.int64),
        "appended_ns": np.full(count, MISSING_NS, np.int64),
        "committed_ns": np.full(count, MISSING_NS, np.int64),
    }
    labels |= {"topic": (), "error": CAUSES, "caused_by": ()}
    recorder.hash_array("created", columns["created_ns"])
    recorder.hash_array("acked", acked)
    recorder.columns("records", columns, labels)


def _outcomes(
    acked_ns: NDArray[np.int64], sources: Sequence[SourceEvents]
) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Return what became of each event at its source, and why it failed."""
    names = OUTCOMES["records"]
    found = np.full(len(acked_ns), names.index("in_flight"), np.int8)
    found[acked_ns != MISSING_NS] = names.index("acked")
    causes = np.full(len(acked_ns), -1, np.int8)
    base = 0
    for source in sources:
        failed = base + np.array(list(source.failed), np.int64)
        found[failed] = names.index("failed")
        causes[failed] = list(source.failed.values())
        base += len(source.created_ns)
    return found, causes


def write_links(
    recorder: Recorder, sources: Sequence[Sending], names: Sequence[str]
) -> None:
    """Write who sent how much to whom; `names` are the subscribers'."""
    write = recorder.writer("links")
    hosts = [f"source:{source.plan.source}" for source in sources]
    hosts += [f"subscriber:{name}" for name in names]
    for source in sources:
        for position, subscriber in enumerate(source.wants):
            write(
                source.code,
                len(sources) + subscriber.code,
                1,
                source.sends[position],
                source.sent_bytes[position],
            )
    recorder.labels("links", "sender", hosts)
    recorder.labels("links", "receiver", hosts)


def number_events(
    recorder: Recorder,
    loops: Sequence[SourceEvents],
    sources: Sequence[SourceEvents],
    tables: Sequence[str] = ("deliveries",),
) -> None:
    """Give the events of loops their rows, now that it is known how many there are.

    Parameters
    ----------
    recorder : Recorder
    loops, sources : sequence of SourceEvents
        Those of a closed loop, and all.
    tables : sequence of str
        Those whose rows know an event by `ROW_SHIFT`.
    """
    for source in loops:
        source.cut(source.next_ordinal)
    for table in tables:
        numbers = recorder.rows(table)["record_id"]
        numbers[:] = _rows_of(numbers, sources)


def write_drops(
    recorder: Recorder,
    drops: Sequence[tuple[int, int, int, int]],
    loops: Sequence[SourceEvents],
    sources: Sequence[SourceEvents],
    names: Sequence[str],
) -> None:
    """Write the `drops` table, beside the digest: it follows from what is in it.

    Parameters
    ----------
    recorder : Recorder
    drops : sequence of rows
        Record, subscriber, time and cause; with `loops` records are known by
        `ROW_SHIFT`, and their sources have been cut.
    loops, sources : sequence of SourceEvents
        Those of a closed loop, and all.
    names : sequence of str
        The subscribers'.
    """
    rows = np.array(drops, np.int64).reshape(len(drops), 4)
    if loops:
        rows[:, 0] = _rows_of(rows[:, 0], sources)
    columns = {
        column.name: rows[:, place].astype(column.dtype)
        for place, column in enumerate(TABLES["drops"])
    }
    labels = {"subscriber": tuple(names), "cause": CAUSES}
    recorder.columns("drops", columns, labels)


def _rows_of(
    numbers: NDArray[np.int64], sources: Sequence[SourceEvents]
) -> NDArray[np.int64]:
    """Return rows of `records` in place of source and ordinal."""
    bases = np.cumsum([0, *(len(source.created_ns) for source in sources)])
    codes = numbers >> ROW_SHIFT
    rows: NDArray[np.int64] = bases[codes] + numbers - (codes << ROW_SHIFT)
    return rows
