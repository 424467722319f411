from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest
from matplotlib.text import Text

from kafkasim.widgets.braided import NO_BRAID, Braid
from kafkasim.widgets.partition_picture import (
    MOST_LINES,
    PartitionCanvas,
    drawn_partitions,
    look_of,
)
from kafkasim.widgets.partition_shown import Shown

NAN = float("nan")


def shown(peaks: list[float], *, places: list[int] | None = None) -> Shown:
    lag = np.outer(peaks, [0.0, 1.0, 0.5])
    braid = NO_BRAID
    if places is not None:
        braid = Braid("N1", len(places), 0, 0, 0, np.array(places, dtype=np.int64))
    return Shown(
        at_s=np.array([0.0, 1.0, 2.0]),
        lag=lag,
        total=lag.sum(axis=0),
        sent=100,
        sent_until_s=1.5,
        lag_then=lag[:, 1].astype(np.int64),
        numbers={"latency_ms_p50": 5.0, "latency_ms_p99": 50.0, "drain_s": 0.5},
        braid=braid,
    )


def rows(canvas: PartitionCanvas) -> list[str]:
    return [text.get_text() for _, text in canvas.rows if text.get_text()]


def test_the_artists_stay_and_their_data_moves() -> None:
    canvas = PartitionCanvas()
    first, second = shown([8.0]), shown([3.0, 6.0])

    canvas.update(first, None)
    line, total = canvas.lines[0], canvas.total_line
    assert np.asarray(line.get_ydata()).tolist() == [0.0, 8.0, 4.0]
    assert len(np.asarray(total.get_ydata())) == 0  # one partition is all there is
    canvas.update(second, first)

    assert canvas.lines[0] is line
    assert np.asarray(line.get_ydata()).tolist() == [0.0, 6.0, 3.0]
    assert np.asarray(canvas.lines[1].get_ydata()).tolist() == [0.0, 3.0, 1.5]
    assert np.asarray(total.get_ydata()).tolist() == [0.0, 9.0, 4.5]
    assert np.asarray(canvas.before_line.get_ydata()).tolist() == [0.0, 8.0, 4.0]
    canvas.update(first, None)
    assert len(np.asarray(canvas.lines[1].get_ydata())) == 0


def test_rows_name_partitions_highest_peak_first() -> None:
    canvas = PartitionCanvas()

    canvas.update(shown([3.0, 9.0, 6.0]), shown([40.0]))

    assert rows(canvas) == ["all: 18", "1: 9", "2: 6", "0: 3", "before: 40"]
    canvas.update(shown([3.0]), None)
    assert rows(canvas) == ["0: 3"]


def test_each_of_sixteen_partitions_has_a_look_of_its_own_and_keeps_it() -> None:
    looks = [(look_of(each)["color"], look_of(each)["linestyle"]) for each in range(36)]

    assert len(set(map(str, looks))) == 36
    assert all(one[1] != other[1] for one, other in pairwise(looks[:6]))
    canvas = PartitionCanvas()
    canvas.update(shown([1.0, 2.0]), None)
    assert canvas.lines[0].get_color() == look_of(1)["color"]


def test_of_a_thousand_partitions_sixteen_have_a_line_and_the_others_are_grey() -> None:
    many = shown([float(each % 97) for each in range(1_000)])
    canvas = PartitionCanvas()

    canvas.update(many, None)

    assert len(drawn_partitions(many)) == MOST_LINES
    assert len(canvas.others.get_segments()) == 1_000 - MOST_LINES
    assert len(rows(canvas)) == 1 + MOST_LINES
    assert canvas.png()[:4] == b"\x89PNG"


def test_a_lag_that_is_flat_looks_flat_and_a_high_one_fits() -> None:
    canvas = PartitionCanvas()

    canvas.update(shown([2.0]), None)
    assert canvas.lag_axes.get_ylim()[1] >= 10  # a tenth of what was sent
    canvas.update(shown([2.0]), shown([80.0]))
    assert canvas.lag_axes.get_ylim()[1] > 80


def test_times_stand_on_the_axis_and_beside_it() -> None:
    canvas = PartitionCanvas()
    slow = replace(
        shown([1.0]),
        numbers={"latency_ms_p50": 20_000.0, "latency_ms_p99": 30_000.0, "drain_s": 0},
    )

    canvas.update(shown([1.0]), slow)

    xs = [float(np.asarray(line.get_xdata())[0]) for line in canvas.now]
    assert xs == [5.0, 50.0, 500.0]
    assert [text.get_text() for text in canvas.now_texts] == ["5 ms", "50 ms", "500 ms"]
    assert [text.get_text() for text in canvas.was_texts] == ["20 s", "30 s", "0 ms"]
    low, high = canvas.times_axes.get_xlim()
    assert low == 1.0 and high >= 100_000
    assert float(np.asarray(canvas.was[2].get_xdata())[0]) == low  # 0 has no place


def test_strands_that_cross_are_red_thick_and_marked() -> None:
    canvas = PartitionCanvas()

    canvas.update(shown([1.0], places=[1, 0, 2]), None)

    widths = np.asarray(canvas.strands.get_linewidth()).tolist()
    assert widths[0] > widths[1] == widths[2]
    assert len({tuple(color) for color in np.asarray(canvas.strands.get_color())}) == 2
    assert len(np.asarray(canvas.crosses.get_xdata())) == 1
    ends = [segment[[0, -1], 1].tolist() for segment in canvas.strands.get_segments()]
    assert ends == [[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]]
    canvas.update(shown([1.0], places=[0, 1]), None)
    assert len(np.asarray(canvas.crosses.get_xdata())) == 0


@pytest.mark.parametrize("places", [None, [0]])
def test_no_record_or_one_of_an_entity_is_a_figure(places: list[int] | None) -> None:
    canvas = PartitionCanvas()
    nothing = replace(
        shown([0.0], places=places),
        at_s=np.zeros(3),
        sent=0,
        sent_until_s=0.0,
        numbers={"latency_ms_p50": NAN, "latency_ms_p99": NAN, "drain_s": NAN},
    )

    canvas.update(nothing, None)
    canvas.update(nothing, nothing)

    assert canvas.png()[:4] == b"\x89PNG"
    assert canvas.alt_text(nothing).startswith("No record was appended")
    assert canvas.now_texts[0].get_text() == "–"


def test_no_text_leaves_the_figure_or_meets_another() -> None:
    canvas = PartitionCanvas()
    large = replace(
        shown([23_456.0] * 16, places=list(range(24))[::-1]),
        numbers={
            "latency_ms_p50": 123_000.0,
            "latency_ms_p99": 234_000.0,
            "drain_s": 345.0,
        },
    )
    large = replace(
        large,
        braid=replace(
            large.braid, entity="N14228", records=34_567, overtaken=9_999, first=12_345
        ),
    )

    canvas.update(large, large)
    canvas.png()

    figure = canvas.figure
    boxes = {
        text.get_text(): text.get_window_extent()
        for text in figure.findobj(Text)
        if text.get_text() and text.get_visible()
    }
    for name, box in boxes.items():
        assert box.x0 >= 0 and box.y0 >= 0, name
        assert box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1, name
    for one, other in combinations(boxes, 2):
        meet = boxes[one].shrunk(0.9, 0.9).overlaps(boxes[other].shrunk(0.9, 0.9))
        assert not meet, (one, other)
