"""The figure of the group explorer: artists stay, their places are numbers."""

from dataclasses import replace
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.text import Text

import kafkasim as ks
from kafkasim.widgets.group_picture import GroupCanvas, colour, look
from kafkasim.widgets.group_shown import Shown, shown_of
from kafkasim.widgets.group_traffic import MOST_MEMBERS, Values, scenario_at
from tests.widgets.test_group_shown import one_of_three_leaves


@cache
def seen(**changes: Any) -> Shown:  # noqa: ANN401 - of several types
    values = replace(Values(), **changes)
    return shown_of(ks.run(scenario_at(values)), values)


@pytest.fixture(scope="module")
def canvas() -> GroupCanvas:
    return GroupCanvas()


def corners(bars: PolyCollection) -> list[tuple[float, float, float]]:
    """Return lane, beginning and end of each bar."""
    boxes = [np.asarray(path.vertices)[:4] for path in bars.get_paths()]
    return [
        (
            round(float(box[:, 1].mean()), 6),
            float(box[:, 0].min()),
            float(box[:, 0].max()),
        )
        for box in boxes
    ]


def test_the_artists_stay_and_their_places_move(canvas: GroupCanvas) -> None:
    canvas.update(seen(), None)
    artists = set(map(id, canvas.figure.findobj()))
    canvas.update(one_of_three_leaves(), seen())

    assert {id(each) for each in (*canvas.bars.values(), canvas.gaps)} <= artists
    assert np.asarray(canvas.read.get_ydata()).max() == 2
    assert np.asarray(canvas.before.get_ydata()).max() == 6


def test_who_reads_what_is_a_bar_in_the_partitions_lane(canvas: GroupCanvas) -> None:
    canvas.update(one_of_three_leaves(), None)

    assert corners(canvas.bars[1]) == [(0.0, 6.0, 18.0), (0.0, 20.0, 80.0)]
    assert corners(canvas.bars[2]) == [(1.0, 6.0, 16.0)]
    assert corners(canvas.gaps) == [(0.0, 18.0, 20.0), (1.0, 16.0, 20.0)]
    assert corners(canvas.idle) == [(2.35, 6.5, 16.0)]
    assert corners(canvas.unrest) == [(3.35, 0.0, 6.5), (3.35, 16.0, 19.5)]
    names = [text.get_text() for text in canvas.lane_axes.get_yticklabels()]
    assert names == ["partition 0", "partition 1", "no partition", "group"]


def test_without_idle_members_there_is_no_lane_for_them(canvas: GroupCanvas) -> None:
    canvas.update(replace(one_of_three_leaves(), idle=()), None)

    names = [text.get_text() for text in canvas.lane_axes.get_yticklabels()]
    assert names == ["partition 0", "partition 1", "group"]
    assert corners(canvas.unrest)[0][0] == 2.35


def test_long_bars_have_their_members_number(canvas: GroupCanvas) -> None:
    canvas.update(one_of_three_leaves(), None)

    said = {
        (text.get_text(), text.get_position()): text.get_color()
        for text in canvas.numbers
        if text.get_visible()
    }
    assert said[("2", (11.0, 1))] == "white"
    assert said[("3", (11.25, 2.35))] == "black"
    assert len(said) == 5


def test_the_line_of_what_is_read_goes_on_to_the_end(canvas: GroupCanvas) -> None:
    canvas.update(one_of_three_leaves(), None)

    assert np.asarray(canvas.read.get_xdata())[-1] == 80.0
    assert not len(np.asarray(canvas.before.get_xdata()))
    bottom, top = canvas.read_axes.get_ylim()
    assert bottom < 0.0
    assert top > 2.0


def test_each_member_has_a_look_of_its_own() -> None:
    looks = [tuple(look(number).values()) for number in range(1, MOST_MEMBERS + 2)]

    assert len(set(looks)) == MOST_MEMBERS + 1
    assert colour(1) != colour(2)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"members": 7, "event": "crash"},
        {"members": 8, "partitions": 12, "event": "add"},
        {"members": 8, "partitions": 1},
        {"members": 1, "partitions": 1},
        {"protocol": "KIP-848", "event": "add"},
        {"protocol": "static", "event": "restart", "members": 8},
    ],
)
def test_no_text_leaves_the_figure_or_meets_another(
    canvas: GroupCanvas, changes: dict[str, Any]
) -> None:
    canvas.update(seen(**changes), seen())
    canvas.png()
    figure = canvas.figure
    unseen = {id(tick.label1) for tick in canvas.lane_axes.xaxis.get_major_ticks()}
    for axis in (axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)):
        low, high = sorted(axis.get_view_interval())
        beyond = [t for t in axis.get_major_ticks() if not low <= t.get_loc() <= high]
        unseen |= {id(tick.label1) for tick in beyond}
    boxes = {
        (text.get_text(), text.get_position()): text.get_window_extent()
        for text in figure.findobj(Text)
        if text.get_text() and text.get_visible() and id(text) not in unseen
    }
    assert len(boxes) > 12
    for name, box in boxes.items():
        assert box.x0 >= 0 and box.y0 >= 0, name
        assert box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1, name
    for one, other in combinations(boxes, 2):
        meet = boxes[one].shrunk(0.9, 0.8).overlaps(boxes[other].shrunk(0.9, 0.8))
        assert not meet, (one, other)
