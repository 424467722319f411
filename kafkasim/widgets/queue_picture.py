"""The figure of the queue explorer: what queues and a log hold, record by record.

Left the queues, right the log. Above, a bar for each record, from when it is there
until it is gone, and a mark where a reader was done with it. Below, a box for each
record: whether it is still there in the end, and how often each reader had it.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from matplotlib.artist import Artist
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

from kafkasim.analysis.arrays import Bool, Float64
from kafkasim.catalogue import mark, say
from kafkasim.plot.style import GREY, OKABE_ITO
from kafkasim.plot.words import plain_numbers
from kafkasim.widgets.canvas import Canvas
from kafkasim.widgets.queue_shown import Shown, Side
from kafkasim.widgets.queue_traffic import FIRST, RECORDS, SECOND
from kafkasim.widgets.queue_words import LOG, QUEUE, alt_text, note, title

_SIZE: Final = (10.0, 5.8)
UNTIL_S: Final = 36.0
"""Where the time axis ends; every run of the controls has ended by then."""
_TOP: Final = 49.0
"""Upper end of the axis of records, with room for two lines of words."""
_ROWS: Final = (47.6, 43.4)
"""Where the words stand: what happens to the first reader, and the second one."""
_LANES: Final = 3
"""Of boxes: what is still there, and what each reader had."""
_HIGH: Final = 0.34
"""Half the height of a box, where a lane is 1 high."""
_TURN_S: Final = 24.0
"""A line right of this has its words at its left."""

_BAR: Final = MappingProxyType[str, Any](
    {"colors": OKABE_ITO["sky blue"], "linewidths": 3.2, "alpha": 0.55, "zorder": 2}
)
_FIRST: Final = MappingProxyType[str, Any](
    {"color": OKABE_ITO["blue"], "marker": "o", "markersize": 3.4, "linestyle": ""}
)
_SECOND: Final = MappingProxyType[str, Any](
    {"color": OKABE_ITO["vermillion"], "marker": "s", "markersize": 3.2}
    | {"linestyle": ""}
)
_LEFT: Final = MappingProxyType[str, Any](
    {"color": "black", "marker": "x", "markersize": 8.0, "linestyle": ""}
    | {"markeredgewidth": 2.0}
)
_LOOKS: Final = MappingProxyType[str, dict[str, Any]](
    {
        mark("there, or had once"): {
            "facecolor": OKABE_ITO["sky blue"],
            "edgecolor": GREY,
            "linewidth": 0.6,
        },
        mark("had again"): {
            "facecolor": OKABE_ITO["orange"],
            "edgecolor": "black",
            "linewidth": 1.2,
        },
        mark("gone, or never had"): {
            "facecolor": "white",
            "edgecolor": GREY,
            "linewidth": 0.9,
        },
    }
)


@dataclass(frozen=True, slots=True)
class _Half:
    """The artists of one system."""

    head: Text
    bars: LineCollection
    first: Line2D
    second: Line2D
    left: Line2D
    moments: LineCollection
    words: tuple[Text, Text, Text]
    boxes: dict[str, PolyCollection]
    counts: tuple[Text, ...]


class QueueCanvas(Canvas[Shown]):
    """Two halves of two panels; see the first lines of this module.

    Attributes
    ----------
    queue, log : halves
        The artists of each.
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
        self.queue = self._half(0.085, say(QUEUE), labelled=True)
        self.log = self._half(0.565, say(LOG), labelled=False)
        self._legends()

    def _half(self, x: float, name: str, *, labelled: bool) -> _Half:
        ax = self.figure.add_axes((x, 0.43, 0.375, 0.41))
        head: dict[str, Any] = {"fontsize": 11.5, "fontweight": "bold"}
        marks = {
            each: ax.plot([], [], zorder=3, **look)[0]
            for each, look in (("1", _FIRST), ("2", _SECOND), ("x", _LEFT))
        }
        small: dict[str, Any] = {"fontsize": 9.5, "color": GREY, "va": "top"}
        words = [ax.text(0, 0, "", zorder=4, **small) for _ in range(3)]
        bars = LineCollection([], capstyle="butt", **_BAR)
        moments = LineCollection([], colors="black", linestyles=":", linewidths=1.3)
        for each in (bars, moments):
            ax.add_collection(each, autolim=False)
        ax.set_xlim(0, UNTIL_S)
        ax.set_ylim(-1, _TOP)
        ax.set_xlabel(say("simulated time (s)"), fontsize=10.5)
        ax.xaxis.set_label_coords(0.5, -0.105)
        plain_numbers(ax.xaxis, 8)
        ax.set_yticks(range(0, RECORDS + 1, 10))
        ax.tick_params(labelsize=10)
        if labelled:
            ax.set_ylabel(say("record, in the order of sending"), fontsize=10.5)
        boxes, counts = self._boxes(x, labelled=labelled)
        return _Half(
            head=self.figure.text(x, 0.852, name, va="bottom", **head),
            bars=bars,
            first=marks["1"],
            second=marks["2"],
            left=marks["x"],
            moments=moments,
            words=(words[0], words[1], words[2]),
            boxes=boxes,
            counts=counts,
        )

    def _boxes(
        self, x: float, *, labelled: bool
    ) -> tuple[dict[str, PolyCollection], tuple[Text, ...]]:
        ax = self.figure.add_axes((x, 0.118, 0.375, 0.17))
        boxes = {
            name: PolyCollection([], zorder=2, **look) for name, look in _LOOKS.items()
        }
        for each in boxes.values():
            ax.add_collection(each, autolim=False)
        counts = tuple(
            ax.text(RECORDS + 0.6, lane, "", va="center", fontsize=10.5)
            for lane in range(_LANES)
        )
        ax.set_xlim(-0.2, RECORDS + 0.2)
        ax.set_ylim(2.5, -0.5)
        lanes = [say("still there"), FIRST, SECOND] if labelled else [""] * _LANES
        ax.set_yticks(range(_LANES), lanes)
        ticks = range(0, RECORDS + 1, 10)
        ax.set_xticks([tick + 0.5 for tick in ticks[:-1]], [f"{t}" for t in ticks[:-1]])
        ax.set_xlabel(say("record"), fontsize=10.5)
        ax.xaxis.set_label_coords(0.5, -0.215)
        ax.grid(visible=False)
        ax.spines["left"].set_visible(False)
        ax.spines["bottom"].set_visible(False)
        ax.tick_params(labelsize=10, length=0)
        return boxes, counts

    def _legends(self) -> None:
        above: dict[str, Artist] = {
            say("the record is there"): Line2D(
                [], [], color=OKABE_ITO["sky blue"], linewidth=3.2, alpha=0.55
            ),
            say("done by {name}", name=FIRST): Line2D([], [], **_FIRST),
            say("done by {name}", name=SECOND): Line2D([], [], **_SECOND),
            say("left in the work"): Line2D([], [], **_LEFT),
        }
        below: dict[str, Artist] = {
            say(name): Patch(**look) for name, look in _LOOKS.items()
        }
        for signs, height in ((above, 0.352), (below, 0.044)):
            self.figure.legend(
                list(signs.values()),
                list(signs),
                loc="upper left",
                bbox_to_anchor=(0.08, height),
                ncols=4,
                fontsize=9.5,
                columnspacing=1.6,
                handlelength=1.6,
                borderaxespad=0.0,
            )

    def update(self, shown: Shown, before: Shown | None) -> None:
        """Move the artists to what two runs gave."""
        del before
        moments = (
            (shown.dies_s, say("{name} dies", name=FIRST), 0),
            (shown.replay_s, say("it goes back"), 0),
            (shown.comes_s or np.nan, say("{name} comes", name=SECOND), 1),
        )
        for half, side in ((self.queue, shown.queue), (self.log, shown.log)):
            _move(half, side)
            _say(half, moments)
        self.title.set_text(title(shown))
        self.note.set_text(note(shown))

    def alt_text(self, shown: Shown) -> str:
        """Return what is seen, for those who cannot see it."""
        return alt_text(shown)


def _move(half: _Half, side: Side) -> None:
    """Move the bars, marks and boxes of one system."""
    until = np.where(np.isnan(side.until_s), UNTIL_S, side.until_s)
    half.bars.set_segments(
        [
            [(side.since_s[record], record), (until[record], record)]
            for record in np.flatnonzero(~np.isnan(side.since_s)).tolist()
        ]
    )
    half.first.set_data(side.first.at_s, side.first.record)
    half.second.set_data(side.second.at_s, side.second.record)
    half.left.set_data(side.first.left_at_s, side.first.left_record)
    lanes = (side.kept.astype(np.int64), side.first_times, side.second_times)
    wanted = [(lane == 1, lane > 1, lane == 0) for lane in lanes]
    for place, boxes in enumerate(half.boxes.values()):
        boxes.set_verts(_corners([each[place] for each in wanted]))
    for text, lane in zip(half.counts, lanes, strict=True):
        text.set_text(f"{np.count_nonzero(lane)}")


def _say(half: _Half, moments: tuple[tuple[float, str, int], ...]) -> None:
    """Draw a line at each moment that there is, and its words beside it."""
    half.moments.set_segments(
        [[(at_s, -1), (at_s, _TOP)] for at_s, _, _ in moments if not np.isnan(at_s)]
    )
    for text, (at_s, words, row) in zip(half.words, moments, strict=True):
        seen = not np.isnan(at_s)
        text.set_text(words if seen else "")
        if seen:
            turned = row == 0 or at_s > _TURN_S
            text.set_horizontalalignment("right" if turned else "left")
            text.set_position((at_s + (-0.4 if turned else 0.4), _ROWS[row]))


def _corners(lanes: list[Bool]) -> list[Float64]:
    """Return the corners of a box for each record of each lane that is marked."""
    return [
        np.array(
            [
                (record + 0.1, lane - _HIGH),
                (record + 0.9, lane - _HIGH),
                (record + 0.9, lane + _HIGH),
                (record + 0.1, lane + _HIGH),
            ]
        )
        for lane, marked in enumerate(lanes)
        for record in np.flatnonzero(marked).tolist()
    ]
