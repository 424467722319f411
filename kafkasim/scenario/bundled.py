"""The trace that ships with the package: the year's departures from New York.

Nobody invented these arrivals (US Bureau of Transportation Statistics, public domain):
they have the rhythm of day, week and season, keys of very unequal weight (16 carriers,
4,043 aircraft) and rows without a key.
"""

from typing import Final

from kafkasim.catalogue import say
from kafkasim.data.flights import read_departures
from kafkasim.errors import ValidationError
from kafkasim.scenario.trace import Trace
from kafkasim.scenario.trace_columns import CodedColumn
from kafkasim.units import NS_PER_S

YEAR_IN_A_MINUTE: Final = 525_600
"""The speed-up at which a year of 365 days takes one minute."""
_MINUTE_NS: Final = 60 * NS_PER_S


def flights(month: int | None = None, *, speedup: float = 1.0) -> Trace:
    """Return the departures scheduled from New York's three airports in 2013.

    336,776 flights with the columns `tail` (the aircraft's registration, missing for
    2,512), `carrier`, `origin` and `destination`. Times are whole minutes of true
    elapsed time, so the resolution is one minute; 81.8 % of the rows share their minute
    with another.

    Parameters
    ----------
    month : int, optional
        1 to 12: only that month, its times counted from its start in New York.
        Without it the year, counted from the year's start.
    speedup : float
        How many times faster than in 2013; `YEAR_IN_A_MINUTE` is 525,600.

    Returns
    -------
    Trace
        Named "flights".

    Raises
    ------
    ValidationError
        When there is no such month or the speed-up is not a positive number.

    Examples
    --------
    >>> flights(speedup=YEAR_IN_A_MINUTE)
    Trace('flights', 336,776 rows in 60 s, columns tail, carrier, origin, destination)
    """
    if month is not None and month not in range(1, 13):
        raise ValidationError("month", month, say("a month from 1 to 12"))
    month = None if month is None else int(month)
    departures = read_departures(month)
    kind: tuple[tuple[str, object], ...] = (("kind", "flights"),)
    return Trace(
        departures.minutes * _MINUTE_NS,
        {name: CodedColumn(*column) for name, column in departures.columns.items()},
        name="flights",
        resolution_ns=_MINUTE_NS,
        speedup=speedup,
        source=kind if month is None else (*kind, ("month", month)),
    )
