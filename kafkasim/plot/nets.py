"""A run as a net of systems: sources left, subscribers right, a hub between them.

All processes of an application are one node, all machines of a hub too: what is drawn
are the links that `analysis.pipelines` counts. An edge is hurt when everything that
goes over it was interrupted: of two ends their pair, of a hub and an end all pairs of
that end.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import cos, pi, sin
from typing import TYPE_CHECKING, Any, Final

from kafkasim.analysis.blasts import blast_radius, interruptions
from kafkasim.analysis.wired import ENDS, HUB, Node, node_of, system_of, wired
from kafkasim.catalogue import mark, say
from kafkasim.plot.nouns import NOUNS
from kafkasim.plot.style import GREY, LETTER, OKABE_ITO, POINTS, points, stroke
from kafkasim.plot.words import amount, counted, listed
from kafkasim.result.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_NODES: Final = 40
"""Nodes that are drawn; of more those with the most traffic."""

_NAMED: Final = 8
"""Nodes on one side up to which each has its name written."""

_SMALL: Final = 0.83
"""Size of a name, for each of the text."""

_ASIDE: Final = 0.36
"""Part of the width that the names on one side have at most; they may be smaller."""

_ROOMY: Final = 2.3
"""Width of a graph from which marks have their whole size, inches in a notebook."""

_SHORTENED: Final = 0.4
"""Part of the width from which names that differ in a number alone are that number."""

_TOO_WIDE: Final = 0.5
"""Part of the width from which names are left out."""

_CROSS: Final = 1.5
"""Size of the cross over who is dead, for each of its mark."""

_BELOW: Final = 0.8
"""From a hub's cross down to the middle of its name, in letters."""

_SIDES: Final = {"source": -1.0, "subscriber": 1.0}
"""Where the name of an end stands: left or right of its mark."""

_ARC: Final = 2 * pi / 3
"""Of the circle on which nodes stand, for each side."""

_LOOKS: Final[Mapping[str, tuple[str, str]]] = {
    "source": (OKABE_ITO["blue"], "o"),
    "subscriber": (OKABE_ITO["green"], "^"),
    "hub": (OKABE_ITO["orange"], "s"),
}
_HUBS: Final = {
    "broker": mark("broker"),
    "hub": mark("hub"),
    "node": mark("node"),
    "relay": mark("relay"),
}
"""What a hub of one machine is called."""

END_LOOKS: Final = {kind: _LOOKS[kind] for kind in ENDS}
"""Colour and marker of the ends."""

HURT: Final[dict[str, Any]] = {
    "color": OKABE_ITO["vermillion"],
    "linestyle": (0, (2.6, 1.3)),
}
"""How an interrupted edge looks."""

Edge = tuple[Node, Node]


@dataclass(frozen=True, slots=True)
class Net:
    """A run as a net of systems."""

    nodes: tuple[Node, ...]
    bytes_: Mapping[Edge, int]
    """Moved over each link, both ways, by link in the direction of records."""
    hurt: frozenset[Edge]
    dead: frozenset[Node]
    hub_label: str = ""
    left_out: int = 0
    pairs: int = 0
    pairs_hurt: int = 0
    blast_pair_s: float = 0.0
    done_to: int = 0
    """How many things were done to it."""
    no_such_point: bool = False
    """All that was done to it means nothing in this system."""


def net_of(result: Result, *, least_ms: float = 0.0) -> Net:
    """Return a run as a net, with what its events interrupted and whom they hit.

    Parameters
    ----------
    result : Result
        Full.
    least_ms : float
        As of `analysis.interruptions`.

    Raises
    ------
    TableNotRecorded
        When the run did not record `links`, `records`, `deliveries` or `events`.
    """
    moved: dict[Edge, int] = {}
    for row in wired(result).rows:
        ends = system_of(row.sender), system_of(row.receiver)
        if ends[0] == ends[1]:
            continue
        first, second = sorted(ends, key=_rank)
        moved[first, second] = moved.get((first, second), 0) + row.moved_bytes
    machines = wired(result).hub_nodes()
    told = blast_radius(result, least_ms=least_ms)
    stopped = _pairs(interruptions(result, least_ms=least_ms))
    wanted = _wanted(result)
    nodes = sorted({node for edge in moved for node in edge}, key=_order)
    kept = _busiest(nodes, moved)
    applies = told[told["pairs_hurt"].notna()]
    return Net(
        tuple(kept),
        {edge: number for edge, number in moved.items() if set(edge) <= set(kept)},
        frozenset(edge for edge in moved if _is_hurt(edge, stopped, wanted)),
        _dead(applies),
        _hub_label(machines),
        len(nodes) - len(kept),
        int(told["pairs"].max()) if len(told) else len(wanted),
        len(stopped),
        float(applies["blast_pair_s"].sum()),
        len(told),
        bool(len(told)) and not len(applies),
    )


def _rank(node: Node) -> int:
    """Sort two ends of a link in the direction of records."""
    return {"source": 0, "hub": 1, "subscriber": 2}[node.kind]


def _order(node: Node) -> tuple[int, str, int]:
    """Sort nodes by side and name, `web-10` after `web-2`."""
    head = node.name.rstrip("0123456789")
    return _rank(node), head, int(node.name[len(head) :] or 0)


def _pairs(table: Any) -> set[tuple[str, str]]:  # noqa: ANN401 - a DataFrame
    return set(zip(table["source"], table["subscriber"], strict=True))


def _wanted(result: Result) -> set[tuple[str, str]]:
    """Return the pairs of source and subscriber that are wanted."""
    traffic = result.scenario.resolve().traffic
    return {
        (source, subscriber)
        for subscriber, wants in traffic.subscribers.items()
        for source, sends in traffic.sources.items()
        if sends.stream in wants.streams
    }


def _is_hurt(
    edge: Edge, stopped: Collection[tuple[str, str]], wanted: set[tuple[str, str]]
) -> bool:
    first, second = edge
    over = {
        pair
        for pair in wanted
        if first.kind != "source" or pair[0] == first.name
        if second.kind != "subscriber" or pair[1] == second.name
    }
    return bool(over) and over <= set(stopped)


def _dead(applies: Any) -> frozenset[Node]:  # noqa: ANN401 - a DataFrame
    """Return who crashed."""
    crashed = applies[applies["event"] == "Crash"]["target"]
    nodes = (node_of(str(target)) for target in crashed)
    return frozenset(system_of(node) for node in nodes if node.kind != "link")


def _hub_label(machines: Collection[Node]) -> str:
    kinds = {node.kind for node in machines}
    if len(machines) == 1:
        (only,) = machines
        return say(_HUBS[only.kind]) if only.kind in _HUBS else only.kind
    kind = kinds.pop() if len(kinds) == 1 else "machine"
    # A system of one's own has kinds of its own, which no language knows.
    many = f"{len(machines)} {kind}s"
    return counted(len(machines), kind) if kind in NOUNS else many


def _busiest(nodes: list[Node], moved: Mapping[Edge, int]) -> list[Node]:
    if len(nodes) <= MOST_NODES:
        return nodes
    traffic = {
        node: sum(number for edge, number in moved.items() if node in edge)
        for node in nodes
    }
    kept = sorted(nodes, key=lambda node: -traffic[node])[:MOST_NODES]
    return sorted(kept, key=_order)


def places(net: Net) -> dict[Node, tuple[float, float]]:
    """Return where nodes stand: on two arcs of a circle, and a hub in its middle."""
    found = {HUB: (0.0, 0.0)} if HUB in net.nodes else {}
    for kind, middle, turn in (("source", pi, 1), ("subscriber", 0.0, -1)):
        side = [node for node in net.nodes if node.kind == kind]
        step = _ARC / max(1, len(side))
        for place, node in enumerate(side):
            angle = middle + turn * (place - (len(side) - 1) / 2) * step
            found[node] = (cos(angle), sin(angle))
    return found


def draw_net(ax: "Axes", net: Net, inches: float) -> None:
    """Draw a net into axes: edges by traffic, those that are hurt red and dashed.

    Parameters
    ----------
    ax : Axes
    net : Net
    inches : float
        The width that the axes will have, for the names beside the nodes.
    """
    from matplotlib.collections import LineCollection

    at = places(net)
    most = max(net.bytes_.values(), default=0) or 1
    many = len(net.bytes_) > 100
    for hurt in (False, True):
        edges = [edge for edge in net.bytes_ if (edge in net.hurt) == hurt]
        widths = [
            stroke((0.6 if many else 1.0) + 2.4 * (net.bytes_[edge] / most) ** 0.5)
            for edge in edges
        ]
        look: dict[str, Any] = HURT if hurt else {"color": GREY}
        lines = LineCollection(
            [(at[first], at[second]) for first, second in edges],
            linewidths=widths,
            alpha=0.5 if many else 0.9,
            zorder=1,
            **look,
        )
        ax.add_collection(lines, autolim=False)
    names = {node: node.name for node in net.nodes}
    if _beside(names, inches) > _SHORTENED:
        names |= _numbers(net.nodes)
    aside = _beside(names, inches) if _few(net) <= _NAMED else 0.0
    if aside > _TOO_WIDE:
        aside = 0.0
    part = min(1.0, inches / stroke(_ROOMY))
    _draw_nodes(ax, net, at, names, (_text(aside), part))
    aside = min(_ASIDE, aside)
    ax.set_xlim(-1.1 / (1 - 2 * aside), 1.1 / (1 - 2 * aside))
    ax.set_ylim(-1.0, 1.0)
    ax.set(xticks=[], yticks=[])
    ax.set_axis_off()


def _numbers(nodes: Collection[Node]) -> dict[Node, str]:
    """Return the numbers of nodes whose names differ in nothing else.

    Examples
    --------
    >>> _numbers([Node("source", "web-1"), Node("source", "web-2")]).values()
    dict_values(['1', '2'])
    >>> _numbers([Node("source", "web-1"), Node("source", "app-1")])
    {}
    """
    found: dict[Node, str] = {}
    for kind in ENDS:
        side = [node for node in nodes if node.kind == kind]
        parts = [node.name.rpartition("-") for node in side]
        alike = len({head for head, _, _ in parts}) == 1
        if alike and all(dash and tail.isdigit() for _, dash, tail in parts):
            found |= {node: part[2] for node, part in zip(side, parts, strict=True)}
    return found


def _beside(names: Mapping[Node, str], inches: float) -> float:
    """Return the part of the width that names on one side want, with room for marks."""
    letters = 2 + max(map(len, names.values()), default=0)
    return letters * LETTER * _SMALL * points("font.size") / POINTS / inches


def _few(net: Net) -> int:
    """Return how many nodes there are on the side that has more."""
    return max((sum(n.kind == kind for n in net.nodes) for kind in ENDS), default=0)


def _text(aside: float) -> float:
    """Return the size of names, for each of the text; 0 where they have no room."""
    return _SMALL * min(1.0, _ASIDE / aside) if aside else 0.0


def _draw_nodes(
    ax: "Axes",
    net: Net,
    at: Mapping[Node, tuple[float, float]],
    names: Mapping[Node, str],
    sizes: tuple[float, float],
) -> None:
    text, part = sizes
    for node in net.nodes:
        colour, shape = _LOOKS[node.kind]
        size = part * stroke((18 if node == HUB else 13) if text else 9)
        look: dict[str, Any] = {"marker": shape, "markersize": size, "color": colour}
        ax.plot(*at[node], **look, markeredgecolor="white", zorder=3)
        if node in net.dead:
            cross: dict[str, Any] = {"marker": "x", "markersize": _CROSS * size}
            cross |= {"color": "black", "markeredgewidth": stroke(3.0), "zorder": 4}
            cross["clip_on"] = False
            ax.plot(*at[node], **cross)
        if text or node == HUB:
            name = net.hub_label if node == HUB else names[node]
            letters = (text or _SMALL) * points("font.size")
            below = _CROSS * size / 2 / letters + _BELOW
            _name(ax, name, at[node], (_SIDES.get(node.kind, 0.0), below), letters)


def _name(
    ax: "Axes",
    name: str,
    place: tuple[float, float],
    aside: tuple[float, float],
    letters: float,
) -> None:
    """Write a name beside its mark, or below that of a hub, which has no side."""
    from matplotlib.patheffects import withStroke

    side, below = aside
    written = ax.annotate(
        name,
        place,
        xytext=(side, 0.0 if side else -below),
        textcoords="offset fontsize",
        ha={-1.0: "right", 1.0: "left"}.get(side, "center"),
        va="center",
        fontsize=letters,
        annotation_clip=False,
        path_effects=[withStroke(linewidth=stroke(3.0), foreground="white")],
        zorder=5,
    )
    written.set_in_layout(False)


def what_stopped(net: Net) -> str:
    """Return how many of the pairs an event interrupted, in words."""
    if net.no_such_point:
        return say("no such point")
    if not net.pairs_hurt:
        return say("none of {pairs} stops", pairs=counted(net.pairs, "pair"))
    pairs = counted(net.pairs, "pair")
    if net.pairs_hurt == net.pairs:
        return say("all {pairs} stop", pairs=pairs)
    return say("{hurt} of {pairs} stop", hurt=net.pairs_hurt, pairs=pairs)


def net_in_words(name: str, net: Net) -> str:
    """Return what is drawn of a net."""
    said = counted(len(net.bytes_), "link")
    if dead := sorted(node.name or say("the hub") for node in net.dead):
        said = ", ".join([said, say("{names} crossed out", names=listed(dead))])
    if net.done_to:
        said = "; ".join([said, what_stopped(net)])
    if net.done_to and net.pairs_hurt:
        radius = say("{amount} pair seconds", amount=amount(net.blast_pair_s))
        said = f"{said} ({radius})"
    return f"{name}: {said}."
