"""What the offset explorer says of a run: a title, a table, alternative text."""

import numpy as np

from kafkasim.analysis.arrays import Bool
from kafkasim.catalogue import say, say_many
from kafkasim.plot.words import amount, counted
from kafkasim.widgets.offset_shown import Shown, Work


def title(shown: Shown) -> str:
    """Return what became of the records."""
    if not shown.crashed:
        count = len(shown.first)
        return say("Without a crash each of {count} records is done once", count=count)
    if shown.never:
        return say_many(
            "{records} is never done",
            "{records} are never done",
            shown.never,
            records=which(shown.times == 0),
        )
    if shown.twice:
        return say_many(
            "{records} is done twice, none is missing",
            "{records} are done twice, none is missing",
            shown.twice,
            records=which(shown.times == 2),
        )
    return say("Each record is done once, in spite of the crash")


def note(shown: Shown) -> str:
    """Return when the process died, and how it goes on."""
    if not shown.crashed:
        return say("{commits} stored", commits=counted(shown.commits, "commit"))
    dies = amount(shown.crash_s)
    if np.isnan(shown.begins_s):
        return say("It dies at {seconds} s, and nobody goes on", seconds=dies)
    return say(
        "It dies at {seconds} s; {away} s later the next process goes on at offset "
        "{offset}",
        seconds=dies,
        away=amount(shown.begins_s - shown.crash_s),
        offset=shown.goes_on_at,
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
        return say("Record {offset}", offset=low)
    if high == low + 1:
        return say("Records {first} and {last}", first=low, last=high)
    return say("Records {first} to {last}", first=low, last=high)


def numbers(shown: Shown) -> dict[str, str]:
    """Return what stands below the figure, by label."""
    unfinished = np.isin(shown.first, (Work.IN_HAND, Work.BEGUN))
    return {
        say("records done once"): _count(shown.times == 1),
        say("records done twice"): _count(shown.times == 2),
        say("records never done"): _count(shown.times == 0),
        say("handed out and not finished at the crash"): _count(unfinished),
        say("the next process goes on at offset"): (
            f"{shown.goes_on_at}" if shown.goes_on_at >= 0 else "–"
        ),
        say("from the crash until then"): (
            "–"
            if np.isnan(shown.begins_s)
            else f"{amount(shown.begins_s - shown.crash_s)} s"
        ),
        say("commits stored"): f"{shown.commits}",
        say("records of __consumer_offsets"): f"{len(shown.rows)}",
        say("of these, still of use"): f"{sum(row.newest for row in shown.rows)}",
        say("done once by the other group"): _count(shown.other == 1),
    }


def _count(mask: Bool) -> str:
    return f"{np.count_nonzero(mask)}"


def alt_text(shown: Shown) -> str:
    """Return what the figure shows, for those who cannot see it."""
    done = int(np.count_nonzero(shown.first == Work.DONE))
    said = [f"{title(shown)}.", f"{note(shown)}."]
    if shown.crashed:
        again = int(np.count_nonzero(shown.second == Work.DONE))
        said.append(
            say(
                "The first process does {done} records, the next one {again}.",
                done=done,
                again=again,
            )
        )
    said.append(
        say(
            "The other group does {once} of {all} once. __consumer_offsets has "
            "{records}, of which {newest} are the newest of their key.",
            once=_count(shown.other == 1),
            all=len(shown.other),
            records=counted(len(shown.rows), "record"),
            newest=sum(row.newest for row in shown.rows),
        )
    )
    return " ".join(said)
