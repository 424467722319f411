"""The figure of the log explorer: a log's segments over time, and what is in it then.

Left, offsets over simulated time: each segment grows while it is written, is closed,
and leaves the log whole, by retention or to be merged by compaction; with it the slow
reader's way. Right, at the moment at which the late reader comes, the records it is
given: the same offsets, by key. What the run before gave is grey.
"""

from types import MappingProxyType
from typing import Any, Final

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

from kafkasim.analysis.arrays import Float64
from kafkasim.catalogue import mark, say
from kafkasim.plot.style import GREY, OKABE_ITO, PALE, hatch
from kafkasim.plot.words import plain_numbers
from kafkasim.widgets.canvas import Canvas
from kafkasim.widgets.log_areas import bars, closed, gone, growing
from kafkasim.widgets.log_shown import Shown
from kafkasim.widgets.log_traffic import COMPACT, LATE_FROM_S
from kafkasim.widgets.log_words import (
    alt_text,
    found_note,
    found_title,
    log_note,
    log_title,
)

_SIZE: Final = (10.0, 5.6)
_WRITTEN: Final = OKABE_ITO["sky blue"]
_CLOSED: Final = "#E4F0F8"
_MERGED: Final = "#F0DC94"
_LATE: Final = OKABE_ITO["purple"]
_SLOW: Final = MappingProxyType[str, Any](
    {"color": OKABE_ITO["green"], "linestyle": (0, (6, 2)), "linewidth": 2.4}
)
_START: Final = MappingProxyType[str, Any]({"color": "black", "linewidth": 2.2})
_BEFORE: Final = MappingProxyType[str, Any]({"color": "#ADADAD", "linewidth": 4.5})
_EDGE: Final = MappingProxyType[str, Any]({"edgecolor": "black", "linewidth": 0.7})
_UNREAD: Final = MappingProxyType[str, Any](
    {"facecolor": OKABE_ITO["orange"], "edgecolor": "black"}
)


class LogCanvas(Canvas[Shown]):
    """One figure: the log over time, and the log at a moment.

    Attributes
    ----------
    log_axes, found_axes : Axes
    log_title, log_note, found_title, found_note : Text
    """

    def __init__(self) -> None:
        super().__init__(_SIZE)

    def draw(self) -> None:
        """Make the panels; where each stands is set by hand."""
        self.log_axes = self.figure.add_axes((0.09, 0.235, 0.57, 0.615))
        self.found_axes = self.figure.add_axes((0.755, 0.235, 0.23, 0.615))
        self.log_title, self.log_note = self._title(0.012)
        self.found_title, self.found_note = self._title(0.695)
        self._draw_log(self.log_axes)
        self._draw_found(self.found_axes)
        self.legends = {
            (compacts, slow): self._legend(compacts=compacts, slow=slow)
            for compacts in (False, True)
            for slow in (False, True)
        }

    def _title(self, left: float) -> tuple[Text, Text]:
        bold: dict[str, Any] = {"fontsize": 12.5, "fontweight": "bold", "va": "top"}
        note: dict[str, Any] = {"fontsize": 10.5, "color": GREY, "va": "top"}
        return (
            self.figure.text(left, 0.985, "", **bold),
            self.figure.text(left, 0.935, "", **note),
        )

    def _draw_log(self, ax: Axes) -> None:
        self.written = PolyCollection([], facecolor=_WRITTEN, zorder=2.0, **_EDGE)
        self.closed = PolyCollection([], facecolor=_CLOSED, zorder=1.9, **_EDGE)
        self.merged = PolyCollection([], facecolor=_MERGED, zorder=1.8, **_EDGE)
        self.fetched = PolyCollection([], facecolor=PALE, linewidth=0, zorder=2.1)
        self.unread = PolyCollection(
            [], hatch=hatch(3), linewidth=0, zorder=2.1, **_UNREAD
        )
        self.stays = LineCollection([], colors="black", linewidths=1.0, zorder=2.2)
        self.before = LineCollection([], zorder=2.15, **_BEFORE)
        self.deleted = LineCollection(
            [], colors=OKABE_ITO["vermillion"], linewidths=4.0, zorder=2.4
        )
        self.start = LineCollection([], zorder=2.3, **_START)
        for artist in (
            *(self.written, self.closed, self.merged, self.fetched, self.unread),
            *(self.stays, self.before, self.deleted, self.start),
        ):
            ax.add_collection(artist, autolim=False)
        (self.slow,) = ax.plot([], [], zorder=2.6, drawstyle="steps-post", **_SLOW)
        (self.resets,) = ax.plot(
            *([], []),
            "v",
            color=OKABE_ITO["green"],
            markeredgecolor="black",
            zorder=2.7,
        )
        self.moment = ax.axvline(LATE_FROM_S, color=_LATE, linestyle=":", zorder=2.5)
        self._draw_before(ax)
        ax.set_xlabel(say("simulated time (s)"), fontsize=12)
        ax.set_ylabel(say("offset"), fontsize=12)
        ax.xaxis.set_label_coords(0.5, -0.1)
        ax.yaxis.set_label_coords(-0.118, 0.5)
        plain_numbers(ax.xaxis, 8)
        plain_numbers(ax.yaxis, 7, whole=True)
        ax.tick_params(labelsize=11)

    def _draw_before(self, ax: Axes) -> None:
        """Make the sign for the run before, where no log ever is: old, at the top."""
        sample = Line2D([0.02, 0.07], [0.955] * 2, transform=ax.transAxes, **_BEFORE)
        text = ax.text(
            *(0.085, 0.955, say("log start, run before")),
            transform=ax.transAxes,
            fontsize=10,
            color=GREY,
            va="center",
        )
        self.before_signs = (ax.add_line(sample), text)

    def _draw_found(self, ax: Axes) -> None:
        marks: dict[str, Any] = {"linestyle": "none", "color": _LATE}
        (self.given,) = ax.plot([], [], marker="_", markersize=5, **marks)
        (self.newest,) = ax.plot(
            *([], []), marker="D", markersize=5, markeredgecolor="black", **marks
        )
        (self.lost,) = ax.plot([], [], "x", color="black", markersize=7)
        ax.set_xlabel(say("key, the most frequent first"), fontsize=12)
        ax.xaxis.set_label_coords(0.5, -0.1)
        plain_numbers(ax.xaxis, 6, whole=True)
        plain_numbers(ax.yaxis, 7, whole=True)
        ax.tick_params(labelsize=11)

    def _legend(self, *, compacts: bool, slow: bool) -> Legend:
        """Make what stands below the figure for a policy, the slow one there or not."""
        late = Line2D([], [], color=_LATE, linestyle=":")
        signs: dict[str, Artist] = {
            mark("segment, being written"): Patch(facecolor=_WRITTEN, **_EDGE),
            mark("segment, closed"): Patch(facecolor=_CLOSED, **_EDGE),
        }
        if compacts:
            signs[mark("segment, compacted")] = Patch(facecolor=_MERGED, **_EDGE)
            signs[mark("record that stays in it")] = Line2D(
                [], [], color="black", lw=1.2
            )
        else:
            red = OKABE_ITO["vermillion"]
            signs[mark("segment, deleted")] = Line2D([], [], color=red, linewidth=4.0)
            signs[mark("log start")] = Line2D([], [], **_START)
        if slow:
            signs[mark("position of the slow reader")] = Line2D([], [], **_SLOW)
        if slow and not compacts:
            signs[mark("gone, fetched before")] = Patch(facecolor=PALE)
            signs[mark("gone unread")] = Patch(hatch=hatch(3), linewidth=0, **_UNREAD)
            signs[mark("reset")] = self.resets
        signs[mark("the late reader comes")] = late
        signs[mark("record that it is given")] = self.given
        signs[mark("the newest of its key")] = self.newest
        if not compacts:
            signs[mark("the newest, but gone")] = self.lost
        legend = self.figure.legend(
            list(signs.values()),
            [say(sign) for sign in signs],
            loc="upper left",
            bbox_to_anchor=(0.005, 0.14),
            ncols=4,
            fontsize=10,
            columnspacing=1.6,
            labelspacing=0.3,
            borderaxespad=0.0,
        )
        legend.set_visible(False)
        return legend

    def update(self, shown: Shown, before: Shown | None) -> None:
        """Move the artists to what one run gave, and the one before it."""
        self._move_segments(shown)
        self._move_before(shown, before)
        self._move_slow(shown)
        self._move_found(shown)
        until = shown.until_s if before is None else max(shown.until_s, before.until_s)
        high = 1.03 * (shown.sent or 1)
        self.log_axes.set_xlim(0.0, until)
        self.log_axes.set_ylim(0.0, high)
        self.found_axes.set_ylim(0.0, high)
        for (compacts, slow), legend in self.legends.items():
            now = (shown.policy == COMPACT, shown.slow is not None)
            legend.set_visible((compacts, slow) == now)
        for text, said in (
            (self.log_title, log_title(shown)),
            (self.log_note, log_note(shown)),
            (self.found_title, found_title(shown.found)),
            (self.found_note, found_note(shown.found)),
        ):
            text.set_text(said)

    def _move_segments(self, shown: Shown) -> None:
        of = shown.segments
        self.written.set_verts(growing(shown))
        self.closed.set_verts(closed(of, ~of.made, shown.until_s))
        self.merged.set_verts(closed(of, of.made, shown.until_s))
        self.deleted.set_segments(bars(of))
        offset, since, until = shown.stays.T
        self.stays.set_segments(list(_level(since, until, offset)))
        self.start.set_segments(list(_starts(shown)))

    def _move_before(self, shown: Shown, before: Shown | None) -> None:
        """Draw the log's start of the run before, where deletion moved it otherwise."""
        lines: list[Float64] = []
        alike = before is not None and before.policy == shown.policy
        if before is not None and alike and len(before.log_start) > 1:
            was = _starts(before)
            lines = [] if np.array_equal(was, _starts(shown)) else list(was)
        self.before.set_segments(lines)
        for sign in self.before_signs:
            sign.set_visible(bool(lines))

    def _move_slow(self, shown: Shown) -> None:
        slow = shown.slow
        if slow is None:
            self.slow.set_data([], [])
        else:
            at = np.append(slow.at_s, shown.until_s)
            self.slow.set_data(at, np.append(slow.position, slow.position[-1]))
        resets = np.zeros((0, 2)) if slow is None else slow.resets
        self.resets.set_data(resets[:, 0], resets[:, 1])
        fetched, unread = gone(shown)
        self.fetched.set_verts(fetched)
        self.unread.set_verts(unread)

    def _move_found(self, shown: Shown) -> None:
        found = shown.found
        key = found.key + 1
        self.given.set_data(key[~found.newest], found.offsets[~found.newest])
        self.newest.set_data(key[found.newest], found.offsets[found.newest])
        self.lost.set_data(found.lost_key + 1, found.lost)
        self.found_axes.set_xlim(0.0, 1.0 + max(found.known, 1))

    def alt_text(self, shown: Shown) -> str:
        """Return what is seen, for those who cannot see it."""
        return alt_text(shown)


def _starts(shown: Shown) -> Float64:
    """Return the log's start as level lines, from each change to the next."""
    until = np.append(shown.start_at_s[1:], shown.until_s)
    return _level(shown.start_at_s, until, shown.log_start.astype(np.float64))


def _level(since: Float64, until: Float64, height: Float64) -> Float64:
    """Return level lines, shape (n, 2, 2)."""
    return np.stack((np.stack((since, until), 1), np.stack((height, height), 1)), 2)
