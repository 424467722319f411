"""How latency is spread: its distribution, and the ladder of its percentiles.

A mean hides the tail, and so does a median. The distribution shows every share of the
records; the ladder goes from the median to the largest, rung by rung, each ten times as
rare as the one before.
"""

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.analysis import ranks, waiting
from kafkasim.analysis.frames import ATTRIBUTE
from kafkasim.catalogue import say, say_many
from kafkasim.plot.captions import Words, give_words
from kafkasim.plot.given import table_with
from kafkasim.plot.headings import headline
from kafkasim.plot.per_subscriber import by_subscriber, look_of
from kafkasim.plot.style import (
    canvas,
    legend_or_nothing,
    stroke,
    style,
)
from kafkasim.plot.time_axis import from_zero, highest
from kafkasim.plot.words import (
    amount,
    caption_of,
    listed,
    log_scale,
    multiple,
    percent_ticks,
    plain_numbers,
    spread_out,
)
from kafkasim.result.result import Result

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_RUNGS: Final = {
    "latency_ms_p50": "p50",
    "latency_ms_p90": "p90",
    "latency_ms_p99": "p99",
    "latency_ms_p999": "p99.9",
    "latency_ms_max": "max",
}
"""Columns of `analysis.latency`, and what their rungs are called."""

_MARKED: Final = (0.5, 0.99)
"""Shares that a distribution has marked."""

_WRITTEN: Final = 2
"""Subscribers up to which a ladder has its values written beside it."""


def latency_ecdf(data: "Result | pd.DataFrame", *, ax: "Axes | None" = None) -> "Axes":
    """Draw the share of records up to each latency (the empirical distribution).

    Parameters
    ----------
    data : Result or DataFrame
        A run, full or streamed, or what `analysis.latency_ecdf` made of one.
    ax : Axes, optional
        What to draw into; a new figure otherwise.

    Returns
    -------
    Axes
        Median and p99 are marked, and written in the legend. Its x axis is logarithmic
        when latencies are far apart; the title says the largest p99, and how many times
        the median it is.

    Raises
    ------
    ValidationError
        `data` is neither a run nor such a table.
    TableNotRecorded
        When the run did not record the tables that the figure needs.
    """
    table = (
        ranks.latency_ecdf(data)
        if isinstance(data, Result)
        else table_with(data, ("subscriber", "share", "latency_ms"), "latency_ecdf")
    )
    parts = [(name, *_steps(part)) for name, part in by_subscriber(table)]
    parts = [part for part in parts if len(part[1])]
    found = {
        name: [_at(shares, values, mark) for mark in _MARKED]
        for name, shares, values in parts
    }
    title = _finding({name: (p50, p99) for name, (p50, p99) in found.items()})
    with style():
        ax = canvas(ax)
        for number, (name, shares, values) in enumerate(parts):
            p50, p99 = found[name]
            label = say(
                "{name}\n(p50 {p50}, p99 {p99} ms)",
                name=name,
                p50=amount(p50),
                p99=amount(p99),
            )
            _draw_ecdf(ax, look_of(number, len(values), label, table), shares, values)
        _label_ecdf(ax, np.concatenate([np.zeros(0), *(part[2] for part in parts)]))
        headline(ax, title)
        legend_or_nothing(ax, say("no record was processed"))
    said = [
        say(
            "{name} has a median of {p50} ms, a p99 of {p99} ms and a largest of "
            "{largest} ms",
            name=name,
            p50=amount(p50),
            p99=amount(p99),
            largest=amount(values[-1]),
        )
        for (name, _, values), (p50, p99) in zip(parts, found.values(), strict=True)
    ]
    kind = say("Step line for each subscriber: {said}.", said=_or_none(said))
    what = say("Distribution of end-to-end latency")
    _give(ax, what, table, f"{title}. {kind}")
    return ax


def _steps(
    part: "pd.DataFrame",
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    shares = part["share"].to_numpy(dtype=np.float64)
    values = part["latency_ms"].to_numpy(dtype=np.float64)
    kept = np.isfinite(shares) & np.isfinite(values)
    return shares[kept], values[kept]


def _at(
    shares: NDArray[np.float64], values: NDArray[np.float64], share: float
) -> float:
    """Return the smallest value that at least `share` do not exceed."""
    place = int(np.searchsorted(shares, share - 1e-12))
    return float(values[min(place, len(values) - 1)])


def _draw_ecdf(
    ax: "Axes",
    look: dict[str, Any],
    shares: NDArray[np.float64],
    values: NDArray[np.float64],
) -> None:
    """Draw one subscriber's steps; marks at median and p99 unless it is one of many."""
    marker = look.pop("marker", None)
    look.pop("markevery", None)
    begin = [values[0], *values], [0.0, *shares]
    ax.step(*begin, where="post", **look)
    if marker is None:
        return
    for mark in _MARKED:
        value = _at(shares, values, mark)
        ax.plot(value, mark, marker=marker, color=look["color"])


def _label_ecdf(ax: "Axes", values: NDArray[np.float64]) -> None:
    ax.set_xlabel(say("latency (ms)"))
    ax.set_ylabel(say("share of records"))
    ax.set_ylim(0, 1.02)
    percent_ticks(ax.yaxis)
    if spread_out(values):
        log_scale(ax, "x", values)
    elif len(values):
        ax.set_xlim(0, 1.15 * float(values.max()) or 1.0)
        plain_numbers(ax.xaxis)


def latency_ladder(
    data: "Result | pd.DataFrame", *, ax: "Axes | None" = None
) -> "Axes":
    """Draw median, p90, p99, p99.9 and maximum of latency, rung by rung.

    Parameters
    ----------
    data : Result or DataFrame
        A run, full or streamed, or what `analysis.latency` made of one.
    ax : Axes, optional
        What to draw into; a new figure otherwise.

    Returns
    -------
    Axes
        Its y axis is logarithmic when latencies are far apart; the title says the
        largest p99, and how many times the median it is.

    Raises
    ------
    ValidationError
        `data` is neither a run nor such a table.
    TableNotRecorded
        When the run did not record the tables that the figure needs.
    """
    table = (
        waiting.latency(data)
        if isinstance(data, Result)
        else table_with(data, ("subscriber", *_RUNGS), "latency")
    )
    rows = {
        name: part[list(_RUNGS)].to_numpy(dtype=np.float64)[0]
        for name, part in by_subscriber(table)
    }
    rows = {name: row for name, row in rows.items() if np.isfinite(row).any()}
    title = _finding({name: (row[0], row[2]) for name, row in rows.items()})
    values = np.concatenate([np.zeros(0), *rows.values()])
    with style():
        ax = canvas(ax)
        for number, (name, row) in enumerate(rows.items()):
            look = look_of(number, 1, name, table)
            ax.plot(range(len(_RUNGS)), row, **look)
            if len(rows) <= _WRITTEN:
                _write(ax, row, above=_above(name, rows))
        _label_ladder(ax, values)
        headline(ax, title)
        legend_or_nothing(ax, say("no record was processed"))
    said = [
        f"{name} {', '.join(f'{r} {amount(v)}' for r, v in _named(row))} ms"
        for name, row in rows.items()
    ]
    kind = say("Line with five marks for each subscriber: {said}.", said=_or_none(said))
    what = say("Percentiles of end-to-end latency")
    _give(ax, what, table, f"{title}. {kind}")
    return ax


def _rungs() -> list[str]:
    """Return what the rungs are called, from the lowest."""
    return [say("max") if each == "max" else each for each in _RUNGS.values()]


def _named(row: NDArray[np.float64]) -> list[tuple[str, float]]:
    return list(zip(_rungs(), row.tolist(), strict=True))


def _above(name: str, rows: dict[str, NDArray[np.float64]]) -> bool:
    """Tell whether a ladder is the highest of those drawn, so that texts stay apart."""
    middle = {each: float(np.nanmean(row)) for each, row in rows.items()}
    return name == max(middle, key=lambda each: middle[each])


def _write(ax: "Axes", row: NDArray[np.float64], *, above: bool) -> None:
    """Write each value at its rung."""
    for place, value in enumerate(row):
        if np.isfinite(value):
            ax.annotate(
                amount(float(value)),
                (place, value),
                xytext=(stroke(0 if above else 5), stroke(9 if above else -7)),
                textcoords="offset points",
                ha="center" if above else "left",
                va="bottom" if above else "top",
                fontsize="small",
            )


def _label_ladder(ax: "Axes", values: NDArray[np.float64]) -> None:
    ax.set_xlabel(say("percentile of the records processed (p50 is the median)"))
    ax.set_ylabel(say("latency (ms)"))
    ax.set_xticks(range(len(_RUNGS)), _rungs())
    ax.set_xlim(-0.4, len(_RUNGS) - 0.6)
    if spread_out(values):
        log_scale(ax, "y", values)
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        ax.set_ylim(low / (high / low) ** 0.14, high * (high / low) ** 0.14)
    elif np.isfinite(values).any():
        ax.set_ylim(0, 1.15 * float(np.nanmax(values)) or 1.0)
        plain_numbers(ax.yaxis)
    else:
        from_zero(ax)


def _finding(found: dict[str, tuple[float, float]]) -> str:
    """Return the largest p99, and how many times its median it is."""
    worst = highest(np.array([p99 for _, p99 in found.values()], dtype=np.float64))
    if worst < 0:
        return say("No record was processed")
    p50, p99 = list(found.values())[worst]
    shown = amount(p99)
    alike = {
        name: amount(median)
        for name, (median, each) in found.items()
        if amount(each) == shown
    }
    one_median = len(set(alike.values())) == 1
    ratio = multiple(p99, p50, say("the median")) if one_median else ""
    who = listed(list(alike), 3)
    if len(alike) < len(found):
        who = say_many("{who} waits longest", "{who} wait longest", len(alike), who=who)
    text = say("{who}: p99 latency {p99} ms", who=who, p99=shown)
    return f"{text}, {ratio}" if ratio else text


def _or_none(said: list[str]) -> str:
    return listed(said) or say("none")


def _give(ax: "Axes", what: str, table: "pd.DataFrame", alt: str) -> None:
    give_words(ax, Words(caption_of(what, table.attrs.get(ATTRIBUTE)), alt))
