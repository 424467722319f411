"""Copies of the lessons for learners: without outputs, and without solutions if asked.

The lessons lie in the package or in a checkout's `notebooks`; nothing is written there.
A copy carries a digest of its cells as they were copied, so that the next copy can tell
what a learner changed, wherever the file was moved to; running or saving a notebook is
no change. The standard library is enough.
"""

import difflib
import errno
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from kafkasim.errors import OutputError, RunError, ValidationError

YOUR_TURN: Final = "# Your code.\n"
"""What stands in the place of a solution."""

GLOSSARY: Final = "glossary.md"

_LINK: Final = re.compile(
    r"(?<!!)\[([^\]]*)\]\(\.\./((?:\.\./)*)docs/([^)\s#]*)(#[^)\s]*)?\)"
)
_MARK: Final = re.compile(r"\n<!-- copied by kafkasim: ([0-9a-f]{64}) -->\n\Z")

Became = Literal["copied", "updated", "already there", "kept: it was changed"]


@dataclass(frozen=True, slots=True)
class Copied:
    """What became of one file."""

    name: str
    became: Became


def copy(
    folder: Path, *, names: Sequence[str] = (), solutions: bool = False
) -> list[Copied]:
    """Copy the lessons and the glossary, and keep what a learner changed.

    A lesson that is translated is copied in its other languages too, each into a folder
    of its own: `ko/01-start-here.ipynb`.

    Parameters
    ----------
    folder : Path
        Where to; made when it does not exist.
    names : sequence of str, optional
        Lessons, by number or name; all when not given.
    solutions : bool, optional
        Whether to copy the solutions too, folded.

    Returns
    -------
    list of Copied
        In the lessons' order; the glossary comes last.

    Raises
    ------
    ValidationError
        When there is no such lesson, or `folder` is a file.
    OutputError
        When a file cannot be written; those before it are complete.
    RunError
        When this installation holds no lessons.
    """
    chosen = _chosen(names)
    with _failing_for(folder):
        if folder.exists() and not folder.is_dir():
            raise ValidationError("DIR", str(folder), "a folder", "it is a file")
        folder.mkdir(parents=True, exist_ok=True)
    done = []
    others = [each for lesson in chosen for each in translations(lesson)]
    for lesson in (*chosen, *others):
        copied = notebook(lesson.read_text(encoding="utf-8"), solutions=solutions)
        name = lesson.relative_to(chosen[0].parent)
        with _failing_for(folder / name.parent):
            (folder / name.parent).mkdir(exist_ok=True)
        done.append(_put(folder / name, copied, name.as_posix()))
    words = glossary(_glossary_file().read_text(encoding="utf-8"))
    return [*done, _put(folder / GLOSSARY, words, GLOSSARY)]


def available() -> list[Path]:
    """Return the notebooks of this installation, in the lessons' order.

    Raises
    ------
    RunError
        When there are none.
    """
    here = Path(__file__).resolve()
    for place in (here.parent / "notebooks", here.parents[2] / "notebooks"):
        if found := sorted(place.glob("[0-9][0-9]-*.ipynb")):
            return found
    raise RunError("this installation of kafkasim holds no lessons")


def translations(lesson: Path) -> list[Path]:
    """Return a lesson in other languages, in the order of their codes."""
    return sorted(lesson.parent.glob(f"[a-z][a-z]/{lesson.name}"))


def _glossary_file() -> Path:
    inside = Path(__file__).resolve().parent / "notebooks" / GLOSSARY
    if inside.exists():
        return inside
    return Path(__file__).resolve().parents[2] / "docs" / "reference" / GLOSSARY


def _chosen(names: Iterable[str]) -> list[Path]:
    lessons = {path.stem: path for path in available()}
    chosen = set()
    for name in names:
        wanted = name.removesuffix(".ipynb")
        fits = [
            stem
            for stem in lessons
            if stem == wanted or stem.partition("-")[0] == wanted.zfill(2)
        ]
        if not fits:
            near = difflib.get_close_matches(wanted, lessons, n=1, cutoff=0.4)
            why = f"did you mean {near[0]}?" if near else ""
            raise ValidationError("LESSON", name, f"one of {', '.join(lessons)}", why)
        chosen |= set(fits)
    return [path for stem, path in lessons.items() if not names or stem in chosen]


def notebook(file: str, *, solutions: bool) -> str:
    """Return a notebook without outputs and, unless asked for, without solutions.

    A code cell that is a solution becomes an empty one for the learner's own; one after
    another become one. A solution in words is left out.
    """
    whole = json.loads(file)
    cells: list[dict[str, Any]] = []
    for cell in whole["cells"]:
        if not solutions and "solution" in cell["metadata"].get("tags", []):
            before = cells[-1] if cells else {}
            if cell["cell_type"] != "code" or before.get("source") == [YOUR_TURN]:
                continue
            cell["source"], cell["metadata"] = [YOUR_TURN], {}
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
        else:
            text = _relinked("".join(cell["source"]))
            cell["source"] = text.splitlines(keepends=True)
        cells.append(cell)
    whole["cells"] = cells
    whole["metadata"].pop("widgets", None)
    whole["metadata"]["kafkasim"] = {"copied": _digest_of_cells(whole)}
    return json.dumps(whole, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def glossary(page: str) -> str:
    """Return the glossary as a page that stands alone."""
    text = re.sub(r"(?<!!)\[([^\]]*)\]\((?![a-z]+:|#)[^)]*\)", r"\1", page)
    return f"{text}\n<!-- copied by kafkasim: {_digest(text)} -->\n"


def _relinked(source: str) -> str:
    """Return markdown whose links lead to what is copied too; others become words."""

    def link(match: re.Match[str]) -> str:
        text, up, page, place = match.groups()
        if page != f"reference/{GLOSSARY}":
            return str(text)
        return f"[{text}]({up}{GLOSSARY}{place or ''})"

    return _LINK.sub(link, source)


def _put(file: Path, text: str, name: str) -> Copied:
    """Write a file unless what is there was changed, or is the same already."""
    with _failing_for(file):
        if not os.path.lexists(file):
            _write(file, text)
            return Copied(name, "copied")
        there = _as_copied(file)
        if there is None:
            return Copied(name, "kept: it was changed")
        if there == _said(text):
            return Copied(name, "already there")
        _write(file, text)
        return Copied(name, "updated")


def _as_copied(file: Path) -> str | None:
    """Return the digest of a file that is as it was copied, and None for any other."""
    try:
        text = file.read_text(encoding="utf-8")
        said, found = _said(text), _found(text)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None  # not a copy of ours
    return said if said == found else None


def _said(text: str) -> str:
    """Return the digest that a copy carries.

    Raises
    ------
    ValueError, LookupError, TypeError
        When it carries none.
    """
    if mark := _MARK.search(text):
        return mark[1]
    return str(json.loads(text)["metadata"]["kafkasim"]["copied"])


def _found(text: str) -> str:
    """Return the digest of what a copy holds."""
    if mark := _MARK.search(text):
        return _digest(text[: mark.start()])
    return _digest_of_cells(json.loads(text))


def _digest_of_cells(whole: dict[str, Any]) -> str:
    """Return the digest of the cells; JupyterLab adds an empty one after the last."""
    cells = [[cell["cell_type"], "".join(cell["source"])] for cell in whole["cells"]]
    return _digest(json.dumps([cell for cell in cells if cell[1].strip()]))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _write(file: Path, text: str) -> None:
    """Write a file as the user's own, with their modes; it appears when complete."""
    partial = file.with_name(f".{file.name}.partial-{os.getpid()}")
    try:
        partial.write_text(text, encoding="utf-8", newline="\n")
        partial.replace(file)
    finally:
        with suppress(OSError):
            partial.unlink()


@contextmanager
def _failing_for(path: Path) -> Iterator[None]:
    """Say which file could not be written."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        if error.errno == errno.ENOTDIR:
            why = "a part of its path is a file"
        raise OutputError(f"cannot write {path}: {why}") from None
