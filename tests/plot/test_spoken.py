"""No public figure has a text outside the catalogue, and Korean ones can be read."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from kafkasim import export, plot
from kafkasim.languages import PSEUDO, language
from tests.plot.shown import FIGURES
from tests.plot.test_edges import NO_FIGURE
from tests.plot.test_layout import assert_readable

NAMES = """
    orders web billing audit direct Kafka RabbitMQ hub calm auto before_work sticky
"""
"""What the data are called, here and by whoever wrote a test's table."""
KAFKAS = """
    linger poll sync ISR CRC IO PreparingRebalance CompletingRebalance Stable Empty
    Dead Assigning Reconciling __consumer_offsets null broker subscriber source member
    consumer classic
"""
"""Names of Kafka, and of kinds of things in a run."""
UNITS = "ms kB MB"
MORE = {
    "anatomy": """
        base offset, batch length, partition leader epoch, magic, attributes: none,
        create time; last offset delta, base timestamp, max timestamp, producer id and
        epoch, base sequence, record count, length, timestamp delta, key length, value
        length, header count, key, value, ff
    """,
    "states of a run": "all joined, assignment came",
    "sweep": "partitions",
    "unread": "other",
    "when_one_dies": "one dies",
}
"""Fields of a batch as Kafka names them, and what the data of one figure alone say."""
WORD = re.compile(r"[A-Za-z_]{2,}")
KNOWN = set(WORD.findall(f"{NAMES} {KAFKAS} {UNITS}"))
NUMBERED = re.compile(r"\d+\.log|key-\d")
"""Names of files and of keys."""


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    language("en")


def whole(ax: Axes) -> Figure:
    figure = ax.get_figure(root=True)
    assert isinstance(figure, Figure)
    return figure


def drawn_size(ax: Axes) -> tuple[float, float]:
    """Return the width and height of what is drawn, laid out, in inches."""
    figure = whole(ax)
    figure.draw_without_rendering()
    box = figure.get_tightbbox()
    return float(box.width), float(box.height)


def texts(ax: Axes) -> list[str]:
    """Return everything that a figure says: in the picture, below it, instead of it."""
    figure = whole(ax)
    said = [plot.caption(ax), plot.alt_text(ax)]
    for each in figure.axes:
        each.get_xticklabels(), each.get_yticklabels()
    found = figure.findobj(Text)
    return said + [str(each.get_text()) for each in found]


def outside(text: str) -> str:
    """Return what of a text stands in no ⟦ ⟧, values in its texts included."""
    kept, inside = [], [False]
    for letter in text:
        if letter in "⟦⟨":
            inside.append(letter == "⟦")
        elif letter in "⟧⟩":
            inside.pop()
            kept.append(" ")
        elif not inside[-1]:
            kept.append(letter)
    return "".join(kept)


def strange(text: str, name: str = "") -> set[str]:
    """Return the words of a text that are no name of data or of Kafka, and no unit."""
    known = KNOWN | set(WORD.findall(MORE.get(name, "")))
    return set(WORD.findall(NUMBERED.sub("", text))) - known


def test_every_public_figure_is_among_them() -> None:
    shown = {name.split(" ")[0] for name in FIGURES}
    assert shown == set(plot.__all__) - NO_FIGURE


def test_what_stands_in_no_brackets_is_found() -> None:
    text = "⟦lag of ⟨web⟩⟧ and ⟦more ⟨⟦records⟧⟩⟧"
    assert outside(text).split() == ["web", "and"]
    assert strange(outside("⟦lag of ⟨the lot⟩⟧ (ms)")) == {"the", "lot"}


@pytest.mark.parametrize("name", FIGURES)
def test_no_text_of_a_figure_is_outside_the_catalogue(name: str) -> None:
    language(PSEUDO)
    said = texts(FIGURES[name]())
    found = {text: strange(outside(text), name) for text in said}
    assert {text: words for text, words in found.items() if words} == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", FIGURES)
def test_in_korean_a_figure_is_readable_and_about_as_large(
    name: str, tmp_path: Path
) -> None:
    english = drawn_size(FIGURES[name]())
    language("ko")
    ax = FIGURES[name]()
    assert_readable(ax)
    found = {text: strange(text, name) for text in texts(ax)}
    assert {text: words for text, words in found.items() if words} == {}
    for suffix in ("png", "svg", "pdf"):  # a letter that no font has is a warning
        export.figure(ax, tmp_path / f"figure.{suffix}")
    for wide, before in zip(drawn_size(ax), english, strict=True):
        assert 0.8 < wide / before < 1.2
