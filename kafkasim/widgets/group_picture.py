"""The figure of the group explorer: who reads which partition, and how many are read.

Above, a lane for each partition, its reader in colour and by number, grey where nobody
reads it; then a lane for members without a partition, and one for the group's rests and
rebalances. Below, how many partitions are read; the same of the run before is grey.
"""

from types import MappingProxyType
from typing import Any, Final

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.text import Text

from kafkasim.analysis.arrays import Float64
from kafkasim.catalogue import mark, say
from kafkasim.plot.style import GREY, HATCHES, OKABE_ITO, PALE, SERIES
from kafkasim.plot.words import plain_numbers
from kafkasim.widgets.canvas import Canvas
from kafkasim.widgets.group_shown import Shown
from kafkasim.widgets.group_traffic import DURATION_S, EVENT_S, MOST_MEMBERS
from kafkasim.widgets.group_words import alt_text, happens, note, title

_SIZE: Final = (10.0, 5.8)
_HEIGHT: Final = 0.78
"""Of a bar, where the next lane is 1 away."""
_SPACE: Final = 0.35
"""Between the partitions' lanes and the two below."""
_LEAST_NAMED_S: Final = 0.04 * DURATION_S
"""A bar as long as that has its member's number in it."""
_AWAY_S: Final = 0.006 * DURATION_S
_IDLE: Final = MappingProxyType[str, Any](
    {"facecolor": "white", "edgecolor": "black", "linewidth": 1.0}
)
_REBALANCE: Final = MappingProxyType[str, Any](
    {"facecolor": OKABE_ITO["yellow"], "edgecolor": "black", "linewidth": 0.8}
)
_NOBODY: Final = MappingProxyType[str, Any](
    {"facecolor": PALE, "edgecolor": GREY, "hatch": "///", "linewidth": 0.6}
)
_READ: Final = MappingProxyType[str, Any](
    {"color": "black", "linewidth": 2.2, "zorder": 3}
)
_BEFORE: Final = MappingProxyType[str, Any](
    {"color": "#ADADAD", "linewidth": 4.5, "zorder": 2}
)


class GroupCanvas(Canvas[Shown]):
    """Two panels with one time; see the first lines of this module.

    Attributes
    ----------
    lane_axes, read_axes : Axes
    title, note : Text
    """

    def __init__(self) -> None:
        super().__init__(_SIZE)

    def draw(self) -> None:
        """Make the panels; where each stands is set by hand."""
        bold: dict[str, Any] = {"fontsize": 12.5, "fontweight": "bold", "va": "top"}
        grey: dict[str, Any] = {"fontsize": 10.5, "color": GREY, "va": "top"}
        self.title = self.figure.text(0.012, 0.985, "", **bold)
        self.note = self.figure.text(0.012, 0.938, "", **grey)
        self._draw_lanes(self.figure.add_axes((0.115, 0.355, 0.87, 0.53)))
        self._draw_read(self.figure.add_axes((0.115, 0.155, 0.87, 0.165)))
        self._legend()

    def _draw_lanes(self, ax: Axes) -> None:
        self.lane_axes = ax
        self.bars = {
            number: PolyCollection([], edgecolor="white", linewidth=0.8, **look(number))
            for number in range(1, MOST_MEMBERS + 2)
        }
        self.gaps = PolyCollection([], zorder=2, **_NOBODY)
        self.idle = PolyCollection([], zorder=2, **_IDLE)
        self.unrest = PolyCollection([], zorder=2, **_REBALANCE)
        for artist in (*self.bars.values(), self.gaps, self.idle, self.unrest):
            ax.add_collection(artist, autolim=False)
        self.numbers: list[Text] = []
        """In bars; as many as were needed so far."""
        ax.set_xlim(0.0, DURATION_S)
        ax.tick_params(labelsize=11)
        ax.tick_params(axis="x", labelbottom=False)
        ax.tick_params(axis="y", length=0)
        plain_numbers(ax.xaxis, 9)
        ax.grid(visible=False, axis="y")
        self._draw_event(ax)

    def _draw_read(self, ax: Axes) -> None:
        self.read_axes = ax
        (self.before,) = ax.plot([], [], drawstyle="steps-post", **_BEFORE)
        (self.read,) = ax.plot([], [], drawstyle="steps-post", **_READ)
        ax.set_xlim(0.0, DURATION_S)
        ax.set_ylabel(say("partitions\nread"), fontsize=11, rotation=0, ha="right")
        ax.yaxis.set_label_coords(-0.035, 0.25)
        ax.set_xlabel(say("simulated time (s)"), fontsize=12)
        ax.xaxis.set_label_coords(0.5, -0.3)
        plain_numbers(ax.xaxis, 9)
        plain_numbers(ax.yaxis, 4, whole=True)
        ax.tick_params(labelsize=11)
        self._draw_event(ax)

    def _draw_event(self, ax: Axes) -> None:
        """Draw the upright line where something happens; its name is for above."""
        line = LineCollection(
            [[(EVENT_S, 0.0), (EVENT_S, 1.0)]],
            colors="black", linestyles=":", linewidths=1.6, zorder=3.5,
            transform=ax.get_xaxis_transform(),
        )  # fmt: skip
        ax.add_collection(line, autolim=False)
        if ax is self.lane_axes:
            self.event = ax.text(
                EVENT_S + _AWAY_S, 1.0, "", fontsize=9.5, color=GREY, va="bottom",
                transform=ax.get_xaxis_transform(),
            )  # fmt: skip

    def _legend(self) -> None:
        signs: dict[str, Artist] = {
            mark("read by member 1"): Patch(**look(1)),
            mark("by 2, and so on"): Patch(**look(2)),
            mark("nobody reads"): Patch(**_NOBODY),
            mark("no partition"): Patch(**_IDLE),
            mark("rebalance"): Patch(**_REBALANCE),
            mark("run before"): Line2D([], [], **_BEFORE),
        }
        self.figure.legend(
            list(signs.values()),
            [say(sign) for sign in signs],
            loc="upper left",
            bbox_to_anchor=(0.005, 0.062),
            ncols=6,
            fontsize=10,
            columnspacing=1.3,
            borderaxespad=0.0,
        )

    def update(self, shown: Shown, before: Shown | None) -> None:
        """Move the artists to what one run gave, and the one before it."""
        lanes = shown.values.partitions
        for number, bars in self.bars.items():
            mine = [bar for bar in shown.owned if bar.member == number]
            bars.set_verts([_box(bar.since_s, bar.until_s, bar.lane) for bar in mine])
        self.gaps.set_verts(
            [_box(gap.since_s, gap.until_s, gap.lane) for gap in shown.gaps]
        )
        idle, group = lanes + _SPACE, lanes + _SPACE + bool(shown.idle)
        self.idle.set_verts([_box(since, end, idle) for since, end, _ in shown.idle])
        self.unrest.set_verts([_box(*each, group) for each in shown.unrest])
        self._move_numbers(shown, idle)
        names = {
            float(lane): say("partition {number}", number=lane) for lane in range(lanes)
        }
        if shown.idle:
            names[idle] = say("no partition")
        names[group] = say("group")
        self.lane_axes.set_yticks(list(names), list(names.values()))
        self.lane_axes.set_ylim(group + 0.5, -0.5)
        self.lane_axes.tick_params(axis="y", labelsize=11 if lanes < 10 else 9)
        self._move_lines(shown, before)
        self.event.set_text(happens(shown))
        self.title.set_text(title(shown))
        self.note.set_text(note(shown))

    def _move_numbers(self, shown: Shown, idle: float) -> None:
        """Write members' numbers into bars that are long enough."""
        said: list[tuple[float, float, str, str]] = []
        for bar in shown.owned:
            if bar.until_s - bar.since_s >= _LEAST_NAMED_S:
                middle = (bar.since_s + bar.until_s) / 2
                said.append((middle, bar.lane, str(bar.member), colour(bar.member)))
        for since, until, members in shown.idle:
            if until - since >= _LEAST_NAMED_S * len(members) / 2:
                text = ", ".join(map(str, members))
                said.append(((since + until) / 2, idle, text, ""))
        while len(self.numbers) < len(said):
            self.numbers.append(_number(self.lane_axes))
        for unused in self.numbers[len(said) :]:
            unused.set_visible(False)
        for number, (at, lane, name, edge) in zip(self.numbers, said, strict=False):
            number.set(x=at, y=lane, text=name, visible=True)
            number.set_color("white" if edge else "black")
            number.set_path_effects([withStroke(linewidth=2.0, foreground=edge or "w")])

    def _move_lines(self, shown: Shown, before: Shown | None) -> None:
        self.read.set_data(*_to_the_end(shown))
        runs = [shown] if before is None else [shown, before]
        nothing = np.zeros(0)
        was = (nothing, nothing) if before is None else _to_the_end(before)
        self.before.set_data(*was)
        top = max(each.values.partitions for each in runs)
        self.read_axes.set_ylim(-0.05 * top, 1.15 * top)

    def alt_text(self, shown: Shown) -> str:
        """Return what is seen, for those who cannot see it."""
        return alt_text(shown)


def colour(member: int) -> str:
    """Return the colour of a member's bars."""
    return SERIES[(member - 1) % len(SERIES)]


def look(member: int) -> dict[str, Any]:
    """Return how a member's bars are drawn: told apart without colour, too."""
    hatch = HATCHES[(member - 1) // len(SERIES) % len(HATCHES)]
    return {"facecolor": colour(member), "hatch": hatch}


def _number(ax: Axes) -> Text:
    return ax.text(
        0, 0, "", ha="center", va="center_baseline", fontsize=10, fontweight="bold",
        clip_on=True, zorder=4,
    )  # fmt: skip


def _to_the_end(shown: Shown) -> tuple[Float64, Float64]:
    at, count = shown.read_line
    return np.append(at, shown.until_s), np.append(count, count[-1:])


def _box(since_s: float, until_s: float, lane: float) -> Float64:
    """Return the corners of a bar in a lane."""
    low, high = lane - _HEIGHT / 2, lane + _HEIGHT / 2
    corners = [(since_s, low), (until_s, low), (until_s, high), (since_s, high)]
    return np.array(corners, dtype=np.float64)
