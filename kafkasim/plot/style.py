"""One look for every figure: colours, marks, sizes, and an empty canvas.

Colours are those of Okabe and Ito (Color Universal Design, 2008): told apart with every
common kind of colour blindness. Colour never stands alone: a series also has its own
marker or dash, an area its own hatch. Sizes are those of `kafkasim.plot.sizes`, and all
text is set relative to them: `fontsize="small"`, never in points. Figures are plain
`Figure` objects; nothing of pyplot's state is touched, and the style holds only while a
function of this package draws.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from kafkasim.plot import sizes
from kafkasim.plot.fonts import families

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
"""Width and height of a figure with one axes in a notebook, inches."""

_PAD: Final = 0.1
"""Room around axes in a notebook, inches."""

POINTS: Final = 72.0
"""Points in an inch."""

LETTER: Final = 0.56
"""Width of a letter for each point of its size, on average and rather too much."""

_WIDE_LETTER: Final = 1.6
"""Width of a letter of Hangul, for each of a Latin one."""

_RC: Final = MappingProxyType(
    {
        "axes.titlelocation": "left",
        "axes.titleweight": "bold",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.grid": True,
        "axes.unicode_minus": True,
        # A key may hold dollars; it is no formula.
        "text.parse_math": False,
        "axes.prop_cycle": "cycler('color', [" + ", ".join(map(repr, SERIES)) + "])",
        "grid.color": PALE,
        "legend.frameon": False,
        "figure.facecolor": "white",
        "savefig.facecolor": "white",
    }
)
"""Settings that are the same at every size."""

_TEXT: Final = MappingProxyType(
    {
        "font.size": 1.0,
        "axes.titlesize": 14.0 / 13,
        "axes.labelsize": 1.0,
        "axes.titlepad": 10.0 / 13,
        "axes.labelpad": 4.0 / 13,
        "xtick.labelsize": 12.0 / 13,
        "ytick.labelsize": 12.0 / 13,
        "legend.fontsize": 12.0 / 13,
        "legend.title_fontsize": 12.0 / 13,
    }
)
"""Settings in points, for each point of the size of text."""

_STROKE: Final = MappingProxyType(
    {
        "grid.linewidth": 0.8,
        "axes.linewidth": 0.8,
        "lines.linewidth": 2.2,
        "lines.markersize": 8.0,
        "hatch.linewidth": 0.8,
        "xtick.major.size": 3.5,
        "ytick.major.size": 3.5,
        "xtick.major.width": 0.8,
        "ytick.major.width": 0.8,
        "xtick.minor.size": 2.0,
        "ytick.minor.size": 2.0,
    }
)
"""Settings in points, as they are in a notebook."""


@contextmanager
def style() -> Iterator[None]:
    """Draw in the project's style, at the size that holds, within this context only."""
    import matplotlib as mpl

    held = sizes.now()
    settings: Any = dict(_RC) | {"font.family": list(families())}
    settings |= {name: part * held.text for name, part in _TEXT.items()}
    settings |= {name: wide * held.stroke for name, wide in _STROKE.items()}
    with mpl.rc_context(settings):
        yield


def blank(size: tuple[float, float] = SIZE) -> "Figure":
    """Return an empty figure that lays itself out.

    Parameters
    ----------
    size : tuple of float
        Width and height in a notebook, inches; others are made from it.
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    pad = _PAD * sizes.now().text / sizes.SIZES["notebook"].text
    engine = ConstrainedLayoutEngine(w_pad=pad, h_pad=pad)
    return Figure(figsize=sizes.inches(size), layout=engine)


def canvas(ax: "Axes | None", size: tuple[float, float] = SIZE) -> "Axes":
    """Return the axes given, or those of a new figure.

    Parameters
    ----------
    ax : Axes or None
        What a caller wants drawn into.
    size : tuple of float
        Width and height of a new figure in a notebook, inches.
    """
    from kafkasim.plot.axes import CaptionedAxes

    drawn = blank(size).add_subplot(axes_class=CaptionedAxes) if ax is None else ax
    _set_ticks(drawn)
    return drawn


def _set_ticks(ax: "Axes") -> None:
    """Give ticks their look: matplotlib makes them when it draws, after the style."""
    ax.tick_params(
        labelsize=points("xtick.labelsize"),
        labelfontfamily=list(families()),
        length=stroke(_STROKE["xtick.major.size"]),
        width=stroke(_STROKE["xtick.major.width"]),
    )


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
        Width and height of one in a notebook's figure, inches.
    """
    from kafkasim.plot.axes import CaptionedAxes

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
    drawn: list[Axes] = [
        figure.add_subplot(
            grid[number // columns, number % columns], axes_class=CaptionedAxes
        )
        for number in range(count)
    ]
    for each in drawn:
        _set_ticks(each)
    return drawn


def series(number: int) -> dict[str, Any]:
    """Return colour and dash of line `number`, for `Axes.plot`."""
    return {
        "color": SERIES[number % len(SERIES)],
        "linestyle": DASHES[number % len(DASHES)],
    }


def marked(number: int, count: int) -> dict[str, Any]:
    """Return colour, dash and marker of line `number`, a marker at some of its points.

    Parameters
    ----------
    number : int
        Which series.
    count : int
        How many points it has.
    """
    marker = MARKERS[number % len(MARKERS)]
    return series(number) | {"marker": marker, "markevery": max(1, count // 12)}


def hatch(number: int) -> str:
    """Return the hatch of area or bar `number`, as dense as a smaller figure needs."""
    return HATCHES[number % len(HATCHES)] * (2 if sizes.now().stroke < 1 else 1)


def points(setting: str) -> float:
    """Return a size of text at the size that holds, in points.

    Parameters
    ----------
    setting : str
        As matplotlib calls it, such as `axes.titlesize`.
    """
    return sizes.now().text * _TEXT[setting]


def stroke(wide: float) -> float:
    """Return a width or size of a mark, in points, at the size that holds."""
    return wide * sizes.now().stroke


def room(ax: "Axes") -> float:
    """Return the width that axes and what stands beside them have, inches.

    Before the figure is laid out; axes that stand in no grid have their own width.
    """
    wide = float(ax.figure.bbox.width / ax.figure.dpi)
    place = ax.get_subplotspec()
    if place is None:
        return wide * ax.get_position().width
    return wide * len(place.colspan) / place.get_gridspec().ncols


def letters(text: str) -> int:
    """Return how many Latin letters would be as wide as a text is, about.

    Examples
    --------
    >>> letters("lag"), letters("컨슈머 랙")
    (3, 7)
    """
    wide = sum(
        "\N{HANGUL SYLLABLE GA}" <= each <= "\N{HANGUL SYLLABLE HIH}" for each in text
    )
    return len(text) + round((_WIDE_LETTER - 1) * wide)


def listed_as(name: str) -> str:
    """Return a name as the label of a legend: matplotlib leaves out those with `_`."""
    return f" {name}" if name.startswith("_") else name


def legend_beside(ax: "Axes", title: str = "") -> None:
    """Put the legend outside the data: to the right, in a column's width below."""
    if not ax.get_legend_handles_labels()[1]:
        return
    if sizes.now().legend == "below":
        legend_below(ax, title)
        return
    ax.legend(
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        borderaxespad=0.0,
        title=title or None,
        alignment="left",
    )


def legend_below(ax: "Axes", title: str = "", *, also: "Axes | None" = None) -> None:
    """Put the legend below the axes and what is written under them.

    It explains what is drawn in the axes `also` before what is in `ax`.
    """
    from matplotlib.transforms import ScaledTranslation

    handles, labels = ax.get_legend_handles_labels()
    if also is not None:
        before = also.get_legend_handles_labels()
        handles, labels = [*before[0], *handles], [*before[1], *labels]
    if not labels:
        return
    text = sizes.now().text
    under = ScaledTranslation(0, -3.4 * text / POINTS, ax.figure.dpi_scale_trans)
    longest = max(letters(line) for label in labels for line in label.split("\n"))
    wide = (longest + 6) * text * LETTER / POINTS
    ax.legend(
        handles,
        labels,
        loc="upper left",
        bbox_to_anchor=(0.0, 0.0),
        bbox_transform=ax.transAxes + under,
        borderaxespad=0.0,
        title=title or None,
        alignment="left",
        ncols=max(1, min(len(labels), int(0.9 * room(ax) / wide))),
        columnspacing=1.2,
    )


def nothing(ax: "Axes", why: str) -> None:
    """Say in the middle of empty axes why they are empty."""
    ax.text(0.5, 0.5, why, ha="center", va="center", transform=ax.transAxes)
    ax.set_xticks([])
    ax.set_yticks([])


def legend_or_nothing(ax: "Axes", why: str, title: str = "") -> None:
    """Put the legend beside the data; where there is none, say why."""
    if ax.get_legend_handles_labels()[1]:
        legend_beside(ax, title)
    else:
        nothing(ax, why)


def legend_of_all(drawn: "list[Axes]", title: str = "") -> None:
    """Put one legend for all panels outside them: to the right in a notebook."""
    handles, labels = drawn[0].get_legend_handles_labels()
    beside = panels_leave_room()
    drawn[0].figure.legend(
        handles,
        labels,
        loc="outside right upper" if beside else "outside lower left",
        ncols=1 if beside else len(labels),
        title=title,
        alignment="left",
    )


def panels_leave_room() -> bool:
    """Tell whether panels leave room for a legend beside them."""
    return sizes.now() is sizes.SIZES["notebook"]
