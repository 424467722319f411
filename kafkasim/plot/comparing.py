"""Figures of a comparison: the same traffic through several systems."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.catalogue import say
from kafkasim.plot.captions import Words, give_words
from kafkasim.plot.given import check_column, table_given
from kafkasim.plot.headings import headline_of_all
from kafkasim.plot.sizes import ticks_across
from kafkasim.plot.style import (
    MARKERS,
    legend_of_all,
    listed_as,
    nothing,
    panels,
    series,
    stroke,
    style,
)
from kafkasim.plot.time_axis import highest
from kafkasim.plot.words import (
    begun,
    caption_of,
    listed,
    log_scale,
    metric_label,
    metric_text,
    metric_ticks,
    spread_out,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_MOST_ROWS: Final = 30
"""Systems and subscribers for which a panel grows."""

COMPARED: Final = (
    "throughput_per_s",
    "latency_ms_p50",
    "latency_ms_p99",
    "drain_s",
    "overtaken_share",
    "lost",
)
"""Metrics that a comparison shows unless others are asked for."""


def comparison(
    table: "pd.DataFrame",
    *,
    y: str | Sequence[str] = COMPARED,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw systems side by side, one panel for each metric.

    Parameters
    ----------
    table : DataFrame
        As `experiments.compare` returns it: `system`, perhaps `subscriber`, metrics.
    y : str or sequence of str
        Columns of the table: metrics, or what tells a queue from a log
        (`kafkasim.analysis.SERVICE`).
    ax : Axes, optional
        Axes of a grid whose place the panels take; a new figure otherwise.

    Returns
    -------
    Axes
        The first panel's; `figure.axes` has all. A metric that does not apply to a
        system is a dash.

    Raises
    ------
    ValidationError
        `table` is none, or has no such column.
    """
    columns = [y] if isinstance(y, str) else list(y)
    table_given(table, say("a table of compare, or one with a row for each system"))
    for column in ("system", *columns):
        check_column(table, column, "y")
    systems = list(dict.fromkeys(table["system"].astype(str)))
    names = _subscribers(table)
    height = 1.7 + 0.42 * max(1, min(_MOST_ROWS, len(systems) * len(names)))
    title = _finding(table, columns[0], names) if columns else say("No metrics")
    with style():
        drawn = panels(ax, len(columns), 3, (4.6, height))
        said = [
            _system_panel(each, table, column, systems, names, labelled=not place % 3)
            for place, (each, column) in enumerate(zip(drawn, columns, strict=True))
        ]
        if len(names) > 1:
            legend_of_all(drawn, say("subscriber"))
        if ax is None:
            headline_of_all(drawn, title, legend=len(names) > 1)
    notes = "".join(f"; {note}" for note in table.attrs.get("notes", ()))
    who = listed(systems) or say("No system")
    what = say("{systems} with the same traffic", systems=who) + notes
    for each in drawn:
        give_words(each, Words(caption_of(what, None), " ".join([f"{title}.", *said])))
    return drawn[0]


def _finding(table: "pd.DataFrame", column: str, names: list[str]) -> str:
    """Return the systems with the largest and the smallest value of a metric."""
    values = table[column].to_numpy(dtype=np.float64)
    if not np.isfinite(values).any():
        return say("No system has a {metric}", metric=metric_label(column))
    rows = [highest(values), highest(-values)]
    most, least = (_row_in_words(table, column, row, names) for row in rows)
    what = begun(metric_label(column))
    if values[rows[0]] != values[rows[1]]:
        return say("{what}: from {least} to {most}", what=what, least=least, most=most)
    if np.isfinite(values).sum() > 1:
        value = metric_text(column, float(values[rows[0]]))
        if np.isfinite(values).all():
            return say("{what}: {value} for all", what=what, value=value)
        return say("{what}: {value} where it applies", what=what, value=value)
    return f"{what}: {most}"


def _row_in_words(
    table: "pd.DataFrame", column: str, row: int, names: list[str]
) -> str:
    text = metric_text(column, float(table[column].iloc[row]))
    who = str(table["system"].iloc[row])
    if len(names) > 1:
        who = f"{who}, {table['subscriber'].iloc[row]}"
    return f"{text} ({who})"


def _subscribers(table: "pd.DataFrame") -> list[str]:
    if "subscriber" not in table:
        return [""]
    return list(dict.fromkeys(table["subscriber"].astype(str)))


def _system_panel(
    ax: "Axes",
    table: "pd.DataFrame",
    column: str,
    systems: list[str],
    names: list[str],
    *,
    labelled: bool,
) -> str:
    said: list[str] = []
    values = table[column].to_numpy(dtype=np.float64)
    stems = not spread_out(values)
    for number, name in enumerate(names):
        mine = table if name == "" else table[table["subscriber"].astype(str) == name]
        by_system = mine.set_index(mine["system"].astype(str))[column]
        look = series(number) | {
            "linestyle": "none",
            "label": listed_as(name),
            "clip_on": False,
        }
        for place, system in enumerate(systems):
            value = float(by_system.get(system, np.nan))
            at = place + (number - (len(names) - 1) / 2) * 0.8 / len(names)
            if stems and not np.isnan(value):
                ax.plot(
                    [0, value], [at, at], color=look["color"], linewidth=stroke(3.0)
                )
            ax.plot(value, at, marker=MARKERS[number % len(MARKERS)], **look)
            look["label"] = "_"
            _value_text(ax, column, value, at)
            said.append(
                f"{system}{f' {name}' if name else ''} {metric_text(column, value)}"
            )
    _system_axes(ax, column, values, systems, labelled=labelled)
    return f"{metric_label(column)}: {listed(said, 12)}."


def _value_text(ax: "Axes", column: str, value: float, at: float) -> None:
    """Write a value beside its mark; a dash at the axis when it does not apply."""
    missing = np.isnan(value)
    ax.annotate(
        metric_text(column, value),
        (0.0 if missing else value, at),
        xycoords=ax.get_yaxis_transform() if missing else "data",
        xytext=(stroke(9), 0),
        textcoords="offset points",
        va="center",
        fontsize="small",
        annotation_clip=False,
    )


def _system_axes(
    ax: "Axes",
    column: str,
    values: NDArray[np.float64],
    systems: list[str],
    *,
    labelled: bool,
) -> None:
    kept = values[np.isfinite(values)]
    if spread_out(values):
        log_scale(ax, "x", values, ticks_across())
        ratio = kept.max() / kept.min()
        ax.set_xlim(kept.min() / ratio**0.08, kept.max() * ratio**0.35)
    else:
        ax.set_xlim(0, 1.4 * float(kept.max(initial=0.0)) or 1.0)
        metric_ticks(ax.xaxis, column, ticks_across())
        if not kept.any():
            ax.set_xticks([0])
    ax.set_xlabel(metric_label(column))
    ax.set_yticks(range(len(systems)), systems if labelled else [""] * len(systems))
    ax.set_ylim(max(1, len(systems)) - 0.5, -0.5)
    if not systems:
        nothing(ax, say("no system"))
    ax.grid(visible=False, axis="y")
