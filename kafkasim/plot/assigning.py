"""Who of a group has which partition, and what came from somebody else."""

from typing import TYPE_CHECKING, Any, Final

from kafkasim.catalogue import say
from kafkasim.errors import ValidationError
from kafkasim.plot import sizes
from kafkasim.plot.captions import Words, give_words
from kafkasim.plot.given import NOBODY, is_table
from kafkasim.plot.headings import headline
from kafkasim.plot.style import (
    GREY,
    POINTS,
    SERIES,
    SIZE,
    canvas,
    hatch,
    legend_below,
    letters,
    nothing,
    room,
    stroke,
    style,
)
from kafkasim.plot.words import caption_of, counted, listed, plain_numbers

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_COLUMNS: Final = ("member", "topic", "partition")
_ROW_INCHES: Final = 0.55
_HIGH: Final = 0.78
"""Height of a box, in rows."""
_MOST_TOLD: Final = 12


class _Table:
    """An assignment by member."""

    def __init__(self, table: "pd.DataFrame") -> None:
        columns = [table[column].tolist() for column in _COLUMNS]
        members = dict.fromkeys(table.attrs.get("counts", columns[0]))
        self.boxes: dict[str, list[tuple[str, int, str | None]]] = {
            member: [] for member in members
        }
        """Topic, partition and old owner of what each has."""
        self.knows_before = "before" in table
        before = table["before"].tolist() if self.knows_before else columns[0]
        for member, topic, number, was in zip(*columns, before, strict=True):
            old = was if isinstance(was, str) and was != member else None
            self.boxes.setdefault(member, []).append((topic, int(number), old))
        free = [name.rpartition("-") for name in table.attrs.get("free", ())]
        self.free = [(topic, int(number)) for topic, _, number in free]
        topics = {topic for topic, _ in self.free} | set(columns[1])
        self.topics = sorted(map(str, topics))
        self.assignor = str(table.attrs.get("assignor", ""))

    @property
    def moved(self) -> list[tuple[str, str, int, str]]:
        """Member, topic, partition and old owner of what was somebody else's."""
        return [
            (member, topic, number, old)
            for member, boxes in self.boxes.items()
            for topic, number, old in boxes
            if old is not None
        ]


def assignment(table: "pd.DataFrame", *, ax: "Axes | None" = None) -> "Axes":
    """Draw who has which partition: a row for each member, a box for each partition.

    A box has the colour and the hatch of its topic and the partition's number. A thick
    edge, and the old owner's name, mark one that belonged to somebody else. What nobody
    has stands in a row of its own.

    Parameters
    ----------
    table : DataFrame
        As `assign` returns it.
    ax : Axes, optional
        What to draw into; a new figure otherwise.

    Returns
    -------
    Axes
        The title says how many partitions members have, and how many have moved.

    Raises
    ------
    ValidationError
        `table` is no such table.
    """
    if not is_table(table) or any(column not in table for column in _COLUMNS):
        given = list(table) if is_table(table) else type(table).__name__
        allowed = say("what assign returns, with {columns}", columns=listed(_COLUMNS))
        raise ValidationError("table", given, allowed)
    shown = _Table(table)
    title = finding(shown)
    rows = max(1, len(shown.boxes) + bool(shown.free))
    with style():
        ax = canvas(ax, (SIZE[0], _ROW_INCHES * rows + 2.0))
        if shown.boxes:
            _draw(ax, shown)
            legend_below(ax)
        else:
            nothing(ax, say("no members"))
        headline(ax, title)
    what = say("Partitions of a group's members")
    if shown.assignor:
        what = say(
            "Partitions of a group's members by {assignor}", assignor=shown.assignor
        )
    give_words(ax, Words(caption_of(what, None), f"{title}. {in_words(shown)}".strip()))
    return ax


def finding(table: _Table) -> str:
    """Say how many partitions members have, and how many have moved."""
    sizes_ = [len(boxes) for boxes in table.boxes.values()]
    if not sizes_:
        return say("There is no member")
    least, most = min(sizes_), max(sizes_)
    each = say("{least:,} to {most:,} each", least=least, most=most)
    if least == most:
        each = say("{least:,} each", least=least)
    said = say(
        "{partitions} over {members}: {each}",
        partitions=counted(sum(sizes_), "partition"),
        members=counted(len(sizes_), "member"),
        each=each,
    )
    if table.knows_before:
        moved = len(table.moved)
        moves = say("{moved:,} moved", moved=moved) if moved else say("none moved")
        said = f"{said}, {moves}"
    if table.free:
        said = f"{said}; {say('{free:,} free', free=len(table.free))}"
    return said


def in_words(table: _Table) -> str:
    """Return what each member has, and what has moved."""
    told = []
    for member, boxes in list(table.boxes.items())[:_MOST_TOLD]:
        names = [f"{topic}-{number}" for topic, number, _ in boxes]
        told.append(f"{member}: {listed(names, _MOST_TOLD) or say('none')}")
    if len(table.boxes) > _MOST_TOLD:
        more = len(table.boxes) - _MOST_TOLD
        told.append(say("and {more:,} members more", more=more))
    moved = [
        say(
            "{partition} from {old} to {new}",
            partition=f"{topic}-{number}",
            old=old,
            new=member,
        )
        for member, topic, number, old in table.moved
    ]
    if moved:
        told.append(say("moved: {said}", said=listed(moved, _MOST_TOLD)))
    return f"{'; '.join(told)}." if told else ""


def _draw(ax: "Axes", table: _Table) -> None:
    names = [*table.boxes, *([say(NOBODY)] if table.free else [])]
    longest = max([*map(len, table.boxes.values()), len(table.free), 1])
    text = sizes.now().text
    left = max(map(letters, names)) * 0.6 * text / POINTS
    wide = max(1.0, room(ax) - left - 0.4) / longest
    painter = _Painter(ax, table, wide * POINTS)
    for row, boxes in enumerate(table.boxes.values()):
        for place, (topic, number, old) in enumerate(boxes):
            painter.box(row, place, topic, number, old)
    for place, (topic, number) in enumerate(table.free):
        painter.outline(len(names) - 1, place, topic, number)
    ax.set_xlim(0, longest)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_yticks(range(len(names)), names)
    ax.tick_params(axis="y", length=0)
    ax.grid(visible=False)
    ax.spines["left"].set_visible(False)
    ax.set_xlabel(say("partitions of a member"))
    plain_numbers(ax.xaxis, whole=True)


class _Painter:
    """Draws boxes, and has each kind once in the legend."""

    def __init__(self, ax: "Axes", table: _Table, wide: float) -> None:
        self._ax = ax
        self._order = {topic: at for at, topic in enumerate(table.topics)}
        self._wide = wide
        """Points of a box."""
        self._named: set[str] = set()

    def box(
        self, row: int, place: int, topic: str, number: int, old: str | None
    ) -> None:
        """Draw a partition that somebody has."""
        from matplotlib.patches import Rectangle

        at = self._order[topic]
        look: dict[str, Any] = {"facecolor": SERIES[at % len(SERIES)]}
        look |= {"hatch": hatch(at), "edgecolor": "black", "linewidth": stroke(0.8)}
        corner = (place + 0.04, row - _HIGH / 2)
        label = self._new(topic)
        self._ax.add_patch(Rectangle(corner, 0.92, _HIGH, **look, label=label))
        if old is not None:
            thick: dict[str, Any] = {"fill": False, "edgecolor": "black"}
            thick |= {"linewidth": stroke(3.2), "label": self._new(say("moved"))}
            self._ax.add_patch(Rectangle(corner, 0.92, _HIGH, **thick))
        self._write(row, place, str(number), old)

    def outline(self, row: int, place: int, topic: str, number: int) -> None:
        """Draw a partition that nobody has."""
        from matplotlib.patches import Rectangle

        look: dict[str, Any] = {"facecolor": "none", "edgecolor": GREY}
        look |= {"linestyle": (0, (3, 2)), "linewidth": stroke(1.2)}
        corner = (place + 0.04, row - _HIGH / 2)
        label = self._new(say("of nobody"))
        self._ax.add_patch(Rectangle(corner, 0.92, _HIGH, **look, label=label))
        name = str(number) if len(self._order) == 1 else f"{topic}-{number}"
        fits = len(name) * 0.62 * sizes.now().text <= self._wide
        self._write(row, place, name if fits else str(number), None)

    def _write(self, row: int, place: int, text: str, old: str | None) -> None:
        """Write into a box what has room there."""
        size = sizes.now().text
        pad = {"boxstyle": "round,pad=0.12", "facecolor": "white", "edgecolor": "none"}
        look: dict[str, Any] = {"ha": "center", "va": "center", "bbox": pad}
        origin = "" if old is None else f"{text} ← {old}"
        for said in (origin, text):
            if said and (len(said) + 1) * 0.6 * size <= self._wide:
                self._ax.text(place + 0.5, row, said, fontsize=size * 0.92, **look)
                return

    def _new(self, label: str) -> str | None:
        if label in self._named:
            return None
        self._named.add(label)
        return label
