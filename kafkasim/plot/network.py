"""Who talked to whom, as a picture.

Up to 40 nodes stand for themselves; of more, the members of a group and then the
sources are drawn as one, and what is still too many is left out by name.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Literal

from kafkasim.analysis import wiring
from kafkasim.analysis.frames import ATTRIBUTE
from kafkasim.catalogue import mark, say, say_many
from kafkasim.errors import ValidationError
from kafkasim.plot.captions import Words, give_words
from kafkasim.plot.headings import headline
from kafkasim.plot.nouns import NOUNS
from kafkasim.plot.sizes import now
from kafkasim.plot.style import (
    GREY,
    OKABE_ITO,
    canvas,
    nothing,
    stroke,
    style,
)
from kafkasim.plot.words import amount, caption_of, counted, listed, percent
from kafkasim.result.result import Result

if TYPE_CHECKING:
    import networkx as nx
    from matplotlib.axes import Axes

Weight = Literal["moved_bytes", "request_count", "connection_count"]

MOST_NODES: Final = 40
"""Nodes that are drawn."""

_ROOMY: Final = 9
"""Nodes in a column up to which each has two lines of text."""

_COLUMNS: Final = {"source": 0.0, "member": 2.0, "subscriber": 2.0}
_LOOKS: Final = {
    "source": (OKABE_ITO["blue"], "o"),
    "broker": (OKABE_ITO["orange"], "s"),
    "member": (OKABE_ITO["green"], "^"),
    "subscriber": (OKABE_ITO["green"], "^"),
}
_NOUNS: Final = {
    "moved_bytes": mark("bytes"),
    "request_count": mark("requests"),
    "connection_count": mark("connections"),
}


_COUNTED: Final = {"request_count": "request", "connection_count": "connection"}


def topology(
    data: "Result | nx.DiGraph[str]",
    *,
    weight: Weight = "moved_bytes",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw who talked to whom: sources, brokers, subscribers from left to right.

    Parameters
    ----------
    data : Result or networkx.DiGraph
        A run, or what `analysis.topology` made of one.
    weight : {"moved_bytes", "request_count", "connection_count"}
        What makes an arrow thick.
    ax : Axes, optional
        What to draw into; a new figure otherwise.

    Returns
    -------
    Axes
        Of more than `MOST_NODES` nodes, the members of each group are drawn as one,
        then the sources too, and of what is left those with the most traffic; the
        title says so.

    Raises
    ------
    ValidationError
        `data` is neither a run nor a graph; there is no such weight.
    TableNotRecorded
        When the run did not record the tables that the figure needs.
    """
    whole = wiring.topology(data) if isinstance(data, Result) else data
    if not hasattr(whole, "in_edges"):
        expected = say("a run, or the graph that analysis.topology made of one")
        raise ValidationError("data", type(data).__name__, expected)
    if weight not in _NOUNS:
        raise ValidationError(
            "weight", weight, say("one of {names}", names=", ".join(_NOUNS))
        )
    graph, note = _condensed(whole, weight)
    places = _places(graph)
    tallest = max(1, *(sum(x == p[0] for p in places.values()) for x in (0, 1, 2)))
    title = _finding(graph, weight) + note
    row = 0.55 if tallest <= _ROOMY else 0.36
    with style():
        ax = canvas(ax, (9.0, min(9.4, 2.2 + row * tallest)))
        if places:
            _draw(ax, graph, places, weight)
        else:
            nothing(ax, say("nobody talked to anybody"))
        headline(ax, title, left=11.0)
    give_words(
        ax, Words(_caption(whole, weight), f"{title}. {_in_words(whole, weight)}")
    )
    return ax


def _caption(graph: "nx.DiGraph[str]", weight: Weight) -> str:
    what = say(
        "Who talked to whom; an arrow is the thicker, the more {things}",
        things=say(_NOUNS[weight]),
    )
    return caption_of(what, graph.graph.get(ATTRIBUTE))


def _heaviest(graph: "nx.DiGraph[str]", weight: Weight) -> list[tuple[str, str, Any]]:
    """Return the edges with their attributes, those with the most traffic first."""
    return sorted(
        graph.edges(data=True), key=lambda edge: (-edge[2][weight], edge[0], edge[1])
    )


def _in_words(graph: "nx.DiGraph[str]", weight: Weight) -> str:
    said = [
        say(
            "{sender} to {receiver} {amount}",
            sender=sender,
            receiver=receiver,
            amount=amount(float(of[weight])),
        )
        for sender, receiver, of in _heaviest(graph, weight)
    ]
    drawn = say(
        "Graph of {nodes} and {arrows}.",
        nodes=counted(graph.number_of_nodes(), "node"),
        arrows=counted(graph.number_of_edges(), "arrow"),
    )
    things = say(_NOUNS[weight]).capitalize()
    return f"{drawn} {things}: {listed(said) or say('none')}."


def _finding(graph: "nx.DiGraph[str]", weight: Weight) -> str:
    """Return between whom most went, and which part of the whole that is."""
    edges = _heaviest(graph, weight)
    total = sum(of[weight] for *_, of in edges)
    if not total:
        return say("No {things} between anybody", things=say(_NOUNS[weight]))
    sender, receiver, of = edges[0]
    alike = sum(each[weight] == of[weight] for *_, each in edges)
    most = say(
        "Most {things}: {sender} to {receiver}",
        things=say(_NOUNS[weight]),
        sender=_name(sender),
        receiver=_name(receiver),
    )
    size = f"{_quantity(of[weight], weight)} ({percent(of[weight] / total)})"
    if alike == 1:
        return f"{most}, {size}"
    return say(
        "{most} and {arrows} alike, each {size}",
        most=most,
        arrows=counted(alike - 1, "other arrow"),
        size=size,
    )


def _condensed(
    graph: "nx.DiGraph[str]", weight: Weight
) -> "tuple[nx.DiGraph[str], str]":
    """Return a graph of at most `MOST_NODES` nodes, and what was done for that."""
    notes = []
    for kind, note, name in (
        (
            "member",
            say("members of a group drawn as one"),
            lambda of: f"subscriber:{of['group']}",
        ),
        (
            "source",
            say("sources drawn as one"),
            lambda _: f"source:{say('all sources')}",
        ),
    ):
        if len(graph) > MOST_NODES:
            graph = _merged(graph, kind, name)
            notes.append(note)
    if len(graph) > MOST_NODES:
        busiest = sorted(graph, key=lambda node: -_traffic(graph, node, weight))
        notes.append(
            say("the {most} busiest of {all} nodes", most=MOST_NODES, all=len(graph))
        )
        graph = graph.subgraph(busiest[:MOST_NODES])
    return graph, f" ({'; '.join(notes)})" if notes else ""


def _merged(
    graph: "nx.DiGraph[str]", kind: str, name: Callable[[dict[str, Any]], str]
) -> "nx.DiGraph[str]":
    """Return the graph with the nodes of a kind that get the same name made one."""
    import networkx as nx

    made: nx.DiGraph[str] = nx.DiGraph(**graph.graph)
    names = {}
    for node, of in graph.nodes(data=True):
        names[node] = name(of) if of.get("kind") == kind else node
        kept = {"kind": names[node].partition(":")[0]} if names[node] != node else of
        made.add_node(names[node], **kept)
        made.nodes[names[node]].setdefault("nodes", 0)
        made.nodes[names[node]]["nodes"] += 1
    for sender, receiver, of in graph.edges(data=True):
        pair = names[sender], names[receiver]
        before = made.edges[pair] if made.has_edge(*pair) else {}
        made.add_edge(*pair, **{each: of[each] + before.get(each, 0) for each in of})
    return made


def _traffic(graph: "nx.DiGraph[str]", node: str, weight: Weight) -> int:
    edges = (*graph.in_edges(node, data=True), *graph.out_edges(node, data=True))
    return sum(of[weight] for *_, of in edges)


def _places(graph: "nx.DiGraph[str]") -> dict[str, tuple[float, float]]:
    """Return where each node stands: a column for each kind, names downwards.

    A shorter column is spread over the height of the tallest, so that arrows part.
    """
    by_column: dict[float, list[str]] = {}
    for name, kind in sorted(
        graph.nodes(data="kind"), key=lambda node: _natural(node[0])
    ):
        by_column.setdefault(_COLUMNS.get(kind, 1.0), []).append(name)
    tallest = max(map(len, by_column.values()), default=1)
    return {
        name: (column, ((len(names) - 1) / 2 - row) * tallest / len(names))
        for column, names in by_column.items()
        for row, name in enumerate(names)
    }


def _name(name: str) -> str:
    """Return a node's name as people say it: `broker 1`, `billing/1`."""
    kind, _, rest = name.partition(":")
    if kind in _COLUMNS:
        return rest
    if kind == "broker":
        return say("broker {broker}", broker=rest)
    if kind == "node":
        return say("node {number}", number=rest)
    return f"{kind} {rest}".strip()


def _label(graph: "nx.DiGraph[str]", name: str, weight: Weight, between: str) -> str:
    """Return a node's name and, at the ends, how much it sent and received."""
    kind = name.partition(":")[0]
    if kind not in _COLUMNS:
        return _name(name)
    sends = kind == "source"
    edges = graph.out_edges if sends else graph.in_edges
    number = sum(of[weight] for *_, of in edges(name, data=True))
    count = graph.nodes[name].get("nodes", 1)
    shown = _name(name)
    if count > 1:
        texts = NOUNS["source" if sends else "member"]
        things = say_many(*texts, count)
        shown = f"{shown} ({things})"
    size = _quantity(number, weight)
    moved = say("sent {size}", size=size) if sends else say("got {size}", size=size)
    return f"{shown}{between}{moved}"


def _quantity(number: int, weight: Weight) -> str:
    if weight == "moved_bytes":
        unit, size = ("MB", 1e6) if number >= 1e6 else ("kB", 1e3)
        return f"{amount(number / size)} {unit}"
    return counted(number, _COUNTED[weight])


def _natural(name: str) -> tuple[str, int]:
    """Sort `billing/10` after `billing/2`."""
    head = name.rstrip("0123456789")
    return head, int(name[len(head) :] or 0)


def _draw(
    ax: "Axes",
    graph: "nx.DiGraph[str]",
    places: dict[str, tuple[float, float]],
    weight: Weight,
) -> None:
    tallest = max(sum(x == place[0] for place in places.values()) for x in (0, 1, 2))
    roomy = tallest <= _ROOMY
    size = stroke(stroke(550.0 if roomy else 180.0))
    _draw_edges(ax, graph, places, weight, size)
    _draw_nodes(ax, graph, places, size)
    away = stroke(16 if roomy else 10)
    sides = {0.0: ("right", -away, 0.0), 2.0: ("left", away, 0.0)}
    for name, (x, y) in places.items():
        side = sides.get(x, ("center", 0.0, stroke(22 if roomy else 14)))
        ax.annotate(
            _label(graph, name, weight, "\n" if roomy else ", "),
            (x, y),
            xytext=side[1:],
            textcoords="offset points",
            ha=side[0],
            va="center",
            fontsize="small" if roomy else _row_points(ax, tallest),
            annotation_clip=False,
        )
    heights = [y for _, y in places.values()]
    ax.set_xlim(-0.1, 2.1)
    ax.set_ylim(min(heights) - 0.6, max(heights) + 0.8)
    ax.set_axis_off()


def _row_points(ax: "Axes", rows: int) -> float:
    """Return the size of text that fits between so many rows, in points."""
    high = ax.get_position().height * ax.figure.bbox.height / ax.figure.dpi
    return min(0.72 * now().text, 0.75 * 72 * high / rows)


def _draw_edges(
    ax: "Axes",
    graph: "nx.DiGraph[str]",
    places: dict[str, tuple[float, float]],
    weight: Weight,
    size: float,
) -> None:
    import networkx as nx

    amounts = [of[weight] for *_, of in graph.edges(data=True)]
    heaviest = max(amounts, default=0) or 1
    many = len(amounts) > MOST_NODES
    thickest, tip = stroke(2.6 if many else 5.2), stroke(8 if many else 16)
    nx.draw_networkx_edges(
        graph,
        places,
        ax=ax,
        width=[
            stroke(0.6) + thickest * (number / heaviest) ** 0.5 for number in amounts
        ],
        edge_color=GREY,
        alpha=0.55 if many else 1.0,
        arrowsize=max(1, round(tip)),
        node_size=size * 1.27,
        connectionstyle="arc3,rad=0.06",
    )


def _draw_nodes(
    ax: "Axes",
    graph: "nx.DiGraph[str]",
    places: dict[str, tuple[float, float]],
    size: float,
) -> None:
    import networkx as nx

    kinds = dict(graph.nodes(data="kind"))
    for kind in dict.fromkeys(kinds.values()):
        colour, shape = _LOOKS.get(kind, (GREY, "D"))
        nx.draw_networkx_nodes(
            graph,
            places,
            nodelist=[name for name in graph if kinds[name] == kind],
            ax=ax,
            node_color=colour,
            node_shape=shape,
            node_size=size,
            edgecolors="white",
        )
