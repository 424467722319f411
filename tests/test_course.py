"""The course: which lesson introduces which word, and that none is used before."""

from pathlib import Path

import pytest

from notebooks import course

PAGE = course.COURSE.read_text(encoding="utf-8")
ENTRIES = course.glossary(course.GLOSSARY.read_text(encoding="utf-8"))
LESSONS = course.lessons(PAGE)
WRITTEN = [each for each in LESSONS if each.notebook is not None]

SMALL = """
| | lesson | notebook | new words |
|---|---|---|---|
| 01 | Start | `01-start` | record, record batch |
| 02 | Then | not yet | commit |
| 03 | Order | `03-order` | sticky partition, log end offset |
"""
WORDS = """# Glossary

### commit

A note.

### log

A list.

### log end offset

The next number.

### partition

A part.

### record batch

*kafkasim.* *Also batch, set of records.* Several
records.

### sticky partition

One partition.

## The neighbours' words
"""


def text_of(lesson: course.Lesson) -> str:
    file = course.FOLDER / f"{lesson.notebook}.py"
    return file.read_text(encoding="utf-8")


def markdown(*lines: str) -> str:
    return "# %%\ncommit = 1\n\n# %% [markdown]\n" + "\n".join(f"# {x}" for x in lines)


def early(number: str, *lines: str) -> list[str]:
    entries = course.glossary(WORDS)
    return course.early(number, markdown(*lines), SMALL, entries)


def test_the_rows_of_the_page_are_lessons() -> None:
    first, second, third = course.lessons(SMALL)

    assert first == course.Lesson("01", "Start", "01-start", ("record", "record batch"))
    assert (second.notebook, third.words) == (
        None,
        ("sticky partition", "log end offset"),
    )


def test_an_entry_has_a_name_others_and_a_text() -> None:
    entry = course.glossary(WORDS)[4]

    assert entry.name == "record batch"
    assert entry.also == ("batch", "set of records")
    assert entry.text.endswith("Several records.")


@pytest.mark.parametrize(
    ("line", "written"),
    [
        ("It commits.", "commits"),
        ("Commit.", "Commit"),
        ("the commit's place", "commit's"),
        ("two sticky partitions", "sticky partitions"),
    ],
)
def test_a_word_of_a_later_lesson_is_named_with_its_line(
    line: str, written: str
) -> None:
    introduced = "03" if "sticky" in line else "02"

    assert early("01", "A record batch.", line) == [
        f"lesson 01, line 6: {written!r}: lesson {introduced} introduces it"
    ]


def test_a_word_on_two_lines_and_another_name_of_it_count() -> None:
    (found,) = early("02", "A sticky", "partition")

    assert "line 5: 'sticky partition': lesson 03" in found
    assert early("01", "A batch, two batches.") == []


def test_a_word_that_no_lesson_introduces_is_found() -> None:
    assert early("03", "The log.") == [
        "lesson 03, line 5: 'log': no lesson introduces it"
    ]


def test_a_longer_word_hides_the_shorter_ones_in_it() -> None:
    assert early("03", "A sticky partition, the log end offset.") == []
    assert early("03", "A partition.") != []
    assert early("03", "The end of the log.") != []


@pytest.mark.parametrize(
    "line",
    [
        "`commit`, ``a commit``",
        "[a commit](x.md), ![commit](x.png)",
        '<img alt="commit">',
        "committed, committing, recommit, pre-commit, commit_ms",
    ],
)
def test_code_links_and_other_words_do_not_count(line: str) -> None:
    assert early("01", line) == []


def test_code_between_fences_does_not_count_and_lines_are_kept() -> None:
    assert early("01", "```", "commit", "```", "a", "commit") == [
        "lesson 01, line 9: 'commit': lesson 02 introduces it"
    ]


def test_a_new_word_that_a_lesson_does_not_say_is_found() -> None:
    (first, *_), entries = course.lessons(SMALL), course.glossary(WORDS)

    assert course.unsaid(first, markdown("[batch](x)"), entries) == ["record"]


def test_the_lessons_are_numbered_and_the_written_ones_are_there() -> None:
    numbers = [f"{number:02d}" for number in range(1, 15)]
    files = {path.stem for path in Path(course.FOLDER).glob("[0-9][0-9]-*.py")}

    assert [each.number for each in LESSONS] == numbers
    assert {each.notebook for each in WRITTEN} == files
    for lesson in WRITTEN:
        assert str(lesson.notebook).startswith(f"{lesson.number}-")


@pytest.mark.parametrize("lesson", WRITTEN, ids=lambda each: each.number)
def test_no_word_of_the_glossary_is_used_before_its_lesson(
    lesson: course.Lesson,
) -> None:
    assert course.early(lesson.number, text_of(lesson), PAGE, ENTRIES) == []


@pytest.mark.parametrize("lesson", WRITTEN, ids=lambda each: each.number)
def test_a_lesson_says_its_new_words(lesson: course.Lesson) -> None:
    assert course.unsaid(lesson, text_of(lesson), ENTRIES) == []


def test_every_word_of_the_glossary_is_in_one_lesson_or_in_none_by_name() -> None:
    listed = [word for lesson in LESSONS for word in lesson.words]
    listed += course.unused_words(PAGE)

    assert sorted(listed) == sorted(entry.name for entry in ENTRIES)


def test_the_glossary_is_in_order_and_each_word_stands_once() -> None:
    names = [entry.name for entry in ENTRIES]
    every = [word.casefold() for entry in ENTRIES for word in (entry.name, *entry.also)]

    assert names == sorted(names, key=str.casefold)
    assert len(every) == len(set(every))


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda each: each.name)
def test_an_entry_is_a_word_and_a_few_plain_sentences(entry: course.Entry) -> None:
    assert entry.name == entry.name.strip()
    assert entry.text.endswith(".")
    assert 4 <= len(entry.text.split()) <= 75
