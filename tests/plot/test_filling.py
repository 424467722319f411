"""Why batches closed, as stacked bars."""

import pytest
from matplotlib.patches import Rectangle

from kafkasim import plot
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


def test_no_batches_can_be_drawn(nothing_sent: Result) -> None:
    plot.batching(nothing_sent).figure.canvas.draw()


def test_a_system_without_batches_says_so(direct: Result) -> None:
    with pytest.raises(TableNotRecorded, match="batches"):
        plot.batching(direct)
