"""Brings the lessons into the tutorial: the committed notebooks, not executed again.

Sphinx reads pages from its own folder only, so each notebook is copied there when a
build begins. A copy differs in two things. A link from a notebook to a page of the
documentation goes through the folder `docs`, which the site does not have. And a view
of a widget would need scripts from elsewhere and a kernel, so only the picture that the
explorer gives beside it is kept.
"""

import json
import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

WIDGET = "application/vnd.jupyter.widget-view+json"
_TO_DOCS = re.compile(r"(?<=\]\()\.\./docs/|(?<=href=\")\.\./docs/")
_PROMPTS = {"solution": "the solution", "reveal": "the code"}
"""Tag → what a fold on the page is said to hold."""


def for_the_site(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return a notebook as a page of the tutorial."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = _TO_DOCS.sub("../", "".join(cell["source"]))
        for tag in cell["metadata"].get("tags", []):
            if tag in _PROMPTS:
                said = _PROMPTS[tag]
                prompts = {"show": f"Show {said}", "hide": f"Hide {said}"}
                cell["metadata"]["mystnb"] = {
                    f"code_prompt_{key}": prompt for key, prompt in prompts.items()
                }
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET, None)
    return notebook


def copy(notebooks: Path, tutorial: Path) -> None:
    """Copy every lesson, and remove the copies of those that are gone."""
    lessons = {path.name: path for path in sorted(notebooks.glob("[0-9]*.ipynb"))}
    for old in tutorial.glob("[0-9]*.ipynb"):
        if old.name not in lessons:
            old.unlink()
    for name, path in lessons.items():
        notebook = for_the_site(json.loads(path.read_text(encoding="utf-8")))
        text, target = json.dumps(notebook), tutorial / name
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.write_text(text, encoding="utf-8")


def _begin(app: Sphinx, _: Config) -> None:
    docs = Path(app.srcdir)
    copy(docs.parent / "notebooks", docs / "tutorial")


def setup(app: Sphinx) -> dict[str, bool]:
    """Copy the lessons before Sphinx looks for pages."""
    app.connect("config-inited", _begin)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
