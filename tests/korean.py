"""What tests of Korean pages and lessons share."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import nbformat

from notebooks import build

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
HANGUL = re.compile(r"[가-힣]")
NUMBER = re.compile(r"\d[\d,.]*\d|\d")
WORDS = build.translations()


@cache
def cells(notebook: Path) -> list[Any]:
    read = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
    return list(read.cells)


def slug(heading: str) -> str:
    """Return the anchor of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.casefold()).replace(" ", "-")
