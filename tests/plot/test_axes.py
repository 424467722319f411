"""What a notebook shows of axes."""

import base64
import re

from kafkasim.plot.axes import CaptionedAxes
from kafkasim.plot.captions import Words, say
from kafkasim.plot.style import canvas


def test_a_notebook_gets_a_picture_with_caption_and_alternative_text() -> None:
    ax = canvas(None, (2.0, 1.0))
    assert isinstance(ax, CaptionedAxes)
    say(ax, Words('Kafka, "1" broker', "a < b"))
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
        say(ax, Words("ran", "seen"))
        pictures.append(ax._repr_html_())
    assert pictures[0] == pictures[1]
