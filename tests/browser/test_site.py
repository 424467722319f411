"""The built site, read with no network: every page, search, theme, folds, phone."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.chromium import ELSEWHERE, Watch, watched
from tests.browser.lab import LESSONS, TRANSLATED
from tests.browser.written import Written, covering

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

HOLDS = """() => ({
  bare: [...document.querySelectorAll("img:not(.toggler)")]
    .filter((i) => !/\\S+ \\S+ \\S+/.test(i.alt))
    .map((i) => i.src.slice(0, 80)),
  broken: [...document.images].filter((i) => !(i.complete && i.naturalWidth))
    .map((i) => i.src.slice(0, 80)),
  wide: document.scrollingElement.scrollWidth - window.innerWidth,
  open: document.querySelectorAll("article details[open]").length,
})"""
"""What a page holds that it should not."""


WIDTHS = (320, 390, 768)
"""Of windows in which no page is to be wider than they are: phones and a tablet."""


@pytest.fixture(scope="module")
def written(site: Path) -> dict[str, Written]:
    """Return every page by its place in the site."""
    found = (
        path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts
    )
    return {path.relative_to(site).as_posix(): Written(path) for path in found}


@pytest.fixture
def reading(browser: "Browser") -> "Iterator[tuple[Page, Watch]]":
    with watched(browser) as (page, watch):
        yield page, watch


def test_every_page_leads_to_what_is_there_and_describes_its_figures(
    written: dict[str, Written],
) -> None:
    faults = {
        place: {
            "lost": page.lost,
            "bare": page.bare,
            "elsewhere": [each for each in page.loads if ELSEWHERE.match(each)],
        }
        for place, page in written.items()
    }
    assert {place: each for place, each in faults.items() if any(each.values())} == {}


def test_every_part_that_pages_have_is_opened_and_complains_of_nothing(
    reading: "tuple[Page, Watch]", written: dict[str, Written]
) -> None:
    page, watch = reading
    wrong: dict[str, object] = {}
    opened = covering(written.values())
    for each in opened:
        page.goto(each.address)
        found = page.evaluate(HOLDS)
        faults = {"bare": found["bare"], "broken": found["broken"]}
        faults |= {"elsewhere": watch.elsewhere, "complaints": watch.complaints}
        if any(faults.values()):
            wrong[each.address] = faults
        watch.elsewhere, watch.complaints = [], []

    assert wrong == {}
    assert len(opened) > len(LESSONS)


def test_no_page_is_wider_than_a_phone(
    reading: "tuple[Page, Watch]", site: Path
) -> None:
    page, _ = reading
    kinds = ["index", "search", "genindex", "tutorial/index", "tutorial/first-run"]
    kinds += [f"tutorial/{lesson.stem}" for lesson in LESSONS]
    kinds += ["course", "gallery/index", "reference/glossary"]
    kinds += ["ko/index", "ko/01-start-here", "ko/what-the-primer-says"]
    kinds += ["reference/configuration", "reference/tables", "reference/names"]
    kinds += ["reference/api/kafkasim.Source", "explanation/benchmarks"]
    wide = {}
    for kind in kinds:
        page.goto((site / f"{kind}.html").as_uri())
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 844})
            if (over := page.evaluate(HOLDS)["wide"]) > 0:
                wide[kind, width] = over
    assert wide == {}


def test_search_finds_a_page_by_its_words(
    reading: "tuple[Page, Watch]", site: Path
) -> None:
    page, watch = reading
    page.goto((site / "index.html").as_uri())
    page.keyboard.press("Control+k")
    page.keyboard.type("sticky partitioner")
    page.keyboard.press("Enter")

    page.locator("ul.search li a").first.wait_for()

    hits = page.locator("ul.search li a").all_inner_texts()
    assert any("Glossary" in hit for hit in hits)
    assert (watch.complaints, watch.elsewhere) == ([], [])


def test_the_theme_switches_and_stays(
    reading: "tuple[Page, Watch]", site: Path
) -> None:
    page, watch = reading
    page.goto((site / "index.html").as_uri())
    light = page.evaluate(_BACKGROUND)
    page.get_by_role("button", name="Color mode").first.click()
    page.get_by_role("button", name="Dark").first.click()

    dark = page.evaluate(_BACKGROUND)
    page.goto((site / "tutorial" / "index.html").as_uri())
    stays = page.evaluate(_BACKGROUND)

    assert light != dark == stays
    assert (watch.complaints, watch.elsewhere) == ([], [])


_BACKGROUND = "getComputedStyle(document.body).backgroundColor"


@pytest.mark.parametrize(
    "lesson",
    [*LESSONS, *TRANSLATED],
    ids=lambda path: f"{path.parent.name}-{path.stem}",
)
def test_a_lesson_on_the_site_shows_its_figures_and_folds_its_solutions(
    reading: "tuple[Page, Watch]", site: Path, lesson: Path
) -> None:
    page, _ = reading
    cells = json.loads(lesson.read_text(encoding="utf-8"))["cells"]

    room = "tutorial" if lesson in LESSONS else lesson.parent.name
    page.goto((site / room / f"{lesson.stem}.html").as_uri())

    shown = page.locator("article div.cell_output img")
    assert shown.count() == pictures(cells) > 0
    assert page.evaluate(HOLDS)["open"] == 0
    solutions = page.locator("article .tag_solution")
    tagged = [c for c in cells if "solution" in c["metadata"].get("tags", [])]
    assert solutions.count() == len(tagged) > 0
    for solution in solutions.all():
        assert not solution.locator("pre").first.is_visible()
        solution.locator("summary").first.click()
        assert solution.locator("pre").first.is_visible()


def pictures(cells: list[dict[str, Any]]) -> int:
    """Return how many outputs have a picture."""
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return sum(
        "image/png" in output.get("data", {})
        or "<img " in "".join(output.get("data", {}).get("text/html", ""))
        for output in outputs
    )
