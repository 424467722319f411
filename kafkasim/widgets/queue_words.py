"""What the queue explorer says of two runs: a title, a table, alternative text."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from kafkasim.catalogue import mark, say
from kafkasim.plot.words import amount, begun
from kafkasim.widgets.queue_shown import Shown, Side
from kafkasim.widgets.queue_traffic import FIRST, SECOND

QUEUE: Final = mark("RabbitMQ, queues")
LOG: Final = mark("Kafka, a log")

_QUEUE_HOLDS: Final = mark(
    "The queue holds {most} at most, and {stays}; {first} does {done}, {again} of them "
    "more than once, {second} does {got}."
)
_LOG_HOLDS: Final = mark(
    "The log holds {most} at most, and {stays}; {first} does {done}, {again} of them "
    "more than once, {second} does {got}."
)


def title(shown: Shown) -> str:
    """Return what each holds in the end, and what who came late got."""
    queue, log = shown.queue, shown.log
    return say(
        "In the end the queue holds {queue}, the log {log}; {name}, who comes at "
        "{seconds} s, gets {queue_gives} and {log_gives}",
        queue=queue.left,
        log=log.left,
        name=SECOND,
        seconds=amount(shown.comes_s),
        queue_gives=queue.got,
        log_gives=log.got,
    )


def note(shown: Shown) -> str:
    """Return what else happened, or why the numbers are what they are."""
    queue, log = shown.queue, shown.log
    said = []
    if not np.isnan(shown.dies_s):
        said.append(
            say(
                "{name} dies: the queue hands {queue} out again, the log {log}",
                name=FIRST,
                queue=queue.handed_out_again,
                log=log.handed_out_again,
            )
        )
    if not np.isnan(shown.replay_s):
        said.append(
            say(
                "{name} goes back: it reads {queue} again from the queue, {log} from "
                "the log",
                name=FIRST,
                queue=queue.again,
                log=log.again,
            )
        )
    if not said:
        return say("A bar is a record: from when it is there until it is gone")
    return begun("; ".join(said))


def numbers(shown: Shown) -> Mapping[str, Mapping[str, str]]:
    """Return what stands below the figure: system → label → text."""
    return {say(QUEUE): _of(shown.queue), say(LOG): _of(shown.log)}


def _of(side: Side) -> dict[str, str]:
    return {
        say("records that came in"): _count(~np.isnan(side.since_s)),
        say("held in the end"): f"{side.left}",
        say("held at most"): f"{most_held(side)}",
        say("done by {name}", name=FIRST): _count(side.first_times > 0),
        say("of these, more than once"): f"{side.again}",
        say("left in the work, and handed out again"): f"{side.handed_out_again}",
        say("done by {name}", name=SECOND): f"{side.got}",
    }


def most_held(side: Side) -> int:
    """Return how many records were there at once, at most."""
    there = ~np.isnan(side.since_s)
    since = np.sort(side.since_s[there])
    until = np.sort(side.until_s[there & ~np.isnan(side.until_s)])
    gone = np.searchsorted(until, since, side="right")
    return int((np.arange(1, len(since) + 1) - gone).max(initial=0))


def _count(mask: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> str:
    return f"{np.count_nonzero(mask)}"


def alt_text(shown: Shown) -> str:
    """Return what the figure shows, for those who cannot see it."""
    said = [f"{title(shown)}.", f"{note(shown)}."]
    for holds, side in ((_QUEUE_HOLDS, shown.queue), (_LOG_HOLDS, shown.log)):
        stays = say("{count} stay", count=side.left)
        if side.left == len(side.since_s):
            stays = say("all stay")
        said.append(
            say(
                holds,
                most=most_held(side),
                stays=stays,
                first=FIRST,
                done=_count(side.first_times > 0),
                again=side.again,
                second=SECOND,
                got=side.got,
            )
        )
    return " ".join(said)
