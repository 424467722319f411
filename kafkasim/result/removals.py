"""What a subscriber never reads: passed by a reset position, or gone from its log."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.result.leaders import NEVER, leaders_of, met_by_readers
from kafkasim.result.resets import passed_ns
from kafkasim.result.rows import code, rows_with_label
from kafkasim.result.schema import REMOVED_BY
from kafkasim.result.table import Table
from kafkasim.result.wants import Want
from kafkasim.units import MISSING_NS

Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

_COMPACTION: Final = REMOVED_BY.index("compaction")


def passed_or_gone(
    want: Want, tables: Mapping[str, Table], rows: Int64
) -> tuple[Int64, Bool]:
    """Return when records left a subscriber's way, and which of them had left the log.

    Parameters
    ----------
    want : Want
        The subscriber's.
    tables : mapping of str to Table
        The run's: `records`, `deliveries`, and, if it has them, `assignments`,
        `removals` and `replicas`.
    rows : int64 array of shape (n,)
        Rows of `records`, none of which it has processed.

    Returns
    -------
    at_ns : int64 array of shape (n,), nanoseconds
        When it began to read beyond the record, or else when compaction removed the
        record; `MISSING_NS` when neither ever was: of what retention took, a subscriber
        learns at its reset.
    expired : bool array of shape (n,)
        Whether it left its log before a beginning had passed it; what the subscriber
        has at work when the run is cut is not so.
    """
    records = tables["records"]
    at_ns = np.full(len(rows), MISSING_NS, dtype=np.int64)
    expired = np.zeros(len(rows), dtype=np.bool_)
    if "assignments" in tables:
        at_ns = passed_ns(want, records, rows, tables["assignments"])
    if "removals" in tables and len(tables["removals"]):
        met_ns = met_by_readers(tables["removals"], leaders_of(tables))
        removal = _removal_of(records, rows, tables["removals"], met_ns)
        gone_ns = _times_of(removal, met_ns)
        in_time = (at_ns != MISSING_NS) & (at_ns < gone_ns)
        expired = (gone_ns != MISSING_NS) & ~in_time
        expired &= ~_at_work(want, tables["deliveries"], len(records))[rows]
        by_compaction = tables["removals"]["cause"][removal] == _COMPACTION
        at_ns = np.where(
            expired & by_compaction & (at_ns == MISSING_NS), gone_ns, at_ns
        )
    return at_ns, expired


def _at_work(want: Want, deliveries: Table, count: int) -> Bool:
    """Tell which records a subscriber held when the run was cut, by row."""
    mine = rows_with_label(deliveries, "subscriber", want.subscriber)
    held = deliveries["outcome"][mine] == code(deliveries, "outcome", "in_flight")
    at_work = np.zeros(count, dtype=np.bool_)
    at_work[deliveries["record_id"][mine][held]] = True
    return at_work


def removed_ns(records: Table, rows: Int64, removals: Table) -> Int64:
    """Return when each record left its log, by retention, DeleteRecords or compaction.

    Parameters
    ----------
    records : Table
    rows : int64 array of shape (n,)
        Rows of `records`.
    removals : Table
        Runs of offsets of one broker's logs.

    Returns
    -------
    int64 array of shape (n,), nanoseconds
        `MISSING_NS` for a record in no log, and for one that is still in its log.
    """
    met_ns = met_by_readers(removals, None)
    return _times_of(_removal_of(records, rows, removals, met_ns), met_ns)


def _times_of(removal: Int64, met_ns: Int64) -> Int64:
    """Return when each removal was met; `MISSING_NS` for −1."""
    return np.append(met_ns, MISSING_NS)[removal]


def _removal_of(records: Table, rows: Int64, removals: Table, met_ns: Int64) -> Int64:
    """Return the row of `removals` that each record is in; −1 for none.

    Of several the one that readers met first.
    """
    found = np.full(len(rows), -1, dtype=np.int64)
    in_log = np.flatnonzero(records["offset"][rows] >= 0)
    if not len(removals) or not len(in_log):
        return found
    offset = records["offset"][rows[in_log]]
    numbers = removals["partition"].astype(np.int64)
    theirs = records["partition"][rows[in_log]].astype(np.int64)
    span = max(int(numbers.max()), int(theirs.max())) + 1
    reach = max(int(offset.max()), int(removals["to_offset"].max())) + 1
    names = [code(records, "topic", name) for name in removals.labels["topic"]]
    topics = np.array(names, dtype=np.int64)[removals["topic"]]
    # One rising line: partitions one after the other, `reach` apart.
    number = topics * span + numbers
    base = number * reach
    own = (records["topic"][rows[in_log]] * np.int64(span) + theirs) * reach + offset
    logs = np.unique(number << 32 | removals["broker"])
    if len(logs) > len(np.unique(number)):  # of several copies
        ends = base + removals["from_offset"], base + removals["to_offset"]
        found[in_log] = _earliest(own, *ends, met_ns)
        return found
    first = base + removals["from_offset"]
    order = np.argsort(first, kind="stable")
    places = order[np.maximum(np.searchsorted(first[order], own, "right") - 1, 0)]
    inside = (first[places] <= own) & (
        own < base[places] + removals["to_offset"][places]
    )
    found[in_log[inside]] = places[inside]
    return found


def _earliest(places: Int64, first: Int64, end: Int64, met_ns: Int64) -> Int64:
    """Return for each place the run that readers met first of those it lies in.

    Parameters
    ----------
    places : int64 array of shape (n,)
    first, end : int64 arrays of shape (runs,)
        Runs of places, that may overlap.
    met_ns : int64 array of shape (runs,), nanoseconds
        `NEVER` for one that counts for nothing.

    Returns
    -------
    int64 array of shape (n,)
        −1 for a place in none.
    """
    order = np.argsort(places, kind="stable")
    ordered = places[order]
    lows, highs = np.searchsorted(ordered, first), np.searchsorted(ordered, end)
    found = np.full(len(places), -1, dtype=np.int64)
    for run in np.argsort(-met_ns, kind="stable").tolist():
        if met_ns[run] != NEVER:
            found[lows[run] : highs[run]] = run
    result = np.empty(len(places), dtype=np.int64)
    result[order] = found
    return result
