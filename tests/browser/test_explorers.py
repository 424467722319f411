"""Explorers that a cell of its own shows: by keyboard, in JupyterLab, with no network.

Those of the lessons are tried where they stand; here one is, until a lesson holds it.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import nbformat
import pytest

from tests.browser.chromium import Watch, watched
from tests.browser.lab import Explorer, Lesson, lab

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

Shown = tuple[Explorer, Lesson, Watch]
KINDS = ("LogExplorer",)


@pytest.fixture(scope="module", params=KINDS)
def shown(
    request: pytest.FixtureRequest,
    browser: "Browser",
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Shown]:
    """Open a notebook whose only cell shows an explorer."""
    folder = tmp_path_factory.mktemp("explorers")
    cell = f"import kafkasim as ks\n\nks.widgets.{request.param}()"
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])  # type: ignore[no-untyped-call]
    made.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
    }
    with lab(folder) as started, watched(browser) as (page, watch):
        nbformat.write(made, folder / "lessons" / "explorer.ipynb")  # type: ignore[no-untyped-call]
        lesson = Lesson(page, started.of("explorer.ipynb"))
        (explorer,) = lesson.explorers
        yield explorer, lesson, watch


def test_the_cell_runs_and_its_figure_is_seen_and_described(shown: Shown) -> None:
    _, lesson, _ = shown
    assert lesson.errors == []
    (figure,) = lesson.figures_seen()
    assert figure.seen
    assert len(figure.alt) > 100


def test_each_control_moved_by_keyboard_changes_figure_and_message(
    shown: Shown,
) -> None:
    explorer, _, _ = shown
    moved = explorer.move_each()
    assert len(moved) > 2
    assert [control for control, *both in moved if not all(both)] == []
    explorer.reset()


def test_each_question_has_a_figure_of_its_own_and_reset_brings_back_the_first(
    shown: Shown,
) -> None:
    explorer, _, _ = shown
    first = explorer.reset()
    asked = []
    for question in explorer.questions:
        question.press("Enter")
        asked.append(explorer.settle())
    figures, messages = zip(*asked, strict=True)
    assert len(set(figures)) == len(set(messages)) == len(asked) > 1
    assert explorer.reset()[1] == first[1]


def test_a_drag_of_twenty_keys_shows_no_blank_frame(shown: Shown) -> None:
    explorer, _, _ = shown
    message = explorer.message
    frames = explorer.drag(explorer.sliders[0], keys=20)
    assert frames.blank == 0
    assert frames.count > 20
    assert frames.figures > 2
    assert explorer.message != message


def test_no_script_complains_and_nothing_is_asked_of_another_machine(
    shown: Shown,
) -> None:
    _, _, watch = shown
    assert watch.complaints == []
    assert watch.elsewhere == []
