"""What the queue explorer says of two runs: a title, a table, alternative text."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from kafkasim.plot.words import amount
from kafkasim.widgets.queue_shown import Shown, Side
from kafkasim.widgets.queue_traffic import FIRST, SECOND

QUEUE: Final = "RabbitMQ, queues"
LOG: Final = "Kafka, a log"


def title(shown: Shown) -> str:
    """Return what each holds in the end, and what who came late got."""
    queue, log = shown.queue, shown.log
    return (
        f"In the end the queue holds {queue.left}, the log {log.left}; {SECOND}, who "
        f"comes at {amount(shown.comes_s)} s, gets {queue.got} and {log.got}"
    )


def note(shown: Shown) -> str:
    """Return what else happened, or why the numbers are what they are."""
    queue, log = shown.queue, shown.log
    said = []
    if not np.isnan(shown.dies_s):
        said.append(
            f"{FIRST} dies: the queue hands {queue.handed_out_again} out again, "
            f"the log {log.handed_out_again}"
        )
    if not np.isnan(shown.replay_s):
        said.append(
            f"{FIRST} goes back: it reads {queue.again} again from the queue, "
            f"{log.again} from the log"
        )
    if not said:
        return "A bar is a record: from when it is there until it is gone"
    text = "; ".join(said)
    return text[0].upper() + text[1:]


def numbers(shown: Shown) -> Mapping[str, Mapping[str, str]]:
    """Return what stands below the figure: system → label → text."""
    return {QUEUE: _of(shown.queue), LOG: _of(shown.log)}


def _of(side: Side) -> dict[str, str]:
    return {
        "records that came in": _count(~np.isnan(side.since_s)),
        "held in the end": f"{side.left}",
        "held at most": f"{most_held(side)}",
        f"done by {FIRST}": _count(side.first_times > 0),
        "of these, more than once": f"{side.again}",
        "left in the work, and handed out again": f"{side.handed_out_again}",
        f"done by {SECOND}": f"{side.got}",
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
    for name, side in (("queue", shown.queue), ("log", shown.log)):
        stays = "all stay" if side.left == len(side.since_s) else f"{side.left} stay"
        said.append(
            f"The {name} holds {most_held(side)} at most, and {stays}; {FIRST} does "
            f"{_count(side.first_times > 0)}, {side.again} of them more than once, "
            f"{SECOND} does {side.got}."
        )
    return " ".join(said)
