"""Bins of time that a run is cut into."""

from collections.abc import Sequence

from kafkasim.analysis.arrays import Int64, bin_edges
from kafkasim.analysis.dealings import Dealings
from kafkasim.catalogue import say
from kafkasim.errors import ValidationError
from kafkasim.result.histogram import round_width_ns
from kafkasim.result.rows import wanted_ns
from kafkasim.result.table import Table
from kafkasim.units import ns_from_ms


def time_bins(records: Table, every: Sequence[Dealings], bin_ms: float | None) -> Int64:
    """Return edges of bins up to the last thing that happened to a record, in ns.

    A run that waits for what never comes goes on for ten minutes after that.
    """
    times = [wanted_ns(records), records["appended_ns"]]
    times += [dealing.first_processed_ns for dealing in every]
    return bins_until(max(int(each.max(initial=0)) for each in times), bin_ms)


def bins_until(end_ns: int, bin_ms: float | None) -> Int64:
    """Return edges of bins from 0 past `end_ns`, of a width asked for or a round one.

    Raises
    ------
    ValidationError
        The width is not above 0.
    """
    if bin_ms is None:
        return bin_edges(end_ns, round_width_ns(end_ns))
    if not bin_ms > 0:
        raise ValidationError("bin_ms", bin_ms, say("a width above 0 ms"))
    return bin_edges(end_ns, max(1, ns_from_ms(bin_ms)))
