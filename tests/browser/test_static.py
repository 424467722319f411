"""A lesson as a web page without kernel or widgets' state: every figure, described.

nbconvert's HTML is what many viewers make of a notebook. GitHub's own view cannot be
had here; the nearest to it is nbconvert's basic template, every script taken out.
"""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import watched
from tests.browser.lab import LESSONS, TRANSLATED
from tests.browser.test_site import HOLDS, pictures

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    "lesson",
    [*LESSONS, *TRANSLATED],
    ids=lambda path: f"{path.parent.name}-{path.stem}",
)
def test_nbconverts_page_shows_every_figure_and_says_what_it_is(
    browser: "Browser", tmp_path: Path, lesson: Path
) -> None:
    cells = json.loads(lesson.read_text(encoding="utf-8"))["cells"]
    shown = {}
    with watched(browser) as (page, _):
        for template in ("lab", "classic", "basic"):
            page.goto(converted(lesson, template, tmp_path).as_uri())
            found = page.evaluate(HOLDS)
            count = page.locator("img").count()
            shown[template] = count, found["bare"], found["broken"]

    assert pictures(cells) > 0
    assert shown == dict.fromkeys(shown, (pictures(cells), [], []))


def converted(lesson: Path, template: str, folder: Path) -> Path:
    """Return the file of nbconvert's page, every script taken out."""
    from nbconvert.exporters import HTMLExporter

    html, _ = HTMLExporter(template_name=template).from_filename(str(lesson))
    page_file = folder / f"{template}.html"
    page_file.write_text(re.sub(r"<script\b.*?</script>", "", html, flags=re.DOTALL))
    return page_file
