"""What a subscriber's reset positions passed, read off where its members began."""

import numpy as np
from numpy.typing import NDArray

from kafkasim.result.rows import code, rows_with_label
from kafkasim.result.table import Table
from kafkasim.result.wants import Want
from kafkasim.units import MISSING_NS

Int64 = NDArray[np.int64]


def passed_ns(want: Want, records: Table, rows: Int64, assignments: Table) -> Int64:
    """Return when the subscriber first began to read beyond each record.

    Parameters
    ----------
    want : Want
        The subscriber's.
    records : Table
    rows : int64 array of shape (n,)
        Rows of `records`.
    assignments : Table
        Its `start_offset` is where a member began to read (`FetchState` after a reset).

    Returns
    -------
    int64 array of shape (n,), nanoseconds
        `MISSING_NS` for a record in no log, and for one that no beginning passed.
    """
    found = np.full(len(rows), MISSING_NS, dtype=np.int64)
    mine = rows_with_label(assignments, "group", want.subscriber)
    since, start = assignments["since_ns"][mine], assignments["start_offset"][mine]
    in_log = np.flatnonzero(records["offset"][rows] >= 0)
    if not len(since) or not len(in_log):
        return found
    offset = records["offset"][rows[in_log]]
    numbers = assignments["partition"][mine].astype(np.int64)
    theirs = records["partition"][rows[in_log]].astype(np.int64)
    span = max(int(numbers.max()), int(theirs.max())) + 1
    names = [code(records, "topic", name) for name in assignments.labels["topic"]]
    topics = np.array(names, dtype=np.int64)[assignments["topic"][mine]]
    reach = max(int(offset.max()), int(start.max())) + 1
    # One rising line: partitions one after the other, `reach` apart, and within each
    # the largest offset at which reading had begun by then.
    base = (topics * span + numbers) * reach
    order = np.lexsort((since, base))
    base, since = base[order], since[order]
    begun = np.maximum.accumulate(base + np.maximum(start[order], 0))
    own = (records["topic"][rows[in_log]] * np.int64(span) + theirs) * reach
    places = np.minimum(np.searchsorted(begun, own + offset, "right"), len(begun) - 1)
    passed = (base[places] == own) & (begun[places] > own + offset)
    found[in_log[passed]] = since[places[passed]]
    return found
