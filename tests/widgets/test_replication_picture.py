"""The figure of the replication explorer: artists stay, their places are numbers."""

from collections.abc import Callable
from functools import cache
from itertools import combinations

import numpy as np
import pytest
from matplotlib.text import Text

from kafkasim.result.result import Result
from kafkasim.widgets.replication_picture import ReplicationCanvas
from kafkasim.widgets.replication_shown import Shown, shown_of
from tests.analysis.test_copies import by_hand, leader_dies, leader_is_lost, start
from tests.plot.test_replicating import followers_die


@cache
def seen(which: str) -> Shown:
    made: dict[str, Callable[[], Result]] = {
        "dies": leader_dies,
        "lost": leader_is_lost,
        "refused": lambda: followers_die(acked=False),
        "hidden": lambda: followers_die(acked=True),
        "nothing": lambda: by_hand(2.0, replicas=start(), appends=[], batches=[]),
    }
    return shown_of(made[which](), "orders")


@pytest.fixture(scope="module")
def canvas() -> ReplicationCanvas:
    return ReplicationCanvas()


def corners(canvas: ReplicationCanvas, state: str) -> list[tuple[float, float, float]]:
    """Return lane, beginning and end of each bar of a state."""
    boxes = [
        np.asarray(path.vertices)[:4]
        for path in canvas.lanes[state].get_paths()  # type: ignore[index]
    ]
    return [
        (
            round(float(box[:, 1].mean()), 6),
            float(box[:, 0].min()),
            float(box[:, 0].max()),
        )
        for box in boxes
    ]


def test_the_artists_stay_and_their_places_move(canvas: ReplicationCanvas) -> None:
    canvas.update(seen("lost"), None)
    artists = set(map(id, canvas.figure.findobj()))
    canvas.update(seen("dies"), seen("lost"))

    assert np.asarray(canvas.log_end.get_ydata()).max() == 800
    for artist in (canvas.log_end, canvas.high, canvas.unsafe, canvas.refused):
        assert id(artist) in artists


def test_each_part_of_each_broker_is_a_bar_in_its_lane(
    canvas: ReplicationCanvas,
) -> None:
    canvas.update(seen("dies"), None)

    assert corners(canvas, "leader") == [(0.0, 0.0, 4.0), (1.0, 12.9, 18.0)]
    assert corners(canvas, "down, in sync") == [(0.0, 4.0, 12.9)]
    assert corners(canvas, "behind") == [(0.0, 14.0, 14.5)]
    names = [text.get_text() for text in canvas.lane_axes.get_yticklabels()]
    assert names == ["broker 1", "broker 2", "broker 3", "producer"]


def test_what_is_acknowledged_and_hidden_is_an_area_up_to_what_was_told(
    canvas: ReplicationCanvas,
) -> None:
    canvas.update(seen("hidden"), None)
    area = np.asarray(canvas.hidden.get_paths()[0].vertices)
    assert area[:, 1].max() == 240
    assert area[area[:, 0] > 8.0, 1].min() == 180

    canvas.update(seen("dies"), None)
    area = np.asarray(canvas.hidden.get_paths()[0].vertices)
    high = seen("dies").copies.high_watermark
    assert (area[:, 1] <= high.value.max()).all()
    # 290 was acknowledged and committed, and 300 in the log: no height at 12.9 s.
    assert (area == [12.9, 290.0]).all(axis=1).sum() == 2


def test_what_an_election_gave_up_is_marked(canvas: ReplicationCanvas) -> None:
    canvas.update(seen("lost"), None)
    (mark,) = canvas.lost.get_segments()
    assert np.asarray(mark).tolist() == [[8.0, 30.0], [8.0, 50.0]]

    canvas.update(seen("dies"), None)
    assert not canvas.lost.get_segments()


def test_refusals_are_marks_beside_the_producer(canvas: ReplicationCanvas) -> None:
    canvas.update(seen("refused"), None)

    times = np.asarray(canvas.refused.get_xdata())
    assert (times.min(), len(times)) == (pytest.approx(9.6), 50)
    canvas.update(seen("dies"), None)
    assert not len(np.asarray(canvas.refused.get_xdata()))


def test_the_run_before_is_its_high_watermark(canvas: ReplicationCanvas) -> None:
    canvas.update(seen("dies"), seen("refused"))
    assert np.asarray(canvas.before.get_ydata()).max() == 180
    assert canvas.offset_axes.get_xlim() == canvas.lane_axes.get_xlim() == (0.0, 18.0)

    canvas.update(seen("dies"), None)
    assert not len(np.asarray(canvas.before.get_xdata()))


def test_a_run_without_records_can_be_drawn(canvas: ReplicationCanvas) -> None:
    canvas.update(seen("nothing"), seen("lost"))

    assert canvas.png()[:4] == b"\x89PNG"
    assert canvas.title.get_text() == "Nothing was written to this partition"


def test_events_are_named_where_they_happen(canvas: ReplicationCanvas) -> None:
    canvas.update(seen("dies"), None)

    said = {each.get_text(): each.get_position()[0] for each in canvas.event_texts}
    assert said["broker 1: crash"] == pytest.approx(4.0, abs=0.2)
    assert said["broker 1: back"] == pytest.approx(14.0, abs=0.2)
    upper, lower = canvas.event_lines
    assert len(upper.get_segments()) == len(lower.get_segments()) == 2


@pytest.mark.parametrize("which", ["dies", "lost", "refused", "hidden"])
def test_no_text_leaves_the_figure_or_meets_another(
    canvas: ReplicationCanvas, which: str
) -> None:
    canvas.update(seen(which), seen("dies"))
    canvas.png()
    figure = canvas.figure
    unseen = {id(tick.label1) for tick in canvas.offset_axes.xaxis.get_major_ticks()}
    for axis in (axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)):
        low, high = sorted(axis.get_view_interval())
        beyond = [t for t in axis.get_major_ticks() if not low <= t.get_loc() <= high]
        unseen |= {id(tick.label1) for tick in beyond}
    boxes = {
        (text.get_text(), text.get_position()): text.get_window_extent()
        for text in figure.findobj(Text)
        if text.get_text() and text.get_visible() and id(text) not in unseen
    }
    assert len(boxes) > 20
    for name, box in boxes.items():
        assert box.x0 >= 0 and box.y0 >= 0, name
        assert box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1, name
    for one, other in combinations(boxes, 2):
        meet = boxes[one].shrunk(0.9, 0.9).overlaps(boxes[other].shrunk(0.9, 0.9))
        assert not meet, (one, other)
