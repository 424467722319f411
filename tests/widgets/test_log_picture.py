"""The figure of the log explorer: artists that stay, places that are the numbers'."""

from dataclasses import replace
from functools import cache
from itertools import combinations

import numpy as np
import pytest
from matplotlib.text import Text

import kafkasim as ks
from kafkasim.widgets.log_picture import LogCanvas
from kafkasim.widgets.log_shown import Shown, shown_of
from kafkasim.widgets.log_traffic import COMPACT, DELETE, Values, scenario_at
from tests.widgets.test_log_areas import SHOWN


@cache
def seen(policy: str = DELETE, slow: str | None = "slow", **values: int) -> Shown:
    stand = replace(
        Values(),
        policy=policy,  # type: ignore[arg-type]
        slow_reader=slow is not None,
        **values,
    )
    return shown_of(ks.run(scenario_at(stand)), policy, slow, "late")


@pytest.fixture(scope="module")
def canvas() -> LogCanvas:
    return LogCanvas()


def words(canvas: LogCanvas) -> dict[str, Text]:
    legends = [each for each in canvas.legends.values() if each.get_visible()]
    (legend,) = legends
    return {text.get_text(): text for text in legend.get_texts()}


def test_the_artists_stay_and_their_places_move(canvas: LogCanvas) -> None:
    canvas.update(SHOWN, None)
    artists = set(map(id, canvas.figure.findobj()))
    first = len(canvas.closed.get_paths())
    canvas.update(seen(), SHOWN)
    assert len(canvas.closed.get_paths()) > first == 2
    for artist in (canvas.written, canvas.unread, canvas.slow, canvas.given):
        assert id(artist) in artists


def test_what_is_drawn_are_the_numbers(canvas: LogCanvas) -> None:
    shown = seen()
    canvas.update(shown, None)
    slow, found = shown.slow, shown.found
    assert slow is not None
    went = int(shown.segments.expired.sum())
    ends = [np.asarray(bar)[:, 1].tolist() for bar in canvas.deleted.get_segments()]
    of = shown.segments
    assert ends == np.column_stack((of.base, of.end))[of.expired].tolist()
    assert len(canvas.start.get_segments()) == 1 + went
    assert np.asarray(canvas.slow.get_ydata())[:-1].tolist() == slow.position.tolist()
    assert np.column_stack(canvas.resets.get_data()).tolist() == slow.resets.tolist()
    given = [
        *np.asarray(canvas.given.get_ydata()),
        *np.asarray(canvas.newest.get_ydata()),
    ]
    assert sorted(given) == found.offsets.tolist()
    assert np.asarray(canvas.lost.get_ydata()).tolist() == found.lost.tolist()
    assert np.asarray(canvas.moment.get_xdata())[0] == found.at_s


def test_a_compacted_log_shows_the_records_that_stay(canvas: LogCanvas) -> None:
    shown = seen(COMPACT)
    canvas.update(shown, seen())
    lines = canvas.stays.get_segments()
    assert [np.asarray(line)[0, 1] for line in lines] == shown.stays[:, 0].tolist()
    assert all(np.diff(np.asarray(line)[:, 0])[0] > 0 for line in lines)
    assert len(canvas.merged.get_paths()) == shown.segments.made.sum()
    assert len(canvas.deleted.get_segments()) == 0
    assert len(canvas.unread.get_paths()) == 0
    assert "record that stays in it" in words(canvas)
    assert "log start" not in words(canvas)


def test_who_is_not_there_is_not_in_the_words_below(canvas: LogCanvas) -> None:
    canvas.update(seen(), None)
    assert {"position of the slow reader", "gone unread", "reset"} <= set(words(canvas))
    canvas.update(seen(slow=None), None)
    assert not any("slow" in each or "unread" in each for each in words(canvas))
    assert len(np.asarray(canvas.slow.get_xdata())) == 0
    assert len(canvas.fetched.get_paths()) == 0


def test_the_logs_start_of_the_run_before_is_drawn_when_it_was_another(
    canvas: LogCanvas,
) -> None:
    usual, longer = seen(), seen(retention_s=40)
    signs = canvas.before_signs
    canvas.update(longer, usual)
    assert len(canvas.before.get_segments()) == len(usual.log_start)
    assert all(sign.get_visible() for sign in signs)
    compacted = seen(COMPACT)
    for shown, before in (
        *((longer, longer), (longer, compacted), (longer, None)),
        *((compacted, longer), (compacted, compacted)),
    ):
        canvas.update(shown, before)
        assert canvas.before.get_segments() == []
        assert not any(sign.get_visible() for sign in signs)


def test_both_panels_have_the_same_offsets_and_hold_all(canvas: LogCanvas) -> None:
    usual, longer = seen(), seen(retention_s=40)
    for shown, before in ((longer, usual), (usual, longer)):
        canvas.update(shown, before)
        assert canvas.log_axes.get_ylim() == canvas.found_axes.get_ylim()
        assert canvas.log_axes.get_ylim()[1] > shown.sent
        assert canvas.log_axes.get_xlim()[1] == longer.until_s


@pytest.mark.parametrize("policy", [DELETE, COMPACT])
@pytest.mark.parametrize("slow", [None, "slow"])
def test_no_text_leaves_the_figure_or_meets_another(
    canvas: LogCanvas, policy: str, slow: str | None
) -> None:
    canvas.update(seen(policy, slow, keys=50), seen(retention_s=40))
    canvas.png()
    figure = canvas.figure
    hidden = [each for each in canvas.legends.values() if not each.get_visible()]
    unseen = {id(text) for legend in hidden for text in legend.findobj(Text)}
    for axis in (axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)):
        low, high = axis.get_view_interval()  # ticks beyond it are made, not drawn
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
