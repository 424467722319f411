"""The command that copies the lessons."""

from collections.abc import Sequence
from pathlib import Path

from kafkasim.errors import OutputError
from kafkasim.lessons import copying


def lessons(*, folder: Path, names: Sequence[str], solutions: bool) -> None:
    """Copy the lessons into a folder, to read and to change.

    Raises
    ------
    OutputError
        When a file that the learner changed was kept; the others are copied.
    """
    done = copying.copy(folder, names=names, solutions=solutions)
    for each in done:
        print(f"{each.name}: {each.became}")
    print(f"\nThe lessons are in {folder}; begin with {folder / done[0].name}")
    kept = [each.name for each in done if each.became == "kept: it was changed"]
    if kept:
        what = ", ".join(kept)
        hint = "rename it, or name another folder, to have the lesson as it comes"
        raise OutputError(f"{what}: not overwritten, since it was changed; {hint}")
