"""Segments on axes: files as boxes, batches within, index entries as dots."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from kafkasim.catalogue import say
from kafkasim.plot import sizes
from kafkasim.plot.segment_tables import ENTRY, Found, Log
from kafkasim.plot.style import (
    GREY,
    OKABE_ITO,
    PALE,
    POINTS,
    hatch,
    letters,
    room,
    stroke,
)
from kafkasim.plot.words import counted, plain_numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patheffects import AbstractPathEffect

_FILE: Final = "#E4F0F8"
"""Face of a segment."""

MOST_NAMED: Final = 10
"""Segments up to which each has its name and its tick."""

_MOST_ENTRIES: Final = 16
"""Index entries up to which each has its numbers."""

_SMALLEST: Final = 4.5
"""Points that a batch is wide or high at least, to be drawn as a box with an edge."""

_DIGIT: Final = 0.64
"""Width of a digit for each point of its size."""

_LINE: Final = 1.45
"""Height of a line of words above the segments, in sizes of the text."""


class Drawing:
    """Segments drawn into axes."""

    def __init__(
        self,
        ax: "Axes",
        held: Log,
        marks: Mapping[str, int | None],
        found: Found | None,
    ) -> None:
        self._ax = ax
        self._held = held
        self._marks = {name: at for name, at in marks.items() if at is not None}
        self._found = found
        of = held.segments
        self._low, self._high = (
            int(of["base_offset"].min()),
            int(of["next_offset"].max()),
        )
        self._top = max(1, int(of["size_bytes"].max()))
        self._text = sizes.now().text
        width = max(1, self._high - self._low)
        self._per_inch = width * 1.06 / max(1.0, room(ax) - 5.5 * self._text / POINTS)

    def draw(self) -> None:
        """Draw everything."""
        self._set_up()
        self._files()
        self._batches()
        self._entries()
        self._mark()

    def _set_up(self) -> None:
        ax, width = self._ax, max(1, self._high - self._low)
        place = ax.get_position().height
        inches = max(1.0, float(ax.figure.bbox.height / ax.figure.dpi) * place)
        lines = (len(self._marks) + 2.2) * _LINE * self._text / POINTS
        self._bytes_per_point = self._top / max(0.5, inches - lines) / POINTS
        self._line = self._top / max(0.5, inches - lines) * _LINE * self._text / POINTS
        ax.set_xlim(self._low - 0.02 * width, self._high + 0.04 * width)
        ax.set_ylim(0, self._top + (len(self._marks) + 2.2) * self._line)
        ax.set_xlabel(say("offset"))
        ax.set_ylabel(say("position in the file (bytes)"))
        plain_numbers(ax.yaxis, whole=True)
        ticks = list(ax.yaxis.get_major_locator().tick_values(0, self._top))
        ax.set_yticks([tick for tick in ticks if 0 <= tick <= self._top * 1.02])
        ax.grid(visible=False)
        bases = self._held.segments["base_offset"].tolist()
        if len(bases) <= MOST_NAMED:
            named = self._apart([*bases, self._high])
            ax.set_xticks(named, [f"{tick:,}" for tick in named])
        else:
            plain_numbers(ax.xaxis, whole=True)

    def _apart(self, ticks: Sequence[int]) -> list[int]:
        """Return those ticks whose numbers do not run into the one before."""
        kept: list[int] = []
        for tick in sorted(set(ticks)):
            wide = (
                (len(f"{tick:,}") + 1) * _DIGIT * self._text / POINTS * self._per_inch
            )
            if not kept or tick - kept[-1] >= wide:
                kept.append(tick)
        return kept

    def _files(self) -> None:
        from matplotlib.patches import Rectangle

        of = self._held.segments
        names = len(of["base_offset"]) <= MOST_NAMED
        active = int(of["base_offset"][self._held.live].max())
        for row, base in enumerate(of["base_offset"].tolist()):
            size = int(of["size_bytes"][row])
            wide = int(of["next_offset"][row]) - base
            gone = bool(self._held.deleted[row])
            look: dict[str, Any] = {"facecolor": _FILE, "edgecolor": "black"}
            if gone:
                look = {"facecolor": "none", "edgecolor": GREY, "linestyle": "--"}
            look |= {"linewidth": stroke(1.1), "zorder": 1.5}
            what = say("deleted segment") if gone else say("segment")
            self._ax.add_patch(
                Rectangle((base, 0), wide, size, label=self._new(what), **look)
            )
            if names:
                last = say("active") if base == active and not gone else ""
                self._name(base, wide, size, say("deleted") if gone else last)

    def _new(self, label: str) -> str | None:
        known = self._ax.get_legend_handles_labels()[1]
        return None if label in known else label

    def _name(self, base: int, wide: int, size: int, state: str) -> None:
        """Write a file's name and size above it, as much as there is room for."""
        small = 0.76 * self._text
        fitting = wide / self._per_inch * POINTS / (small * _DIGIT)
        above = [f", {state}" if state else ""]
        sized = counted(size, "byte")
        for name in (f"{base:020d}.log", f"…{base:04d}.log", f"{base}"):
            if len(name) <= fitting:
                break
        else:
            return
        second = f"{sized}{above[0]}"
        if letters(second) > fitting:
            second = state or sized
        if letters(second) > fitting:
            second = ""
        self._ax.text(
            base,
            size + 0.2 * self._line,
            f"{name}\n{second}" if second else name,
            va="bottom",
            fontsize=small,
            color=GREY if state == say("deleted") else "black",
            path_effects=_on_white(),
        )

    def _batches(self) -> None:
        from matplotlib.collections import PolyCollection

        of = self._held.batches
        if not len(of["position"]):
            return
        left, right = of["base_offset"], of["last_offset"] + 1
        low, high = of["position"], of["position"] + of["size_bytes"]
        corners = np.stack(
            [
                np.stack([left, right, right, left], axis=1),
                np.stack([low, low, high, high], axis=1),
            ],
            axis=2,
        ).astype(np.float64)
        read = np.zeros(len(left), dtype=np.bool_)
        if self._found is not None:
            read[self._found.read] = True
        small = self._is_crowded()
        for chosen, colour, looked_at in (
            (~read, OKABE_ITO["sky blue"], False),
            (read, OKABE_ITO["orange"], True),
        ):
            if chosen.any():
                name = say("batch that is looked at") if looked_at else say("batch")
                boxes = PolyCollection(list(corners[chosen]), zorder=2, label=name)
                boxes.set(facecolor=colour, edgecolor="black", linewidth=stroke(0.6))
                boxes.set_hatch(hatch(int(looked_at)))
                if small:  # together they are a line
                    thick = stroke(7.0 if looked_at else 3.0)
                    boxes.set(edgecolor=colour, linewidth=thick, capstyle="butt")
                self._ax.add_collection(boxes, autolim=False)
        if small and self._found is not None:
            self._point_at(self._found)

    def _is_crowded(self) -> bool:
        """Tell whether most batches are too small for a box of their own."""
        of = self._held.batches
        wide = float(np.median(of["last_offset"] + 1 - of["base_offset"]))
        wide *= POINTS / self._per_inch
        high = float(np.median(of["size_bytes"])) / self._bytes_per_point
        return max(wide, high) < stroke(_SMALLEST)

    def _point_at(self, found: Found) -> None:
        """Say where the offset that is looked for lies: its batch is but a speck."""
        of, last = self._held.batches, found.read[-1]
        x = (int(of["base_offset"][last]) + int(of["last_offset"][last]) + 1) / 2
        y = int(of["position"][last])
        bases = self._held.segments["base_offset"].tolist()
        end = int(self._held.segments["next_offset"][bases.index(found.base)])
        right = x < (found.base + end) / 2  # below the batches, else above them
        arrow = {"arrowstyle": "-|>", "color": "black", "linewidth": stroke(1.4)}
        self._ax.annotate(
            say("offset {offset:,}", offset=found.offset),
            (x, y),
            xytext=(2.2 if right else -2.2, -2.4 if right else 2.4),
            textcoords="offset fontsize",
            ha="left" if right else "right",
            va="center",
            fontsize=0.84 * self._text,
            arrowprops=arrow,
            zorder=6,
            path_effects=_on_white(),
        )

    def _entries(self) -> None:
        of = self._held.entries
        if not len(of["offset"]):
            return
        look: dict[str, Any] = {"color": OKABE_ITO["vermillion"], "zorder": 4}
        look |= {"marker": "o", "markeredgecolor": "black", "linestyle": "none"}
        look |= {"markersize": stroke(6.5), "clip_on": False}
        apart = self._points_apart()
        if apart < stroke(6.5):  # as small as they must be to stay dots
            look |= {"markersize": max(stroke(2.0), 0.8 * apart)}
            look |= {"markeredgewidth": stroke(0.3)}
        at = of["offset"] + 0.5
        self._ax.plot(at, of["position"], label=say("index entry"), **look)
        if len(at) > _MOST_ENTRIES:
            return
        for row in range(len(at)):
            self._number(row)

    def _points_apart(self) -> float:
        """Return how far index entries are from their next, mostly, in points."""
        of = self._held.entries
        same = np.diff(of["segment"]) == 0
        if not same.any():
            return np.inf
        x = np.diff(of["offset"])[same] * (POINTS / self._per_inch)
        y = np.diff(of["position"])[same] / self._bytes_per_point
        return float(np.median(np.hypot(x, y)))

    def _number(self, row: int) -> None:
        """Write an index entry beside its dot, to the right while its segment lasts."""
        small = 0.7 * self._text
        of, batches = self._held.entries, self._held.batches
        base, offset, position = (int(of[name][row]) for name in ENTRY)
        text = f"{offset:,} → {position:,}"
        wide_letters = _DIGIT * len(text) - 0.3 * sum(each in ", " for each in text)
        wide = (wide_letters * small + 0.7 * self._text) / POINTS * self._per_inch
        bases = self._held.segments["base_offset"].tolist()
        end = int(self._held.segments["next_offset"][bases.index(base)])
        right = offset + 0.5 + wide <= max(end, self._low + 1.5 * wide)
        here = (batches["segment"] == base) & (batches["position"] == position)
        left = int(batches["base_offset"][here][0]) if here.any() else offset
        self._ax.annotate(
            text,
            (offset + 0.5 if right else left, position),
            xytext=(0.7, -0.1) if right else (-0.3, 0.2),
            textcoords="offset fontsize",
            ha="left" if right else "right",
            va="center" if right else "bottom",
            fontsize=small,
            zorder=4,
            path_effects=_on_white(),
        )

    def _mark(self) -> None:
        """Draw lines at the marked offsets, each with its words above the others."""
        from matplotlib.patches import Rectangle

        dashes = {"log start": "-", "high watermark": "--", "log end": "-."}
        middle = (self._low + self._high) / 2
        top = self._top + (len(self._marks) + 2.2) * self._line
        outer_first = sorted(
            self._marks.items(), key=lambda mark: -abs(mark[1] - middle)
        )  # no line then crosses the words of another
        for number, (name, offset) in enumerate(outer_first):
            high = top - (number + 0.3) * self._line
            right = offset > middle
            self._ax.plot(
                *([offset, offset], [0, high]),
                color="black",
                linestyle=dashes[name],
                linewidth=stroke(1.6),
                zorder=3,
            )
            self._ax.annotate(
                f"{say(name)} {offset:,}",
                (offset, high),
                xytext=(-0.4 if right else 0.4, 0.0),
                textcoords="offset fontsize",
                ha="right" if right else "left",
                va="top",
                fontsize=0.84 * self._text,
            )
        start = self._marks.get("log start")
        if start is not None and start > self._low:
            before = Rectangle(
                (self._low, 0),
                start - self._low,
                self._top,
                label=say("before log start"),
            )
            before.set(facecolor=PALE, alpha=0.7, zorder=2.5)
            self._ax.add_patch(before)


def _on_white() -> "list[AbstractPathEffect]":
    """Return what keeps letters readable on lines."""
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=stroke(2.5), foreground="white")]
