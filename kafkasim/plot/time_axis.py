"""What figures with time along the bottom share: the unit, the axis, the series."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kafkasim.analysis.frames import ATTRIBUTE
from kafkasim.plot.calendar_axis import calendar, sentence
from kafkasim.plot.captions import Words, give_words
from kafkasim.plot.headings import headline
from kafkasim.plot.words import caption_of, plain_numbers, time_unit

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def time_scale(table: "pd.DataFrame") -> tuple[str, float]:
    """Return the unit of a table's times, and how many milliseconds it has."""
    latest = float(table["at_ms"].max()) if len(table) else 0.0
    return time_unit(latest if np.isfinite(latest) else 0.0)


def label_axes(ax: "Axes", table: "pd.DataFrame", title: str, x: str, y: str) -> None:
    """Give axes with time along the bottom a title, labels, ticks and the calendar.

    Parameters
    ----------
    ax : Axes
        With its data drawn.
    table : DataFrame
        What is drawn; its `at_ms` give the unit.
    title : str
        What the figure finds.
    x : str
        What the time is, without its unit.
    y : str
        What is drawn, with its unit.
    """
    unit, scale = time_scale(table)
    headline(ax, title)
    ax.set_xlabel(f"{x} ({unit})")
    ax.set_ylabel(y)
    ax.margins(x=0.01)
    times = table["at_ms"].to_numpy(dtype=np.float64) / scale
    if len(times) and (times == times[0]).all():
        ax.set_xlim(0, 2 * float(times[0]) or 1.0)
    plain_numbers(ax.xaxis, 8)
    if len(table):
        calendar(ax, table.attrs, scale)


def from_zero(ax: "Axes", *, whole: bool = False) -> None:
    """Begin the y axis at 0, with plain numbers: whole ones when it counts things."""
    ax.set_ylim(bottom=0)
    if ax.get_ylim()[1] < 1e-9:
        ax.set_ylim(0, 1)
    plain_numbers(ax.yaxis, whole=whole)


def middles(part: "pd.DataFrame") -> NDArray[np.float64]:
    """Return the middle of each bin of one series, milliseconds."""
    at: NDArray[np.float64] = part["at_ms"].to_numpy(dtype=np.float64)
    return at + (at[1] - at[0]) / 2 if len(at) > 1 else at


def highest(values: NDArray[np.float64]) -> int:
    """Return where the largest value stands; NaN is passed over, and −1 if all are."""
    if not np.isfinite(values).any():
        return -1
    return int(np.nanargmax(np.where(np.isfinite(values), values, np.nan)))


def say_over_time(ax: "Axes", what: str, table: "pd.DataFrame", alt: str) -> None:
    """Give axes their words; the caption says what the calendar makes of the time."""
    ran, dates = table.attrs.get(ATTRIBUTE), sentence(table.attrs)
    give_words(ax, Words(caption_of(what, ran, dates), alt))
