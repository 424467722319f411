"""Where commands write, and in which formats."""

from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from kafkasim.errors import OutputError
from kafkasim.export.figures import figure as export_figure
from kafkasim.export.frames import table as export_table

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def unused(folder: Path, *, hint: str = "") -> Path:
    """Return the folder when it does not exist or is empty.

    Raises
    ------
    OutputError
        When it holds something; says to name another one, and the hint.
    """
    if folder.is_dir() and any(folder.iterdir()):
        raise OutputError(f"{folder} is not empty; name another folder{hint}")
    return folder


def numbered(name: str) -> Path:
    """Return a folder of that name in the current one, numbered when it is taken."""
    folder = Path(name)
    numbers = count(2)
    while folder.exists():
        folder = Path(f"{name}-{next(numbers)}")
    return folder


def save_table(table: "pd.DataFrame", path: Path) -> None:
    """Write a table as CSV and as Parquet; `path` has no suffix."""
    for suffix in ("csv", "parquet"):
        export_table(table, path.with_name(f"{path.name}.{suffix}"))


def save_figure(axes: "Axes", path: Path) -> None:
    """Write a figure as PNG and as SVG; `path` has no suffix."""
    for suffix in ("png", "svg"):
        export_figure(axes, path.with_name(f"{path.name}.{suffix}"))
