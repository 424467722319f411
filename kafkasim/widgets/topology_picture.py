"""The figure of the topology explorer: a tangle, a star, and what both deliver.

Above, the systems and their links without a hub and with one: an edge is the thicker,
the more bytes went over it, red and dashed where all that goes over it was interrupted.
Below, what all subscribers together were done with, second by second.
"""

from collections.abc import Collection, Mapping, Sequence
from math import cos, pi, sin
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

from kafkasim.analysis.arrays import Float64
from kafkasim.analysis.wired import HUB, Node
from kafkasim.catalogue import mark, say
from kafkasim.plot.style import GREY, OKABE_ITO, PALE, SERIES
from kafkasim.plot.words import plain_numbers
from kafkasim.widgets.canvas import Canvas
from kafkasim.widgets.topology_shown import Edge, Shown, Side
from kafkasim.widgets.topology_traffic import (
    COMES_S,
    CRASH_S,
    DEAD_S,
    NOBODY,
    SUBSCRIBER,
    newcomer,
    victim,
)
from kafkasim.widgets.topology_words import alt_text, heading, names, note, title

_SIZE: Final = (10.0, 6.2)
_ARC: Final = 2 * pi / 3
"""Of the circle on which nodes stand, for each side."""
_ASIDE: Final = 1.13
"""How far from the middle a node's number stands; nodes are 1 away."""
_MANY: Final = 40
"""Links from which they are drawn thinner."""
_BURST: Final = 4.0
"""How many times the usual the line of time shows; what is more is said."""
_LOOKS: Final = (
    MappingProxyType[str, Any]({"color": SERIES[0], "linestyle": "-"}),
    MappingProxyType[str, Any]({"color": SERIES[3], "linestyle": "--"}),
)
"""Colour and dash of what the two systems deliver."""
_USUAL: Final = MappingProxyType[str, Any]({"color": GREY})
_NEW: Final = MappingProxyType[str, Any]({"color": OKABE_ITO["sky blue"]})
_HURT: Final = MappingProxyType[str, Any](
    {"color": OKABE_ITO["vermillion"], "linestyle": (0, (2.6, 1.3))}
)
_MARKS: Final[Mapping[str, Mapping[str, Any]]] = {
    mark("source"): {"color": OKABE_ITO["blue"], "marker": "o", "markersize": 10},
    mark("subscriber"): {"color": OKABE_ITO["green"], "marker": "^", "markersize": 11},
    mark("hub"): {"color": OKABE_ITO["orange"], "marker": "s", "markersize": 19},
}


class _NetArtists:
    """One net: edges of three kinds, nodes, numbers and what stands above."""

    def __init__(self, ax: Axes, colour: str) -> None:
        self.axes = ax
        ax.set_axis_off()
        ax.set_xlim(-1.6, 1.6)
        ax.set_ylim(-1.02, 1.02)
        self.edges = {
            name: LineCollection([], zorder=order, **look)
            for order, (name, look) in enumerate(
                {"usual": _USUAL, "new": _NEW, "hurt": _HURT}.items(), 1
            )
        }
        for each in self.edges.values():
            ax.add_collection(each, autolim=False)
        plain: dict[str, Any] = {"linestyle": "none", "markeredgecolor": "white"}
        self.nodes: dict[str, Line2D] = {}
        for kind, look in _MARKS.items():
            (self.nodes[kind],) = ax.plot([], [], zorder=4, **plain, **look)
        (self.crosses,) = ax.plot(
            [], [], linestyle="none", marker="x", markersize=16, color="black",
            markeredgewidth=3.0, zorder=5,
        )  # fmt: skip
        head: dict[str, Any] = {"ha": "center", "va": "bottom"}
        place = ax.transAxes
        self.head = ax.text(
            0.5, 1.075, "", fontsize=12, fontweight="bold", color=colour,
            transform=place, **head,
        )  # fmt: skip
        self.found = ax.text(
            0.5, 1.0, "", fontsize=11, color="black", transform=place, **head
        )
        self.numbers: list[Text] = []

    def move(
        self, side: Side, texts: tuple[str, str], dead: Collection[Node], most: int
    ) -> None:
        """Move edges, nodes and words to those of a run."""
        at = places({node for edge in side.bytes_ for node in edge})
        thin, wide = (0.3, 1.4) if len(side.bytes_) > _MANY else (0.8, 2.6)
        for name, edges in _kinds(side).items():
            lines = self.edges[name]
            lines.set_segments([np.array([at[one], at[two]]) for one, two in edges])
            widths = [thin + wide * (side.bytes_[each] / most) ** 0.5 for each in edges]
            lines.set_linewidth(widths or [1.0])
        for kind, artist in self.nodes.items():
            artist.set_data(*_columns([at[node] for node in at if node.kind == kind]))
        self.crosses.set_data(*_columns([at[node] for node in dead if node in at]))
        self.head.set_text(texts[0])
        self.found.set_text(texts[1])
        ends = [node for node in at if node != HUB]
        while len(self.numbers) < len(ends):
            self.numbers.append(_number(self.axes))
        for unused in self.numbers[len(ends) :]:
            unused.set_visible(False)
        for number, node in zip(self.numbers, ends, strict=False):
            x, y = at[node]
            number.set(x=_ASIDE * x, y=_ASIDE * y, visible=True)
            number.set_text(node.name.rpartition("-")[2])


class TopologyCanvas(Canvas[Shown]):
    """Two nets and a line of time; see the first lines of this module.

    Attributes
    ----------
    nets : tuple of net artists
        Without a hub, and with one.
    time_axes : Axes
    title, note : Text
    """

    def __init__(self) -> None:
        super().__init__(_SIZE)

    def draw(self) -> None:
        """Make the panels; where each stands is set by hand."""
        bold: dict[str, Any] = {"fontsize": 12.5, "fontweight": "bold", "va": "top"}
        grey: dict[str, Any] = {"fontsize": 10.5, "color": GREY, "va": "top"}
        self.title = self.figure.text(0.012, 0.987, "", **bold)
        self.note = self.figure.text(0.012, 0.943, "", **grey)
        self.nets = tuple(
            _NetArtists(self.figure.add_axes((left, 0.375, 0.46, 0.44)), look["color"])
            for left, look in zip((0.02, 0.52), _LOOKS, strict=True)
        )
        self._draw_time(self.figure.add_axes((0.06, 0.165, 0.925, 0.16)))
        self._legend()

    def _draw_time(self, ax: Axes) -> None:
        self.time_axes = ax
        self.dead = ax.axvspan(CRASH_S, CRASH_S + DEAD_S, color=PALE, zorder=0)
        self.comes = ax.axvline(COMES_S, color="black", linestyle=":", linewidth=1.6)
        self.who_comes = ax.text(
            COMES_S, 1.04, "", ha="center", va="bottom", fontsize=10,
            transform=ax.get_xaxis_transform(),
        )  # fmt: skip
        self.lines = [
            ax.plot([], [], drawstyle="steps-post", linewidth=2.4, **look)[0]
            for look in _LOOKS
        ]
        ax.set_title(
            say("delivered per second"), fontsize=11, fontweight="normal", pad=5
        )
        self.burst = ax.text(
            0, 0.97, "", ha="left", va="top", fontsize=10,
            transform=ax.get_xaxis_transform(),
        )  # fmt: skip
        ax.set_xlabel(say("simulated time (s)"), fontsize=11.5)
        ax.xaxis.set_label_coords(0.5, -0.3)
        plain_numbers(ax.xaxis, 9)
        plain_numbers(ax.yaxis, 3, whole=True)
        ax.tick_params(labelsize=11)

    def _legend(self) -> None:
        plain: dict[str, Any] = {"linestyle": "none"}
        signs: dict[str, Artist] = {
            kind: Line2D([], [], **plain, **{**look, "markersize": 9})
            for kind, look in _MARKS.items()
        }
        signs |= {
            mark("new"): Line2D([], [], linewidth=2.4, **_NEW),
            mark("interrupted"): Line2D([], [], linewidth=2.4, **_HURT),
            mark("while it is dead"): Patch(color=PALE),
            mark("directly"): Line2D([], [], linewidth=2.4, **_LOOKS[0]),
            mark("by a hub"): Line2D([], [], linewidth=2.4, **_LOOKS[1]),
        }
        self.figure.legend(
            list(signs.values()),
            [say(sign) for sign in signs],
            loc="upper left",
            bbox_to_anchor=(0.005, 0.06),
            ncols=len(signs),
            fontsize=10,
            columnspacing=1.2,
            handletextpad=0.5,
            borderaxespad=0.0,
        )

    def update(self, shown: Shown, before: Shown | None) -> None:
        """Move the artists to what two runs gave; what was before is in the table."""
        del before
        values = shown.values
        most = max(max(side.bytes_.values(), default=1) for side in shown.sides)
        dead = set()
        if values.crash != NOBODY:
            who = Node("subscriber", victim(values))
            dead = {who if values.crash == SUBSCRIBER else HUB}
        for net, name, side in zip(self.nets, names(shown), shown.sides, strict=True):
            net.move(side, heading(name, side, shown), dead, most)
        self.dead.set_visible(values.crash != NOBODY)
        comes = newcomer(values)
        self.comes.set_visible(comes is not None)
        self.who_comes.set_text(
            "" if comes is None else say("{name} comes", name=comes)
        )
        for line, side in zip(self.lines, shown.sides, strict=True):
            edges, counts = side.line
            line.set_data(edges, np.append(counts, counts[-1:]))
        self._scale(shown)
        self.title.set_text(title(shown))
        self.note.set_text(note(shown))

    def _scale(self, shown: Shown) -> None:
        """Show all of the time, and of a burst its beginning and how high it goes."""
        ends = [side.line[0][-1] for side in shown.sides]
        self.time_axes.set_xlim(0.0, float(max(ends)))
        edges, counts = max(
            (side.line for side in shown.sides), key=lambda line: line[1].max()
        )
        usual = float(np.median(shown.tangle.line[1]))
        top = float(counts.max())
        shown_top = min(top, _BURST * max(usual, 1.0))
        self.time_axes.set_ylim(0.0, 1.12 * shown_top)
        self.burst.set_visible(shown_top < top)
        self.burst.set_text(say(" up to {most}", most=f"{top:,.0f}"))
        self.burst.set_x(edges[int(counts.argmax()) + 1])

    def alt_text(self, shown: Shown) -> str:
        """Return what is seen, for those who cannot see it."""
        return alt_text(shown)


def places(nodes: Collection[Node]) -> dict[Node, tuple[float, float]]:
    """Return where nodes stand: on two arcs of a circle, and a hub in its middle."""
    found = {HUB: (0.0, 0.0)} if HUB in nodes else {}
    for kind, middle, turn in (("source", pi, 1), ("subscriber", 0.0, -1)):
        side = sorted(
            (node for node in nodes if node.kind == kind),
            key=lambda node: int(node.name.rpartition("-")[2]),
        )
        step = _ARC / max(1, len(side))
        for place, node in enumerate(side):
            angle = middle + turn * (place - (len(side) - 1) / 2) * step
            found[node] = (cos(angle), sin(angle))
    return found


def _kinds(side: Side) -> dict[str, list[Edge]]:
    """Return the links by how they look."""
    found: dict[str, list[Edge]] = {"usual": [], "new": [], "hurt": []}
    for edge in side.bytes_:
        name = "hurt" if edge in side.hurt else "new" if edge in side.new else "usual"
        found[name].append(edge)
    return found


def _columns(places_: Sequence[tuple[float, float]]) -> tuple[Float64, Float64]:
    points = np.array(places_, dtype=np.float64).reshape(-1, 2)
    return points[:, 0], points[:, 1]


def _number(ax: Axes) -> Text:
    return ax.text(0, 0, "", ha="center", va="center_baseline", fontsize=10, zorder=6)
