"""The life of a log's segments: written, closed, deleted whole."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.analysis import progress
from kafkasim.analysis.frames import ATTRIBUTE
from kafkasim.analysis.provenance import provenance
from kafkasim.analysis.world import world_of
from kafkasim.catalogue import say
from kafkasim.errors import ValidationError
from kafkasim.plot.calendar_axis import sentence
from kafkasim.plot.captions import Words, give_words
from kafkasim.plot.given import table_with
from kafkasim.plot.lives import Lives
from kafkasim.plot.segment_words import finding, in_words
from kafkasim.plot.style import (
    GREY,
    OKABE_ITO,
    PALE,
    SIZE,
    canvas,
    hatch,
    legend_below,
    nothing,
    series,
    stroke,
    style,
)
from kafkasim.plot.time_axis import label_axes, time_scale
from kafkasim.plot.words import (
    caption_of,
    plain_numbers,
    time_unit,
)
from kafkasim.result.result import Result
from kafkasim.result.rows import code
from kafkasim.units import MISSING_NS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    Floats = NDArray[np.float64]

_COLUMNS: Final = (
    *("topic", "partition", "base_offset", "end_offset"),
    *("created_ms", "rolled_ms", "deleted_ms"),
)

_OPEN: Final = OKABE_ITO["sky blue"]
_CLOSED: Final = "#E4F0F8"
_MADE: Final = "#F0DC94"
_MOST_EDGES: Final = 60
"""Segments up to which each has an edge of its own."""


def retention(
    data: "Result | pd.DataFrame",
    *,
    topic: str | None = None,
    partition: int = 0,
    subscriber: str | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the life of a log's segments: offsets over time.

    A segment grows while it is written, is closed, and is deleted whole; the log's
    start jumps to the next one. What compaction writes anew keeps its offsets, and the
    log's start stays. With a subscriber its position is a line. The log's
    start can overtake it: what the reader had fetched it still works on, the rest is
    gone unread.

    Parameters
    ----------
    data : Result or DataFrame
        A run, or its table `segments`.
    topic : str, optional
        The first of the table without it.
    partition : int
        From 0.
    subscriber : str, optional
        Whose position is drawn, when `data` is a run.
    ax : Axes, optional
        What to draw into; a new figure otherwise.

    Returns
    -------
    Axes
        The title says how many segments were deleted, how often compaction rewrote
        some, or whom deletion overtook.

    Raises
    ------
    ValidationError
        `data` is neither a run nor such a table, or has no such topic, partition or
        subscriber; a subscriber was asked for and `data` is no run.
    TableNotRecorded
        When the run did not record its segments.
    """
    table, name = _segments(data, topic, partition)
    read, attrs = _read(data, name, partition, subscriber)
    begun = compacted = None
    if isinstance(data, Result) and subscriber is not None:
        begun = _begun(data, name, partition, subscriber)
        compacted = _compacted(data, name, partition, table)
    lives = Lives(table, read, begun, compacted)
    what = say("Segments of {partition}", partition=f"{name}-{partition}")
    title = finding(lives, subscriber)
    with style():
        ax = canvas(ax, (SIZE[0], 5.2))
        if len(lives.base):
            _draw(ax, lives, subscriber)
        _label(ax, lives, title, attrs)
        if not len(lives.base):
            nothing(ax, say("no segment"))
        legend_below(ax)
    caption = caption_of(what, attrs.get(ATTRIBUTE), sentence(attrs))
    give_words(ax, Words(caption, f"{title}. {in_words(lives, subscriber)}".strip()))
    return ax


def _segments(
    data: "Result | pd.DataFrame", topic: str | None, partition: int
) -> "tuple[pd.DataFrame, str]":
    """Return the segments of one partition in one broker's log, and the topic."""
    made = data.segments if isinstance(data, Result) else data
    table = table_with(made, _COLUMNS, "segments, the table of a run")
    names = list(dict.fromkeys(map(str, table["topic"])))
    if topic is not None and topic not in names:
        raise ValidationError(
            "topic", topic, say("one of {names}", names=", ".join(names))
        )
    name = topic or (names[0] if names else "")
    mine = table[(table["topic"].astype(str) == name)]
    if partition not in set(mine["partition"]) and len(mine):
        last = int(mine["partition"].max())
        raise ValidationError(
            "partition", partition, say("{low} to {high}", low=0, high=last)
        )
    mine = mine[mine["partition"] == partition]
    if "broker" in mine and len(mine):
        mine = mine[mine["broker"] == mine["broker"].min()]
    return mine, name


def _read(
    data: "Result | pd.DataFrame", topic: str, partition: int, subscriber: str | None
) -> "tuple[pd.DataFrame | None, dict[Any, Any]]":
    """Return log end and position over time, if known, and what ran."""
    if not isinstance(data, Result):
        if subscriber is not None:
            expected = say("a run as data: the table of segments knows no subscriber")
            raise ValidationError("subscriber", subscriber, expected)
        return None, dict(data.attrs)
    if subscriber is None and not world_of(data).wants:
        return None, {ATTRIBUTE: provenance(data)}
    read = progress.offsets(
        data, subscriber=subscriber, topic=topic or None, partition=partition
    )
    return read, dict(read.attrs)


def _begun(data: Result, topic: str, partition: int, subscriber: str) -> "Floats":
    """Return the offsets of what a subscriber worked on or held in the end, rising."""
    deliveries = data.columns("deliveries")
    mine = deliveries["topic"] == code(deliveries, "topic", topic)
    mine &= deliveries["partition"] == partition
    mine &= deliveries["subscriber"] == code(deliveries, "subscriber", subscriber)
    held = deliveries["outcome"] == code(deliveries, "outcome", "in_flight")
    mine &= held | (deliveries["started_ns"] != MISSING_NS)
    return np.unique(deliveries["offset"][mine]).astype(np.float64)


def _compacted(
    data: Result, topic: str, partition: int, segments: "pd.DataFrame"
) -> "Floats":
    """Return the offsets that compaction took from those segments' log, rising."""
    if "removals" not in data.tables:
        return np.zeros(0)
    rows = data.columns("removals")
    mine = rows["topic"] == code(rows, "topic", topic)
    mine &= rows["partition"] == partition
    mine &= rows["cause"] == code(rows, "cause", "compaction")
    if "broker" in segments and len(segments):
        mine &= rows["broker"] == int(segments["broker"].iloc[0])
    runs = zip(rows["from_offset"][mine], rows["to_offset"][mine], strict=True)
    taken = [np.arange(first, end) for first, end in runs]
    return np.unique(np.concatenate([np.zeros(0), *taken]))


def _label(ax: "Axes", lives: Lives, title: str, attrs: dict[Any, Any]) -> None:
    import pandas as pd

    ends = pd.DataFrame({"at_ms": [0.0, lives.until or 1.0]})
    ends.attrs = attrs
    label_axes(ax, ends, title, say("simulated time"), say("offset"))
    ax.set_xlim(0, 1.02 * time_scale(ends)[1] ** -1 * (lives.until or 1.0))
    ax.set_ylim(bottom=min(0.0, lives.base.min(initial=0.0)))
    plain_numbers(ax.yaxis, whole=True)


def _draw(ax: "Axes", lives: Lives, subscriber: str | None) -> None:
    scale = time_unit(lives.until)[1]
    _boxes(ax, lives, scale)
    at, starts = lives.log_start()
    black: dict[str, Any] = {"color": "black", "linewidth": stroke(2.6), "zorder": 4}
    at = np.append(at, lives.until) / scale
    ax.hlines(starts, at[:-1], at[1:], label=say("log start"), **black)
    if len(lives.times):
        ends = lives.log_end
        ax.step(
            lives.times / scale, ends, where="post", label=say("log end"), **series(0)
        )
    if subscriber is None or not len(lives.times):
        return
    times = np.unique(np.concatenate((lives.times, at * scale)))
    slots = np.searchsorted(lives.times, times, side="right") - 1
    position = np.where(slots >= 0, lives.position[slots], np.nan)
    look = series(2) | {"zorder": 5}
    label = say("position of {name}", name=subscriber)
    ax.step(times / scale, position, where="post", label=label, **look)
    start = lives.start_at(times)
    jumps = lives.jumps()
    following = np.searchsorted(jumps[:, 0], times, side="right")
    limits = np.append(jumps[:, 1], lives.end_of_reading())[following]
    held = np.minimum(start, limits)
    step: dict[str, Any] = {"step": "post", "linewidth": 0, "zorder": 3.5}
    if (held > position).any():
        step |= {"facecolor": PALE, "hatch": hatch(2), "edgecolor": GREY}
        label = say("gone, fetched before")
        ax.fill_between(
            *(times / scale, position, held), held > position, label=label, **step
        )
    if (start > limits).any():
        step |= {"facecolor": OKABE_ITO["orange"], "hatch": hatch(3)}
        step |= {"edgecolor": "black", "label": say("gone unread")}
        ax.fill_between(*(times / scale, limits, start), start > limits, **step)


def _boxes(ax: "Axes", lives: Lives, scale: float) -> None:
    """Draw each segment: growing while it is written, then as high as it is."""
    from matplotlib.collections import LineCollection, PolyCollection

    rolled = np.where(np.isfinite(lives.rolled), lives.rolled, lives.until)
    left = np.where(lives.gone, lives.deleted, lives.until)
    growing: list[Floats] = []
    closed: list[Floats] = []
    made: list[Floats] = []
    ends: list[list[tuple[float, float]]] = []
    for row, (base, end) in enumerate(zip(lives.base, lives.end, strict=True)):
        if not lives.made[row]:
            path = _written(lives, row, min(rolled[row], left[row]))
            growing.append(path / [scale, 1])
        if left[row] > rolled[row]:
            x = np.array([rolled[row], left[row], left[row], rolled[row]]) / scale
            box = np.column_stack((x, [base, base, end, end]))
            (made if lives.made[row] else closed).append(box)
        if lives.expired[row]:
            ends.append([(left[row] / scale, base), (left[row] / scale, end)])
    thin = stroke(0.9) if len(lives.base) <= _MOST_EDGES else 0.0
    look: dict[str, Any] = {"edgecolor": "black", "linewidth": thin}
    red: dict[str, Any] = {
        "color": OKABE_ITO["vermillion"],
        "zorder": 4.5,
        "capstyle": "butt",
    }
    for artist, label, there in (
        (
            PolyCollection(growing, facecolor=_OPEN, **look),
            say("being written"),
            growing,
        ),
        (PolyCollection(closed, facecolor=_CLOSED, **look), say("closed"), closed),
        (
            PolyCollection(made, facecolor=_MADE, **look),
            say("written by compaction"),
            made,
        ),
        (LineCollection(ends, linewidth=stroke(4.0), **red), say("deleted"), ends),
    ):
        if there:
            artist.set_label(label)
            ax.add_collection(artist)


def _written(lives: Lives, row: int, until: float) -> "Floats":
    """Return the corners of a segment while it is written: under the log's end."""
    created, base, end = lives.created[row], lives.base[row], lives.end[row]
    inside = (lives.times > created) & (lives.times < until)
    if not inside.any():
        corners = [(created, base), (until, end), (until, base)]
        return np.array(corners, dtype=np.float64)
    times = np.repeat(lives.times[inside], 2)
    last = int(np.searchsorted(lives.times, created, side="right")) - 1
    known = [base if last < 0 else lives.log_end[last]]
    ends = np.clip(np.concatenate((known, lives.log_end[inside])), base, end)
    tops = np.column_stack((ends[:-1], ends[1:])).ravel()
    path = np.column_stack((times, tops))
    begun = [[created, base], [created, ends[0]]]
    return np.vstack((begun, path, [until, end], [until, base]))
