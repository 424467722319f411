"""What a point-to-point run writes at its end: columns per event, and links."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from kafkasim.engine.sim.plan_columns import plan_columns
from kafkasim.engine.sim.systems.ends import Sending
from kafkasim.result.recorder import Recorder
from kafkasim.result.schema import OUTCOMES
from kafkasim.scenario.plan import Plan
from kafkasim.units import MISSING_NS

ROW_SHIFT: Final = 40
"""An event's row is its source's code and its ordinal while rows are not known."""


def write_records(recorder: Recorder, plan: Plan, sources: Sequence[Sending]) -> None:
    """Write the `records` table: what was planned, and what closed loops sent."""
    sent = {source.plan.source: source.plan for source in sources}
    columns, labels = plan_columns(replace(plan, sources=sent))
    count = len(columns["record_id"])
    acked = np.concatenate([source.acked_ns for source in sources])
    outcomes = OUTCOMES["records"]
    columns |= {
        "created_ns": np.concatenate([source.created_ns for source in sources]),
        "acked_ns": acked,
        "outcome": np.where(
            acked == MISSING_NS,
            outcomes.index("in_flight"),
            outcomes.index("acked"),
        ).astype(np.int8),
        "error": np.full(count, -1, np.int8),
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
    labels |= {"topic": (), "error": (), "caused_by": ()}
    recorder.hash_array("created", columns["created_ns"])
    recorder.hash_array("acked", acked)
    recorder.columns("records", columns, labels)


def write_links(
    recorder: Recorder, sources: Sequence[Sending], names: Sequence[str]
) -> None:
    """Write who sent how much to whom; `names` are the subscribers'."""
    write = recorder.writer("links")
    hosts = [f"source:{source.plan.source}" for source in sources]
    hosts += [f"subscriber:{name}" for name in names]
    for source in sources:
        for position, (subscriber, _) in enumerate(source.wants):
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
    recorder: Recorder, loops: Sequence[Sending], sources: Sequence[Sending]
) -> None:
    """Give the events of loops their rows, now that it is known how many there are.

    Parameters
    ----------
    recorder : Recorder
        Its `deliveries` know an event by `ROW_SHIFT`.
    loops, sources : sequence of Sending
        Those of a closed loop, and all.
    """
    for source in loops:
        source.cut(source.next_ordinal)
    sizes = [len(source.created_ns) for source in sources]
    bases = np.cumsum([0, *sizes])
    numbers = recorder.rows("deliveries")["record_id"]
    codes = numbers >> ROW_SHIFT
    numbers[:] = bases[codes] + numbers - (codes << ROW_SHIFT)
