"""The log of a topic with everyone's place in it, at one moment."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from kafkasim.analysis.positions import (
    NONE,
    Standing,
    chosen_topics,
    moment_ns,
    standing,
)
from kafkasim.analysis.provenance import provenance
from kafkasim.analysis.world import World, world_of
from kafkasim.catalogue import say, say_many
from kafkasim.errors import ValidationError
from kafkasim.plot import sizes
from kafkasim.plot.bands import Band, Bands, Lane, heights, inches_of
from kafkasim.plot.captions import Words, give_words
from kafkasim.plot.given import run_given
from kafkasim.plot.headings import headline
from kafkasim.plot.many_logs import draw_many
from kafkasim.plot.style import POINTS, SIZE, canvas, letters, room, style
from kafkasim.plot.words import caption_of, counted, listed, plain_numbers
from kafkasim.result.result import Result
from kafkasim.result.rows import code
from kafkasim.units import NS_PER_MS, NS_PER_S

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_BOXES: Final = 40
"""Records of a partition up to which each has a box of its own."""

_MOST_ROWS: Final = 26
"""Bands and lanes up to which each partition has a band of its own."""

_ON_A_SLIDE: Final = 14
"""The same on a slide, which is no higher for having more."""

_LEAST_ROWS: Final = 3
"""Of a partition with a band of its own, when some subscribers must be left out."""

_ROW_INCHES: Final = 0.42
"""Height of a box in a new figure."""

_EVER_NS: Final = 2**62
"""Later than any run."""


def log(
    data: Result,
    *,
    topic: str | Sequence[str] | None = None,
    partition: int | None = None,
    at_s: float | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the log of a topic's partitions, and where every subscriber stands in it.

    Up to 40 records in a partition each have a numbered box, with the key where it
    fits; more are one bar. Where retention or compaction has taken records there is
    none. Under it each subscriber has a triangle at its position and
    a square at its committed offset. Many partitions are one picture: log ends as an
    area, positions as lines.

    Parameters
    ----------
    data : Result
        A run, with the tables `records`, `appends`, `deliveries` and `commits`.
    topic : str or sequence of str, optional
        One or several; the scenario's first without it.
    partition : int, optional
        Only the partition of this number.
    at_s : float, optional
        The moment, in seconds of simulated time; the run's end without it.
    ax : Axes, optional
        What to draw into; a new figure otherwise.

    Returns
    -------
    Axes
        The title says who has most to read at that moment, and who is not there yet.

    Raises
    ------
    ValidationError
        `data` is no run, there is no such topic or partition, or the moment lies
        before the run's start.
    TableNotRecorded
        When the run did not record those tables: a system without a log has none.
    """
    result = run_given(data)
    world = world_of(result)
    at_ns = moment_ns(result, at_s)
    topics = _topics(world, topic)
    now = standing(result, world, topics, at_ns)
    columns = _columns(now, partition)
    title = finding(now, columns)
    most = _ON_A_SLIDE if sizes.now() is sizes.SIZES["slide"] else _MOST_ROWS
    rows = len(columns) + int(now.reads[:, columns].sum())
    with style():
        if rows > most and len(columns) > most // _LEAST_ROWS:
            ax = canvas(ax)
            told = draw_many(ax, now, columns)
            headline(ax, title)
        else:
            width = int(now.log_end[columns].max())
            boxes = width <= MOST_BOXES
            behind = furthest_behind(
                now, columns, (most - len(columns)) // len(columns)
            )
            drawn = bands_of(result, now, columns, behind, keyed=boxes)
            if boxes:  # as wide as it gets: two moments of a short log have one scale
                ever = standing(result, world, topics, _EVER_NS).log_end[columns].max()
                width = int(ever) if ever <= MOST_BOXES else width
            ax = _draw_bands(ax, drawn, title, width=width, boxes=boxes)
            told = in_words(drawn)
            left_out = int(now.reads[:, columns].any(axis=1).sum()) - len(behind)
            if left_out:
                others = say("{n} more, not further behind, left out", n=left_out)
                ax.set_xlabel(f"{ax.get_xlabel()}; {others}", loc="left")
                told = f"{told} {say('Subscribers: {others}.', others=others)}"
    names = listed(topics, len(topics))
    what = say("Log of {topics} at {moment}", topics=names, moment=_moment(now))
    give_words(ax, Words(caption_of(what, provenance(result)), f"{title}. {told}"))
    return ax


def _topics(world: World, topic: str | Sequence[str] | None) -> tuple[str, ...]:
    if topic is None:
        return chosen_topics(world, None)[:1]
    names = (topic,) if isinstance(topic, str) else tuple(dict.fromkeys(topic))
    return tuple(name for each in names for name in chosen_topics(world, each))


def _columns(now: Standing, partition: int | None) -> list[int]:
    columns = [
        column
        for column, (_, number) in enumerate(now.partitions)
        if partition in (None, number)
    ]
    if not columns:
        most = max((number for _, number in now.partitions), default=-1)
        raise ValidationError(
            "partition", partition, say("{low} to {high}", low=0, high=most)
        )
    return columns


def _moment(now: Standing) -> str:
    """Return the moment in seconds; in milliseconds within the first one."""
    if 0 < now.at_ns < NS_PER_S:
        return f"{now.at_ns / NS_PER_MS:.3g} ms"
    return f"{now.at_ns / NS_PER_S:.6g} s"


def finding(now: Standing, columns: Sequence[int]) -> str:
    """Say who is furthest behind at a moment, in one line.

    Parameters
    ----------
    now : Standing
    columns : sequence of int
        The partitions looked at.
    """
    at = _moment(now)
    written, kept = int(now.log_end[columns].sum()), int(now.kept[columns].sum())
    if not kept:
        if not written:
            return say("At {moment} the log is empty", moment=at)
        return say(
            "At {moment} the log is empty: what was written, {records}, is gone",
            moment=at,
            records=counted(written, "record"),
        )
    readers = [row for row in range(len(now.wants)) if now.reads[row, columns].any()]
    if not readers:
        records = counted(kept, "record")
        return say("At {moment} nobody reads the {records}", moment=at, records=records)
    known: dict[str, tuple[int, int]] = {}
    absent: list[str] = []
    idle: list[str] = []
    for row in readers:
        name, left = now.wants[row].subscriber, to_read(now, row, columns)
        if left is not None:
            known[name] = left
        else:
            (idle if now.there[row] else absent).append(name)
    parts = [_behind(known)] if known else []
    if idle:
        begun = say_many(
            "{names} has begun nothing yet",
            "{names} have begun nothing yet",
            len(idle),
            names=listed(idle, 3),
        )
        parts.append(begun)
    if absent:
        there = say_many(
            "{names} is not there yet",
            "{names} are not there yet",
            len(absent),
            names=listed(absent, 3),
        )
        parts.append(there)
    return say("At {moment} {said}", moment=at, said="; ".join(parts))


def _behind(known: dict[str, tuple[int, int]]) -> str:
    """Say who has most to read; subscriber → records to read, records in the log."""
    worst = max(known, key=lambda name: known[name][0])
    left, total = known[worst]
    if not left:
        return say_many(
            "{names} has read to the end",
            "{names} have read to the end",
            len(known),
            names=listed(list(known), 3),
        )
    said = say(
        "{name} still has {left:,} of {records} to read",
        name=worst,
        left=left,
        records=counted(total, "record"),
    )
    others = {name: each for name, (each, _) in known.items() if name != worst}
    if not others or any(others.values()):
        return said
    rest = say("the others") if len(others) > 1 else next(iter(others))
    return say("{said}, {others} none", said=said, others=rest)


def to_read(now: Standing, row: int, columns: Sequence[int]) -> tuple[int, int] | None:
    """Return how many records a subscriber has to read, and how many there are.

    None of one that is not there yet, and of a latecomer that wants only what is new
    and has begun nothing: it has no position yet.
    """
    mine = [column for column in columns if now.reads[row, column]]
    began = bool((now.position[row, mine] != NONE).any())
    if not began and not (now.there[row] and now.wants[row].history == "all"):
        return None
    return int(now.unread[row, mine].sum()), int(now.kept[mine].sum())


def furthest_behind(now: Standing, columns: Sequence[int], most: int) -> list[int]:
    """Return the subscribers that read any of the partitions, those behind before all.

    Parameters
    ----------
    now : Standing
    columns : sequence of int
        The partitions.
    most : int
        How many at most.

    Returns
    -------
    list of int
        Rows of `now`, in the scenario's order.
    """
    left = now.unread[:, columns].sum(axis=1) * now.there
    readers = np.flatnonzero(now.reads[:, columns].any(axis=1))
    first = np.argsort(-left[readers], kind="stable")[:most]
    return sorted(readers[first].tolist())


def bands_of(
    result: Result,
    now: Standing,
    columns: Sequence[int],
    rows: Sequence[int],
    *,
    keyed: bool,
) -> list[Band]:
    """Return partitions as bands, with a lane for each subscriber that reads one.

    Parameters
    ----------
    result : Result
        With the table `records`.
    now : Standing
        Everyone's offsets at the moment.
    columns : sequence of int
        The partitions.
    rows : sequence of int
        The subscribers.
    keyed : bool
        Whether boxes carry their records' keys.
    """
    return [
        Band(
            "{}-{}".format(*now.partitions[column]),
            int(now.log_end[column]),
            keys_by_offset(result, *now.partitions[column]) if keyed else (),
            tuple(lane_of(now, row, column) for row in rows if now.reads[row, column]),
            now.gone[column],
        )
        for column in columns
    ]


def lane_of(now: Standing, row: int, column: int) -> Lane:
    """Return a subscriber's lane under a partition."""
    why = say("has begun nothing yet") if now.there[row] else say("not there yet")
    return Lane(
        now.wants[row].subscriber,
        row,
        first=int(now.first[row, column]),
        position=int(now.position[row, column]),
        committed=int(now.committed[row, column]),
        why=why,
    )


def keys_by_offset(result: Result, topic: str, partition: int) -> tuple[str, ...]:
    """Return the key of each record of a partition; empty for a record without one."""
    records = result.columns("records")
    inside = records["topic"] == code(records, "topic", topic)
    inside &= (records["partition"] == partition) & (records["offset"] >= 0)
    names = [*records.labels["key"], ""]
    found = [""] * (int(records["offset"][inside].max(initial=NONE)) + 1)
    for offset, key in zip(
        records["offset"][inside].tolist(), records["key"][inside].tolist(), strict=True
    ):
        found[offset] = names[key]
    return tuple(found)


def _draw_bands(
    ax: "Axes | None", drawn: Sequence[Band], title: str, *, width: int, boxes: bool
) -> "Axes":
    high = heights([len(band.lanes) for band in drawn])
    ax = canvas(ax, (SIZE[0], 1.7 + _ROW_INCHES * high))
    text = sizes.now().text
    names = [name for band in drawn for name in (band.name, *_names(band))]
    told = [band.told(lane) for band in drawn for lane in band.lanes]
    left = inches_of(max(names, key=letters), text)
    right = inches_of(
        max([say("log end {offset:,}", offset=10), *told], key=letters), text
    )
    inches = max(1.0, room(ax) - left - right)
    shown = Bands(ax, drawn, width=width, boxes=boxes, inches=inches)
    headline(ax, title, left=left * POINTS / text)
    ax.set_xlabel(say("offset in the partition (old → new)"), loc="left")
    if not boxes:
        plain_numbers(ax.xaxis)
    shown.legend()
    return ax


def _names(band: Band) -> list[str]:
    return [lane.name for lane in band.lanes]


def in_words(drawn: Sequence[Band]) -> str:
    """Return what bands show: the log end of each, and where each subscriber stands."""
    return " ".join(_band_in_words(band) for band in drawn)


def _band_in_words(band: Band) -> str:
    if not band.log_end:
        holds = say("{name} is empty", name=band.name)
    elif not band.kept:
        holds = say(
            "{name} is empty, all before offset {offset:,} is gone",
            name=band.name,
            offset=band.log_end,
        )
    else:
        first, last = band.kept[0][0], band.kept[-1][1] - 1
        if last == first:
            offsets = say("offset {offset:,}", offset=last)
        elif len(band.kept) == 1:
            offsets = say("offsets {first:,} to {last:,}", first=first, last=last)
        else:
            offsets = say(
                "offsets {first:,} to {last:,} with gaps", first=first, last=last
            )
        count = sum(end - first for first, end in band.kept)
        holds = say(
            "{name} holds {records}, {offsets}",
            name=band.name,
            records=counted(count, "record"),
            offsets=offsets,
        )
    stands = []
    for lane in band.lanes:
        told = [band.told(lane)]
        if lane.committed != NONE:
            told.append(say("committed {offset:,}", offset=lane.committed))
        stands.append(f"{lane.name}: {', '.join(told)}")
    return f"{holds}; {'; '.join(stands) or say('nobody reads it')}."
