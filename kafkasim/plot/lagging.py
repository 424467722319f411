"""Records that wait in the log, over time: by subscriber, or by partition stacked."""

from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from kafkasim.analysis import progress
from kafkasim.analysis.frames import ATTRIBUTE
from kafkasim.errors import ValidationError
from kafkasim.plot.calendar_axis import sentence
from kafkasim.plot.captions import Words, say
from kafkasim.plot.given import table_with
from kafkasim.plot.style import (
    GREY,
    PALE,
    SERIES,
    canvas,
    hatch,
    legend_beside,
    nothing,
    series,
    stroke,
    style,
)
from kafkasim.plot.time_axis import (
    by_subscriber,
    from_zero,
    highest,
    label_axes,
    middles,
    time_scale,
)
from kafkasim.plot.words import amount, caption_of, counted, listed, percent
from kafkasim.result.result import Result

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_MOST_AREAS: Final = 5
"""Partitions shown with a colour of their own; the others are one grey area."""

_MOST_LINES: Final = 6
"""Subscribers with a look and a label of their own; lines of others are grey."""

_NO_LOG: Final = "no log, so nothing waits in one"


def lag(
    data: "Result | pd.DataFrame",
    *,
    by: Literal["subscriber", "partition"] = "subscriber",
    subscriber: str | None = None,
    bin_ms: float | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw records appended and not yet processed over time.

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
    ax : Axes, optional
        What to draw into; a new figure otherwise.

    Returns
    -------
    Axes
        The title says the largest lag, and which partition has most of it.

    Raises
    ------
    ValidationError
        `by` is neither; `data` is neither a run nor such a table, or has no partitions
        to stack.
    """
    table = (
        progress.lag(data, by=by, subscriber=subscriber, bin_ms=bin_ms)
        if isinstance(data, Result)
        else table_with(data, ("subscriber", "at_ms", "lag_records_max"), "lag")
    )
    if by == "partition" and "partition" not in table:
        raise ValidationError("by", by, "a table made by analysis.lag(by='partition')")
    if subscriber is not None:
        table = table[table["subscriber"] == subscriber]
    return _lag_stack(table, ax) if by == "partition" else _lag_lines(table, ax)


def _lag_lines(table: "pd.DataFrame", ax: "Axes | None") -> "Axes":
    parts = by_subscriber(table)
    peaks = {name: _peak(part, table) for name, part in parts}
    title = _most_waiting(table, peaks)
    with style():
        ax = canvas(ax)
        for number, (name, part) in enumerate(parts):
            others = len(parts) - _MOST_LINES
            label = f"{name}\n({peaks[name]})"
            if number >= _MOST_LINES:
                plural = "s" if others > 1 else ""
                label = f"{others} other{plural}" if number == _MOST_LINES else "_"
            _line(ax, table, part, number, label)
        label_axes(ax, table, title, "simulated time", "records waiting")
        from_zero(ax, whole=True)
        _legend_or_why(ax)
    said = [
        f"{name} {peak.replace('peak', 'peaks at')}" for name, peak in peaks.items()
    ]
    alt = f"Line chart of records appended and not yet processed: {_or_none(said)}."
    _say(ax, "Lag", table, alt)
    return ax


def _line(
    ax: "Axes", table: "pd.DataFrame", part: "pd.DataFrame", number: int, label: str
) -> None:
    """Draw one subscriber's lag with its peak marked; grey beyond the sixth."""
    _, scale = time_scale(table)
    at = middles(part) / scale
    values = part["lag_records_max"].to_numpy(dtype=np.float64)
    look: dict[str, Any] = series(number)
    if number >= _MOST_LINES:
        look = {"color": GREY, "linewidth": stroke(0.8)}
    ax.plot(at, values, label=label, **look)
    if number >= _MOST_LINES:
        return
    ax.fill_between(at, 0, values, color=look["color"], alpha=0.10, linewidth=0)
    top = highest(values)
    if top >= 0:
        ax.plot(at[top], values[top], "o", color=look["color"])


def _peak(part: "pd.DataFrame", table: "pd.DataFrame") -> str:
    unit, scale = time_scale(table)
    values = part["lag_records_max"].to_numpy(dtype=np.float64)
    top = highest(values)
    if top < 0:
        return "peak –"
    return f"peak {int(values[top]):,} near {middles(part)[top] / scale:.4g} {unit}"


def _most_waiting(table: "pd.DataFrame", peaks: dict[str, str]) -> str:
    values = table["lag_records_max"].to_numpy(dtype=np.float64)
    top = highest(values)
    if top < 0 or values[top] <= 0:
        return "No record waits in a log"
    name = str(table["subscriber"].iloc[top])
    records = counted(float(values[top]), "record")
    when = peaks[name].partition(" near ")[2]
    if len(peaks) == 1:
        return f"{name} has up to {records} waiting, near {when}"
    return f"{name} has most waiting: {records}, near {when}"


def _lag_stack(table: "pd.DataFrame", ax: "Axes | None") -> "Axes":
    name, part = next(iter(by_subscriber(table)), ("nobody", table))
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
        label = f"{len(rest)} other{'s' if len(rest) > 1 else ''}"
        series_at[label] = wide[rest].sum(axis=1).to_numpy(dtype=np.float64)
    at = wide.index.to_numpy(dtype=np.float64)
    title = _fullest(name, table, at, wide)
    with style():
        ax = canvas(ax)
        _, scale = time_scale(table)
        top = _stack(ax, at / scale, series_at)
        label_axes(ax, table, title, "simulated time", "records waiting")
        from_zero(ax, whole=True)
        _legend_or_why(ax, "topic-partition")
    worst = next(iter(series_at), "no partition")
    alt = (
        f"Stacked areas of the lag of {name} in {len(order)} partitions over time; "
        f"{amount(top)} records at the most together, and {worst} has the largest part."
    )
    _say(ax, f"Lag of {name} by partition", table, f"{title}. {alt}")
    return ax


def _fullest(
    name: str, table: "pd.DataFrame", at: NDArray[np.float64], wide: "pd.DataFrame"
) -> str:
    """Return which partition has most of the lag at the moment when it is largest."""
    if not wide.to_numpy().any():
        return f"No record waits for {name}"
    unit, scale = time_scale(table)
    moment = int(wide.sum(axis=1).to_numpy().argmax())
    then = wide.iloc[moment]
    place = int(then.to_numpy().argmax())
    fullest: Any = wide.columns[place]
    waiting = float(then.sum())
    share = percent(float(then.iloc[place]) / waiting)
    return (
        f"{fullest[0]}-{fullest[1]} holds {share} of {counted(waiting, 'record')} "
        f"waiting for {name} at {at[moment] / scale:.4g} {unit}, the peak"
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
            label=label,
        )
        below = below + heights
    return float(below.max(initial=0.0))


def _legend_or_why(ax: "Axes", title: str = "") -> None:
    if ax.get_legend_handles_labels()[1]:
        legend_beside(ax, title)
    else:
        nothing(ax, _NO_LOG)


def _or_none(said: list[str]) -> str:
    return listed(said) or "none, there is no log"


def _say(ax: "Axes", what: str, table: "pd.DataFrame", alt: str) -> None:
    dates = sentence(table.attrs)
    say(ax, Words(caption_of(what, table.attrs.get(ATTRIBUTE), dates), alt))
