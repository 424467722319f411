"""A lesson's text and its notebook are in step; nbval compares what the cells give."""

import importlib.util
from pathlib import Path
from types import ModuleType

import nbformat
import pytest

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
LESSONS = sorted(NOTEBOOKS.glob("[0-9]*.py"))


def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build", NOTEBOOKS / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_the_notebook_holds_the_cells_of_its_text_and_their_outputs(
    lesson: Path,
) -> None:
    text = builder().unexecuted(lesson)

    notebook = nbformat.read(lesson.with_suffix(".ipynb"), as_version=4)  # type: ignore[no-untyped-call]

    assert notebook.metadata == text.metadata
    assert [(c.id, c.cell_type, c.metadata) for c in notebook.cells] == [
        (c.id, c.cell_type, c.metadata) for c in text.cells
    ]
    assert [c.source for c in notebook.cells] == [c.source for c in text.cells]
    counts = [c.execution_count for c in notebook.cells if c.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))


def test_a_widget_is_named_after_its_cell_and_stderr_is_refused() -> None:
    normalise, view = builder().normalise, builder().WIDGET
    shown = {"data": {view: {"model_id": "8c1f", "version_major": 2}}}

    normalise(shown, "cell-03-0")

    assert shown["data"][view] == {"model_id": "cell-03-0", "version_major": 2}
    with pytest.raises(ValueError, match="cell-03-1 wrote to stderr: oh"):
        normalise({"name": "stderr", "text": "oh"}, "cell-03-1")


def test_there_are_lessons() -> None:
    assert "03-partitions-and-order" in [lesson.stem for lesson in LESSONS]
