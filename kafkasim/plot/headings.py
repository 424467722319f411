"""Titles that say the finding, with a line below them that says what is counted."""

from typing import TYPE_CHECKING

from kafkasim.plot.style import wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_POINTS = 72.0


def headed(ax: "Axes", title: str, below: str, beside: int = 1) -> None:
    """Give axes a title, and a line below it.

    Parameters
    ----------
    ax : Axes
        Whose.
    title : str
        Wrapped to the width.
    below : str
        In plain letters.
    beside : int
        How many axes share the width of the figure.
    """
    import matplotlib as mpl

    text, points, pad = (
        float(mpl.rcParams[name])
        for name in ("font.size", "axes.titlesize", "axes.titlepad")
    )
    inches = ax.figure.bbox.width / ax.figure.dpi / beside - 3 * text / _POINTS
    lines = wrapped(below, inches, text)
    high = 1.25 * text * (lines.count("\n") + 1)
    ax.set_title(wrapped(title, inches, points), pad=pad + high + 0.25 * text)
    ax.annotate(
        lines,
        (0.0, 1.0),
        xycoords="axes fraction",
        xytext=(0, pad),
        textcoords="offset points",
        va="bottom",
    )


def title_of_all(ax: "Axes", title: str) -> None:
    """Give the figure of several panels its title.

    Parameters
    ----------
    ax : Axes
        One of the panels.
    title : str
        Wrapped to the width.
    """
    import matplotlib as mpl

    points = 1.1 * float(mpl.rcParams["axes.titlesize"])
    inches = ax.figure.bbox.width / ax.figure.dpi - 0.4
    ax.figure.suptitle(
        wrapped(title, inches, points),
        x=0.01,
        ha="left",
        fontsize=points,
        fontweight="bold",
    )
