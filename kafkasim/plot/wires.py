"""Who talked to whom, as a picture."""

from typing import TYPE_CHECKING, Final, Literal

from kafkasim.analysis import wiring
from kafkasim.analysis.frames import ATTRIBUTE
from kafkasim.plot.spoken import Words, say
from kafkasim.plot.style import GREY, OKABE_ITO, canvas, style
from kafkasim.plot.words import amount, caption_of, listed
from kafkasim.result.result import Result

if TYPE_CHECKING:
    import networkx as nx
    from matplotlib.axes import Axes

Weight = Literal["moved_bytes", "request_count", "connection_count"]

_COLUMNS: Final = {"source": 0.0, "member": 2.0, "subscriber": 2.0}
_LOOKS: Final = {
    "source": (OKABE_ITO["blue"], "o"),
    "broker": (OKABE_ITO["orange"], "s"),
    "member": (OKABE_ITO["green"], "^"),
    "subscriber": (OKABE_ITO["green"], "^"),
}
_NOUNS: Final = {
    "moved_bytes": "bytes",
    "request_count": "requests",
    "connection_count": "connections",
}


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
    """
    graph = wiring.topology(data) if isinstance(data, Result) else data
    places = _places(graph)
    tallest = max((1.0, *(sum(x == p[0] for p in places.values()) for x in (0, 1, 2))))
    with style():
        ax = canvas(ax, (9.0, min(9.0, 2.2 + 0.55 * tallest)))
        _draw(ax, graph, places, weight)
        ax.set_title(f"Who talked to whom (thickness: {_NOUNS[weight]})")
    edges = sorted(
        graph.edges(data=True), key=lambda edge: (-edge[2][weight], edge[0], edge[1])
    )
    said = [
        f"{sender} to {receiver} {amount(float(of[weight]))}"
        for sender, receiver, of in edges
    ]
    alt = (
        f"Graph of {graph.number_of_nodes()} nodes and {graph.number_of_edges()} "
        f"arrows. {_NOUNS[weight].capitalize()}: {listed(said)}."
    )
    say(ax, Words(caption_of("Who talked to whom", graph.graph.get(ATTRIBUTE)), alt))
    return ax


def _places(graph: "nx.DiGraph[str]") -> dict[str, tuple[float, float]]:
    """Return where each node stands: a column for each kind, names downwards."""
    by_column: dict[float, list[str]] = {}
    for name, kind in sorted(
        graph.nodes(data="kind"), key=lambda node: _natural(node[0])
    ):
        by_column.setdefault(_COLUMNS.get(kind, 1.0), []).append(name)
    return {
        name: (column, (len(names) - 1) / 2 - row)
        for column, names in by_column.items()
        for row, name in enumerate(names)
    }


def _label(graph: "nx.DiGraph[str]", name: str, weight: Weight) -> str:
    """Return a node's name and, at the ends, how much it sent and received."""
    kind, _, rest = name.partition(":")
    if kind not in _COLUMNS:
        return f"{kind} {rest}".strip()
    sends = kind == "source"
    edges = graph.out_edges if sends else graph.in_edges
    number = sum(of[weight] for *_, of in edges(name, data=True))
    verb = "sent" if sends else "got"
    return f"{rest}\n{verb} {_quantity(number, weight)}"


def _quantity(number: int, weight: Weight) -> str:
    if weight == "moved_bytes":
        unit, size = ("MB", 1e6) if number >= 1e6 else ("kB", 1e3)
        return f"{amount(number / size)} {unit}"
    return f"{number:,} {_NOUNS[weight]}"


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
    _draw_edges(ax, graph, places, weight)
    _draw_nodes(ax, graph, places)
    for name, (x, y) in places.items():
        side = {0.0: ("right", -16, 0), 2.0: ("left", 16, 0)}.get(x, ("center", 0, 24))
        ax.annotate(
            _label(graph, name, weight),
            (x, y),
            xytext=side[1:],
            textcoords="offset points",
            ha=side[0],
            va="center",
            fontsize=12,
            annotation_clip=False,
        )
    heights = [y for _, y in places.values()] or [0.0]
    ax.set_xlim(-0.1, 2.1)
    ax.set_ylim(min(heights) - 0.6, max(heights) + 0.8)
    ax.set_axis_off()


def _draw_edges(
    ax: "Axes",
    graph: "nx.DiGraph[str]",
    places: dict[str, tuple[float, float]],
    weight: Weight,
) -> None:
    import networkx as nx

    amounts = [of[weight] for *_, of in graph.edges(data=True)]
    heaviest = max(amounts, default=0) or 1
    nx.draw_networkx_edges(
        graph,
        places,
        ax=ax,
        width=[0.8 + 5.2 * (number / heaviest) ** 0.5 for number in amounts],
        edge_color=GREY,
        arrowsize=16,
        node_size=700,
        connectionstyle="arc3,rad=0.06",
    )


def _draw_nodes(
    ax: "Axes", graph: "nx.DiGraph[str]", places: dict[str, tuple[float, float]]
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
            node_size=550,
            edgecolors="white",
        )
