"""Words on lines: a name at each line's end, a number at each of its points.

A name where the line ends needs no legend, no colour and no search. Names and numbers
that would stand on each other are moved apart along y, in the order of their lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.plot.style import stroke

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_NAMED: Final = 8
"""Lines up to which each is named where it ends."""

MOST_LABELLED: Final = 60
"""Points up to which each has its text; of more, only the ends of the lines."""

_LINE: Final = 1.25
"""Height of a line of text, for each point of its size."""

_STEEP: Final = 0.06
"""Change of height, as a fraction of the axes, from which a line is in the way."""

Line = tuple[str, str, NDArray[np.float64], NDArray[np.float64]]
"""Name, colour, and places along x and y."""


@dataclass(frozen=True, slots=True)
class _Label:
    """What is written at a point."""

    height: float
    """Of the point, as a fraction of the axes."""
    rise: float
    """From the point before to the point after."""
    text: str
    colour: str

    @property
    def side(self) -> int:
        """Where there is room above: 1 to the right, −1 to the left, 0 either."""
        if abs(self.rise) < _STEEP:
            return 0
        return 1 if self.rise < 0 else -1


def name_ends(ax: "Axes", lines: Sequence[Line], *, away: float = 0.8) -> None:
    """Write each line's name to the right of its last point.

    Parameters
    ----------
    ax : Axes
        With its scales and limits set.
    lines : sequence of (str, str, ndarray, ndarray)
        Name, colour, and places along x and y; a line without a finite point has no
        name.
    away : float
        How far from the last point, in sizes of the text.
    """
    ends = [_last(x, y) for _, _, x, y in lines]
    drawn = [number for number, end in enumerate(ends) if end is not None]
    if not drawn:
        return
    points = np.array([ends[number] for number in drawn], dtype=np.float64)
    heights = spread_apart(_fractions(ax, points)[:, 1], _text_height(ax))
    right = points[:, 0].max()
    for number, height in zip(drawn, heights.tolist(), strict=True):
        name, colour, _, _ = lines[number]
        ax.annotate(
            name,
            (right, height),
            xycoords=("data", "axes fraction"),
            xytext=(away, 0.0),
            textcoords="offset fontsize",
            va="center",
            color=colour,
            fontweight="bold",
        )


def label_points(
    ax: "Axes", lines: Sequence[Line], texts: Sequence[Sequence[str]]
) -> None:
    """Write a text at each point of each line, above it or below it.

    Of lines that meet at a point the upper ones have theirs above and the lower ones
    below; equal texts at one place are written once. Of more than `MOST_LABELLED`
    points only the first and the last of each line have their text.

    Parameters
    ----------
    ax : Axes
        With its scales and limits set.
    lines : sequence of (str, str, ndarray, ndarray)
        As for `name_ends`.
    texts : sequence of sequence of str
        For each line, one for each of its points.
    """
    height = _text_height(ax)
    ends_only = sum(map(len, texts)) > MOST_LABELLED
    at: dict[float, list[_Label]] = {}
    for (_, colour, x, y), line_texts in zip(lines, texts, strict=True):
        finite = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
        finite = finite[np.argsort(x[finite], kind="stable")]
        fractions = _fractions(ax, np.column_stack((x, y))[finite])[:, 1]
        course = np.concatenate((fractions[:1], fractions, fractions[-1:]))
        for place, row in enumerate(finite.tolist()):
            if ends_only and 0 < place < len(finite) - 1:
                continue
            rise = float(course[place + 2] - course[place])
            made = _Label(float(fractions[place]), rise, line_texts[row], colour)
            at.setdefault(float(x[row]), []).append(made)
    for where, labels in at.items():
        for cluster in _clusters(labels, 2.0 * height):
            _label_cluster(ax, where, cluster, height)


def spread_apart(heights: NDArray[np.float64], apart: float) -> NDArray[np.float64]:
    """Return heights moved as little as needed to be `apart`, in the same order.

    Parameters
    ----------
    heights : ndarray of float64
        In any order; equal ones keep the order they came in.
    apart : float
        Least distance.

    Returns
    -------
    ndarray of float64
        Those that came too near stand evenly around their mean.

    Examples
    --------
    >>> spread_apart(np.array([0.5, 0.0, 0.5]), 0.2).round(2).tolist()
    [0.4, 0.0, 0.6]
    """
    order = np.argsort(heights, kind="stable")
    groups: list[list[float]] = []  # the heights wanted, of those moved together
    for wanted in heights[order].tolist():
        groups.append([wanted])
        while len(groups) > 1 and _top(groups[-2], apart) + apart > _bottom(
            groups[-1], apart
        ):
            groups[-2:] = [groups[-2] + groups[-1]]
    placed = [
        _bottom(group, apart) + apart * step
        for group in groups
        for step in range(len(group))
    ]
    moved = np.empty(len(heights))
    moved[order] = placed
    return moved


def _bottom(group: list[float], apart: float) -> float:
    return float(np.mean(group)) - apart * (len(group) - 1) / 2


def _top(group: list[float], apart: float) -> float:
    return float(np.mean(group)) + apart * (len(group) - 1) / 2


def _last(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float] | None:
    finite = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if not len(finite):
        return None
    last = finite[x[finite].argmax()]
    return float(x[last]), float(y[last])


def _fractions(ax: "Axes", points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points as fractions of the axes; they depend on limits, not on layout."""
    if not len(points):
        return points.reshape(0, 2)
    found: NDArray[np.float64] = (ax.transData - ax.transAxes).transform(points)
    return found


def _text_height(ax: "Axes") -> float:
    """Return the height of a line of text as a fraction of the axes, about."""
    import matplotlib as mpl

    points = _LINE * float(mpl.rcParams["font.size"])
    figure: Any = ax.get_figure(root=True)
    inches = ax.get_position().height * float(figure.get_figheight())
    return float(points / (72.0 * inches))


def _clusters(labels: list[_Label], near: float) -> list[list[_Label]]:
    """Return labels from top to bottom, those nearer than `near` together."""
    clusters: list[list[_Label]] = []
    for label in sorted(labels, key=lambda each: -each.height):
        if clusters and clusters[-1][-1].height - label.height < near:
            clusters[-1].append(label)
        else:
            clusters.append([label])
    return clusters


def _label_cluster(
    ax: "Axes", place: float, cluster: list[_Label], height: float
) -> None:
    from matplotlib.patheffects import withStroke

    together = cluster[0].height - cluster[-1].height < 0.1 * height
    if together and len(cluster) > 1 and len({each.text for each in cluster}) == 1:
        cluster = [replace(cluster[0], colour="black")]
    above = (len(cluster) + 1) // 2
    for number, label in enumerate(cluster):
        up = number < above
        steps = above - 1 - number if up else number - above
        side = label.side if up else -label.side
        ax.annotate(
            label.text,
            (place, cluster[0].height if up else cluster[-1].height),
            xycoords=("data", "axes fraction"),
            xytext=(0.3 * side, (0.6 + 1.15 * steps) * (1 if up else -1)),
            textcoords="offset fontsize",
            ha=("right", "center", "left")[side + 1],
            va="bottom" if up else "top",
            color=label.colour,
            fontsize="small",
            path_effects=[withStroke(linewidth=stroke(3.0), foreground="white")],
            zorder=5,
        )
