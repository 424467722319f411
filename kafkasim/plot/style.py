"""One look for every figure: colours, marks, sizes, and an empty canvas.

Colours are those of Okabe and Ito (Color Universal Design, 2008): told apart with every
common kind of colour blindness. Colour never stands alone: a series also has its own
marker or dash, an area its own hatch. Sizes are for a lecture slide seen from the last
row. Figures are plain `Figure` objects; nothing of pyplot's state is touched, and the
style holds only while a function of this package draws.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.gridspec import GridSpecBase

OKABE_ITO: Final = MappingProxyType(
    {
        "black": "#000000",
        "orange": "#E69F00",
        "sky blue": "#56B4E9",
        "green": "#009E73",
        "yellow": "#F0E442",
        "blue": "#0072B2",
        "vermillion": "#D55E00",
        "purple": "#CC79A7",
    }
)
"""The palette, by name."""

SERIES: Final = (
    OKABE_ITO["blue"],
    OKABE_ITO["vermillion"],
    OKABE_ITO["green"],
    OKABE_ITO["purple"],
    OKABE_ITO["orange"],
    OKABE_ITO["sky blue"],
)
"""Colours of series, in order; yellow and black are left for marks and text."""

GREY: Final = "#6E6E6E"
"""What is wanted, expected or beside the point."""

PALE: Final = "#D9D9D9"
"""Grid lines, and what is counted together as the rest."""

MARKERS: Final = ("o", "s", "^", "D", "v", "P")
"""Markers of series, in order."""

DASHES: Final = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)))
"""Dashes of series without markers, in order."""

HATCHES: Final = ("", "//", "..", "xx", "\\\\", "++")
"""Hatches of areas and bars, in order."""

SIZE: Final = (9.0, 4.6)
"""Width and height of a figure with one axes, in inches."""

_PAD: Final = 0.1
"""Room around axes, inches."""

_RC: Final = MappingProxyType(
    {
        "font.family": ["DejaVu Sans"],
        "font.size": 13.0,
        "axes.titlesize": 15.0,
        "axes.titlelocation": "left",
        "axes.titlepad": 10.0,
        "axes.labelsize": 13.0,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.grid": True,
        "axes.unicode_minus": True,
        "axes.prop_cycle": "cycler('color', [" + ", ".join(map(repr, SERIES)) + "])",
        "grid.color": PALE,
        "grid.linewidth": 0.8,
        "xtick.labelsize": 12.0,
        "ytick.labelsize": 12.0,
        "legend.fontsize": 12.0,
        "legend.frameon": False,
        "lines.linewidth": 2.2,
        "lines.markersize": 8.0,
        "hatch.linewidth": 0.8,
        "figure.facecolor": "white",
        "savefig.facecolor": "white",
    }
)


@contextmanager
def style() -> Iterator[None]:
    """Draw in the project's style within this context, and only there."""
    import matplotlib as mpl

    settings: Any = dict(_RC)
    with mpl.rc_context(settings):
        yield


def blank(size: tuple[float, float] = SIZE) -> "Figure":
    """Return an empty figure that lays itself out.

    Parameters
    ----------
    size : tuple of float
        Width and height, inches.
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    return Figure(figsize=size, layout=ConstrainedLayoutEngine(w_pad=_PAD, h_pad=_PAD))


def canvas(ax: "Axes | None", size: tuple[float, float] = SIZE) -> "Axes":
    """Return the axes given, or those of a new figure.

    Parameters
    ----------
    ax : Axes or None
        What a caller wants drawn into.
    size : tuple of float
        Width and height of a new figure, inches.
    """
    if ax is not None:
        return ax
    from kafkasim.plot.captioned import CaptionedAxes

    return blank(size).add_subplot(axes_class=CaptionedAxes)


def panels(
    ax: "Axes | None", count: int, columns: int, panel: tuple[float, float]
) -> "list[Axes]":
    """Return axes of small multiples, row by row.

    Parameters
    ----------
    ax : Axes or None
        Axes of a grid whose place they take; None for a new figure.
    count : int
        How many.
    columns : int
        How many beside each other, at most.
    panel : tuple of float
        Width and height of one in a new figure, inches.
    """
    from kafkasim.plot.captioned import CaptionedAxes

    columns = min(count, columns)
    rows = -(-count // columns)
    figure: Figure | SubFigure
    grid: GridSpecBase
    if ax is None:
        figure = blank((panel[0] * columns, panel[1] * rows))
        grid = figure.add_gridspec(rows, columns)
    else:
        place = ax.get_subplotspec()
        if place is None:
            raise ValueError("small multiples need axes that stand in a grid")
        figure = ax.figure
        grid = place.subgridspec(rows, columns)
        ax.remove()
    return [
        figure.add_subplot(
            grid[number // columns, number % columns], axes_class=CaptionedAxes
        )
        for number in range(count)
    ]


def series(number: int) -> dict[str, Any]:
    """Return colour and dash of line `number`, for `Axes.plot`."""
    return {
        "color": SERIES[number % len(SERIES)],
        "linestyle": DASHES[number % len(DASHES)],
    }


def legend_beside(ax: "Axes", title: str = "") -> None:
    """Put the legend to the right of the axes, outside the data."""
    ax.legend(
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        borderaxespad=0.0,
        title=title or None,
        alignment="left",
    )


def nothing(ax: "Axes", why: str) -> None:
    """Say in the middle of empty axes why they are empty."""
    ax.text(0.5, 0.5, why, ha="center", va="center", transform=ax.transAxes)
    ax.set_xticks([])
    ax.set_yticks([])


def legend_of_all(drawn: "list[Axes]", title: str = "") -> None:
    """Put one legend for all panels to the right of the figure."""
    handles, labels = drawn[0].get_legend_handles_labels()
    drawn[0].figure.legend(
        handles, labels, loc="outside right upper", title=title, alignment="left"
    )
