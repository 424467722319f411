"""Which lesson introduces which word, and where a lesson uses one too early.

`docs/course.md` fixes the order, the files and the new words of the lessons, and
`docs/reference/glossary.md` explains every word. A lesson's prose is its markdown cells
without code and links; a word counts in the singular and the plural, and in the longest
form that fits: "sticky partition" is not a "partition".
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
DOCS = FOLDER.parent / "docs"
COURSE = DOCS / "course.md"
GLOSSARY = DOCS / "reference" / "glossary.md"

NOT_YET = "not yet"
UNUSED = "Words of the reference that no lesson needs:"

_ALSO = re.compile(r"\*Also (?P<names>[^*]+)\.\*")
_NOT_PROSE = re.compile(
    r"```.*?```|~~~.*?~~~"  # code between fences
    r"|(?P<ticks>`+).+?(?P=ticks)(?!`)"
    r"|!?\[[^\]]*\]\([^)]*\)"  # a link with its text, a picture
    r"|</?[a-zA-Z][^>\n]*>",
    re.DOTALL,
)


@dataclass(frozen=True)
class Lesson:
    """A row of the table of lessons."""

    number: str
    title: str
    notebook: str | None
    """Name of the file without its ending; None when it is not written yet."""
    words: tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """A word of the glossary."""

    name: str
    also: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Use:
    """A word of the glossary in a lesson's prose."""

    line: int
    """Line of the text file, from 1."""
    written: str
    name: str
    """The glossary's entry."""


def lessons(page: str) -> list[Lesson]:
    """Return the rows of the table, in their order."""
    rows = [
        line.strip("| ") for line in page.splitlines() if re.match(r"\| \d\d ", line)
    ]
    cells = [[cell.strip() for cell in row.split("|")] for row in rows]
    return [
        Lesson(
            number,
            title,
            None if notebook == NOT_YET else notebook.strip("`"),
            _listed(*words),
        )
        for number, title, notebook, *words in cells
    ]


def unused_words(page: str) -> tuple[str, ...]:
    """Return the words that the page says no lesson needs."""
    _, _, after = page.partition(UNUSED)
    return _listed(after.partition(".")[0])


def _listed(words: str = "") -> tuple[str, ...]:
    return tuple(word for part in words.split(",") if (word := " ".join(part.split())))


def glossary(page: str) -> list[Entry]:
    """Return the entries, in their order."""
    entries = []
    words = page.partition("\n## The neigh")[0]
    for block in re.split(r"^### ", words, flags=re.MULTILINE)[1:]:
        name, _, text = block.partition("\n")
        also = _ALSO.search(text)
        names = _listed(also["names"]) if also else ()
        entries.append(Entry(name.strip(), names, " ".join(text.split())))
    return entries


def markdown(source: str) -> str:
    """Return a lesson's markdown, with empty lines in the place of all else."""
    cells = re.split(r"^(?=# %%)", source, flags=re.MULTILINE)
    return "".join(
        "\n" + re.sub(r"^# ?", "", cell.partition("\n")[2], flags=re.MULTILINE)
        if cell.startswith("# %% [markdown]")
        else _lines_only(cell)
        for cell in cells
    )


def prose(source: str) -> str:
    """Return a lesson's markdown without code and links; lines keep their numbers."""
    return _NOT_PROSE.sub(_blank, markdown(source))


def _blank(match: re.Match[str]) -> str:
    return " " + _lines_only(match[0])


def _lines_only(text: str) -> str:
    return "\n" * text.count("\n")


def uses(text: str, entries: list[Entry]) -> Iterator[Use]:
    """Yield the glossary's words in a prose, as they come."""
    names = {
        " ".join(word.split()).casefold(): entry.name
        for entry in entries
        for word in (entry.name, *entry.also)
    }
    longest_first = sorted(names, key=len, reverse=True)
    words = "|".join(
        r"\s+".join(map(re.escape, name.split())) for name in longest_first
    )
    for match in re.finditer(
        rf"(?<![\w-])(?P<word>{words})(?:s|es|'s|’s)?(?![\w-])", text, re.IGNORECASE
    ):
        word = " ".join(match["word"].split())
        line = text.count("\n", 0, match.start()) + 1
        yield Use(line, " ".join(match[0].split()), names[word.casefold()])


def introductions(page: str) -> Mapping[str, str]:
    """Return the number of the lesson that introduces each word."""
    return {word: each.number for each in lessons(page) for word in each.words}


def early(number: str, source: str, page: str, entries: list[Entry]) -> list[str]:
    """Return what a lesson's text says too early, one message for each word.

    Parameters
    ----------
    number : str
        Of the lesson: ``"03"``.
    source : str
        Its text, py:percent.
    page : str
        The page of the course.
    entries : list of Entry
        The glossary.
    """
    lesson_of = introductions(page)
    found: dict[str, str] = {}
    for use in uses(prose(source), entries):
        introduced = lesson_of.get(use.name)
        if introduced is not None and introduced <= number:
            continue
        when = (
            f"lesson {introduced} introduces" if introduced else "no lesson introduces"
        )
        message = f"lesson {number}, line {use.line}: {use.written!r}: {when} it"
        found.setdefault(use.name, message)
    return list(found.values())


def unsaid(lesson: Lesson, source: str, entries: list[Entry]) -> list[str]:
    """Return the new words of a lesson that its markdown does not say."""
    said = {use.name for use in uses(markdown(source), entries)}
    return [word for word in lesson.words if word not in said]


def report() -> list[str]:
    """Return everything that is wrong with the words of the written lessons."""
    page = COURSE.read_text(encoding="utf-8")
    entries = glossary(GLOSSARY.read_text(encoding="utf-8"))
    wrong = []
    for lesson in lessons(page):
        file = FOLDER / f"{lesson.notebook}.py"
        if lesson.notebook is None or not file.exists():
            continue
        source = file.read_text(encoding="utf-8")
        wrong += early(lesson.number, source, page, entries)
        wrong += [
            f"lesson {lesson.number}: {word!r} is a new word that its text does not say"
            for word in unsaid(lesson, source, entries)
        ]
    return wrong
