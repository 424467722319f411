"""Links by how many systems there are: where a hub begins to have fewer."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from kafkasim.analysis import pipeline_theory as theory
from kafkasim.analysis.arrays import Float64
from kafkasim.catalogue import mark, say
from kafkasim.plot.captions import Words, give_words
from kafkasim.plot.given import check_column, table_given
from kafkasim.plot.headings import headline
from kafkasim.plot.line_labels import name_ends
from kafkasim.plot.style import GREY, MARKERS, SERIES, canvas, nothing, stroke, style
from kafkasim.plot.words import (
    begun,
    caption_of,
    counted,
    listed,
    percent,
    plain_numbers,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_NEEDED: Final = ("system", "size", "wanted", "hub_nodes", "links")
_PARTS: Final = {
    1.0: mark("all pairs"),
    0.5: mark("half of them"),
    0.25: mark("a quarter"),
}
"""Shares of the pairs in words."""
_MAKER: Final = mark("a table of pipeline_sizes or mesh_sizes")


@dataclass(frozen=True, slots=True)
class _Line:
    """One system, and one density of it."""

    system: str
    wanted: float
    """Share of the pairs that is wanted; NaN for a mesh."""
    is_hub: bool
    size: Float64
    links: Float64

    @property
    def name(self) -> str:
        """What stands at its end."""
        if self.is_hub or np.isnan(self.wanted):
            return self.system
        return f"{self.system}, {_share(self.wanted)}"

    def formula(self, size: Float64) -> Float64:
        """Return the number of links in closed form."""
        if np.isnan(self.wanted):
            return np.array([theory.mesh_links(int(n))[self.is_hub] for n in size])
        if self.is_hub:
            return np.array([float(theory.hub_links(int(n), int(n))) for n in size])
        return np.array(
            [theory.point_to_point_links(int(n), int(n), self.wanted) for n in size]
        )


def crossover(table: "pd.DataFrame", *, ax: "Axes | None" = None) -> "Axes":
    """Draw links by how many systems there are, and where a hub begins to have fewer.

    Parameters
    ----------
    table : DataFrame
        As `pipeline_sizes` or `mesh_sizes` of kafkasim returns it.
    ax : Axes, optional
        What to draw into; a new figure otherwise.

    Returns
    -------
    Axes
        Marks are measured on runs; thin lines are d·n² and 2n (of a mesh n(n − 1) and
        2n), the closed forms. A ring is around the first size measured at which the hub
        has fewer links.

    Raises
    ------
    ValidationError
        `table` is no such table.
    """
    table_given(table, say(_MAKER))
    for column in _NEEDED:
        check_column(table, column, "table")
    lines = _lines(table)
    first = _crossings(lines)
    mesh = any(np.isnan(line.wanted) for line in lines)
    title = _finding(lines, first)
    across = say("systems") if mesh else say("sources, and as many subscribers")
    with style():
        ax = canvas(ax)
        drawn = _draw(ax, lines)
        for line, at in first:
            _ring(ax, line, at)
        ax.set_xlabel(f"{across} (n)")
        ax.set_ylabel(say("links between systems"))
        _limits(ax, lines)
        if drawn:
            name_ends(ax, drawn)
        else:
            nothing(ax, say("no runs"))
        below = say("marks: measured on runs; thin lines: the formulas")
        headline(ax, title, below=below)
    what = say("Links by the number of {across}, measured", across=across)
    said = [_in_words(line) for line in lines]
    give_words(ax, Words(caption_of(what, None), " ".join([f"{title}.", *said])))
    return ax


def _lines(table: "pd.DataFrame") -> list[_Line]:
    """Return the lines: a hub has one, for what is wanted does not change its links."""
    found: list[_Line] = []
    hubs = {
        str(name): bool((part["hub_nodes"] > 0).any())
        for name, part in table.groupby("system", sort=False, observed=True)
    }
    groups = table.groupby(
        ["system", "wanted"], sort=False, observed=True, dropna=False
    )
    for (system, wanted), part in groups:
        kept = part[np.isfinite(part["links"].to_numpy(dtype=np.float64))]
        kept = kept.sort_values("size")
        size, links = (kept[name].to_numpy(np.float64) for name in ("size", "links"))
        line = _Line(str(system), float(str(wanted)), hubs[str(system)], size, links)
        if not (line.is_hub and any(_same(line, other) for other in found)):
            found.append(line)
    return found


def _same(line: _Line, other: _Line) -> bool:
    """Tell whether a hub's line is drawn already."""
    if line.system != other.system:
        return False
    known = dict(zip(other.size.tolist(), other.links.tolist(), strict=True))
    return all(
        known.get(size) == links
        for size, links in zip(line.size.tolist(), line.links.tolist(), strict=True)
    )


def _crossings(lines: list[_Line]) -> list[tuple[_Line, int]]:
    """Return, for each line without a hub, where a hub first has fewer; −1 if never."""
    hub = next((line for line in lines if line.is_hub), None)
    if hub is None:
        return []
    of_hub = dict(zip(hub.size.tolist(), hub.links.tolist(), strict=True))
    found = []
    for line in lines:
        if line.is_hub:
            continue
        fewer = [
            of_hub.get(size, np.inf) < links
            for size, links in zip(line.size.tolist(), line.links.tolist(), strict=True)
        ]
        found.append((line, fewer.index(True) if True in fewer else -1))
    return found


def _finding(lines: list[_Line], first: list[tuple[_Line, int]]) -> str:
    """Return from which size on the hub has fewer links."""
    hub = next((line.system for line in lines if line.is_hub), "")
    if not first:
        return say("No hub beside it") if lines else say("No runs")
    from_ = [(line, f"{line.size[at]:.0f}") for line, at in first if at >= 0]
    if not from_:
        return say("{hub} has fewer links at no size measured", hub=hub)
    if any(np.isnan(line.wanted) for line, _ in from_):
        return say(
            "In a mesh {hub} has fewer links from {count} systems on",
            hub=hub,
            count=from_[0][1],
        )
    said = [f"{n} ({_share(line.wanted)})" for line, n in from_]
    return say("{hub} has fewer links from n = {sizes}", hub=hub, sizes=listed(said))


def _share(wanted: float) -> str:
    """Return a share of the pairs in words."""
    if wanted in _PARTS:
        return say(_PARTS[wanted])
    return say("{share} of them", share=percent(wanted))


def _draw(ax: "Axes", lines: list[_Line]) -> list[tuple[str, str, Float64, Float64]]:
    drawn = []
    for number, line in enumerate(lines):
        if not len(line.size):
            continue
        colour = SERIES[number % len(SERIES)]
        fine = np.arange(line.size[0], line.size[-1] + 1)
        ax.plot(fine, line.formula(fine), color=colour, linewidth=stroke(1.2))
        ax.plot(
            line.size,
            line.links,
            color=colour,
            linestyle="none",
            marker=MARKERS[number % len(MARKERS)],
            clip_on=False,
        )
        drawn.append((line.name, colour, line.size, line.links))
    return drawn


def _ring(ax: "Axes", line: _Line, at: int) -> None:
    if at >= 0:
        ax.plot(
            line.size[at],
            line.links[at],
            linestyle="none",
            marker="o",
            markersize=stroke(15.0),
            markerfacecolor="none",
            markeredgecolor=GREY,
            markeredgewidth=stroke(1.6),
        )


def _limits(ax: "Axes", lines: list[_Line]) -> None:
    ax.set_xlim(0, max((line.size.max(initial=1) for line in lines), default=1))
    ax.set_ylim(0, 1.04 * max((line.links.max(initial=1) for line in lines), default=1))
    plain_numbers(ax.xaxis, 11, whole=True)
    plain_numbers(ax.yaxis, whole=True)


def _in_words(line: _Line) -> str:
    if not len(line.size):
        return say("{name}: no run.", name=line.name)
    return say(
        "{name}: from {links} at {smallest:.0f} to {last:,.0f} at {largest:.0f}.",
        name=begun(line.name),
        links=counted(line.links[0], "link"),
        smallest=line.size[0],
        last=line.links[-1],
        largest=line.size[-1],
    )
