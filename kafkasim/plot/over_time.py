"""Figures with time along the bottom: throughput, latency, lag."""

from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from numpy.typing import NDArray

from kafkasim.analysis import progress, waiting
from kafkasim.analysis.frames import ATTRIBUTE
from kafkasim.errors import ValidationError
from kafkasim.plot.spoken import Words, say
from kafkasim.plot.style import (
    GREY,
    HATCHES,
    MARKERS,
    OKABE_ITO,
    PALE,
    SERIES,
    canvas,
    legend_beside,
    nothing,
    series,
    style,
)
from kafkasim.plot.words import (
    amount,
    caption_of,
    listed,
    log_scale,
    plain_numbers,
    spread_out,
    time_unit,
)
from kafkasim.result.result import Result

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_MOST_AREAS: Final = 5
"""Partitions shown with a colour of their own; the others are one grey area."""


def throughput(
    data: "Result | pd.DataFrame",
    *,
    bin_ms: float | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw records intended, appended and processed per second over time.

    Parameters
    ----------
    data : Result or DataFrame
        A run, or what `analysis.throughput` made of one.
    bin_ms : float, optional
        Width of a bin in milliseconds, when `data` is a run.
    ax : Axes, optional
        What to draw into; a new figure otherwise.

    Returns
    -------
    Axes
    """
    table = (
        waiting.throughput(data, bin_ms=bin_ms) if isinstance(data, Result) else data
    )
    unit, scale = time_scale(table)
    said: list[str] = []
    with style():
        ax = canvas(ax)
        for column, noun, look in (
            ("intended_per_s", "intended", {"color": GREY, "linestyle": ":"}),
            ("appended_per_s", "appended", {"color": OKABE_ITO["black"], "lw": 1.2}),
        ):
            for names, part in _distinct(table, column):
                label = noun if names is None else f"{noun} ({names})"
                ax.plot(_middles(part) / scale, part[column], label=label, **look)
                said.append(f"{label} {_mean(part[column])}")
        for number, (name, part) in enumerate(_by_subscriber(table)):
            column, label = "processed_per_s", f"processed by {name}"
            at = _middles(part) / scale
            ax.plot(at, part[column], label=label, **series(number))
            said.append(f"{label} {_mean(part[column])}")
        label_axes(ax, "Throughput", f"time ({unit})", "records per second")
        ax.set_ylim(bottom=0)
        plain_numbers(ax.yaxis)
        legend_beside(ax)
    alt = f"Line chart of records per second over {_span(table)}: {listed(said)}."
    say(ax, Words(caption_of("Throughput", table.attrs.get(ATTRIBUTE)), alt))
    return ax


def latency(
    data: "Result | pd.DataFrame",
    *,
    bin_ms: float | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the median and the 99th percentile of latency over time.

    Parameters
    ----------
    data : Result or DataFrame
        A run, or what `analysis.latency_over_time` made of one.
    bin_ms : float, optional
        Width of a bin in milliseconds, when `data` is a run.
    ax : Axes, optional
        What to draw into; a new figure otherwise.

    Returns
    -------
    Axes
        Its y axis is logarithmic when latencies are far apart.
    """
    table = (
        waiting.latency_over_time(data, bin_ms=bin_ms)
        if isinstance(data, Result)
        else data
    )
    unit, scale = time_scale(table)
    said: list[str] = []
    with style():
        ax = canvas(ax)
        for number, (name, part) in enumerate(_by_subscriber(table)):
            colour = SERIES[number % len(SERIES)]
            at = _middles(part) / scale
            p50, p99 = part["latency_ms_p50"], part["latency_ms_p99"]
            ax.plot(at, p99, color=colour, linestyle="--", label=f"{name}, p99")
            ax.plot(
                at,
                p50,
                color=colour,
                marker=MARKERS[number % len(MARKERS)],
                markevery=max(1, len(part) // 12),
                label=f"{name}, median",
            )
            ax.fill_between(at, p50, p99, color=colour, alpha=0.12, linewidth=0)
            said.append(
                f"{name} has a median up to {amount(p50.max())} ms"
                f" and a 99th percentile up to {amount(p99.max())} ms"
            )
        label_axes(ax, "End-to-end latency", f"time intended ({unit})", "latency (ms)")
        values = table[["latency_ms_p50", "latency_ms_p99"]].to_numpy(dtype=np.float64)
        if spread_out(values):
            log_scale(ax, "y", values)
        else:
            ax.set_ylim(bottom=0)
            plain_numbers(ax.yaxis)
        legend_beside(ax)
    alt = f"Line chart of latency by the time a record was intended: {listed(said)}."
    say(ax, Words(caption_of("End-to-end latency", table.attrs.get(ATTRIBUTE)), alt))
    return ax


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

    Raises
    ------
    ValidationError
        `by` is neither; the table has no partitions to stack.
    """
    table = (
        progress.lag(data, by=by, subscriber=subscriber, bin_ms=bin_ms)
        if isinstance(data, Result)
        else data
    )
    if by == "partition" and "partition" not in table:
        raise ValidationError("by", by, "a table made by analysis.lag(by='partition')")
    if subscriber is not None:
        table = table[table["subscriber"] == subscriber]
    return _lag_stack(table, ax) if by == "partition" else _lag_lines(table, ax)


def _lag_lines(table: "pd.DataFrame", ax: "Axes | None") -> "Axes":
    unit, scale = time_scale(table)
    said: list[str] = []
    with style():
        ax = canvas(ax)
        for number, (name, part) in enumerate(_by_subscriber(table)):
            at, peaks = _middles(part) / scale, part["lag_records_max"]
            look = series(number)
            ax.plot(at, peaks, label=name, **look)
            ax.fill_between(at, 0, peaks, color=look["color"], alpha=0.10, linewidth=0)
            top = int(peaks.to_numpy().argmax())
            ax.plot(at[top], peaks.iloc[top], "o", color=look["color"])
            peak = f"{int(peaks.iloc[top]):,} near {at[top]:g} {unit}"
            ax.lines[-2].set_label(f"{name}\n(peak {peak})")
            said.append(f"{name} peaks at {peak}")
        label_axes(ax, "Lag", f"time ({unit})", "records waiting")
        ax.set_ylim(bottom=0)
        plain_numbers(ax.yaxis)
        _legend_or_why(ax)
    alt = f"Line chart of records appended and not yet processed: {_or_none(said)}."
    say(ax, Words(caption_of("Lag", table.attrs.get(ATTRIBUTE)), alt))
    return ax


def _lag_stack(table: "pd.DataFrame", ax: "Axes | None") -> "Axes":
    unit, scale = time_scale(table)
    name, part = next(iter(_by_subscriber(table)), ("nobody", table))
    wide = part.pivot_table(
        index="at_ms",
        columns=["topic", "partition"],
        values="lag_records",
        observed=True,
    )
    order = wide.sum().sort_values(ascending=False, kind="stable").index
    shown = list(order[:_MOST_AREAS])
    rest = list(order[_MOST_AREAS:])
    series_at: dict[str, NDArray[np.float64]] = {
        f"{key[0]}-{key[1]}": wide[key].to_numpy(dtype=np.float64) for key in shown
    }
    if rest:
        label = f"{len(rest)} other{'s' if len(rest) > 1 else ''}"
        series_at[label] = wide[rest].sum(axis=1).to_numpy(dtype=np.float64)
    title = f"Lag of {name} by partition"
    with style():
        ax = canvas(ax)
        top = _stack(ax, wide.index.to_numpy(dtype=np.float64) / scale, series_at)
        label_axes(ax, title, f"time ({unit})", "records waiting")
        ax.set_ylim(bottom=0)
        plain_numbers(ax.yaxis)
        _legend_or_why(ax, "topic-partition")
    worst = next(iter(series_at), "no partition")
    alt = (
        f"Stacked areas of the lag of {name} in {len(order)} partitions over time; "
        f"{amount(top)} records at the most together, and {worst} has the largest part."
    )
    say(ax, Words(caption_of(title, table.attrs.get(ATTRIBUTE)), alt))
    return ax


def _stack(
    ax: "Axes", at: NDArray[np.float64], series_at: dict[str, NDArray[np.float64]]
) -> float:
    """Draw areas upon each other, those after `_MOST_AREAS` grey; return the top."""
    below = np.zeros(len(at))
    for number, (label, heights) in enumerate(series_at.items()):
        own = number < _MOST_AREAS
        ax.fill_between(
            at,
            below,
            below + heights,
            facecolor=SERIES[number] if own else PALE,
            hatch=HATCHES[number] if own else "",
            edgecolor="white",
            linewidth=0.4,
            label=label,
        )
        below = below + heights
    return float(below.max(initial=0.0))


def time_scale(table: "pd.DataFrame") -> tuple[str, float]:
    """Return the unit of a table's times, and how many milliseconds it has."""
    return time_unit(float(table["at_ms"].max()) if len(table) else 0.0)


def _span(table: "pd.DataFrame") -> str:
    unit, scale = time_scale(table)
    return (
        f"{float(table['at_ms'].max()) / scale:g} {unit}" if len(table) else "no time"
    )


def _middles(part: "pd.DataFrame") -> NDArray[np.float64]:
    at: NDArray[np.float64] = part["at_ms"].to_numpy(dtype=np.float64)
    return at + (at[1] - at[0]) / 2 if len(at) > 1 else at


def _by_subscriber(table: "pd.DataFrame") -> "list[tuple[str, pd.DataFrame]]":
    names = list(dict.fromkeys(table["subscriber"].astype(str)))
    return [(name, table[table["subscriber"] == name]) for name in names]


def _distinct(
    table: "pd.DataFrame", column: str
) -> "list[tuple[str | None, pd.DataFrame]]":
    """Return one part for each different series, with the names that share it.

    The name is None when all do. A series that is 0 throughout is left out: a system
    without a log appends nothing.
    """
    shared: dict[bytes, tuple[list[str], pd.DataFrame]] = {}
    for name, part in _by_subscriber(table):
        values = part[column].to_numpy(dtype=np.float64)
        if values.any():
            shared.setdefault(values.tobytes(), ([], part))[0].append(name)
    whole = len(shared) == 1
    return [(None if whole else listed(names), part) for names, part in shared.values()]


def _mean(values: "pd.Series[float]") -> str:
    return f"{amount(float(values.mean()))}/s on average"


def label_axes(ax: "Axes", title: str, x: str, y: str) -> None:
    """Give axes with time along the bottom a title, labels and round ticks."""
    ax.set_title(title)
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    ax.margins(x=0.01)
    plain_numbers(ax.xaxis, 10)


def _legend_or_why(ax: "Axes", title: str = "") -> None:
    if ax.get_legend_handles_labels()[1]:
        legend_beside(ax, title)
    else:
        nothing(ax, "no log, so nothing waits in one")


def _or_none(said: list[str]) -> str:
    return listed(said) or "none, there is no log"
