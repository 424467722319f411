"""A scorecard as a table to look at: who is better in what, and who is nowhere."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from kafkasim.analysis.arrays import Float64
from kafkasim.analysis.scoring import Better, as_good, systems_of
from kafkasim.catalogue import say
from kafkasim.plot.captions import Words, give_words
from kafkasim.plot.given import check_column, table_given
from kafkasim.plot.headings import headline
from kafkasim.plot.style import (
    LETTER,
    PALE,
    POINTS,
    SIZE,
    canvas,
    nothing,
    points,
    room,
    stroke,
    style,
)
from kafkasim.plot.words import amount, caption_of, counted, listed, percent

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_NEEDED: Final = ("metric", "label", "better", "tolerance")
_ROW: Final = 0.33
"""Height of a row in a notebook, inches."""
_LABEL: Final = 0.52
"""Part of the width that the names of metrics have, with two systems."""
_BETTER: Final = "#BFE3D5"
"""Behind the best value of a row: pale, and bold letters say so too."""
_SIGNS: Final = {"less": "↓", "more": "↑"}


_SIZES: Final = {"medium": 1.0, "small": 0.83, "x-small": 0.69, "xx-small": 0.58}
"""Sizes of the systems' names and of values, and their parts of the text's."""
_BOLD: Final = 1.2
"""Width of a bold letter, for each of another."""


def scorecard(table: "pd.DataFrame", *, ax: "Axes | None" = None) -> "Axes":
    """Draw a scorecard: metrics down, systems across, the best of each row marked.

    Parameters
    ----------
    table : DataFrame
        As `analysis.scorecard` returns it.
    ax : Axes, optional
        What to draw into; a new figure otherwise.

    Returns
    -------
    Axes
        The best value of a row stands on a coloured ground in bold letters, and so do
        those within the row's tolerance of it; where all are, none does. An arrow says
        whether less or more is better, a dash that the metric does not apply. The title
        says in how many rows each system is best, or as good.

    Raises
    ------
    ValidationError
        `table` is no such table.
    """
    table_given(table, say("a table of analysis.scorecard"))
    for column in _NEEDED:
        check_column(table, column, "table")
    systems = systems_of(table)
    values = table[systems].to_numpy(dtype=np.float64)
    best = [
        _best(row, str(metric), better, float(tolerance))
        for row, metric, better, tolerance in zip(
            values, table["metric"], table["better"], table["tolerance"], strict=True
        )
    ]
    title = _finding(systems, best)
    with style():
        ax = canvas(ax, (SIZE[0], 1.7 + _ROW * (len(table) + 1)))
        if len(table) and systems:
            _draw(ax, table, systems, values, best)
        else:
            nothing(ax, say("no metric"))
        headline(ax, title, below=_read_as(table["tolerance"].max()), left=0.0)
    who = listed(systems) or say("no system")
    what = say("Metrics of {systems} with the same traffic", systems=who)
    said = " ".join(_row_in_words(table, systems, values, n) for n in range(len(table)))
    give_words(ax, Words(caption_of(what, None), f"{title}. {said}".strip()))
    return ax


def _best(row: Float64, metric: str, better: Better, tolerance: float) -> set[int]:
    """Return which systems are best or as good; none when all are.

    Values that are written alike are as good as each other.
    """
    good = {_text(metric, each) for each in row[as_good(row, better, tolerance)]}
    texts = [_text(metric, each) for each in row.tolist()]
    applies = {text for text, each in zip(texts, row, strict=True) if np.isfinite(each)}
    if good == applies:
        return set()
    return {place for place, text in enumerate(texts) if text in good}


def _read_as(tolerance: float) -> str:
    """Return how the figure is read, with the largest tolerance of its rows."""
    said = say("↓ less is better, ↑ more is better, – does not apply")
    if not tolerance > 0:
        return said
    near = say(
        "bold: the best and, of what chance changes, all within {part} of it",
        part=percent(tolerance),
    )
    return f"{said}; {near}"


def _finding(systems: list[str], best: list[set[int]]) -> str:
    """Return in how many rows each system is best."""
    judged = sum(map(bool, best))
    if not judged:
        return say("No system is better in anything")
    counts = [sum(place in each for each in best) for place in range(len(systems))]
    order = sorted(range(len(systems)), key=lambda place: -counts[place])
    first, *others = order
    said = [
        say("{system} is best in {n}", system=systems[first], n=counts[first]),
        *(say("{system} in {n}", system=systems[at], n=counts[at]) for at in others),
    ]
    return say(
        "Of {metrics} that differ, {said}",
        metrics=counted(judged, "metric"),
        said=listed(said),
    )


def _text(metric: str, value: float) -> str:
    return percent(value) if "_share" in metric else amount(value)


def _row_in_words(
    table: "pd.DataFrame", systems: list[str], values: Float64, row: int
) -> str:
    metric = str(table["metric"].iloc[row])
    said = [
        f"{name} {_text(metric, value)}"
        for name, value in zip(systems, values[row].tolist(), strict=True)
    ]
    return f"{table['label'].iloc[row]}: {listed(said)}."


def _fitting(ax: "Axes", texts: list[str], wide: float) -> str:
    """Return the largest size in which bold texts fit into a part of the width."""
    broad = (
        max(map(len, texts)) * _BOLD * LETTER * points("font.size") / POINTS / room(ax)
    )
    fitting = (size for size, part in _SIZES.items() if broad * part < wide)
    return next(fitting, list(_SIZES)[-1])


def _draw(
    ax: "Axes",
    table: "pd.DataFrame",
    systems: list[str],
    values: Float64,
    best: list[set[int]],
) -> None:
    from matplotlib.patches import Rectangle

    longest = 2 + max(len(str(each)) for each in table["label"])
    label = longest * LETTER * 0.83 * points("font.size") / POINTS / room(ax)
    label = min(0.55, max(0.3, label)) if len(systems) > 2 else _LABEL
    wide = (1 - label) / len(systems)
    size = _fitting(ax, [f"{name} " for name in systems], wide)
    metrics = [str(each) for each in table["metric"]]
    written = [
        _text(metric, value)
        for metric, row in zip(metrics, values.tolist(), strict=True)
        for value in row
    ]
    small = max(_fitting(ax, written, wide - 0.03), "small", key=list(_SIZES).index)
    for column, name in enumerate(systems):
        at = label + (column + 1) * wide - 0.02
        ax.text(
            at, -0.1, name, ha="right", va="center", fontweight="bold", fontsize=size
        )
    for row in range(len(table)):
        sign = _SIGNS[str(table["better"].iloc[row])]
        y = row + 1
        ax.axhline(y - 0.5, color=PALE, linewidth=stroke(0.8))
        ax.text(
            *(0.0, y, f"{sign} {table['label'].iloc[row]}"),
            va="center",
            fontsize="small",
        )
        for column, value in enumerate(values[row].tolist()):
            left = label + column * wide
            look: dict[str, Any] = {"fontsize": small, "ha": "right", "va": "center"}
            if column in best[row]:
                corner = (left + 0.01, y - 0.46)
                ground = Rectangle(corner, wide - 0.01, 0.92, color=_BETTER, zorder=0)
                ax.add_patch(ground)
                look["fontweight"] = "bold"
            ax.text(left + wide - 0.02, y, _text(metrics[row], value), **look)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_xlim(0, 1)
    ax.set_ylim(len(table) + 0.6, -0.6)
    ax.set_axis_off()
