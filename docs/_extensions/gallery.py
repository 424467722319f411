"""Runs the scripts of the gallery when the documentation is built, and shows them.

Each script `docs/gallery/NN-name.py` is plain Python: its docstring is a title and what
to see, and it leaves its figure in `ax`. Running it gives a page with the picture, its
caption and alternative text as `ks.plot` makes them from the data, the code, and the
script to download; an index shows all. Pages and pictures are made anew by every build.
"""

import ast
import runpy
from dataclasses import dataclass
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

import kafkasim as ks

_INDEX = """# Gallery

Every figure of `ks.plot`, each made by a few lines when these pages were built. Within
`ks.plot.sized("slide")` they are large enough for the last row of a lecture hall.

::::{{grid}} 1 2 2 3
:gutter: 3

{cards}
::::

```{{toctree}}
:hidden:

{pages}
```
"""

_CARD = """:::{{grid-item-card}} {title}
:link: {name}
:link-type: doc
:img-top: {name}.png
:img-alt: {alt}
:::
"""

_PAGE = """# {title}

{text}

```{{image}} {name}.png
---
alt: >-
  {alt}
---
```

*{caption}*

```{{literalinclude}} {name}.py
---
language: python
lines: {first}-
---
```

{{download}}`Download the script <{name}.py>`
"""


@dataclass(frozen=True)
class Entry:
    """One script, run."""

    name: str
    title: str
    """First line of its docstring, without the full stop."""
    text: str
    """The rest of its docstring."""
    first: int
    """Line on which its code begins, from 1."""
    alt: str
    caption: str


def run(script: Path, picture: Path) -> Entry:
    """Run a script, write its figure to `picture`, and return what it says."""
    module = ast.parse(script.read_text(encoding="utf-8"))
    title, _, text = (ast.get_docstring(module) or "").partition("\n\n")
    ax = runpy.run_path(str(script))["ax"]
    ks.export.figure(ax, picture, dpi=100)
    return Entry(
        name=script.stem,
        title=title.rstrip("."),
        text=text,
        first=module.body[1].lineno,
        alt=ks.plot.alt_text(ax),
        caption=ks.plot.caption(ax),
    )


def write(folder: Path) -> list[Entry]:
    """Run every script in a folder; write a page for each beside it, and an index."""
    for old in (*folder.glob("*.md"), *folder.glob("*.png")):
        old.unlink()
    scripts = sorted(folder.glob("[0-9]*.py"))
    entries = [run(script, script.with_suffix(".png")) for script in scripts]
    for entry in entries:
        page = _PAGE.format(**vars(entry))
        (folder / f"{entry.name}.md").write_text(page, encoding="utf-8")
    cards = "\n".join(_CARD.format(**vars(entry)) for entry in entries)
    pages = "\n".join(entry.name for entry in entries)
    text = _INDEX.format(cards=cards, pages=pages)
    (folder / "index.md").write_text(text, encoding="utf-8")
    return entries


def _begin(app: Sphinx, _: Config) -> None:
    write(Path(app.srcdir) / "gallery")


def setup(app: Sphinx) -> dict[str, bool]:
    """Run the gallery before Sphinx looks for pages."""
    app.connect("config-inited", _begin)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
