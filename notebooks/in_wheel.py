"""What hatchling asks when it builds the wheel: the lessons go into the package.

`kafkasim lessons` copies them from there. An editable install has no need of it: the
lessons are found where they are.
"""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PLACE = "kafkasim/lessons/notebooks"


class LessonsInWheel(BuildHookInterface[Any]):
    """Adds each executed lesson in each language, and the glossary, to a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the files and where they go."""
        if version == "editable":
            return
        root = Path(self.root)
        notebooks = root / "notebooks"
        files = sorted(notebooks.glob("[0-9][0-9]-*.ipynb"))
        files += sorted(notebooks.glob("[a-z][a-z]/[0-9][0-9]-*.ipynb"))
        places = {f: f"{PLACE}/{f.relative_to(notebooks).as_posix()}" for f in files}
        glossary = root / "docs" / "reference" / "glossary.md"
        places[glossary] = f"{PLACE}/{glossary.name}"
        build_data["force_include"] |= {str(f): place for f, place in places.items()}
