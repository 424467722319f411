"""Who has less of what: the ratios, the sizes, and both sides told."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.text import Annotation

from kafkasim import plot
from kafkasim.errors import ValidationError
from kafkasim.languages import language
from kafkasim.plot.sizes import SIZES, SizeName
from tests.plot.test_layout import assert_readable


def table() -> pd.DataFrame:
    rows = []
    for size in (1, 2, 3, 4):
        rows.append(("direct", size, 1.0, size * size, 10.0, 2.0))
        rows.append(("hub", size, 1.0, 2 * size, 30.0, 2.0))
    columns = ["system", "size", "wanted", "links", "total_bytes", "latency_ms_p50"]
    return pd.DataFrame(rows, columns=columns)


Y = ("links", "total_bytes", "latency_ms_p50")


def title(ax: Axes) -> str:
    return ax.get_title(loc="left").replace("\n", " ")


def test_lines_are_one_system_by_the_other_and_both_sides_are_told() -> None:
    ax = plot.advantage(table(), y=Y)

    assert np.asarray(ax.lines[0].get_ydata()).tolist() == [2, 1, 2 / 3, 0.5]
    assert np.asarray(ax.lines[1].get_ydata()).tolist() == [3, 3, 3, 3]
    assert (
        title(ax)
        == "Less with direct: bytes in all; less with hub: links from n = 3 on"
    )
    assert "links: 2 times at 1, 0.5 times at 4." in plot.alt_text(ax)


def test_where_all_is_alike_nobody_has_less() -> None:
    ax = plot.advantage(table(), y=["latency_ms_p50"])

    assert title(ax) == "Nobody has less of anything"


@pytest.mark.parametrize("code", ["en", "ko"])
def test_who_has_less_is_told_left_of_the_names_of_the_lines(code: str) -> None:
    language(code)
    try:
        ax = plot.advantage(table(), y=Y)
    finally:
        language("en")
    ax.figure.canvas.draw()
    texts = [each for each in ax.texts if isinstance(each, Annotation)]
    sides = [each for each in texts if each.get_text()[0] in "↑↓"]
    names = [each for each in texts if each not in sides]

    assert len(sides) == 2
    assert len(names) == len(Y)
    assert max(each.get_window_extent().x1 for each in sides) < min(
        each.get_window_extent().x0 for each in names
    )


def test_it_refuses_what_it_cannot_weigh() -> None:
    with pytest.raises(ValidationError, match="two systems"):
        plot.advantage(table().query("system == 'hub'"), y=Y)
    with pytest.raises(ValidationError):
        plot.advantage(table(), y=["weather"])
    other = plot.advantage(table(), y=Y, wanted=0.5)
    assert "no runs" in [each.get_text() for each in other.texts]
    assert_readable(plot.advantage(table()[:0], y=Y))


@pytest.mark.parametrize("size", SIZES)
def test_it_is_readable_at_every_size(size: SizeName) -> None:
    with plot.sized(size):
        assert_readable(plot.advantage(table(), y=Y))
