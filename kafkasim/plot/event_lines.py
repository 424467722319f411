"""What was done to a run, as upright lines with names: shared by figures over time."""

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from kafkasim.analysis.blasts import applies
from kafkasim.analysis.event_words import event_words
from kafkasim.catalogue import say
from kafkasim.plot.style import GREY, stroke
from kafkasim.result.result import Result
from kafkasim.units import MISSING_NS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RIGHT: Final = 0.75
"""Part of the width up to which there is room for a text to the right."""
MOST: Final = 6
"""Events of which each is named in a figure."""
_NEAR: Final = 0.24
"""Part of the width that a name may take."""


class Told(NamedTuple):
    """A row of `events`."""

    at_ns: int
    until_ns: int
    """`MISSING_NS`: for good."""
    event: str
    """Its kind, such as `AddMember`."""
    kind: str
    """Of the target, such as `broker`."""
    name: str
    """Of the target; empty where there is but one."""
    effect: str


def told(result: Result, kinds: Collection[str]) -> Iterator[Told]:
    """Yield what befell targets of some kinds, as the table has it."""
    if "events" not in result.tables:
        return
    rows = result.columns("events")
    for row in np.flatnonzero(applies(rows)):
        target = rows.labels["target"][rows["target"][row]]
        kind, _, name = target.partition(":")
        if kind not in kinds:
            continue
        event = rows.labels["event"][rows["event"][row]]
        effect = rows["effect"][row]
        yield Told(
            int(rows["at_ns"][row]),
            int(rows["until_ns"][row]),
            event,
            kind,
            name,
            rows.labels["effect"][effect] if effect >= 0 else "",
        )


def group_events(result: Result, group: str) -> list[tuple[int, str]]:
    """Return what was done to a group and its members, in order of time.

    Returns
    -------
    list of (int, str)
        Nanoseconds, and words such as ``2: crash``, with a member's short name.
    """
    said = []
    for each in told(result, ("member", "subscriber")):
        of, _, member = each.name.partition("/")
        if of != group:
            continue
        who = f"{member}: " if member else ""
        leaves = each.event == "RemoveMember"
        event = say("leave") if leaves else event_words(each.event)
        said.append((each.at_ns, f"{who}{event}"))
        if each.until_ns != MISSING_NS:
            said.append((each.until_ns, f"{who}{say('back')}"))
    return sorted(said)


def draw_events(
    axes: "Sequence[Axes]", said: Sequence[tuple[float, str]], most: int = MOST
) -> None:
    """Draw upright lines across axes, with their names at the top of the first.

    Parameters
    ----------
    axes : sequence of Axes
        With their limits set.
    said : sequence of (float, str)
        Where on the time axis, in its unit, and what to write beside the line.
    most : int
        How many have their names written.
    """
    until = axes[0].get_xlim()[1]
    said = [each for each in said if each[0] <= until]
    look: dict[str, Any] = {"linestyle": (0, (2, 2)), "linewidth": stroke(1.4)}
    for at, _ in said:
        for ax in axes:
            ax.axvline(at, color=GREY, zorder=2.5, **look)
    lines = lines_for(said, until, most)
    for (at, text), line in zip(said, lines, strict=False):
        _say_event(axes[0], at, text, line, left=at > RIGHT * until)


def lines_for(
    said: Sequence[tuple[float, str]], until: float, most: int = MOST
) -> list[int]:
    """Return on which line below the top each name stands, of those that are named."""
    named = [at for at, _ in said if at <= until][:most]
    return free_lines([at / until for at in named])


def free_lines(places: Sequence[float]) -> list[int]:
    """Return on which line below the top each name has room.

    Parameters
    ----------
    places : sequence of float
        Where they stand, as parts of the width; those far to the right have their name
        to the left of them.
    """
    taken: list[list[float]] = []
    lines = []
    for place in places:
        begins = place - _NEAR if place > RIGHT else place
        free = (
            line
            for line, others in enumerate(taken)
            if all(abs(begins - other) >= _NEAR for other in others)
        )
        line = next(free, len(taken))
        if line == len(taken):
            taken.append([])
        taken[line].append(begins)
        lines.append(line)
    return lines


def _say_event(ax: "Axes", at: float, text: str, line: int, *, left: bool) -> None:
    """Write what was done beside its line."""
    from matplotlib.patheffects import withStroke

    ax.annotate(
        text,
        (at, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(-0.35 if left else 0.35, -0.3 - 1.25 * line),
        textcoords="offset fontsize",
        ha="right" if left else "left",
        va="top",
        fontsize="small",
        color=GREY,
        path_effects=[withStroke(linewidth=stroke(3.0), foreground="white")],
        zorder=5,
    )
