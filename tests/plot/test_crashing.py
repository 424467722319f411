"""What a crash costs: the cells, what they say, and that grey tells them apart."""

import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from kafkasim import plot
from kafkasim.errors import ValidationError
from kafkasim.plot.sizes import SIZES, SizeName
from tests.plot.test_layout import assert_readable


def table() -> pd.DataFrame:
    points = ["before the work", "in the work"]
    return pd.DataFrame(
        {
            "commit": ["auto", "auto", "before_work", "before_work"],
            "point": points * 2,
            "twice": [0, 2, 0, 1],
            "never": [0, 0, 0, 8],
        }
    )


def cells(ax: Axes) -> dict[tuple[float, float], Rectangle]:
    """Return the boxes by column and row."""
    return {
        (patch.get_x() + 0.5, patch.get_y() + 0.5): patch
        for patch in ax.patches
        if isinstance(patch, Rectangle)
    }


def grey(patch: Rectangle) -> float:
    red, green, blue = to_rgb(patch.get_facecolor())
    return 0.299 * red + 0.587 * green + 0.114 * blue


def test_each_crash_is_a_cell_that_says_what_it_cost() -> None:
    ax = plot.crash_points(table())

    assert [each.get_text() for each in ax.get_yticklabels()] == ["auto", "before_work"]
    assert [(each.get_position(), each.get_text()) for each in ax.texts[:4]] == [
        ((0, 0), "each once"),
        ((0, 1), "each once"),
        ((1, 0), "2 twice"),
        ((1, 1), "1 twice\n8 never"),
    ]
    assert ax.get_title(loc="left").replace("\n", " ") == (
        "before_work loses up to 8 records, auto repeats up to 2"
    )
    assert (
        "before_work: before the work each once, in the work 1 twice and 8 never"
        in (plot.alt_text(ax))
    )


def test_a_loss_a_repetition_and_neither_differ_in_grey() -> None:
    found = cells(plot.crash_points(table()))

    once, twice, never = (grey(found[place]) for place in ((0, 0), (1, 0), (1, 1)))
    assert once - twice > 0.1
    assert twice - never > 0.3
    assert found[1, 0].get_hatch()


def test_where_nothing_goes_wrong_the_title_says_so() -> None:
    ax = plot.crash_points(table().assign(twice=0, never=0))

    assert ax.get_title(loc="left") == "Every record is done once"


def test_what_is_no_such_table_is_refused_and_an_empty_one_is_not() -> None:
    with pytest.raises(ValidationError, match="what crash_points returns"):
        plot.crash_points(table().drop(columns="never"))
    assert [each.get_text() for each in plot.crash_points(table()[:0]).texts] == [
        "no crash"
    ]


@pytest.mark.parametrize("size", SIZES)
def test_it_is_readable_at_every_size(size: SizeName) -> None:
    with plot.sized(size):
        assert_readable(plot.crash_points(table()))
