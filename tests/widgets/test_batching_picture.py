"""The figure of the batching explorer: artists that stay, places that are numbers."""

from dataclasses import replace
from functools import cache
from itertools import combinations

import numpy as np
import pytest
from matplotlib.text import Text

import kafkasim as ks
from kafkasim.result.schema import CLOSED_BY
from kafkasim.widgets.batching_picture import BatchingCanvas
from kafkasim.widgets.batching_shown import Shown, shown_of
from kafkasim.widgets.batching_traffic import DURATION_S, Values, scenario_at
from tests.widgets.test_batching_words import NOTHING, PIECE, SHOWN


@cache
def seen(**values: int) -> Shown:
    stand = replace(Values(), **values)
    result = ks.run(scenario_at(stand))
    return shown_of(result, "orders", "billing", stand.linger_ms, DURATION_S)


@pytest.fixture(scope="module")
def canvas() -> BatchingCanvas:
    return BatchingCanvas()


def test_the_artists_stay_and_their_places_move(canvas: BatchingCanvas) -> None:
    canvas.update(SHOWN, None)
    artists = set(map(id, canvas.figure.findobj()))
    first = len(canvas.bars["linger"].get_paths())
    canvas.update(seen(), SHOWN)
    assert len(canvas.bars["linger"].get_paths()) > first == 2
    for artist in (canvas.records, canvas.ruler, canvas.now, canvas.p99):
        assert id(artist) in artists


def test_each_bar_goes_from_the_first_record_of_a_batch_to_its_end(
    canvas: BatchingCanvas,
) -> None:
    canvas.update(SHOWN, None)
    for place, cause in enumerate(CLOSED_BY[:3]):
        corners = [path.vertices for path in canvas.bars[cause].get_paths()]
        mine = PIECE.cause == place
        boxes = [np.asarray(each) for each in corners]
        assert [box[:, 0].min() for box in boxes] == PIECE.opened_ms[mine].tolist()
        middles = [(box[:4, 1].min() + box[:4, 1].max()) / 2 for box in boxes]
        assert middles == pytest.approx(PIECE.row[mine])
        until = np.maximum(PIECE.closed_ms[mine], PIECE.opened_ms[mine] + 0.12)
        assert [box[:, 0].max() for box in boxes] == pytest.approx(until)


def test_a_batch_that_waits_for_its_request_has_a_line(canvas: BatchingCanvas) -> None:
    canvas.update(SHOWN, None)
    (line,) = canvas.waits.get_segments()
    assert np.asarray(line).tolist() == [[107.0, 2.0], [109.0, 2.0]]


def test_the_ruler_is_as_long_as_linger(canvas: BatchingCanvas) -> None:
    for shown in (SHOWN, seen(linger_ms=50), seen(linger_ms=0)):
        canvas.update(shown, None)
        start, end = np.asarray(canvas.ruler.get_xdata())
        assert end - start == pytest.approx(shown.linger_ms)
        assert canvas.ruler_text.get_text() == f"linger: {shown.linger_ms:g} ms"


def test_rows_are_named_by_partition_and_broker(canvas: BatchingCanvas) -> None:
    canvas.update(seen(), None)
    canvas.update(SHOWN, None)
    names = [text.get_text() for text in canvas.queue_axes.get_yticklabels()]
    assert names == ["0", "2", "1"]
    brokers = {
        text.get_text(): text.get_position()[1]
        for text in canvas.brokers
        if text.get_text()
    }
    assert brokers == {"broker 1": 0.5, "broker 2": 2.0}
    (border,) = canvas.borders.get_segments()
    assert np.asarray(border)[:, 1].tolist() == [1.5, 1.5]


def test_shares_sizes_and_steps_are_the_numbers(canvas: BatchingCanvas) -> None:
    before = seen()
    canvas.update(SHOWN, before)
    for run, shown in enumerate((SHOWN, before)):
        shares = [bars.patches[run].get_width() for bars in canvas.cause_bars]
        assert shares == [shown.shares[cause] for cause in CLOSED_BY[:3]]
        steps = [bars.patches[run].get_width() for bars in canvas.time_bars]
        assert steps == shown.steps_ms.tolist()
        begins = [bars.patches[run].get_x() for bars in canvas.time_bars]
        assert begins == pytest.approx(np.cumsum([0.0, *steps[:2]]))
    sizes = np.asarray(canvas.now.get_xdata()).tolist()
    assert sizes == [SHOWN.per_batch, SHOWN.per_request]
    sizes = np.asarray(canvas.was.get_xdata()).tolist()
    assert sizes == [before.per_batch, before.per_request]
    ends = np.asarray(canvas.p99.get_xdata()).tolist()
    assert ends == [SHOWN.latency_ms[1], before.latency_ms[1]]


def test_without_a_run_before_nothing_of_it_is_there(canvas: BatchingCanvas) -> None:
    canvas.update(SHOWN, seen())
    canvas.update(SHOWN, None)
    for bars in (*canvas.cause_bars, *canvas.time_bars):
        assert not bars.patches[1].get_visible()
    assert len(np.asarray(canvas.was.get_xdata())) == 0
    assert not any(name.get_visible() for name in canvas.before_names)


def test_a_run_without_records_can_be_drawn(canvas: BatchingCanvas) -> None:
    canvas.update(NOTHING, SHOWN)
    assert canvas.png()[:4] == b"\x89PNG"
    assert canvas.queue_title.get_text() == "No batch was sent"


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"partitions": 32},
        {"linger_ms": 50, "rate_per_s": 20_000, "brokers": 1},
        {"linger_ms": 50, "batch_kib": 64, "rate_per_s": 20_000, "partitions": 1},
        {"linger_ms": 0, "partitions": 32, "brokers": 1},
    ],
    ids=lambda values: ", ".join(f"{k} {v}" for k, v in values.items()) or "begin",
)
def test_no_text_leaves_the_figure_or_meets_another(
    canvas: BatchingCanvas, values: dict[str, int]
) -> None:
    canvas.update(seen(**values), seen(linger_ms=50))
    canvas.png()
    figure = canvas.figure
    unseen = set()
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
