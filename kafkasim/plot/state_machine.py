"""A group's states and the ways between them, and the way that a run took.

What is drawn is the table by which coordinators go; where each state stands is fixed,
so that frames of a run's moments can follow each other.
"""

from typing import TYPE_CHECKING, Any, Final

from kafkasim.analysis.provenance import provenance
from kafkasim.analysis.state_path import StatePath, state_path
from kafkasim.catalogue import say
from kafkasim.errors import ValidationError
from kafkasim.plot.captions import Words, give_words
from kafkasim.plot.cause_words import cause_words
from kafkasim.plot.given import is_table, run_given
from kafkasim.plot.headings import headline, wrapped
from kafkasim.plot.style import (
    GREY,
    OKABE_ITO,
    PALE,
    SIZE,
    canvas,
    points,
    room,
    stroke,
    style,
)
from kafkasim.plot.words import amount, caption_of, counted, listed
from kafkasim.result.result import Result

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.text import Text

_COLUMNS: Final = ("state", "next_state", "why")
_TALL: Final = 5.4
_LEFT, _RIGHT, _BOTTOM, _TOP = -0.7, 4.9, -1.62, 1.5
"""Of the axes, in which states stand 2 from each other."""
_LIST: Final = -0.72
"""Below which ways or steps are listed."""
_PLACES: Final[dict[str, tuple[float, float]]] = {
    "Empty": (0.0, 1.2),
    "PreparingRebalance": (2.0, 1.2),
    "CompletingRebalance": (4.0, 0.6),
    "Stable": (2.0, 0.0),
    "Dead": (0.0, 0.0),
    "Assigning": (2.0, 1.2),
    "Reconciling": (4.0, 0.6),
}
"""Where each state stands; no two of one protocol stand in the same place."""
_BENDS: Final[dict[tuple[str, str], float]] = {
    ("CompletingRebalance", "Dead"): -0.46,
    ("Reconciling", "Empty"): -0.72,
}
"""How far a way bends that would meet others, where both have one by default."""
_BEND: Final = 0.13
_MOST_STEPS: Final = 6
"""Steps of one way of which each has its number written."""
_MOST_TOLD: Final = 10
"""Last steps of a run whose causes are written."""
_NOW: Final = OKABE_ITO["orange"]
_WENT: Final = OKABE_ITO["blue"]


def states(
    table: "pd.DataFrame",
    *,
    run: Result | None = None,
    group: str | None = None,
    at_s: float | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the states of a group and the ways between them.

    Parameters
    ----------
    table : DataFrame
        As `transitions` of kafkasim returns it.
    run : Result, optional
        A run with coordinators whose way is drawn upon it: ways taken are dark, with
        the numbers of the steps, and states say how long the group was in them.
    group : str, optional
        Of the run; the first without it.
    at_s : float, optional
        Until which moment of the run, seconds; its end without it. The state then is
        framed in bold.
    ax : Axes, optional
        What to draw into; a new figure otherwise.

    Returns
    -------
    Axes
        The title says in which state a run's group is, and how many steps it took.

    Raises
    ------
    ValidationError
        `table` is no such table, or the group went a way that is not in it, such as one
        of the other protocol; no such group.
    TableNotRecorded
        When the run did not record `group_states`.
    """
    if not is_table(table) or any(column not in table for column in _COLUMNS):
        given = list(table) if is_table(table) else type(table).__name__
        allowed = say(
            "what transitions returns, with {columns}", columns=listed(_COLUMNS)
        )
        raise ValidationError("table", given, allowed)
    ways = {
        (str(a), str(b)): str(why)
        for a, b, why in zip(*(table[name] for name in _COLUMNS), strict=True)
    }
    path = None
    if run is not None:
        path = state_path(run_given(run), group=group, at_s=at_s)
        _check(path, ways)
    protocol = str(table.attrs.get("protocol", ""))
    title = finding(path, protocol, at_s)
    with style():
        ax = canvas(ax, (SIZE[0], _TALL))
        boxes = _draw_states(ax, ways, path)
        for number, way in enumerate(ways):
            _draw_way(ax, boxes, way, ways, _label(path, way, number))
        ax.set_xlim(_LEFT, _RIGHT)
        ax.set_ylim(_BOTTOM, _TOP)
        ax.set_axis_off()
        ax.set_xticks([])
        ax.set_yticks([])
        ax.set_aspect("equal")
        headline(ax, title, left=1.0)
        _list_ways(ax, ways, path)
    ran = None if run is None else provenance(run)
    what = say("States of a group of the {protocol} protocol", protocol=protocol)
    what = what.replace("  ", " ")
    give_words(ax, Words(caption_of(what, ran), f"{title}. {in_words(path, ways)}"))
    return ax


def _check(path: StatePath, ways: dict[tuple[str, str], str]) -> None:
    for step in path.steps:
        if (step.state, step.next_state) not in ways:
            way = f"{step.state} to {step.next_state}"
            allowed = say(
                "a run whose group goes by this table, such as of its protocol"
            )
            raise ValidationError("run", way, allowed)


def finding(path: StatePath | None, protocol: str, at_s: float | None) -> str:
    """Say in which state a group is, after how many steps; or what is drawn."""
    if path is None:
        ways = say(
            "A group of the {protocol} protocol goes these ways", protocol=protocol
        )
        return ways.replace("  ", " ")
    when = say("in the end")
    if at_s is not None:
        when = say("at {moment}", moment=f"{amount(at_s)} s")
    return say(
        "Group {name} is {state} {when}, after {steps}",
        name=path.group,
        state=path.state,
        when=when,
        steps=counted(len(path.steps), "step"),
    )


def in_words(path: StatePath | None, ways: dict[tuple[str, str], str]) -> str:
    """Return the ways, or those that a run took."""
    if path is None:
        said = [
            say("{state} to {next}: {why}", state=a, next=b, why=cause_words(why))
            for (a, b), why in ways.items()
        ]
        return "; ".join(said) + "."
    times = [f"{state} {amount(s)} s" for state, s in path.seconds.items() if s > 0]
    steps = [
        say(
            "{number}. at {moment} {state} to {next}: {why}",
            number=number,
            moment=f"{amount(step.at_s)} s",
            state=step.state,
            next=step.next_state,
            why=cause_words(step.cause),
        )
        for number, step in enumerate(path.steps, start=1)
    ]
    return f"{say('In {times}.', times=listed(times))} {'; '.join(steps)}."


def _label(path: StatePath | None, way: tuple[str, str], number: int) -> str:
    """Return what stands beside a way: a letter, or the numbers of its steps."""
    if path is None:
        return chr(ord("a") + number)
    taken = [
        str(step)
        for step, each in enumerate(path.steps, start=1)
        if (each.state, each.next_state) == way
    ]
    more = "…" if len(taken) > _MOST_STEPS else ""
    return ", ".join(taken[:_MOST_STEPS]) + more


def _draw_states(
    ax: "Axes", ways: dict[tuple[str, str], str], path: StatePath | None
) -> "dict[str, Text]":
    names = list(dict.fromkeys(name for way in ways for name in way))
    boxes = {}
    for name in names:
        been = path is None or path.seconds.get(name, 0.0) > 0 or name == path.state
        now = path is not None and name == path.state
        text = name
        if path is not None and name in path.seconds:
            text += f"\n{amount(path.seconds[name])} s"
        box: dict[str, Any] = {
            "boxstyle": "round,pad=0.45",
            "facecolor": _NOW if now else "white" if been else "#F4F4F4",
            "edgecolor": "black" if been else GREY,
            "linewidth": stroke(3.0 if now else 1.2),
        }
        boxes[name] = ax.text(
            *_PLACES[name],
            text,
            ha="center",
            va="center",
            color="black" if been else GREY,
            fontweight="bold" if now else "normal",
            bbox=box,
            zorder=4,
        )
    return boxes


def _bend(way: tuple[str, str], ways: dict[tuple[str, str], str]) -> float:
    if way in _BENDS:
        return _BENDS[way]
    return _BEND if way[::-1] in ways else 0.0


def _draw_way(
    ax: "Axes",
    boxes: "dict[str, Text]",
    way: tuple[str, str],
    ways: dict[tuple[str, str], str],
    label: str,
) -> None:
    begin, end = (_PLACES[name] for name in way)
    bend = _bend(way, ways)
    taken = bool(label)
    ax.annotate(
        "",
        end,
        begin,
        arrowprops={
            "arrowstyle": "-|>",
            "connectionstyle": f"arc3,rad={bend}",
            "patchA": boxes[way[0]].get_bbox_patch(),
            "patchB": boxes[way[1]].get_bbox_patch(),
            "color": _WENT if taken else PALE,
            "linewidth": stroke(2.4 if taken else 1.2),
            "shrinkA": 1.0,
            "shrinkB": 1.0,
            "mutation_scale": stroke(16.0),
        },
        zorder=3 if taken else 2,
    )
    if taken:
        x = (begin[0] + end[0]) / 2 + bend / 2 * (end[1] - begin[1])
        y = (begin[1] + end[1]) / 2 - bend / 2 * (end[0] - begin[0])
        pad = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none"}
        look: dict[str, Any] = {"color": _WENT, "fontsize": "small", "bbox": pad}
        look |= {"fontweight": "bold", "ha": "center", "va": "center", "zorder": 3.5}
        ax.text(x, y, label, **look)


def _list_ways(
    ax: "Axes", ways: dict[tuple[str, str], str], path: StatePath | None
) -> None:
    """Write below what the letters stand for, or why a run took its last steps."""
    if path is None:
        alike: dict[str, list[str]] = {}
        for number, why in enumerate(ways.values()):
            alike.setdefault(why, []).append(chr(ord("a") + number))
        lines = [
            f"{', '.join(letters)}  {cause_words(why)}"
            for why, letters in alike.items()
        ]
    else:
        numbered = list(enumerate(path.steps, start=1))[-_MOST_TOLD:]
        lines = [
            f"{n}  {each.at_s:.4g} s: {cause_words(each.cause)}" for n, each in numbered
        ]
    size = points("font.size") * 0.833
    inches = 0.47 * room(ax)
    told = [wrapped(line, inches, size).replace("\n", "\n     ") for line in lines]
    half = -(-len(told) // 2)
    for column, part in enumerate((told[:half], told[half:])):
        ax.text(
            _LEFT + 0.5 * column * (_RIGHT - _LEFT),
            _LIST,
            "\n".join(part),
            fontsize="small",
            va="top",
            ha="left",
        ).set_in_layout(False)
