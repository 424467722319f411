"""Figures of a sweep: what changes when a setting does."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.analysis.measures import METRICS
from kafkasim.errors import ValidationError
from kafkasim.plot.spoken import Words, say
from kafkasim.plot.style import (
    MARKERS,
    canvas,
    legend_of_all,
    nothing,
    panels,
    series,
    style,
)
from kafkasim.plot.words import (
    amount,
    caption_of,
    listed,
    log_scale,
    metric_label,
    percent_ticks,
    plain_numbers,
    spread_out,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_FIXED: Final = ("replications", "digest", "system", "subscriber")


def sweep(
    table: "pd.DataFrame",
    *,
    y: str | Sequence[str] = "latency_ms_p99",
    x: str | None = None,
    hue: str | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw a metric of a sweep against what was varied.

    Parameters
    ----------
    table : DataFrame
        As `experiments.sweep` returns it.
    y : str or sequence of str
        A metric column, or several: one panel each.
    x : str, optional
        Column along the bottom; without it the first varied column of numbers.
    hue : str, optional
        Column that gives one line per value; without it the next varied column.
    ax : Axes, optional
        What to draw into; a new figure otherwise. Several panels take its place.

    Returns
    -------
    Axes
        The first panel's. Bars are the 95 % intervals of `…_low` and `…_high`.

    Raises
    ------
    ValidationError
        The table has no such column, or nothing was varied.
    """
    across, colour = _axes_of(table, x, hue)
    columns = [y] if isinstance(y, str) else list(y)
    for column in columns:
        check_column(table, column, "y")
    said: list[str] = []
    with style():
        drawn = (
            [canvas(ax)]
            if len(columns) == 1
            else panels(ax, len(columns), 3, (5.2, 3.7))
        )
        for each, column in zip(drawn, columns, strict=True):
            said.append(_sweep_panel(each, table, column, across, colour))
        if colour is not None:
            legend_of_all(drawn, colour)
    replications = int(table["replications"].max()) if "replications" in table else 1
    means = f"means of {replications} replications" if replications > 1 else "one run"
    bars = ", bars are 95 % intervals" if replications > 1 else ""
    what = f"{listed([metric_label(c) for c in columns])} by {across}; {means}{bars}"
    for each in drawn:
        say(each, Words(caption_of(what[0].upper() + what[1:], None), " ".join(said)))
    return drawn[0]


def _axes_of(
    table: "pd.DataFrame", x: str | None, hue: str | None
) -> tuple[str, str | None]:
    varied = _varied(table)
    for name, column in (("x", x), ("hue", hue)):
        if column is not None:
            check_column(table, column, name)
    left = [column for column in varied if column not in (x, hue)]
    if x is None:
        numbers = [c for c in left if _numbers(table[c])]
        if not left:
            raise ValidationError("table", list(table), "a column that was varied")
        x = (numbers or left)[0]
        left.remove(x)
    return x, hue if hue is not None else (left[0] if left else None)


def _varied(table: "pd.DataFrame") -> list[str]:
    """Return the columns that a sweep varied, with more than one value first."""
    paths = table.attrs.get("paths")
    columns = (
        list(paths)
        if paths
        else [
            str(column)
            for column in table
            if column not in (*METRICS, *_FIXED)
            and not str(column).endswith(("_low", "_high"))
        ]
    )
    return [c for c in columns if len(set(table[c])) > 1] or columns


def _numbers(column: "pd.Series[Any]") -> bool:
    from pandas.api.types import is_numeric_dtype

    return bool(is_numeric_dtype(column))


def check_column(table: "pd.DataFrame", column: str, name: str) -> None:
    """Check that a table has a column asked for by parameter `name`.

    Raises
    ------
    ValidationError
        It has not; lists those it has.
    """
    if column not in table:
        raise ValidationError(name, column, f"one of {', '.join(map(str, table))}")


def _sweep_panel(
    ax: "Axes", table: "pd.DataFrame", column: str, across: str, colour: str | None
) -> str:
    parts: list[tuple[str, pd.DataFrame]] = [("", table)]
    if colour is not None:
        parts = [
            (str(value), table[table[colour] == value])
            for value in dict.fromkeys(table[colour])
        ]
    places = _x_scale(ax, table[across])
    look = {} if _numbers(table[across]) else {"linestyle": "none"}
    said: list[str] = []
    for number, (name, part) in enumerate(parts):
        at = np.array([places[value] for value in part[across]], dtype=np.float64)
        values = part[column].to_numpy(dtype=np.float64)
        ax.errorbar(
            at,
            values,
            yerr=_errors(part, column, values),
            marker=MARKERS[number % len(MARKERS)],
            capsize=4.0,
            label=name or metric_label(column),
            **series(number) | look,
        )
        said.append(_course(name, part[across], values))
    _y_scale(ax, column, table)
    ax.set_xlabel(str(across))
    return f"{metric_label(column)} by {across}: {listed(said)}."


def _errors(
    part: "pd.DataFrame", column: str, values: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    if f"{column}_low" not in part or f"{column}_high" not in part:
        return None
    low = part[f"{column}_low"].to_numpy(dtype=np.float64)
    high = part[f"{column}_high"].to_numpy(dtype=np.float64)
    if not np.isfinite(low).any():
        return None
    bars: NDArray[np.float64] = np.stack((values - low, high - values))
    return np.nan_to_num(np.maximum(0.0, bars))


def _x_scale(ax: "Axes", column: "pd.Series[Any]") -> dict[Any, float]:
    """Scale the x axis for the values varied; return where each value stands."""
    distinct = list(dict.fromkeys(column))
    if not _numbers(column):
        ax.set_xticks(range(len(distinct)), [str(value) for value in distinct])
        ax.set_xlim(-0.3, len(distinct) - 0.7)
        return {value: float(place) for place, value in enumerate(distinct)}
    ordered = sorted(distinct)
    if len(ordered) > 2 and ordered[0] > 0 and ordered[-1] / ordered[0] >= 8:
        ax.set_xscale("log", base=2)
        ax.minorticks_off()
    if len(ordered) <= 8:
        ax.set_xticks(ordered, [f"{value:g}" for value in ordered])
    return {value: float(value) for value in distinct}


def _y_scale(ax: "Axes", column: str, table: "pd.DataFrame") -> None:
    values = table[column].to_numpy(dtype=np.float64)
    ax.set_ylabel(metric_label(column))
    if not np.isfinite(values).any():
        nothing(ax, "does not apply")
    elif spread_out(values):
        log_scale(ax, "y", values)
    else:
        ax.set_ylim(bottom=min(0.0, float(np.nanmin(values))))
        (percent_ticks if column.endswith("_share") else plain_numbers)(ax.yaxis)


def _course(name: str, across: "pd.Series[Any]", values: NDArray[np.float64]) -> str:
    begin, end = amount(float(values[0])), amount(float(values[-1]))
    text = f"{begin} at {across.iloc[0]} to {end} at {across.iloc[-1]}"
    return f"{name} from {text}" if name else f"from {text}"
