"""Who talked to whom, drawn."""

from itertools import pairwise

import networkx as nx
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from matplotlib.text import Text

from kafkasim import analysis, plot
from kafkasim.errors import ValidationError
from kafkasim.plot.sizes import SizeName
from kafkasim.result.result import Result


def test_nodes_stand_from_sources_to_subscribers(five: Result) -> None:
    ax = plot.topology(five)
    places = {
        text.get_text().splitlines()[0]: tuple(text.xy)  # type: ignore[attr-defined]
        for text in ax.texts
    }
    assert places == {
        "web": (0.0, 0.0),
        "broker 1": (1.0, 0.0),
        "billing/1": (2.0, 0.0),
    }
    assert len(ax.findobj(PathCollection)) == 3


def test_ends_say_how_much_went_through_them(five: Result) -> None:
    texts = {text.get_text() for text in plot.topology(five).texts}
    assert {"web\nsent 0.5 kB", "billing/1\ngot 2 MB"} <= texts
    requests = {
        text.get_text() for text in plot.topology(five, weight="request_count").texts
    }
    assert "web\nsent 3 requests" in requests


def test_more_traffic_is_a_thicker_arrow(five: Result) -> None:
    graph = analysis.topology(five)
    arrows = plot.topology(graph).findobj(FancyArrowPatch)
    assert len(arrows) == 2
    widths = sorted(arrow.get_linewidth() for arrow in arrows)
    assert widths[1] > 3 * widths[0] > 0


def test_members_are_sorted_by_number() -> None:
    graph: nx.DiGraph[str] = nx.DiGraph()
    for number in (10, 2, 1):
        graph.add_node(f"member:billing/{number}", kind="member", group="billing")
    ax = plot.topology(graph)
    order = sorted(ax.texts, key=lambda text: -text.xy[1])  # type: ignore[attr-defined]
    names = [text.get_text().splitlines()[0] for text in order]
    assert names == ["billing/1", "billing/2", "billing/10"]


def star(members: int, sources: int = 1, brokers: int = 1) -> "nx.DiGraph[str]":
    """Return sources that send to broker 1, and brokers that send to members."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    edges = [(f"source:web-{number}", "broker:1") for number in range(sources)]
    edges += [
        (f"broker:{broker + 1}", f"member:billing/{member + 1}")
        for broker in range(brokers)
        for member in range(members)
    ]
    for sender, receiver in edges:
        for node in (sender, receiver):
            kind, _, rest = node.partition(":")
            graph.add_node(node, kind=kind, group=rest.split("/")[0])
        graph.add_edge(
            sender, receiver, moved_bytes=1_000, request_count=2, connection_count=1
        )
    return graph


def names(ax: Axes) -> list[str]:
    return [text.get_text().replace("\n", ", ") for text in ax.texts]


def title(ax: Axes) -> str:
    return ax.get_title(loc="left").replace("\n", " ")


@pytest.mark.parametrize("size", ["notebook", "slide", "print"])
def test_forty_nodes_are_drawn_each_and_no_text_touches_another(
    size: SizeName,
) -> None:
    with plot.sized(size):
        ax = plot.topology(star(members=30, sources=5, brokers=5))
    figure = ax.get_figure(root=True)
    assert isinstance(figure, Figure)
    FigureCanvasAgg(figure)
    figure.draw_without_rendering()
    assert len(ax.texts) == 40
    columns: dict[str, list[Text]] = {}
    for text in ax.texts:
        columns.setdefault(text.get_horizontalalignment(), []).append(text)
    for column in columns.values():
        boxes = sorted((t.get_window_extent() for t in column), key=lambda box: box.y0)
        assert all(low.y1 <= high.y0 + 1 for low, high in pairwise(boxes))


def test_more_members_than_fit_are_drawn_as_one_and_the_title_says_so() -> None:
    ax = plot.topology(star(members=60))
    assert "billing (60 members), got 60 kB" in names(ax)
    assert len(ax.texts) == 3
    assert title(ax).endswith("(members of a group drawn as one)")
    assert "Graph of 62 nodes and 61 arrows" in plot.alt_text(ax)


def test_more_sources_than_fit_are_drawn_as_one_too() -> None:
    ax = plot.topology(star(members=3, sources=60))
    assert "all sources (60 sources), sent 60 kB" in names(ax)
    assert "sources drawn as one" in title(ax)


def test_of_what_is_still_too_many_the_busiest_are_drawn() -> None:
    ax = plot.topology(star(members=2, brokers=80))
    assert len(ax.texts) == 40
    assert "the 40 busiest of 82 nodes" in title(ax)


def test_the_title_says_between_whom_most_went(five: Result) -> None:
    assert (
        title(plot.topology(five)) == "Most bytes: broker 1 to billing/1, 2 MB (99.9 %)"
    )
    ax = plot.topology(five, weight="request_count")
    assert title(ax) == "Most requests: web to broker 1, 3 requests (60 %)"
    assert plot.alt_text(ax).startswith(title(ax))


def test_another_weight_is_refused_with_those_there_are(five: Result) -> None:
    with pytest.raises(ValidationError, match="one of moved_bytes"):
        plot.topology(five, weight="weather")  # type: ignore[arg-type]


def test_nobody_who_talked_can_be_drawn(nothing_sent: Result) -> None:
    ax = plot.topology(nothing_sent)
    assert names(ax) == ["nobody talked to anybody"]
