"""Make the notebooks: each lesson's text is executed and written as .ipynb.

    python notebooks/build.py            write the .ipynb of every lesson
    python notebooks/build.py --check    execute and compare; 1 when a byte would change
    python notebooks/build.py 01         only lessons whose names begin so
    python notebooks/build.py --words    which words a lesson uses too early

A lesson is text that people edit (jupytext, py:percent). Its .ipynb beside it carries
the outputs, so that a web page shows them, and nothing else that changes from run to
run: no times of execution, no state of widgets; ids are the number of the cell. So
executing twice changes no byte. The bytes of a picture depend on matplotlib's version:
build in the environment that `run.py` makes.

A lesson in another language, `ko/01-start-here.py`, has words only: its code is that of
the English text, with one cell before it that says `ks.language("ko")`. Each cell of
its words names by a digest the English ones that it was translated from: none can stay
behind when these change.

In the text the cell of a solution has the tag `solution` and that of a reveal the tag
`reveal`; what JupyterLab and the documentation need to fold them is derived here.

Beside each lesson is printed what it took: seconds from the start of its kernel to the
end of its last cell, and, on Linux, the processor seconds of the kernel and the most
memory it held.
"""

import argparse
import hashlib
import os
import sys
import time
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from notebooks import course

FOLDER = Path(__file__).resolve().parent
WIDGET = "application/vnd.jupyter.widget-view+json"
METADATA = {
    "kernelspec": {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    },
    "language_info": {"file_extension": ".py", "name": "python"},
}

LANGUAGES = ("ko",)
"""The folders of the lessons that are translated, named as `ks.language` has it."""
SPEAK = 'import kafkasim as ks\n\nks.language("{code}")'
"""The one cell of code that a translated lesson has and the English one has not."""

FOLDS = {
    "solution": ({"source_hidden": True, "outputs_hidden": True}, "hide-cell"),
    "reveal": ({"source_hidden": True}, "hide-input"),
}
"""Tag of a cell → what JupyterLab folds, and the tag by which myst-nb folds it.

What a reveal shows is not folded as a cell: it opens and closes by itself.
"""


def lessons(beginning: str = "") -> list[Path]:
    """Return the texts of the lessons, in their order."""
    texts = FOLDER.glob("[0-9][0-9]-*.py")
    return sorted(text for text in texts if text.name.startswith(beginning))


def translations(beginning: str = "") -> list[Path]:
    """Return the words of the lessons in other languages, in their order."""
    words = [
        text for code in LANGUAGES for text in (FOLDER / code).glob("[0-9][0-9]-*.py")
    ]
    return sorted(text for text in words if text.name.startswith(beginning))


def unexecuted(lesson: Path) -> NotebookNode:
    """Return the notebook that a text makes, without outputs."""
    if lesson.parent != FOLDER:
        return translated(lesson)
    notebook = read(lesson)
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02d}"
        fold(cell)
    return notebook


def read(text: Path) -> NotebookNode:
    """Return the cells of a text."""
    said = text.read_text(encoding="utf-8")
    notebook: NotebookNode = jupytext.reads(said, fmt="py:percent")
    notebook.metadata = node(METADATA)
    return notebook


def translated(words: Path) -> NotebookNode:
    """Return the notebook of a lesson in another language, without outputs.

    Raises
    ------
    ValueError
        The English words have changed since, or there are more or fewer cells of them.
    """
    notebook = unexecuted(FOLDER / words.name)
    english = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    theirs = read(words).cells
    if len(english) != len(theirs):
        raise ValueError(
            f"{words}: {len(theirs)} cells of words, in English {len(english)}"
        )
    for cell, mine in zip(english, theirs, strict=True):
        now = digest(cell.source)
        if mine.metadata != {"of": now}:
            raise ValueError(
                f'{words}, {cell.id}: the English words are of="{now}", these are of '
                f"{dict(mine.metadata)}"
            )
        cell.source = mine.source
    code = next(i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code")
    speak = nbformat.v4.new_code_cell(  # type: ignore[no-untyped-call]
        SPEAK.format(code=words.parent.name), id="language"
    )
    notebook.cells.insert(code, speak)
    return notebook


def digest(words: str) -> str:
    """Return what a translated cell calls the English words that it says."""
    return hashlib.sha256(words.encode()).hexdigest()[:8]


def node(content: dict[str, Any]) -> NotebookNode:
    """Return a dictionary as a part of a notebook."""
    made: NotebookNode = nbformat.from_dict(content)  # type: ignore[no-untyped-call]
    return made


def fold(cell: NotebookNode) -> None:
    """Give a tagged cell what folds it.

    Raises
    ------
    ValueError
        The cell has another tag or metadata of its own: they would come from elsewhere.
    """
    tags = cell.metadata.get("tags", [])
    if (cell.metadata and list(cell.metadata) != ["tags"]) or set(tags) - set(FOLDS):
        raise ValueError(
            f"{cell.id}: {dict(cell.metadata)}: only a tag of {list(FOLDS)}"
        )
    for tag in tags[:1]:
        hidden, folded = FOLDS[tag]
        cell.metadata = node({"jupyter": hidden, "tags": [tag, folded]})


def executed(lesson: Path) -> tuple[NotebookNode, str]:
    """Return the notebook with its outputs, normalised, and what it took.

    Raises
    ------
    CellExecutionError
        A cell raises.
    ValueError
        A cell writes to stderr: a warning is an error in a lesson.
    """
    notebook = unexecuted(lesson)
    took = ""
    began = time.perf_counter()  # noqa: TID251 - it is printed, and stands in no file

    def note(**_: object) -> None:
        nonlocal took
        seconds = time.perf_counter() - began  # noqa: TID251
        took = f"{seconds:.1f} s{used(client)}"

    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=120,
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,  # what is printed comes in pieces, as time falls
        resources={"metadata": {"path": str(FOLDER.parent)}},
        on_cell_executed=note,
    )
    client.execute()
    notebook.metadata = node(METADATA)
    for cell in notebook.cells:
        for number, output in enumerate(cell.get("outputs", [])):
            normalise(output, f"{cell.id}-{number}")
    return notebook, took


def used(client: NotebookClient) -> str:
    """Return what the kernel computed and held so far; nothing where nobody says it."""
    if sys.platform != "linux":
        return ""
    assert client.km is not None
    provisioner: Any = client.km.provisioner
    process = Path("/proc") / str(provisioner.pid)
    # utime and stime are fields 14 and 15, 12 and 13 after the name (proc(5)).
    fields = (process / "stat").read_text().rpartition(")")[2].split()
    computed_s = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    status = (process / "status").read_text().splitlines()
    (peak_kib,) = (int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    return f", {computed_s:.1f} s of processor, {peak_kib / 1024:.0f} MiB at most"


def normalise(output: NotebookNode, name: str) -> None:
    """Give a widget's view an id of its own name; refuse what went to stderr."""
    if output.get("name") == "stderr":
        raise ValueError(f"{name} wrote to stderr: {output['text']}")
    view = output.get("data", {}).get(WIDGET)
    if view is not None:
        view["model_id"] = name


def text_of(notebook: NotebookNode) -> str:
    """Return the notebook as it stands in its file."""
    text: str = nbformat.writes(notebook)  # type: ignore[no-untyped-call]
    return text.rstrip("\n") + "\n"


def main(arguments: list[str]) -> int:
    """Build or check; return the exit code."""
    parser = argparse.ArgumentParser(description="Make the notebooks.")
    parser.add_argument("lesson", nargs="?", default="")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--words", action="store_true")
    asked = parser.parse_args(arguments)
    if asked.words:
        wrong = course.report()
        print("\n".join(wrong) or "every word comes after its introduction")
        return int(bool(wrong))
    stale = 0
    for lesson in [*lessons(asked.lesson), *translations(asked.lesson)]:
        target = lesson.with_suffix(".ipynb")
        notebook, took = executed(lesson)
        text = text_of(notebook)
        old = target.read_text(encoding="utf-8") if target.exists() else ""
        same = text == old
        stale += not same
        if not asked.check:
            target.write_text(text, encoding="utf-8")
        name = target.relative_to(FOLDER)
        print(f"{name}: {'unchanged' if same else 'changed'}; {took}")
    return int(asked.check and stale > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
