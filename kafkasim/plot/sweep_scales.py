"""Axes of a sweep: what was varied along x, a metric along y.

Numbers of which each is a multiple of the one before, such as counts of partitions,
stand on a logarithmic axis of base two, with the values themselves as ticks.
"""

from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from kafkasim.catalogue import say
from kafkasim.errors import ValidationError
from kafkasim.plot.style import nothing
from kafkasim.plot.words import (
    log_scale,
    metric_label,
    metric_ticks,
    spread_out,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_MOST_TICKS: Final = 10
_ROOM: Final = 0.09
"""Share of the axes kept free above and below for the labels of points."""

_MARK: Final = 0.02
"""Share of the axes that a point's mark needs above it."""

YScale = Literal["linear", "log"]


def are_numbers(column: "pd.Series[Any]") -> bool:
    """Tell whether a column holds numbers."""
    from pandas.api.types import is_numeric_dtype

    return bool(is_numeric_dtype(column))


def places_along(column: "pd.Series[Any]") -> dict[Any, float]:
    """Return where each value varied stands along x; a missing one stands nowhere."""
    distinct = list(dict.fromkeys(column.dropna()))
    if are_numbers(column):
        return {value: float(value) for value in distinct}
    return {value: float(place) for place, value in enumerate(distinct)}


def scale_x(ax: "Axes", column: "pd.Series[Any]") -> dict[Any, float]:
    """Scale the x axis for the values varied; return where each value stands."""
    places = places_along(column)
    if not are_numbers(column):
        step = -(-len(places) // _MOST_TICKS) or 1
        shown = list(places)[::step]
        ax.set_xticks(
            [places[value] for value in shown], [str(value) for value in shown]
        )
        ax.set_xlim(-0.3, max(1, len(places)) - 0.7)
        return places
    ordered = sorted(places)
    doubling = len(ordered) > 2 and ordered[0] > 0 and ordered[-1] / ordered[0] >= 8
    if doubling:
        ax.set_xscale("log", base=2)
        ax.minorticks_off()
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    if len(ordered) <= _MOST_TICKS:
        ax.set_xticks(ordered, [f"{value:g}" for value in ordered])
    return places


def scale_y(
    ax: "Axes",
    column: str,
    values: NDArray[np.float64],
    *,
    scale: YScale | None,
    labelled: bool,
) -> None:
    """Scale the y axis for a metric.

    Parameters
    ----------
    ax : Axes
        What is drawn into.
    column : str
        The metric.
    values : ndarray of float64
        All that is drawn.
    scale : {"linear", "log"} or None
        None: logarithmic where values are above 0 and far apart.
    labelled : bool
        Whether points need room above and below for their labels.

    Raises
    ------
    ValidationError
        A logarithmic axis was asked for, and a value is not above 0.
    """
    ax.set_ylabel(metric_label(column))
    if not np.isfinite(values).any():
        nothing(ax, say("does not apply") if len(values) else say("no runs"))
    elif scale == "log" or (scale is None and spread_out(values)):
        if np.nanmin(values) <= 0:
            raise ValidationError(
                "y_scale", "log", say("linear, for values of 0 or less")
            )
        log_scale(ax, "y", values)
    else:
        low, high = min(0.0, float(np.nanmin(values))), float(np.nanmax(values))
        room = _ROOM * (high - low) if labelled else 0.0
        ax.set_ylim(bottom=low - room)
        if room:
            ax.set_ylim(top=high + room)
        elif ax.get_ylim()[1] - high < _MARK * (high - low):  # all are alike
            ax.set_ylim(top=high + 2 * _MARK * (high - low))
        metric_ticks(ax.yaxis, column)
