"""What a subscriber never reads: passed by a reset position, or gone from its log."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

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
        The run's: `records`, `deliveries`, and, if it has them, `assignments` and
        `removals`.
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
        removal = _removal_of(records, rows, tables["removals"])
        gone_ns = _times_of(removal, tables["removals"])
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
        Runs of offsets, no two of one partition overlapping.

    Returns
    -------
    int64 array of shape (n,), nanoseconds
        `MISSING_NS` for a record in no log, and for one that is still in its log.
    """
    return _times_of(_removal_of(records, rows, removals), removals)


def _times_of(removal: Int64, removals: Table) -> Int64:
    """Return when each removal was; `MISSING_NS` for −1."""
    return np.append(removals["at_ns"], MISSING_NS)[removal]


def _removal_of(records: Table, rows: Int64, removals: Table) -> Int64:
    """Return the row of `removals` that each record is in; −1 for none."""
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
    base = (topics * span + numbers) * reach
    first = base + removals["from_offset"]
    order = np.argsort(first, kind="stable")
    own = (records["topic"][rows[in_log]] * np.int64(span) + theirs) * reach + offset
    places = order[np.maximum(np.searchsorted(first[order], own, "right") - 1, 0)]
    inside = (first[places] <= own) & (
        own < base[places] + removals["to_offset"][places]
    )
    found[in_log[inside]] = places[inside]
    return found
