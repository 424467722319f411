"""What a notebook shows of axes."""

import base64
import io
import re

from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from kafkasim.plot.axes import DPI, CaptionedAxes, png
from kafkasim.plot.captions import Words, give_words
from kafkasim.plot.style import canvas


def test_a_notebook_gets_a_picture_with_caption_and_alternative_text() -> None:
    ax = canvas(None, (2.0, 1.0))
    assert isinstance(ax, CaptionedAxes)
    give_words(ax, Words('Kafka, "1" broker', "a < b"))
    html = ax._repr_html_()
    assert 'alt="a &lt; b"' in html
    assert "<figcaption>Kafka, &quot;1&quot; broker</figcaption>" in html
    match = re.search(r"base64,([^\"]+)", html)
    assert match is not None
    assert base64.b64decode(match.group(1)).startswith(b"\x89PNG")


def test_the_same_figure_gives_the_same_bytes() -> None:
    pictures = []
    for _ in range(2):
        ax = canvas(None, (2.0, 1.0))
        assert isinstance(ax, CaptionedAxes)
        ax.plot([0, 1], [0, 1])
        give_words(ax, Words("ran", "seen"))
        pictures.append(ax._repr_html_())
    assert pictures[0] == pictures[1]


class Counted(Line2D):
    """A line that knows how often it was drawn."""

    drawn = 0

    def draw(self, renderer: RendererBase) -> None:
        self.drawn += 1
        super().draw(renderer)


def test_a_picture_is_that_of_savefig_drawn_once_and_leaves_the_figure_as_it_was() -> (
    None
):
    ax = canvas(None, (2.0, 1.0))
    figure = ax.get_figure(root=True)
    assert isinstance(figure, Figure)
    line = Counted([0, 1], [0, 1])
    ax.add_line(line)
    figure.dpi = 50
    before = figure.canvas

    picture = png(figure)

    assert line.drawn == 1
    assert (figure.canvas, figure.dpi) == (before, 50)
    saved = io.BytesIO()
    figure.savefig(saved, format="png", dpi=DPI, metadata={"Software": None})
    assert picture == saved.getvalue()
    assert line.drawn == 3
