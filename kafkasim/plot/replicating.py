"""The copies of one partition over time: what is written, what is safe, who leads.

Above, offsets: the log end, and below it the high watermark, up to which every in-sync
replica has the records and consumers may read. Below, a lane for each broker that has a
replica, and one for what the producers were told. A leader that dies leads no more at
once, and stays in the ISR until the controller has given it up (CT-1 to CT-4).
"""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from kafkasim.analysis.arrays import Float64
from kafkasim.analysis.copies import Copies, Steps
from kafkasim.analysis.frames import ATTRIBUTE, frame
from kafkasim.analysis.replica_rows import copies_of
from kafkasim.catalogue import say
from kafkasim.plot.calendar_axis import sentence
from kafkasim.plot.captions import Words, give_words
from kafkasim.plot.event_lines import RIGHT, draw_events
from kafkasim.plot.given import run_given
from kafkasim.plot.headings import headline
from kafkasim.plot.replica_lanes import draw_lanes
from kafkasim.plot.replica_words import broker_events, finding, in_words, leaders
from kafkasim.plot.style import (
    OKABE_ITO,
    PALE,
    SIZE,
    blank,
    canvas,
    hatch,
    legend_below,
    nothing,
    series,
    stroke,
    style,
)
from kafkasim.plot.time_axis import from_zero, label_axes, time_scale
from kafkasim.plot.words import begun, caption_of, counted, plain_numbers
from kafkasim.result.result import Result
from kafkasim.units import NS_PER_MS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_TALL: Final = 6.4
_LANE: Final = 0.14
"""Height of a lane, where that of the lines is 1."""
_ABOVE: Final = 1.18
"""Height of the upper axes, where the lines need 1: room for names of events."""


def replication(
    data: Result,
    *,
    topic: str | None = None,
    partition: int = 0,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the replicas of one partition over time.

    Parameters
    ----------
    data : Result
        A run. One that did not record its replicas had one copy of each partition.
    topic : str, optional
        The first without it.
    partition : int
        From 0.
    ax : Axes, optional
        Axes of a grid whose place the two panels take; a new figure otherwise.

    Returns
    -------
    Axes
        The upper panel's. The title says what was lost, what nobody could read, or for
        how long nothing was acknowledged.

    Raises
    ------
    ValidationError
        `data` is no run, or has no such topic or partition.
    TableNotRecorded
        When the run did not record the tables that the figure needs.
    """
    copies = copies_of(run_given(data), topic, partition)
    ends = frame(data, {"at_ms": [0.0, copies.until_ns / NS_PER_MS]})
    title = finding(copies)
    with style():
        upper, lower = _panels(ax, len(copies.brokers) + 1)
        per_unit = time_scale(ends)[1] * NS_PER_MS
        _label(upper, lower, ends, title, copies)
        if len(copies.log_end.at_ns):
            _draw(upper, lower, copies, data, per_unit)
        else:
            nothing(upper, say("no record was appended"))
            nothing(lower, "")
    partition_ = f"{copies.topic}-{copies.partition}"
    what = say("Replicas of {partition}", partition=partition_)
    caption = caption_of(what, ends.attrs.get(ATTRIBUTE), sentence(ends.attrs))
    words = Words(caption, f"{title}. {in_words(copies)}".strip())
    for each in (upper, lower):
        give_words(each, words)
    return upper


def _draw(
    upper: "Axes", lower: "Axes", copies: Copies, data: Result, per_unit: float
) -> None:
    """Draw lines and lanes, events across both, and a legend of both."""
    draw_lanes(lower, copies, per_unit)
    _lines(upper, copies, per_unit)
    events = [(at_ns / per_unit, text) for at_ns, text in broker_events(data)]
    draw_events((upper, lower), events)
    from_zero(upper, whole=True)
    if events:
        upper.set_ylim(top=_ABOVE * upper.get_ylim()[1])
    legend_below(lower, also=upper)


def _panels(ax: "Axes | None", lanes: int) -> "tuple[Axes, Axes]":
    """Return two axes, the lower as high as its lanes need."""
    from kafkasim.plot.axes import CaptionedAxes

    ratios = [1.0, _LANE * lanes]
    grid: Any
    if ax is None:
        figure: Any = blank((SIZE[0], _TALL))
        grid = figure.add_gridspec(2, 1, height_ratios=ratios)
    else:
        place = ax.get_subplotspec()
        if place is None:
            raise ValueError("two panels need axes that stand in a grid")
        figure = ax.figure
        grid = place.subgridspec(2, 1, height_ratios=ratios)
        ax.remove()
    upper = figure.add_subplot(grid[0], axes_class=CaptionedAxes)
    lower = figure.add_subplot(grid[1], axes_class=CaptionedAxes)
    return canvas(upper), canvas(lower)


def _label(
    upper: "Axes", lower: "Axes", ends: "pd.DataFrame", title: str, copies: Copies
) -> None:
    from matplotlib.ticker import NullFormatter

    unit, scale = time_scale(ends)
    label_axes(upper, ends, title, say("simulated time"), say("offset"))
    below = leaders(copies) if len(copies.log_end.at_ns) else ""
    headline(upper, title, below=begun(below))
    lower.set_xlabel(say("simulated time ({unit})", unit=unit))
    for each in (upper, lower):
        each.set_xlim(0, 1.01 * (copies.until_ns / NS_PER_MS / scale or 1.0))
        plain_numbers(each.xaxis, 8)
    upper.set_xlabel("")
    upper.xaxis.set_major_formatter(NullFormatter())


def _drawn(steps: Steps, until_ns: int, per_unit: float) -> tuple[Float64, Float64]:
    """Return a line from the run's start to its end."""
    at = np.concatenate(([0], steps.at_ns, [until_ns])).astype(np.float64)
    last = steps.value[-1:] if len(steps.value) else np.zeros(1, np.int64)
    return at / per_unit, np.concatenate(([0], steps.value, last)).astype(np.float64)


def _lines(ax: "Axes", copies: Copies, per_unit: float) -> None:
    times = np.unique(
        np.concatenate(
            [
                np.zeros(1, np.int64),
                *(
                    line.at_ns
                    for line in (copies.log_end, copies.high_watermark, copies.acked)
                ),
                np.array([copies.until_ns]),
            ]
        )
    )
    end, high, acked = (
        line.then(times).astype(np.float64)
        for line in (copies.log_end, copies.high_watermark, copies.acked)
    )
    step: dict[str, Any] = {"step": "post", "linewidth": 0, "zorder": 1.5}
    at = times / per_unit
    look: dict[str, Any] = {"facecolor": PALE, "label": say("not safe yet")}
    ax.fill_between(at, high, np.maximum(high, end), **step, **look)
    if copies.longest_hidden()[2]:
        look = {"facecolor": OKABE_ITO["orange"], "hatch": hatch(1), "alpha": 0.7}
        look["label"] = say("acked, not readable")
        told = np.maximum(high, np.minimum(acked, end))
        ax.fill_between(at, high, told, **step, **look)
    lines = (
        (copies.log_end, say("log end"), 0),
        (copies.high_watermark, say("high watermark"), 2),
    )
    for line, label, number in lines:
        at, values = _drawn(line, copies.until_ns, per_unit)
        ax.step(at, values, where="post", label=label, zorder=3, **series(number))
    for number, loss in enumerate(copies.losses):
        at_unit = loss.at_ns / per_unit
        ax.plot(
            [at_unit, at_unit],
            [loss.from_offset, loss.to_offset],
            color=OKABE_ITO["vermillion"],
            linewidth=stroke(5.0),
            solid_capstyle="butt",
            zorder=4,
            label=say("given up") if not number else None,
        )
        if loss.acked_records:
            middle = (loss.from_offset + loss.to_offset) / 2
            _say_loss(ax, at_unit, middle, loss.acked_records)


def _say_loss(ax: "Axes", at_unit: float, middle: float, records: int) -> None:
    """Write how many were lost beside the mark, to the right where there is room."""
    from matplotlib.patheffects import withStroke

    left = at_unit > RIGHT * ax.get_xlim()[1]
    ax.annotate(
        say("{records}\nacknowledged, lost", records=counted(records, "record")),
        (at_unit, middle),
        xytext=(-0.6 if left else 0.6, 0.0),
        textcoords="offset fontsize",
        color=OKABE_ITO["vermillion"],
        fontweight="bold",
        fontsize="small",
        ha="right" if left else "left",
        va="center",
        path_effects=[withStroke(linewidth=stroke(3.0), foreground="white")],
        zorder=5,
    )
