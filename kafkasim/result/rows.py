"""Rows of a table by the name that a label column gives them."""

import numpy as np
from numpy.typing import NDArray

from kafkasim.result.table import Table
from kafkasim.units import MISSING_NS

Int64 = NDArray[np.int64]


def code(table: Table, column: str, label: str) -> int:
    """Return the code of a label; -2, which no row has, when the table has no such."""
    labels = table.labels[column]
    return labels.index(label) if label in labels else -2


def wanted_ns(records: Table) -> Int64:
    """Return when each record was wanted, nanoseconds.

    That is when the world intended it. A closed loop has no such time; its records are
    wanted when they are created.
    """
    intended_ns = records["intended_ns"]
    unplanned = intended_ns == MISSING_NS
    if not unplanned.any():
        return intended_ns
    return np.where(unplanned, records["created_ns"], intended_ns)


def rows_with_label(table: Table, column: str, label: str) -> Int64 | slice:
    """Return the rows that have the label, as an index; a slice when all have it."""
    matching = table[column] == code(table, column, label)
    return slice(None) if matching.all() else np.flatnonzero(matching)
