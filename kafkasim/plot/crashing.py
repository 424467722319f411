"""What a crash costs at each point of the poll loop, as a matrix."""

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kafkasim.catalogue import mark, say
from kafkasim.errors import ValidationError
from kafkasim.plot.captions import Words, give_words
from kafkasim.plot.given import is_table
from kafkasim.plot.headings import headline
from kafkasim.plot.style import (
    OKABE_ITO,
    SIZE,
    canvas,
    legend_below,
    nothing,
    stroke,
    style,
)
from kafkasim.plot.words import caption_of, counted, listed

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_COLUMNS: Final = ("commit", "point", "twice", "never")
_ROW: Final = 0.62
"""Height of a row in a notebook, inches."""
_BELOW: Final = mark("by when the process dies, in the loop about one poll")
_ONCE: Final = mark("each once")
_TWICE: Final = mark("twice: done again by the next process")
_NEVER: Final = mark("never: committed, and not done")
_POINTS: Final = {
    "before the work": mark("before the work"),
    "in the work": mark("in the work"),
    "after the work": mark("after the work"),
    "after the commit": mark("after the commit"),
}
"""Points of the poll loop in words."""
_LOOKS: Final[dict[str, dict[str, Any]]] = {
    _ONCE: {"facecolor": "white"},
    _TWICE: {"facecolor": "#F6D18A", "hatch": "//"},
    _NEVER: {"facecolor": OKABE_ITO["vermillion"]},
}
"""From white to dark, so that grey tells them apart too."""


class Cell(NamedTuple):
    """One crash."""

    commit: str
    point: str
    twice: int
    never: int

    @property
    def kind(self) -> str:
        """Its key in the legend: a loss weighs more than a repetition."""
        return _NEVER if self.never else _TWICE if self.twice else _ONCE

    def __str__(self) -> str:
        said = []
        if self.twice:
            said.append(say("{count:,} twice", count=self.twice))
        if self.never:
            said.append(say("{count:,} never", count=self.never))
        return "\n".join(said) or say(_ONCE)


def crash_points(table: "pd.DataFrame", *, ax: "Axes | None" = None) -> "Axes":
    """Draw what a crash costs: a row for each way to commit, a column for each point.

    Parameters
    ----------
    table : DataFrame
        As `crash_points` of kafkasim returns it.
    ax : Axes, optional
        What to draw into; a new figure otherwise.

    Returns
    -------
    Axes
        A cell says on how many records the work was done twice, and on how many never.
        The title says the worst of both.

    Raises
    ------
    ValidationError
        `table` is no such table.
    """
    if not is_table(table) or any(column not in table for column in _COLUMNS):
        given = list(table) if is_table(table) else type(table).__name__
        allowed = say(
            "what crash_points returns, with {columns}", columns=listed(_COLUMNS)
        )
        raise ValidationError("table", given, allowed)
    columns = [table[name].tolist() for name in _COLUMNS]
    cells = [Cell(*row) for row in zip(*columns, strict=True)]
    rows = list(dict.fromkeys(each.commit for each in cells))
    points = list(dict.fromkeys(each.point for each in cells))
    title = finding(cells)
    with style():
        ax = canvas(ax, (SIZE[0], 2.1 + _ROW * max(1, len(rows))))
        if cells:
            _draw(ax, cells, rows, points)
            legend_below(ax)
        else:
            nothing(ax, say("no crash"))
        headline(ax, title, below=say(_BELOW) if cells else "", left=9.0)
    what = say("Records done twice and never after a crash, by commit and point")
    give_words(ax, Words(caption_of(what, None), f"{title}. {in_words(cells)}".strip()))
    return ax


def _point(point: str) -> str:
    return say(_POINTS[point]) if point in _POINTS else point


def finding(cells: list[Cell]) -> str:
    """Say how many records are lost at most, how many repeated, and by which commit."""
    never = max(cells, key=lambda each: each.never, default=None)
    twice = max(cells, key=lambda each: each.twice, default=None)
    said = []
    if never is not None and never.never:
        lost = counted(never.never, "record")
        said.append(
            say("{commit} loses up to {records}", commit=never.commit, records=lost)
        )
    if twice is not None and twice.twice:
        said.append(
            say(
                "{commit} repeats up to {count:,}",
                commit=twice.commit,
                count=twice.twice,
            )
        )
    return ", ".join(said) or say("Every record is done once")


def in_words(cells: list[Cell]) -> str:
    """Return each way to commit, and what a crash costs at each point."""
    said: dict[str, list[str]] = {}
    for each in cells:
        cost = listed(str(each).split("\n"))
        said.setdefault(each.commit, []).append(f"{_point(each.point)} {cost}")
    return " ".join(f"{commit}: {', '.join(all_)}." for commit, all_ in said.items())


def _draw(ax: "Axes", cells: list[Cell], rows: list[str], points: list[str]) -> None:
    from matplotlib.patches import Rectangle

    named: set[str] = set()
    for each in sorted(cells, key=lambda cell: list(_LOOKS).index(cell.kind)):
        x, y = points.index(each.point), rows.index(each.commit)
        label = None if each.kind in named else say(each.kind)
        named.add(each.kind)
        corner = (x - 0.5, y - 0.5)
        look = _LOOKS[each.kind] | {"edgecolor": "black", "linewidth": stroke(0.8)}
        ax.add_patch(Rectangle(corner, 1, 1, label=label, **look))
        _write(ax, x, y, each)
    ax.set_xlim(-0.5, len(points) - 0.5)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xticks(
        range(len(points)), [_point(each).replace(" the ", "\nthe ") for each in points]
    )
    ax.set_yticks(range(len(rows)), rows)
    ax.tick_params(length=0)
    ax.grid(visible=False)
    for spine in ax.spines.values():
        spine.set_visible(False)


def _write(ax: "Axes", x: int, y: int, cell: Cell) -> None:
    pad: dict[str, Any] = {"boxstyle": "round,pad=0.18", "edgecolor": "none"}
    pad["facecolor"] = _LOOKS[cell.kind]["facecolor"]
    bad = cell.kind != _ONCE
    look: dict[str, Any] = {"fontweight": "bold"} if bad else {"fontsize": "small"}
    look["color"] = "white" if cell.never else "black"
    ax.text(x, y, str(cell), ha="center", va="center", bbox=pad, **look)
