"""The figure of the offset explorer: how far two groups are, record by record.

Left above, the record that each group works on and its committed offset, over simulated
time. Below, a box for each record and a lane for each process; what the crash did is in
the third lane, a number in each box. Right, the records of `__consumer_offsets`.
"""

from types import MappingProxyType
from typing import Any, Final

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

from kafkasim.analysis.arrays import Bool, Float64
from kafkasim.catalogue import mark, say
from kafkasim.plot.fonts import HANGUL
from kafkasim.plot.style import GREY, OKABE_ITO, PALE, hatch
from kafkasim.plot.words import plain_numbers
from kafkasim.widgets.canvas import Canvas
from kafkasim.widgets.offset_shown import Row, Shown, Work
from kafkasim.widgets.offset_traffic import CRASHES, OTHER, RECORDS, TOPIC
from kafkasim.widgets.offset_words import alt_text, note, title

_SIZE: Final = (10.0, 5.8)
_PROCESSES: Final = (mark("first process"), mark("next process"))
_LANES: Final = len(_PROCESSES) + 2
"""One for each process, and one for each group."""
_MOST_ROWS: Final = 25
"""Lines there is room for at the right."""
_LEAST: Final = 7
"""Rows of each partition that are shown at least, the newest."""
_HIGH: Final = 0.36
"""Half the height of a box, where a lane is 1 high."""

_WORK: Final = MappingProxyType[str, Any](
    {"color": OKABE_ITO["blue"], "linewidth": 2.0, "zorder": 3}
)
_COMMITTED: Final = MappingProxyType[str, Any](
    {"color": OKABE_ITO["vermillion"], "linewidth": 2.2, "linestyle": "--", "zorder": 3}
)
_OTHER: Final = MappingProxyType[str, Any](
    {"color": "#9A9A9A", "linewidth": 1.8, "zorder": 2}
)
_THIN: Final = MappingProxyType[str, Any]({"edgecolor": GREY, "linewidth": 0.8})
_LOOKS: Final = MappingProxyType[str, dict[str, Any]](
    {
        mark("done"): dict(_THIN, facecolor=OKABE_ITO["sky blue"]),
        mark("begun"): dict(_THIN, facecolor="white", hatch=hatch(1)),
        mark("handed out"): dict(_THIN, facecolor=PALE),
        mark("twice"): dict(
            _THIN, facecolor=OKABE_ITO["orange"], edgecolor="black", linewidth=1.8
        ),
        mark("never done"): {
            "facecolor": "white",
            "edgecolor": OKABE_ITO["vermillion"],
            "linewidth": 2.4,
        },
    }
)
_MONO: Final = ("DejaVu Sans Mono", HANGUL)


class OffsetCanvas(Canvas[Shown]):
    """Two panels and a list; see the first lines of this module.

    Attributes
    ----------
    time_axes, box_axes : Axes
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
        self._draw_time(self.figure.add_axes((0.062, 0.545, 0.57, 0.335)))
        self._draw_boxes(self.figure.add_axes((0.125, 0.165, 0.507, 0.26)))
        self._draw_list()
        self._legends()

    def _draw_time(self, ax: Axes) -> None:
        self.time_axes = ax
        steps: dict[str, Any] = {"drawstyle": "steps-post"}
        (self.others_work,) = ax.plot([], [], **_OTHER, **steps)
        (self.others_committed,) = ax.plot([], [], linestyle="--", **_OTHER, **steps)
        (self.at_work,) = ax.plot([], [], **_WORK, **steps)
        (self.committed,) = ax.plot([], [], **_COMMITTED, **steps)
        self.crash = LineCollection([], colors="black", linestyles=":", linewidths=1.6)
        ax.add_collection(self.crash, autolim=False)
        small: dict[str, Any] = {"fontsize": 9.5, "color": GREY, "va": "top"}
        self.crash_text = ax.text(
            0, 0.99, "", transform=ax.get_xaxis_transform(), ha="right", **small
        )
        ax.set_ylim(0, RECORDS + 1)
        ax.set_ylabel(say("offset"), fontsize=11)
        ax.yaxis.set_label_coords(-0.07, 0.5)
        ax.set_xlabel(say("simulated time (s)"), fontsize=11)
        ax.xaxis.set_label_coords(0.5, -0.12)
        plain_numbers(ax.xaxis, 8)
        plain_numbers(ax.yaxis, 6, whole=True)
        ax.tick_params(labelsize=10)

    def _draw_boxes(self, ax: Axes) -> None:
        self.box_axes = ax
        self.boxes = {
            name: PolyCollection([], zorder=2, **look) for name, look in _LOOKS.items()
        }
        for boxes in self.boxes.values():
            ax.add_collection(boxes, autolim=False)
        self.counts = [
            ax.text(record + 0.5, lane, "", ha="center", va="center", fontsize=10)
            for lane in (2, 3)
            for record in range(RECORDS)
        ]
        self.place = LineCollection(
            [], colors=OKABE_ITO["vermillion"], linestyles="--", linewidths=2.2
        )
        ax.add_collection(self.place, autolim=False)
        ax.set_xlim(-0.15, RECORDS + 0.15)
        ax.set_ylim(3.55, -0.55)
        lanes = [*(say(each) for each in _PROCESSES), CRASHES, OTHER]
        ax.set_yticks(range(_LANES), lanes)
        ticks = range(0, RECORDS, 2)
        ax.set_xticks([tick + 0.5 for tick in ticks], [f"{tick}" for tick in ticks])
        ax.set_xlabel(say("record of {topic}, by its offset", topic=TOPIC), fontsize=11)
        ax.xaxis.set_label_coords(0.5, -0.16)
        ax.grid(visible=False)
        ax.spines["left"].set_visible(False)
        ax.spines["bottom"].set_visible(False)
        ax.tick_params(labelsize=10, length=0)

    def _draw_list(self) -> None:
        """Draw the head of the list, and a line of text for each of its rows."""
        self.figure.text(
            0.66, 0.905, "__consumer_offsets", fontsize=11, fontweight="bold", va="top"
        )
        grey: dict[str, Any] = {"fontsize": 9.5, "color": GREY, "va": "top"}
        self.figure.text(0.66, 0.868, say("bold: newest of its key"), **grey)
        self.lines: list[Text] = [
            self.figure.text(
                0.66, 0.825 - 0.0315 * line, "",
                fontsize=8.8, va="top", family=list(_MONO),
            )
            for line in range(_MOST_ROWS)
        ]  # fmt: skip

    def _legends(self) -> None:
        lines: dict[str, Artist] = {
            say("{name} works on", name=CRASHES): Line2D([], [], **_WORK),
            say("committed"): Line2D([], [], **_COMMITTED),
            say("{name} works on", name=OTHER): Line2D([], [], **_OTHER),
            f"{say('committed')} ": Line2D([], [], linestyle="--", **_OTHER),
        }
        boxes: dict[str, Artist] = {
            say(name): Patch(**look) for name, look in _LOOKS.items()
        }
        for signs, height in ((lines, 0.479), (boxes, 0.052)):
            self.figure.legend(
                list(signs.values()),
                [name.strip() for name in signs],
                loc="upper left",
                bbox_to_anchor=(0.055, height),
                ncols=5,
                fontsize=9.5,
                columnspacing=1.2,
                handlelength=1.6,
                borderaxespad=0.0,
            )

    def update(self, shown: Shown, before: Shown | None) -> None:
        """Move the artists to what one run gave; the run before is in the table."""
        del before
        for artist, line in (
            (self.at_work, shown.at_work),
            (self.committed, shown.committed),
            (self.others_work, shown.others_work),
            (self.others_committed, shown.others_committed),
        ):
            artist.set_data(line.at_s, line.offset)
        self.time_axes.set_xlim(0, shown.until_s)
        self._move_crash(shown)
        self._move_boxes(shown)
        self._move_list(shown.rows)
        self.title.set_text(title(shown))
        self.note.set_text(note(shown))

    def _move_crash(self, shown: Shown) -> None:
        lines, place = [], []
        self.crash_text.set_text("")
        if shown.crashed:
            lines = [[(shown.crash_s, 0), (shown.crash_s, RECORDS + 1)]]
            self.crash_text.set_text(say("crash"))
            self.crash_text.set_x(shown.crash_s - 0.008 * shown.until_s)
        if shown.goes_on_at >= 0:
            place = [[(shown.goes_on_at, -0.5), (shown.goes_on_at, 1.5)]]
        self.crash.set_segments(lines)
        self.place.set_segments(place)

    def _move_boxes(self, shown: Shown) -> None:
        times = shown.times
        lanes = (shown.first, shown.second)
        where: dict[str, list[Bool]] = {
            "done": [lane == Work.DONE for lane in lanes] + [times == 1],
            "begun": [lane == Work.BEGUN for lane in lanes],
            "handed out": [lane == Work.IN_HAND for lane in lanes],
            "twice": [times < 0] * 2 + [times == 2, shown.other == 2],
            "never done": [times < 0] * 2 + [times == 0, shown.other == 0],
        }
        where["done"].append(shown.other == 1)
        for name, masks in where.items():
            corners = [
                _box(int(record), lane)
                for lane, mask in enumerate(masks)
                for record in np.flatnonzero(mask)
            ]
            self.boxes[name].set_verts(corners)
        counts = np.concatenate((times, shown.other)).tolist()
        for text, count in zip(self.counts, counts, strict=True):
            text.set_text(f"{count}")

    def _move_list(self, rows: tuple[Row, ...]) -> None:
        said = _listed(rows)
        said += [("", False)] * (_MOST_ROWS - len(said))
        for text, (line, bold) in zip(self.lines, said, strict=True):
            text.set_text(line)
            text.set_fontweight("bold" if bold else "normal")

    def alt_text(self, shown: Shown) -> str:
        """Return what is seen, for those who cannot see it."""
        return alt_text(shown)


def _listed(rows: tuple[Row, ...]) -> list[tuple[str, bool]]:
    """Return the lines of the list, and which of them are bold.

    Of a partition with many records the newest are shown, and how many there are.
    """
    partitions = sorted({row.partition for row in rows})
    of = {each: [row for row in rows if row.partition == each] for each in partitions}
    room = _MOST_ROWS - 2 * len(partitions)
    lines: list[tuple[str, bool]] = []
    for place, partition in enumerate(partitions):
        mine = of[partition]
        later = sum(min(len(of[each]), _LEAST) for each in partitions[place + 1 :])
        shown = mine[-max(1, room - later) :]
        room -= len(shown)
        older = len(mine) - len(shown)
        lines.append((say("partition {number}", number=partition), False))
        if older:
            lines.append((say("  … {count} older", count=older), False))
        lines += [
            (f"{row.offset:3} {row.key:18} {row.value}", row.newest) for row in shown
        ]
    return lines


def _box(record: int, lane: int) -> Float64:
    """Return the corners of a record's box in a lane."""
    low, high = record + 0.08, record + 0.92
    top, bottom = lane - _HIGH, lane + _HIGH
    corners = [(low, top), (high, top), (high, bottom), (low, bottom)]
    return np.array(corners, dtype=np.float64)
