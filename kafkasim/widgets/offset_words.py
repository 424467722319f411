"""What the offset explorer says of a run: a title, a table, alternative text."""

import numpy as np

from kafkasim.analysis.arrays import Bool
from kafkasim.plot.words import amount, counted
from kafkasim.widgets.offset_shown import Shown, Work


def title(shown: Shown) -> str:
    """Return what became of the records."""
    if not shown.crashed:
        return f"Without a crash each of {len(shown.first)} records is done once"
    if shown.never:
        return f"{which(shown.times == 0)} {_is(shown.never)} never done"
    if shown.twice:
        return (
            f"{which(shown.times == 2)} {_is(shown.twice)} done twice, none is missing"
        )
    return "Each record is done once, in spite of the crash"


def note(shown: Shown) -> str:
    """Return when the process died, and how it goes on."""
    if not shown.crashed:
        return f"{counted(shown.commits, 'commit')} stored"
    said = f"It dies at {amount(shown.crash_s)} s"
    if np.isnan(shown.begins_s):
        return f"{said}, and nobody goes on"
    away = amount(shown.begins_s - shown.crash_s)
    return (
        f"{said}; {away} s later the next process goes on at offset {shown.goes_on_at}"
    )


def which(mask: Bool) -> str:
    """Return the offsets at which a mask holds, which lie side by side.

    Examples
    --------
    >>> which(np.array([False, True, True, False]))
    'Records 1 and 2'
    """
    offsets = np.flatnonzero(mask)
    low, high = int(offsets[0]), int(offsets[-1])
    if low == high:
        return f"Record {low}"
    return f"Records {low} {'and' if high == low + 1 else 'to'} {high}"


def _is(number: int) -> str:
    return "is" if number == 1 else "are"


def numbers(shown: Shown) -> dict[str, str]:
    """Return what stands below the figure, by label."""
    unfinished = np.isin(shown.first, (Work.IN_HAND, Work.BEGUN))
    return {
        "records done once": _count(shown.times == 1),
        "records done twice": _count(shown.times == 2),
        "records never done": _count(shown.times == 0),
        "handed out and not finished at the crash": _count(unfinished),
        "the next process goes on at offset": (
            f"{shown.goes_on_at}" if shown.goes_on_at >= 0 else "–"
        ),
        "from the crash until then": (
            "–"
            if np.isnan(shown.begins_s)
            else f"{amount(shown.begins_s - shown.crash_s)} s"
        ),
        "commits stored": f"{shown.commits}",
        "records of __consumer_offsets": f"{len(shown.rows)}",
        "of these, still of use": f"{sum(row.newest for row in shown.rows)}",
        "done once by the other group": _count(shown.other == 1),
    }


def _count(mask: Bool) -> str:
    return f"{np.count_nonzero(mask)}"


def alt_text(shown: Shown) -> str:
    """Return what the figure shows, for those who cannot see it."""
    done = int(np.count_nonzero(shown.first == Work.DONE))
    said = [f"{title(shown)}.", f"{note(shown)}."]
    if shown.crashed:
        again = int(np.count_nonzero(shown.second == Work.DONE))
        said.append(f"The first process does {done} records, the next one {again}.")
    said.append(
        f"The other group does {_count(shown.other == 1)} of {len(shown.other)} once. "
        f"__consumer_offsets has {counted(len(shown.rows), 'record')}, of which "
        f"{sum(row.newest for row in shown.rows)} are the newest of their key."
    )
    return " ".join(said)
