"""The figure of the topology explorer: artists stay, their places are numbers."""

from itertools import combinations
from math import hypot
from typing import Any

import numpy as np
import pytest
from matplotlib.lines import Line2D
from matplotlib.text import Text

from kafkasim.analysis.wired import HUB, Node
from kafkasim.widgets.topology_picture import TopologyCanvas, places
from tests.widgets.test_topology_shown import seen


@pytest.fixture(scope="module")
def canvas() -> TopologyCanvas:
    return TopologyCanvas()


def edges(canvas: TopologyCanvas, kind: str) -> list[int]:
    return [len(net.edges[kind].get_segments()) for net in canvas.nets]


def crossed(canvas: TopologyCanvas) -> list[int]:
    return [len(np.asarray(net.crosses.get_xdata())) for net in canvas.nets]


def test_the_artists_stay_and_their_places_move(canvas: TopologyCanvas) -> None:
    canvas.update(seen(), None)
    artists = set(map(id, canvas.figure.findobj()))
    canvas.update(seen(sources=1), seen())

    kept = [canvas.title, *canvas.lines, *canvas.nets[0].edges.values()]
    assert {id(each) for each in kept} <= artists
    assert edges(canvas, "usual") == [4, 5]


def test_links_are_usual_new_or_hurt(canvas: TopologyCanvas) -> None:
    canvas.update(seen(), None)
    assert [edges(canvas, kind) for kind in ("usual", "new", "hurt")] == [
        [16, 8],
        [0, 0],
        [0, 0],
    ]
    canvas.update(seen(one_more=True), None)
    assert [edges(canvas, kind) for kind in ("usual", "new")] == [[16, 8], [4, 1]]
    canvas.update(seen(crash="the hub"), None)
    assert edges(canvas, "hurt") == [0, 8]


def test_who_is_dead_is_crossed_out_where_it_is(canvas: TopologyCanvas) -> None:
    canvas.update(seen(crash="the hub"), None)
    assert crossed(canvas) == [0, 1]
    canvas.update(seen(crash="a subscriber"), None)
    assert crossed(canvas) == [1, 1]
    canvas.update(seen(), None)
    assert crossed(canvas) == [0, 0]
    assert not canvas.dead.get_visible()


def test_a_link_is_the_thicker_the_more_went_over_it(canvas: TopologyCanvas) -> None:
    canvas.update(seen(), None)
    widths = [np.asarray(net.edges["usual"].get_linewidth()) for net in canvas.nets]

    assert widths[1].max() > widths[1].min() > 0
    assert widths[1].max() > widths[0].max()


def test_a_burst_is_cut_and_its_height_said(canvas: TopologyCanvas) -> None:
    canvas.update(seen(crash="the hub"), None)
    top = seen(crash="the hub").star.line[1].max()

    assert canvas.burst.get_visible()
    assert canvas.burst.get_text() == f" up to {top:,.0f}"
    assert canvas.time_axes.get_ylim()[1] < top
    canvas.update(seen(), None)
    assert not canvas.burst.get_visible()


def test_the_moment_at_which_one_more_comes_says_who(canvas: TopologyCanvas) -> None:
    canvas.update(seen(one_more=True), None)
    assert canvas.who_comes.get_text() == "subscriber-5 comes"
    assert canvas.comes.get_visible()
    canvas.update(seen(), None)
    assert not canvas.comes.get_visible()
    assert not canvas.who_comes.get_text()


def test_nodes_stand_on_a_circle_and_the_hub_in_its_middle() -> None:
    nodes = [HUB, *(Node("source", f"source-{n}") for n in range(1, 11))]
    at = places(nodes)

    assert at[HUB] == (0.0, 0.0)
    around = [at[node] for node in nodes[1:]]
    assert all(hypot(x, y) == pytest.approx(1.0) and x < 0 for x, y in around)
    assert [y for _, y in around] == sorted((y for _, y in around), reverse=True)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"crash": "the hub", "one_more": True},
        {"sources": 10, "subscribers": 10, "one_more": True, "crash": "a subscriber"},
        {"sources": 1, "subscribers": 1, "mode": "synchronous"},
    ],
)
def test_no_text_leaves_the_figure_or_meets_another(
    canvas: TopologyCanvas, changes: dict[str, Any]
) -> None:
    canvas.update(seen(**changes), seen())
    canvas.png()
    figure = canvas.figure
    unseen = set()
    for axis in (canvas.time_axes.xaxis, canvas.time_axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        beyond = [t for t in axis.get_major_ticks() if not low <= t.get_loc() <= high]
        unseen |= {id(tick.label1) for tick in beyond}
    for net in canvas.nets:
        for axis in (net.axes.xaxis, net.axes.yaxis):
            unseen |= {id(tick.label1) for tick in axis.get_major_ticks()}
    texts = [
        text
        for text in figure.findobj(Text)
        if text.get_text() and text.get_visible() and id(text) not in unseen
    ]
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts]
    assert len(boxes) > 12
    for name, box in boxes:
        assert box.x0 >= 0 and box.y0 >= 0, name
        assert box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1, name
    for (one, box), (other, second) in combinations(boxes, 2):
        assert not box.shrunk(0.9, 0.8).overlaps(second.shrunk(0.9, 0.8)), (one, other)


def test_each_kind_of_system_has_a_mark_of_its_own(canvas: TopologyCanvas) -> None:
    marks = [node.get_marker() for node in canvas.nets[0].nodes.values()]

    assert len(set(marks)) == 3
    assert all(isinstance(node, Line2D) for node in canvas.nets[1].nodes.values())
