"""Explorers in other languages: each text from the catalogue, each number the same."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import combinations
from typing import Any

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

import kafkasim as ks
from kafkasim.languages import PSEUDO, language
from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.keys import UniformKeys
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.widgets.explorer import Explorer
from kafkasim.widgets.inputs import Choice

Made = Callable[[], Explorer[Any, Any]]

UNITS = r"ms|s|[KMG]iB|p\d\d"
"""What stands beside numbers, in every language."""


def _of_a_scenario() -> Explorer[Any, Any]:
    """Explore a scenario of one's own, with choices of keys by name."""
    web = Source("orders", Poisson(200), keys=UniformKeys(20))
    traffic = Traffic({"web": web}, {"shop": Subscriber(["orders"], work_ms=1.0)}, 1)
    keys = {"customer": UniformKeys(5)}
    return ks.widgets.partitions(Scenario(traffic), keys=keys)


@dataclass(frozen=True)
class Case:
    """An explorer, and a pattern of the names in its data."""

    make: Made
    names: str


def _case(make: Made, names: str = "Kafka") -> Any:  # noqa: ANN401 - pytest has no type
    return pytest.param(Case(make, names), id=make.__name__)


CASES = [
    _case(ks.widgets.PartitionExplorer, r"key-\d+|orders"),
    _case(_of_a_scenario, r"key-\d+|customer"),
    _case(ks.widgets.LogExplorer),
    _case(ks.widgets.BatchingExplorer),
    _case(ks.widgets.ReplicationExplorer, "[A-Z]+(_[A-Z]+)+"),
    _case(ks.widgets.GroupExplorer),
    _case(ks.widgets.OffsetExplorer, r"__consumer_offsets|billing|audit|orders(-0)?"),
    _case(ks.widgets.TopologyExplorer, r"Kafka|subscriber-\d+"),
    _case(ks.widgets.QueueOrLogExplorer, "billing|audit"),
    _case(
        ks.widgets.ChannelExplorer, r"departures|arrivals|board|billing|archive|N10\d"
    ),
]


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    language("en")


class _Read(HTMLParser):
    """What a page says: its texts, and those in place of pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def handle_data(self, data: str) -> None:
        self.said.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del tag
        for name, value in attrs:
            if name in {"alt", "title", "aria-label"} and value:
                self.said.append(value)


def read(html: str) -> list[str]:
    parser = _Read()
    parser.feed(re.sub(r"<style>.*?</style>", "", html))
    parser.close()
    return parser.said


def widgets_of(widget: Any) -> Iterator[Any]:  # noqa: ANN401 - ipywidgets has no types
    yield widget
    for child in getattr(widget, "children", ()):
        yield from widgets_of(child)


def texts_of(explorer: Explorer[Any, Any]) -> list[str]:
    """Return every text that somebody sees or hears of an explorer."""
    texts = [explorer.alt_text, explorer.message, repr(explorer)]
    for widget in widgets_of(explorer.panel.view):
        for name in ("description", "tooltip", "placeholder"):
            texts += [getattr(widget, name, None) or ""]
        texts += getattr(widget, "_options_labels", ())
        value = getattr(widget, "value", None)
        if isinstance(value, str) and widget is not explorer.panel.folder_box:
            inside = hasattr(widget, "_options_labels")
            texts += [] if inside else read(value)
    figure = explorer.canvas.figure
    texts += [text.get_text() for text in figure.findobj(Text) if text.get_visible()]
    return [text for text in texts if text.strip()]


def outside(text: str) -> set[str]:
    """Return the words of a text that came from no catalogue.

    Those directly in ⟦ ⟧ came from one; those in ⟨ ⟩ were put into one.
    """
    depth, kept = ["⟨"], []
    for letter in text:
        if letter in "⟦⟨":
            depth.append(letter)
            kept.append(" ")
        elif letter in "⟧⟩":
            depth.pop()
            kept.append(" ")
        elif depth[-1] == "⟨":
            kept.append(letter)
    words = re.findall(r"[^\W\d](?:[\w.-]*\w)?", "".join(kept))
    return {word for word in words if not re.fullmatch(UNITS, word)}


def test_words_outside_the_catalogue_are_found() -> None:
    assert outside("⟦about ⟨it⟩⟧ 5 ms") == {"it"}
    assert outside("⟦about ⟨⟦records⟧ 8⟩⟧ of orders") == {"of", "orders"}


def strangers(case: Case, explorer: Explorer[Any, Any]) -> dict[str, set[str]]:
    """Return the texts in which there are words that are no names: text → words."""
    choices = [each for each in explorer._controls.values() if isinstance(each, Choice)]
    names = {word for each in choices for name in each.names for word in outside(name)}
    names.add(type(explorer).__name__)
    found = {}
    for text in texts_of(explorer):
        words = {each for each in outside(text) if not re.fullmatch(case.names, each)}
        if words - names:
            found[text] = words - names
    return found


@pytest.mark.parametrize("case", CASES)
def test_no_explorer_says_anything_outside_the_catalogue(case: Case) -> None:
    language(PSEUDO)

    assert strangers(case, case.make()) == {}


def boxes_of(figure: Figure) -> dict[tuple[str, float, float], Bbox]:
    """Return where each text that is seen stands, by text and place."""
    unseen = set()
    for axis in (axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)):
        low, high = sorted(axis.get_view_interval())
        beyond = [t for t in axis.get_major_ticks() if not low <= t.get_loc() <= high]
        unseen |= {id(tick.label1) for tick in beyond}
    away = (legend for legend in figure.legends if not legend.get_visible())
    unseen |= {id(text) for legend in away for text in legend.findobj(Text)}
    return {
        (text.get_text(), *text.get_position()): text.get_window_extent()
        for text in figure.findobj(Text)
        if text.get_text() and text.get_visible() and id(text) not in unseen
    }


def meeting(figure: Figure) -> list[str]:
    """Return what of a figure's texts is cut off or runs into another."""
    boxes, page = boxes_of(figure), figure.bbox
    found = [
        f"{name} is cut off"
        for (name, *_), box in boxes.items()
        if box.x0 < 0 or box.y0 < 0 or box.x1 > page.x1 or box.y1 > page.y1
    ]
    for one, other in combinations(boxes, 2):
        if boxes[one].shrunk(0.9, 0.8).overlaps(boxes[other].shrunk(0.9, 0.8)):
            found.append(f"{one[0]} meets {other[0]}")
    return found


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_no_answer_has_words_outside_the_catalogue(case: Case) -> None:
    language(PSEUDO)
    explorer = case.make()
    for button in explorer.panel.preset_buttons:
        button.click()
        assert strangers(case, explorer) == {}, button.description


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_korean_answers_fit_the_figure_and_are_those_of_english(case: Case) -> None:
    english = case.make()
    language("ko")
    korean = case.make()
    buttons = (each.panel.preset_buttons for each in (english, korean))
    for asks, asked in zip(*buttons, strict=True):
        language("en")
        asks.click()
        language("ko")
        asked.click()
        assert korean.scenario == english.scenario
        assert korean.result.digest == english.result.digest
        assert korean.canvas.figure.bbox.bounds == english.canvas.figure.bbox.bounds
        assert meeting(korean.canvas.figure) == [], asked.description
