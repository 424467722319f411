"""The life of a log's segments in words: the finding, and what is seen."""

import numpy as np

from kafkasim.catalogue import say, say_many
from kafkasim.plot.lives import Lives
from kafkasim.plot.words import amount, counted, listed, time_unit


def finding(lives: Lives, subscriber: str | None) -> str:
    """Say how many segments were deleted, or whom deletion overtook."""
    count, gone = int((~lives.made).sum()), int(lives.expired.sum())
    if not len(lives.base):
        return say("There is no segment")
    rounds = len(lives.cleanings)
    if not gone and not rounds:
        return say_many(
            "Nothing is deleted: the one segment stays",
            "Nothing is deleted: all {n:,} segments stay",
            count,
        )
    start = int(lives.log_start()[1][-1])
    if not gone:
        return say(
            "Compaction rewrites closed segments {times}; the log still begins at "
            "offset {start:,}",
            times=counted(rounds, "time"),
            start=start,
        )
    overtaken = _overtaken(lives, subscriber, start)
    if overtaken:
        return overtaken
    if rounds:
        return say_many(
            "{segments} is deleted, and whole, and compaction rewrites others {times}; "
            "the log then begins at offset {start:,}",
            "{segments} are deleted, each whole, and compaction rewrites others "
            "{times}; the log then begins at offset {start:,}",
            gone,
            segments=counted(gone, "segment"),
            times=counted(rounds, "time"),
            start=start,
        )
    return say_many(
        "{n:,} of {segments} is deleted, and whole; the log then begins at offset "
        "{start:,}",
        "{n:,} of {segments} are deleted, each whole; the log then begins at offset "
        "{start:,}",
        gone,
        segments=counted(count, "segment"),
        start=start,
    )


def _overtaken(lives: Lives, subscriber: str | None, start: int) -> str:
    """Say what a subscriber lost to deletion; nothing where it lost nothing."""
    jumps, end = lives.jumps(), lives.end_of_reading()
    if subscriber is None or not (len(jumps) or np.isfinite(end)):
        return ""
    lost = int(lives.kept(jumps[:, 1], jumps[:, 2]).sum())
    if np.isfinite(end):
        lost += int(lives.kept(np.array([end]), np.array([float(start)]))[0])
    passed = int((jumps[:, 3] - jumps[:, 2]).sum())
    said = say_many(
        "Deletion overtakes {name}: {records} is gone unread",
        "Deletion overtakes {name}: {records} are gone unread",
        lost,
        name=subscriber,
        records=counted(lost, "record"),
    )
    if passed:
        more = say("{count:,} more are passed by the reset", count=passed)
        said = f"{said}, {more}"
    return said


def in_words(lives: Lives, subscriber: str | None) -> str:
    """Return what is drawn."""
    if not len(lives.base):
        return ""
    unit, scale = time_unit(lives.until)
    at, starts = lives.log_start()
    steps = [
        say(
            "{offset:,.0f} at {when}",
            offset=start,
            when=f"{amount(when / scale)} {unit}",
        )
        for when, start, before in zip(
            at[1:].tolist(), starts[1:].tolist(), starts[:-1].tolist(), strict=True
        )
        if start != before
    ]
    low, high = lives.base.min(), lives.end.max()
    said = [say("Offsets {low:,.0f} to {high:,.0f} over time.", low=low, high=high - 1)]
    if steps:
        said.append(say("The log's start jumps to {steps}.", steps=listed(steps, 8)))
    if len(lives.cleanings):
        when = [f"{amount(each / scale)} {unit}" for each in lives.cleanings.tolist()]
        said.append(
            say(
                "Compaction writes closed segments anew at {times}.",
                times=listed(when, 8),
            )
        )
    known = lives.position[np.isfinite(lives.position)]
    if subscriber is not None and len(known):
        said += [
            say(
                "{name} goes from {before:,.0f} to {onward:,.0f} at {when}.",
                name=subscriber,
                before=before,
                onward=onward,
                when=f"{amount(when / scale)} {unit}",
            )
            for when, before, _, onward in lives.jumps().tolist()
        ]
        said.append(
            say(
                "Position of {name} in the end: {offset:,.0f}.",
                name=subscriber,
                offset=known[-1],
            )
        )
    return " ".join(said)
