"""A queue beside a log: the same records, what each still holds, and who read what."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from kafkasim.analysis.dealings import dealings
from kafkasim.analysis.event_words import event_words
from kafkasim.analysis.holding import held, readings
from kafkasim.analysis.provenance import provenance
from kafkasim.catalogue import mark, say
from kafkasim.plot.captions import Words, give_words
from kafkasim.plot.event_lines import draw_events, told
from kafkasim.plot.given import run_given
from kafkasim.plot.headings import headline_of_all
from kafkasim.plot.style import (
    OKABE_ITO,
    legend_of_all,
    listed_as,
    panels,
    series,
    stroke,
    style,
)
from kafkasim.plot.words import (
    begun,
    caption_of,
    counted,
    listed,
    plain_numbers,
    time_unit,
)
from kafkasim.result.result import Result
from kafkasim.result.rows import wanted_ns
from kafkasim.units import MISSING_NS, NS_PER_MS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_MOST_READERS: Final = 6
_NAMES: Final = {"the queue": mark("the queue"), "the log": mark("the log")}
"""What the two are called unless somebody calls them otherwise."""


class _Side(NamedTuple):
    """A run, and what it holds over time."""

    name: str
    result: Result
    held: "pd.DataFrame"
    readings: "pd.DataFrame"
    until_ms: float
    """When the last thing of its records happened."""


class _Late(NamedTuple):
    """Somebody who came later."""

    subscriber: str
    before: int
    """Records that were wanted before it came."""
    read: int
    """How many of them it read."""


def queue_and_log(
    queue: Result,
    log: Result,
    *,
    names: tuple[str, str] = ("the queue", "the log"),
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the same records in a queue and in a log: what each holds, and who read it.

    Parameters
    ----------
    queue, log : Result
        Runs of the same traffic, through a system that deletes what is acknowledged and
        through one that keeps it.
    names : (str, str)
        What to call them.
    ax : Axes, optional
        Axes of a grid whose place the panels take; a new figure otherwise.

    Returns
    -------
    Axes
        The first panel's. Above, how many records each holds: a queue those that
        somebody has not acknowledged, a log all until retention takes a segment. Below,
        how many each subscriber has read, a replay counted again. Upright lines are
        what was done to subscribers, and when somebody came later.

    Raises
    ------
    ValidationError
        One of them is no run.
    TableNotRecorded
        When a run did not record `records` or `deliveries`.
    """
    sides = [
        _side(name, run_given(result))
        for name, result in zip(names, (queue, log), strict=True)
    ]
    until = max(side.until_ms for side in sides)
    title = _finding(sides)
    with style():
        drawn = panels(ax, 4, 2, (7.8, 3.3))
        unit, scale = time_unit(until)
        readers = list(log.scenario.resolve().traffic.subscribers)[:_MOST_READERS]
        for place, side in enumerate(sides):
            _draw_held(drawn[place], side, until, scale)
            _draw_readings(drawn[2 + place], side, readers, until, scale)
            drawn[2 + place].set_xlabel(say("simulated time ({unit})", unit=unit))
        _same_heights(drawn)
        for place, side in enumerate(sides):
            draw_events(drawn[place::2], _done(side.result, scale), most=4)
        legend_of_all([drawn[2]], say("read by"))
        if ax is None:
            headline_of_all(drawn, title, legend=True)
    said = [f"{title}.", *(_in_words(side, readers) for side in sides)]
    what = say("What a queue and a log hold, and what was read, every time counted")
    ran = listed(
        [f"{begun(_called(side))}: {provenance(side.result)}" for side in sides]
    )
    for each in drawn:
        give_words(each, Words(caption_of(what, ran), " ".join(said)))
    return drawn[0]


def _called(side: _Side) -> str:
    return say(_NAMES[side.name]) if side.name in _NAMES else side.name


def _side(name: str, result: Result) -> _Side:
    table, read = held(result), readings(result)
    times = (table["at_ms"].max(), read["at_ms"].max(), _last_wanted_ms(result))
    return _Side(name, result, table, read, float(np.nanmax(np.array(times))))


def _last_wanted_ms(result: Result) -> float:
    return float(wanted_ns(result.columns("records")).max(initial=0)) / NS_PER_MS


def _late(result: Result) -> list[_Late]:
    """Return who came later, and how much they read of what was before."""
    wanted = wanted_ns(result.columns("records"))
    streams = result.columns("records")
    found = []
    for dealing in dealings(result):
        want = dealing.want
        if not want.from_ns:
            continue
        names = streams.labels["stream"]
        mine = np.isin(
            streams["stream"], [n for n, s in enumerate(names) if s in want.streams]
        )
        early = wanted[dealing.rows] < want.from_ns
        read = int((dealing.first_processed_ns[early] != MISSING_NS).sum())
        before = int((mine & (wanted < want.from_ns)).sum())
        found.append(_Late(want.subscriber, before, read))
    return found


def _finding(sides: Sequence[_Side]) -> str:
    """Return what each holds in the end, and what who came later got of it."""
    queue, log = sides
    count = counted(len(log.result.columns("records")), "record")
    ends = [int(side.held["held"].iloc[-1]) for side in sides]
    said = say(
        "Of {records} {queue} holds {in_queue:,} in the end, {log} {in_log:,}",
        records=count,
        queue=_called(queue),
        in_queue=ends[0],
        log=_called(log),
        in_log=ends[1],
    )
    pairs = list(zip(_late(queue.result), _late(log.result), strict=False))
    if pairs:
        here, there = pairs[0]
        late = say(
            "of the {before:,} sent before {name} came {queue} gave it {by_queue:,}, "
            "{log} {by_log:,}",
            before=there.before,
            name=there.subscriber,
            queue=_called(queue),
            by_queue=here.read,
            log=_called(log),
            by_log=there.read,
        )
        said = f"{said}; {late}"
    return said


def _draw_held(ax: "Axes", side: _Side, until: float, scale: float) -> None:
    at = np.append(side.held["at_ms"].to_numpy(), until) / scale
    counts = side.held["held"].to_numpy()
    look: dict[str, Any] = {"color": OKABE_ITO["orange"], "alpha": 0.55}
    ax.fill_between(at, np.append(counts, counts[-1:]), step="post", **look)
    ax.step(
        at,
        np.append(counts, counts[-1:]),
        where="post",
        color="black",
        linewidth=stroke(1.4),
    )
    _say_retention(ax, side, scale)
    title = say("{name}: records it holds", name=begun(_called(side)))
    ax.set_title(title, loc="left", fontsize="medium")
    ax.set_xlim(0, until / scale or 1.0)
    plain_numbers(ax.xaxis, 8)


def _say_retention(ax: "Axes", side: _Side, scale: float) -> None:
    """Write where a segment left a log first."""
    if "removals" not in side.result.tables:
        return
    removals = side.result.columns("removals")
    if not len(removals):
        return
    at_ms = int(removals["at_ns"].min()) / NS_PER_MS
    before = side.held[side.held["at_ms"] < at_ms]["held"]
    ax.annotate(
        say("a segment goes"),
        (at_ms / scale, float(before.iloc[-1]) if len(before) else 0.0),
        xytext=(-0.3, 0.3),
        textcoords="offset fontsize",
        ha="left",
        va="bottom",
        fontsize="small",
    )


def _draw_readings(
    ax: "Axes", side: _Side, readers: Sequence[str], until: float, scale: float
) -> None:
    for number, name in enumerate(readers):
        mine = side.readings[side.readings["subscriber"] == name]
        at = np.concatenate([[0.0], mine["at_ms"].to_numpy(), [until]]) / scale
        counts = mine["readings"].to_numpy()
        counts = np.concatenate([[0], counts, counts[-1:] if len(counts) else [0]])
        look = series(number) | {"label": listed_as(name)}
        ax.step(at, counts, where="post", **look)
    title = say("{name}: records read", name=begun(_called(side)))
    ax.set_title(title, loc="left", fontsize="medium")
    ax.set_xlim(0, until / scale or 1.0)
    plain_numbers(ax.xaxis, 8)


def _same_heights(drawn: "Sequence[Axes]") -> None:
    """Give the panels of a row one scale."""
    for row in (drawn[:2], drawn[2:]):
        top = 1.25 * max(each.dataLim.ymax for each in row)
        for each in row:
            each.set_ylim(0, top if top > 0 else 1.0)
            plain_numbers(each.yaxis, 6, whole=True)


def _done(result: Result, scale: float) -> list[tuple[float, str]]:
    """Return what was done to subscribers, and who came later, by time."""
    said = []
    for each in told(result, ("subscriber", "member")):
        said.append(
            (each.at_ns / NS_PER_MS / scale, f"{each.name}: {event_words(each.event)}")
        )
        if each.until_ns != MISSING_NS:
            at = each.until_ns / NS_PER_MS / scale
            said.append((at, f"{each.name}: {say('back')}"))
    for name, subscriber in result.scenario.resolve().traffic.subscribers.items():
        if subscriber.from_s:
            said.append(
                (subscriber.from_s * 1_000 / scale, say("{name} comes", name=name))
            )
    return sorted(said)


def _in_words(side: _Side, readers: Sequence[str]) -> str:
    most = int(side.held["held"].max())
    read = [
        f"{name} {int((side.readings['subscriber'] == name).sum()):,}"
        for name in readers
    ]
    return say(
        "{name} holds {most:,} at most and {last:,} in the end; read, every time "
        "counted: {read}.",
        name=begun(_called(side)),
        most=most,
        last=int(side.held["held"].iloc[-1]),
        read=listed(read) or say("nothing"),
    )
