import base64
import re

from kafkasim.plot.sizes import sized
from kafkasim.widgets.canvas import Canvas, image


class Line(Canvas[list[float]]):
    def draw(self) -> None:
        axes = self.figure.subplots()
        (self.line,) = axes.plot([])
        axes.set(xlim=(0.0, 1.0), ylim=(0.0, 2.0))

    def update(self, shown: list[float], before: list[float] | None) -> None:
        del before
        self.line.set_data(range(len(shown)), shown)

    def alt_text(self, shown: list[float]) -> str:
        return f"{len(shown)} points"


def test_the_same_figure_has_the_same_bytes() -> None:
    one, other = Line((4.0, 3.0)), Line((4.0, 3.0))
    for canvas in (one, other):
        canvas.update([1.0, 2.0], None)

    assert one.png() == one.png() == other.png()
    assert one.png()[:8] == b"\x89PNG\r\n\x1a\n"


def test_a_slide_s_size_changes_no_explorer() -> None:
    small = Line((4.0, 3.0)).png()

    with sized("slide"):
        assert Line((4.0, 3.0)).png() == small


def test_a_picture_changes_with_its_data() -> None:
    canvas = Line((4.0, 3.0))
    empty = canvas.png()

    canvas.update([1.0, 0.0], None)

    assert canvas.png() != empty


def test_an_image_says_in_words_what_it_shows_and_holds_its_bytes() -> None:
    html = image(b"abc", 'a "quoted" <text>')

    assert 'alt="a &quot;quoted&quot; &lt;text&gt;"' in html
    found = re.search(r'base64,([^"]+)"', html)
    assert found is not None
    assert base64.b64decode(found[1]) == b"abc"
