"""Figures of a sweep: what changes when a setting does."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.analysis.measures import METRICS
from kafkasim.errors import ValidationError
from kafkasim.plot.captions import Words, say
from kafkasim.plot.given import table_given
from kafkasim.plot.headings import headed, title_of_all
from kafkasim.plot.line_labels import (
    MOST_LABELLED,
    MOST_NAMED,
    Line,
    label_points,
    name_ends,
)
from kafkasim.plot.style import (
    MARKERS,
    SERIES,
    canvas,
    headline,
    legend_beside,
    legend_of_all,
    panels,
    series,
    stroke,
    style,
)
from kafkasim.plot.sweep_findings import finding
from kafkasim.plot.sweep_scales import (
    YScale,
    are_numbers,
    places_along,
    scale_x,
    scale_y,
)
from kafkasim.plot.words import amount, caption_of, listed, metric_label, percent

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_FIXED: Final = ("replications", "digest", "system", "subscriber")
_MOST_LISTED: Final = 16
"""Lines up to which a legend lists them."""


@dataclass(frozen=True, slots=True)
class _View:
    """What is drawn of a table, beside the metric."""

    across: str
    colour: str | None
    label: str | None
    y_scale: YScale | None


def sweep(
    table: "pd.DataFrame",
    *,
    y: str | Sequence[str] = "latency_ms_p99",
    x: str | None = None,
    hue: str | None = None,
    label: str | None = None,
    title: str | None = None,
    y_scale: YScale | None = None,
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
        Column that gives one line per value; without it the next varied column. In one
        panel up to `MOST_NAMED` lines are named where they end.
    label : str, optional
        Column that is printed at each point, of one panel: a share as a percentage. Of
        more than `MOST_LABELLED` points only the ends of each line have it.
    title : str, optional
        What the figure found. Without it one panel says so itself where more of the
        setting makes the metric visibly worse (`kafkasim.plot.sweep_findings`).
    y_scale : {"linear", "log"}, optional
        Without it logarithmic where values are above 0 and far apart.
    ax : Axes, optional
        What to draw into; a new figure otherwise. Several panels take its place.

    Returns
    -------
    Axes
        The first panel's. Bars are the 95 % intervals of `…_low` and `…_high`.

    Raises
    ------
    ValidationError
        `table` is no table, it has no such column, nothing was varied, or points of
        several panels were to be labelled.
    """
    table = table_given(table, "a table, as experiments.sweep returns it")
    across, colour = _axes_of(table, x, hue)
    columns = [y] if isinstance(y, str) else list(y)
    for column in columns:
        check_column(table, column, "y")
    if label is not None:
        check_column(table, label, "label")
        if len(columns) > 1:
            raise ValidationError("label", label, "none where there are several panels")
    view = _View(across, colour, label, y_scale)
    said: list[str] = []
    with style():
        drawn = (
            [canvas(ax)]
            if len(columns) == 1
            else panels(ax, len(columns), 3, (5.2, 3.7))
        )
        for each, column in zip(drawn, columns, strict=True):
            said.append(_sweep_panel(each, table, column, view))
        if len(drawn) == 1:
            _name_lines(drawn[0], table, columns[0], view)
            title = title or _finding(table, columns[0], view)
        elif colour is not None:
            legend_of_all(drawn, colour)
        _titled(
            drawn,
            title,
            view,
            "at the points" if len(table) <= MOST_LABELLED else "at the ends",
        )
    for each in drawn:
        say(each, _words(table, columns, view, [*([title] if title else []), *said]))
    return drawn[0]


def _titled(drawn: "list[Axes]", title: str | None, view: _View, where: str) -> None:
    """Write the finding over the figure, and below it what is printed at the points."""
    if title is None:
        return
    if len(drawn) > 1:
        title_of_all(drawn[0], title)
    elif view.label is not None:
        headed(drawn[0], title, f"{where}: {metric_label(view.label)}")
    else:
        headline(drawn[0], title)


def _words(
    table: "pd.DataFrame", columns: list[str], view: _View, said: list[str]
) -> Words:
    replications = int(table["replications"].max()) if "replications" in table else 1
    means = f"means of {replications} replications" if replications > 1 else "one run"
    bars = ", bars are 95 % intervals" if replications > 1 else ""
    printed = f"; at the points {metric_label(view.label)}" if view.label else ""
    measured = listed([metric_label(c) for c in columns])
    what = f"{measured} by {view.across}{printed}; {means}{bars}"
    if view.label is not None:
        label = view.label
        spans = [
            f"{name} {_span(_texts(part[label].sort_values(), label))}".strip()
            for name, part in _parts(table, view.colour).items()
        ]
        said = [*said, f"At the points {metric_label(label)}: {listed(spans)}"]
    sentences = [text if text.endswith(".") else f"{text}." for text in said]
    return Words(caption_of(what[0].upper() + what[1:], None), " ".join(sentences))


def _axes_of(
    table: "pd.DataFrame", x: str | None, hue: str | None
) -> tuple[str, str | None]:
    varied = _varied(table)
    for name, column in (("x", x), ("hue", hue)):
        if column is not None:
            check_column(table, column, name)
    left = [column for column in varied if column not in (x, hue)]
    if x is None:
        numbers = [c for c in left if are_numbers(table[c])]
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


def check_column(table: "pd.DataFrame", column: str, name: str) -> None:
    """Check that a table has a column asked for by parameter `name`.

    Raises
    ------
    ValidationError
        It has not; lists those it has.
    """
    if column not in table:
        raise ValidationError(name, column, f"one of {', '.join(map(str, table))}")


def _parts(table: "pd.DataFrame", colour: str | None) -> "dict[str, pd.DataFrame]":
    """Return the rows of each line by its name, in the order of the table."""
    if colour is None:
        return {"": table}
    by = table.groupby(colour, sort=False, observed=True, dropna=False)
    return {str(value): rows for value, rows in by}


def _sweep_panel(ax: "Axes", table: "pd.DataFrame", column: str, view: _View) -> str:
    across = table[view.across]
    places = scale_x(ax, across)
    parts = _parts(table, view.colour)
    many = len(parts) > _MOST_LISTED
    look = {} if are_numbers(across) else {"linestyle": "none"}
    said: list[str] = []
    for number, (name, part) in enumerate(parts.items()):
        values = part[column].to_numpy(dtype=np.float64)
        if len(values):
            said.append(_course(name, part[view.across], values))
        if many:
            continue
        ax.errorbar(
            _at(part, places, view),
            values,
            yerr=_errors(part, column, values),
            marker=MARKERS[number % len(MARKERS)],
            capsize=stroke(4.0),
            label=name or metric_label(column),
            **series(number) | look,
        )
    if many:
        _draw_many(ax, list(parts.values()), column, places, view)
    metric = table[column].to_numpy(dtype=np.float64)
    scale_y(ax, column, metric, scale=view.y_scale, labelled=view.label is not None)
    ax.set_xlabel(view.across)
    course = f"{metric_label(column)} by {view.across}: {listed(said) or 'no runs'}."
    return course[0].upper() + course[1:]


def _draw_many(
    ax: "Axes",
    parts: "list[pd.DataFrame]",
    column: str,
    places: dict[Any, float],
    view: _View,
) -> None:
    """Draw lines that are too many to be told apart: thin, in one colour."""
    from matplotlib.collections import LineCollection

    courses = [
        np.column_stack((_at(part, places, view), part[column].to_numpy(np.float64)))
        for part in parts
    ]
    thin = LineCollection(courses, colors=SERIES[0], linewidths=stroke(0.8), alpha=0.4)
    ax.add_collection(thin, autolim=True)
    ax.autoscale_view()


def _at(
    part: "pd.DataFrame", places: dict[Any, float], view: _View
) -> NDArray[np.float64]:
    return np.array(
        [places.get(value, np.nan) for value in part[view.across]], dtype=np.float64
    )


def _name_lines(ax: "Axes", table: "pd.DataFrame", column: str, view: _View) -> None:
    """Name the lines of one panel where they end, or in a legend, and label points."""
    parts = _parts(table, view.colour)
    numbers = are_numbers(table[view.across])
    if view.colour is not None and (not numbers or len(parts) > MOST_NAMED):
        if len(parts) <= _MOST_LISTED:
            legend_beside(ax, view.colour)
        else:
            ax.text(
                1.0,
                1.0,
                f"{len(parts):,} lines, one for each of {view.colour}",
                ha="right",
                va="bottom",
                transform=ax.transAxes,
            )
        named = False
    else:
        named = view.colour is not None
    places = places_along(table[view.across])
    lines: list[Line] = [
        (
            name,
            SERIES[number % len(SERIES)],
            _at(part, places, view),
            part[column].to_numpy(dtype=np.float64),
        )
        for number, (name, part) in enumerate(parts.items())
    ]
    if view.label is not None:
        label = view.label
        texts = [_texts(part[label], label) for part in parts.values()]
        label_points(ax, lines, texts)
    if named:
        name_ends(ax, lines, away=0.8 if view.label is None else 1.8)


def _span(ordered: list[str]) -> str:
    if not ordered:
        return "none"
    low, high = ordered[0], ordered[-1]
    return low if low == high else f"{low} to {high}"


def _texts(values: "pd.Series[Any]", column: str) -> list[str]:
    if not are_numbers(values):
        return [str(value) for value in values]
    written = percent if column.endswith("_share") else amount
    return [written(float(value)) for value in values]


def _finding(table: "pd.DataFrame", column: str, view: _View) -> str | None:
    """Return what one panel found; beside labels that need a title, what it shows."""
    found = None
    if are_numbers(table[view.across]):
        found = finding(_parts(table, view.colour), column, view.across)
    if found is None and view.label is not None:
        name = metric_label(column).partition(" (")[0]
        return f"{name[0].upper()}{name[1:]} by {view.across}"
    return found


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


def _course(name: str, across: "pd.Series[Any]", values: NDArray[np.float64]) -> str:
    begin, end = amount(float(values[0])), amount(float(values[-1]))
    text = f"{begin} at {across.iloc[0]} to {end} at {across.iloc[-1]}"
    return f"{name} from {text}" if name else f"from {text}"
