"""The gallery is made by running it, and no public figure is missing from it."""

import ast
import re
import runpy
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from kafkasim import plot
from tests.tiers import Tier

DOCS = Path(__file__).parents[1] / "docs"
SCRIPTS = sorted((DOCS / "gallery").glob("[0-9]*.py"))
GALLERY: dict[str, Any] = runpy.run_path(str(DOCS / "_extensions" / "gallery.py"))


def figures() -> set[str]:
    """Return the public functions of `plot` that draw: those that return axes."""
    return {
        name
        for name in plot.__all__
        if getattr(plot, name).__annotations__.get("return") == "Axes"
    }


def drawn_by(script: Path) -> set[str]:
    """Return the functions of `ks.plot` that a script calls."""
    tree = ast.parse(script.read_text(encoding="utf-8"))
    called = {
        ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)
    }
    return {
        name.removeprefix("ks.plot.") for name in called if name.startswith("ks.plot.")
    }


def code(script: Path) -> list[str]:
    tree = ast.parse(script.read_text(encoding="utf-8"))
    lines = script.read_text(encoding="utf-8").splitlines()
    return [line for line in lines[tree.body[1].lineno - 1 :] if line.strip()]


def test_every_public_figure_has_an_entry() -> None:
    assert len(figures()) > 10
    assert set().union(*map(drawn_by, SCRIPTS)) == figures()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_is_a_docstring_and_three_to_ten_lines(script: Path) -> None:
    imports, *lines = code(script)
    assert imports == "import kafkasim as ks"
    assert 3 <= len(lines) <= 10
    title, blank, *text = str(
        ast.get_docstring(ast.parse(script.read_text(encoding="utf-8")))
    ).splitlines()
    assert title.endswith(".")
    assert blank == ""
    assert text


def test_running_it_gives_a_picture_in_words_and_a_page(
    tmp_path: Path, tier: Tier
) -> None:
    """Every fifth in the quick tier; building the documentation runs them all."""
    scripts = SCRIPTS if tier.name == "thorough" else SCRIPTS[::5]
    for script in scripts:
        (tmp_path / script.name).write_bytes(script.read_bytes())
    (tmp_path / "99-gone.md").touch()
    entries = GALLERY["write"](tmp_path)
    assert [entry.name for entry in entries] == [script.stem for script in scripts]
    index = (tmp_path / "index.md").read_text(encoding="utf-8")
    assert not (tmp_path / "99-gone.md").exists()
    for entry in entries:
        page = (tmp_path / f"{entry.name}.md").read_text(encoding="utf-8")
        assert page.startswith(f"# {entry.title}\n")
        assert f"{{download}}`Download the script <{entry.name}.py>`" in page
        assert len(entry.alt) > 40
        assert entry.alt in page
        assert entry.alt in index
        shown = (DOCS / "gallery" / f"{entry.name}.py").read_text(encoding="utf-8")
        assert shown.splitlines()[entry.first - 1] == "import kafkasim as ks"
        assert f"lines: {entry.first}-" in page
        assert re.search(rf"^{entry.name}$", index, re.MULTILINE)
        with Image.open(tmp_path / f"{entry.name}.png") as picture:
            assert picture.width >= 700
            assert len(picture.convert("L").getcolors(256) or []) > 8
