"""Figures of a sweep: what changes when a setting does."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.catalogue import say
from kafkasim.errors import ValidationError
from kafkasim.plot.captions import Words, give_words
from kafkasim.plot.given import check_column, table_given
from kafkasim.plot.headings import headline, headline_of_all
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
    legend_beside,
    legend_of_all,
    listed_as,
    panels,
    series,
    stroke,
    style,
)
from kafkasim.plot.sweep_findings import finding
from kafkasim.plot.sweep_lines import View, are_joined, lines_of, places_of, settings_of
from kafkasim.plot.sweep_scales import (
    YScale,
    are_numbers,
    places_along,
    scale_x,
    scale_y,
)
from kafkasim.plot.words import (
    amount,
    begun,
    caption_of,
    listed,
    metric_label,
    metric_text,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_MOST_LISTED: Final = 16
"""Lines up to which a legend lists them."""


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
        Column that gives one line per value; without it the next varied column. Of a
        sweep with further settings each combination has its line. In one panel up to
        `MOST_NAMED` lines are named where they end.
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
        The first panel's. Bars are the 95 % intervals of `…_low` and `…_high`. Points
        are joined by a line where each has a number of its own along the bottom.

    Raises
    ------
    ValidationError
        `table` is no table, it has no such column, nothing was varied, or points of
        several panels were to be labelled.
    """
    table = table_given(table, say("a table, as experiments.sweep returns it"))
    columns = [y] if isinstance(y, str) else list(y)
    across, colour, apart = settings_of(table, x, hue, columns)
    for column in columns:
        check_column(table, column, "y")
    if label is not None:
        check_column(table, label, "label")
        if len(columns) > 1:
            raise ValidationError(
                "label", label, say("none where there are several panels")
            )
    view = View(across, colour, apart, label, y_scale)
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
            legend_of_all(drawn, "" if apart else colour)
        _titled(
            drawn,
            title,
            view,
            say("at the points") if len(table) <= MOST_LABELLED else say("at the ends"),
        )
    for each in drawn:
        give_words(
            each, _words(table, columns, view, [*([title] if title else []), *said])
        )
    return drawn[0]


def _titled(drawn: "list[Axes]", title: str | None, view: View, where: str) -> None:
    """Write the finding over the figure, and below it what is printed at the points."""
    if title is None:
        return
    if len(drawn) > 1:
        headline_of_all(drawn, title, legend=view.colour is not None)
    else:
        below = "" if view.label is None else f"{where}: {metric_label(view.label)}"
        headline(drawn[0], title, below=below)


def _words(
    table: "pd.DataFrame", columns: list[str], view: View, said: list[str]
) -> Words:
    replications = int(table["replications"].max()) if "replications" in table else 1
    measured = listed([metric_label(c) for c in columns])
    what = [say("{measured} by {across}", measured=measured, across=view.across)]
    if view.label:
        what.append(say("at the points {metric}", metric=metric_label(view.label)))
    if replications > 1:
        bars = say(
            "means of {count} replications, bars are 95 % intervals",
            count=replications,
        )
        what.append(bars)
    else:
        what.append(say("one run"))
    if view.label is not None:
        label = view.label
        spans = [
            f"{name} {_span(_texts(part[label].sort_values(), label))}".strip()
            for name, part in lines_of(table, view).items()
        ]
        at = say(
            "At the points {metric}: {spans}",
            metric=metric_label(label),
            spans=listed(spans),
        )
        said = [*said, at]
    sentences = [text if text.endswith(".") else f"{text}." for text in said]
    return Words(caption_of(begun("; ".join(what)), None), " ".join(sentences))


def _sweep_panel(ax: "Axes", table: "pd.DataFrame", column: str, view: View) -> str:
    across = table[view.across]
    places = scale_x(ax, across)
    parts = lines_of(table, view)
    many = len(parts) > _MOST_LISTED
    joined = are_joined(parts, view)
    look = {} if joined else {"linestyle": "none"}
    said: list[str] = []
    for number, (name, part) in enumerate(parts.items()):
        values = part[column].to_numpy(dtype=np.float64)
        if len(values):
            said.append(_course(name, part[view.across], values, joined=joined))
        if many:
            continue
        ax.errorbar(
            places_of(part, places, view),
            values,
            yerr=_errors(part, column, values),
            marker=MARKERS[number % len(MARKERS)],
            capsize=stroke(4.0),
            label=listed_as(name or metric_label(column)),
            **series(number) | look,
        )
    if many:
        _draw_many(ax, list(parts.values()), column, places, view, joined=joined)
    metric = table[column].to_numpy(dtype=np.float64)
    scale_y(ax, column, metric, scale=view.y_scale, labelled=view.label is not None)
    ax.set_xlabel(view.across)
    course = say(
        "{metric} by {across}: {said}.",
        metric=metric_label(column),
        across=view.across,
        said=listed(said) or say("no runs"),
    )
    return begun(course)


def _draw_many(
    ax: "Axes",
    parts: "list[pd.DataFrame]",
    column: str,
    places: dict[Any, float],
    view: View,
    *,
    joined: bool,
) -> None:
    """Draw lines that are too many to be told apart: thin, in one colour."""
    from matplotlib.collections import LineCollection

    courses = [
        np.column_stack(
            (places_of(part, places, view), part[column].to_numpy(np.float64))
        )
        for part in parts
    ]
    if not joined:
        ax.plot(*np.concatenate(courses).T, ".", color=SERIES[0], alpha=0.4)
        return
    thin = LineCollection(courses, colors=SERIES[0], linewidths=stroke(0.8), alpha=0.4)
    ax.add_collection(thin, autolim=True)
    ax.autoscale_view()


def _name_lines(ax: "Axes", table: "pd.DataFrame", column: str, view: View) -> None:
    """Name the lines of one panel where they end, or in a legend, and label points."""
    parts = lines_of(table, view)
    joined = are_joined(parts, view)
    if view.colour is not None and (not joined or len(parts) > MOST_NAMED):
        if len(parts) <= _MOST_LISTED:
            legend_beside(ax, "" if view.apart else view.colour)
        else:
            each = listed([view.colour, *view.apart])
            ax.text(
                1.0,
                1.0,
                say(
                    "{count:,} lines, one for each of {each}",
                    count=len(parts),
                    each=each,
                ),
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
            places_of(part, places, view),
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
        return say("none")
    low, high = ordered[0], ordered[-1]
    return low if low == high else say("{low} to {high}", low=low, high=high)


def _texts(values: "pd.Series[Any]", column: str) -> list[str]:
    if not are_numbers(values):
        return [str(value) for value in values]
    return [metric_text(column, float(value)) for value in values]


def _finding(table: "pd.DataFrame", column: str, view: View) -> str | None:
    """Return what one panel found; beside labels that need a title, what it shows."""
    found = None
    parts = lines_of(table, view)
    if are_joined(parts, view):
        found = finding(parts, column, view.across)
    if found is None and view.label is not None:
        name = metric_label(column).partition(" (")[0]
        return say("{metric} by {across}", metric=begun(name), across=view.across)
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


def _course(
    name: str, across: "pd.Series[Any]", values: NDArray[np.float64], *, joined: bool
) -> str:
    if joined or len(values) == across.nunique():
        begin, end = amount(float(values[0])), amount(float(values[-1]))
        text = say(
            "from {begin} at {first} to {end} at {last}",
            begin=begin,
            first=across.iloc[0],
            end=end,
            last=across.iloc[-1],
        )
    else:
        low, high = (float(end(values)) for end in (np.fmin.reduce, np.fmax.reduce))
        text = say("from {low} to {high}", low=amount(low), high=amount(high))
    return f"{name} {text}".strip()
