"""What is written in Korean says the same as its English twin, and stays with it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from notebooks import build, course
from tests import words
from tests.korean import HANGUL, NUMBER, WORDS, cells, slug


def english_of(words: Path) -> Path:
    return build.FOLDER / words.with_suffix(".ipynb").name


@dataclass(frozen=True)
class Pair:
    """A lesson and its translation, as they are committed."""

    english: list[Any]
    korean: list[Any]

    def said(self, kind: str) -> list[tuple[str, str]]:
        """Return the sources of both, cell by cell, without the one that is more."""
        ours = [c for c in self.korean if c.id != "language" and c.cell_type == kind]
        theirs = [c for c in self.english if c.cell_type == kind]
        return [(a.source, b.source) for a, b in zip(theirs, ours, strict=True)]

    def shown(self) -> list[tuple[str, str]]:
        """Return what the code cells of both printed and showed."""
        ours = [c for c in self.korean if c.id != "language"]
        return [
            (shown(a), shown(b))
            for a, b in zip(self.english, ours, strict=True)
            if a.cell_type == "code"
        ]


@pytest.fixture(params=WORDS, ids=lambda path: path.stem)
def pair(request: pytest.FixtureRequest) -> Pair:
    words: Path = request.param
    return Pair(cells(english_of(words)), cells(words.with_suffix(".ipynb")))


def shown(cell: Any) -> str:  # noqa: ANN401 - a cell of nbformat
    texts = [
        each.get("text", "") + "".join(each.get("data", {}).get("text/html", ""))
        for each in cell.outputs
    ]
    return unescape(re.sub(r"data:image/png;base64,[\w+/=]+", "", "".join(texts)))


def test_the_first_lesson_is_translated() -> None:
    assert next(path.stem for path in WORDS) == "01-start-here"


def test_the_code_cells_are_the_english_ones_and_one_that_says_the_language(
    pair: Pair,
) -> None:
    more = [c.source for c in pair.korean if c.id == "language"]

    assert more == ['import kafkasim as ks\n\nks.language("ko")']
    assert [ours for _, ours in pair.said("code")] == [
        theirs for theirs, _ in pair.said("code")
    ]
    kinds = [c.cell_type for c in pair.korean if c.id != "language"]
    assert kinds == [c.cell_type for c in pair.english]


def test_the_language_is_said_before_any_other_code(pair: Pair) -> None:
    code = [c.id for c in pair.korean if c.cell_type == "code"]

    assert code[0] == "language"


def test_another_language_changes_no_table_and_no_printed_number(pair: Pair) -> None:
    tables = re.compile(r"<table.*?</table>", re.DOTALL)
    for theirs, ours in pair.shown():
        assert tables.findall(ours) == tables.findall(theirs)
        said = [tables.sub("", text) for text in (theirs, ours)]
        if "<details" in theirs:  # an answer and its sentence; captions reckon anew
            numbers = [re.findall(NUMBER, text.split("<img")[0]) for text in said]
            assert sorted(numbers[0]) == sorted(numbers[1])


def test_every_answer_is_told_in_korean(pair: Pair) -> None:
    for _, ours in pair.shown():
        for sentence in re.findall(r"<summary>(.*?)</summary><p>(.*?)</p>", ours):
            assert all(HANGUL.search(part) for part in sentence), sentence


NAMES = {
    *(
        "Kafka",
        "New",
        "York",
        "ms",
        "flights",
        "departures",
        "arrivals",
        "chat",
        "orders",
    ),
    *("airports", "board", "billing", "archive", "reader"),
}
"""What stays in Latin letters in the figures of lesson 01: names, and a unit."""


def test_figures_and_their_captions_are_described_in_korean(pair: Pair) -> None:
    described = 0
    for _, ours in pair.shown():
        said = re.findall(r'alt="([^"]*)"', ours)
        described += len(said)
        said += re.findall(r"<figcaption>(.*?)</figcaption>", ours)
        for text in said:
            assert HANGUL.search(text), text
            assert set(re.findall(r"[A-Za-z]{2,}", text)) <= NAMES, text
    assert described > 5


def test_each_cell_of_words_is_translated_and_shaped_as_in_english(pair: Pair) -> None:
    for theirs, ours in pair.said("markdown"):
        assert HANGUL.search(ours)
        for mark in ("^## ", "^- ", r"^\|", "^<details>", r"^\*\*\d\. ", "^```"):
            counts = [
                len(re.findall(mark, text.replace(SOLUTION, ""), re.MULTILINE))
                for text in (theirs, re.sub(IN_WORDS, "", ours))
            ]
            assert counts[0] == counts[1], (mark, ours)


SOLUTION = "# Solution"
IN_WORDS = re.compile(
    r"<details><summary>풀이를 말로</summary>.*?</details>", re.DOTALL
)
"""A solution's comment is code, and so it is English: Korean words say it besides."""


def test_a_solution_whose_comment_explains_is_explained_in_korean(pair: Pair) -> None:
    told = sum(len(IN_WORDS.findall(ours)) for _, ours in pair.said("markdown"))
    comments = [c for c in pair.english if c.source.startswith("# Solution")]

    assert told == len(comments) > 0


def choices(words: str) -> list[bool]:
    """Return for each choice of the quiz whether it is the right one."""
    said = re.findall(r"</summary>\s+(Right|Not so|맞습니다|[^.:]*아닙니다)\b", words)
    return [each in {"Right", "맞습니다"} for each in said]


def test_the_same_choices_of_the_quiz_are_right(pair: Pair) -> None:
    theirs, ours = pair.said("markdown")[-1]

    assert choices(ours) == choices(theirs)
    assert sum(choices(theirs)) == len(re.findall(r"^\*\*\d\. ", theirs, re.MULTILINE))


def test_both_link_the_same_words_of_the_glossary(pair: Pair) -> None:
    theirs, ours = pair.said("markdown")[0]
    linked = [re.findall(r"glossary\.md#([\w-]+)", text) for text in (theirs, ours)]

    assert linked[0] == linked[1]
    for label, anchor in re.findall(r"\[([^\]]+)\]\([^)]*#([\w-]+)\)", ours):
        korean, english = label[: -len(anchor)].strip(), label[-len(anchor) :]
        assert slug(english) == anchor
        assert korean in korean_of()[anchor]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace('of="', 'of="0', 1), r"cell-00: the English words"),
        (lambda text: text + '\n# %% [markdown] of="0"\n# 더\n', "31 cells of words"),
        (lambda text: text.replace(' of="', ' as="', 1), r"these are of \{'as'"),
    ],
)
def test_words_that_stayed_behind_are_refused(
    tmp_path: Path, change: Callable[[str], str], message: str
) -> None:
    text = WORDS[0].read_text(encoding="utf-8")
    changed = tmp_path / WORDS[0].name
    changed.write_text(change(text), encoding="utf-8")

    with pytest.raises(ValueError, match=message):
        build.unexecuted(changed)


# --- words


def korean_of() -> dict[str, str]:
    """Return the Korean of each word of the glossary, by the anchor of the word."""
    page = course.GLOSSARY.read_text(encoding="utf-8")
    _, _, after = page.partition("\n## In Korean\n")
    table = after.partition("\n## ")[0]
    rows = re.findall(r"^\| \[(.+)\]\(#(.+)\) \| (.+) \| (.+) \|$", table, re.MULTILINE)
    for word, anchor, *said in rows:
        assert slug(word) == anchor
        assert all(HANGUL.search(each) for each in said), word
    assert len({anchor for _, anchor, *_ in rows}) == len(rows)
    return {anchor: korean for _, anchor, korean, _ in rows}


def test_every_word_of_the_glossary_has_a_korean_one() -> None:
    entries = course.glossary(course.GLOSSARY.read_text(encoding="utf-8"))

    assert list(korean_of()) == [slug(entry.name) for entry in entries]


NOUNS = (
    *("blast-radius", "drain", "drained", "skew"),
    *("broker", "cluster", "consumer", "consumer-group", "controller", "coordinator"),
    *("fetch", "generation", "heartbeat", "high-watermark", "hub", "latency", "leader"),
    *("log", "member", "offset", "partition", "point-to-point", "position", "producer"),
    *(
        "quorum-queue",
        "rebalance",
        "record",
        "replica",
        "retention",
        "scenario",
        "seed",
    ),
    *(
        "segment",
        "session",
        "source",
        "stream",
        "subscriber",
        "throughput",
        "tombstone",
    ),
    "topic",
)
LAST_WORD = ("batch", "commit", "compaction", "lag", "message-queue")
"""Terms of which figures may say the last word alone: 컴팩션 for 로그 컴팩션."""
NAME = re.compile(r"\{[^}]*\}|\w+(?:\.\w+)+")
"""A place for a value, or the name of a setting."""


def test_the_catalogues_speak_in_the_terms_of_the_glossary() -> None:
    terms = korean_of()
    wanted = {noun: terms[noun] for noun in NOUNS}
    wanted |= {noun: terms[noun].split()[-1] for noun in LAST_WORD}
    found = words.translations(words.catalogues("ko"))
    other, held = [], set()
    for each, message in found.items():
        text = NAME.sub(" ", each if isinstance(each, str) else each[0]).casefold()
        for noun, korean in wanted.items():
            english = noun.replace("-", " ")
            if re.search(rf"(?<![\w-]){english}(?:s|es)?(?![\w-])", text):
                said = words.strings(message)
                other += [(noun, text, said)] * (korean not in said[0])
                held.add(noun)

    assert other == []
    assert len(held) > 25
