"""The figure of the offset explorer: artists stay, their places are numbers."""

from functools import cache
from itertools import combinations

import numpy as np
import pytest
from matplotlib.text import Text

import kafkasim as ks
from kafkasim.widgets.offset_picture import OffsetCanvas
from kafkasim.widgets.offset_shown import Shown, shown_of
from kafkasim.widgets.offset_traffic import (
    CRASHES,
    OTHER,
    Commit,
    CrashPoint,
    Values,
    scenario_at,
)


@cache
def seen(commit: Commit, crash: CrashPoint, per_poll: int = 4) -> Shown:
    result = ks.run(scenario_at(Values(commit, crash, per_poll)))
    return shown_of(result, CRASHES, OTHER)


@pytest.fixture(scope="module")
def canvas() -> OffsetCanvas:
    return OffsetCanvas()


def places(canvas: OffsetCanvas, look: str) -> set[tuple[int, int]]:
    """Return lane and offset of each box of a look."""
    paths = canvas.boxes[look].get_paths()
    middles = [np.asarray(path.vertices)[:4].mean(axis=0) for path in paths]
    return {(round(float(y)), int(x)) for x, y in middles}


def test_what_is_done_twice_is_marked_in_the_groups_lane(canvas: OffsetCanvas) -> None:
    canvas.update(seen("after_work", "in the work"), None)

    assert places(canvas, "twice") == {(2, 8), (2, 9)}
    assert places(canvas, "begun") == {(0, 10)}
    assert places(canvas, "handed out") == {(0, 11)}
    assert not places(canvas, "never done")
    assert {(3, each) for each in range(20)} <= places(canvas, "done")
    (line,) = canvas.place.get_segments()
    assert np.asarray(line)[0, 0] == 8
    said = [text.get_text() for text in canvas.counts]
    assert said == ["1"] * 8 + ["2"] * 2 + ["1"] * 30


def test_what_is_never_done_is_marked_too(canvas: OffsetCanvas) -> None:
    canvas.update(seen("before_work", "in the work"), seen("auto", "never"))

    assert places(canvas, "never done") == {(2, 10), (2, 11)}
    assert not places(canvas, "twice")


def test_artists_stay_and_a_calm_run_shows_no_crash(canvas: OffsetCanvas) -> None:
    canvas.update(seen("manual", "after the work"), None)
    artists = set(map(id, canvas.figure.findobj()))
    canvas.update(seen("auto", "never"), None)

    assert {id(each) for each in (canvas.at_work, canvas.committed)} <= artists
    assert not canvas.crash.get_segments()
    assert not canvas.place.get_segments()
    assert canvas.crash_text.get_text() == ""


def test_the_list_shows_the_newest_rows_and_how_many_are_older(
    canvas: OffsetCanvas,
) -> None:
    shown = seen("manual", "after the work")
    canvas.update(shown, None)
    lines = [text.get_text() for text in canvas.lines if text.get_text()]

    assert sum(line.startswith("partition") for line in lines) == 2
    (older,) = [line for line in lines if "older" in line]
    listed = [line for line in lines if line.lstrip()[:1].isdigit()]
    assert len(listed) + int(older.split()[1]) == len(shown.rows)
    bold = [t.get_text() for t in canvas.lines if t.get_fontweight() == "bold"]
    assert len(bold) == sum(row.newest for row in shown.rows) == 4
    assert bold[-1].endswith("billing, orders-0  offset 20")


@pytest.mark.parametrize(
    ("commit", "crash", "per_poll"),
    [
        ("auto", "never", 4),
        ("manual", "after the work", 1),
        ("before_work", "after the commit", 10),
        ("each_poll", "in the work", 1),
    ],
)
def test_no_text_leaves_the_figure_or_meets_another(
    canvas: OffsetCanvas, commit: Commit, crash: CrashPoint, per_poll: int
) -> None:
    canvas.update(seen(commit, crash, per_poll), None)
    canvas.png()
    unseen = set()
    for axis in (axis for ax in canvas.figure.axes for axis in (ax.xaxis, ax.yaxis)):
        low, high = sorted(axis.get_view_interval())
        beyond = [t for t in axis.get_major_ticks() if not low <= t.get_loc() <= high]
        unseen |= {id(tick.label1) for tick in beyond}
    boxes = {
        (text.get_text(), *text.get_position()): text.get_window_extent()
        for text in canvas.figure.findobj(Text)
        if text.get_text() and text.get_visible() and id(text) not in unseen
    }
    assert len(boxes) > 50
    for name, box in boxes.items():
        assert box.x0 >= 0 and box.y0 >= 0, name
        assert box.x1 <= canvas.figure.bbox.x1, name
        assert box.y1 <= canvas.figure.bbox.y1, name
    for one, other in combinations(boxes, 2):
        meet = boxes[one].shrunk(0.9, 0.8).overlaps(boxes[other].shrunk(0.9, 0.8))
        assert not meet, (one, other)
