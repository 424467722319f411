"""Who talked to whom, drawn."""

from matplotlib.collections import PathCollection
from matplotlib.patches import FancyArrowPatch

from kafkasim import analysis, plot
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
    import networkx as nx

    graph = nx.DiGraph()
    for number in (10, 2, 1):
        graph.add_node(f"member:billing/{number}", kind="member", group="billing")
    ax = plot.topology(graph)
    order = sorted(ax.texts, key=lambda text: -text.xy[1])  # type: ignore[attr-defined]
    names = [text.get_text().splitlines()[0] for text in order]
    assert names == ["billing/1", "billing/2", "billing/10"]


def test_nobody_who_talked_can_be_drawn(nothing_sent: Result) -> None:
    plot.topology(nothing_sent).figure.canvas.draw()
