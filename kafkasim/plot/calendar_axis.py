"""The calendar above a time axis: round dates, where the run has any.

Below stand simulated seconds, above the days and hours that they stand for.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from kafkasim.analysis.frames import CALENDAR
from kafkasim.catalogue import mark, say
from kafkasim.plot.words import amount
from kafkasim.scenario.calendar import Calendar

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_DAYS: Final = 7
"""Dates along an axis, at most."""

_MOST_TIMES: Final = 4
"""Dates with a time of day along an axis, at most."""

_MONTHS: Final = (
    *(mark("Jan"), mark("Feb"), mark("Mar"), mark("Apr"), mark("May"), mark("Jun")),
    *(mark("Jul"), mark("Aug"), mark("Sep"), mark("Oct"), mark("Nov"), mark("Dec")),
)
"""Not `%b`: that is another word in another locale."""

_MINUTE: Final = 60.0
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_MONTH: Final = 30 * _DAY
_STEPS: Final = (
    *(each * 1.0 for each in (1, 2, 5, 10, 15, 30)),
    *(each * _MINUTE for each in (1, 2, 5, 10, 15, 30)),
    *(each * _HOUR for each in (1, 2, 3, 6, 12)),
    *(each * _DAY for each in (1, 2, 5, 10, 15)),
    *(each * _MONTH for each in (1, 2, 3, 6, 12, 24, 60, 120)),
)
"""Seconds between dates; a month stands for one of any length."""

_SPANS: Final = (
    (mark("{number} days"), _DAY),
    (mark("{number} h"), _HOUR),
    (mark("{number} min"), _MINUTE),
)
"""How long a second of the run lasts on the calendar, and from how many seconds on."""


def calendar(ax: "Axes", attrs: Mapping[Any, Any], scale: float) -> None:
    """Put the calendar above axes with simulated time along the bottom.

    Parameters
    ----------
    ax : Axes
        With its data drawn: the dates are those within its limits now.
    attrs : mapping
        Those of the table drawn; nothing is done when they hold no calendar.
    scale : float
        Milliseconds in a unit of the axis.
    """
    held = attrs.get(CALENDAR)
    if held is None:
        return
    dates = Calendar.from_plain(held)
    low, high = (each * scale / 1_000 for each in ax.get_xlim())
    shown = [
        (when * 1_000 / scale, text)
        for when, text in _dates(dates, low, high)
        if low <= when <= high
    ]
    above = ax.secondary_xaxis("top")
    above.set_xticks([at for at, _ in shown], [text for _, text in shown])
    above.set_xlabel(f"{dates.zone}, {_years(dates, low, high)}", loc="right")
    above.spines["top"].set_visible(True)
    below = ax.xaxis.get_major_ticks(1)[0].label1
    above.tick_params(
        labelsize=below.get_fontsize(), labelfontfamily=below.get_fontfamily()
    )


def sentence(attrs: Mapping[Any, Any]) -> str:
    """Return what time 0 and a second are on the calendar; empty without one.

    Examples
    --------
    >>> plain = {"start": "2013-07-01T00:00:00", "zone": "New York", "speedup": 525600}
    >>> sentence({"calendar": plain | {"changes": []}})
    'Time 0 is 1 Jul 2013 00:00 (New York), and 1 s of the run is 6.08 days'
    """
    held = attrs.get(CALENDAR)
    if held is None:
        return ""
    dates = Calendar.from_plain(held)
    begin = say(
        "Time 0 is {day} {year} {time} ({zone})",
        day=_day(dates.start),
        year=f"{dates.start:%Y}",
        time=f"{dates.start:%H:%M}",
        zone=dates.zone,
    )
    if dates.speedup == 1.0:
        return begin
    return say(
        "{begin}, and 1 s of the run is {span}",
        begin=begin,
        span=_lasting(dates.speedup),
    )


def _lasting(seconds: float) -> str:
    for text, size in _SPANS:
        if seconds >= size:
            return say(text, number=amount(seconds / size))
    return say("{number} s of the calendar", number=amount(seconds))


def _dates(dates: Calendar, low: float, high: float) -> list[tuple[float, str]]:
    """Return simulated seconds and texts of round dates from before `low` to `high`."""
    span = (high - low) * dates.speedup
    if not 1.0 <= span < 1e10:
        return []
    fits = [step for step in _STEPS if span / step <= _room(step)]
    step = fits[0] if fits else _STEPS[-1]
    found = []
    for clock in _round(dates.at(low), dates.at(high), step):
        when = dates.when(clock)
        if when is not None:
            found.append((when, _text(clock, step)))
    return found


def _room(step: float) -> int:
    return _MOST_DAYS if step >= _DAY else _MOST_TIMES


def _round(first: datetime, last: datetime, step: float) -> Iterator[datetime]:
    """Yield the round times from `first` to `last`."""
    if step >= _MONTH:
        months = round(step / _MONTH)
        number = 12 * first.year + (first.month - 1 if months < 12 else 0)
        number -= number % months
        while (clock := datetime(number // 12, number % 12 + 1, 1)) <= last:  # noqa: DTZ001
            yield clock
            number += months
    elif step > _DAY:
        yield from _days_of_months(first, last, round(step / _DAY))
    else:
        midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
        count = int((first - midnight).total_seconds() // step)
        while (clock := midnight + timedelta(seconds=count * step)) <= last:
            yield clock
            count += 1


def _days_of_months(first: datetime, last: datetime, days: int) -> Iterator[datetime]:
    """Yield each month's 1st and every `days` days after it, none near the next 1st."""
    clock = first.replace(hour=0, minute=0, second=0, microsecond=0)
    while clock <= last:
        if (clock.day - 1) % days == 0 and clock.day + 0.6 * days <= 32:
            yield clock
        clock += timedelta(days=1)


def _text(clock: datetime, step: float) -> str:
    if step >= 12 * _MONTH:
        return f"{clock:%Y}"
    if step >= _MONTH:
        return say(_MONTHS[clock.month - 1])
    if step >= _DAY:
        return _day(clock)
    return f"{_day(clock)} {clock:{'%H:%M' if step >= _MINUTE else '%H:%M:%S'}}"


def _day(clock: datetime) -> str:
    return say("{day} {month}", day=clock.day, month=say(_MONTHS[clock.month - 1]))


def _years(dates: Calendar, low: float, high: float) -> str:
    first, last = dates.at(max(low, 0.0)).year, dates.at(high).year
    return (
        f"{first}"
        if first == last
        else say("{first} to {last}", first=first, last=last)
    )
