"""Each lesson in JupyterLab: run it all, move each control, drag one."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import Watch, watched
from tests.browser.lab import LESSONS, Lab, Lesson

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

Opened = tuple[Lesson, Watch]


@pytest.fixture(
    scope="module",
    params=[pytest.param(path, id=path.stem) for path in LESSONS],
)
def opened(
    request: pytest.FixtureRequest,
    browser: "Browser",
    lab: Lab,
    worker_id: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Opened]:
    """Open a lesson and run all its cells; one process does, for all tests of it."""
    if worker_id != "master":
        of_all = tmp_path_factory.getbasetemp().parent
        (of_all / request.param.stem).touch(exist_ok=False)
    with watched(browser) as (page, watch):
        yield Lesson(page, lab.of(request.param.name)), watch


def test_every_cell_runs_and_every_figure_is_seen_and_described(opened: Opened) -> None:
    lesson, _ = opened

    figures = lesson.figures_seen()

    assert lesson.errors == []
    assert [each for each in figures if not each.seen] == []
    assert [each for each in figures if not each.alt] == []
    assert figures


def test_each_control_moved_by_keyboard_changes_figure_and_message(
    opened: Opened,
) -> None:
    lesson, _ = opened
    for explorer in lesson.explorers:
        explorer.reset()

        moved = explorer.move_each()

        assert len(moved) > 2
        assert [control for control, figure, _ in moved if not figure] == []
        assert [control for control, _, message in moved if not message] == []


def test_each_question_has_a_figure_of_its_own_and_reset_brings_back_the_first(
    opened: Opened,
) -> None:
    lesson, _ = opened
    for explorer in lesson.explorers:
        first = explorer.reset()
        asked = []
        for question in explorer.questions:
            question.press("Enter")
            asked.append(explorer.settle())

        figures, messages = zip(*asked, strict=True)
        assert len(set(figures)) == len(set(messages)) == len(asked) > 1
        assert explorer.reset()[1] == first[1]


def test_a_drag_of_twenty_keys_shows_no_blank_frame(opened: Opened) -> None:
    lesson, _ = opened
    for explorer in lesson.explorers:
        _, message = explorer.reset()

        frames = explorer.drag(explorer.sliders[0], keys=20)

        assert frames.blank == 0
        assert frames.count > 20
        assert frames.figures > 2
        assert explorer.settle()[1] != message


def test_no_script_complains_and_nothing_is_asked_of_another_machine(
    opened: Opened,
) -> None:
    _, watch = opened
    assert watch.complaints == []
    assert watch.elsewhere == []
