"""The figure of the queue explorer: artists stay, their places are numbers."""

from functools import cache
from itertools import combinations

import numpy as np
import pytest
from matplotlib.text import Text

import kafkasim as ks
from kafkasim.widgets.queue_picture import UNTIL_S, QueueCanvas, _Half
from kafkasim.widgets.queue_shown import Shown, shown_of
from kafkasim.widgets.queue_traffic import FIRST, SECOND, Values, log_at, queue_at


@cache
def seen(values: Values) -> Shown:
    queue, log = ks.run(queue_at(values)), ks.run(log_at(values))
    return shown_of(queue, log, FIRST, SECOND)


@pytest.fixture(scope="module")
def canvas() -> QueueCanvas:
    return QueueCanvas()


def marked(half: _Half, look: str, lane: int) -> list[int]:
    """Return the records that have a box of a look in a lane."""
    paths = half.boxes[look].get_paths()
    middles = [np.asarray(path.vertices)[:4].mean(axis=0) for path in paths]
    return sorted(int(x) for x, y in middles if round(float(y)) == lane)


def test_a_bar_ends_when_the_record_is_gone_and_else_at_the_edge(
    canvas: QueueCanvas,
) -> None:
    canvas.update(seen(Values()), None)

    queue, log = (half.bars.get_segments() for half in (canvas.queue, canvas.log))
    assert len(queue) == len(log) == 40
    lengths = [float(each[1][0] - each[0][0]) for each in map(np.asarray, queue)]
    assert max(lengths) < 0.25
    assert {float(np.asarray(each)[1, 0]) for each in log} == {UNTIL_S}
    assert [float(np.asarray(each)[0, 1]) for each in log] == list(range(40))


def test_boxes_and_counts_say_what_is_left_and_who_had_it(canvas: QueueCanvas) -> None:
    canvas.update(seen(Values(replay=True)), None)

    assert marked(canvas.queue, "gone, or never had", 0) == list(range(40))
    assert marked(canvas.log, "there, or had once", 0) == list(range(40))
    assert marked(canvas.log, "had again", 1) == list(range(39))
    assert marked(canvas.queue, "had again", 1) == []
    assert marked(canvas.queue, "gone, or never had", 2) == list(range(40))
    assert [text.get_text() for text in canvas.queue.counts] == ["0", "40", "0"]
    assert [text.get_text() for text in canvas.log.counts] == ["40"] * 3


def test_what_was_left_is_crossed_and_lines_stand_at_the_moments(
    canvas: QueueCanvas,
) -> None:
    canvas.update(seen(Values(dies=True)), None)
    artists = set(map(id, canvas.figure.findobj()))
    for half in (canvas.queue, canvas.log):
        assert np.asarray(half.left.get_ydata()).tolist() == [16]
        at_s = [float(np.asarray(line)[0, 0]) for line in half.moments.get_segments()]
        assert at_s == [8.1, 20.0]

    canvas.update(seen(Values(second_s=0)), None)
    assert id(canvas.log.first) in artists
    assert not canvas.queue.moments.get_segments()
    assert {text.get_text() for text in canvas.queue.words} == {""}


@pytest.mark.parametrize(
    "values",
    [
        Values(second_s=3, dies=True, replay=True),
        Values(second_s=30, dies=True, replay=True, in_time=True),
    ],
)
def test_no_text_leaves_the_figure_or_meets_another(
    canvas: QueueCanvas, values: Values
) -> None:
    canvas.update(seen(values), None)
    canvas.png()
    unseen = set()
    for axis in (axis for ax in canvas.figure.axes for axis in (ax.xaxis, ax.yaxis)):
        low, high = sorted(axis.get_view_interval())
        beyond = [t for t in axis.get_major_ticks() if not low <= t.get_loc() <= high]
        unseen |= {id(tick.label1) for tick in beyond}
    boxes = [
        (text.get_text(), text.get_window_extent())
        for text in canvas.figure.findobj(Text)
        if text.get_text() and text.get_visible() and id(text) not in unseen
    ]
    assert len(boxes) > 40
    for name, box in boxes:
        assert box.x0 >= 0 and box.y0 >= 0, name
        assert box.x1 <= canvas.figure.bbox.x1, name
        assert box.y1 <= canvas.figure.bbox.y1, name
    for (one, box), (other, place) in combinations(boxes, 2):
        assert not box.shrunk(0.9, 0.8).overlaps(place.shrunk(0.9, 0.8)), (one, other)
