"""Brings the lessons onto the site: the committed notebooks, not executed again.

Sphinx reads pages from its own folder only, so each notebook is copied there when a
build begins, the English ones into the tutorial. A copy differs in two things. A link
from a notebook to a page of the documentation goes through the folder `docs`, which the
site does not have. And a view of a widget would need scripts from elsewhere and a
kernel, so only the picture that the explorer gives beside it is kept.
"""

import json
import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

WIDGET = "application/vnd.jupyter.widget-view+json"
_TO_DOCS = re.compile(r"(?<=\]\()(?:\.\./)+docs/|(?<=href=\")(?:\.\./)+docs/")
_PROMPTS = {
    "en": {
        "solution": ("Show the solution", "Hide the solution"),
        "reveal": ("Show the code", "Hide the code"),
    },
    "ko": {
        "solution": ("풀이 보기", "풀이 숨기기"),
        "reveal": ("코드 보기", "코드 숨기기"),
    },
}
"""Language → tag → what a fold on the page says, closed and open."""


def for_the_site(notebook: dict[str, Any], language: str = "en") -> dict[str, Any]:
    """Return a notebook as a page of the site."""
    prompts = _PROMPTS[language]
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = _TO_DOCS.sub("../", "".join(cell["source"]))
        for tag in cell["metadata"].get("tags", []):
            if tag in prompts:
                show, hide = prompts[tag]
                folds = {"code_prompt_show": show, "code_prompt_hide": hide}
                cell["metadata"]["mystnb"] = folds
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET, None)
    return notebook


def copy(notebooks: Path, pages: Path, language: str = "en") -> None:
    """Copy every lesson of a folder, and remove the copies of those that are gone."""
    lessons = {path.name: path for path in sorted(notebooks.glob("[0-9]*.ipynb"))}
    for old in pages.glob("[0-9]*.ipynb"):
        if old.name not in lessons:
            old.unlink()
    for name, path in lessons.items():
        read = json.loads(path.read_text(encoding="utf-8"))
        text, target = json.dumps(for_the_site(read, language)), pages / name
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.write_text(text, encoding="utf-8")


def _begin(app: Sphinx, _: Config) -> None:
    docs = Path(app.srcdir)
    copy(docs.parent / "notebooks", docs / "tutorial")
    for language in _PROMPTS.keys() - {"en"}:
        copy(docs.parent / "notebooks" / language, docs / language, language)


def setup(app: Sphinx) -> dict[str, bool]:
    """Copy the lessons before Sphinx looks for pages."""
    app.connect("config-inited", _begin)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
