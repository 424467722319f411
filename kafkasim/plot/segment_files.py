"""The segments of a log: which offsets lie in which file, and where the indexes point.

A segment is a file of batches, named after its first offset; positions begin at 0 in
each. Its index knows the position of some batches only: a look-up goes to the nearest
entry before, and reads from there.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kafkasim.catalogue import mark, say, say_many
from kafkasim.plot.captions import Words, give_words
from kafkasim.plot.headings import headline
from kafkasim.plot.segment_drawing import MOST_NAMED, Drawing
from kafkasim.plot.segment_tables import Found, Log
from kafkasim.plot.style import (
    SIZE,
    canvas,
    legend_below,
    nothing,
    style,
)
from kafkasim.plot.words import begun, caption_of, counted, listed

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def segments(
    data: "Mapping[str, Any] | pd.DataFrame",
    *,
    log_start: int | None = None,
    high_watermark: int | None = None,
    find: int | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the segments of a log over its offsets, as high as their files are long.

    Small boxes are batches, dots the entries of the offset indexes: an offset, and the
    position of its batch in the file. A segment that is deleted is an outline.

    Parameters
    ----------
    data : mapping or DataFrame
        The tables of `log.dump`, or its table `segments` alone.
    log_start, high_watermark : int, optional
        Offsets to mark; the log's end is marked in any case.
    find : int, optional
        An offset to look up: its index entry, and the batches that are read from there.
    ax : Axes, optional
        What to draw into; a new figure otherwise.

    Returns
    -------
    Axes
        The title says what the segments hold; with `find`, how it is found.

    Raises
    ------
    ValidationError
        `data` are no such tables, or no segment holds the offset to find.
    """
    held = Log(data)
    marks = {mark("log start"): log_start, mark("high watermark"): high_watermark}
    found = None if find is None else Found(held, find)
    with style():
        ax = canvas(ax, (SIZE[0], 5.0))
        if len(held.live):
            marks[mark("log end")] = held.end
            title = finding(held, log_start) if found is None else found.told()
            Drawing(ax, held, marks, found).draw()
        else:
            title = say("There is no segment")
            nothing(ax, say("no segment"))
        headline(ax, title)
        legend_below(ax)
    told = in_words(held, marks, found)
    give_words(
        ax,
        Words(caption_of(say("Segments of a log"), None), f"{title}. {told}".strip()),
    )
    return ax


def finding(held: Log, log_start: int | None = None) -> str:
    """Say what the segments hold, or which of them are deleted."""
    count = len(held.live)
    size = int(held.segments["size_bytes"][held.live].sum())
    gone = int(held.deleted.sum())
    if gone:
        bases = held.segments["base_offset"][held.deleted].tolist()
        which = listed([f"{base:,}" for base in bases], 4)
        return say_many(
            "Segment {which} is deleted whole: the log begins at {first:,}",
            "Segments {which} are deleted whole: the log begins at {first:,}",
            gone,
            which=which,
            first=max(held.first, log_start or 0),
        )
    if held.end == held.first:
        return say("The log is empty: its next offset is {offset:,}", offset=held.end)
    first = max(held.first, log_start or 0)
    said = say_many(
        "{segments} holds offsets {first:,} to {last:,} in {bytes}",
        "{segments} hold offsets {first:,} to {last:,} in {bytes}",
        count,
        segments=counted(count, "segment"),
        first=first,
        last=held.end - 1,
        bytes=counted(size, "byte"),
    )
    batches, entries = len(held.batches["position"]), len(held.entries["position"])
    if not batches:
        return said
    known = say(
        "{entries} for {batches}",
        entries=counted(entries, "index entry"),
        batches=counted(batches, "batch"),
    )
    return f"{said}; {known}"


def in_words(held: Log, marks: Mapping[str, int | None], found: Found | None) -> str:
    """Return what is drawn: each segment, the marked offsets, the way of a look-up."""
    said = []
    of = held.segments
    for row, base in enumerate(of["base_offset"].tolist()):
        last = int(of["next_offset"][row]) - 1
        holds = say("no offset")
        if last >= base:
            holds = say("offsets {first:,} to {last:,}", first=base, last=last)
        entries = int((held.entries["segment"] == base).sum())
        known = counted(entries, "index entry")
        size = counted(int(of["size_bytes"][row]), "byte")
        parts = [holds, size, say("deleted") if held.deleted[row] else known]
        said.append(say("Segment {base:,}: {said}.", base=base, said=", ".join(parts)))
    if len(said) > 2 * MOST_NAMED:
        said = [
            *said[:MOST_NAMED],
            say("And {more} more segments.", more=len(said) - MOST_NAMED),
        ]
    named = [f"{say(name)} {at:,}" for name, at in marks.items() if at is not None]
    if named:
        said.append(f"{begun(listed(named))}.")
    if found is not None:
        firsts = held.batches["base_offset"][found.read].tolist()
        lasts = held.batches["last_offset"][found.read].tolist()
        ranges = [
            say("{low:,} to {high:,}", low=low, high=high)
            for low, high in zip(firsts, lasts, strict=True)
        ]
        said.append(
            say("Looked at are the batches of offsets {ranges}.", ranges=listed(ranges))
        )
    return " ".join(said)
