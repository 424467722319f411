"""A browser, JupyterLab and the built site for the tests here; what they need.

They take minutes, Playwright's package, JupyterLab (the set `browser`) and Chromium, so
they run when they are asked for, by `python3 run.py browser`; then what is missing is a
failure. Otherwise they are skipped and say so.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.browser.chromium import chromium, lacking

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.browser.lab import Lab

ASKED = "KAFKASIM_BROWSER"


class _ByLesson(LoadScopeScheduling):  # type: ignore[misc]
    """Gives a free process the next module, or of the lessons the next lesson.

    The mark `xdist_group` would say the same, but pytest-xdist 3.8 writes the group
    where pytest 9.2 does not read it any more: each process opened every lesson.
    """

    def _split_scope(self, nodeid: str) -> str:
        module, _, test = nodeid.partition("::")
        return test.partition("[")[2] if module.endswith("test_lessons.py") else module


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> _ByLesson:
    """Share the tests between processes; one process opens a lesson, for all of it."""
    return _ByLesson(config, log)


@pytest.fixture(scope="session", autouse=True)
def _tools() -> None:
    lacks = lacking()
    if os.environ.get(ASKED) != "required":
        here = f"; missing here: {lacks}" if lacks else ""
        pytest.skip(f"python3 run.py browser opens a real browser{here}")
    if lacks:
        pytest.fail(f"missing for tests in a browser: {lacks}", pytrace=False)


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """Return Chromium, for one module: Playwright's event loop must not outlive it."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Lab]":
    """Return a JupyterLab with the lessons."""
    from tests.browser.lab import lab

    with lab(tmp_path_factory.mktemp("lab")) as started:
        yield started


@pytest.fixture(scope="module")
def site() -> Path:
    """Return the folder of the built site."""
    folder = Path(__file__).parents[2] / "docs" / "_build" / "html"
    if not (folder / "index.html").exists():
        pytest.fail("the site is not built: python3 run.py docs", pytrace=False)
    return folder
