"""A lesson's text and its notebook are in step, and every lesson has the lesson form.

nbval compares what the cells give; `notebooks/build.py --check` compares every byte.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest

from notebooks import build, course, in_wheel

ROOT = Path(__file__).parents[1]
LESSONS = build.lessons()
ALL = [*LESSONS, *build.translations()]
PACKAGES = {"kafkasim", "numpy", "pandas"} | {"pathlib", "struct", "tempfile"}
"""What a lesson imports, the last three to look into files; anything else is
plumbing."""

CELL_LINES = 25
PICTURE = re.compile(r'<img alt="[^"]{20,}"')


@dataclass(frozen=True)
class Lesson:
    """A lesson as it is committed: the cells of its notebook, in order."""

    name: str
    cells: list[Any]
    folder: Path = build.FOLDER

    @property
    def words(self) -> str:
        """All of its markdown."""
        return "\n\n".join(c.source for c in self.cells if c.cell_type == "markdown")

    @property
    def code(self) -> list[Any]:
        """Its code cells."""
        return [cell for cell in self.cells if cell.cell_type == "code"]


def name_of(text: Path) -> str:
    return text.relative_to(build.FOLDER).with_suffix("").as_posix()


def committed(text: Path) -> Lesson:
    read = nbformat.read(text.with_suffix(".ipynb"), as_version=4)  # type: ignore[no-untyped-call]
    return Lesson(text.stem, read.cells, text.parent)


@pytest.fixture(params=LESSONS, ids=name_of)
def lesson(request: pytest.FixtureRequest) -> Lesson:
    return committed(request.param)


@pytest.fixture(params=ALL, ids=name_of)
def any_lesson(request: pytest.FixtureRequest) -> Lesson:
    """Return a lesson in English or another language."""
    return committed(request.param)


def tagged(cell: Any, tag: str) -> bool:  # noqa: ANN401 - a cell of nbformat
    return tag in cell.metadata.get("tags", [])


def html_of(cell: Any) -> str:  # noqa: ANN401
    shown = [output.get("data", {}).get("text/html", "") for output in cell.outputs]
    return "".join(shown)


def section(words: str, heading: str) -> str:
    """Return what stands under a heading of the second level, or nothing."""
    found = re.search(
        rf"^## {heading}$(.*?)(?=^## |\Z)", words, re.MULTILINE | re.DOTALL
    )
    return found[1] if found else ""


@pytest.mark.parametrize("text", ALL, ids=name_of)
def test_the_notebook_holds_the_cells_of_its_text_and_their_outputs(
    text: Path,
) -> None:
    made = build.unexecuted(text)

    notebook = nbformat.read(text.with_suffix(".ipynb"), as_version=4)  # type: ignore[no-untyped-call]

    assert notebook.metadata == made.metadata
    assert [(c.id, c.cell_type, c.metadata) for c in notebook.cells] == [
        (c.id, c.cell_type, c.metadata) for c in made.cells
    ]
    assert [c.source for c in notebook.cells] == [c.source for c in made.cells]
    counts = [c.execution_count for c in notebook.cells if c.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))


def test_what_a_cell_prints_is_one_output_however_long_it_took(
    any_lesson: Lesson,
) -> None:
    for cell in any_lesson.code:
        printed = [each.name for each in cell.outputs if each.output_type == "stream"]
        assert len(printed) == len(set(printed)), cell.id


def test_a_beginning_chooses_lessons() -> None:
    numbers = [text.name[:2] for text in LESSONS]

    assert numbers == sorted(numbers)
    assert [text.name[:2] for text in build.lessons(numbers[0])] == numbers[:1]
    assert build.lessons("no such") == []


def test_it_says_what_its_reader_can_do_afterwards_and_which_words_are_new(
    lesson: Lesson,
) -> None:
    first = lesson.cells[0].source

    assert first.startswith("# ")
    for part in ("**After this lesson you can**", "**New words.**"):
        assert part in first
    assert len(re.findall(r"^- ", first, re.MULTILINE)) >= 3


def test_its_first_figure_stands_in_the_second_code_cell_at_the_latest(
    lesson: Lesson,
) -> None:
    assert PICTURE.search("".join(html_of(cell) for cell in lesson.code[:2]))


def test_a_prediction_is_one_line_and_each_has_its_reveal(lesson: Lesson) -> None:
    steps = []
    for cell in lesson.code:
        if "guess = None" in cell.source:
            assert re.fullmatch(r"guess = None  # .+", cell.source), cell.id
            steps.append("guess")
        if tagged(cell, "reveal"):
            assert "ks.lessons.reveal(\n    guess,\n" in cell.source, cell.id
            steps.append("reveal")
        elif not tagged(cell, "solution"):
            assert "lessons.reveal" not in cell.source, f"{cell.id} has no tag"

    assert steps
    assert steps == ["guess", "reveal"] * (len(steps) // 2)


def test_a_prediction_is_asked_for_right_before_it_is_made(lesson: Lesson) -> None:
    for before, cell in zip(lesson.cells, lesson.cells[1:], strict=False):
        if cell.cell_type == "code" and cell.source.startswith("guess = None"):
            assert "**Predict.**" in before.source.rpartition("\n\n")[2], cell.id


def test_a_committed_reveal_is_closed_and_holds_a_picture_or_a_table(
    lesson: Lesson,
) -> None:
    closed = "<details><summary>No prediction made. Open to see.</summary>"
    for cell in lesson.code:
        if tagged(cell, "reveal"):
            shown = html_of(cell)
            assert shown.startswith(closed), cell.id
            assert PICTURE.search(shown) or "<table" in shown, cell.id


@pytest.mark.parametrize(
    "part",
    [
        "**By hand.**",
        "**What people get wrong.**",
        "**A plausible wrong result.**",
        "**Investigate.**",
        "## Exercises",
        "## What this leaves out",
    ],
)
def test_it_has_every_part_of_a_lesson(lesson: Lesson, part: str) -> None:
    assert part in lesson.words


def test_the_investigate_question_is_answered_by_a_table(lesson: Lesson) -> None:
    asked = next(
        number
        for number, cell in enumerate(lesson.cells)
        if cell.cell_type == "markdown" and "**Investigate.**" in cell.source
    )

    assert "<table" in html_of(lesson.cells[asked + 1])


def exercises(lesson: Lesson) -> dict[str, int]:
    """Return how many cells of solution each exercise has."""
    found: dict[str, int] = {}
    among = False
    for cell in lesson.cells:
        if cell.cell_type == "markdown":
            headed = re.search(r"^## Exercises$", cell.source, re.MULTILINE)
            among = (among or headed is not None) and "## Check" not in cell.source
            asked = cell.source[headed.start() :] if headed else cell.source
            numbers = re.findall(r"^\*\*(\d+)\. ", asked, re.MULTILINE) if among else []
            assert len(numbers) < 2, f"{cell.id}: exercises without cells between them"
            found |= dict.fromkeys(numbers, 0)
        elif tagged(cell, "solution") and found:
            found[max(found, key=int)] += 1
    return found


def test_each_exercise_has_a_solution_that_is_run(lesson: Lesson) -> None:
    solved = exercises(lesson)

    assert list(solved) == [str(number + 1) for number in range(len(solved))]
    assert len(solved) >= 3
    assert [number for number, cells in solved.items() if cells == 0] == []


def test_solutions_and_reveals_are_folded_everywhere(any_lesson: Lesson) -> None:
    for cell in any_lesson.code:
        if tagged(cell, "solution"):
            assert cell.metadata.jupyter.outputs_hidden, cell.id
            assert tagged(cell, "hide-cell"), cell.id
            assert cell.source.startswith("# Solution"), cell.id
        if tagged(cell, "reveal"):
            assert "outputs_hidden" not in cell.metadata.jupyter
            assert tagged(cell, "hide-input"), cell.id
        if tagged(cell, "solution") or tagged(cell, "reveal"):
            assert cell.metadata.jupyter.source_hidden, cell.id


def names(cell: Any, context: type[ast.expr_context]) -> set[str]:  # noqa: ANN401
    nodes = ast.walk(ast.parse(cell.source))
    return {
        n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, context)
    }


def test_a_copy_without_solutions_runs_to_its_end(lesson: Lesson) -> None:
    solved: set[str] = set()
    known: set[str] = set()
    for cell in lesson.code:
        if tagged(cell, "solution"):
            solved |= names(cell, ast.Store) - known
        else:
            known |= names(cell, ast.Store)
            assert names(cell, ast.Load) & (solved - known) == set(), cell.id


def questions(lesson: Lesson) -> dict[str, list[str]]:
    """Return the choices of each question of the quiz, each as what it says back."""
    quiz = section(lesson.words, "Check yourself")
    _, *parts = re.split(r"^\*\*(\d+\. .*?)\*\*$", quiz, flags=re.MULTILINE | re.DOTALL)
    choice = r"<details><summary>[A-Z]\. [^<]+</summary>\n\n(.*?)\n\n</details>"
    return {
        question: re.findall(choice, said, re.DOTALL)
        for question, said in zip(parts[::2], parts[1::2], strict=True)
    }


def test_each_question_of_the_quiz_has_one_right_choice_and_says_why(
    lesson: Lesson,
) -> None:
    asked = questions(lesson)

    assert len(asked) >= 3
    for question, choices in asked.items():
        assert len(choices) >= 3, question
        starts = [re.match(r"(Right|Not so)\b[^.]*[:,] ", each) for each in choices]
        assert all(starts), question
        assert sum(each.startswith("Right") for each in choices) == 1, question


def test_every_choice_of_the_quiz_is_read_as_one(lesson: Lesson) -> None:
    quiz = section(lesson.words, "Check yourself")

    read = sum(len(choices) for choices in questions(lesson).values())

    assert read == quiz.count("<details>") == quiz.count("</details>")


def test_its_new_words_are_links_to_the_glossary(lesson: Lesson) -> None:
    (row,) = (
        each
        for each in course.lessons(course.COURSE.read_text(encoding="utf-8"))
        if each.notebook == lesson.name
    )
    linked = re.findall(
        r"\]\(\.\./docs/reference/glossary\.md#([\w-]+)\)", lesson.words
    )

    assert {word.casefold().replace(" ", "-") for word in row.words} <= set(linked)


def test_its_links_lead_to_something(any_lesson: Lesson) -> None:
    headings = {
        heading.casefold().replace(" ", "-")
        for heading in re.findall(
            r"^#+ (.+)$", course.GLOSSARY.read_text(encoding="utf-8"), re.MULTILINE
        )
    }
    for target in re.findall(r"\]\((?!\w+:)([^)\s]+)\)", any_lesson.words):
        page, _, place = target.partition("#")
        assert (any_lesson.folder / page).exists(), target
        if page.endswith("glossary.md") and place:
            assert place in headings, target


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module).partition(".")[0]


def test_it_shows_ideas_and_no_plumbing(lesson: Lesson) -> None:
    machinery = (
        *(ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda),
        *(ast.Try, ast.With, ast.Global, ast.While),
    )
    for cell in lesson.code:
        tree = ast.parse(cell.source)  # a line of magic is no Python, and fails here
        nodes = list(ast.walk(tree))
        assert set(imported(tree)) <= PACKAGES, cell.id
        assert [n for n in nodes if isinstance(n, machinery)] == [], cell.id
        private = [
            n for n in nodes if isinstance(n, ast.Attribute) and n.attr[0] == "_"
        ]
        assert private == [], cell.id
        if not tagged(cell, "solution"):
            assert len(cell.source.splitlines()) <= CELL_LINES, cell.id


def test_a_widget_is_named_after_its_cell_and_stderr_is_refused() -> None:
    view = {"model_id": "8c1f", "version_major": 2}
    shown = nbformat.from_dict({"data": {build.WIDGET: view}})  # type: ignore[no-untyped-call]
    said = nbformat.from_dict({"name": "stderr", "text": "oh"})  # type: ignore[no-untyped-call]

    build.normalise(shown, "cell-03-0")

    named = {"model_id": "cell-03-0", "version_major": 2}
    assert shown["data"][build.WIDGET] == named
    with pytest.raises(ValueError, match="cell-03-1 wrote to stderr: oh"):
        build.normalise(said, "cell-03-1")


def cell_with(**metadata: object) -> Any:  # noqa: ANN401
    cell = nbformat.v4.new_code_cell("1 + 1", metadata=metadata)  # type: ignore[no-untyped-call]
    cell.id = "cell-03"
    return cell


@pytest.mark.parametrize(
    ("tag", "hidden", "folded"),
    [
        ("solution", {"source_hidden": True, "outputs_hidden": True}, "hide-cell"),
        ("reveal", {"source_hidden": True}, "hide-input"),
    ],
)
def test_one_tag_gives_all_that_folds_a_cell(
    tag: str, hidden: dict[str, bool], folded: str
) -> None:
    cell = cell_with(tags=[tag])

    build.fold(cell)

    assert cell.metadata == {"jupyter": hidden, "tags": [tag, folded]}


@pytest.mark.parametrize(
    "metadata",
    [
        {"tags": ["answer"]},
        {"jupyter": {"source_hidden": True}},
        {"tags": ["hide-cell"]},
    ],
)
def test_a_cell_has_no_other_metadata(metadata: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"cell-03: .*: only a tag of"):
        build.fold(cell_with(**metadata))


@pytest.mark.parametrize("version", ["standard", "editable"])
def test_a_wheel_gets_every_notebook_and_the_glossary(version: str) -> None:
    data: dict[str, dict[str, str]] = {"force_include": {}}

    hook = in_wheel.LessonsInWheel(str(ROOT), {}, None, None, "", "wheel")  # type: ignore[arg-type]
    hook.initialize(version, data)

    place = "kafkasim/lessons/notebooks/"
    wanted = {str(t.with_suffix(".ipynb")): f"{place}{name_of(t)}.ipynb" for t in ALL}
    wanted[str(course.GLOSSARY)] = f"{place}glossary.md"
    assert data["force_include"] == (wanted if version == "standard" else {})
