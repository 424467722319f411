"""Why batches closed, as stacked bars."""

from collections.abc import Callable

import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from kafkasim import analysis, plot
from kafkasim.errors import TableNotRecorded
from kafkasim.result.result import Result


def test_shares_are_stacked_to_one(five: Result) -> None:
    ax = plot.batching(five)
    bars = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    assert [bar.get_width() for bar in bars] == pytest.approx([1 / 3, 2 / 3])
    assert [bar.get_x() for bar in bars] == pytest.approx([0, 1 / 3])
    assert len({bar.get_hatch() for bar in bars}) == 2
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["full", "linger"]
    texts = [text.get_text() for text in ax.texts]
    assert texts == ["33 %", "67 %", "1.67 records\nper batch"]
    assert "web 33 % full, 67 % linger" in plot.alt_text(ax)
    title = ax.get_title(loc="left").replace("\n", " ")
    assert (
        title == "67 % of the batches were closed by “linger”; 1.67 records in a batch"
    )


def test_of_many_producers_those_with_most_batches_have_bars(five: Result) -> None:
    table = analysis.batching(five)
    many = pd.concat(
        [
            table.assign(producer=f"web-{number}", batches=table["batches"] * number)
            for number in range(1, 21)
        ]
    )
    ax = plot.batching(many)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == [f"web-{number}" for number in range(9, 21)]
    assert ax.get_ylabel() == "producer (8 more not shown)"


def test_no_batches_can_be_drawn(
    nothing_sent: Result, drawn: Callable[[Axes], Figure]
) -> None:
    drawn(plot.batching(nothing_sent))


def test_a_system_without_batches_says_so(direct: Result) -> None:
    with pytest.raises(TableNotRecorded, match="batches"):
        plot.batching(direct)
