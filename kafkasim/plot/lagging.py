"""What waits in the log, over time: records by subscriber, or by partition stacked.

And how long the oldest of them has waited: lag in seconds.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kafkasim.analysis import progress
from kafkasim.catalogue import mark, say, say_many
from kafkasim.errors import ValidationError
from kafkasim.plot.given import NOBODY, rows_of, subscriber_given, table_with
from kafkasim.plot.per_subscriber import MOST_LINES, by_subscriber, look_of
from kafkasim.plot.style import (
    PALE,
    SERIES,
    canvas,
    hatch,
    legend_or_nothing,
    listed_as,
    stroke,
    style,
)
from kafkasim.plot.time_axis import (
    from_zero,
    highest,
    label_axes,
    middles,
    say_over_time,
    time_scale,
)
from kafkasim.plot.words import amount, counted, listed, percent
from kafkasim.result.result import Result

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_MOST_AREAS: Final = 5
"""Partitions shown with a colour of their own; the others are one grey area."""

_NOTHING: Final = mark("no record was appended to a log")


class _Peak(NamedTuple):
    """The most that a subscriber's lag is."""

    value: str
    """As it is written; a dash where there is none."""
    when: str
    """About when; empty where there is none."""

    @property
    def label(self) -> str:
        """Return it in the words of a legend."""
        if not self.when:
            return say("peak {value}", value=self.value)
        return say("peak {value} near {when}", value=self.value, when=self.when)

    def of(self, name: str) -> str:
        """Return it as a clause about a subscriber."""
        if not self.when:
            return say("{name} peaks at {value}", name=name, value=self.value)
        return say(
            "{name} peaks at {value} near {when}",
            name=name,
            value=self.value,
            when=self.when,
        )


class _Unit(NamedTuple):
    """What lag is counted in."""

    column: str
    label: str
    words: str
    said: Callable[[float], str]
    """Writes a value."""
    title: "Callable[[pd.DataFrame, dict[str, _Peak]], str]"
    """Says the finding, from the table and each subscriber's peak."""


def lag(
    data: "Result | pd.DataFrame",
    *,
    by: Literal["subscriber", "partition"] = "subscriber",
    subscriber: str | None = None,
    bin_ms: float | None = None,
    unit: Literal["records", "seconds"] = "records",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw records appended and not yet processed over time, or how long they wait.

    Parameters
    ----------
    data : Result or DataFrame
        A run, or what `analysis.lag` made of one.
    by : {"subscriber", "partition"}
        One line per subscriber with its peak marked, or the partitions of one
        subscriber stacked.
    subscriber : str, optional
        Only this one; by partition, the first without it.
    bin_ms : float, optional
        Width of a bin in milliseconds, when `data` is a run.
    unit : {"records", "seconds"}
        How many records wait; or for how long the oldest of them has, a line for each
        subscriber.
    ax : Axes, optional
        What to draw into; a new figure otherwise.

    Returns
    -------
    Axes
        The title says the largest lag; by partition, which one has most of it at the
        highest point drawn. There lag is drawn as it is where each bin of time begins,
        while lines by subscriber are drawn at the largest lag within each bin.

    Raises
    ------
    ValidationError
        `by` is neither, or not what the table was made by; `data` is neither a run nor
        such a table, or has no such subscriber; `unit` is neither, or seconds are to
        be stacked.
    TableNotRecorded
        When the run did not record the tables that the figure needs.
    """
    table = (
        progress.lag(data, by=by, subscriber=subscriber, bin_ms=bin_ms)
        if isinstance(data, Result)
        else table_with(data, ("subscriber", "at_ms", "lag_records_max"), "lag")
    )
    made_by = "partition" if "partition" in table else "subscriber"
    if by != made_by:
        raise ValidationError(
            "by", by, say("{made_by}, as the table was made by", made_by=made_by)
        )
    if subscriber is not None and len(table):
        table = rows_of(table, subscriber_given(table, subscriber))
    allowed = list(_UNITS) if by == "subscriber" else ["records"]
    if unit not in allowed:
        raise ValidationError("unit", unit, listed(allowed))
    if by == "partition":
        return _lag_stack(table, ax)
    return _lag_lines(table, ax, _UNITS[unit])


def _lag_lines(table: "pd.DataFrame", ax: "Axes | None", unit: _Unit) -> "Axes":
    parts = by_subscriber(table)
    peaks = {name: _peak(part, table, unit) for name, part in parts}
    title = unit.title(table, peaks)
    with style():
        ax = canvas(ax)
        for number, (name, part) in enumerate(parts):
            look = look_of(number, len(part), f"{name}\n({peaks[name].label})", table)
            _line(ax, table, part, look, unit, peak=number < MOST_LINES)
        label_axes(ax, table, title, say("simulated time"), say(unit.label))
        from_zero(ax, whole=unit is _UNITS["records"])
        legend_or_nothing(ax, say(_NOTHING))
    said = [peak.of(name) for name, peak in peaks.items()]
    alt = say(
        "Line chart of {what}: {said}.", what=say(unit.words), said=_or_none(said)
    )
    say_over_time(ax, say("Lag"), table, alt)
    return ax


def _line(
    ax: "Axes",
    table: "pd.DataFrame",
    part: "pd.DataFrame",
    look: dict[str, Any],
    unit: _Unit,
    *,
    peak: bool,
) -> None:
    """Draw one subscriber's lag, with its peak marked unless it is one of many."""
    _, scale = time_scale(table)
    at = middles(part) / scale
    values = part[unit.column].to_numpy(dtype=np.float64)
    ax.plot(at, values, **look | {"marker": ""})
    if not peak:
        return
    ax.fill_between(at, 0, values, color=look["color"], alpha=0.10, linewidth=0)
    top = highest(values)
    if top >= 0:
        ax.plot(at[top], values[top], "o", color=look["color"])


def _peak(part: "pd.DataFrame", table: "pd.DataFrame", unit: _Unit) -> _Peak:
    of_time, scale = time_scale(table)
    values = part[unit.column].to_numpy(dtype=np.float64)
    top = highest(values)
    if top < 0:
        return _Peak("–", "")
    when = f"{middles(part)[top] / scale:.4g} {of_time}"
    return _Peak(unit.said(float(values[top])), when)


def _longest_behind(table: "pd.DataFrame", peaks: dict[str, _Peak]) -> str:
    values = table["lag_s_max"].to_numpy(dtype=np.float64)
    top = highest(values)
    if top < 0 or values[top] <= 0:
        return say("No record waits in a log")
    name = str(table["subscriber"].iloc[top])
    return say(
        "The oldest record waits {span} for {name}, near {when}",
        span=peaks[name].value,
        name=name,
        when=peaks[name].when,
    )


def _most_waiting(table: "pd.DataFrame", peaks: dict[str, _Peak]) -> str:
    values = table["lag_records_max"].to_numpy(dtype=np.float64)
    top = highest(values)
    if top < 0 or values[top] <= 0:
        return say("No record waits in a log")
    name = str(table["subscriber"].iloc[top])
    records = counted(float(values[top]), "record")
    when = peaks[name].when
    alike = [each for each, said in peaks.items() if said == peaks[name]]
    if len(alike) == len(peaks):
        return say_many(
            "{names} has up to {records} waiting, near {when}",
            "{names} have up to {records} waiting each, near {when}",
            len(alike),
            names=listed(alike, 3),
            records=records,
            when=when,
        )
    most = values == values[top]
    names = list(dict.fromkeys(table["subscriber"][most].astype(str)))
    return say_many(
        "{names} has most waiting: {records}, near {when}",
        "{names} have most waiting: {records}, first near {when}",
        len(names),
        names=listed(names, 3),
        records=records,
        when=when,
    )


_UNITS: Final = {
    "records": _Unit(
        "lag_records_max",
        mark("records waiting"),
        mark("records appended and not yet processed"),
        lambda value: f"{int(value):,}",
        _most_waiting,
    ),
    "seconds": _Unit(
        "lag_s_max",
        mark("age of the oldest record waiting (s)"),
        mark("the age of the oldest record appended and not yet processed"),
        lambda value: f"{amount(value)} s",
        _longest_behind,
    ),
}
"""By the word that asks for it."""


def _lag_stack(table: "pd.DataFrame", ax: "Axes | None") -> "Axes":
    name, part = next(iter(by_subscriber(table)), (say(NOBODY), table))
    wide = part.pivot_table(
        index="at_ms",
        columns=["topic", "partition"],
        values="lag_records",
        observed=True,
    ).fillna(0.0)
    order = wide.sum().sort_values(ascending=False, kind="stable").index
    rest = list(order[_MOST_AREAS:])
    series_at: dict[str, NDArray[np.float64]] = {
        f"{key[0]}-{key[1]}": wide[key].to_numpy(dtype=np.float64)
        for key in order[:_MOST_AREAS]
    }
    if rest:
        label = say_many("{n} other", "{n} others", len(rest))
        series_at[label] = wide[rest].sum(axis=1).to_numpy(dtype=np.float64)
    at = wide.index.to_numpy(dtype=np.float64)
    title = _fullest(name, table, at, wide)
    with style():
        ax = canvas(ax)
        _, scale = time_scale(table)
        top = _stack(ax, at / scale, series_at)
        label_axes(ax, table, title, say("simulated time"), say("records waiting"))
        from_zero(ax, whole=True)
        legend_or_nothing(ax, say(_NOTHING), say("topic-partition"))
    worst = next(iter(series_at), say("no partition"))
    alt = say(
        "Stacked areas of the lag of {name} in {partitions}, as it is where each bin "
        "of time begins; {records} at the most together, and {worst} has the "
        "largest part.",
        name=name,
        partitions=counted(len(order), "partition"),
        records=counted(top, "record"),
        worst=worst,
    )
    say_over_time(
        ax, say("Lag of {name} by partition", name=name), table, f"{title}. {alt}"
    )
    return ax


def _fullest(
    name: str, table: "pd.DataFrame", at: NDArray[np.float64], wide: "pd.DataFrame"
) -> str:
    """Return which partition has most of the lag at the moment when it is largest."""
    if not wide.to_numpy().any():
        return say("No record waits for {name} where a bin of time begins", name=name)
    unit, scale = time_scale(table)
    moment = int(wide.sum(axis=1).to_numpy().argmax())
    then = wide.iloc[moment]
    place = int(then.to_numpy().argmax())
    fullest: Any = wide.columns[place]
    waiting = float(then.sum())
    share = float(then.iloc[place]) / waiting
    return say(
        "{partition} holds {part} of {records} waiting for {name} at {when}, the "
        "highest point",
        partition=f"{fullest[0]}-{fullest[1]}",
        part=say("all") if share == 1 else percent(share),
        records=counted(waiting, "record"),
        name=name,
        when=f"{at[moment] / scale:.4g} {unit}",
    )


def _stack(
    ax: "Axes", at: NDArray[np.float64], series_at: dict[str, NDArray[np.float64]]
) -> float:
    """Draw areas upon each other, those after `_MOST_AREAS` grey; return the top.

    One moment alone is drawn as wide as a unit of the axis.
    """
    if len(at) == 1:
        at = np.array([at[0] - 0.5, at[0] + 0.5])
        series_at = {name: np.repeat(each, 2) for name, each in series_at.items()}
    below = np.zeros(len(at))
    for number, (label, heights) in enumerate(series_at.items()):
        own = number < _MOST_AREAS
        ax.fill_between(
            at,
            below,
            below + heights,
            facecolor=SERIES[number] if own else PALE,
            hatch=hatch(number) if own else "",
            edgecolor="white",
            linewidth=stroke(0.4),
            label=listed_as(label),
        )
        below = below + heights
    return float(below.max(initial=0.0))


def _or_none(said: list[str]) -> str:
    return listed(said) or say("none, {why}", why=say(_NOTHING))
