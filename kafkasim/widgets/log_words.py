"""What the log explorer says of a run: titles that are findings, a table, alt text."""

from typing import Final

from kafkasim.plot.words import amount, counted, listed
from kafkasim.widgets.log_shown import Found, Shown
from kafkasim.widgets.log_traffic import COMPACT

_NAMED: Final = 4
"""Changes that the alt text names of each kind, at most."""


def log_title(shown: Shown) -> str:
    """Return what became of the log, or of who reads it."""
    if shown.policy == COMPACT:
        stay, there = shown.compacted
        if not there:
            return "Nothing was compacted: no segment was closed"
        newest = ", the newest of each key" if shown.newest_stay else ""
        return f"Compaction keeps {stay:,} of {there:,} records{newest}"
    went = int(shown.segments.expired.sum())
    if not went:
        return "Nothing was deleted"
    if shown.slow is not None and shown.slow.missed:
        return f"Deletion overtakes the slow reader: {shown.slow.missed:,} gone unread"
    return f"{counted(went, 'segment')} went, each whole; no record went alone"


def log_note(shown: Shown) -> str:
    """Return how that came about."""
    slow = shown.slow
    if shown.policy == COMPACT:
        said = counted(int(shown.segments.made.sum()), "merge") + " of closed segments"
        if slow is None:
            return said
        errors = counted(slow.errors, "error") if slow.errors else "no error"
        return f"{said}; the slow reader missed {slow.missed:,}, with {errors}"
    went = int(shown.segments.expired.sum())
    if slow is None or not went or not slow.missed:
        if not went:
            return "no segment was old enough"
        return (
            "retention counts from a segment's newest record: the oldest that went was "
            f"{shown.oldest_s:.1f} s old"
        )
    resets = "once" if slow.errors == 1 else f"{slow.errors:,} times"
    return (
        f"{counted(went, 'segment')} went, each whole; "
        f"OFFSET_OUT_OF_RANGE reset it {resets}"
    )


def found_title(found: Found) -> str:
    """Return how much the late reader is given."""
    return f"Late reader: {len(found.offsets):,} of {found.written:,}"


def found_note(found: Found) -> str:
    """Return what of that is the newest of its key."""
    return f"given, {_newest(found)}"


def _newest(found: Found) -> str:
    newest = int(found.newest.sum())
    return f"with the newest of {newest:,} of {counted(found.keys, 'key')}"


def numbers(shown: Shown) -> dict[str, str]:
    """Return what stands below the figure, by label."""
    of, slow, found = shown.segments, shown.slow, shown.found
    missed, errors = ("–", "–") if slow is None else (slow.missed, slow.errors)
    oldest = f"{shown.oldest_s:.1f} s" if shown.oldest_s else "–"
    return {
        "records written": f"{shown.sent:,}",
        "most records in the log at once": f"{shown.most:,}",
        "segments written": f"{int((~of.made).sum()):,}",
        "segments deleted": f"{int(of.expired.sum()):,}",
        "merges of closed segments": f"{int(of.made.sum()):,}",
        "oldest record that was deleted": oldest,
        "records that the slow reader missed": f"{missed:,}" if slow else "–",
        "its fetches refused, OFFSET_OUT_OF_RANGE": f"{errors:,}" if slow else "–",
        "keys that were written when the late one comes": (
            f"{found.keys:,} of {found.known:,}"
        ),
        "records that it is given": f"{len(found.offsets):,}",
    }


def alt_text(shown: Shown) -> str:
    """Return what the figure shows, for those who cannot see it."""
    said = [f"{log_title(shown)}; {log_note(shown)}."]
    said.append(
        f"Offsets 0 to {shown.sent - 1:,} over {amount(shown.until_s)} s, in segments."
    )
    starts = [
        f"{offset:,} at {amount(at)} s"
        for at, offset in zip(
            shown.start_at_s[1:].tolist(), shown.log_start[1:].tolist(), strict=True
        )
    ]
    if starts:
        said.append(f"The log's start jumps to {listed(starts, _NAMED)}.")
    if shown.slow is not None and shown.policy != COMPACT:
        jumps = [
            f"from {before:,.0f} to {onward:,.0f} at {amount(at)} s"
            for at, before, onward in shown.slow.jumps.tolist()
        ]
        if jumps:
            said.append(f"The slow reader goes on {listed(jumps, _NAMED)}.")
    found = shown.found
    said.append(
        f"At {amount(found.at_s)} s a late reader comes: of {found.written:,} records "
        f"written it is given {len(found.offsets):,}, {_newest(found)}."
    )
    return " ".join(said)
