import errno
import json
import os
import stat
import sys
from pathlib import Path

import nbformat
import pytest

from kafkasim.errors import OutputError, RunError, ValidationError
from kafkasim.lessons import copying
from kafkasim.lessons.copying import Copied, copy

ROOT = Path(__file__).parents[2]
KERNEL = {"name": "python3", "display_name": "Python 3"}
PAGE = "# Glossary\n\nSee [the course](../course.md).\n\n### record\n\nOne thing.\n"


def written(source: str, tag: str = "", kind: str = "code") -> dict[str, object]:
    lines = source.splitlines(keepends=True)
    metadata = {"tags": [tag, "hide-cell"]} if tag else {}
    cell = {"cell_type": kind, "id": source[:1], "metadata": metadata, "source": lines}
    outputs = [{"name": "stdout", "output_type": "stream", "text": ["4\n"]}]
    ran = {"execution_count": 3, "outputs": outputs} if kind == "code" else {}
    return cell | ran


def lesson(*cells: dict[str, object]) -> str:
    metadata = {"kernelspec": KERNEL, "widgets": {"state": {}}}
    whole = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole)


LINKS = (
    "A [record](../docs/reference/glossary.md#record), [all of\n"
    "them](../docs/reference/glossary.md) and [the\n"
    "model](../docs/explanation/model.md); [03](03-keys.ipynb), [KIP](https://example.com/a)."
)
START = lesson(
    written(LINKS, kind="markdown"),
    written("guess = None"),
    written("reveal(guess, 4)", "reveal"),
    written("a = 1", "solution"),
    written("Because.", "solution", kind="markdown"),
    written("a + 1", "solution"),
    written("The end.", kind="markdown"),
)


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two lessons and the glossary in a package that nobody may write to."""
    package = tmp_path / "package"
    places = package / "notebooks"
    places.mkdir(parents=True)
    (places / "01-start.ipynb").write_text(START, encoding="utf-8")
    (places / "03-keys.ipynb").write_text(lesson(written("1 + 1")), encoding="utf-8")
    (places / "glossary.md").write_text(PAGE, encoding="utf-8")
    for path in (*places.iterdir(), places):
        path.chmod(path.stat().st_mode & ~0o222)
    monkeypatch.setattr(copying, "__file__", str(package / "copying.py"))
    return places


def sources(file: Path) -> list[str]:
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells]


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.usefixtures("shared")
def test_a_copy_has_neither_outputs_nor_solutions(tmp_path: Path) -> None:
    done = copy(tmp_path / "mine")

    names = ["01-start.ipynb", "03-keys.ipynb", "glossary.md"]
    assert done == [Copied(name, "copied") for name in names]
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == names
    assert sources(tmp_path / "mine" / "01-start.ipynb")[1:] == [
        "guess = None",
        "reveal(guess, 4)",
        "# Your code.\n",
        "The end.",
    ]
    read = nbformat.read(tmp_path / "mine" / "01-start.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    nbformat.validate(read)
    code = [cell for cell in read.cells if cell.cell_type == "code"]
    assert {len(cell.outputs) for cell in code} == {0}
    assert {cell.execution_count for cell in code} == {None}
    assert "widgets" not in read.metadata
    assert code[1].metadata.tags == ["reveal", "hide-cell"]
    assert code[2].metadata == {}


@pytest.mark.usefixtures("shared")
def test_solutions_come_folded_when_they_are_asked_for(tmp_path: Path) -> None:
    copy(tmp_path, solutions=True)

    whole = json.loads((tmp_path / "01-start.ipynb").read_text(encoding="utf-8"))
    assert sources(tmp_path / "01-start.ipynb")[3:6] == ["a = 1", "Because.", "a + 1"]
    assert whole["cells"][3]["metadata"] == {"tags": ["solution", "hide-cell"]}
    assert "4\\n" not in json.dumps(whole)


@pytest.mark.usefixtures("shared")
def test_links_lead_to_what_is_copied_and_others_become_words(tmp_path: Path) -> None:
    copy(tmp_path)

    assert sources(tmp_path / "01-start.ipynb")[0] == (
        "A [record](glossary.md#record), [all of\nthem](glossary.md) and the\n"
        "model; [03](03-keys.ipynb), [KIP](https://example.com/a)."
    )
    page = (tmp_path / "glossary.md").read_text(encoding="utf-8")
    assert page.startswith(PAGE.replace("[the course](../course.md)", "the course"))


def test_a_lesson_comes_in_its_other_languages_each_in_a_folder(
    shared: Path, tmp_path: Path
) -> None:
    shared.chmod(0o755)
    (shared / "ko").mkdir()
    korean = lesson(written("[x](../../docs/reference/glossary.md#x)", kind="markdown"))
    (shared / "ko" / "01-start.ipynb").write_text(korean, encoding="utf-8")

    done = copy(tmp_path / "mine", names=["1"])

    names = ["01-start.ipynb", "ko/01-start.ipynb", "glossary.md"]
    assert done == [Copied(name, "copied") for name in names]
    copied = tmp_path / "mine" / "ko" / "01-start.ipynb"
    assert sources(copied) == ["[x](../glossary.md#x)"]
    change(copied, "[x]", "[y]")
    kept = Copied("ko/01-start.ipynb", "kept: it was changed")
    assert copy(tmp_path / "mine", names=["1"])[1] == kept
    assert copy(tmp_path / "mine", names=["3"])[0].name == "03-keys.ipynb"


@pytest.mark.usefixtures("shared")
def test_what_was_only_run_and_saved_is_left_as_it_is(tmp_path: Path) -> None:
    copy(tmp_path)
    file = tmp_path / "03-keys.ipynb"
    whole = json.loads(file.read_text(encoding="utf-8"))
    whole["cells"][0]["outputs"] = [
        {"name": "stdout", "output_type": "stream", "text": "2"}
    ]
    whole["cells"][0]["source"] = "1 + 1"
    whole["cells"].append({"cell_type": "code", "source": [], "outputs": []})
    whole["metadata"]["language_info"] = {"version": "3.11.9"}
    file.write_text(json.dumps(whole), encoding="utf-8")
    before = file.read_bytes()

    done = copy(tmp_path)

    assert {each.became for each in done} == {"already there"}
    assert file.read_bytes() == before


def test_a_new_lesson_replaces_a_copy_that_nobody_changed(
    shared: Path, tmp_path: Path
) -> None:
    copy(tmp_path)
    for path in (shared, *shared.iterdir()):
        path.chmod(0o755)
    change(shared / "01-start.ipynb", "The end.", "The very end.")
    change(shared / "glossary.md", "One thing.", "One thing that was sent.")

    done = copy(tmp_path)

    assert [each.became for each in done] == ["updated", "already there", "updated"]
    assert sources(tmp_path / "01-start.ipynb")[-1] == "The very end."
    assert [each.became for each in copy(tmp_path)] == ["already there"] * 3


@pytest.mark.usefixtures("shared")
def test_what_a_learner_changed_is_kept_and_the_others_are_copied(
    tmp_path: Path,
) -> None:
    copy(tmp_path)
    change(tmp_path / "01-start.ipynb", "guess = None", "guess = 8")
    change(tmp_path / "glossary.md", "One thing.", "One thing!")
    (tmp_path / "03-keys.ipynb").unlink()
    before = (tmp_path / "01-start.ipynb").read_bytes()

    done = copy(tmp_path, solutions=True)

    kept = "kept: it was changed"
    assert [each.became for each in done] == [kept, "copied", kept]
    assert (tmp_path / "01-start.ipynb").read_bytes() == before
    assert "One thing!" in (tmp_path / "glossary.md").read_text(encoding="utf-8")


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize(
    "text",
    ["", "not json", "[]", "{}", '{"metadata": {"kafkasim": 1}}', START, "[" * 99_999],
)
def test_a_file_that_is_no_copy_of_ours_is_kept(tmp_path: Path, text: str) -> None:
    (tmp_path / "01-start.ipynb").write_text(text, encoding="utf-8")

    assert copy(tmp_path)[0].became == "kept: it was changed"
    assert (tmp_path / "01-start.ipynb").read_text(encoding="utf-8") == text


@pytest.mark.usefixtures("shared")
def test_a_lesson_is_named_by_number_or_name(tmp_path: Path) -> None:
    for name in ("03", "3", "03-keys", "03-keys.ipynb"):
        done = copy(tmp_path / name, names=[name])
        assert [each.name for each in done] == ["03-keys.ipynb", "glossary.md"]
    both = copy(tmp_path / "both", names=["03", "01"])
    assert [each.name for each in both[:2]] == ["01-start.ipynb", "03-keys.ipynb"]


@pytest.mark.usefixtures("shared")
def test_an_unknown_lesson_is_named_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=r"01-start, 03-keys \(did you mean 03"):
        copy(tmp_path / "mine", names=["01", "keys"])
    assert not (tmp_path / "mine").exists()


@pytest.mark.usefixtures("shared")
def test_a_file_in_the_place_of_the_folder_is_not_allowed(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("kept", encoding="utf-8")

    with pytest.raises(ValidationError, match="it is a file"):
        copy(tmp_path / "mine")
    with pytest.raises(OutputError, match="a part of its path is a file"):
        copy(tmp_path / "mine" / "deeper")
    assert (tmp_path / "mine").read_text(encoding="utf-8") == "kept"


def test_a_failure_names_the_file_and_leaves_no_part_of_it(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, *_: object, **__: object) -> int:
        self.touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    assert shared.exists()
    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OutputError, match=r"01-start\.ipynb: No space left on device"):
        copy(tmp_path / "mine")
    assert list((tmp_path / "mine").iterdir()) == []


@pytest.mark.usefixtures("shared")
def test_a_folder_in_the_place_of_a_lesson_is_named(tmp_path: Path) -> None:
    (tmp_path / "01-start.ipynb").mkdir()

    with pytest.raises(OutputError, match=r"cannot write .*01-start\.ipynb: "):
        copy(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="it has no such modes")
def test_a_copy_of_a_read_only_file_can_be_written_to(
    shared: Path, tmp_path: Path
) -> None:
    before = {path: path.read_bytes() for path in shared.iterdir()}

    copy(tmp_path / "mine")

    for file in (tmp_path / "mine").iterdir():
        assert file.stat().st_mode & stat.S_IWUSR
    assert {path: path.read_bytes() for path in shared.iterdir()} == before


def test_an_installation_without_lessons_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "__file__", str(tmp_path / "a" / "b" / "copying.py"))

    with pytest.raises(RunError, match="holds no lessons"):
        copy(tmp_path / "mine")


def test_a_checkout_copies_its_own_notebooks_and_its_glossary(tmp_path: Path) -> None:
    done = copy(tmp_path)

    notebooks = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
    korean = [
        f"ko/{each.name}"
        for each in sorted((ROOT / "notebooks" / "ko").glob("*.ipynb"))
    ]
    assert [each.name for each in done] == [
        *(path.name for path in notebooks),
        *korean,
        "glossary.md",
    ]
    assert len(korean) > 0
    for name in korean:
        assert "](../docs" not in (tmp_path / name).read_text(encoding="utf-8")
    for path in notebooks:
        text = (tmp_path / path.name).read_text(encoding="utf-8")
        assert "](../" not in text
        assert '"outputs": [\n' not in text
