"""The scorecard as a figure: who is best in what, and what does not apply."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from kafkasim import plot
from kafkasim.errors import ValidationError
from kafkasim.plot.sizes import SIZES, SizeName
from tests.plot.test_layout import assert_readable


def table() -> pd.DataFrame:
    columns = ["metric", "label", "better", "tolerance", "direct", "hub"]
    rows = [
        ("links", "links between systems", "less", 0.0, 16.0, 8.0),
        ("throughput_per_s", "throughput (records/s)", "more", 0.1, 200.0, 100.0),
        ("lost", "lost (records)", "less", 0.1, 0.0, 0.0),
        ("latency_ms_p50", "median latency (ms)", "less", 0.0, 7.0001, 7.0002),
        ("kept_share", "records still kept at the end (share)", "more", 0.1, 0.0, 1.0),
        (
            *("pairs_hurt Crash hub", "crash of hub: pairs interrupted", "less", 0.1),
            *(np.nan, 16.0),
        ),
    ]
    return pd.DataFrame(rows, columns=columns)


def bold(ax: Axes) -> list[str]:
    """Return what is written in bold below the names of the systems."""
    return [
        each.get_text()
        for each in ax.texts
        if each.get_fontweight() == "bold" and each.get_position()[1] > 0
    ]


def test_the_best_values_of_a_row_are_marked_unless_all_are_alike() -> None:
    ax = plot.scorecard(table())

    assert bold(ax) == ["8", "200", "100 %"]
    grounds = [each for each in ax.patches if isinstance(each, Rectangle)]
    assert [each.get_y() + 0.46 for each in grounds] == pytest.approx([1, 2, 5])
    assert ax.get_title(loc="left").replace("\n", " ") == (
        "Of 3 metrics that differ, hub is best in 2 and direct in 1"
    )
    texts = [each.get_text() for each in ax.texts]
    assert "↓ links between systems" in texts
    assert "↑ throughput (records/s)" in texts
    assert "–" in texts
    said = plot.alt_text(ax)
    assert "records still kept at the end (share): direct 0 % and hub 100 %." in said
    assert "crash of hub: pairs interrupted: direct – and hub 16." in said


def test_names_of_systems_do_not_touch() -> None:
    names = ["synchronous", "Kafka", "no linger", "asynchronous"]
    many = table()[["metric", "label", "better", "tolerance"]]
    many = many.assign(**{name: float(k) for k, name in enumerate(names)})
    many["label"] = "crash of subscriber-2: blast radius (pairs × s)"
    ax = plot.scorecard(many)
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()

    heads = [each for each in ax.texts if each.get_text() in names]
    boxes = [each.get_window_extent() for each in heads]
    assert [each.get_text() for each in heads] == names
    gaps = [b.x0 - a.x1 for a, b in pairwise(boxes)]
    assert min(gaps) > 0


def test_values_stay_on_their_grounds_however_many_systems_there_are() -> None:
    rows = table()[["metric", "label", "better", "tolerance"]][:1]
    rows["label"] = "crash of subscriber-2: blast radius (pairs × s)"
    many = rows.assign(**{f"s{n}": 0.0309 + n for n in range(5)}, s9=0.0309)
    ax = plot.scorecard(many)
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()

    (first, last) = (each for each in ax.patches if isinstance(each, Rectangle))
    values = [each for each in ax.texts if each.get_text() == "0.0309"]
    for ground, value in zip((first, last), values, strict=True):
        assert value.get_window_extent().x0 > ground.get_window_extent().x0


def test_of_three_systems_two_may_be_best() -> None:
    ax = plot.scorecard(table().assign(relay=[8.0, 100.0, 0.0, 7.0, 0.0, 16.0]))

    assert bold(ax)[:3] == ["8", "8", "200"]
    assert ax.get_title(loc="left").replace("\n", " ") == (
        "Of 3 metrics that differ, hub is best in 2, direct in 1 and relay in 1"
    )


def test_who_is_within_the_tolerance_is_as_good_and_the_figure_says_so() -> None:
    three = table()[:2].assign(relay=[8.5, 185.0])
    ax = plot.scorecard(three)

    assert bold(ax) == ["8", "200", "185"], "of links none is near enough"
    assert ax.get_title(loc="left").replace("\n", " ") == (
        "Of 2 metrics that differ, direct is best in 1, hub in 1 and relay in 1"
    )
    near = "bold: the best and, of what chance changes, all within {} % of it"
    assert near.format(10) in below(ax)
    assert "chance" not in below(plot.scorecard(three.assign(tolerance=0.0)))
    assert bold(plot.scorecard(three.assign(tolerance=1.0))) == []


def below(ax: Axes) -> str:
    """Return the line that says how the figure is read."""
    (text,) = (each.get_text() for each in ax.texts if "↓ less" in each.get_text())
    return text.replace("\n", " ").replace("\N{NO-BREAK SPACE}", " ")


def test_one_system_alone_is_better_in_nothing() -> None:
    ax = plot.scorecard(table().drop(columns="hub"))

    assert ax.get_title(loc="left") == "No system is better in anything"
    assert bold(ax) == []


def test_what_is_no_scorecard_is_refused_and_an_empty_one_is_not() -> None:
    for column in ("better", "tolerance"):
        with pytest.raises(ValidationError, match=column):
            plot.scorecard(table().drop(columns=column))
    assert "no metric" in [
        each.get_text() for each in plot.scorecard(table()[:0]).texts
    ]


@pytest.mark.parametrize("size", SIZES)
def test_it_is_readable_at_every_size(size: SizeName) -> None:
    rows = pd.concat([table()] * 4, ignore_index=True)
    with plot.sized(size):
        assert_readable(plot.scorecard(rows))
        assert_readable(plot.scorecard(rows.assign(queue=3.0, relay=2.0)))
