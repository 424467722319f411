"""Titles that say the finding, on as many lines as their room needs."""

import re
import textwrap
from typing import TYPE_CHECKING, Final

from kafkasim.plot.style import LETTER, POINTS, letters, panels_leave_room, points, room

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

_BOLD_LETTER: Final = 0.645
"""Width of a bold letter for each point of its size, on average."""

_OF_ALL: Final = 1.1
"""Size of a title above several panels, for each that one of axes has."""

_LEGEND: Final = 3.2
"""Width of a legend beside several panels, inches."""

_UNIT: Final = re.compile(r"(?<=\d) (?=(%|[a-zA-Z]{1,2}\b))")
"""The space between a number and its unit, where no line ends."""


def headline(ax: "Axes", title: str, *, below: str = "", left: float = 4.0) -> None:
    """Give axes a title, and a line in plain letters between it and them.

    Parameters
    ----------
    ax : Axes
        What is drawn into.
    title : str
        What the figure finds.
    below : str
        What is counted; no line without it.
    left : float
        How far from the figure's edge the axes begin, in heights of a letter.
    """
    text, pad = points("font.size"), points("axes.titlepad")
    inches = room(ax) - left * text / POINTS
    lines = wrapped(below, inches, text)
    if lines:
        ax.annotate(
            lines,
            (0.0, 1.0),
            xycoords="axes fraction",
            xytext=(0, pad),
            textcoords="offset points",
            va="bottom",
        )
        pad += 1.25 * text * (lines.count("\n") + 1) + 0.25 * text
    ax.set_title(
        wrapped(title, inches, points("axes.titlesize"), _BOLD_LETTER),
        loc="left",
        pad=pad,
    )


def headline_of_all(
    drawn: "Sequence[Axes]", title: str, *, legend: bool = False
) -> None:
    """Give the figure of several panels a title above them.

    Parameters
    ----------
    drawn : sequence of Axes
        The panels.
    title : str
        What the figure finds.
    legend : bool
        Whether all panels have one legend, which may stand beside the title.
    """
    figure = drawn[0].figure
    size = _OF_ALL * points("axes.titlesize")
    inches = figure.bbox.width / figure.dpi - 0.4
    if legend and panels_leave_room():
        inches -= _LEGEND
    figure.suptitle(
        wrapped(title, inches, size, _BOLD_LETTER),
        x=0.01,
        ha="left",
        fontsize=size,
        fontweight="bold",
    )


def wrapped(text: str, inches: float, size: float, letter: float = LETTER) -> str:
    """Return text on lines that fit into a width.

    Parameters
    ----------
    text : str
    inches : float
        The width.
    size : float
        Size of the text, points.
    letter : float
        Width of a letter for each point of the size, on average.
    """
    room_for = max(12, int(inches * POINTS / (size * letter)))
    # textwrap counts letters; those of Hangul are wider.
    room_for = int(room_for * len(text) / letters(text)) if text else room_for
    kept = _UNIT.sub("\N{NO-BREAK SPACE}", text)
    lines = textwrap.fill(kept, room_for, break_on_hyphens=False)
    return lines.replace("\N{NO-BREAK SPACE}", " ")
