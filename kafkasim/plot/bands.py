"""Partition logs as bands: numbered boxes, and under them who stands where.

A band is a partition. Its records lie in a row, old to new, each box with its offset;
what retention or compaction took has no box; the dashed box is the offset that the next
record will get. Below it runs a lane for
each subscriber: a line over what its work has begun with, a triangle under its
position, a hollow square under its committed offset. All three of log end, position and
committed offset are the offset of the *next* record, so each stands at that number.

The artists are made once and updated: a moment later costs no new figure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.catalogue import say
from kafkasim.plot import sizes
from kafkasim.plot.style import GREY, SERIES, letters, stroke

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text

NONE: Final = -1
"""An offset that there is not."""

LANE: Final = 0.62
"""Height of a lane; a box is 1 high."""

_LEAST_WIDTH: Final = 8
"""Records for which there is room at least: one alone is no huge box."""

_GAP: Final = 0.55
"""Between two bands."""

_BOX: Final = "#E4F0F8"
"""Face of a record, pale enough for black text."""

_WIDE: Final = 0.92
"""Share of a box that its label may take."""

_LETTER: Final = 0.62
"""Width of a letter for each point of its size, on average and rather too much."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One subscriber under one partition, at a moment."""

    name: str
    """The subscriber."""
    colour: int
    """Number of its colour."""
    first: int = NONE
    """Offset of the record with which its work began."""
    position: int = NONE
    """Offset of the next record that its work will begin with."""
    committed: int = NONE
    """Committed offset; not drawn when there is none."""
    before: int = NONE
    """Its position in what was shown before; not drawn when it is the same."""
    why: str = ""
    """Why it has no position: not there yet, does not read this topic."""

    def told(self, log_end: int, left: int) -> str:
        """Return where it stands, in a few words; `left`: records it has to read."""
        if self.position == NONE:
            return self.why
        at = self.position
        if left:
            return say("position {at:,}, {left:,} to read", at=at, left=left)
        if at >= log_end:
            return say("position {at:,}, at the end", at=at)
        return say("position {at:,}, what comes next is gone", at=at)


@dataclass(frozen=True, slots=True)
class Band:
    """One partition at a moment."""

    name: str
    """Topic and number."""
    log_end: int
    """Offset that the next record will get."""
    labels: Sequence[str]
    """By offset, what stands in a box below its number; empty: nothing."""
    lanes: Sequence[Lane]
    """Who reads it."""
    gone: Sequence[tuple[int, int]] = ()
    """Runs of offsets whose records have left the log: the first, one past the last."""

    @property
    def kept(self) -> list[tuple[int, int]]:
        """Runs of offsets whose records are there, in their order."""
        runs, at = [], 0
        for first, end in sorted(self.gone):
            if first > at:
                runs.append((at, first))
            at = max(at, end)
        return [*runs, (at, self.log_end)] if at < self.log_end else runs

    def told(self, lane: Lane) -> str:
        """Return where a subscriber stands, in a few words."""
        at = lane.position
        left = sum(end - max(first, at) for first, end in self.kept if end > at)
        return lane.told(self.log_end, left)


def heights(lanes: Sequence[int]) -> float:
    """Return how high bands with so many lanes are together, in boxes."""
    return sum(1.1 + LANE * count for count in lanes) + _GAP * len(lanes)


class Bands:
    """Bands drawn into axes, and moved to another moment by `update`.

    Parameters
    ----------
    ax : Axes
        Drawn into.
    bands : sequence of Band
        Names and lanes, which stay; the rest is where they begin.
    width : int
        Largest log end that will be shown.
    boxes : bool
        A box for each record; otherwise one bar for all records of a partition.
    inches : float
        Width of the axes, about: whether a label fits into a box.

    Attributes
    ----------
    positions, commits, ghosts : PathCollection
        Triangles at positions, squares at committed offsets, and outlines where
        positions were before.
    """

    def __init__(
        self,
        ax: "Axes",
        bands: Sequence[Band],
        *,
        width: int,
        boxes: bool,
        inches: float,
    ) -> None:
        self._ax = ax
        self._boxes = boxes
        self._width = max(_LEAST_WIDTH, width)
        self._box_inches = inches / (self._width + 1.4)
        self._tops = _tops([len(band.lanes) for band in bands])
        self._set_up(bands)
        self._make_logs(bands)
        self._make_marks()
        self.update(bands)

    def _set_up(self, bands: Sequence[Band]) -> None:
        ax = self._ax
        room = 0.03 * self._width if not self._boxes else 0.0
        ax.set_xlim(-0.7 - room, self._width + 0.7 + room)
        ax.set_ylim(heights([len(band.lanes) for band in bands]) - _GAP + 0.2, -0.15)
        places, names = [], []
        for top, band in zip(self._tops, bands, strict=True):
            places.append(top + 0.5)
            names.append(band.name)
            places += _lanes_at(top, len(band.lanes))
            names += [lane.name for lane in band.lanes]
        ax.set_yticks(places, names)
        partitions = {band.name for band in bands}
        for text in ax.get_yticklabels():
            if text.get_text() in partitions:
                text.set_fontsize(_points_of(14.0))
        ax.tick_params(axis="y", length=0)
        ax.grid(visible=not self._boxes, axis="x")
        ax.grid(visible=False, axis="y")
        ax.spines["left"].set_visible(False)
        if self._boxes:
            ax.spines["bottom"].set_visible(False)
            ax.set_xticks([])

    def _make_logs(self, bands: Sequence[Band]) -> None:
        """Make boxes, their texts, and the words beside bands and lanes."""
        from matplotlib.collections import PolyCollection

        ax = self._ax
        edge: dict[str, Any] = {"linewidth": stroke(1.1), "zorder": 2}
        self._records = PolyCollection([], facecolor=_BOX, edgecolor="black", **edge)
        self._next = PolyCollection(
            [], facecolor="none", edgecolor=GREY, linestyle="--", **edge
        )
        ax.add_collection(self._records, autolim=False)
        ax.add_collection(self._next, autolim=False)
        look: dict[str, Any] = {"va": "center", "fontsize": _points_of(11.5)}
        look["transform"] = ax.get_yaxis_transform()
        self._told = [
            ax.text(1.0, y, "", **look)
            for top, band in zip(self._tops, bands, strict=True)
            for y in (top + 0.5, *_lanes_at(top, len(band.lanes)))
        ]
        self._numbers: dict[tuple[int, int], Text] = {}
        self._labels: dict[tuple[int, int], Text] = {}

    def _make_marks(self) -> None:
        """Make lines, triangles, squares and outlines, none of which stands yet."""
        from matplotlib.collections import LineCollection

        ax = self._ax
        line: dict[str, Any] = {"linewidth": stroke(3.0), "capstyle": "butt"}
        self._spans = LineCollection([], zorder=2.2, **line)
        self._starts = LineCollection([], zorder=2.2, **line)
        ax.add_collection(self._spans, autolim=False)
        ax.add_collection(self._starts, autolim=False)
        look: dict[str, Any] = {"marker": "^", "clip_on": False}
        look["s"] = stroke(11.4) ** 2
        look["linewidths"] = stroke(1.4)
        outline: dict[str, Any] = {"facecolor": "none", "linewidths": stroke(1.4)}
        self.ghosts = ax.scatter([], [], edgecolor=GREY, zorder=2.9, **(look | outline))
        look |= {"edgecolor": "black"}
        self.positions = ax.scatter([], [], zorder=3.1, **look)
        look |= outline | {"marker": "s", "s": stroke(15.8) ** 2}
        self.commits = ax.scatter([], [], zorder=3.0, **look)

    def legend(self, *, before: bool = False) -> None:
        """Explain the marks, under the axes and their label.

        Parameters
        ----------
        before : bool
            Whether outlines of earlier positions may come.
        """
        from matplotlib.lines import Line2D
        from matplotlib.transforms import ScaledTranslation

        page = self._ax.get_figure(root=True)
        assert page is not None
        small: dict[str, Any] = {"marker": "^", "ms": stroke(10)}
        marks: list[tuple[str, dict[str, Any]]] = [
            (say("position: next to begin"), {**small, "color": GREY, "mec": "black"})
        ]
        if before:
            marks.append((say("before"), {**small, "color": "none", "mec": GREY}))
        if np.size(self.commits.get_offsets()):
            square = {"marker": "s", "ms": stroke(13), "color": "none"}
            marks.append((say("committed offset"), {**square, "mec": "black"}))
        bar = {"marker": "|", "ms": stroke(13), "mew": stroke(3), "color": GREY}
        marks.append((say("where it began"), bar))
        rows = 2.0 if self._boxes else 3.4
        below = -rows * sizes.now().text / 72
        self._ax.legend(
            [Line2D([], [], linestyle="none", **look) for _, look in marks],
            [label for label, _ in marks],
            loc="upper left",
            ncols=1 if sizes.now().legend == "below" else len(marks),
            borderaxespad=0.0,
            handletextpad=0.3,
            columnspacing=1.5,
            bbox_to_anchor=(0.0, 0.0),
            bbox_transform=self._ax.transAxes
            + ScaledTranslation(0.0, below, page.dpi_scale_trans),
        )

    def update(self, bands: Sequence[Band]) -> None:
        """Show the same bands at another moment."""
        self._move_boxes(bands)
        self._move_markers(bands)
        texts = iter(self._told)
        for band in bands:
            next(texts).set_text(say("log end {offset:,}", offset=band.log_end))
            for lane in band.lanes:
                next(texts).set_text(band.told(lane))
        if self._boxes:
            self._write(bands)

    def _move_boxes(self, bands: Sequence[Band]) -> None:
        rows = list(zip(self._tops, bands, strict=True))
        runs = [(top, *run) for top, band in rows for run in band.kept]
        following = []
        if self._boxes:
            records = [
                _box(at, at, y) for y, low, end in runs for at in range(low, end)
            ]
            following = [_box(band.log_end, band.log_end, y) for y, band in rows]
        else:
            records = [_box(low, end - 1, y) for y, low, end in runs]
        self._records.set_verts(records)
        self._next.set_verts(following)

    def _move_markers(self, bands: Sequence[Band]) -> None:
        placed = [
            (lane, y)
            for top, band in zip(self._tops, bands, strict=True)
            for lane, y in zip(band.lanes, _lanes_at(top, len(band.lanes)), strict=True)
        ]
        there = [(lane, y) for lane, y in placed if lane.position != NONE]
        begun = [(lane, y) for lane, y in there if lane.first != NONE]
        self.positions.set_offsets(_points((lane.position, y) for lane, y in there))
        self.positions.set_facecolor([_colour(lane) for lane, _ in there])
        self.commits.set_offsets(
            _points((lane.committed, y) for lane, y in placed if lane.committed != NONE)
        )
        self.ghosts.set_offsets(
            _points(
                (lane.before, y)
                for lane, y in placed
                if lane.before not in (NONE, lane.position)
            )
        )
        colours = [_colour(lane) for lane, _ in begun]
        spans = [
            [(lane.first - 0.5, y), (max(lane.first, lane.position) - 0.5, y)]
            for lane, y in begun
        ]
        starts = [
            [(lane.first - 0.5, y - 0.2), (lane.first - 0.5, y + 0.2)]
            for lane, y in begun
        ]
        for collection, lines in ((self._spans, spans), (self._starts, starts)):
            collection.set_segments(lines)
            collection.set_color(colours)

    def _write(self, bands: Sequence[Band]) -> None:
        """Put numbers, and labels where they fit, into the boxes that are there."""
        size, small = _points_of(13.0), _points_of(9.0)
        if not self._fits("00", size):
            size = small
        every = 1 if self._fits("00", small) else 5
        tiny = _points_of(8.0)
        shown = set()
        for row, (top, band) in enumerate(zip(self._tops, bands, strict=True)):
            labelled = any(band.labels) and self._fits(max(band.labels, key=len), tiny)
            middle = top + (0.36 if labelled else 0.52)
            there = {at for first, end in band.kept for at in range(first, end)}
            for at in range(0, band.log_end + 1, every):
                text = self._text(self._numbers, row, at, size)
                text.set_position((at, middle if at in there else top + 0.52))
                text.set_color("black" if at in there else GREY)
                shown.add(text)
            if not labelled:
                continue
            for at, label in enumerate(band.labels[: band.log_end]):
                if at not in there:
                    continue
                text = self._text(self._labels, row, at, tiny)
                text.set_position((at, top + 0.78))
                text.set_text(label)
                shown.add(text)
        for text in (*self._numbers.values(), *self._labels.values()):
            text.set_visible(text in shown)

    def _text(
        self, made: "dict[tuple[int, int], Text]", row: int, at: int, size: float
    ) -> "Text":
        if (row, at) not in made:
            made[row, at] = self._ax.text(
                at, 0.0, str(at), ha="center", va="center", fontsize=size, zorder=4
            )
        return made[row, at]

    def _fits(self, text: str, size: float) -> bool:
        return inches_of(text, size) <= self._box_inches * _WIDE


def _tops(lanes: Sequence[int]) -> list[float]:
    return [heights(lanes[:number]) for number in range(len(lanes))]


def _lanes_at(top: float, count: int) -> list[float]:
    """Return the middle of each lane of a band."""
    return [top + 1.1 + LANE * (number + 0.5) for number in range(count)]


def _box(first: int, last: int, top: float) -> list[tuple[float, float]]:
    """Return the corners of a box around the records from `first` to `last`."""
    left, right = first - 0.5, last + 0.5
    return [(left, top), (right, top), (right, top + 1), (left, top + 1)]


def _points(pairs: Iterable[tuple[float, float]]) -> NDArray[np.float64]:
    return np.array(list(pairs), dtype=np.float64).reshape(-1, 2)


def _points_of(notebook: float) -> float:
    """Return a size of text, in points, at the size that holds."""
    return notebook * sizes.now().text / sizes.SIZES["notebook"].text


def inches_of(text: str, points: float) -> float:
    """Return about how wide a text is, inches."""
    return letters(text) * points * _LETTER / 72


def _colour(lane: Lane) -> str:
    return SERIES[lane.colour % len(SERIES)]
