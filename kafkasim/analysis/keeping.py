"""Which kind of run a result is of: the one place where that is decided."""

from kafkasim.analysis.kept import Kept
from kafkasim.analysis.kept_counts import KeptCounts
from kafkasim.analysis.kept_rows import KeptRows
from kafkasim.result.result import Result


def kept_of(result: Result) -> Kept:
    """Return what a run kept of its records: all of them, or counts.

    Raises
    ------
    TableNotRecorded
        When it recorded neither `records` nor `totals`.
    """
    return KeptCounts(result) if "totals" in result.tables else KeptRows(result)
