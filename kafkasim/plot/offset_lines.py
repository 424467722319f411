"""How far a subscriber has come in one partition, as lines of steps."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.analysis import progress
from kafkasim.analysis.frames import ATTRIBUTE
from kafkasim.plot.calendar_axis import sentence
from kafkasim.plot.captions import Words, say
from kafkasim.plot.given import table_with
from kafkasim.plot.style import (
    GREY,
    OKABE_ITO,
    PALE,
    canvas,
    hatch,
    legend_beside,
    nothing,
    series,
    style,
)
from kafkasim.plot.time_axis import from_zero, label_axes, time_scale
from kafkasim.plot.words import amount, caption_of, counted
from kafkasim.result.result import Result

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_LINES: Final = {"log_end": 0, "position": 2, "committed": 1}
"""Columns of the table, and the number of the series whose look each has."""
_START: Final = "log_start"
"""Column that a table made by an older version lacks."""


def offsets(
    data: "Result | pd.DataFrame",
    *,
    subscriber: str | None = None,
    topic: str | None = None,
    partition: int = 0,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw log end, position and committed offset of one partition over time.

    The log start is drawn too, once retention has deleted a segment.

    Parameters
    ----------
    data : Result or DataFrame
        A run, or what `analysis.offsets` made of one.
    subscriber, topic : str, optional
        As for `analysis.offsets`, when `data` is a run.
    partition : int
        As for `analysis.offsets`, when `data` is a run.
    ax : Axes, optional
        What to draw into; a new figure otherwise.

    Returns
    -------
    Axes
        The title says the largest distances between the lines, where both are known.
        What was read and not committed, a crash would make the group read again.

    Raises
    ------
    ValidationError
        `data` is neither a run nor such a table; the run has no such subscriber, topic
        or partition.
    TableNotRecorded
        When the run did not record the tables that `analysis.offsets` needs.
    """
    table = (
        progress.offsets(data, subscriber=subscriber, topic=topic, partition=partition)
        if isinstance(data, Result)
        else table_with(data, ("at_ms", *_LINES), "offsets")
    )
    what = table.attrs.get("title", "Offsets")
    lines = {
        name: table[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in _LINES
    }
    gone = (
        table[_START].to_numpy(dtype=np.float64, na_value=np.nan)
        if _START in table
        else np.zeros(len(table))
    )
    title = f"{what}: {_finding(lines)}"
    if (gone > lines["position"]).any():
        title += ", overtaken by deletion"
    with style():
        ax = canvas(ax)
        _, scale = time_scale(table)
        at = table["at_ms"].to_numpy(dtype=np.float64) / scale
        if len(at):
            _draw(ax, at, lines)
            _draw_gone(ax, at, gone, lines["position"])
        label_axes(ax, table, title, "simulated time", "offset (records)")
        from_zero(ax, whole=True)
        if len(at):
            legend_beside(ax)
        else:
            nothing(ax, "nothing happened in this partition")
    caption = caption_of(what, table.attrs.get(ATTRIBUTE), sentence(table.attrs))
    spoken = _in_words(lines)
    if gone.any():
        spoken += (
            f" Below the log start, at the end {amount(gone[-1])}, all is deleted."
        )
    say(ax, Words(caption, spoken))
    return ax


def _draw_gone(
    ax: "Axes",
    at: NDArray[np.float64],
    log_start: NDArray[np.float64],
    position: NDArray[np.float64],
) -> None:
    """Draw where the log starts, and what was deleted before it was read."""
    if not log_start.any():
        return
    late = log_start > position
    if late.any():
        ax.fill_between(
            at,
            position,
            log_start,
            where=late.tolist(),
            step="post",
            linewidth=0,
            facecolor=OKABE_ITO["vermillion"],
            alpha=0.45,
            hatch=hatch(3),
            label="deleted before it was read",
            zorder=1.5,
        )
    ax.step(at, log_start, where="post", color=GREY, linewidth=1.5, label="log start")


def _draw(
    ax: "Axes", at: NDArray[np.float64], lines: dict[str, NDArray[np.float64]]
) -> None:
    alone = {"marker": "o"} if len(at) == 1 else {}
    _areas(ax, at, lines)
    for name, number in _LINES.items():
        label = name.replace("_", " ")
        ax.step(at, lines[name], where="post", label=label, **series(number) | alone)


def _finding(lines: dict[str, NDArray[np.float64]]) -> str:
    log_end, position, committed = (lines[name] for name in _LINES)
    if not len(log_end):
        return "nothing happened"
    if not log_end[-1] > 0:
        return "no record in the log"
    if not np.isfinite(position).any():
        return f"none of {counted(log_end[-1], 'record')} read"
    unread = f"up to {counted(_largest(log_end - position), 'record')} not read yet"
    if not np.isfinite(committed).any():
        return f"{unread}, no offset committed"
    again = amount(_largest(position - committed))
    return f"{unread}, up to {again} to read again after a crash"


def _areas(
    ax: "Axes", at: NDArray[np.float64], lines: dict[str, NDArray[np.float64]]
) -> None:
    position = lines["position"]
    step: Any = {"step": "post", "linewidth": 0}
    ax.fill_between(
        at, position, lines["log_end"], color=PALE, label="not read yet", **step
    )
    ax.fill_between(
        at,
        lines["committed"],
        position,
        facecolor=OKABE_ITO["orange"],
        alpha=0.35,
        hatch=hatch(1),
        label="again after a crash",
        **step,
    )


def _in_words(lines: dict[str, NDArray[np.float64]]) -> str:
    if not len(lines["log_end"]):
        return "Empty axes: nothing happened in this partition."
    finding = _finding(lines)
    ends = [
        f"{name.replace('_', ' ')} "
        + (f"to {amount(values[-1])}" if np.isfinite(values[-1]) else "not known")
        for name, values in lines.items()
    ]
    return f"{finding[0].upper()}{finding[1:]}. Step lines: {', '.join(ends)}."


def _largest(values: NDArray[np.float64]) -> float:
    kept = values[np.isfinite(values)]
    return float(kept.max()) if len(kept) else float("nan")
