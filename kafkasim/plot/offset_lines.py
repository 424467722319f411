"""How far a subscriber has come in one partition, as lines of steps."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.analysis import progress
from kafkasim.analysis.frames import ATTRIBUTE
from kafkasim.analysis.progress import SUBSCRIBER
from kafkasim.catalogue import mark, say
from kafkasim.plot.calendar_axis import sentence
from kafkasim.plot.captions import Words, give_words
from kafkasim.plot.event_lines import RIGHT, draw_events, group_events
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
    stroke,
    style,
)
from kafkasim.plot.time_axis import from_zero, label_axes, time_scale
from kafkasim.plot.words import amount, begun, caption_of, counted
from kafkasim.result.result import Result
from kafkasim.units import NS_PER_MS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_LINES: Final = {"log_end": 0, "position": 2, "committed": 1}
"""Columns of the table, and the number of the series whose look each has."""
_LINE_NAMES: Final = {
    "log_end": mark("log end"),
    "position": mark("position"),
    "committed": mark("committed"),
}
"""What they are called."""
_MOST_BACKS: Final = 4
"""Steps back of which each is named."""
_ABOVE: Final = 1.15
"""Height of the axes, where the lines need 1 and events have names."""
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

    The log start is drawn too, once retention has deleted a segment. Where the position
    steps back, after a crash or a rebalance, a bar says how much is read again; upright
    lines say what was done to the subscriber and its members.

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
        What was read and not committed, a crash would make the group read again; what
        was committed and not read, it would make it pass over.

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
    what = table.attrs.get("title") or say("Offsets")
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
        title = say("{title}, overtaken by deletion", title=title)
    with style():
        ax = canvas(ax)
        _, scale = time_scale(table)
        at = table["at_ms"].to_numpy(dtype=np.float64) / scale
        if len(at):
            _draw(ax, at, lines)
            _draw_gone(ax, at, gone, lines["position"])
            _draw_back(ax, at, lines["position"])
        label_axes(ax, table, title, say("simulated time"), say("offset (records)"))
        from_zero(ax, whole=True)
        if len(at):
            _draw_events(ax, data, table.attrs.get(SUBSCRIBER), scale)
            legend_beside(ax)
        else:
            nothing(ax, say("nothing happened in this partition"))
    caption = caption_of(what, table.attrs.get(ATTRIBUTE), sentence(table.attrs))
    give_words(ax, Words(caption, _spoken(lines, gone)))
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
            label=say("deleted before it was read"),
            zorder=1.5,
        )
    ax.step(
        at, log_start, where="post", color=GREY, linewidth=1.5, label=say("log start")
    )


def _spoken(lines: dict[str, NDArray[np.float64]], gone: NDArray[np.float64]) -> str:
    """Return what is drawn, in words."""
    spoken = _in_words(lines)
    backs = steps_back(lines["position"])
    if len(backs):
        times = counted(len(backs), "time")
        spoken = f"{spoken} {say('The position steps back {times}.', times=times)}"
    if gone.any():
        below = say(
            "Below the log start, at the end {offset}, all is deleted.",
            offset=amount(gone[-1]),
        )
        spoken = f"{spoken} {below}"
    return spoken


def steps_back(position: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return at which rows the position is lower than before."""
    return np.flatnonzero(np.diff(position, prepend=np.nan) < 0)


def _draw_back(
    ax: "Axes", at: NDArray[np.float64], position: NDArray[np.float64]
) -> None:
    """Draw a bar where the position steps back; say how far if there are few."""
    from matplotlib.patheffects import withStroke

    backs = steps_back(position)
    for number, row in enumerate(backs.tolist()):
        high, low = position[row - 1], position[row] - 1
        ax.plot(
            [at[row], at[row]],
            [low, high],
            color=OKABE_ITO["vermillion"],
            linewidth=stroke(5.0),
            solid_capstyle="butt",
            zorder=4,
            label=None if number else say("read again"),
        )
        if len(backs) <= _MOST_BACKS:
            right = at[row] > RIGHT * at[-1]
            ax.annotate(
                say("{count:,.0f} again", count=high - low),
                (at[row], low),
                xytext=(-0.6 if right else 0.6, 0.2),
                textcoords="offset fontsize",
                ha="right" if right else "left",
                va="bottom",
                color=OKABE_ITO["vermillion"],
                fontweight="bold",
                fontsize="small",
                path_effects=[withStroke(linewidth=stroke(3.0), foreground="white")],
                zorder=5,
            )


def _draw_events(ax: "Axes", data: object, subscriber: object, scale: float) -> None:
    """Draw what was done to the subscriber of a run, with room above the lines."""
    if not isinstance(data, Result) or not isinstance(subscriber, str):
        return
    said = [
        (at_ns / NS_PER_MS / scale, text)
        for at_ns, text in group_events(data, subscriber)
    ]
    if said:
        ax.set_ylim(top=_ABOVE * ax.get_ylim()[1])
        draw_events([ax], said)


def _draw(
    ax: "Axes", at: NDArray[np.float64], lines: dict[str, NDArray[np.float64]]
) -> None:
    alone = {"marker": "o"} if len(at) == 1 else {}
    _areas(ax, at, lines)
    for name, number in _LINES.items():
        label = say(_LINE_NAMES[name])
        ax.step(at, lines[name], where="post", label=label, **series(number) | alone)


def _finding(lines: dict[str, NDArray[np.float64]]) -> str:
    log_end, position, committed = (lines[name] for name in _LINES)
    if not len(log_end):
        return say("nothing happened")
    if not log_end[-1] > 0:
        return say("no record in the log")
    if not np.isfinite(position).any():
        return say("none of {records} read", records=counted(log_end[-1], "record"))
    most = counted(_largest(log_end - position), "record")
    unread = say("up to {records} not read yet", records=most)
    if not np.isfinite(committed).any():
        return say("{unread}, no offset committed", unread=unread)
    never = _largest(committed - position)
    if never > 0:
        return say(
            "{unread}, up to {never} passed over after a crash",
            unread=unread,
            never=amount(never),
        )
    return say(
        "{unread}, up to {again} to read again after a crash",
        unread=unread,
        again=amount(_largest(position - committed)),
    )


def _areas(
    ax: "Axes", at: NDArray[np.float64], lines: dict[str, NDArray[np.float64]]
) -> None:
    position = lines["position"]
    step: Any = {"step": "post", "linewidth": 0}
    ax.fill_between(
        at, position, lines["log_end"], color=PALE, label=say("not read yet"), **step
    )
    committed = lines["committed"]
    upper, lower = np.maximum(position, committed), np.minimum(position, committed)
    if (position > committed).any():
        ax.fill_between(
            at,
            committed,
            upper,
            facecolor=OKABE_ITO["orange"],
            alpha=0.35,
            hatch=hatch(1),
            label=say("again after a crash"),
            **step,
        )
    if (committed > position).any():
        ax.fill_between(
            at,
            lower,
            committed,
            facecolor=OKABE_ITO["vermillion"],
            alpha=0.5,
            hatch=hatch(3),
            label=say("passed over after a crash"),
            **step,
        )


def _in_words(lines: dict[str, NDArray[np.float64]]) -> str:
    if not len(lines["log_end"]):
        return say("Empty axes: nothing happened in this partition.")
    finding = _finding(lines)
    ends = [
        say("{line} to {end}", line=say(_LINE_NAMES[name]), end=amount(values[-1]))
        if np.isfinite(values[-1])
        else say("{line} not known", line=say(_LINE_NAMES[name]))
        for name, values in lines.items()
    ]
    lines_ = say("Step lines: {ends}.", ends=", ".join(ends))
    return f"{begun(finding)}. {lines_}"


def _largest(values: NDArray[np.float64]) -> float:
    kept = values[np.isfinite(values)]
    return float(kept.max()) if len(kept) else float("nan")
