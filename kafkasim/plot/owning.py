"""Who owned which partition over time, the gaps between, and what the group did.

A lane for each partition: its owner in colour and by name, grey where nobody read it.
Below, if the run's groups had a coordinator, the states that the group went through;
upright lines say what was done to the group and its members.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from kafkasim.analysis.ownership import ownership as owners_of
from kafkasim.catalogue import mark, say
from kafkasim.errors import ValidationError
from kafkasim.plot.calendar_axis import sentence
from kafkasim.plot.captions import Words, give_words
from kafkasim.plot.event_lines import draw_events, group_events, lines_for
from kafkasim.plot.given import run_given
from kafkasim.plot.headings import headline
from kafkasim.plot.owning_many import draw_many
from kafkasim.plot.style import (
    GREY,
    HATCHES,
    OKABE_ITO,
    PALE,
    SERIES,
    SIZE,
    canvas,
    legend_below,
    nothing,
    stroke,
    style,
)
from kafkasim.plot.words import (
    amount,
    caption_of,
    counted,
    listed,
    plain_numbers,
    time_unit,
)
from kafkasim.result.result import Result
from kafkasim.units import NS_PER_MS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_LANE: Final = 0.36
"""Height of a lane in a notebook, inches."""
_TALLEST: Final = 9.0
_HEIGHT: Final = 0.78
"""Of a bar, where the next lane is 1 away."""
_EVENTS: Final = 12
"""Of which each is named."""
_NAMES: Final = 0.65
"""Height of a line of names of events."""
_NAME: Final = 0.045
"""Part of the width from which a bar has its owner's name in it."""
_LETTER: Final = 0.0115
"""The same of a state's name, for each of its letters."""
_FACES: Final = {
    "Stable": "#BFE3D5",
    "PreparingRebalance": OKABE_ITO["orange"],
    "CompletingRebalance": OKABE_ITO["yellow"],
    "Assigning": OKABE_ITO["orange"],
    "Reconciling": OKABE_ITO["yellow"],
    "Empty": "white",
    "Dead": PALE,
}
"""Colours of a group's states, all pale enough for black text."""
_MOST_LANES: Final = 60
_MANY: Final = 9
"""Lanes in whose room more of them are counted."""
_MOST_NAMED: Final = 6
"""Members that the legend names; of more the names stand in the bars alone."""
_TOLD: Final = 12
"""Partitions of which words say who owned them."""
_BRIEF: Final = 0.01
"""Part of the longest gap below which one is told apart."""
NOBODY_READS: Final = mark("nobody reads")
"""What the legend says of a gap."""

Lane = tuple[str, int]
"""Topic and partition."""


class Owned(NamedTuple):
    """A row of `analysis.ownership`, of one group."""

    lane: Lane
    member: str
    since_ms: float
    until_ms: float
    """NaN: to the end."""
    gap_ms: float
    """NaN: nobody came after."""


def ownership(
    data: Result, *, group: str | None = None, ax: "Axes | None" = None
) -> "Axes":
    """Draw who owned each partition of a group over time.

    Parameters
    ----------
    data : Result
        A full run of a Kafka cluster.
    group : str, optional
        The first without it.
    ax : Axes, optional
        What to draw into; a new figure otherwise.

    Returns
    -------
    Axes
        The title says for how long nobody read a partition, at most, and how many
        partitions that befell; those that it befell for a moment only are told apart.
        More than 60 partitions are only counted.

    Raises
    ------
    ValidationError
        `data` is no run, or has no such group.
    TableNotRecorded
        When the run did not record `assignments`.
    """
    table = owners_of(run_given(data))
    name = _group_given(table, group)
    table = table[table["group"] == name]
    owned = _owned(table)
    lanes = sorted({each.lane for each in owned})
    is_many = len(lanes) > _MOST_LANES
    states = _states(data, name)
    end_ms = float(data.facts["end_ns"]) / 1e6
    unit, scale = time_unit(end_ms)
    title = finding(owned)
    events = [
        (at_ns / NS_PER_MS / scale, text) for at_ns, text in group_events(data, name)
    ]
    until = 1.005 * end_ms / scale or 1.0
    above = _NAMES * (max(lines_for(events, until, _EVENTS), default=-1) + 1)
    count = _MANY if is_many else len(lanes) + 1.4 * bool(states) + above
    with style():
        ax = canvas(ax, (SIZE[0], min(_TALLEST, 1.9 + _LANE * max(count, 3))))
        ax.set_xlim(0, until)
        if is_many:
            draw_many(ax, owned, end_ms, scale)
            draw_events([ax], events, _EVENTS)
        elif lanes:
            _draw_owners(ax, owned, lanes, end_ms, scale)
            _draw_states(ax, states, len(lanes) + 0.4, end_ms, scale)
            _label_lanes(ax, lanes, name if states else "", above)
            draw_events([ax], events, _EVENTS)
        else:
            nothing(ax, say("nobody owned a partition"))
        ax.set_xlabel(say("simulated time ({unit})", unit=unit))
        plain_numbers(ax.xaxis, 8)
        headline(ax, title)
        if lanes:
            legend_below(ax)
    caption = caption_of(
        say("Owners of the partitions that group {name} reads", name=name),
        table.attrs.get("scenario"),
        sentence(table.attrs),
    )
    give_words(ax, Words(caption, f"{title}. {in_words(owned)}"))
    return ax


def _group_given(table: "pd.DataFrame", group: str | None) -> str:
    names = [str(each) for each in table["group"].cat.categories]
    if group is None:
        return names[0] if names else ""
    if group not in names:
        raise ValidationError(
            "group", group, say("one of {names}", names=listed(names))
        )
    return group


def _owned(table: "pd.DataFrame") -> list[Owned]:
    columns = (
        zip(table["topic"].astype(str), table["partition"].tolist(), strict=True),
        table["member"].astype(str),
        *(table[name].tolist() for name in ("since_ms", "until_ms", "gap_ms")),
    )
    return [Owned(*row) for row in zip(*columns, strict=True)]


def finding(owned: Sequence[Owned]) -> str:
    """Say for how long nobody read a partition, and of how many that is true.

    Those that stood still for less than a hundredth of the longest time are told apart.
    """
    gaps: dict[Lane, float] = {}
    for each in owned:
        if each.gap_ms > 0:
            gaps[each.lane] = max(each.gap_ms, gaps.get(each.lane, 0.0))
    if not gaps:
        return _without_gaps(owned)
    longest = max(gaps.values())
    brief = [gap for gap in gaps.values() if gap < _BRIEF * longest]
    said = say(
        "Nobody read {hurt} of {partitions} for a while, at most {longest}",
        hurt=len(gaps) - len(brief),
        partitions=counted(len({each.lane for each in owned}), "partition"),
        longest=_lasting(longest),
    )
    if not brief:
        return said
    return say(
        "{said}, and {more} more for at most {span}",
        said=said,
        more=len(brief),
        span=_lasting(max(brief)),
    )


def _without_gaps(owned: Sequence[Owned]) -> str:
    """Say since when no partition was without an owner."""
    members = counted(len({each.member for each in owned}), "member")
    first: dict[Lane, float] = {}
    for each in owned:
        first[each.lane] = min(each.since_ms, first.get(each.lane, np.inf))
    since_ms = max(first.values(), default=0.0)
    if since_ms > 0:
        return say(
            "{members}, and from {moment} on no partition was without an owner",
            members=members,
            moment=_lasting(since_ms),
        )
    return say("{members}, and no partition was without an owner", members=members)


def _lasting(time_ms: float) -> str:
    unit, scale = time_unit(time_ms)
    return f"{amount(time_ms / scale)} {unit}"


def in_words(owned: Sequence[Owned]) -> str:
    """Return who owned what, lane by lane, with the longest gap of each."""
    said = []
    lanes = sorted({each.lane for each in owned})
    for lane in lanes[:_TOLD]:
        mine = [each for each in owned if each.lane == lane]
        owners = list(dict.fromkeys(each.member for each in mine))
        gap = max((each.gap_ms for each in mine if each.gap_ms > 0), default=0.0)
        told = [_one_by_one(owners)]
        told += [say("{span} without one", span=_lasting(gap))] if gap else []
        said.append(f"{lane[0]}-{lane[1]}: {', '.join(told)}")
    more = len(lanes) - len(said)
    said += [say("and {more} more", more=more)] if more else []
    return f"{'; '.join(said)}."


def _one_by_one(owners: list[str]) -> str:
    said, *others = owners
    for each in others:
        said = say("{names} then {next}", names=said, next=each)
    return said


def _draw_owners(
    ax: "Axes",
    owned: list[Owned],
    lanes: list[Lane],
    end_ms: float,
    scale: float,
) -> None:
    """Draw a bar for each ownership, and one for each gap."""
    members = list(dict.fromkeys(each.member for each in owned))
    members.sort(key=lambda name: (len(name), name))
    places = {lane: place for place, lane in enumerate(lanes)}
    until = [end_ms if np.isnan(each.until_ms) else each.until_ms for each in owned]
    for number, name in enumerate(members):
        mine = [n for n, each in enumerate(owned) if each.member == name]
        ax.barh(
            [places[owned[n].lane] for n in mine],
            [(until[n] - owned[n].since_ms) / scale for n in mine],
            left=[owned[n].since_ms / scale for n in mine],
            height=_HEIGHT,
            label=name if len(members) <= _MOST_NAMED else None,
            **_look(number),
        )
        for n in mine:
            if until[n] - owned[n].since_ms > _NAME * end_ms:
                middle = (owned[n].since_ms + until[n]) / 2 / scale
                _write(ax, middle, places[owned[n].lane], name, number)
    gaps = [n for n, each in enumerate(owned) if each.gap_ms > 0]
    if gaps:
        ax.barh(
            [places[owned[n].lane] for n in gaps],
            [owned[n].gap_ms / scale for n in gaps],
            left=[until[n] / scale for n in gaps],
            height=_HEIGHT,
            facecolor=PALE,
            edgecolor=GREY,
            hatch="///",
            linewidth=stroke(0.6),
            label=say(NOBODY_READS),
        )


def _look(number: int) -> dict[str, Any]:
    """Return how a member's bars are drawn: told apart without colour, too."""
    return {
        "facecolor": SERIES[number % len(SERIES)],
        "edgecolor": "white",
        "linewidth": stroke(0.8),
        "hatch": HATCHES[number // len(SERIES) % len(HATCHES)],
    }


def _write(ax: "Axes", at: float, place: float, name: str, number: int) -> None:
    """Write a member's short name into its bar."""
    from matplotlib.patheffects import withStroke

    edge = SERIES[number % len(SERIES)]
    ax.text(
        at,
        place,
        name.rpartition("/")[2],
        ha="center",
        va="center",
        color="white",
        fontweight="bold",
        fontsize="small",
        path_effects=[withStroke(linewidth=stroke(2.0), foreground=edge)],
        clip_on=True,
    )


def _states(data: Result, group: str) -> list[tuple[str, float, float]]:
    """Return the states of a group: name, since and until in ms; none if not known."""
    if "group_states" not in data.tables:
        return []
    table = data.table("group_states")
    rows = table[table["group"] == group]
    at = [*rows["at_ms"].tolist(), float(data.facts["end_ns"]) / 1e6]
    found = list(zip(rows["state"].astype(str), at, at[1:], strict=False))
    return [each for each in found if each[2] > each[1]]


def _draw_states(
    ax: "Axes",
    states: list[tuple[str, float, float]],
    place: float,
    end_ms: float,
    scale: float,
) -> None:
    seen: set[str] = set()
    for name, since, until in states:
        ax.barh(
            place,
            (until - since) / scale,
            left=since / scale,
            height=_HEIGHT,
            facecolor=_FACES.get(name, "white"),
            edgecolor="black",
            linewidth=stroke(0.6),
            label=None if name in seen else name,
        )
        seen.add(name)
        if until - since > _LETTER * len(name) * end_ms:
            middle = (since + until) / 2 / scale
            ax.text(middle, place, name, ha="center", va="center", fontsize="small")


def _label_lanes(ax: "Axes", lanes: list[Lane], group: str, above: float) -> None:
    """Name the lanes, and that of the group's states if there is one; leave room."""
    topics = {topic for topic, _ in lanes}
    names = [
        f"{topic}-{n}" if len(topics) > 1 else say("partition {number}", number=n)
        for topic, n in lanes
    ]
    places: list[float] = list(range(len(lanes)))
    if group:
        names.append(say("group {name}", name=group))
        places.append(len(lanes) + 0.4)
    ax.set_yticks(places, names)
    ax.set_ylim(places[-1] + 0.6, -0.6 - above)
    ax.grid(visible=False, axis="y")
