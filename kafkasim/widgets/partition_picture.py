"""The figure of the partition explorer: lag by partition, latency and drain, a braid.

Each partition's line has a colour and a dash of its own, which stay with its number
from run to run, and a row in the column beside the lines: highest peak first. What the
run before gave is grey. Titles say what is found.
"""

from types import MappingProxyType
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from kafkasim.catalogue import mark, say
from kafkasim.plot.strands import KEPT, OVERTAKEN, crossings, paths
from kafkasim.plot.style import DASHES, GREY, OKABE_ITO, PALE, SERIES
from kafkasim.plot.words import amount, plain_numbers
from kafkasim.widgets.canvas import Canvas
from kafkasim.widgets.partition_shown import BUILT_UP, Shown
from kafkasim.widgets.partition_words import (
    alt_text,
    braid_note,
    braid_title,
    duration,
    lag_title,
    latency_title,
)

MOST_LINES: Final = 16
"""Partitions with a line and a row of their own: those with the highest peaks."""

_ROWS: Final = 0.525
"""Left edge of the column beside the lines, as a share of the figure's width."""

_ROW: Final = 0.0262
"""Height of a row in the column beside the lines, as a share of the figure."""

_BEFORE: Final = MappingProxyType[str, Any](
    {"color": "#ADADAD", "linestyle": "-", "linewidth": 4.5}
)
"""A broad band, which is no partition's in greyscale either."""

_TIMES: Final = (
    (mark("p50 latency"), "o"),
    (mark("p99 latency"), "s"),
    (mark("drain"), "D"),
)
"""Rows of the second panel from the top, and their markers."""


class PartitionCanvas(Canvas[Shown]):
    """Three panels; see the first lines of this module."""

    def __init__(self) -> None:
        super().__init__((10.0, 5.4))

    def draw(self) -> None:
        """Make the panels; where each stands is set by hand."""
        self._draw_lag(self.figure.add_axes((0.095, 0.46, 0.41, 0.45)))
        self._draw_times(self.figure.add_axes((0.125, 0.115, 0.35, 0.165)))
        self._draw_braid(self.figure.add_axes((0.755, 0.115, 0.195, 0.705)))

    def _title(self, left: float, top: float, size: float = 13.5) -> Text:
        look: dict[str, Any] = {"fontsize": size, "fontweight": "bold", "va": "top"}
        return self.figure.text(left, top, "", **look)

    def _draw_lag(self, ax: Axes) -> None:
        self.lag_axes = ax
        self.lag_title = self._title(0.012, 0.985)
        self.others = LineCollection([], colors=PALE, linewidths=1.0)
        ax.add_collection(self.others, autolim=False)
        (self.before_line,) = ax.plot([], [], zorder=1.9, **_BEFORE)
        self.lines = [ax.plot([], [], linewidth=1.8)[0] for _ in range(MOST_LINES)]
        (self.total_line,) = ax.plot([], [], color="black", linewidth=2.6)
        self.end_line = ax.axvline(0.0, color=GREY, linestyle=":", linewidth=1.2)
        self.end_text = ax.text(
            0.0,
            1.0,
            "",
            transform=ax.get_xaxis_transform(),
            va="bottom",
            ha="right",
            fontsize=10,
            color=GREY,
        )
        ax.set_xlabel(say("simulated time (s)"), fontsize=12)
        ax.set_ylabel(say("records waiting"), fontsize=12)
        ax.xaxis.set_label_coords(0.5, -0.125)
        ax.yaxis.set_label_coords(-0.18, 0.5)
        plain_numbers(ax.yaxis, 5)
        plain_numbers(ax.xaxis, 7)
        ax.tick_params(labelsize=11)
        self.row_head = self.figure.text(_ROWS, 0.93, "", fontsize=10, color=GREY)
        self.rows = [self._row(number) for number in range(MOST_LINES + 2)]

    def _row(self, number: int) -> tuple[Line2D, Text]:
        """Make a row of the column: a piece of line, and a text."""
        height = 0.9 - number * _ROW
        sample = Line2D(
            [_ROWS, _ROWS + 0.032],
            [height + 0.008] * 2,
            transform=self.figure.transFigure,
            linewidth=1.8,
        )
        self.figure.add_artist(sample)
        return sample, self.figure.text(_ROWS + 0.038, height, "", fontsize=10)

    def _draw_times(self, ax: Axes) -> None:
        self.times_axes = ax
        self.times_title = self._title(0.012, 0.337)
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(numticks=9))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        ax.set_ylim(-0.6, 2.6)
        ax.set_yticks([2, 1, 0], [say(label) for label, _ in _TIMES])
        ax.tick_params(labelsize=11)
        ax.tick_params(axis="y", length=0)
        ax.set_xlabel(say("milliseconds (logarithmic)"), fontsize=11)
        ax.xaxis.set_label_coords(0.5, -0.36)
        self.moves = [ax.plot([], [], color=GREY, linewidth=1.2)[0] for _ in _TIMES]
        self.was = [
            ax.plot(
                [],
                [],
                marker=marker,
                color=GREY,
                markerfacecolor="white",
                markersize=8,
                linestyle="none",
            )[0]
            for _, marker in _TIMES
        ]
        self.now = [
            ax.plot(
                [],
                [],
                marker=marker,
                color=OKABE_ITO["blue"],
                markersize=9,
                linestyle="none",
            )[0]
            for _, marker in _TIMES
        ]
        self.now_texts, self.was_texts = self._number_columns()

    def _number_columns(self) -> tuple[list[Text], list[Text]]:
        heights = [0.115 + 0.165 * (y + 0.6) / 3.2 for y in (2, 1, 0)]
        look: dict[str, Any] = {"ha": "right", "va": "center"}
        now = [
            self.figure.text(0.577, y, "", fontsize=11.5, fontweight="bold", **look)
            for y in heights
        ]
        was = [
            self.figure.text(0.65, y, "", fontsize=11, color=GREY, **look)
            for y in heights
        ]
        self.was_head = self.figure.text(
            0.65, 0.285, "", fontsize=10, color=GREY, ha="right"
        )
        return now, was

    def _draw_braid(self, ax: Axes) -> None:
        self.braid_axes = ax
        self.braid_title = self._title(0.672, 0.985, 12.5)
        self.braid_note = self.figure.text(
            0.672, 0.935, "", fontsize=10.5, color=GREY, va="top"
        )
        self.strands = LineCollection([], capstyle="round")
        ax.add_collection(self.strands, autolim=False)
        (self.ends,) = ax.plot(
            [], [], linestyle="none", marker="s", color=KEPT, markersize=4
        )
        (self.late_ends,) = ax.plot(
            [], [], linestyle="none", marker="o", color=OVERTAKEN, markersize=6
        )
        (self.crosses,) = ax.plot(
            [],
            [],
            linestyle="none",
            marker="x",
            color="black",
            markersize=5,
            markeredgewidth=1.4,
        )
        ax.set_xlim(-0.05, 1.05)
        ax.set_xticks([0, 1], [say("order\nproduced"), say("order\nprocessed")])
        ax.tick_params(labelsize=11, length=0)
        ax.set_ylabel(say("place among its records"), fontsize=11)
        ax.yaxis.set_label_coords(-0.33, 0.5)
        ax.grid(visible=False)
        for side in ("left", "bottom"):
            ax.spines[side].set_visible(False)

    def update(self, shown: Shown, before: Shown | None) -> None:
        """Move the artists to what one run gave, and the one before it."""
        self._move_lag(shown, before)
        self._move_rows(shown, before)
        self._move_times(shown, before)
        self._move_braid(shown)

    def _move_lag(self, shown: Shown, before: Shown | None) -> None:
        both = [shown] if before is None else [shown, before]
        drawn = drawn_partitions(shown)
        for line, partition in zip(self.lines, drawn, strict=False):
            line.set_data(shown.at_s, shown.lag[partition])
            line.set(zorder=2.5 - 0.01 * drawn.index(partition), **look_of(partition))
            if partition == shown.stalled:
                line.set_linewidth(3.2)
        for line in self.lines[len(drawn) :]:
            line.set_data([], [])
        rest = np.setdiff1d(np.arange(shown.partitions), drawn)
        self.others.set_segments(
            [np.column_stack((shown.at_s, shown.lag[each])) for each in rest]
        )
        several = shown.partitions > 1
        _put(self.total_line, shown if several else None)
        _put(self.before_line, before)
        self.lag_axes.set_xlim(0.0, max(float(each.at_s[-1]) for each in both) or 1.0)
        least = BUILT_UP * shown.sent
        most = max(least, *(float(each.total.max(initial=0.0)) for each in both))
        self.lag_axes.set_ylim(0.0, 1.05 * most or 1.0)
        self.end_line.set_xdata([shown.sent_until_s] * 2)
        self.end_text.set_x(shown.sent_until_s)
        self.end_text.set_text(say("sending ends") if shown.sent else "")
        self.lag_title.set_text(lag_title(shown))

    def _move_rows(self, shown: Shown, before: Shown | None) -> None:
        drawn = drawn_partitions(shown)
        rows: list[tuple[dict[str, Any], str]] = []
        if shown.partitions > 1:
            total = {"color": "black", "linestyle": "-", "linewidth": 2.6}
            rows.append((total, say("all: {peak}", peak=amount(shown.total.max()))))
        rows += [
            (look_of(each), f"{each}: {amount(shown.lag[each].max())}")
            for each in drawn
        ]
        if before is not None:
            peak = amount(before.total.max())
            rows.append((dict(_BEFORE), say("before: {peak}", peak=peak)))
        self.row_head.set_text(say("partition: peak"))
        for number, (sample, text) in enumerate(self.rows):
            there = number < len(rows)
            sample.set_visible(there)
            text.set_text(rows[number][1] if there else "")
            if there:
                sample.set(**rows[number][0])

    def _move_times(self, shown: Shown, before: Shown | None) -> None:
        now = shown.times_ms
        was = np.full(len(now), np.nan) if before is None else before.times_ms
        known = np.concatenate((now, was))
        known = known[known > 0]
        low = 10.0 ** min(0.0, np.floor(np.log10(known.min(initial=1.0))))
        high = 10.0 ** max(4.0, np.ceil(np.log10(known.max(initial=1.0))))
        self.times_axes.set_xlim(low, 1.1 * high)
        for place, (value, old) in enumerate(zip(now, was, strict=True)):
            height, ends = 2 - place, np.maximum([value, old], low)
            self.now[place].set_data(ends[:1], [height])
            self.was[place].set_data(ends[1:], [height])
            self.moves[place].set_data(ends, [height] * 2)
            self.now_texts[place].set_text(duration(value))
            self.was_texts[place].set_text("" if before is None else duration(old))
        self.was_head.set_text("" if before is None else say("before"))
        self.times_title.set_text(latency_title(shown))

    def _move_braid(self, shown: Shown) -> None:
        braid = shown.braid
        left, right = np.arange(len(braid.places)), braid.places
        late = braid.crossed
        self.strands.set_segments(list(paths(left, right)))
        self.strands.set(
            color=[OVERTAKEN if each else KEPT for each in late],
            linewidth=[2.8 if each else 1.4 for each in late],
        )
        for artist, which in ((self.ends, ~late), (self.late_ends, late)):
            heights = np.concatenate((left[which], right[which]))
            artist.set_data(np.repeat([0.0, 1.0], np.count_nonzero(which)), heights)
        self.crosses.set_data(*crossings(left, right).T)
        self.braid_axes.set_ylim(max(1, len(left)) - 0.5, -0.5)
        step = 1 if len(left) <= 12 else 4
        ticks = left[::step]
        labels = [f"{braid.first + each + 1:,}" for each in ticks.tolist()]
        self.braid_axes.set_yticks(ticks, labels)
        title = braid_title(braid)
        self.braid_title.set_text(title)
        self.braid_note.set_y(0.935 - 0.042 * title.count("\n"))
        self.braid_note.set_text(braid_note(braid))

    def alt_text(self, shown: Shown) -> str:
        """Return what is seen, for those who cannot see it."""
        return alt_text(shown)


def _put(line: Line2D, shown: Shown | None) -> None:
    """Move a line to a run's lag over all partitions, or off the axes."""
    if shown is None:
        line.set_data([], [])
    else:
        line.set_data(shown.at_s, shown.total)


def look_of(partition: int) -> dict[str, Any]:
    """Return colour, dash and width of a partition's line; the first 36 differ."""
    turn = partition // len(SERIES)
    return {
        "color": SERIES[partition % len(SERIES)],
        "linestyle": DASHES[(partition + turn) % len(DASHES)],
        "linewidth": 1.8,
    }


def drawn_partitions(shown: Shown) -> list[int]:
    """Return the partitions with a line of their own, highest peak first."""
    peaks = shown.lag.max(axis=1, initial=0.0)
    return [int(each) for each in np.argsort(-peaks, kind="stable")[:MOST_LINES]]
