"""Many partitions and their owners: how many are read, and how many nobody reads."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from kafkasim.analysis.arrays import Float64
from kafkasim.catalogue import mark, say
from kafkasim.plot.style import GREY, OKABE_ITO, PALE, stroke

if TYPE_CHECKING:
    from matplotlib.axes import Axes

READ: Final = mark("partitions with an owner")
UNREAD: Final = mark("partitions that nobody reads")


class Spell(Protocol):
    """A time in which a partition had an owner, in ms."""

    @property
    def since_ms(self) -> float:
        """When it began."""

    @property
    def until_ms(self) -> float:
        """When it ended; NaN: not before the end."""

    @property
    def gap_ms(self) -> float:
        """Until the next owner came; NaN: nobody did."""


def counts(spells: Sequence[Spell], end_ms: float) -> tuple[Float64, Float64, Float64]:
    """Return how many partitions have an owner, and how many lost theirs.

    Parameters
    ----------
    spells : sequence of Spell
        Of all partitions.
    end_ms : float
        When the run ended.

    Returns
    -------
    at_ms, read, unread : float64 arrays of shape (times,)
        Numbers that hold from each time on; the last time is the run's end.
    """
    since = np.array([each.since_ms for each in spells])
    until = np.array([each.until_ms for each in spells])
    gap = np.array([each.gap_ms for each in spells])
    ended = until[~np.isnan(until)]
    back = (until + gap)[gap > 0]
    at_ms: Float64 = np.unique(np.concatenate(([0.0, end_ms], since, ended, back)))
    read = _reached(since, at_ms) - _reached(ended, at_ms)
    lost = _reached(until[gap > 0], at_ms) - _reached(back, at_ms)
    return at_ms, read, lost


def _reached(times: Float64, at_ms: Float64) -> Float64:
    return np.searchsorted(np.sort(times), at_ms, side="right").astype(np.float64)


def draw_many(ax: "Axes", spells: Sequence[Spell], end_ms: float, scale: float) -> None:
    """Draw both numbers as areas, one on the other.

    Parameters
    ----------
    ax : Axes
    spells : sequence of Spell
        Of all partitions.
    end_ms : float
        When the run ended.
    scale : float
        Milliseconds in the unit of the axis.
    """
    at_ms, read, lost = counts(spells, end_ms)
    at = at_ms / scale
    ax.fill_between(
        at,
        0,
        read,
        step="post",
        color=OKABE_ITO["sky blue"],
        linewidth=0,
        label=say(READ),
    )
    ax.fill_between(
        at, read, read + lost, step="post", facecolor=PALE, edgecolor=GREY,
        hatch="///", linewidth=stroke(0.6), label=say(UNREAD),
    )  # fmt: skip
    ax.set_ylabel(say("partitions"))
    ax.set_ylim(0, 1.15 * float((read + lost).max(initial=1.0)))
