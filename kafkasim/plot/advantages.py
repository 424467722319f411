"""Who has less of what, by how many systems there are."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from kafkasim.analysis.arrays import Float64
from kafkasim.catalogue import mark, say
from kafkasim.errors import ValidationError
from kafkasim.plot.captions import Words, give_words
from kafkasim.plot.given import check_column, table_given
from kafkasim.plot.headings import headline
from kafkasim.plot.line_labels import name_ends
from kafkasim.plot.style import GREY, MARKERS, canvas, nothing, series, stroke, style
from kafkasim.plot.words import amount, caption_of, listed, plain_numbers

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

WEIGHED: Final = (
    *("links", "sockets", "sends_per_record"),
    *("source_bytes", "total_bytes", "latency_ms_p50"),
)
"""Metrics that are weighed unless others are asked for: less is better in all."""

_NAMES: Final = {
    "links": mark("links"),
    "sockets": mark("connections"),
    "sends_per_record": mark("sends of a source"),
    "source_bytes": mark("bytes out of sources"),
    "total_bytes": mark("bytes in all"),
    "latency_ms_p50": mark("median latency"),
    "latency_ms_p99": mark("p99 latency"),
    "hub_nodes": mark("machines of a hub"),
}


def advantage(
    table: "pd.DataFrame",
    *,
    y: Sequence[str] = WEIGHED,
    wanted: float = 1.0,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw where point to point has less, and where a hub has, by size.

    Parameters
    ----------
    table : DataFrame
        As `pipeline_sizes` of kafkasim returns it, of two systems.
    y : sequence of str
        Columns of which less is better.
    wanted : float
        Which density is drawn.
    ax : Axes, optional
        What to draw into; a new figure otherwise.

    Returns
    -------
    Axes
        The second system's value ÷ the first's, by size: above the line at 1 the first
        has less, below it the second. The title says of what each has less at every
        size measured.

    Raises
    ------
    ValidationError
        `table` is no such table, has no such column or density, or not two systems.
    """
    table_given(table, say("a table of pipeline_sizes"))
    for column in ("system", "size", "wanted", *y):
        check_column(table, column, "y")
    names = list(dict.fromkeys(table["system"].astype(str)))
    if len(table) and len(names) != 2:
        raise ValidationError("table", names, say("two systems"))
    mine = table[np.isclose(table["wanted"].to_numpy(dtype=np.float64), wanted)]
    ratios = {column: _ratio(mine, names, column) for column in y if len(mine)}
    title = _finding(ratios, names)
    with style():
        ax = canvas(ax)
        drawn = _draw(ax, ratios)
        if drawn:
            _sides(ax, names, max(float(size[-1]) for _, _, size, _ in drawn))
            name_ends(ax, drawn)
        else:
            nothing(ax, say("no runs"))
        ax.set_xlabel(say("sources, and as many subscribers (n)"))
        if names:
            ax.set_ylabel(f"{names[-1]} ÷ {names[0]}")
        headline(ax, title)
    said = [_in_words(column, ratio) for column, ratio in ratios.items()]
    who = listed(names) or say("nobody")
    what = say("What {systems} need, one by the other, by size", systems=who)
    give_words(ax, Words(caption_of(what, None), " ".join([f"{title}.", *said])))
    return ax


def _name(column: str) -> str:
    return say(_NAMES[column]) if column in _NAMES else column


def _ratio(
    table: "pd.DataFrame", names: list[str], column: str
) -> tuple[Float64, Float64]:
    """Return sizes, and the second system's value ÷ the first's at each."""
    wide = table.pivot_table(index="size", columns="system", values=column)
    wide = wide.reindex(columns=names).dropna()
    wide = wide[wide[names[0]] > 0]
    first, second = (wide[name].to_numpy(dtype=np.float64) for name in names)
    return wide.index.to_numpy(dtype=np.float64), second / first


def _finding(ratios: dict[str, tuple[Float64, Float64]], names: list[str]) -> str:
    """Return of what each has less at the largest size, and from which size on."""
    less: dict[str, dict[float, list[str]]] = {name: {} for name in names}
    for column, (size, ratio) in ratios.items():
        if not len(size) or ratio[-1] == 1:
            continue
        others = np.flatnonzero(ratio >= 1 if ratio[-1] < 1 else ratio <= 1)
        since = float(size[others[-1] + 1]) if len(others) else 0.0
        mine = less[names[int(ratio[-1] < 1)]]
        mine.setdefault(since, []).append(_name(column))
    said = [
        (name, ", ".join(_from(since, of) for since, of in by_size.items()))
        for name, by_size in less.items()
        if by_size
    ]
    if not said:
        return say("Nobody has less of anything")
    first, *rest = said
    texts = [
        say("Less with {name}: {what}", name=first[0], what=first[1]),
        *(say("less with {name}: {what}", name=each, what=what) for each, what in rest),
    ]
    return "; ".join(texts)


def _from(since: float, of: list[str]) -> str:
    if not since:
        return listed(of)
    return say("{what} from n = {since:.0f} on", what=listed(of), since=since)


def _draw(
    ax: "Axes", ratios: dict[str, tuple[Float64, Float64]]
) -> list[tuple[str, str, Float64, Float64]]:
    drawn = []
    for number, (column, (size, ratio)) in enumerate(ratios.items()):
        if not len(size):
            continue
        look = series(number)
        ax.plot(size, ratio, marker=MARKERS[number % len(MARKERS)], **look)
        drawn.append((_name(column), look["color"], size, ratio))
    return drawn


def _sides(ax: "Axes", names: list[str], until: float) -> None:
    """Draw the line at 1 and say who has less on each side of it, up to a size.

    Beyond the last size stand the names of the lines.
    """
    from matplotlib.patheffects import withStroke
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    ax.set_yscale("log")
    low, high = ax.get_ylim()
    ax.set_ylim(min(low, 0.5), max(high, 2.0))
    ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.axhline(1.0, color=GREY, linewidth=stroke(2.0), zorder=1)
    for name, up in zip(names, (True, False), strict=True):
        ax.annotate(
            f"{'↑' if up else '↓'} {say('{name} has less', name=name)}",
            (until, 1.0),
            xytext=(0.0, 0.4 if up else -0.4),
            ha="right",
            textcoords="offset fontsize",
            va="bottom" if up else "top",
            color=GREY,
            fontsize="small",
            path_effects=[withStroke(linewidth=stroke(3.0), foreground="white")],
        )
    ax.set_xlim(left=0)
    plain_numbers(ax.xaxis, 11, whole=True)


def _in_words(column: str, ratio: tuple[Float64, Float64]) -> str:
    size, values = ratio
    name = _name(column)
    if not len(size):
        return say("{name}: no number.", name=name)
    return say(
        "{name}: {first} times at {smallest:.0f}, {last} times at {largest:.0f}.",
        name=name,
        first=amount(values[0]),
        smallest=size[0],
        last=amount(values[-1]),
        largest=size[-1],
    )
