"""Links by size: what is measured, where the hub has fewer, and what it says."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from kafkasim import plot
from kafkasim.errors import ValidationError
from kafkasim.plot.sizes import SIZES, SizeName
from tests.plot.test_layout import assert_readable


def table(wanted: float = 1.0) -> pd.DataFrame:
    """Return links that no formula gives: 5 of 2 × 2, where 4 are expected."""
    direct = {1: 1, 2: 5, 3: 9, 4: 16}
    rows = [("direct", n, wanted, 0, links) for n, links in direct.items()]
    rows += [("hub", n, wanted, 1, 2 * n) for n in direct]
    columns = ["system", "size", "wanted", "hub_nodes", "links"]
    return pd.DataFrame(rows, columns=columns)


def title(ax: Axes) -> str:
    return ax.get_title(loc="left").replace("\n", " ")


def marks(ax: Axes) -> list[tuple[list[float], list[float]]]:
    return [
        (np.asarray(line.get_xdata()).tolist(), np.asarray(line.get_ydata()).tolist())
        for line in ax.lines
        if line.get_linestyle() == "None"
    ]


def test_marks_are_the_runs_and_lines_the_formulas() -> None:
    ax = plot.crossover(table())

    assert marks(ax)[0] == ([1, 2, 3, 4], [1, 5, 9, 16])
    assert marks(ax)[1] == ([1, 2, 3, 4], [2, 4, 6, 8])
    # The ring is where the runs, and not the formulas, have it.
    assert marks(ax)[2] == ([2], [5])
    assert title(ax) == "hub has fewer links from n = 2 (all pairs)"
    smooth = [line for line in ax.lines if line.get_linestyle() == "-"]
    assert np.asarray(smooth[0].get_ydata()).tolist() == [1, 4, 9, 16]
    assert "Direct, all pairs: from 1 link at 1 to 16 at 4." in plot.alt_text(ax)


def test_a_hub_has_one_line_whatever_is_wanted() -> None:
    ax = plot.crossover(pd.concat([table(), table(0.5)]))

    assert title(ax) == (
        "hub has fewer links from n = 2 (all pairs) and 2 (half of them)"
    )
    assert sum("hub" in each.get_text() for each in ax.texts) == 1


def test_of_a_mesh_and_of_no_crossing() -> None:
    assert title(plot.crossover(table(np.nan))) == (
        "In a mesh hub has fewer links from 2 systems on"
    )
    small = table().query("size == 1")
    assert title(plot.crossover(small)) == "hub has fewer links at no size measured"
    direct = table().query("system == 'direct'")
    assert title(plot.crossover(direct)) == "No hub beside it"


def test_what_is_no_such_table_is_refused_and_an_empty_one_is_not() -> None:
    with pytest.raises(ValidationError):
        plot.crossover(table().drop(columns="links"))
    assert "no runs" in [each.get_text() for each in plot.crossover(table()[:0]).texts]


@pytest.mark.parametrize("size", SIZES)
def test_it_is_readable_at_every_size(size: SizeName) -> None:
    every = pd.concat([table(), table(0.5), table(0.25)])
    with plot.sized(size):
        assert_readable(plot.crossover(every))
        assert_readable(plot.crossover(every.assign(links=np.nan)))
