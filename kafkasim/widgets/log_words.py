"""What the log explorer says of a run: titles that are findings, a table, alt text."""

from typing import Final

from kafkasim.catalogue import say, say_many
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
            return say("Nothing was compacted: no segment was closed")
        kept, written = f"{stay:,}", f"{there:,}"
        if shown.newest_stay:
            return say(
                "Compaction keeps {kept} of {records} records, the newest of each key",
                kept=kept,
                records=written,
            )
        return say(
            "Compaction keeps {kept} of {records} records", kept=kept, records=written
        )
    went = int(shown.segments.expired.sum())
    if not went:
        return say("Nothing was deleted")
    if shown.slow is not None and shown.slow.missed:
        return say(
            "Deletion overtakes the slow reader: {missed} gone unread",
            missed=f"{shown.slow.missed:,}",
        )
    return say(
        "{segments} went, each whole; no record went alone",
        segments=counted(went, "segment"),
    )


def log_note(shown: Shown) -> str:
    """Return how that came about."""
    slow = shown.slow
    if shown.policy == COMPACT:
        made = int(shown.segments.made.sum())
        said = say_many(
            "{merges} merge of closed segments",
            "{merges} merges of closed segments",
            made,
            merges=f"{made:,}",
        )
        if slow is None:
            return said
        return say(
            "{merges}; the slow reader missed {missed}, with {errors}",
            merges=said,
            missed=f"{slow.missed:,}",
            errors=counted(slow.errors, "error") if slow.errors else say("no error"),
        )
    went = int(shown.segments.expired.sum())
    if slow is None or not went or not slow.missed:
        if not went:
            return say("no segment was old enough")
        return say(
            "retention counts from a segment's newest record: the oldest that went was "
            "{seconds} s old",
            seconds=f"{shown.oldest_s:.1f}",
        )
    return say_many(
        "{segments} went, each whole; OFFSET_OUT_OF_RANGE reset it once",
        "{segments} went, each whole; OFFSET_OUT_OF_RANGE reset it {errors} times",
        slow.errors,
        segments=counted(went, "segment"),
        errors=f"{slow.errors:,}",
    )


def found_title(found: Found) -> str:
    """Return how much the late reader is given."""
    given, written = f"{len(found.offsets):,}", f"{found.written:,}"
    return say("Late reader: {given} of {records}", given=given, records=written)


def found_note(found: Found) -> str:
    """Return what of that is the newest of its key."""
    return say("given, {newest}", newest=_newest(found))


def _newest(found: Found) -> str:
    return say(
        "with the newest of {newest} of {keys}",
        newest=f"{int(found.newest.sum()):,}",
        keys=counted(found.keys, "key"),
    )


def numbers(shown: Shown) -> dict[str, str]:
    """Return what stands below the figure, by label."""
    of, slow, found = shown.segments, shown.slow, shown.found
    missed, errors = ("–", "–") if slow is None else (slow.missed, slow.errors)
    oldest = f"{shown.oldest_s:.1f} s" if shown.oldest_s else "–"
    return {
        say("records written"): f"{shown.sent:,}",
        say("most records in the log at once"): f"{shown.most:,}",
        say("segments written"): f"{int((~of.made).sum()):,}",
        say("segments deleted"): f"{int(of.expired.sum()):,}",
        say("merges of closed segments"): f"{int(of.made.sum()):,}",
        say("oldest record that was deleted"): oldest,
        say("records that the slow reader missed"): f"{missed:,}" if slow else "–",
        say("its fetches refused, OFFSET_OUT_OF_RANGE"): f"{errors:,}" if slow else "–",
        say("keys that were written when the late one comes"): say(
            "{some} of {all}", some=f"{found.keys:,}", all=f"{found.known:,}"
        ),
        say("records that it is given"): f"{len(found.offsets):,}",
    }


def alt_text(shown: Shown) -> str:
    """Return what the figure shows, for those who cannot see it."""
    said = [f"{log_title(shown)}; {log_note(shown)}."]
    said.append(
        say(
            "Offsets 0 to {last} over {seconds} s, in segments.",
            last=f"{shown.sent - 1:,}",
            seconds=amount(shown.until_s),
        )
    )
    starts = [
        say("{offset} at {seconds} s", offset=f"{offset:,}", seconds=amount(at))
        for at, offset in zip(
            shown.start_at_s[1:].tolist(), shown.log_start[1:].tolist(), strict=True
        )
    ]
    if starts:
        jumps = listed(starts, _NAMED)
        said.append(say("The log's start jumps to {starts}.", starts=jumps))
    if shown.slow is not None and shown.policy != COMPACT:
        jumped = [
            say(
                "from {before} to {onward} at {seconds} s",
                before=f"{before:,.0f}",
                onward=f"{onward:,.0f}",
                seconds=amount(at),
            )
            for at, before, onward in shown.slow.jumps.tolist()
        ]
        if jumped:
            jumps = listed(jumped, _NAMED)
            said.append(say("The slow reader goes on {jumps}.", jumps=jumps))
    found = shown.found
    said.append(
        say(
            "At {seconds} s a late reader comes: of {records} records written it is "
            "given {given}, {newest}.",
            seconds=amount(found.at_s),
            records=f"{found.written:,}",
            given=f"{len(found.offsets):,}",
            newest=_newest(found),
        )
    )
    return " ".join(said)
