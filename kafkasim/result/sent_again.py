"""Records that an application sent again: which of them stands for the one wanted.

A repetition is a record of its own, with its own place in a log; to whoever wants the
original they are the same. `resend_of` names the record that one repeats, which may be
a repetition itself and always stands before it.
"""

import numpy as np
from numpy.typing import NDArray

from kafkasim.result.rows import code
from kafkasim.result.table import Table

Int64 = NDArray[np.int64]


def roots_of(records: Table) -> Int64:
    """Return for each record the row of the one that the world wanted.

    Parameters
    ----------
    records : Table

    Returns
    -------
    int64 array of shape (records,)
    """
    roots = np.arange(len(records), dtype=np.int64)
    resend_of = records["resend_of"]
    for row in np.flatnonzero(resend_of >= 0).tolist():
        roots[row] = roots[resend_of[row]]
    return roots


def standing_for(
    records: Table, handed: Int64, ended_ns: Int64, done: NDArray[np.bool_]
) -> Int64 | None:
    """Return for each record which of its repetitions stands for it.

    Parameters
    ----------
    records : Table
    handed, ended_ns, done : arrays of shape (hand-outs,)
        To one subscriber: row of the record, when work on it ended, and whether it was
        processed.

    Returns
    -------
    int64 array of shape (records,), or None
        A row, for a record that is no repetition: that which was processed first, or
        else one that a log holds, one that may still come, one that was acknowledged,
        or the record itself. None when nothing was sent again.
    """
    if not (records["resend_of"] >= 0).any():
        return None
    roots = roots_of(records)
    outcome = records["outcome"]
    hope = np.zeros(len(records), np.int8)
    hope[outcome == code(records, "outcome", "acked")] = 1
    hope[outcome == code(records, "outcome", "in_flight")] = 2
    hope[outcome == code(records, "outcome", "unacked")] = 2
    hope[records["log_copies"] > 0] = 3
    stands_for = np.arange(len(records), dtype=np.int64)
    order = np.lexsort((-stands_for, hope))  # the best of each comes last
    stands_for[roots[order]] = order
    processed = handed[done]
    order = np.argsort(-ended_ns[done], kind="stable")  # the first comes last
    stands_for[roots[processed[order]]] = processed[order]
    return stands_for
