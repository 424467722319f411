"""What a system still holds, and what its subscribers have read, over time.

A log holds a record from its append until retention, compaction or an administrator
removes it, whoever read it. A queue holds it for a subscriber until that one has
acknowledged it: from when it came in (or, where that is not recorded, when the source
knew that it had or it was handed out, whichever was earlier) until every subscriber for
which it was queued is done with it. It is queued for nobody who came later, and what
was lost with the queue is held no more when the others are done. A system that hands
over directly holds nothing.
"""

from typing import TYPE_CHECKING

import numpy as np

from kafkasim.analysis.arrays import Bool, Int64, step_counts
from kafkasim.analysis.dealings import RECEIPT_OUTCOMES, dealings, outcome_codes
from kafkasim.analysis.frames import categorical, frame
from kafkasim.result.removals import removed_ns
from kafkasim.result.result import Result
from kafkasim.result.rows import code
from kafkasim.result.table import Table
from kafkasim.units import MISSING_NS, NS_PER_MS

if TYPE_CHECKING:
    import pandas as pd

_PENDING = RECEIPT_OUTCOMES.index("pending")


def held(result: Result) -> "pd.DataFrame":
    """Return how many records a system holds, at every change.

    Parameters
    ----------
    result : Result
        With the tables `records` and `deliveries`.

    Returns
    -------
    pandas.DataFrame
        `at_ms`, rising, from 0, and `held` (records) from then on.

    Raises
    ------
    TableNotRecorded
        When the run did not record those tables.
    """
    records = result.columns("records")
    in_log = records["offset"] >= 0
    since, until = _in_log(records, result) if in_log.any() else _queued(result)
    here = since != MISSING_NS
    gone = here & (until != MISSING_NS) & (until >= since)
    times = np.concatenate([[0], since[here], until[gone]])
    changes = np.repeat([0, 1, -1], [1, int(here.sum()), int(gone.sum())])
    at, counts = step_counts(times.astype(np.int64), changes)
    return frame(result, {"at_ms": at / NS_PER_MS, "held": counts})


def readings(result: Result) -> "pd.DataFrame":
    """Return how often subscribers were done with a record, at every time they were.

    Parameters
    ----------
    result : Result
        With the table `deliveries`.

    Returns
    -------
    pandas.DataFrame
        `subscriber`, `at_ms`, `readings` (records until then, each time they were read
        counted) and `first_readings` (those read for the first time); in order of time
        for each subscriber.

    Raises
    ------
    TableNotRecorded
        When the run did not record `deliveries`.
    """
    deliveries = result.columns("deliveries")
    done = np.flatnonzero(
        deliveries["outcome"] == code(deliveries, "outcome", "processed")
    )
    who, when = deliveries["subscriber"][done], deliveries["ended_ns"][done]
    order = np.lexsort((when, who))
    done, who, when = done[order], who[order].astype(np.int64), when[order]
    begins = np.searchsorted(who, who, side="left")
    places = np.arange(len(done))
    pairs = who << 40 | deliveries["record_id"][done]
    new = np.zeros(len(done), dtype=np.int64)
    new[np.unique(pairs, return_index=True)[1]] = 1
    sums = np.concatenate([[0], np.cumsum(new)])
    return frame(
        result,
        {
            "subscriber": categorical(who, deliveries.labels["subscriber"]),
            "at_ms": when / NS_PER_MS,
            "readings": places - begins + 1,
            "first_readings": sums[places + 1] - sums[begins],
        },
    )


def _in_log(records: Table, result: Result) -> tuple[Int64, Int64]:
    """Return from when until when a log has each record."""
    gone = np.full(len(records), MISSING_NS, dtype=np.int64)
    if "removals" in result.tables:
        rows = np.arange(len(records))
        gone = removed_ns(records, rows, result.columns("removals"))
    return records["appended_ns"], gone


def _queued(result: Result) -> tuple[Int64, Int64]:
    """Return from when until when each record is queued for anybody."""
    records = result.columns("records")
    count = len(records)
    until = np.full(count, MISSING_NS, dtype=np.int64)
    wanted = np.zeros(count, dtype=np.bool_)
    for dealing in dealings(result):
        codes = outcome_codes(dealing, records)
        mine = np.full(count, MISSING_NS, dtype=np.int64)
        mine[dealing.rows] = dealing.first_processed_ns
        until = np.maximum(until, mine)
        wanted[dealing.rows[codes == _PENDING]] = True
    since = _taken(result, until)
    until[wanted] = MISSING_NS
    never: Bool = (until == MISSING_NS) & ~wanted
    return np.where(never, MISSING_NS, since), until


def _taken(result: Result, until: Int64) -> Int64:
    """Return when a system had each record; `MISSING_NS` if it never did.

    It came in, or the source knew that it had, or it was handed out.
    """
    records, deliveries = result.columns("records"), result.columns("deliveries")
    came, never = records["appended_ns"], np.iinfo(np.int64).max
    taken = np.where(came == MISSING_NS, records["acked_ns"], came)
    taken[taken == MISSING_NS] = never
    fetched = deliveries["fetched_ns"]
    known = fetched != MISSING_NS
    np.minimum.at(taken, deliveries["record_id"][known], fetched[known])
    taken = np.where(until == MISSING_NS, taken, np.minimum(taken, until))
    return np.where(taken == never, MISSING_NS, taken)
