"""What the primer says: its two pages say the same and link what is there."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from notebooks import build
from tests.korean import DOCS, HANGUL, NUMBER, ROOT, WORDS, cells, slug

MARKS = {"맞음": "true", "절반만 맞음": "half true", "틀림": "false"}
PAGES = (
    DOCS / "explanation" / "what-the-primer-says.md",
    DOCS / "ko" / "what-the-primer-says.md",
)


@dataclass(frozen=True)
class Statement:
    """A section of the page: what is said, and what is true instead."""

    said: str
    mark: str
    text: str
    not_yet: bool

    @property
    def names(self) -> set[str]:
        """What stands as code: names of Kafka, tests."""
        return set(re.findall(r"`([^`]+)`", self.said + self.text))

    @property
    def numbers(self) -> list[str]:
        """Its numbers, without those of links and of lessons."""
        plain = re.sub(r"\]\([^)]*\)|`[^`]*`|lesson \d\d|\d\d번 수업", "", self.text)
        return sorted(re.findall(NUMBER, plain))


def statements(page: Path) -> list[Statement]:
    """Return the statements of a page, in their order."""
    text = page.read_text(encoding="utf-8")
    made = []
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        heading, _, body = section.partition("\n")
        mark = re.search(r"\*\*([^*]+?)\.\*\*", body)
        assert mark is not None, heading
        word = mark[1].casefold()
        said = re.fullmatch(r"\d+\. “(.+)”", heading)
        assert said is not None, heading
        not_yet = "*not yet*" in body or "*아직 없음*" in body
        made.append(Statement(said[1], MARKS.get(word, word), body, not_yet))
    return made


def targets(page: Path, text: str) -> list[str]:
    """Return where links lead, those to a translated lesson as to the English one."""
    found = []
    for target in re.findall(r"\]\(([^)]+)\)", text):
        file, _, place = target.partition("#")
        path = (page.parent / file).resolve().relative_to(DOCS)
        if path.parts[0] == "ko" and path.suffix == ".ipynb":
            headings = [
                anchors(WORDS[0].parent / path.name),
                anchors(build.FOLDER / path.name),
            ]
            place = headings[1][headings[0].index(place)]
            path = Path("tutorial") / path.name
        found.append(f"{path.as_posix()}#{place}")
    return found


def anchors(notebook: Path) -> list[str]:
    """Return what the headings of a lesson are called in a link."""
    words = "\n".join(c.source for c in cells(notebook) if c.cell_type == "markdown")
    return [
        re.sub(r"[^\w\- ]", "", heading.casefold()).replace(" ", "-")
        for heading in re.findall(r"^#{2,3} (.+)$", words, re.MULTILINE)
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.parent.name)
def test_the_table_says_what_the_sections_say(page: Path) -> None:
    rows = re.findall(
        r"^\| (\d+) \| (.+) \| (.+) \|$", page.read_text(encoding="utf-8"), re.MULTILINE
    )
    sections = statements(page)

    assert [int(number) for number, *_ in rows] == [*range(1, len(sections) + 1)]
    assert [MARKS.get(mark, mark) for *_, mark in rows] == [s.mark for s in sections]
    assert [said.casefold() for _, said, _ in rows] == [
        s.said.casefold() for s in sections
    ]
    assert {s.mark for s in sections} == {"true", "half true", "false"}


def test_both_pages_have_the_same_statements_marks_names_numbers_and_links() -> None:
    english, korean = (statements(page) for page in PAGES)

    assert len(english) == len(korean) == 11
    for theirs, ours in zip(english, korean, strict=True):
        assert ours.mark == theirs.mark
        assert ours.not_yet == theirs.not_yet
        assert ours.names == theirs.names, theirs.said
        assert ours.numbers == theirs.numbers, theirs.said
        assert targets(PAGES[1], ours.text) == targets(PAGES[0], theirs.text)
        assert HANGUL.search(ours.said)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.parent.name)
def test_every_statement_is_shown_by_a_run_or_said_to_be_not_yet(page: Path) -> None:
    for each in statements(page):
        _, _, seen = each.text.partition(
            "*Seen in:*" if page is PAGES[0] else "*실행:*"
        )
        runs = [
            t for t in targets(page, seen) if t.startswith(("tutorial/", "gallery/"))
        ]
        assert runs or each.not_yet, each.said


def test_its_links_and_tests_are_there() -> None:
    for each in statements(PAGES[0]):
        for target in targets(PAGES[0], each.text):
            file, _, place = target.partition("#")
            path = DOCS / file
            if file.startswith("tutorial/"):
                assert place in anchors(build.FOLDER / path.name), target
            elif file.startswith("gallery/"):
                assert path.with_suffix(".py").exists(), target
            else:
                text = path.read_text(encoding="utf-8")
                headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
                assert not place or place in {slug(h) for h in headings}, target
        for test in (name for name in each.names if name.startswith("tests/")):
            file, _, function = test.partition("::")
            assert f"def {function}" in (ROOT / file).read_text(encoding="utf-8"), test
