"""The segments of a log: which offsets lie in which file, and where the indexes point.

A segment is a file of batches, named after its first offset; positions begin at 0 in
each. Its index knows the position of some batches only: a look-up goes to the nearest
entry before, and reads from there.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

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
from kafkasim.plot.words import caption_of, counted, listed

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
    marks = {"log start": log_start, "high watermark": high_watermark}
    found = None if find is None else Found(held, find)
    with style():
        ax = canvas(ax, (SIZE[0], 5.0))
        if len(held.live):
            marks["log end"] = held.end
            title = finding(held, log_start) if found is None else found.told()
            Drawing(ax, held, marks, found).draw()
        else:
            title = "There is no segment"
            nothing(ax, "no segment")
        headline(ax, title)
        legend_below(ax)
    told = in_words(held, marks, found)
    give_words(
        ax, Words(caption_of("Segments of a log", None), f"{title}. {told}".strip())
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
        named = f"Segment{'s' if gone > 1 else ''} {which}"
        verb = "is" if gone == 1 else "are"
        first = max(held.first, log_start or 0)
        return f"{named} {verb} deleted whole: the log begins at {first:,}"
    if held.end == held.first:
        return f"The log is empty: its next offset is {held.end:,}"
    first = max(held.first, log_start or 0)
    said = (
        f"{counted(count, 'segment')} {'holds' if count == 1 else 'hold'} offsets "
        f"{first:,} to {held.end - 1:,} in {counted(size, 'byte')}"
    )
    batches, entries = len(held.batches["position"]), len(held.entries["position"])
    if not batches:
        return said
    known = counted(entries, "index entry")
    return f"{said}; {known} for {counted(batches, 'batch')}"


def in_words(held: Log, marks: Mapping[str, int | None], found: Found | None) -> str:
    """Return what is drawn: each segment, the marked offsets, the way of a look-up."""
    said = []
    of = held.segments
    for row, base in enumerate(of["base_offset"].tolist()):
        last = int(of["next_offset"][row]) - 1
        holds = f"offsets {base:,} to {last:,}" if last >= base else "nothing"
        entries = int((held.entries["segment"] == base).sum())
        known = f", {counted(entries, 'index entry')}"
        gone = ", deleted" if held.deleted[row] else known
        size = counted(int(of["size_bytes"][row]), "byte")
        said.append(f"Segment {base:,}: {holds}, {size}{gone}.")
    if len(said) > 2 * MOST_NAMED:
        said = [*said[:MOST_NAMED], f"And {len(said) - MOST_NAMED} more segments."]
    named = [f"{name} {at:,}" for name, at in marks.items() if at is not None]
    if named:
        text = listed(named)
        said.append(f"{text[0].upper()}{text[1:]}.")
    if found is not None:
        firsts = held.batches["base_offset"][found.read].tolist()
        lasts = held.batches["last_offset"][found.read].tolist()
        ranges = [f"{a:,} to {b:,}" for a, b in zip(firsts, lasts, strict=True)]
        said.append(f"Looked at are the batches of offsets {listed(ranges)}.")
    return " ".join(said)
