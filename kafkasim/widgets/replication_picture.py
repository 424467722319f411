"""The figure of the replication explorer: one partition's offsets, and its brokers.

Above, the log end and the high watermark over simulated time; what lies between is not
on every in-sync replica yet, and hatched where a producer was told that it was safe.
Below, a lane for each broker with a replica, in the look of its part, and one for what
the producer was told. The high watermark of the run before is grey.
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

from kafkasim.analysis.arrays import Float64
from kafkasim.analysis.copies import Copies, State, Steps
from kafkasim.catalogue import mark, say
from kafkasim.plot.replica_lanes import (
    ACKED,
    HEIGHT,
    LABELS,
    REFUSED,
    bars,
    look,
    thinned,
)
from kafkasim.plot.style import GREY, OKABE_ITO, PALE, hatch
from kafkasim.plot.words import plain_numbers
from kafkasim.units import NS_PER_S
from kafkasim.widgets.canvas import Canvas
from kafkasim.widgets.log_areas import steps
from kafkasim.widgets.replication_shown import Shown
from kafkasim.widgets.replication_words import alt_text, note, title

_SIZE: Final = (10.0, 5.8)
_MOST_EVENTS: Final = 6
_MOST_REFUSED: Final = 50
_RIGHT: Final = 0.8
"""Part of the width up to which there is room for a text to the right."""
_ABOVE: Final = 1.25
"""Height of the axes, where the log end is 1 high: room for names of events."""
_AWAY: Final = 0.006
"""Of a text from its line, as a part of the width."""
_END: Final = MappingProxyType[str, Any](
    {"color": OKABE_ITO["blue"], "linewidth": 2.2, "zorder": 3}
)
_HIGH: Final = MappingProxyType[str, Any](
    {"color": OKABE_ITO["green"], "linestyle": "-.", "linewidth": 2.4, "zorder": 3.1}
)
_BEFORE: Final = MappingProxyType[str, Any](
    {"color": "#ADADAD", "linewidth": 4.5, "zorder": 2}
)
_HIDDEN: Final = MappingProxyType[str, Any](
    {"facecolor": OKABE_ITO["orange"], "hatch": hatch(1), "linewidth": 0}
)
_LOST: Final = MappingProxyType[str, Any](
    {"colors": OKABE_ITO["vermillion"], "linewidths": 5.0, "zorder": 3.5}
)


class ReplicationCanvas(Canvas[Shown]):
    """Two panels with one time; see the first lines of this module.

    Attributes
    ----------
    offset_axes, lane_axes : Axes
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
        self._draw_offsets(self.figure.add_axes((0.09, 0.475, 0.895, 0.41)))
        self._draw_lanes(self.figure.add_axes((0.09, 0.235, 0.895, 0.215)))
        self._legend()

    def _draw_offsets(self, ax: Axes) -> None:
        self.offset_axes = ax
        self.unsafe = PolyCollection([], facecolor=PALE, linewidth=0, zorder=1.5)
        self.hidden = PolyCollection([], zorder=1.6, **_HIDDEN)
        self.lost = LineCollection([], **_LOST)
        for artist in (self.unsafe, self.hidden, self.lost):
            ax.add_collection(artist, autolim=False)
        (self.before,) = ax.plot([], [], drawstyle="steps-post", **_BEFORE)
        (self.log_end,) = ax.plot([], [], drawstyle="steps-post", **_END)
        (self.high,) = ax.plot([], [], drawstyle="steps-post", **_HIGH)
        small: dict[str, Any] = {"fontsize": 9.5, "color": GREY, "va": "top"}
        small |= {
            "zorder": 4,
            "path_effects": [withStroke(linewidth=3, foreground="w")],
        }
        self.event_texts = [
            ax.text(0, 0, "", transform=ax.get_xaxis_transform(), **small)
            for _ in range(_MOST_EVENTS)
        ]
        ax.set_ylabel(say("offset"), fontsize=12)
        ax.yaxis.set_label_coords(-0.073, 0.5)
        plain_numbers(ax.xaxis, 9)
        plain_numbers(ax.yaxis, 6, whole=True)
        ax.tick_params(labelsize=11)
        ax.tick_params(axis="x", labelbottom=False)

    def _draw_lanes(self, ax: Axes) -> None:
        self.lane_axes = ax
        self.lanes: dict[State, PolyCollection] = {
            state: PolyCollection([], linewidth=0.8, zorder=2, **look(state))
            for state in LABELS
        }
        self.told = PolyCollection([], facecolor=ACKED, linewidth=0, zorder=2)
        for artist in (*self.lanes.values(), self.told):
            ax.add_collection(artist, autolim=False)
        (self.refused,) = ax.plot(
            [], [], "x", color=REFUSED, markersize=6.0, linestyle="none", zorder=3
        )
        self.event_lines = [
            LineCollection([], colors=GREY, linestyles=":", linewidths=1.4, zorder=2.5)
            for _ in range(2)
        ]
        for lines, each in zip(self.event_lines, (self.offset_axes, ax), strict=True):
            each.add_collection(lines, autolim=False)
        ax.set_xlabel(say("simulated time (s)"), fontsize=12)
        ax.xaxis.set_label_coords(0.5, -0.2)
        plain_numbers(ax.xaxis, 9)
        ax.grid(visible=False, axis="y")
        ax.tick_params(labelsize=11)
        ax.tick_params(axis="y", length=0)

    def _legend(self) -> None:
        signs: dict[str, Artist] = {
            mark("log end"): Line2D([], [], **_END),
            mark("high watermark"): Line2D([], [], **_HIGH),
            mark("run before"): Line2D([], [], **_BEFORE),
            mark("not safe yet"): Patch(facecolor=PALE),
            mark("acked, not readable"): Patch(**_HIDDEN),
            mark("given up"): Line2D(
                [], [], color=OKABE_ITO["vermillion"], linewidth=5.0
            ),
        }
        signs |= {LABELS[state]: Patch(**look(state)) for state in LABELS}
        signs[mark("acknowledged")] = Patch(facecolor=ACKED)
        signs[mark("refused")] = self.refused
        self.figure.legend(
            list(signs.values()),
            [say(sign) for sign in signs],
            loc="upper left",
            bbox_to_anchor=(0.005, 0.145),
            ncols=5,
            fontsize=10,
            columnspacing=1.4,
            labelspacing=0.3,
            borderaxespad=0.0,
        )

    def update(self, shown: Shown, before: Shown | None) -> None:
        """Move the artists to what one run gave, and the one before it."""
        copies = shown.copies
        self._move_lines(shown, before)
        self._move_areas(copies)
        self._move_lanes(copies)
        self._move_events(shown)
        until = shown.until_s if before is None else max(shown.until_s, before.until_s)
        for ax in (self.offset_axes, self.lane_axes):
            ax.set_xlim(0.0, until or 1.0)
        runs = [shown, *([] if before is None else [before])]
        top = max(int(each.copies.log_end.value.max(initial=1)) for each in runs)
        above = _ABOVE if shown.events else 1.05
        self.offset_axes.set_ylim(0.0, above * top)
        self.title.set_text(title(shown))
        self.note.set_text(note(shown))

    def _move_lines(self, shown: Shown, before: Shown | None) -> None:
        copies = shown.copies
        self.log_end.set_data(*_line(copies.log_end, copies.until_ns))
        self.high.set_data(*_line(copies.high_watermark, copies.until_ns))
        if before is None:
            self.before.set_data([], [])
        else:
            was = before.copies
            self.before.set_data(*_line(was.high_watermark, was.until_ns))

    def _move_areas(self, copies: Copies) -> None:
        lines = (copies.log_end, copies.high_watermark, copies.acked)
        moves = [line.at_ns for line in lines]
        ends = np.array([0, copies.until_ns])
        times = np.unique(np.concatenate([*moves, ends]))
        end, high, acked = (line.then(times[:-1]).astype(np.float64) for line in lines)
        at = times / NS_PER_S
        self.unsafe.set_verts([steps(at, high, np.maximum(high, end))])
        told = np.maximum(high, np.minimum(acked, end))
        self.hidden.set_verts([steps(at, high, told)])
        marks = [
            [
                (loss.at_ns / NS_PER_S, each)
                for each in (loss.from_offset, loss.to_offset)
            ]
            for loss in copies.losses
        ]
        self.lost.set_segments(marks)

    def _move_lanes(self, copies: Copies) -> None:
        lanes = {broker: place for place, broker in enumerate(copies.brokers)}
        for state, boxes in self.lanes.items():
            spans = [span for span in copies.spans if span.state == state]
            boxes.set_verts(
                [
                    _box(span.since_ns, span.until_ns, lanes[span.broker], HEIGHT)
                    for span in spans
                ]
            )
        told = len(lanes)
        since, until = bars(copies.acks_ns, copies.until_ns)
        self.told.set_verts(
            [
                _box(*each, told, HEIGHT / 2)
                for each in zip(since.tolist(), until.tolist(), strict=True)
            ]
        )
        refused = thinned(copies.refused_ns, _MOST_REFUSED) / NS_PER_S
        self.refused.set_data(refused, np.full(len(refused), told))
        ax = self.lane_axes
        names = [say("broker {number}", number=broker) for broker in lanes]
        ax.set_yticks(range(told + 1), [*names, say("producer")])
        ax.set_ylim(told + 0.6, -0.6)

    def _move_events(self, shown: Shown) -> None:
        """Draw upright lines where something happens, each named beside it."""
        until = shown.until_s or 1.0
        events = [each for each in shown.events if each[0] <= until]
        times = sorted({at_s for at_s, _ in events})
        for lines, ax in zip(
            self.event_lines, (self.offset_axes, self.lane_axes), strict=True
        ):
            lines.set_transform(ax.get_xaxis_transform())
            lines.set_segments([[(at_s, 0.0), (at_s, 1.0)] for at_s in times])
        for text in self.event_texts:
            text.set_text("")
        for number, (at_s, said) in enumerate(events[:_MOST_EVENTS]):
            text = self.event_texts[number]
            together = [each for each, _ in events[:number]].count(at_s)
            left = at_s > _RIGHT * until
            away = -_AWAY if left else _AWAY
            text.set(ha="right" if left else "left", text=said)
            text.set_position((at_s + away * until, 0.97 - 0.1 * together))

    def alt_text(self, shown: Shown) -> str:
        """Return what is seen, for those who cannot see it."""
        return alt_text(shown)


def _line(line: Steps, until_ns: int) -> tuple[Float64, Float64]:
    """Return a line of steps from the run's start to its end, seconds and offsets."""
    at = np.concatenate(([0], line.at_ns, [until_ns])) / NS_PER_S
    last = line.value[-1:] if len(line.value) else np.zeros(1, np.int64)
    return at, np.concatenate(([0], line.value, last)).astype(np.float64)


def _box(since_ns: int, until_ns: int, lane: int, height: float) -> Float64:
    """Return the corners of a bar in a lane."""
    since, until, half = since_ns / NS_PER_S, until_ns / NS_PER_S, height / 2
    low, high = lane - half, lane + half
    corners = [(since, low), (until, low), (until, high), (since, high)]
    return np.array(corners, dtype=np.float64)
