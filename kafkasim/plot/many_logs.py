"""Logs of many partitions in one picture: ends as an area, positions as lines."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.analysis.positions import NONE, Standing
from kafkasim.catalogue import say
from kafkasim.plot.style import PALE, SERIES, legend_beside, series, stroke
from kafkasim.plot.words import amount, plain_numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_BY_NUMBER: Final = 60
"""Partitions up to which they stand by number; more, by the length of their log."""

_MOST_LINES: Final = len(SERIES)
"""Subscribers with a line of their own, those with most to read first."""


def draw_many(ax: "Axes", now: Standing, columns: Sequence[int]) -> str:
    """Draw log ends as an area and positions as step lines; return what is seen.

    Up to 60 partitions stand by number; of more the one with the longest log is first.

    Parameters
    ----------
    ax : Axes
        Drawn into.
    now : Standing
        Everyone's offsets at the moment.
    columns : sequence of int
        The partitions.
    """
    by_number = len(columns) <= _MOST_BY_NUMBER
    if not by_number:
        order = np.argsort(-now.log_end[columns], kind="stable")
        columns = np.asarray(columns)[order].tolist()
    ends = now.log_end[columns]
    edges = np.arange(len(ends) + 1) - 0.5
    starts = [_log_start(now, column) for column in columns]
    look: dict[str, Any] = {"fill": True, "orientation": "horizontal", "color": PALE}
    ax.stairs(ends, edges, baseline=np.array(starts), **look)
    ax.stairs(
        ends,
        edges,
        orientation="horizontal",
        color="black",
        linewidth=stroke(1.0),
        label=say("log end"),
        zorder=3,
    )
    left = {
        row: now.unread[row, columns]
        for row in range(len(now.wants))
        if (now.position[row, columns] != NONE).any() and now.reads[row, columns].any()
    }
    shown = sorted(left, key=lambda row: -int(left[row].sum()))[:_MOST_LINES]
    for number, row in enumerate(shown):
        at = now.position[row, columns].astype(np.float64)
        at[at == NONE] = np.nan
        name = now.wants[row].subscriber
        ax.stairs(
            at,
            edges,
            orientation="horizontal",
            baseline=None,
            label=say("position of {name}", name=name),
            **series(number) | {"linewidth": stroke(2.2)},
        )
    ax.set_xlabel(say("offset in the partition (old → new)"))
    names = {topic for topic, _ in (now.partitions[column] for column in columns)}
    what = say("partition")
    if len(names) == 1:
        what = say("partition of {topic}", topic=names.pop())
    ax.set_ylabel(what if by_number else say("{what}, longest log first", what=what))
    ax.set_ylim(len(ends) - 0.5, -0.5)
    ax.set_xlim(left=0)
    ax.margins(x=0.02)
    plain_numbers(ax.xaxis)
    plain_numbers(ax.yaxis)
    legend_beside(ax)
    return _in_words(now, now.kept[columns], {row: left[row] for row in shown})


def _log_start(now: Standing, column: int) -> int:
    """Return the offset below which nothing is in a partition's log any more."""
    start = 0
    for first, end in now.gone[column]:
        if first > start:
            break
        start = end
    return start


def _in_words(
    now: Standing, kept: NDArray[np.int64], left: dict[int, NDArray[np.int64]]
) -> str:
    holds = say(
        "{count:,} partitions with {least} to {most} records each, {total:,} together.",
        count=len(kept),
        least=amount(kept.min()),
        most=amount(kept.max()),
        total=int(kept.sum()),
    )
    stands = [
        say(
            "{name} has {left:,} to read, at the most {most} in one partition.",
            name=now.wants[row].subscriber,
            left=int(each.sum()),
            most=amount(each.max()),
        )
        for row, each in left.items()
    ]
    return " ".join([holds, *stands])
