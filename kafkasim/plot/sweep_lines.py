"""Lines of a sweep: which of its rows are one line, and where their points stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.analysis.measures import METRICS
from kafkasim.catalogue import say
from kafkasim.errors import ValidationError
from kafkasim.plot.given import check_column
from kafkasim.plot.sweep_scales import YScale, are_numbers

if TYPE_CHECKING:
    import pandas as pd

_FIXED: Final = ("replications", "digest", "system", "subscriber")
"""Columns of a sweep's table that are no setting."""


@dataclass(frozen=True, slots=True)
class View:
    """What is drawn of a table, beside the metric."""

    across: str
    colour: str | None
    apart: tuple[str, ...]
    """What else was varied: lines of different settings are never one."""
    label: str | None
    y_scale: YScale | None


def settings_of(
    table: "pd.DataFrame", x: str | None, hue: str | None, drawn: Sequence[str] = ()
) -> tuple[str, str | None, tuple[str, ...]]:
    """Return what stands along the bottom, what gives lines, and what else varied.

    Only a sweep's own table says what was varied; in another a column that is left may
    be anything, but one of those `drawn` upwards is no setting.
    """
    varied = _varied(table)
    if "paths" not in table.attrs:
        varied = [column for column in varied if column not in drawn]
    for name, column in (("x", x), ("hue", hue)):
        if column is not None:
            check_column(table, column, name)
    left = [column for column in varied if column not in (x, hue)]
    if x is None:
        numbers = [c for c in left if are_numbers(table[c])]
        if not left:
            raise ValidationError("table", list(table), say("a column that was varied"))
        x = (numbers or left)[0]
        left.remove(x)
    if hue is None and left:
        hue = left.pop(0)
    known = "paths" in table.attrs
    return x, hue, tuple(c for c in left if known and len(set(table[c])) > 1)


def _varied(table: "pd.DataFrame") -> list[str]:
    """Return the columns that a sweep varied, with more than one value first."""
    paths = table.attrs.get("paths")
    columns = (
        list(paths)
        if paths
        else [
            str(column)
            for column in table
            if column not in (*METRICS, *_FIXED)
            and not str(column).endswith(("_low", "_high"))
        ]
    )
    return [c for c in columns if len(set(table[c])) > 1] or columns


def lines_of(table: "pd.DataFrame", view: View) -> "dict[str, pd.DataFrame]":
    """Return the rows of each line by its name, both in the order they are drawn."""
    if view.colour is None:
        parts = {"": table}
    else:
        columns = [view.colour, *view.apart]
        by = table.groupby(columns, sort=False, observed=True, dropna=False)
        parts = {_line_name(columns, values): rows for values, rows in by}
    if not are_numbers(table[view.across]):
        return parts
    return {
        name: rows.sort_values(view.across, kind="stable")
        for name, rows in parts.items()
    }


def _line_name(columns: Sequence[str], values: Sequence[Any]) -> str:
    if len(columns) == 1:
        return str(values[0])
    pairs = zip(columns, values, strict=True)
    return ", ".join(f"{column} {value}" for column, value in pairs)


def are_joined(parts: "dict[str, pd.DataFrame]", view: View) -> bool:
    """Tell whether points make lines: numbers, no two of a line at one place."""
    places = [part[view.across].dropna() for part in parts.values()]
    return all(are_numbers(each) and not each.duplicated().any() for each in places)


def places_of(
    part: "pd.DataFrame", places: dict[Any, float], view: View
) -> NDArray[np.float64]:
    """Return where the points of a line stand along the bottom; NaN: nowhere."""
    return np.array(
        [places.get(value, np.nan) for value in part[view.across]], dtype=np.float64
    )
