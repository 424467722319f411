"""The figure of the batching explorer: queues of a producer, batches, requests, time.

Left, a few milliseconds: a row for each partition, a bar from a batch's first record to
its end, in the look of what ended it, a dot for each record. Partitions of one broker
are neighbours, since one request takes batches of all of them along. Right, over the
whole run: what ended batches; records to a batch and to a request; and how long a
record takes, step by step. What the run before gave is grey, or pale.
"""

from types import MappingProxyType
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.container import BarContainer
from matplotlib.patches import Patch
from matplotlib.text import Text
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from kafkasim.analysis.arrays import Bool, Float64
from kafkasim.catalogue import say
from kafkasim.plot.style import GREY, OKABE_ITO, hatch
from kafkasim.plot.words import amount, percent_ticks, plain_numbers
from kafkasim.result.schema import CLOSED_BY
from kafkasim.widgets.batching_shown import MOST_ROWS, STEPS, Piece, Shown
from kafkasim.widgets.batching_words import (
    SAID,
    alt_text,
    latency_title,
    queue_title,
    request_title,
)
from kafkasim.widgets.canvas import Canvas

_SIZE: Final = (10.0, 5.6)
_CAUSES: Final = CLOSED_BY[:3]
"""What ends a batch; `cut` does not come up where a run drains."""
_LOOK: Final = MappingProxyType[str, dict[str, Any]](
    {
        "full": {"facecolor": OKABE_ITO["blue"]},
        "linger": {"facecolor": OKABE_ITO["orange"], "hatch": hatch(1)},
        "drained": {"facecolor": "#CBE5F6", "hatch": hatch(2)},
    }
)
_STEP_LOOK: Final[tuple[dict[str, Any], ...]] = (
    {"facecolor": OKABE_ITO["purple"]},
    {"facecolor": OKABE_ITO["green"], "hatch": hatch(1)},
    {"facecolor": OKABE_ITO["yellow"], "hatch": hatch(2)},
)
_EDGE: Final = MappingProxyType[str, Any]({"edgecolor": "black", "linewidth": 0.7})
_WAS: Final = "#ADADAD"
_LEAST: Final = 0.006
"""Width of a bar at least, as a share of the piece: a batch may be open for no time."""
_HEIGHT: Final = 0.62
"""Of a bar, in rows."""


class BatchingCanvas(Canvas[Shown]):
    """Four panels; see the first lines of this module.

    Attributes
    ----------
    queue_axes, cause_axes, size_axes, time_axes : Axes
    queue_title, request_title, time_title : Text
    """

    def __init__(self) -> None:
        super().__init__(_SIZE)

    def draw(self) -> None:
        """Make the panels; where each stands is set by hand."""
        self.queue_title = self._title(0.012, 0.985)
        self.request_title = self._title(0.605, 0.985, 12.0)
        self.time_title = self._title(0.605, 0.43, 12.0)
        self._draw_queues(self.figure.add_axes((0.075, 0.245, 0.445, 0.66)))
        self._draw_causes(self.figure.add_axes((0.7, 0.755, 0.27, 0.14)))
        self._draw_sizes(self.figure.add_axes((0.7, 0.525, 0.27, 0.14)))
        self._draw_time(self.figure.add_axes((0.7, 0.215, 0.27, 0.15)))
        self._legends()

    def _title(self, left: float, top: float, size: float = 13.0) -> Text:
        look: dict[str, Any] = {"fontsize": size, "fontweight": "bold", "va": "top"}
        return self.figure.text(left, top, "", **look)

    def _draw_queues(self, ax: Axes) -> None:
        self.queue_axes = ax
        self.bars = {
            cause: PolyCollection([], zorder=2.0, **_LOOK[cause], **_EDGE)
            for cause in _CAUSES
        }
        for bars in self.bars.values():
            ax.add_collection(bars, autolim=False)
        self.waits = LineCollection([], colors="black", linewidths=1.6, zorder=1.9)
        ax.add_collection(self.waits, autolim=False)
        self.borders = LineCollection([], colors=GREY, linewidths=1.0, linestyles=":")
        ax.add_collection(self.borders, autolim=False)
        (self.records,) = ax.plot(
            [], [], "o", color="black", markersize=3.8, zorder=2.5, linestyle="none"
        )
        (self.ruler,) = ax.plot([], [], "-|", color="black", linewidth=2, clip_on=False)
        self.ruler_text = ax.text(0, 0, "", fontsize=10.5, va="center", clip_on=False)
        beside: dict[str, Any] = {"fontsize": 9.5, "color": GREY, "va": "center"}
        self.brokers = [
            ax.text(1.01, 0.0, "", transform=ax.get_yaxis_transform(), **beside)
            for _ in range(MOST_ROWS)
        ]
        ax.set_xlabel(say("simulated time (ms)"), fontsize=12)
        ax.set_ylabel(say("partition"), fontsize=12)
        ax.xaxis.set_label_coords(0.5, -0.075)
        ax.yaxis.set_label_coords(-0.085, 0.5)
        plain_numbers(ax.xaxis, 6)
        ax.grid(visible=False, axis="y")
        ax.tick_params(labelsize=11)
        ax.tick_params(axis="y", length=0)

    def _draw_causes(self, ax: Axes) -> None:
        self.cause_axes = ax
        self.cause_bars = _stack(ax, [_LOOK[cause] for cause in _CAUSES])
        ax.set_xlim(0.0, 1.0)
        percent_ticks(ax.xaxis, 5)
        self.before_names = [_two_rows(ax, say("what ended batches"))]

    def _draw_sizes(self, ax: Axes) -> None:
        self.size_axes = ax
        ax.set_xscale("log")
        ax.set_xlim(0.8, 10_000.0)
        ax.xaxis.set_major_locator(LogLocator(numticks=6))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        (self.was,) = ax.plot([], [], "D", color=_WAS, markersize=10)
        (self.now,) = ax.plot([], [], "o", color=OKABE_ITO["blue"], markersize=9)
        self.size_texts = [
            ax.text(0, y, "", fontsize=10.5, va="center", fontweight="bold")
            for y in (1, 0)
        ]
        ax.set_ylim(-0.6, 1.6)
        ax.set_yticks([1, 0], [say("records\na batch"), say("records\na request")])
        ax.tick_params(labelsize=10)

    def _draw_time(self, ax: Axes) -> None:
        self.time_axes = ax
        self.time_bars = _stack(ax, list(_STEP_LOOK))
        (self.p99,) = ax.plot([], [], "|", color="black", markersize=13)
        self.p99.set_markeredgewidth(2.4)
        self.p99_text = ax.text(0, 1, "", fontsize=10, va="center")
        plain_numbers(ax.xaxis, 5)
        self.before_names.append(_two_rows(ax, say("mean latency (ms)")))

    def _legends(self) -> None:
        ended = [
            Patch(label=say(SAID[each]), **_LOOK[each], **_EDGE) for each in _CAUSES
        ]
        look: dict[str, Any] = {"fontsize": 10, "borderaxespad": 0.0}
        look |= {"loc": "upper left", "columnspacing": 1.0, "handletextpad": 0.4}
        look["handlelength"] = 1.5
        self.records.set(
            label=say("a record"), markeredgecolor="white", markeredgewidth=0.5
        )
        self.figure.legend(
            handles=[*ended, self.records],
            bbox_to_anchor=(0.012, 0.135),
            title=say("a batch ended:"),
            alignment="left",
            title_fontsize=10,
            ncols=4,
            **look,
        )
        steps = [
            Patch(label=say(step), **style, **_EDGE)
            for step, style in zip(STEPS, _STEP_LOOK, strict=True)
        ]
        self.figure.legend(handles=steps, bbox_to_anchor=(0.605, 0.1), ncols=3, **look)

    def update(self, shown: Shown, before: Shown | None) -> None:
        """Move the artists to what one run gave, and the one before it."""
        self._move_queues(shown.piece, shown.linger_ms)
        self._move_causes(shown, before)
        self._move_sizes(shown, before)
        self._move_time(shown, before)
        for name in self.before_names:
            name.set_visible(before is not None)
        self.queue_title.set_text(queue_title(shown))
        self.request_title.set_text(request_title(shown))
        self.time_title.set_text(latency_title(shown))

    def _move_queues(self, piece: Piece, linger_ms: float) -> None:
        least = _LEAST * (piece.until_ms - piece.from_ms)
        for place, cause in enumerate(_CAUSES):
            self.bars[cause].set_verts(_boxes(piece, piece.cause == place, least))
        late = np.flatnonzero(piece.sent_ms > piece.closed_ms)
        ends = np.stack((piece.closed_ms[late], piece.sent_ms[late]), axis=1)
        rows = np.repeat(piece.row[late].astype(np.float64)[:, None], 2, axis=1)
        self.waits.set_segments(list(np.stack((ends, rows), axis=2)))
        self.records.set_data(piece.records_ms, piece.records_row)
        count = max(1, len(piece.partitions))
        ax = self.queue_axes
        ax.set_xlim(piece.from_ms, piece.until_ms)
        ax.set_ylim(count - 0.5, -0.95)
        ax.set_yticks(range(len(piece.partitions)), map(str, piece.partitions.tolist()))
        self._move_brokers(piece)
        self._move_ruler(piece, linger_ms)

    def _move_brokers(self, piece: Piece) -> None:
        """Name each broker beside the middle of its rows, with a line between two."""
        edges = np.flatnonzero(np.diff(piece.leaders)) + 0.5
        span = (piece.from_ms, piece.until_ms)
        self.borders.set_segments(
            [[(x, edge) for x in span] for edge in edges.tolist()]
        )
        names = np.unique(piece.leaders).tolist()
        for text, name in zip(self.brokers, names, strict=False):
            rows = np.flatnonzero(piece.leaders == name)
            text.set_position((1.01, float(rows.mean())))
            text.set_text(say("broker {number}", number=name))
        for text in self.brokers[len(names) :]:
            text.set_text("")

    def _move_ruler(self, piece: Piece, linger_ms: float) -> None:
        """Put a ruler as long as linger above the rows."""
        width = piece.until_ms - piece.from_ms
        start = piece.from_ms + 0.02 * width
        self.ruler.set_data([start, start + linger_ms], [-0.75] * 2)
        self.ruler_text.set_position((start + linger_ms + 0.025 * width, -0.75))
        self.ruler_text.set_text(say("linger: {time} ms", time=amount(linger_ms)))

    def _move_causes(self, shown: Shown, before: Shown | None) -> None:
        both = [shown, *([] if before is None else [before])]
        shares = [[each.shares[cause] for cause in _CAUSES] for each in both]
        _fill(self.cause_bars, np.array(shares))

    def _move_sizes(self, shown: Shown, before: Shown | None) -> None:
        now = (shown.per_batch, shown.per_request)
        self.now.set_data(now, (1, 0))
        was = () if before is None else (before.per_batch, before.per_request)
        self.was.set_data(was, (1, 0)[: len(was)])
        for text, value, height in zip(self.size_texts, now, (1, 0), strict=True):
            right = max([value, *was[1 - height : 2 - height]])
            text.set_position((1.6 * max(right, 0.8), height))
            text.set_text(amount(value))

    def _move_time(self, shown: Shown, before: Shown | None) -> None:
        both = [shown, *([] if before is None else [before])]
        steps = np.stack([each.steps_ms for each in both])
        _fill(self.time_bars, steps)
        ends = [each.latency_ms[1] for each in both]
        self.p99.set_data(ends, [1, 0][: len(ends)])
        most = (
            max(float(np.nanmax([*ends, 0.0])), float(steps.sum(axis=1).max())) or 1.0
        )
        self.time_axes.set_xlim(0.0, 1.3 * most)
        self.p99_text.set_position((ends[0] + 0.03 * most, 1))
        self.p99_text.set_text("p99")

    def alt_text(self, shown: Shown) -> str:
        """Return what is seen, for those who cannot see it."""
        return alt_text(shown)


def _stack(ax: Axes, looks: list[dict[str, Any]]) -> list[BarContainer]:
    """Make two rows of bars that stand behind each other: first this run's."""
    return [ax.barh([1, 0], [0.0, 0.0], height=0.7, **look, **_EDGE) for look in looks]


def _two_rows(ax: Axes, label: str) -> Text:
    """Lay out rows for this run and the one before; return the name of the second."""
    ax.set_ylim(-0.6, 1.6)
    ax.set_yticks([1, 0], [say("this run"), ""])
    ax.set_xlabel(label, fontsize=10.5, labelpad=1.0)
    ax.tick_params(labelsize=10)
    ax.grid(visible=False, axis="y")
    where: dict[str, Any] = {
        "transform": ax.get_yaxis_transform(),
        "ha": "right",
        "va": "center",
    }
    return ax.text(-0.05, 0, say("before"), fontsize=10, **where)


def _fill(stacks: list[BarContainer], parts: Float64) -> None:
    """Give the bars their widths; a run that is not there has none.

    Parameters
    ----------
    stacks : list of BarContainer
        One for each part.
    parts : ndarray of shape (runs, len(stacks))
        This run's first.
    """
    lefts = np.cumsum(parts, axis=1) - parts
    for part, bars in enumerate(stacks):
        for run, bar in enumerate(bars.patches):
            there = run < len(parts)
            bar.set_x(lefts[run, part] if there else 0.0)
            bar.set_width(parts[run, part] if there else 0.0)
            bar.set_visible(there and bool(parts[run, part] > 0))


def _boxes(piece: Piece, which: Bool, least: float) -> list[Float64]:
    """Return the corners of the bars of some batches."""
    since, row = piece.opened_ms[which], piece.row[which]
    until = np.maximum(piece.closed_ms[which], since + least)
    half = _HEIGHT / 2
    x = np.stack((since, until, until, since), axis=1)
    y = np.stack((row - half, row - half, row + half, row + half), axis=1)
    return list(np.stack((x, y), axis=2))
