"""Strands: records as lines from their place in one order to their place in another.

Two strands cross exactly when the two records stand in one order on the left and in the
other on the right: a crossing is an overtaken pair. All strands bend by the same curve,
so where two of them meet depends only on their four places, and no two meet twice.
(Three that turn around a middle one all meet in one point.)

A record that was overtaken is a thick vermillion strand with round ends, the others are
thin and blue with square ends: width and ends tell them apart without colour.
"""

from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.catalogue import say
from kafkasim.plot.style import OKABE_ITO, stroke

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

OVERTAKEN: Final = OKABE_ITO["vermillion"]
KEPT: Final = OKABE_ITO["blue"]
MOST_MARKED: Final = 250
"""Crossings up to which each is marked; more would hide the strands."""

_ALONG: Final = np.linspace(0.0, 1.0, 41)
_BEND: Final = _ALONG**2 * (3.0 - 2.0 * _ALONG)
"""How far a strand has come from its left to its right place, along the way."""

Places = NDArray[np.int64]


def crossings(left: Places, right: Places) -> NDArray[np.float64]:
    """Return where strands cross.

    Parameters
    ----------
    left, right : ndarray of int64
        Each strand's place in both orders; within one order no two are equal.

    Returns
    -------
    ndarray of float64, shape (pairs, 2)
        Of each pair that crosses, how far along (0 left, 1 right) and at what height.
    """
    by_left = np.argsort(left, kind="stable")
    left, right = left[by_left], right[by_left]
    first, second = np.triu_indices(len(left), k=1)
    pairs = right[first] > right[second]
    first, second = first[pairs], second[pairs]
    apart_left = left[second] - left[first]
    apart_right = right[first] - right[second]
    bend = apart_left / np.maximum(1, apart_left + apart_right)
    height = left[first] + bend * (right[first] - left[first])
    return np.column_stack((np.interp(bend, _BEND, _ALONG), height))


def paths(left: Places, right: Places) -> NDArray[np.float64]:
    """Return the points along each strand, for an artist that is moved.

    Parameters
    ----------
    left, right : ndarray of int64
        Each strand's place in both orders.

    Returns
    -------
    ndarray of float64, shape (strands, points, 2)
    """
    heights = left[:, None] + _BEND * (right - left)[:, None]
    return np.stack((np.broadcast_to(_ALONG, heights.shape), heights), axis=-1)


def draw_strands(
    ax: "Axes",
    records: Places,
    left: Places,
    right: Places,
    overtaken: AbstractSet[int],
    *,
    marked: bool = True,
) -> None:
    """Draw each record's strand, and mark where they cross while there is room.

    Parameters
    ----------
    ax : Axes
        What to draw into: left at 0, right at 1, places from the top.
    records, left, right : ndarray of int64
        Each record's number and its places in both orders, from 0.
    overtaken : set of int
        Numbers of the records that stand out.
    marked : bool
        Whether to mark crossings: where each is an overtaken pair.
    """
    room = min(1.0, 30 / max(1, len(records)))
    for record, begin, end in zip(
        records.tolist(), left.tolist(), right.tolist(), strict=True
    ):
        late = record in overtaken
        ax.plot(
            _ALONG,
            begin + _BEND * (end - begin),
            color=OVERTAKEN if late else KEPT,
            linewidth=stroke(1.2 + 2.0 * room if late else 0.8 + 0.8 * room),
            marker="o" if late else "s",
            markersize=stroke(8.0 * room if late else 6.0 * room),
            markevery=[0, len(_ALONG) - 1],
            zorder=3 if late else 2,
            label=say("record {number}", number=record),
        )
    met = crossings(left, right) if marked else np.empty((0, 2))
    if 0 < len(met) <= MOST_MARKED:
        ax.plot(
            *met.T,
            linestyle="none",
            marker="x",
            color="black",
            markersize=stroke(3.0 + 4.0 * room),
            markeredgewidth=stroke(0.6 + 1.2 * room),
            zorder=4,
            label=say("crossing"),
        )
    ax.set_xlim(-0.03, 1.03)
    ax.set_ylim(max(1, len(records)) - 0.5, -0.5)
    ax.grid(visible=False)
    ax.tick_params(length=0)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)


def handles(*, marked: bool = True) -> "list[Line2D]":
    """Return what a legend shows: an overtaken strand, another, and a crossing."""
    from matplotlib.lines import Line2D

    made = [
        Line2D([], [], color=OVERTAKEN, linewidth=stroke(3.2), marker="o"),
        Line2D(
            [],
            [],
            color=KEPT,
            linewidth=stroke(1.6),
            marker="s",
            markersize=stroke(6.0),
        ),
    ]
    if marked:
        cross = Line2D([], [], linestyle="none", marker="x", color="black")
        cross.set_markeredgewidth(stroke(1.8))
        made.append(cross)
    return made
